"""Indexes beside continuous aggregates.

What is counted of a day stands narrow beside it: a district's month is read from there, a tenth of the whole rows.
"""

from collections.abc import Iterator
from typing import TypeAlias

from psycopg import Connection, sql

from storage.rollup_levels import EVERY_READING, Level, Plan

_INDEXED = 31  # columns beside the first: PostgreSQL takes 32 in all
# The columns of an index's key, and those beside them.
_Index: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


def index(connection: Connection, made: Plan, level: Level) -> Iterator[str]:
    """Give a level the indexes that this version wants, and say what was done."""
    wanted: set[_Index] = set()
    if level is Level.DAY:
        counted = [name for name, measure in made.kind.rollup.measures.items() if measure.minutes or measure.count]
        columns = ("device", *(column.name for column in EVERY_READING), *counted)
        wanted.add((("bucket",), columns[:_INDEXED]))
    name = made.live(level)
    there = _narrow_indexes(connection, name)
    for stale in there.keys() - wanted:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(*there[stale])))
    for missing in sorted(wanted - there.keys()):
        keys, beside = (sql.SQL(", ").join(map(sql.Identifier, names)) for names in missing)
        connection.execute(sql.SQL("CREATE INDEX ON {} ({}) INCLUDE ({})").format(sql.Identifier(name), keys, beside))
    if there.keys() != wanted:
        yield f"{name} has other indexes"


def _narrow_indexes(connection: Connection, live: str) -> dict[_Index, tuple[str, str]]:
    """Those of a continuous aggregate that carry columns beside their keys: their schema and name."""
    rows = connection.execute(
        """
        SELECT schema.nspname::text, relation.relname::text, index.indnkeyatts, array(
                   SELECT attname::text FROM unnest(index.indkey) WITH ORDINALITY AS part (number, place)
                   JOIN pg_attribute ON attrelid = index.indrelid AND attnum = part.number ORDER BY place)
        FROM timescaledb_information.continuous_aggregates AS made
        JOIN pg_index AS index ON index.indrelid = format(
            '%%I.%%I', made.materialization_hypertable_schema, made.materialization_hypertable_name)::regclass
        JOIN pg_class AS relation ON relation.oid = index.indexrelid
        JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
        WHERE made.view_schema = current_schema() AND made.view_name = %s AND index.indnatts > index.indnkeyatts
        """,
        [live],
    ).fetchall()
    return {(tuple(names[:keys]), tuple(names[keys:])): (schema, name) for schema, name, keys, names in rows}
