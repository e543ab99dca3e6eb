"""What every test with a browser needs."""

from datetime import datetime

import pytest
from psycopg import Connection

from cityward.clock import Clock
from devices.kind import Kind
from devices.registry import Registry
from tests.fix_console import Time
from tests.integration.desk import Desk


class Wall(Time):
    """The wall's clock: a browser keeps cookies, and says when something was pressed, by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.at = self.now()

    def now(self) -> datetime:
        return Clock().now()


@pytest.fixture
def time() -> Time:
    return Wall()


@pytest.fixture
def desk(connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Desk:
    return Desk(connection, registry, kinds)
