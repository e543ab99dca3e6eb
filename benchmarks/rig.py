"""What a benchmark needs around it: servers, Cityward's processes, a publisher; started, watched and ended together."""

import json
import math
import shutil
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from benchmarks.errors import BenchError
from benchmarks.publisher import Publisher
from benchmarks.servers import Mosquitto, Postgres, account
from cityward.clock import Clock
from cityward.program import Program
from cityward.settings import environment
from devices.device import Description
from devices.kind import load_kinds
from devices.topics import subscriptions
from ingest.session import Session
from rules.packs import PACKS_FOLDER
from simulators.city import CITY_FILE
from storage.connection import Connection, connect
from storage.migrate import migrate
from storage.registry_store import import_city, import_devices

PARTITION, FILTER = "all", "city/#"
# Each alarm is foretold by itself: none is held for chatter, announced again or kept back in a storm.
ALL_ALARMS = {"chatter": {"times": 0}, "remind": {"times": 0}, "storm": {"begin": 0}}
LOOK = 0.05  # seconds between two looks at something that is waited for
PATIENCE = 120.0  # seconds: far more than anything takes; whoever waits so long has found a defect
_progress = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Setup:
    """What to start.

    ``autosave`` is Mosquitto's, in seconds; ``postgres`` are server settings. Unless ``at_work``, Cityward's processes
    are left to whoever has the rig.
    """

    devices: Sequence[Description]
    collectors: int = 1
    packs: Path = PACKS_FOLDER
    autosave: int = 1
    postgres: dict[str, str] = field(default_factory=dict)
    at_work: bool = True


class Rig:
    """Servers that run and Cityward's processes at their work.

    Attributes:
        broker: The Mosquitto.
        database: The PostgreSQL.
        collectors: Collectors of the one partition, of which one works.
        dispatcher: The dispatcher.
        clock: The wall's.
        folder: Where its files and logs are.
        failed: Set where those are worth keeping.
    """

    def __init__(self, setup: Setup, folder: Path) -> None:
        self.clock = Clock()
        self.failed = False
        self.folder = folder
        self.kinds = load_kinds()
        user = account()
        self.broker = Mosquitto(folder / "mosquitto", user, self.wait, autosave=setup.autosave)
        self.database = Postgres(folder / "postgres", user, self.wait, **setup.postgres)
        variables = environment(
            {
                "database_url": self.database.dsn,
                "broker_url": self.broker.broker.url,
                "partitions": json.dumps({PARTITION: [FILTER]}),
                "packs_dir": str(setup.packs),
            }
        )
        self.collectors = [
            Program(["collect"], folder / f"collector-{number}", variables) for number in range(1, setup.collectors + 1)
        ]
        self.dispatcher = Program(["dispatch"], folder / "dispatcher", variables)
        self._setup = setup

    @property
    def programs(self) -> list[Program]:
        """Cityward's processes."""
        return [*self.collectors, self.dispatcher]

    def start(self) -> None:
        """Everything, up to collectors and dispatcher at their work if they are wanted."""
        self.database.start()
        self.broker.start()
        migrate(self.database.dsn, self.kinds, lambda _step: None)
        city = tomllib.loads(CITY_FILE.read_text(encoding="utf-8"))
        with self.connected("bench") as connection:
            import_city(connection, {**city, "alarms": ALL_ALARMS}, str(CITY_FILE), self.clock.now())
            import_devices(connection, self._setup.devices, "the benchmark", self.clock.now())
        if self._setup.at_work:
            self.subscribe()
            for program in self.programs:
                program.start()
            self.until_at_work()

    def subscribe(self) -> None:
        """From now on the broker keeps for the partition whatever is published."""
        with Session(self.broker.broker, PARTITION, subscriptions(FILTER), clock=self.clock, stopping=lambda: True):
            pass

    def end(self) -> None:
        """Everything, in order."""
        for program in self.programs:
            program.ask_to_stop()
        for program in self.programs:
            program.stop()
        self.broker.stop()
        self.database.stop()

    @contextmanager
    def connected(self, purpose: str) -> Iterator[Connection]:
        """A connection to the database."""
        with connect(self.database.dsn, name=f"cityward bench {purpose}") as connection:
            yield connection

    def holder(self) -> Program | None:
        """The collector that works."""
        return next((each for each in self.collectors if each.look() == "working"), None)

    def second(self) -> Program | None:
        """A collector that waits for the other one to end."""
        return next((each for each in self.collectors if each.look() == "second"), None)

    def until_at_work(self) -> None:
        """Wait until one collector works, the others stand by, and the dispatcher works."""

        def at_work() -> bool:
            states = sorted(each.look() for each in self.collectors)
            return states == ["second"] * (len(states) - 1) + ["working"] and self.dispatcher.look() == "working"

        self.wait(at_work, "collectors and dispatcher at their work")

    def wait(self, so: Callable[[], bool], what: str, patience: float = PATIENCE, every: float = LOOK) -> None:
        """Return when it is so.

        Raises:
            BenchError: if it takes too long, or if a process has died by itself.
        """
        give_up = time.monotonic() + patience
        while not so():
            if time.monotonic() > give_up:
                raise BenchError(f"{what}: not within {patience:g} s")
            self.pause(every)

    def pause(self, seconds: float) -> None:
        """Let it run for so long; raises as ``wait`` does."""
        time.sleep(seconds)
        for program in self.programs:
            code = program.died()
            if code is not None:
                raise BenchError(f"{program.name} ended by itself with {code}; see {program.log}")


@contextmanager
def rig(setup: Setup) -> Iterator[Rig]:
    """A rig that has started; its folder, with all logs, stays where something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="cityward-bench-"))
    folder.chmod(0o711)  # servers with an account of their own pass through
    say("starting Mosquitto, PostgreSQL and Cityward's processes ...")
    try:
        made = Rig(setup, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    try:
        made.start()
        yield made
    except KeyboardInterrupt:
        raise
    except BaseException:
        made.failed = True
        raise
    finally:
        made.end()
        if made.failed:
            say(f"logs and data are in {folder}")
        else:
            shutil.rmtree(folder)


@contextmanager
def publishing(publisher: Publisher) -> Iterator[None]:
    """Publish beside what is done in the context."""
    thread = threading.Thread(target=publisher.run, name="publisher", daemon=True)
    thread.start()
    try:
        yield
    finally:
        publisher.stop()
        thread.join()


def share(values: Sequence[float], part: float) -> float | None:
    """The smallest of the values that so large a part of them does not exceed; None where there are none."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(part * len(ranked)) - 1)] if ranked else None


def say(text: str) -> None:
    """Progress, on standard error."""
    _progress.print(f"[dim]cityward bench:[/dim] {text}", markup=True, soft_wrap=True)
