"""A city in which all that comes due is played by a clock that is set by hand: its dispatcher, its lamps, its meter."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg import Connection

from cityward.due import DueRules
from devices.device import Description
from devices.hearers import DISTRICTS
from devices.kind import Kind
from devices.moments import micros
from rules.local_time import LocalTime
from rules.measures import load_measures
from rules.packs import load_packs
from rules.rule import Rule
from rules.spells import NONE
from storage import reading_writer, rollups
from storage.capability import Capability, detect
from storage.registry_store import load_registry, register_groups
from tests.integration.making import Hands, device_of, readings, rows

LOCAL = LocalTime(ZoneInfo("Asia/Shanghai"))
NINE = datetime(2026, 11, 21, 13, tzinfo=UTC)  # 21:00 in the city
MINUTE = timedelta(minutes=1)
LAMPS = [f"lamp-{number:02}" for number in range(12)]
METER = "4201020308000004"


class City:
    """A dispatcher's view of the database, with a clock that is set by hand."""

    def __init__(self, connection: Connection, kinds: Mapping[str, Kind], folder: Path) -> None:
        self.connection, self.kinds, self.folder = connection, kinds, folder
        self.registry = load_registry(connection, kinds)
        self.rules: list[Rule] = []
        self.due: DueRules | None = None
        self.heard_by = DISTRICTS
        self.lateness: dict[str, int] = {}

    def begin(self, pack: str, at: datetime) -> None:
        """A dispatcher starts, perhaps again, with these rules."""
        (self.folder / "test.yaml").write_text(pack, encoding="utf-8")
        self.rules = load_packs(self.kinds, self.folder)
        groupings = [(rule.kind, rule.group) for rule in self.rules if rule.group]
        register_groups(self.connection, self.registry, groupings, at)
        self.registry = load_registry(self.connection, self.kinds)
        self.clock = Hands(at)
        self.due = DueRules(
            self.connection,
            self.rules,
            self.registry,
            LOCAL,
            load_measures(),
            self.clock,
            NONE,
            heard_by=self.heard_by,
            lateness=self.lateness,
        )

    def until(self, at: datetime) -> None:
        """Time passes, a minute at a time would do no better."""
        assert self.due is not None
        self.clock.at = at
        while self.due.judge():
            pass

    def sent(self, device_id: str, series: Iterable[tuple[datetime, float]], metric: str, **more: float) -> None:
        device = device_of(self.registry, device_id)
        table = readings(
            self.kinds[device.kind],
            *({"device": device.id, "ts": micros(at), metric: value, **more} for at, value in series),
        )
        with self.connection.transaction():
            assert reading_writer.write(self.connection, table).fresh.all()

    def catch_up(self) -> None:
        """As if the job for readings that are days late had run."""
        if detect(self.connection) is Capability.COMMUNITY:
            rollups.catch_up(self.connection)

    def history(self) -> list[str]:
        found = rows(
            self.connection,
            "SELECT rule_id, device_id, event, at FROM alarm_event JOIN alarm ON alarm.id = alarm_id"
            " JOIN device ON device.id = alarm.device ORDER BY alarm_event.id",
        )
        return [f"{rule} {device} {event} {at.astimezone(LOCAL.zone):%H:%M}" for rule, device, event, at in found]


def minutes(start: int, end: int, value: float) -> list[tuple[datetime, float]]:
    """A value a minute, counted from 21:00."""
    return [(NINE + minute * MINUTE, value) for minute in range(start, end)]


def lamp(number: int, circuit: str = "C-7") -> Description:
    return Description(
        device_id=LAMPS[number], kind="streetlight", name="", district="west", grid="420102001001002", road="East Road",
        road_class="main", lon=114.3 + number / 1000, lat=30.6, circuit=circuit, component_class="0118",
        maintainer="sensor-care", attributes={"rated_power": 100.0},
    )  # fmt: skip
