"""The demonstration: every process of a city on one machine, real ones, around an embedded broker and database."""

import json
import subprocess
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.live import Live

from cases.words import Language
from cityward import children, embedded, live_page, simulate, wiring
from cityward.cli.context import err, out
from cityward.clock import Clock
from cityward.crews import Crews
from cityward.settings import Settings, environment
from devices.kind import Kind, load_kinds
from devices.registry_csv import read_registry
from simulators.city import build_city
from storage.case_list import newest_cases
from storage.connection import Connection, connect
from storage.migrate import migrate
from storage.overview import KindTotals, Overview, ledger, overview, waiting_work
from storage.reading_writer import stored
from storage.registry_store import import_city, import_devices, load_city, load_registry

# The city's clock begins here: restaurants still cook, the night of the noise limits is near, lamps burn.
EVENING = time(21, 50)
SETTLE = 30.0  # seconds at the end for what is still on its way
REFRESH = 0.5  # seconds between two pictures of the live page
_NAMES = {Language.EN: "Demo supervisor", Language.ZH: "演示值班长"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to demonstrate. ``seconds`` is 0 for until stopped; ``port`` the broker's, if it is free.

    ``console`` is the console's port, if that is free; None for no console.
    """

    seconds: float
    factor: float
    devices: int
    seed: int
    port: int
    console: int | None = None


@dataclass(slots=True)
class _Simulated:
    """What the pretend city says of itself."""

    published: int = 0


def run(plan: Plan, language: Language, stop: threading.Event, *, live: bool) -> dict[str, object]:
    """Run until the time is over or ``stop`` is set; the totals once everything has settled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cityward-demo-")))
        _say("starting an embedded PostgreSQL and an embedded MQTT broker ...")
        url = stack.enter_context(embedded.database(folder))
        port = stack.enter_context(embedded.claimed_port(plan.port))
        if port != plan.port:
            _say(f"port {plan.port} is taken: the broker listens on 127.0.0.1:{port}")
        broker = stack.enter_context(embedded.broker(port))
        clock = _evening(plan.factor)
        connection = stack.enter_context(connect(url, name="cityward demo"))
        kinds = load_kinds()
        _prepare(url, connection, kinds, plan, folder, clock)
        children.open_sessions(Settings(), broker, clock)
        desk = (
            children.desk(stack, connection, plan.console, _NAMES[language], language, clock)
            if plan.console is not None
            else None
        )
        settings = environment(
            {
                "database_url": url,
                "broker_url": broker.url,
                "clock__factor": clock.factor,
                "clock__start": clock.start or clock.now(),
                "clock__anchor": clock.anchor or clock.now(),
                "watchdog_s": 60.0,
                **(desk.settings if desk else {}),
            }
        )
        start = children.starter(stack, settings, folder)
        start("collect")
        start("dispatch")
        if desk:
            start("console")
        simulated = _Simulated()
        city = start("simulate", "--json", "--devices", str(plan.devices), "--seed", str(plan.seed))
        listening = threading.Thread(target=_listen, args=(city, simulated), daemon=True)
        listening.start()
        if desk:
            desk.wait(stop)
            _say(f"the desk, signed in by this link once: {desk.link}")
        page = live_page.Page(
            clock,
            load_city(connection).calendar.timezone,
            language,
            kinds,
            broker=str(broker),
            database=url,
            console=desk.link if desk else "",
        )
        crews = _crews(connection, kinds, city)
        _watch(plan, connection, page, simulated, stop, lambda: crews.work(clock.now()), live=live)
        children.end(city)
        listening.join(children.STOPPING)
        if not (live and stop.is_set()):  # whoever ends it by hand does not wait for totals
            _settle(connection, simulated.published)
        return _totals(simulated.published, overview(connection), stored(connection, kinds.values()))


def _evening(factor: float) -> Clock:
    """A clock that shows this evening in the pretend city now."""
    anchor = Clock().now()
    local = anchor.astimezone(ZoneInfo("Asia/Shanghai"))
    return Clock(factor, datetime.combine(local.date(), EVENING, local.tzinfo).astimezone(UTC), anchor)


def _prepare(
    url: str, connection: Connection, kinds: Mapping[str, Kind], plan: Plan, folder: Path, clock: Clock
) -> None:
    migrate(url, kinds, lambda _step: None)
    city_file, registry = simulate.write_city(build_city(plan.seed, plan.devices), folder / "city")
    document = tomllib.loads(city_file.read_text(encoding="utf-8"))
    city = import_city(connection, document, str(city_file), clock.now())
    devices = read_registry(registry, kinds, units=city.units, districts=city.districts)
    import_devices(connection, devices, str(registry), clock.now())
    _say(f"{len(devices)} devices registered in {len(city.districts)} districts")


def _crews(connection: Connection, kinds: Mapping[str, Kind], city: subprocess.Popen[str]) -> Crews:
    """Crews whose repairs the pretend city hears of at its standard input."""

    def tell(what: str, devices: list[str]) -> None:
        if city.stdin is not None and city.poll() is None:
            city.stdin.write(f"{what} {' '.join(devices)}\n")
            city.stdin.flush()

    practice = wiring.practice(load_city(connection), wiring.rules(Settings(), kinds), kinds)
    return Crews(connection, practice, load_registry(connection, kinds), tell)


def _listen(city: subprocess.Popen[str], simulated: _Simulated) -> None:
    for line in city.stdout or ():
        simulated.published = json.loads(line)["published"]


def _watch(
    plan: Plan,
    connection: Connection,
    page: live_page.Page,
    simulated: _Simulated,
    stop: threading.Event,
    crews: Callable[[], None],
    *,
    live: bool,
) -> None:
    """Let the crews work, and show what happens, until it is time to end."""
    with _live(page, enabled=live) as show:
        wait = stop.wait
        left = plan.seconds or float("inf")
        while left > 0 and not wait(min(REFRESH, left)):
            left -= REFRESH
            crews()
            if live:
                show(overview(connection), newest_cases(connection, limit=12), simulated.published)


@contextmanager
def _live(page: live_page.Page, *, enabled: bool) -> Iterator[Callable[..., None]]:
    if not enabled:
        yield lambda *_: None
        return
    with Live(console=out, screen=False, auto_refresh=False) as live:
        yield lambda now, cases, published: live.update(page.render(now, cases, published), refresh=True)


def _settle(connection: Connection, published: int) -> None:
    """Wait until what was published is in the ledger and what it started has been told."""
    give_up = threading.Event()
    timer = threading.Timer(SETTLE, give_up.set)
    timer.daemon = True
    timer.start()
    while not give_up.wait(0.2):
        if ledger(connection).received >= published and waiting_work(connection) == 0:
            break
    timer.cancel()


def _totals(published: int, now: Overview, readings: dict[str, int]) -> dict[str, object]:
    return {
        "published": published,
        "received": now.ledger.received,
        "stored": now.ledger.stored,
        "duplicate": now.ledger.duplicate,
        "quarantined": now.ledger.quarantined,
        "alarms": sum(each.alarms for each in now.by_kind.values()),
        "cases": sum(each.cases for each in now.by_kind.values()),
        "notifications": now.notifications.get("delivered", 0),
        "by_kind": {
            kind: {
                "readings": readings.get(kind, 0),  # a group of devices, such as a circuit, has none of its own
                "alarms": now.by_kind.get(kind, KindTotals()).alarms,
                "cases": now.by_kind.get(kind, KindTotals()).cases,
            }
            for kind in sorted(readings.keys() | now.by_kind.keys())
        },
    }


def _say(text: str) -> None:
    err.print(f"[dim]cityward demo:[/dim] {text}", markup=True, soft_wrap=True)
