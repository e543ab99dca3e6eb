"""A board's queries: files of SQL, and the target that Grafana's PostgreSQL source reads.

The foundation SDK has targets for many sources but none for PostgreSQL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import AnnotationTarget, DataSourceRef

from grafana.pushing import SOURCE_UID

SQL_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
SOURCE_TYPE = "grafana-postgresql-datasource"


def source() -> DataSourceRef:
    """The data source of every panel, by the uid that provisioning gives it."""
    return DataSourceRef(type_val=SOURCE_TYPE, uid=SOURCE_UID)


@cache
def queries(area: str) -> Mapping[str, str]:
    """The queries of ``sql/<area>.sql`` by name: each stands under ``-- name: …``."""
    parts = _NAME.split((SQL_FOLDER / f"{area}.sql").read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@dataclass(frozen=True, slots=True)
class Target(variants.Dataquery):
    """A query as Grafana's PostgreSQL source stores it; ``series`` wants lines over time, else a table."""

    text: str
    series: bool

    def to_json(self) -> dict[str, object]:
        """As it stands in a dashboard."""
        return {
            "refId": "A",
            "datasource": source(),
            "editorMode": "code",
            "format": "time_series" if self.series else "table",
            "rawQuery": True,
            "rawSql": self.text,
        }


@dataclass(frozen=True, slots=True)
class Query(builder.Builder[variants.Dataquery]):
    """What panels of the SDK take."""

    text: str
    series: bool = False

    def build(self) -> Target:
        """The target."""
        return Target(self.text, self.series)


class _Events(AnnotationTarget):
    """What the SDK has for annotations speaks of Grafana's own store; ours come from the database."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def to_json(self) -> dict[str, object]:
        """As it stands in a dashboard."""
        return {**Target(self._text, series=False).to_json(), "refId": "Events"}


@dataclass(frozen=True, slots=True)
class EventQuery(builder.Builder[AnnotationTarget]):
    """A query of ``time``, ``timeend``, ``text`` and ``tags``."""

    text: str

    def build(self) -> AnnotationTarget:
        """The target."""
        return _Events(self.text)
