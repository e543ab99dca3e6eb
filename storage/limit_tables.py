"""The kinds' default limits as a table, so that views can hold what was measured against them."""

from collections.abc import Iterable, Iterator
from typing import Any

from psycopg import Connection

from devices.kind import Kind
from storage.queries import load

_SQL = load("registry")
_ALWAYS = "-infinity"


def write_limits(connection: Connection, kinds: Iterable[Kind]) -> None:
    """Write the limits of all kinds, within a transaction."""
    connection.execute(_SQL["forget_limits"])
    with connection.cursor() as cursor:
        cursor.executemany(_SQL["write_limit"], [row for kind in kinds for row in _rows(kind)])


def _rows(kind: Kind) -> Iterator[dict[str, Any]]:
    for limit in kind.limits.values():
        attribute = kind.attributes.get(limit.by)
        fallback = "" if attribute is None or attribute.default is None else str(attribute.default)
        words = {word for values in (limit.values, *(change.values for change in limit.changes)) for word in values}
        for word in sorted(words) or [""]:
            for step in limit.steps({limit.by: word}):
                yield {
                    "kind": kind.name, "name": limit.name, "attribute": limit.by, "fallback": fallback, "word": word,
                    "valid_from": step.valid_from or _ALWAYS, "value": step.value, "standard_ref": step.standard_ref,
                }  # fmt: skip
