"""Named queries: each stands in a .sql file beside this module, under ``-- name: …``, with a word on what it does.

What several queries of a file share stands once, under ``-- part: …``; a line ``-- with …`` in a query is its place.
``load`` reads a file once; parameters are psycopg's ``%(name)s``. A test prepares every query on a real server.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_HEAD = re.compile(rb"^-- (name|part): (\w+)\n", re.MULTILINE)
_WITH = re.compile(rb"^-- with (\w+)$", re.MULTILINE)


@cache
def load(area: str) -> Mapping[str, bytes]:
    """The queries of ``<area>.sql`` by name."""
    _, *pieces = _HEAD.split((FOLDER / f"{area}.sql").read_bytes())
    found = [*zip(pieces[::3], pieces[1::3], (piece.rstrip() for piece in pieces[2::3]), strict=True)]
    parts = {name: text for what, name, text in found if what == b"part"}
    return {
        name.decode(): _WITH.sub(lambda place: parts[place[1]], text).strip()
        for what, name, text in found
        if what == b"name"
    }
