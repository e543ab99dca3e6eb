"""Every number that any device has measured, one a row: what a page about a single device of any kind asks."""

from collections.abc import Iterable, Iterator

from psycopg import sql

from devices.kind import Kind
from devices.quality import Quality
from storage.reading_tables import table_name
from storage.rollups import View

_DOC = (
    "Every number that a device has sent, one a row, with its unit; what a gateway repeated is left out. Ask for one "
    "device and a stretch of time: the tables' key answers that at once."
)


def measurement(kinds: Iterable[Kind]) -> View:
    """The view over all kinds."""
    parts = sql.SQL("\nUNION ALL\n").join(_of_kind(kind) for kind in kinds if any(_numbers(kind)))
    return View("measurement", parts.as_string(), _DOC)


def _of_kind(kind: Kind) -> sql.Composed:
    values = sql.SQL(", ").join(
        sql.SQL("({}, {}, r.{}::double precision)").format(sql.Literal(name), sql.Literal(unit), sql.Identifier(name))
        for name, unit in _numbers(kind)
    )
    return sql.SQL(
        "SELECT r.device, r.ts, m.metric, m.unit, m.value, r.quality FROM {} AS r"
        " CROSS JOIN LATERAL (VALUES {}) AS m (metric, unit, value)"
        " WHERE m.value IS NOT NULL AND r.quality & {} = 0"
    ).format(sql.Identifier(table_name(kind)), values, sql.Literal(int(Quality.REPEATED)))


def _numbers(kind: Kind) -> Iterator[tuple[str, str]]:
    return ((metric.name, metric.unit) for metric in kind.metrics if metric.is_number)
