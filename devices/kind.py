"""A kind of device as its folder describes it: metrics, limits, attributes, intervals.

``devices/kinds/<kind>/kind.toml`` is the single description that the decoder, the table, the rules and the
simulators read. Adding a kind touches its folder alone.
"""

import keyword
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from devices.errors import DescriptionError
from devices.rollup import Rollup
from devices.shapes import convert

_T = TypeVar("_T")

# Under which names a codec delivers a metric, the first that is there counting.
ForeignNames = Mapping[str, tuple[str, ...]]

KINDS_FOLDER = Path(__file__).parent / "kinds"
# A span in seconds; a year is longer than any device's silence.
_Span = Annotated[float, msgspec.Meta(gt=0, le=366 * 86400)]
# A metric is a column of a table and a word of rules.
_METRIC_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
# What every reading has, whatever its kind.
_TAKEN = {"ts", "device", "received_at", "quality", "seq", "type", "ordinal"}
# The day may end at 24:00, as opening hours do.
CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_CLOCK_SPAN = rf"(?:{CLOCK_TIME.pattern})\s*-\s*(?:{CLOCK_TIME.pattern})"
CLOCK_SPANS = re.compile(rf"{_CLOCK_SPAN}(\s*,\s*{_CLOCK_SPAN})*")


class MetricType(StrEnum):
    """How a metric is measured, hence how it is stored."""

    REAL = "real"  # 32-bit float: enough for a sensor's resolution
    DOUBLE = "double"  # 64-bit float: counters that grow for years
    SMALLINT = "smallint"
    INTEGER = "integer"
    BOOL = "bool"
    ENUM = "enum"  # stored as the position of the word in ``values``
    TEXT = "text"  # evidence such as a number plate; rules do not compute with it


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured quantity of a kind.

    ``range`` is what the instrument can plausibly deliver, both ends included, in ``unit``: a value outside is
    stored and flagged, and no rule believes it. ``values`` are the words of an enumeration, in the order of
    their codes. ``reporting`` says when the device sends it, ``source`` where the numbers come from. ``typical`` is
    what a healthy device measures: pretend devices of a kind without physics of its own stay within it. A ``live``
    number never stands still for long while its instrument works.
    """

    name: str
    type: MetricType
    unit: str
    doc: str
    range: tuple[float, float] | None = None
    typical: tuple[float, float] | None = None
    values: tuple[str, ...] = ()
    max_length: int = 0
    reporting: str = ""
    source: str = ""
    live: bool = False

    @property
    def is_number(self) -> bool:
        """Whether rules may compute with it."""
        return self.type not in {MetricType.ENUM, MetricType.TEXT, MetricType.BOOL}

    def said(self, stored: Any) -> Any:
        """A stored value as it was sent: the word of an enumeration for its position, anything else as it is."""
        return stored if stored is None or not self.values else self.values[stored]


class LimitChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a limit changes to on a local day: ``value``, or ``values`` for a limit that goes by an attribute."""

    valid_from: date
    value: float | None = None
    values: dict[str, float] = {}
    standard_ref: str = ""


class LimitStep(msgspec.Struct, frozen=True):
    """A limit as it is in force from a local day on; None: as long as anybody remembers. No value: no limit."""

    value: float | None
    valid_from: date | None
    standard_ref: str


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A default limit of a kind, overridable per device in the registry.

    Either one ``value``, or ``values`` chosen by the device's attribute named in ``by`` (noise by zone).
    ``standard_ref`` names the document the number stands in, ``valid_from`` the day it came into force, before which
    there was none; ``changes`` are what follows it.
    """

    name: str
    unit: str
    doc: str
    standard_ref: str
    value: float | None = None
    by: str = ""
    values: dict[str, float] = {}
    valid_from: date | None = None
    changes: tuple[LimitChange, ...] = ()

    def steps(self, attributes: Mapping[str, Any]) -> list[LimitStep]:
        """What has been and will be the limit for a device with these attributes, in order."""
        steps = [LimitStep(self.resolve(attributes), self.valid_from, self.standard_ref)]
        for change in self.changes:
            value = change.values.get(str(attributes.get(self.by))) if self.by else change.value
            steps.append(LimitStep(value, change.valid_from, change.standard_ref or self.standard_ref))
        return steps

    def resolve(self, attributes: Mapping[str, Any]) -> float | None:
        """The limit, before it changes, for a device with these attributes; None where nothing says."""
        if not self.by:
            return self.value
        return self.values.get(str(attributes.get(self.by)))


class AttributeType(StrEnum):
    """What an attribute in the registry may be."""

    NUMBER = "number"
    TEXT = "text"
    ENUM = "enum"
    BOOL = "bool"
    TIME = "time"  # of day, HH:MM, to 24:00
    HOURS = "hours"  # of the day: HH:MM-HH:MM, several separated by commas


class Learning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a device learns an attribute: when a case of one of the problems ``after`` has closed, from a ``metric``.

    What lies farther than ``within`` from what the registry says is no rest position but something wrong, and is left.
    """

    metric: str
    after: tuple[str, ...]
    within: Annotated[float, msgspec.Meta(gt=0)]

    def believes(self, measured: float, installed: float) -> bool:
        """Whether a measurement may take the place of what the registry says."""
        return abs(measured - installed) <= self.within


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A property of a device that does not change from reading to reading: a lamp's rated power."""

    name: str
    type: AttributeType
    doc: str
    unit: str = ""
    values: tuple[str, ...] = ()
    default: float | str | bool | None = None
    range: tuple[float, float] | None = None
    learnt: Learning | None = None


