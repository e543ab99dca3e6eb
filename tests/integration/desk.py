"""The dispatcher's part that turns news of alarms into cases, at the time that the test says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from cases.city import City
from cases.opening import CasePlan
from devices.kind import Kind
from devices.registry import Registry
from rules.verdicts import Change
from storage import alarm_store
from storage.case_book import take_up
from storage.case_list import CaseMoves
from storage.outbox import deferring_app
from storage.registry_store import load_city
from tests.integration.making import device_of, plans, rows, transition

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
        self.plans: dict[str, CasePlan] = plans(kinds, self.city)
        self._registry = registry

    def number(self, device_id: str) -> int:
        return device_of(self._registry, device_id).id

    def alarm(self, *news: tuple[str, str], change: Change = Change.RAISED, **details: Any) -> None:
        """Record that these rules raised these devices, given as (rule, device id)."""
        transitions = [transition(self.number(device), change, rule=rule, **details) for rule, device in news]
        with self.connection.transaction():
            alarm_store.record(self.connection, transitions, details.get("at", FRIDAY))

    def take_up(self, now: datetime = FRIDAY) -> int:
        return take_up(self.connection, self.jobs, self.city, self.plans, now).news

    def moves(self, at: datetime) -> CaseMoves:
        return CaseMoves(self.connection, self.jobs, self.city, at=at, actor="crew 7")

    def numbers(self) -> list[str]:
        """The numbers of all cases, in the order in which they were opened."""
        return [number for (number,) in rows(self.connection, "SELECT number FROM dispatch_case ORDER BY id")]

    def only_number(self) -> str:
        (number,) = self.numbers()
        return number
