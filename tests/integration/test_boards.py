"""Every panel of every board answers: its query as Grafana sends it, by the role that may read views only."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import Connection, sql

from cases.words import Language
from devices.kind import Kind, MetricType
from devices.moments import micros
from devices.quality import Quality
from devices.registry import Registry
from grafana.board import Board
from grafana.boards import BOARDS
from grafana.building import ANNOTATIONS, CONSOLE
from grafana.expansion import Shown, expand
from grafana.queries import queries
from storage import reading_writer
from storage.connection import connect
from storage.registry_store import load_registry
from storage.roles import GRAFANA
from tests.fix_postgres import OnServer, new_database, new_template
from tests.integration.making import readings

pytestmark = pytest.mark.each_server

NOW = datetime.now(UTC).replace(second=0, microsecond=0)  # noqa: TID251 - what the database calls now
DAYS = 2
# Fine weather, and every lamp burns at half its power: what the roll-ups want to see beside plain numbers.
_KNOWN = {"rain": 0.0, "wind_speed": 2.0, "active_power": 60.0, "dim_level": 50.0, "battery_pct": 80.0}


def measured(kind: Kind, device: int) -> list[dict[str, Any]]:
    """Two days of a device, at the rhythm of its kind but at least every hour."""
    step = min(kind.interval, timedelta(hours=1))
    numbers = {metric.name: _value(metric.name, metric.range) for metric in kind.metrics if metric.is_number}
    numbers |= {metric.name: 1.0 for metric in kind.metrics if metric.type is MetricType.BOOL}
    count = round(timedelta(days=DAYS) / step)
    start = micros(NOW) - round(timedelta(days=DAYS) / timedelta(microseconds=1))
    times = start + np.arange(count) * round(step / timedelta(microseconds=1))
    return [{"device": device, "ts": int(ts), "received_at": int(ts), **numbers} for ts in times]


def _value(name: str, bounds: tuple[float, float] | None) -> float:
    low, high = bounds or (0.0, 1.0)
    return _KNOWN.get(name, low + 0.4 * (high - low))


def seed(connection: Connection, registry: Registry) -> None:
    for device in registry.devices.values():
        kind = registry.kinds[device.kind]
        reading_writer.write(connection, readings(kind, *measured(kind, device.id)))
    connection.execute(
        "INSERT INTO device_status (device, last_ts, last_received_at, readings, lag)"
        " SELECT id, now(), now(), 10, interval '2 s' FROM device"
    )
    for rule_id, of_kind in RULES.items():
        connection.execute(
            "WITH raised AS (INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged,"
            " raised_at)"
            " SELECT %(rule)s, 'v1', id, 3, true, false, now() - interval '5 hours' FROM device WHERE kind = %(kind)s"
            " RETURNING id, raised_at) INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail)"
            " SELECT id, 'raised', 3, raised_at, raised_at, 'rule engine', '{}' FROM raised",
            {"rule": rule_id, "kind": of_kind},
        )
    connection.execute(
        """
        WITH filed AS (
            INSERT INTO dispatch_case (number, device, district, problem, severity, state, open, unit, reason,
                                       opened_at, started_at, fix_by, fix_allowed, white_at, red_at, colour, rule_id)
            SELECT lpad(id::text, 19, '4'), id, district, 'cover_open', 3, 'dispatched', true,
                   (SELECT min(unit_id) FROM unit), 'owner', now() - interval '4 hours', now() - interval '4 hours',
                   now() + interval '1 hour', '5h urgent', now(), now() + interval '6 hours', 1, 'MH-01'
            FROM device RETURNING id, unit
        ), sheets AS (
            INSERT INTO sheet (number, case_id, colour, because, unit, recipients, points, issued_at, reply_by)
            SELECT 'W-' || id, id, 1, 'fix', unit, '{}', 0, now(), now() + interval '1 day' FROM filed
        ), happened AS (
            INSERT INTO case_event (case_id, event, state, at, actor, reason, unit, fix_by)
            SELECT id, 'dispatch', 'dispatched', now() - interval '4 hours', 'system', '', unit, now() FROM filed
            RETURNING id, case_id
        )
        INSERT INTO notification (case_event_id, case_id, channel, target, body, created_at)
        SELECT id, case_id, 'mqtt', 'unit', '{}', now() - interval '1 hour' FROM happened
        """
    )
    connection.execute(
        "INSERT INTO ledger SELECT date_trunc('minute', now()) - n * interval '1 minute', 'all', 10, 7, 2, 1"
        " FROM generate_series(1, 60) AS n"
    )
    connection.execute(
        "INSERT INTO quarantine (received_at, partition, code, detail, topic, payload)"
        " VALUES (now() - interval '1 hour', 'all', 'unregistered', '', 'city/east/manhole/x/up', '{}')"
    )


@pytest.fixture(scope="module")
def two_days(server: str, city_on: OnServer, kinds: dict[str, Kind]) -> Iterator[str]:
    """The small city after two days: readings of every kind, alarms, cases, sheets, messages refused."""

    def fill(dsn: str) -> None:
        with connect(dsn) as connection:
            seed(connection, load_registry(connection, kinds))

    with new_template(server, fill, template=city_on(server)) as name:
        yield name


@pytest.fixture
def seeded(server: str, two_days: str) -> Iterator[Connection]:
    with new_database(server, "boards", template=two_days) as dsn, connect(dsn) as connection:
        yield connection


RULES = {
    "MH-01": "manhole", "MH-05": "manhole", "FU-03": "fume", "NO-02": "noise", "SL-01": "streetlight",
    "BR-01": "bridge",
}  # fmt: skip


@pytest.fixture
def seen(seeded: Connection) -> Iterator[Connection]:
    """As Grafana's role sees it."""
    seeded.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(GRAFANA)))
    yield seeded
    seeded.execute("RESET ROLE")


