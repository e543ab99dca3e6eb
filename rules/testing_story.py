"""The story of a pack test: devices, what they send and when."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from devices.columns import AttributeValue
from devices.device import Device
from devices.groups import facility
from devices.kind import AttributeType, Kind, MetricType
from devices.moments import micros, moment
from devices.readings import Readings
from devices.registry import GROUP_FIELDS, Registry
from devices.shapes import convert
from rules.durations import parse_duration
from rules.measures import load_measures
from rules.rule import Input, Rule
from rules.spells import NONE, Spell, Spells
from rules.testing_series import Gap, Point, SeriesError, parse_series
from rules.windows import blank

# The place of every story: its clocks and its sun. In Wuhan it is dark from 17:23 to 06:53 in late November.
ZONE = ZoneInfo("Asia/Shanghai")
_LAT, _LON = 30.6, 114.3
_MOMENT = re.compile(r"(?:\+(?P<days>\d{1,4})d )?(?P<clock>\d\d?:\d\d(?::\d\d)?)")
_NUMBERS = re.compile(r"(\d+)(?:-(\d+))?")
_GROUP = "G"  # what the members of a story have in common
_OWN = {"city", "district", "road_class"}  # what tests say themselves


class _Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    attributes: dict[str, str] = {}
    limits: dict[str, float] = {}
    district: str = "east"
    road: str = ""
    road_class: str = ""
    component_class: str = ""
    lat: float = _LAT
    lon: float = _LON


class _Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: dict[str, str] = {}
    attributes: dict[str, str] = {}


class _Permit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    kind: str
    from_: str
    to: str


class _Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"except_": "except"}):
    at: str
    every: str = ""
    series: dict[str, str] = {}
    device: _Device = _Device()
    until: str = ""
    members: dict[str, _Member] = {}
    count: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    except_: dict[str, dict[str, str]] = {}
    permits: list[_Permit] = []
    figures: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Story:
    """What devices send. Times in microseconds since 1970 UTC; the story lasts from ``start`` to ``end``.

    ``figures`` are a measure's answers, by time, for a rule about jobs. ``subject`` is the number of the device or
    group whose alarm is tested.
    """

    start: int
    end: int
    registry: Registry
    readings: Readings
    permits: Spells
    figures: tuple[tuple[int, Mapping[str, float | None]], ...]
    subject: int

    def moment(self, text: str) -> int:
        """A time as a test states it: ``HH:MM``, ``+1d HH:MM`` for the next day, or with its date.

        Raises:
            ValueError: saying how to write a time.
        """
        return clock_of(text, moment(self.start).astimezone(ZONE))

    def clock(self, at: int) -> str:
        """A time as a test would state it."""
        local = moment(at).astimezone(ZONE)
        days = (local.date() - moment(self.start).astimezone(ZONE).date()).days
        return f"{f'+{days}d ' if days else ''}{local:%H:%M:%S}".removesuffix(":00")

    def longest_gap(self) -> int:
        """The longest time between two readings of a device, microseconds."""
        same = self.readings.device[1:] == self.readings.device[:-1]
        return int(np.diff(self.readings.ts)[same].max(initial=0))


def read_story(fields: Mapping[str, Any], rule: Rule, kind: Kind) -> Story:
    """The story that a test of a rule tells.

    Raises:
        ValueError: naming the metric or field that cannot be.
    """
    raw = convert(fields, _Story, strict=False)
    if rule.input is Input.JOB:
        return _read_figures(raw, rule, kind)
    if not raw.every or raw.figures:
        raise ValueError("every: say how often there is a reading; figures belong to rules with input: job")
    start, every = start_of(raw.at), parse_duration(raw.every)
    told = [(name, _series(texts, kind), attributes) for name, texts, attributes in _told(raw)]
    length = max(len(points) for _, series, _ in told for points in series.values())
    devices = [
        _described(number, name, raw.device, attributes, kind, rule)
        for number, (name, _, attributes) in enumerate(told, start=1)
    ]
    first = micros(start)
    tables = [
        _readings(
            kind, number, {name: _stretched(name, points, length) for name, points in series.items()}, first, every
        )
        for number, (_, series, _) in enumerate(told, start=1)
    ]
    return Story(
        start=first,
        end=clock_of(raw.until, start) if raw.until else first + length * every,
        registry=_registry(devices, rule, kind),
        readings=Readings.joined(tables),
        permits=Spells.of(
            Spell(permit.kind, number, clock_of(permit.from_, start), clock_of(permit.to, start))
            for permit in raw.permits
            for number in range(1, len(devices) + 1)
        ),
        figures=(),
        subject=len(devices) + 1 if rule.group else 1,
    )


def _read_figures(raw: _Story, rule: Rule, kind: Kind) -> Story:
    """A story of one facility of a group, whose figures are asked for once a day."""
    if raw.every or raw.series or not raw.figures:
        raise ValueError("figures: a rule with input: job has one row of them a day, and no series")
    start = datetime.combine(start_of(raw.at).date(), rule.at or time(), ZONE)
    figures = load_measures()[rule.measure].figures
    series = _series(raw.figures, figures)
    length = max(len(points) for points in series.values())
    rows = zip(*(_stretched(name, points, length) for name, points in series.items()), strict=True)
    days = [micros(start + timedelta(days=number)) for number in range(length)]
    answers = [
        (
            at,
            {
                name: None if point is Gap.NOT_SENT else _value(figures, name, str(point))
                for name, point in zip(series, row, strict=True)
            },
        )
        for at, row in zip(days, rows, strict=True)
        if Gap.NO_READING not in row
    ]
    nothing = np.zeros(0, dtype=np.int64)
    return Story(
        start=days[0],
        end=days[-1],
        registry=_registry([_described(1, "device-1", raw.device, {}, kind, rule)], rule, kind),
        readings=blank(kind, nothing, nothing),
        permits=NONE,
        figures=tuple(answers),
        subject=2,
    )


def _registry(devices: Sequence[Device], rule: Rule, kind: Kind) -> Registry:
    """The devices, and the group that they form where the rule is about groups."""
    if not rule.group:
        return Registry({kind.name: kind}, devices)
    alone = Registry({kind.name: kind}, devices)
    groups = alone.members(kind.name, rule.group)
    if len(groups) != 1:
        raise ValueError(f"the members form {len(groups)} groups by {' and '.join(rule.group)}, not one")
    [(group, members)] = groups.items()
    description = msgspec.structs.asdict(facility(group, alone, members))
    return alone.with_groups([Device(id=len(devices) + 1, **description)])


def _told(raw: _Story) -> Iterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """Name, series and own attributes of each device."""
    if raw.members:
        if raw.count or raw.except_:
            raise ValueError("members: goes without count and except")
        for name, member in raw.members.items():
            yield name, {**raw.series, **member.series}, member.attributes
        return
    if raw.except_ and not raw.count:
        raise ValueError("except: belongs to count")
    exceptions = dict(_exceptions(raw))
    for number in range(1, max(raw.count, 1) + 1):
        yield f"device-{number}", {**raw.series, **exceptions.get(number, {})}, {}


def _exceptions(raw: _Story) -> Iterator[tuple[int, Mapping[str, str]]]:
    for numbers, series in raw.except_.items():
        match = _NUMBERS.fullmatch(numbers)
        if match is None or not 1 <= int(match[1]) <= int(match[2] or match[1]) <= raw.count:
            raise ValueError(f"except: {numbers!r} is no device; write 3 or 3-5, from 1 to {raw.count}")
        for number in range(int(match[1]), int(match[2] or match[1]) + 1):
            yield number, series


def clock_of(text: str, start: datetime) -> int:
    """A time as a test states it, after the test's local start: microseconds since 1970 UTC.

    Raises:
        ValueError: saying how to write a time.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return micros(start_of(text))
    day = start.date() + timedelta(days=int(match["days"] or 0))
    return micros(datetime.combine(day, time.fromisoformat(match["clock"].zfill(5)), ZONE))


