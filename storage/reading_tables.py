"""One wide table per kind, made from the kind's description: a new metric is an added column."""

from collections.abc import Collection, Mapping

from psycopg import Connection, sql

from devices.errors import DescriptionError
from devices.kind import Kind, Metric, MetricType
from storage.capability import Capability
from storage.hypertables import Keep, ensure_hypertable

BASE_COLUMNS = {
    "ts": "timestamp with time zone",
    "device": "integer",
    "received_at": "timestamp with time zone",
    "quality": "smallint",
    "seq": "integer",
    "type": "smallint",
}
COLUMN_TYPES: Mapping[MetricType, str] = {
    MetricType.REAL: "real",
    MetricType.DOUBLE: "double precision",
    MetricType.SMALLINT: "smallint",
    MetricType.INTEGER: "integer",
    MetricType.BOOL: "boolean",
    MetricType.ENUM: "smallint",
    MetricType.TEXT: "text",
}


def table_name(kind: Kind) -> str:
    """The table that holds the readings of a kind."""
    return f"reading_{kind.name}"


def ensure(
    connection: Connection, kinds: Collection[Kind], capability: Capability, keep: Keep | None = None
) -> list[str]:
    """Create or extend the table of every kind, and the view over all of them; what was done, in words.

    Raises:
        DescriptionError: if a kind.toml changed the type of a column that holds data.
    """
    done: list[str] = []
    for kind in kinds:
        present = _columns(connection, kind)
        kept = (keep or Keep()).of(kind.name)
        if not present:
            _create(connection, kind)
            ensure_hypertable(connection, table_name(kind), kept, capability, kind.interval)
            done.append(f"created {table_name(kind)}")
            continue
        done += ensure_hypertable(connection, table_name(kind), kept, capability, kind.interval)
        _refuse_changed_types(kind, present)
        for metric in kind.metrics:
            if metric.name not in present:
                _add_column(connection, kind, metric)
                done.append(f"added {table_name(kind)}.{metric.name}")
        _describe(connection, kind)
    _join(connection, kinds)
    return done


def _columns(connection: Connection, kind: Kind) -> dict[str, str]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s",
        [table_name(kind)],
    )
    return {str(name): str(data_type) for name, data_type in rows}


def _create(connection: Connection, kind: Kind) -> None:
    table = sql.Identifier(table_name(kind))
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_type(name, data_type)))
        for name, data_type in BASE_COLUMNS.items()
    ]
    columns += [
        sql.SQL("{} {}").format(sql.Identifier(metric.name), sql.SQL(COLUMN_TYPES[metric.type]))
        for metric in kind.metrics
    ]
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY (device, ts))").format(table, sql.SQL(", ").join(columns))
    )
    _describe(connection, kind)


def _type(name: str, data_type: str) -> str:
    return data_type if name == "seq" else f"{data_type} NOT NULL"


def _refuse_changed_types(kind: Kind, present: Mapping[str, str]) -> None:
    problems = [
        f"metric {metric.name} is {metric.type}, but {table_name(kind)}.{metric.name} is {present[metric.name]}; "
        "give the changed metric a new name, or migrate the column by hand"
        for metric in kind.metrics
        if present.get(metric.name, COLUMN_TYPES[metric.type]) != COLUMN_TYPES[metric.type]
    ]
    if problems:
        raise DescriptionError(f"{kind.name}/kind.toml", problems)


def _add_column(connection: Connection, kind: Kind, metric: Metric) -> None:
    connection.execute(
        sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
            sql.Identifier(table_name(kind)),
            sql.Identifier(metric.name),
            sql.SQL(COLUMN_TYPES[metric.type]),
        )
    )


def _join(connection: Connection, kinds: Collection[Kind]) -> None:
    """The view ``reading``: what every reading has, whatever its kind."""
    if not kinds:
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, BASE_COLUMNS))
    parts = [
        sql.SQL("SELECT {}::text AS kind, {} FROM {}").format(
            sql.Literal(kind.name), columns, sql.Identifier(table_name(kind))
        )
        for kind in kinds
    ]
    connection.execute(sql.SQL("CREATE OR REPLACE VIEW reading AS {}").format(sql.SQL(" UNION ALL ").join(parts)))


def _describe(connection: Connection, kind: Kind) -> None:
    """Units and meanings stand where a database user looks for them."""
    for metric in kind.metrics:
        words = f" ({', '.join(f'{code} {word}' for code, word in enumerate(metric.values))})" if metric.values else ""
        connection.execute(
            sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(
                sql.Identifier(table_name(kind)),
                sql.Identifier(metric.name),
                sql.Literal(f"{metric.unit}: {metric.doc}{words}"),
            )
        )
