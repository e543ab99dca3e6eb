"""The console put together: routes, words for errors, headers."""

from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from console.context import Context
from console.headers import SafetyHeaders
from console.identity import SignInError
from console.pages import signing_in
from storage.errors import DatabaseUnavailableError

API = "/api/"
_STATIC = Path(__file__).parent / "static"


def create_app(context: Context) -> FastAPI:
    """The application; the context's pool is open for as long as it serves."""
    app = FastAPI(title="Cityward", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.context = context
    app.state.tries = signing_in.Tries()
    app.include_router(signing_in.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(SignInError, _sign_in)
    app.add_exception_handler(DatabaseUnavailableError, _away)
    app.add_middleware(SafetyHeaders)
    return app


async def _sign_in(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith(API):
        return JSONResponse({"detail": "sign in first"}, HTTPStatus.UNAUTHORIZED)
    return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)


async def _away(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
