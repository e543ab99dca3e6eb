"""How long the console's pages take while a whole city is in trouble.

A pretend city is registered and filled with open cases, each with its alarm, history and message. Then a console is
started as an operator does it, and one browser after the other asks for each page, as a supervisor, over HTTP; the time
is from sending the request to the last byte. Beside them stands a route that asks the database ``SELECT 1``.
"""

import html
import re
import secrets
import socket
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from benchmarks.errors import BenchError
from benchmarks.rig import say
from cases.words import Language
from cityward import embedded, simulate
from cityward.clock import Clock
from cityward.program import Program
from cityward.settings import environment
from console.access import Role
from console.identity import COOKIE
from console.passwords import hashed
from console.signing import Session, Signing
from devices.kind import load_kinds
from devices.registry_csv import read_registry
from simulators.city import SMALLEST, build_city
from storage import console_bench, console_store
from storage.connection import Connection, connect
from storage.console_bench import Known
from storage.migrate import migrate
from storage.pool import Pool
from storage.registry_store import import_city, import_devices

GOAL_MS = 200.0
FLOOR = "floor: SELECT 1"
PATIENCE = 60.0  # seconds for the console to start
_LOOK = 0.2  # seconds between two looks whether something is up
_DAY = 86_400  # s
_CITY = "113,29,116,32"  # degrees around the pretend city


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: open cases, how often each page is asked for, by how many at once."""

    cases: int
    rounds: int
    desks: int = 1


def run(plan: Plan) -> dict[str, Any]:
    """Fill a database, start a console, measure, and give the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cityward-bench-")))
        url = stack.enter_context(embedded.database(folder))
        with connect(url, name="cityward bench console") as connection:
            say(f"registering a city and opening {plan.cases} cases ...")
            _fill(url, connection, folder, plan.cases)
            known = console_bench.known(connection)
            cookies = {role: _cookie(connection, role, known.unit) for role in (Role.SUPERVISOR, Role.CREW)}
        address = stack.enter_context(_console(url, folder))
        floor = stack.enter_context(_floor(url))
        say(f"asking, {plan.desks} at a time ...")
        pages = [_measured(floor, _Page(FLOOR, "/"), cookies, plan)]
        pages += [_measured(address, page, cookies, plan) for page in _pages(known, address, cookies)]
    return {
        "open_cases": known.cases,
        "rounds": plan.rounds,
        "desks": plan.desks,
        "goal_p95_ms": GOAL_MS,
        "slower": [page["page"] for page in pages if page["p95_ms"] > GOAL_MS],
        "pages": pages,
    }


@dataclass(frozen=True, slots=True)
class _Page:
    """What is asked for, and as whom."""

    name: str
    path: str
    role: Role = Role.SUPERVISOR


def _pages(known: Known, address: str, cookies: Mapping[Role, str]) -> list[_Page]:
    """Everything that people and programs look at often."""
    with httpx.Client(base_url=address, cookies={COOKIE: cookies[Role.SUPERVISOR]}) as client:
        second = re.search(r'rel="next" href="([^"]+)"', client.get("/").text)
    if second is None:
        raise BenchError("the list of cases has no second page: give more --cases")
    number = known.number
    return [
        _Page("desk", "/"),
        _Page("desk, next page", html.unescape(second[1])),
        _Page("desk, one unit", f"/?unit={known.unit}"),
        _Page("desk, kind and severity", "/?kind=manhole&severity=4"),
        _Page("desk, overdue", "/?due=overdue"),
        _Page("desk, a text that is there", f"/?text={number[-6:]}"),
        _Page("desk, a text that is not", "/?text=zzzz"),
        _Page("desk, what is new", "/desk/cases"),
        _Page("alarms", "/alarms"),
        _Page("alarms, shelved", "/alarms?state=shelved"),
        _Page("alarms, one unit", f"/alarms?unit={known.unit}"),
        _Page("map, the whole city", f"/desk/places?box={_CITY}&zoom=11"),
        _Page("case", f"/cases/{number}"),
        _Page("device, a day", f"/devices/{known.device_id}"),
        _Page("device, a week", f"/devices/{known.device_id}?span=7d"),
        _Page("a crew's cases", "/crew", Role.CREW),
        _Page("a crew's case", f"/crew/{number}", Role.CREW),
        _Page("permits", "/permits"),
        _Page("hand-over", "/handover"),
        _Page("API: cases", "/api/v1/cases"),
        _Page("API: one case", f"/api/v1/cases/{number}"),
        _Page("API: alarms", "/api/v1/alarms"),
        _Page("API: devices", "/api/v1/devices"),
    ]


