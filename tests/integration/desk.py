"""The dispatcher's part that turns news of alarms into cases, at the time that the test says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from psycopg import Connection, sql

from cases.city import City
from cases.dispatching import Practice
from cityward import wiring
from devices.kind import Kind
from devices.moments import micros
from devices.registry import Registry
from ingest.hearing import Heard
from rules.verdicts import Change
from storage import alarm_store, device_status
from storage.case_book import take_up
from storage.case_clock import ask_telemetry, look_at_due
from storage.case_moves import CaseMoves
from storage.outbox import deferring_app
from storage.registry_store import load_city
from tests.installed import installed_rules
from tests.integration.making import device_of, rows, transition

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 20, 17, 30, tzinfo=SHANGHAI)


class Desk:
    """Records alarms and takes up their news.

    Args:
        connection: To a database with the small city.
        registry: Its devices.
        kinds: The installed kinds, for the rules' plans.
    """

    def __init__(self, connection: Connection, registry: Registry, kinds: Mapping[str, Kind]) -> None:
        self.connection = connection
        self.jobs = deferring_app()
        self.city: City = load_city(connection)
        self._rules = installed_rules()
        self._kinds = kinds
        self._covers: Mapping[str, frozenset[str]] = {}
        self._registry = registry

    def number(self, device_id: str) -> int:
        ((number,),) = rows(self.connection, "SELECT id FROM device WHERE device_id = %s", device_id)
        return int(number)

    def alarm(self, *news: tuple[str, str], change: Change = Change.RAISED, **details: Any) -> None:
        """Record that these rules raised these devices, given as (rule, device id)."""
        transitions = [transition(self.number(device), change, rule=rule, **details) for rule, device in news]
        with self.connection.transaction():
            alarm_store.record(self.connection, transitions, details.get("at", FRIDAY))

    @property
    def practice(self) -> Practice:
        return replace(wiring.practice(self.city, self._rules, self._kinds), covers=self._covers)

    def cover(self, covers: Mapping[str, frozenset[str]]) -> None:
        """Let rules of groups stand for rules of members."""
        self._covers = covers

    def take_up(self, now: datetime = FRIDAY) -> int:
        return take_up(self.connection, self.jobs, self.practice, now).news

    def look(self, now: datetime) -> int:
        """What the clock does by now; how many cases."""
        return look_at_due(self.connection, self.jobs, self.practice, now)

    def ask(self, now: datetime) -> int:
        """What telemetry decides by now; how many cases."""
        return ask_telemetry(self.connection, self.jobs, self.practice, now)

    def moves(self, at: datetime, actor: str = "crew 7") -> CaseMoves:
        return CaseMoves(self.connection, self.jobs, self.practice, at=at, actor=actor)

    def work(self, number: str, at: datetime) -> None:
        """A crew accepts, arrives and reports the work done, all at once."""
        moves = self.moves(at)
        moves.accept(number)
        moves.arrive(number)
        moves.done(number, "mended")

    def hear(self, device_id: str, at: datetime, *, quality: int = 0) -> None:
        """A reading of a device, stored as it would be, with nothing in it."""
        table = f"reading_{device_of(self._registry, device_id).kind}"
        self.connection.execute(
            f"INSERT INTO {table} (device, ts, received_at, seq, type, quality) VALUES (%s, %s, %s, 1, 0, %s)".encode(),  # noqa: S608
            [self.number(device_id), at, at, quality],
        )

    def measure(self, device_id: str, at: datetime, **values: float) -> None:
        """A reading of a device with these values, which the device's status knows as its last."""
        number, names = self.number(device_id), ["device", "ts", "received_at", "seq", "type", "quality", *values]
        table = sql.Identifier(f"reading_{device_of(self._registry, device_id).kind}")
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        row = sql.SQL(", ").join([sql.Placeholder()] * len(names))
        insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, columns, row)
        self.connection.execute(insert, [number, at, at, 1, 0, 0, *values.values()])
        heard = Heard(number, micros(at), micros(at), 1, None, 0, msgspec.json.encode(values), None, frozenset())
        device_status.write(self.connection, [heard])

    def numbers(self) -> list[str]:
        """The numbers of all cases, in the order in which they were opened."""
        return [number for (number,) in rows(self.connection, "SELECT number FROM dispatch_case ORDER BY id")]

    def only_number(self) -> str:
        (number,) = self.numbers()
        return number
