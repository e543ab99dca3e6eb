"""Views made anew when what they say has changed, and left alone otherwise."""

import hashlib
from collections.abc import Sequence

from psycopg import Connection, sql

from storage.rollups import View


def drop_views(connection: Connection) -> None:
    """Drop every view that an earlier migration made, within a transaction.

    A view that somebody else has built on one of them is in the way: PostgreSQL's error names it.
    """
    if connection.execute("SELECT to_regclass('view_state')").fetchone() == (None,):
        return
    row = connection.execute("DELETE FROM view_state RETURNING names").fetchone()
    for name in reversed(row[0] if row else []):
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(name)))


def make_views(connection: Connection, views: Sequence[View]) -> bool:
    """Make all views anew, within a transaction, unless they are as they should be; whether anything was done."""
    fingerprint = hashlib.sha256(repr(views).encode()).hexdigest()
    if connection.execute("SELECT fingerprint FROM view_state").fetchone() == (fingerprint,):
        return False
    drop_views(connection)
    for view in views:
        name = sql.Identifier(view.name)
        connection.execute(sql.SQL("CREATE VIEW {} AS {}").format(name, sql.SQL(view.query)))
        connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(view.doc)))
        for column, doc in view.columns:
            connection.execute(
                sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(name, sql.Identifier(column), sql.Literal(doc))
            )
    connection.execute(
        "INSERT INTO view_state (fingerprint, names) VALUES (%s, %s)", [fingerprint, [view.name for view in views]]
    )
    return True
