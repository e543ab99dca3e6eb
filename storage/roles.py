"""Who may do what in the database: roles that logins are made members of.

``cityward_app`` is for collector, dispatcher and command line: it reads and writes and changes no table.
``cityward_grafana`` is for dashboards: it reads views, and nothing else.
"""

from collections.abc import Iterable, Iterator

from psycopg import Connection, errors, sql

APP = "cityward_app"
GRAFANA = "cityward_grafana"


def ensure_roles(connection: Connection, views: Iterable[str]) -> Iterator[str]:
    """Make the roles where that is permitted, and grant them what they are for, within a transaction.

    Yields:
        What was done, or what somebody with more rights must do.
    """
    for role in (APP, GRAFANA):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            yield _create(connection, role)
    found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [[APP, GRAFANA]])
    there = {str(name) for (name,) in found}
    row = connection.execute("SELECT current_schema()").fetchone() or ("public",)
    schema = sql.Identifier(str(row[0]))
    if APP in there:
        for grant in (
            "GRANT USAGE ON SCHEMA {} TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {} TO {}",
        ):
            connection.execute(sql.SQL(grant).format(schema, sql.Identifier(APP)))
    if GRAFANA in there:
        grafana = sql.Identifier(GRAFANA)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, grafana))
        names = sql.SQL(", ").join(map(sql.Identifier, views))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(names, grafana))


def _create(connection: Connection, role: str) -> str:
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    except (errors.DuplicateObject, errors.UniqueViolation):
        return f"role {role} is there"  # another database of this server was migrated at the same moment
    except errors.InsufficientPrivilege:
        return (
            f"role {role} is missing and this user may not make it:"
            f" run CREATE ROLE {role} as one who may, then cityward migrate again"
        )
    return f"made the role {role}"
