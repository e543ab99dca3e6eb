"""A city of one's own on this machine, to try things out: an embedded broker and database around the real processes."""

import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from cases.words import Language
from cityward import children, embedded, wiring
from cityward.cli.context import CommandError, err
from cityward.settings import Settings, environment
from devices.broker import Broker
from devices.kind import Kind
from storage import partition_sessions
from storage.connection import Connection, connect
from storage.migrate import city_grid, migrate
from storage.registry_store import NoCityError, import_city, load_city

_NAMES = {Language.EN: "Trial supervisor", Language.ZH: "试用值班长"}
_LOOKING = 0.5  # seconds between two looks whether all of them still run
MOST_ENDS, WITHIN = 3, 60.0  # a process that ends is started again, unless it has so often in so many seconds
_HERE = ("127.0.0.1", "localhost")


def run(settings: Settings, city_file: Path | None, stop: threading.Event) -> None:
    """Run until ``stop`` is set; what is stored stays.

    Args:
        settings: Of all processes. Without a ``database_url`` the database is embedded and kept in ``data_dir``.
        city_file: Imported before anything starts; without it the city that was imported before.
        stop: Ends all.

    Raises:
        CommandError: without a city, without a broker of its own, or when a process keeps ending by itself.
    """
    kinds, clock = wiring.kinds(settings), wiring.clock(settings)
    with ExitStack() as stack:
        if settings.broker.host in _HERE and not stack.enter_context(embedded.claim(settings.broker.port)):
            raise CommandError(
                f"another city on this machine, such as cityward demo, has the broker at {settings.broker}: end it, or"
                ' name another one in cityward.toml: broker_url = "mqtt://127.0.0.1:1884"'
            )
        url = stack.enter_context(wiring.database_url(settings))
        connection = stack.enter_context(connect(url, name="cityward up"))
        _migrate(url, settings, kinds)
        name = _city(url, connection, city_file, settings, kinds)
        if _answers(settings.broker):
            _say(f"the broker at {settings.broker} is there already")
        elif settings.broker.host in _HERE:
            broker = stack.enter_context(embedded.broker(settings.broker.port))
            partition_sessions.forget(connection, *partition_sessions.load_all(connection))  # the last broker's
            children.open_sessions(settings, broker, clock)
        else:
            raise CommandError(f"no broker at {settings.broker}, and only one on 127.0.0.1 can be started here")
        desk = children.desk(
            stack, connection, settings.console_port, _NAMES[settings.language], settings.language, clock
        )
        start = children.starter(stack, environment({"database_url": url, **desk.settings}))
        running = {command: start(command) for command in ("collect", "dispatch", "console")}
        desk.wait(stop)
        _say(f"{name} is up; Ctrl-C ends it, and what is stored stays")
        _say(f"devices send to {settings.broker}; the desk, signed in by this link once: {desk.link}")
        ends = Ends()
        while not stop.wait(_LOOKING):
            for command in [command for command, process in running.items() if process.poll() is not None]:
                if ends.too_many(command, time.monotonic()):
                    raise CommandError(f"cityward {command} keeps ending; what it said stands above")
                _say(f"cityward {command} has ended, and is started again; what it said stands above")
                running[command] = start(command)
        for process in running.values():
            process.terminate()  # all at once; each is waited for when the stack ends it


class Ends:
    """How often processes have ended by themselves lately."""

    def __init__(self) -> None:
        self._lately: defaultdict[str, deque[float]] = defaultdict(partial(deque, maxlen=MOST_ENDS))

    def too_many(self, command: str, now: float) -> bool:
        """Whether one that has ended now, in seconds of any clock, has done so too often to be started again."""
        ends = self._lately[command]
        ends.append(now)
        return len(ends) == MOST_ENDS and now - ends[0] < WITHIN


def _migrate(url: str, settings: Settings, kinds: Mapping[str, Kind]) -> None:
    migrate(url, kinds, lambda _step: None, wiring.keep(settings))


def _city(url: str, connection: Connection, file: Path | None, settings: Settings, kinds: Mapping[str, Kind]) -> str:
    """Import the city where a file is given; the name of the city in force."""
    if file:
        document, before = wiring.city_document(file, kinds), city_grid(connection)
        city = import_city(connection, document, str(file), wiring.clock(settings).now())
        if city_grid(connection) != before:  # days are the city's
            _migrate(url, settings, kinds)
        return city.names[settings.language]
    try:
        return load_city(connection).names[settings.language]
    except NoCityError as error:
        raise CommandError("there is no city yet: name its file, cityward up city.toml") from error


def _answers(broker: Broker) -> bool:
    with suppress(OSError), socket.create_connection((broker.host, broker.port), timeout=1):
        return True
    return False


def _say(text: str) -> None:
    err.print(f"[dim]cityward up:[/dim] {text}", markup=True, soft_wrap=True)
