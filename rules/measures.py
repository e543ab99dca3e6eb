"""Measures: figures about a group of devices that somebody asks for once a day, and their targets.

``rules/measures/<name>.toml`` says what they are; the database answers with one query of the same name.
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from devices.errors import DescriptionError
from devices.groups import GROUP
from devices.kind import Kind, Limit, Metric, MetricType
from devices.shapes import convert

MEASURES_FOLDER = Path(__file__).parent / "measures"


class _Figure(msgspec.Struct, forbid_unknown_fields=True):
    unit: str
    doc: str


class _MeasureFile(msgspec.Struct, forbid_unknown_fields=True):
    doc: str
    source: str
    figures: dict[str, _Figure]
    kind: str = ""
    needs: tuple[str, ...] = ()
    limits: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of devices of one kind; an empty ``kind`` is any.

    ``needs`` are numbers of each device that its query is given beside the device: attributes, and limits as
    ``limit.<name>``. ``figures`` describes what it answers, the figures as metrics and the targets as limits.
    """

    name: str
    kind: str
    doc: str
    source: str
    needs: tuple[str, ...]
    figures: Kind


def load_measures() -> dict[str, Measure]:
    """Every measure, by name.

    Raises:
        DescriptionError: naming the file and the key that is wrong.
    """
    return {path.stem: _read(path) for path in sorted(MEASURES_FOLDER.glob("*.toml"))}


def _read(path: Path) -> Measure:
    try:
        raw = convert(tomllib.loads(path.read_text(encoding="utf-8")), _MeasureFile)
        limits = {name: convert({"name": name, **fields}, Limit) for name, fields in raw.limits.items()}
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DescriptionError(str(path), [str(error)]) from error
    metrics = tuple(
        Metric(name=name, type=MetricType.DOUBLE, unit=figure.unit, doc=figure.doc)
        for name, figure in raw.figures.items()
    )
    figures = replace(GROUP, names={}, doc=raw.doc, metrics=metrics, limits=limits)
    return Measure(path.stem, raw.kind, raw.doc, raw.source, raw.needs, figures)
