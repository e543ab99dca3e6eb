"""Named queries: each stands in a .sql file beside this module, under ``-- name: …``, with a word on what it does.

``load`` reads a file once; parameters are psycopg's ``%(name)s``. A test prepares every query on a real server.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_NAME = re.compile(rb"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load(area: str) -> Mapping[str, bytes]:
    """The queries of ``<area>.sql`` by name."""
    parts = _NAME.split((FOLDER / f"{area}.sql").read_bytes())
    return {name.decode(): text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
