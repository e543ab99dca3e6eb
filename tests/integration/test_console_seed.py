"""What the console's benchmark looks at is a city as the dispatcher would have left it."""

import pytest
from psycopg import Connection

from cases.case import Case
from devices.registry import Registry
from storage import console_bench
from storage.alarm_list import list_alarms
from storage.case_list import case_file, open_cases
from tests.fix_city import IMPORTED

pytestmark = pytest.mark.each_server


def test_every_seeded_case_is_open_with_its_alarm_history_and_message(
    connection: Connection, registry: Registry
) -> None:
    assert len(registry.devices) == 8
    console_bench.fill(connection, 30, IMPORTED)
    known = console_bench.known(connection)
    assert (known.cases, len(open_cases(connection)), len(list_alarms(connection))) == (30, 30, 30)
    file = case_file(connection, known.number)
    assert file
    assert isinstance(file.life.case, Case)
    assert (len(file.history), len(file.alarms), len(file.notifications)) == (2, 1, 1)
    assert console_bench.one(connection) == 1