class _KindFile(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    code: int
    name: dict[str, str]
    doc: str
    interval_s: _Span
    heartbeat_s: _Span
    component_classes: tuple[str, ...]
    metrics: dict[str, dict[str, Any]]
    limits: dict[str, dict[str, Any]] = {}
    attributes: dict[str, dict[str, Any]] = {}
    frozen_after_s: _Span | None = None
    codecs: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    rollup: Rollup = Rollup()


@dataclass(frozen=True)
class Kind:
    """A kind of device.

    ``interval`` is the time between two readings in normal operation, ``heartbeat`` the longest time that a
    healthy device keeps silent. ``component_classes`` are the major+minor codes of CJ/T 214 that are of this
    kind; the first is the usual one. ``folder`` holds everything else that belongs to the kind: its rules, its
    golden cases. ``frozen_after`` is how long its live metrics may stand still before none of them is believed; None
    where standing still is healthy. ``codecs`` says for each codec that the kind speaks which of its names are which
    metrics, in tables of the codec's own. ``rollup`` says what is kept of readings by minute, hour and day.
    """

    name: str
    code: int
    names: Mapping[str, str]
    doc: str
    interval: timedelta
    heartbeat: timedelta
    component_classes: tuple[str, ...]
    metrics: tuple[Metric, ...]
    limits: Mapping[str, Limit]
    attributes: Mapping[str, Attribute]
    folder: Path
    frozen_after: timedelta | None = None
    codecs: Mapping[str, Mapping[str, ForeignNames]] = field(default_factory=dict)
    rollup: Rollup = field(default_factory=Rollup)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Column of each metric in a table of readings."""
        return {metric.name: index for index, metric in enumerate(self.metrics)}

    def metric(self, name: str) -> Metric:
        """The metric of that name; KeyError if the kind has none."""
        return self.metrics[self.position[name]]


_TYPES: Mapping[type, type[StrEnum]] = {Metric: MetricType, Attribute: AttributeType}


def load_kind(folder: Path) -> Kind:
    """Read one kind from its folder.

    Raises:
        DescriptionError: naming the file and the key that is wrong.
    """
    path = folder / "kind.toml"
    try:
        raw = convert(tomllib.loads(path.read_text(encoding="utf-8")), _KindFile)
        kind = Kind(
            name=raw.kind,
            code=raw.code,
            names=raw.name,
            doc=raw.doc,
            interval=timedelta(seconds=raw.interval_s),
            heartbeat=timedelta(seconds=raw.heartbeat_s),
            component_classes=raw.component_classes,
            metrics=tuple(_named(raw.metrics, Metric)),
            limits={limit.name: limit for limit in _named(raw.limits, Limit)},
            attributes={attribute.name: attribute for attribute in _named(raw.attributes, Attribute)},
            folder=folder,
            frozen_after=timedelta(seconds=raw.frozen_after_s) if raw.frozen_after_s is not None else None,
            codecs=raw.codecs,
            rollup=raw.rollup,
        )
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DescriptionError(str(path), [str(error)]) from error
    if problems := [*_contradictions(kind, folder)]:
        raise DescriptionError(str(path), problems)
    return kind


def load_kinds(*folders: Path) -> dict[str, Kind]:
    """Every kind that has a folder with a kind.toml below these folders, by name; without any, those that come along.

    Raises:
        DescriptionError: naming the file and the key that is wrong, or two kinds with one name or code.
    """
    paths = [path for folder in folders or (KINDS_FOLDER,) for path in sorted(folder.glob("*/kind.toml"))]
    kinds: dict[str, Kind] = {}
    for kind in (load_kind(path.parent) for path in paths):
        for other in kinds.values():
            if kind.name == other.name or kind.code == other.code:
                problem = f"{kind.name} (code {kind.code}) and {other.folder} (code {other.code}) collide"
                raise DescriptionError(str(kind.folder), [f"two kinds share a code or a name: {problem}"])
        kinds[kind.name] = kind
    return kinds


def _named(table: Mapping[str, Mapping[str, Any]], shape: type[_T]) -> Iterable[_T]:
    for name, fields in table.items():
        try:
            yield convert({"name": name, **fields}, shape)
        except msgspec.ValidationError as error:
            hint = f"; possible are {', '.join(_TYPES[shape])}" if str(error).endswith("`$.type`") else ""
            raise msgspec.ValidationError(f"{shape.__name__.lower()} {name}: {error}{hint}") from error


def _contradictions(kind: Kind, folder: Path) -> Iterable[str]:
    if kind.name != folder.name:
        yield f"kind is {kind.name!r}, but its folder is {folder.name!r}"
    if not kind.metrics:
        yield "metrics: a kind measures something; describe at least one [metrics.<name>]"
    for metric in kind.metrics:
        yield from _contradictions_of_metric(metric)
    yield from _contradictions_of_live(kind)
    for attribute in kind.attributes.values():
        yield from _contradictions_of_attribute(kind, attribute)
    yield from kind.rollup.contradictions([metric.name for metric in kind.metrics if metric.is_number])
    for limit in kind.limits.values():
        if not (limit.value is None) == bool(limit.by) == bool(limit.values):
            yield f"limit {limit.name}: give either value, or by and values"
        days = [limit.valid_from or date.min, *(change.valid_from for change in limit.changes)]
        if any(later <= earlier for earlier, later in pairwise(days)):
            yield f"limit {limit.name}: changes come in order of their days, after valid_from"
        if any(
            (change.value is None) == (not limit.by) or bool(change.values) != bool(limit.by)
            for change in limit.changes
        ):
            yield f"limit {limit.name}: a change gives {'values' if limit.by else 'a value'}, as the limit does"
        if limit.by and limit.by not in kind.attributes:
            yield f"limit {limit.name}: by names the attribute {limit.by!r}, which the kind does not have"


def _contradictions_of_attribute(kind: Kind, attribute: Attribute) -> Iterable[str]:
    if attribute.type is AttributeType.TIME and not CLOCK_TIME.fullmatch(str(attribute.default or "00:00")):
        yield f"attribute {attribute.name}: its default {attribute.default!r} is no time of day; write HH:MM"
    if attribute.type is AttributeType.HOURS and not CLOCK_SPANS.fullmatch(str(attribute.default or "00:00-24:00")):
        yield f"attribute {attribute.name}: its default {attribute.default!r} is no span; write HH:MM-HH:MM"
    if attribute.learnt and not _learnable(kind, attribute, attribute.learnt.metric):
        yield f"attribute {attribute.name}: only a number is learnt, from a metric of the kind that is a number"


def _learnable(kind: Kind, attribute: Attribute, metric: str) -> bool:
    known = metric in kind.position and kind.metric(metric).is_number
    return known and attribute.type is AttributeType.NUMBER and isinstance(attribute.default, int | float)


def _contradictions_of_metric(metric: Metric) -> Iterable[str]:
    if not _METRIC_NAME.fullmatch(metric.name) or keyword.iskeyword(metric.name):
        yield f"metric {metric.name!r}: a name is a lower-case letter, then letters, digits and _, at most 48"
    if metric.name in _TAKEN:
        yield f"metric {metric.name}: every reading has something of this name already; choose another one"
    if (metric.type is MetricType.ENUM) != bool(metric.values):
        yield f"metric {metric.name}: an enum, and only an enum, lists its values"
    if (metric.type is MetricType.TEXT) != bool(metric.max_length):
        yield f"metric {metric.name}: a text, and only a text, has a max_length"
    if metric.is_number and metric.range is None:
        yield f"metric {metric.name}: a number needs its plausible range"
    for name, span in (("range", metric.range), ("typical", metric.typical)):
        if span and span[0] > span[1]:
            yield f"metric {metric.name}: {name} goes from the least to the most, not from {span[0]:g} to {span[1]:g}"


def _contradictions_of_live(kind: Kind) -> Iterable[str]:
    live = [metric for metric in kind.metrics if metric.live]
    yield from (f"metric {metric.name}: only a number is live" for metric in live if not metric.is_number)
    if bool(live) != (kind.frozen_after is not None):
        yield "frozen_after_s: give it where metrics are live, and only there"
    for codec, tables in kind.codecs.items():
        for table, metrics in tables.items():
            for unknown in sorted(metrics.keys() - kind.position.keys()):
                yield f"codecs.{codec}.{table}: {unknown!r} is not a metric of the kind"
            names = [name for known in metrics.values() for name in known]
            for twice in sorted({name for name in names if names.count(name) > 1}):
                yield f"codecs.{codec}.{table}: {twice!r} stands for two metrics, or twice for one"
