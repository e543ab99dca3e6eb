"""A city full of trouble, written straight into the tables: what the console's benchmark looks at."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from storage.queries import load

_SQL = load("console_bench")
PROBLEMS = 4  # at each device


@dataclass(frozen=True, slots=True)
class Known:
    """Something to look at: a case, its unit, a device with a week of readings; how many cases are open."""

    number: str
    unit: str
    device_id: str
    cases: int


def fill(connection: Connection, cases: int, now: datetime) -> None:
    """So many open cases at the registered devices, with alarms, histories, messages and some readings."""
    parameters = {"cases": cases, "problems": PROBLEMS, "now": now}
    with connection.transaction():
        for name in (
            "bench_alarms",
            "bench_alarm_events",
            "bench_cases",
            "bench_case_alarms",
            "bench_case_events",
            "bench_notifications",
            "bench_status",
            "bench_readings",
        ):
            connection.execute(_SQL[name], parameters)
    connection.execute("ANALYZE")  # what autovacuum would have done by then


def known(connection: Connection) -> Known:
    """What there is to look at."""
    ((number, unit, device_id, cases),) = connection.execute(_SQL["bench_known"]).fetchall()
    return Known(number, unit, device_id, cases)


def one(connection: Connection) -> int:
    """The least that can be asked of a database."""
    ((number,),) = connection.execute(_SQL["bench_floor"]).fetchall()
    return int(number)
