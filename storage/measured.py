"""What devices have measured, without our marks: a view for each kind, and what a page about one device asks."""

from collections.abc import Iterable, Iterator

from psycopg import Connection, sql

from devices.kind import Kind
from devices.quality import Quality
from storage.reading_tables import table_name
from storage.rollups import View

_DOC = (
    "{}: every number sent; what a gateway repeated is left out. Ask for one device and a stretch of time: the table's "
    "key answers that at once."
)
_MEASURED = """
    CREATE OR REPLACE FUNCTION measured(of integer, since timestamptz, until timestamptz, step interval)
    RETURNS TABLE ("time" timestamptz, metric text, unit text, value double precision)
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS {}
"""
_BODY = """
BEGIN
    CASE (SELECT facility.kind FROM facility WHERE facility.device = of)
    {}
    ELSE NULL;
    END CASE;
END
"""
_BRANCH = """
    WHEN {} THEN RETURN QUERY
        SELECT mean.at, m.metric, m.unit, m.value
        FROM (
            SELECT date_bin(step, r.ts, TIMESTAMPTZ 'epoch') AS at, {} FROM {} AS r
            WHERE r.device = of AND r.ts BETWEEN since AND until
            GROUP BY 1
        ) AS mean
        CROSS JOIN LATERAL (VALUES {}) AS m (metric, unit, value)
        WHERE m.value IS NOT NULL;
"""
_MEASURED_DOC = (
    "Means of every number that one device has sent, whatever its kind, in steps from the epoch on. Columns are "
    "averaged before they become rows: a month of minutes in a tenth of the time."
)


def measured(kinds: Iterable[Kind]) -> list[View]:
    """A view for each kind that measures numbers."""
    return [
        View(_view(kind), _of_kind(kind), _DOC.format(kind.names.get("en", kind.name)), tuple(_columns(kind)))
        for kind in kinds
        if any(_columns(kind))
    ]


def make_measured(connection: Connection, kinds: Iterable[Kind]) -> None:
    """Make the function that answers for one device of any kind, within a transaction, after the views."""
    body = sql.SQL(_BODY).format(sql.SQL("").join(_branch(kind) for kind in kinds if any(_columns(kind))))
    connection.execute(sql.SQL(_MEASURED).format(sql.Literal(body.as_string())))
    connection.execute(sql.SQL("COMMENT ON FUNCTION measured IS {}").format(sql.Literal(_MEASURED_DOC)))


def _of_kind(kind: Kind) -> str:
    columns = sql.SQL(", ").join(sql.Identifier(name) for name, _ in _columns(kind))
    return (
        sql.SQL("SELECT device, ts, {} FROM {} WHERE quality & {} = 0")
        .format(columns, sql.Identifier(table_name(kind)), sql.Literal(int(Quality.REPEATED)))
        .as_string()
    )


def _branch(kind: Kind) -> sql.Composed:
    means, values = [], []
    for metric in kind.metrics:
        if metric.is_number:
            name = sql.Identifier(metric.name)
            means.append(sql.SQL("avg(r.{0}::double precision) AS {0}").format(name))
            values.append(sql.SQL("({}, {}, mean.{})").format(sql.Literal(metric.name), sql.Literal(metric.unit), name))
    between = sql.SQL(", ")
    return sql.SQL(_BRANCH).format(
        sql.Literal(kind.name), between.join(means), sql.Identifier(_view(kind)), between.join(values)
    )


def _columns(kind: Kind) -> Iterator[tuple[str, str]]:
    """Names and descriptions of the numbers that a kind measures."""
    return ((metric.name, f"{metric.doc} Unit: {metric.unit}") for metric in kind.metrics if metric.is_number)


def _view(kind: Kind) -> str:
    return f"measurement_{kind.name}"
