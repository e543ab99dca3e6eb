"""What several integration tests need."""

import pytest
from psycopg import Connection

from devices.kind import Kind
from devices.registry import Registry
from tests.integration.desk import Desk


@pytest.fixture
def desk(connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Desk:
    return Desk(connection, registry, kinds)
