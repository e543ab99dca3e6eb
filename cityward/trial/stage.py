"""What a trial needs around it: a broker, an empty database, the pretend city in it, collector and dispatcher."""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cityward import embedded
from cityward.clock import Clock, Driven
from cityward.program import Program
from cityward.settings import Settings, environment
from cityward.simulate import write_city
from cityward.trial.errors import TrialError
from devices.broker import Broker
from devices.registry import Registry
from devices.registry_csv import read_registry
from ingest.session import Session
from simulators.city import PretendCity
from simulators.story import Story
from storage import permit_store
from storage.connection import Connection, connect
from storage.migrate import migrate
from storage.outcome import holds_nothing
from storage.registry_store import import_city, import_devices, load_registry

_CENTRE = "cityward evaluate"


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers to use instead of embedded ones; empty for those."""

    dsn: str = ""
    broker: str = ""


@dataclass(slots=True)
class Stage:
    """Everything at work, its time standing still.

    ``collected`` is the collector's time, ``decided`` the dispatcher's; ``folder`` holds the processes' logs.
    """

    dsn: str
    broker: Broker
    connection: Connection
    registry: Registry
    collected: Driven
    decided: Driven
    collector: Program
    dispatcher: Program
    folder: Path

    def check(self) -> None:
        """See whether both processes live.

        Raises:
            TrialError: naming the log of one that does not.
        """
        for program in (self.collector, self.dispatcher):
            code = program.died()
            if code is not None:
                raise TrialError(f"{program.name} ended by itself with {code}; see {program.log}")


@contextmanager
def stage(
    servers: Servers,
    settings: Settings,
    city: PretendCity,
    story: Story,
    begins: datetime,
    folder: Path,
    say: Callable[[str], None],
) -> Iterator[Stage]:
    """Everything at work from ``begins`` on, ended with the context.

    Raises:
        TrialError: if the database is not empty, or the broker is not to be used.
    """
    with ExitStack() as stack:
        variables: dict[str, str] = {}
        if not servers.dsn:
            say("starting an embedded PostgreSQL ...")
            variables["PGOPTIONS"] = "-c synchronous_commit=off"  # nobody pulls the plug of a trial
        dsn = servers.dsn or stack.enter_context(embedded.database(folder))
        connection = stack.enter_context(connect(dsn, name=_CENTRE))
        if not holds_nothing(connection):
            raise TrialError("--dsn: this database is not empty; a trial wants one of its own, made by CREATE DATABASE")
        broker = Broker.parse(servers.broker) if servers.broker else stack.enter_context(_broker(say))
        if broker.tls:
            raise TrialError("--broker: a trial speaks plain MQTT only; use mqtt://")
        migrate(dsn, city.kinds, lambda _step: None)
        registry = _registered(connection, city, folder / "city", begins)
        _grant(connection, story, begins)
        _open_session(broker, settings, Clock())
        collected, decided = (Driven.create(folder / name, begins) for name in ("collected.time", "decided.time"))
        shared: dict[str, str | float | datetime] = {"database_url": dsn, "broker_url": broker.url, "watchdog_s": 60.0}
        if settings.packs_dir:
            shared["packs_dir"] = str(settings.packs_dir.resolve())
        programs: dict[str, Program] = {}
        for name, time in (("collect", "collected.time"), ("dispatch", "decided.time")):
            program = Program(
                [name], folder / name, variables | environment({**shared, "clock__file": str(folder / time)})
            )
            stack.callback(program.stop)
            program.start()
            programs[name] = program
        yield Stage(
            dsn, broker, connection, registry, collected, decided, programs["collect"], programs["dispatch"], folder
        )


@contextmanager
def _broker(say: Callable[[str], None]) -> Iterator[Broker]:
    port = embedded.free_port(0)
    say(f"starting an embedded MQTT broker on 127.0.0.1:{port} ...")
    with embedded.broker(port) as broker:
        yield broker


def _registered(connection: Connection, city: PretendCity, folder: Path, at: datetime) -> Registry:
    city_file, devices = write_city(city, folder)
    document = tomllib.loads(city_file.read_text(encoding="utf-8"))
    imported = import_city(connection, document, str(city_file), at)
    read = read_registry(devices, city.kinds, units=imported.units, districts=imported.districts)
    import_devices(connection, read, str(devices), at)
    return load_registry(connection, city.kinds)


def _grant(connection: Connection, story: Story, at: datetime) -> None:
    for permit in story.permits:
        for device in permit.devices:
            start, end = (datetime.fromtimestamp(each / 1_000_000, at.tzinfo) for each in (permit.start, permit.end))
            granted = permit_store.Permit(
                kind=permit.kind, target=device, valid_from=start, valid_to=end, holder="crew", reason=permit.reason
            )
            permit_store.grant(connection, granted, at=at, actor=_CENTRE)


def _open_session(broker: Broker, settings: Settings, clock: Clock) -> None:
    """Subscribe once in the collector's name: from now on the broker keeps for it whatever is published."""
    for partition in settings.partitions:
        with Session(broker, partition, settings.filters(partition), clock=clock, stopping=lambda: True):
            pass
