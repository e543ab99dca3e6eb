"""The kinds' default limits as a table, so that views can hold what was measured against them."""

from collections.abc import Iterable, Iterator, Mapping
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
        values: Mapping[str, float | None] = limit.values or {"": limit.value}
        for word, value in values.items():
            yield {
                "kind": kind.name, "name": limit.name, "attribute": limit.by, "fallback": fallback, "word": word,
                # A limit without a successor holds for readings of before its standard as well.
                "valid_from": _ALWAYS, "value": value, "standard_ref": limit.standard_ref,
            }  # fmt: skip