def _series(texts: Mapping[str, str], kind: Kind) -> dict[str, list[Point]]:
    if not texts:
        raise ValueError("series: give at least one metric")
    series: dict[str, list[Point]] = {}
    for name, text in texts.items():
        if name not in kind.position:
            raise ValueError(f"series: a {kind.name} sends no {name!r}; it sends {', '.join(kind.position)}")
        try:
            series[name] = parse_series(text)
        except SeriesError as error:
            raise ValueError(f"series {name}: {error}") from error
    return series


def _stretched(name: str, points: list[Point], length: int) -> list[Point]:
    """All series have one length; a single value stays as it is throughout."""
    if len(points) not in {1, length}:
        raise ValueError(f"series {name}: has {len(points)} readings where another has {length}")
    return points * length if len(points) == 1 else points


def _readings(kind: Kind, device: int, series: Mapping[str, list[Point]], first: int, every: int) -> Readings:
    points = list(zip(*series.values(), strict=True))
    sent = [number for number, row in enumerate(points) if Gap.NO_READING not in row]
    if not sent:
        raise ValueError("series: not a single reading")
    values = np.full((len(sent), len(kind.metrics)), np.nan)
    texts = {
        metric.name: np.full(len(sent), None, dtype=object) for metric in kind.metrics if metric.type is MetricType.TEXT
    }
    for row, number in enumerate(sent):
        for name, point in zip(series, points[number], strict=True):
            if isinstance(point, Gap):
                continue
            if name in texts:
                texts[name][row] = point
            else:
                values[row, kind.position[name]] = _value(kind, name, point)
    ts = first + every * np.array(sent, dtype=np.int64)
    return replace(blank(kind, np.full(len(sent), device), ts), values=values, texts=texts)


