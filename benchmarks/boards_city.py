"""A city of some weeks in bulk, for the benchmark of the boards: what its devices send at their real intervals.

Day by day, as it would have come about: readings written, roll-ups refreshed, and once a day is old enough, compressed.
What the last hours are like is as in daily life too: roll-ups not yet refreshed, the last week not compressed.
"""

import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cityward.backfilling import backfill
from cityward.simulate import write_city
from devices.kind import Kind
from devices.registry_csv import read_registry
from simulators.city import build_city
from simulators.fleet import Fleet
from simulators.physics.daytime import LOCAL
from simulators.scenario import load_scenario
from simulators.telling import tell
from storage import board_bench
from storage.capability import Capability, detect
from storage.connection import Connection, connect
from storage.hypertables import COLUMNSTORE_AFTER
from storage.registry_store import import_city, import_devices, load_registry
from storage.rollups import refresh

# In a thousand devices; lamps are the rest: a city has covers by the thousand and instruments by the hundred (project
# default).
SHARES = {"manhole": 300, "fume": 50, "noise": 25, "bridge": 25}
SCENARIO = "quiet_week"
_RULES = {"manhole": "MH-01", "fume": "FU-03", "noise": "NO-02", "streetlight": "SL-01", "bridge": "BR-01"}
_SLICE_S = 3600  # of the city's time that are written at once
_SETTLED = timedelta(hours=1)  # behind what the database's own jobs refresh


@dataclass(frozen=True, slots=True)
class Weeks:
    """How many days before ``until`` (aware), of how many devices, and where chance starts."""

    days: int
    devices: int
    seed: int
    until: datetime

    @property
    def since(self) -> datetime:
        """Where they begin: local midnight."""
        local = (self.until - timedelta(days=self.days)).astimezone(LOCAL)
        return local.replace(hour=0, minute=0, second=0, microsecond=0)

    def each(self) -> Iterator[tuple[datetime, datetime]]:
        """The local days, the last one as far as it has come."""
        begins = self.since
        while begins < self.until:
            yield begins, min(begins + timedelta(days=1), self.until)
            begins += timedelta(days=1)


def seed(dsn: str, kinds: dict[str, Kind], weeks: Weeks, say: Callable[[float, str], None]) -> None:
    """Fill a database that has its tables and nothing in them.

    ``say`` is told after each day which share of them is written, and how many readings.
    """
    stored = 0
    with connect(dsn, name="cityward bench boards") as connection:
        capability = detect(connection)
        fleet = _registered(connection, kinds, weeks)
        registry = load_registry(connection, kinds)
        if capability is Capability.COMMUNITY:
            board_bench.pause_jobs(connection, running=False)
        for number, (begins, ends) in enumerate(weeks.each(), start=1):
            written = backfill(
                connection, registry, fleet.reports(begins, ends), stopping=lambda: False, report=lambda _done: None
            )
            stored += written.stored
            if capability is Capability.COMMUNITY:
                _settle(connection, kinds, begins, min(ends, weeks.until - _SETTLED), weeks.until)
            say(number / (weeks.days + 1), f"{stored} readings")
        board_bench.happen(
            connection, weeks.since, weeks.until, {name: _RULES[name] for name in kinds if name in _RULES}
        )
        board_bench.tidy(connection)
        if capability is Capability.COMMUNITY:
            board_bench.pause_jobs(connection, running=True)


def _registered(connection: Connection, kinds: dict[str, Kind], weeks: Weeks) -> Fleet:
    pretend = build_city(weeks.seed, weeks.devices, kinds, SHARES)
    with tempfile.TemporaryDirectory(prefix="cityward-bench-") as folder:
        city_file, file = write_city(pretend, Path(folder))
        city = import_city(connection, tomllib.loads(city_file.read_text("utf-8")), "the benchmark", weeks.since)
        devices = read_registry(file, kinds, units=city.units, districts=city.districts)
    import_devices(connection, devices, "the benchmark", weeks.since)
    story = tell(load_scenario(SCENARIO, tuple(kinds)), pretend, weeks.since, weeks.seed)
    return Fleet(pretend, story, weeks.seed, _SLICE_S)


def _settle(connection: Connection, kinds: dict[str, Kind], begins: datetime, ends: datetime, until: datetime) -> None:
    """What the database's own jobs would have done by the end of a day."""
    # From a day before on: of days only whole ones are refreshed.
    refresh(connection, kinds.values(), (begins - timedelta(days=1)).isoformat(), ends.isoformat())
    board_bench.compress(connection, kinds.values(), min(ends, until - COLUMNSTORE_AFTER))
