"""The console put together: routes, words for errors, headers."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from console import problems
from console.api import described
from console.context import Context
from console.guesses import Guesses
from console.headers import SafetyHeaders
from console.limits import SizeLimit
from console.open311 import routes as open311
from console.pages import case, crew, crew_doing, desk, device, handover, moving, people, permits, reports, signing_in
from console.proxies import UnnamedProxy

_STATIC = Path(__file__).parent / "static"


def create_app(context: Context) -> FastAPI:
    """The application; the context's pool is open for as long as it serves."""
    app = FastAPI(title="Cityward", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.context = context
    app.state.guesses = Guesses()
    app.state.entered = False
    app.state.totals = desk.Totals()
    for part in (signing_in, desk, moving, case, device, permits, handover, reports, people, crew, crew_doing):
        app.include_router(part.router, include_in_schema=False)
    described.install(app)
    app.include_router(open311.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    problems.answer_for(app)
    app.add_middleware(SizeLimit)
    app.add_middleware(SafetyHeaders, map_style=context.map_style)
    app.add_middleware(UnnamedProxy)
    return app