def _value(kind: Kind, name: str, word: str) -> float:
    metric = kind.metric(name)
    words = {MetricType.BOOL: ("false", "true"), MetricType.ENUM: metric.values}.get(metric.type)
    try:
        return float(word) if words is None else words.index(word)
    except ValueError:
        wanted = "a number" if words is None else f"one of {', '.join(words)}"
        raise ValueError(f"series {name}: {word!r} is not {wanted}") from None


def _described(number: int, name: str, raw: _Device, attributes: Mapping[str, str], kind: Kind, rule: Rule) -> Device:
    for limit in raw.limits:
        if limit not in kind.limits:
            raise ValueError(f"device: a {kind.name} has no limit {limit!r}; it has {', '.join(kind.limits)}")
    own = {**raw.attributes, **attributes}
    if "position" in kind.attributes:
        own.setdefault("position", str(number))
    for field in rule.group:
        if field not in GROUP_FIELDS:
            own.setdefault(field, _GROUP)
    shared = {field: _GROUP for field in rule.group if field in GROUP_FIELDS and field not in _OWN}
    device = Device(
        id=number,
        device_id=name,
        kind=kind.name,
        name="",
        district=raw.district,
        lat=raw.lat,
        lon=raw.lon,
        road=raw.road,
        road_class=raw.road_class,
        component_class=raw.component_class,
        limits=raw.limits,
        attributes={each: _attribute(kind, each, word) for each, word in own.items()},
    )
    return msgspec.structs.replace(device, **shared)


def _attribute(kind: Kind, name: str, word: str) -> AttributeValue:
    attribute = kind.attributes.get(name)
    if attribute is None:
        raise ValueError(f"device: a {kind.name} has no attribute {name!r}; it has {', '.join(kind.attributes)}")
    if attribute.type is AttributeType.NUMBER:
        return float(word)
    if attribute.type is AttributeType.BOOL:
        return {"true": True, "false": False}[word]
    if attribute.values and word not in attribute.values:
        raise ValueError(f"device: {name}: {word!r} is not one of {', '.join(attribute.values)}")
    return word


def start_of(text: str) -> datetime:
    """A local time with its date.

    Raises:
        ValueError: saying how to write a time.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 12:30, +1d 12:30 or 2026-11-21 12:30") from None
