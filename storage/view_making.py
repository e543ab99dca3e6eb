"""Views made anew when what they say has changed, and left alone otherwise."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from psycopg import Connection, sql

from storage.rollups import View

# Days by place, and hours, to which many devices add up, and the days of noise meters with the nights after them: the
# older ones are kept in tables where TimescaleDB keeps roll-ups.
SETTLING = frozenset(
    {
        "rollup_district",
        "rollup_road",
        "kpi_energy_road",
        "rollup_manhole_road",
        "rollup_noise_district",
        "noise_level",
    }
)


def drop_views(connection: Connection) -> None:
    """Drop every view that an earlier migration made, within a transaction.

    A view that somebody else has built on one of them is in the way: PostgreSQL's error names it.
    """
    if connection.execute("SELECT to_regclass('view_state')").fetchone() == (None,):
        return
    row = connection.execute("DELETE FROM view_state RETURNING names").fetchone()
    for name in reversed(row[0] if row else []):
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(name)))


def make_views(connection: Connection, views: Sequence[View], *, settled: bool) -> int:
    """Make all views anew, within a transaction, unless they are as they should be; how many were made.

    Args:
        connection: In a transaction.
        views: In the order in which they can be made.
        settled: Whether those that settle keep their older days in a table, all of which are to be stored again.
    """
    fingerprint = hashlib.sha256(repr((views, settled)).encode()).hexdigest()
    if connection.execute("SELECT fingerprint FROM view_state").fetchone() == (fingerprint,):
        return 0
    drop_views(connection)
    connection.execute("LOCK TABLE settled_view IN SHARE UPDATE EXCLUSIVE MODE")  # the job ends what it is storing
    connection.execute("DELETE FROM settled_view")
    names: list[str] = []
    for view in views:
        if settled and view.name in SETTLING:
            names.append(_made(view))
            _make(connection, replace(view, name=_made(view), doc=f"{view.name}, computed from roll-ups."))
            _make(connection, replace(view, query=_settle(connection, view)))
        else:
            _make(connection, view)
        names.append(view.name)
    connection.execute("INSERT INTO view_state (fingerprint, names) VALUES (%s, %s)", [fingerprint, names])
    return len(names)


def _make(connection: Connection, view: View) -> None:
    name = sql.Identifier(view.name)
    connection.execute(sql.SQL("CREATE VIEW {} AS {}").format(name, sql.SQL(view.query)))
    connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(view.doc)))
    for column, doc in view.columns:
        connection.execute(
            sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(name, sql.Identifier(column), sql.Literal(doc))
        )


def _settle(connection: Connection, view: View) -> str:
    """An empty table for a view's older days; the query that reads it, and computes the others."""
    table, made = sql.Identifier(f"{view.name}_settled"), sql.Identifier(_made(view))
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    connection.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM {} WITH NO DATA").format(table, made))
    connection.execute(sql.SQL("CREATE INDEX ON {} (bucket)").format(table))
    connection.execute(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(f"Days of {view.name} that have been settled."))
    )
    connection.execute("INSERT INTO settled_view (name) VALUES (%s)", [view.name])
    until = sql.SQL("(SELECT until FROM settled_view WHERE name = {})").format(sql.Literal(view.name))
    return (
        sql.SQL("SELECT * FROM {} WHERE bucket < {}\nUNION ALL\nSELECT * FROM {} WHERE bucket >= {}")
        .format(table, until, made, until)
        .as_string()
    )


def _made(view: View) -> str:
    return f"{view.name}_made"