def answer(connection: Connection, query: str, chosen: Mapping[str, Sequence[str]]) -> list[tuple[Any, ...]]:
    shown = Shown(NOW - timedelta(days=DAYS + 1), NOW + timedelta(hours=1), timedelta(minutes=10), chosen)
    return connection.execute(expand(query, shown).replace("%", "%%").encode(), {}).fetchall()


def choices(connection: Connection, board: Board, language: Language) -> dict[str, Sequence[str]]:
    """Every value of every variable, of one where only one may be chosen; as a reader of the board would have them."""
    chosen: dict[str, Sequence[str]] = {"language": [language.value]}
    for variable in (*board.variables, CONSOLE):
        values = [str(row[0]) for row in answer(connection, queries("variables")[variable.name], chosen)]
        assert values, variable.name
        chosen[variable.name] = values[:1] if variable.one else values
    return chosen


def has_figures(rows: list[tuple[Any, ...]]) -> bool:
    """Whether a panel would show something: a row, and in it more than nothing and names."""
    return any(any(value is not None for value in row[-3:]) for row in rows)


def test_every_panel_shows_something_in_both_languages(seen: Connection) -> None:
    silent = []
    for board in BOARDS:
        for language in Language:
            chosen = choices(seen, board, language)
            for panel in board.panels:
                rows = answer(seen, queries(board.uid)[panel.name], chosen)
                if not has_figures(rows):
                    silent.append(f"{board.uid}: {panel.name} ({language})")
    assert not silent


def test_one_devices_curves_are_the_means_of_what_it_sent_whatever_its_kind(
    connection: Connection, registry: Registry
) -> None:
    noise = next(device for device in registry.devices.values() if device.kind == "noise")
    start = micros(NOW) - micros(NOW) % 600_000_000
    sent = [(0, 50.0, 0), (9, 61.0, Quality.FROZEN), (9.5, 99.0, Quality.REPEATED), (10, 70.0, 0)]
    batch = [
        {"device": noise.id, "ts": start + round(minute * 60_000_000), "laeq": level, "quality": quality}
        for minute, level, quality in sent
    ]
    reading_writer.write(connection, readings(registry.kinds["noise"], *batch))
    query = queries("device")["measurements"].replace("$__timeFrom()", "%s").replace("$__timeTo()", "%s")
    query = query.replace("$device", str(noise.id)).replace("$__interval", "10m")
    around = [datetime.fromtimestamp(start / 1e6, UTC) + timedelta(minutes=minute) for minute in (0, 10)]
    assert connection.execute(query.encode(), around).fetchall() == [
        (around[0], "laeq dB(A)", 55.5),
        (around[1], "laeq dB(A)", 70.0),
    ]


def test_an_alarm_stands_once_in_the_list_of_covers_with_its_own_case(seeded: Connection) -> None:
    """Its cover has another open case, which is about something else."""
    seeded.execute(
        "WITH of_cover AS (SELECT alarm.id, alarm.device FROM alarm WHERE rule_id = 'MH-05' ORDER BY id LIMIT 1),"
        " weak AS (INSERT INTO dispatch_case (number, device, district, problem, severity, state, open, unit, reason,"
        " opened_at, started_at, fix_by, fix_allowed, white_at, red_at, colour, rule_id)"
        " SELECT repeat('8', 19), dispatch_case.device, district, 'battery_low', severity, state, true, unit, reason,"
        " opened_at, started_at, fix_by, fix_allowed, white_at, red_at, colour, 'MH-08'"
        " FROM dispatch_case JOIN of_cover USING (device) RETURNING id)"
        " INSERT INTO case_alarm (case_id, alarm_id) SELECT weak.id, of_cover.id FROM weak, of_cover"
    )
    board = next(board for board in BOARDS if board.uid == "manhole")
    shown = answer(seeded, queries("manhole")["open_covers"], choices(seeded, board, Language.EN))
    alarms = seeded.execute("SELECT count(*) FROM alarm WHERE rule_id LIKE 'MH-%'").fetchone()
    assert (len(shown),) == alarms
    assert [row[7] for row in shown if row[7] is not None] == ["8" * 19]


def test_marks_on_lines_have_a_beginning_and_an_end(seen: Connection) -> None:
    chosen = {"language": ["en"]}
    for name in ANNOTATIONS:
        rows = answer(seen, queries("annotations")[name], chosen)
        assert rows, name
        assert all(str(since) <= str(until) for since, until, *_ in rows), name


def test_columns_that_a_panel_describes_are_columns_of_its_query(seen: Connection) -> None:
    wrong = []
    for board in BOARDS:
        chosen = choices(seen, board, Language.EN)
        for panel in board.panels:
            shown = Shown(NOW - timedelta(days=1), NOW, timedelta(minutes=10), chosen)
            query = expand(queries(board.uid)[panel.name], shown)
            described = seen.execute(query.replace("%", "%%").encode(), {}).description or []
            columns = {column.name for column in described}
            wrong += [f"{board.uid}: {panel.name}: {name}" for name in panel.columns.keys() - columns]
    assert not wrong


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM device_credential",
        "SELECT payload FROM quarantine",
        "SELECT * FROM alarm",
        "INSERT INTO ledger VALUES (now(), 'all', 1, 1, 0, 0)",
        "UPDATE unit_list SET name_en = ''",
    ],
)
def test_the_role_of_the_boards_reads_views_and_nothing_else(seen: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen.execute(statement.encode())