def _fill(url: str, connection: Connection, folder: Path, cases: int) -> None:
    kinds, now = load_kinds(), Clock().now()
    migrate(url, kinds, lambda _step: None)
    facilities = max(SMALLEST, -(-cases // console_bench.PROBLEMS))
    city_file, registry = simulate.write_city(build_city(1, facilities, kinds), folder / "city")
    document = tomllib.loads(city_file.read_text(encoding="utf-8"))
    city = import_city(connection, document, str(city_file), now)
    import_devices(
        connection, read_registry(registry, kinds, units=city.units, districts=city.districts), str(registry), now
    )
    console_bench.fill(connection, cases, now)


def _cookie(connection: Connection, role: Role, unit: str) -> str:
    """The session of a new person."""
    now = Clock().now()
    console_store.save(
        connection,
        username=role,
        full_name=role,
        role=role,
        unit=unit if role is Role.CREW else "",
        language=Language.EN,
        password_hash=hashed(secrets.token_urlsafe()),
        at=now,
    )
    session = Session(role, 1, unit if role is Role.CREW else "", secrets.token_urlsafe(), int(now.timestamp()) + _DAY)
    return Signing(console_store.signing_key(connection, now)).cookie(session)


@contextmanager
def _console(url: str, folder: Path) -> Iterator[str]:
    """A console as a process of its own; its address."""
    port = embedded.free_port(0)
    settings = environment({"database_url": url, "console_port": port, "console_rate": 0})
    console = Program(["console"], folder / "console", settings)
    console.start()
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(round(PATIENCE / _LOOK)):
            time.sleep(_LOOK)
            if console.died() is not None:
                raise BenchError(f"the console does not start: {console.log.read_text(encoding='utf-8')[-500:]}")
            with suppress(httpx.TransportError):
                httpx.get(f"{address}/sign-in")
                break
        yield address
    finally:
        console.stop()


@contextmanager
def _floor(url: str) -> Iterator[str]:
    """The least that an answer with a look at the database takes, with the same server and pool; its address."""
    app = FastAPI()
    with Pool(url, size=4, name="cityward bench floor") as pool:

        @app.get("/")
        def one() -> int:
            with pool.connection() as connection:
                return console_bench.one(connection)

        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        with socket.create_server(("127.0.0.1", 0)) as listening:  # who asks early waits in its backlog
            # As asyncio does for sockets of its own: else an answer waits 40 ms for the browser's acknowledgement.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=server.run, args=[[listening]])
            thread.start()
            try:
                yield "http://127.0.0.1:{1}".format(*listening.getsockname())
            finally:
                server.should_exit = True
                thread.join()


def _measured(address: str, page: _Page, cookies: Mapping[Role, str], plan: Plan) -> dict[str, Any]:
    """One page, asked for by some browsers at once."""
    each = max(1, plan.rounds // plan.desks)
    with ThreadPoolExecutor(plan.desks) as desks:
        asked = [desks.submit(_asked, address, page, cookies[page.role], each) for _ in range(plan.desks)]
        times = [seconds for desk in asked for seconds in desk.result()]
    found = {"page": page.name, "p50_ms": _ms(times, 0.5), "p95_ms": _ms(times, 0.95), "most_ms": _ms(times, 1.0)}
    say(f"{page.name}: {found['p50_ms']} ms, p95 {found['p95_ms']} ms")
    return found


def _asked(address: str, page: _Page, cookie: str, times: int) -> list[float]:
    with httpx.Client(base_url=address, cookies={COOKIE: cookie}, timeout=PATIENCE) as client:
        return [_once(client, page) for _ in range(times + 1)][1:]  # the first opens the connection


def _once(client: httpx.Client, page: _Page) -> float:
    begun = time.perf_counter()
    answer = client.get(page.path)
    seconds = time.perf_counter() - begun
    if answer.status_code != HTTPStatus.OK:
        raise BenchError(f"{page.name}: {page.path} answers {answer.status_code}: {answer.text[:200]}")
    return seconds


def _ms(seconds: Sequence[float], part: float) -> float:
    ordered = sorted(seconds)
    return round(1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1)
