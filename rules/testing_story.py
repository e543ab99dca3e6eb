"""The story of a pack test: a device, what it sends and when, and the engine that listens."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from devices.kind import AttributeType, Kind, MetricType
from devices.readings import NO_SEQUENCE, Readings
from devices.registry import AttributeValue, Device, Registry
from rules.durations import MICROS, parse_duration
from rules.engine import Engine
from rules.local_time import LocalTime, moment
from rules.rule import Input, Rule
from rules.silence import Heard, SilenceAlarm, watch
from rules.testing_series import Gap, Point, SeriesError, parse_series
from rules.verdicts import Change, Key, Transition, Verdicts

# The place of every story: its clocks and its sun. In Wuhan it is dark from 17:23 to 06:53 in late November.
_ZONE = ZoneInfo("Asia/Shanghai")
_LAT, _LON = 30.6, 114.3
_DEVICE = 1
_MOMENT = re.compile(r"(?:\+(?P<days>\d+)d )?(?P<clock>\d\d?:\d\d(?::\d\d)?)")
_WATCHED_EVERY = 60 * MICROS


class StoryError(Exception):
    """A rule crashed over a story."""


class _Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    attributes: dict[str, str] = {}
    limits: dict[str, float] = {}
    district: str = "east"
    road: str = ""
    road_class: str = ""
    component_class: str = ""
    lat: float = _LAT
    lon: float = _LON


class _Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    every: str
    series: dict[str, str]
    device: _Device = _Device()
    until: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What a device sends. Times in microseconds since 1970 UTC; the story ends at ``end``."""

    midnight: datetime
    end: int
    registry: Registry
    readings: Readings

    def moment(self, text: str) -> int:
        """A time as a test states it: ``HH:MM``, ``+1d HH:MM`` for the next day, or with its date.

        Raises:
            ValueError: saying how to write a time.
        """
        match = _MOMENT.fullmatch(text)
        if match is None:
            return _micros(_local(text))
        clock = time.fromisoformat(match["clock"].zfill(5))
        return _micros(datetime.combine(self.midnight + timedelta(days=int(match["days"] or 0)), clock, _ZONE))

    def longest_gap(self) -> int:
        """The longest time between two readings, microseconds."""
        return int(np.diff(self.readings.ts).max(initial=0))


def read_story(fields: Mapping[str, Any], kind: Kind) -> Story:
    """The story that a test tells of a device of a kind.

    Raises:
        ValueError: naming the metric or field that cannot be.
    """
    raw = msgspec.convert(fields, _Story, strict=False)
    start, every = _local(raw.at), parse_duration(raw.every)
    series = _series(raw.series, kind)
    first, length = _micros(start), max(len(points) for points in series.values())
    story = Story(
        midnight=start.replace(hour=0, minute=0, second=0),
        end=first + (length - 1) * every,
        registry=Registry({kind.name: kind}, [_described(raw.device, kind)]),
        readings=_readings(kind, series, first, every),
    )
    return replace(story, end=story.moment(raw.until)) if raw.until else story


def tell(rule: Rule, story: Story) -> list[Transition]:
    """Every change of the rule's alarm over the story, in order of time.

    Raises:
        StoryError: if the rule crashes.
    """
    return _TELLERS[rule.input](rule, story)


def clock_text(at: int, story: Story) -> str:
    """A time of the story, microseconds since 1970 UTC, as a test would state it."""
    local = moment(at).astimezone(_ZONE)
    days = (local.replace(tzinfo=None) - story.midnight.replace(tzinfo=None)).days
    return f"{f'+{days}d ' if days else ''}{local:%H:%M:%S}".removesuffix(":00")


def _tell_readings(rule: Rule, story: Story) -> list[Transition]:
    engine = Engine([rule], story.registry, LocalTime(_ZONE))
    return _sound(engine.step([story.readings])).transitions


def _tell_silence(rule: Rule, story: Story) -> list[Transition]:
    """The watchdog once a minute, as the dispatcher runs it."""
    active: dict[Key, SilenceAlarm] = {}
    told: list[Transition] = []
    arrivals = story.readings.ts
    for now in range(int(arrivals[0]), story.end + 1, _WATCHED_EVERY):
        readings = int(np.searchsorted(arrivals, now, side="right"))
        heard = {_DEVICE: Heard(int(arrivals[readings - 1]), readings)}
        changes = _sound(watch([rule], story.registry, LocalTime(_ZONE), heard, active, now)).transitions
        for change in changes:
            if change.change is Change.RAISED:
                active[rule.id, _DEVICE] = SilenceAlarm(readings)
            else:
                active.clear()
        told += changes
    return told


_TELLERS: Mapping[Input, Callable[[Rule, Story], list[Transition]]] = {
    Input.READING: _tell_readings,
    Input.SILENCE: _tell_silence,
}


def _sound(verdicts: Verdicts) -> Verdicts:
    for crash in verdicts.crashes:
        raise StoryError(f"the rule crashed: {crash.detail}")
    return verdicts


def _series(texts: Mapping[str, str], kind: Kind) -> dict[str, list[Point]]:
    """The series by metric, all of one length; a single value stays as it is throughout."""
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
    length = max(len(points) for points in series.values())
    for name, points in series.items():
        if len(points) not in {1, length}:
            raise ValueError(f"series {name}: has {len(points)} readings where another has {length}")
    return {name: points * length if len(points) == 1 else points for name, points in series.items()}


def _readings(kind: Kind, series: Mapping[str, list[Point]], first: int, every: int) -> Readings:
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
    zeros = np.zeros(len(sent), dtype=np.int64)
    return Readings(
        kind=kind,
        device=zeros + _DEVICE,
        ts=ts,
        received_at=ts,
        seq=zeros + NO_SEQUENCE,
        type=zeros,
        quality=zeros,
        message=zeros,
        part=zeros,
        values=values,
        texts=texts,
    )


def _value(kind: Kind, name: str, word: str) -> float:
    metric = kind.metric(name)
    words = {MetricType.BOOL: ("false", "true"), MetricType.ENUM: metric.values}.get(metric.type)
    try:
        return float(word) if words is None else words.index(word)
    except ValueError:
        wanted = "a number" if words is None else f"one of {', '.join(words)}"
        raise ValueError(f"series {name}: {word!r} is not {wanted}") from None


def _described(raw: _Device, kind: Kind) -> Device:
    for name in raw.limits:
        if name not in kind.limits:
            raise ValueError(f"device: a {kind.name} has no limit {name!r}; it has {', '.join(kind.limits)}")
    return Device(
        id=_DEVICE,
        device_id=f"{kind.name}-{_DEVICE}",
        kind=kind.name,
        name="",
        district=raw.district,
        lat=raw.lat,
        lon=raw.lon,
        road=raw.road,
        road_class=raw.road_class,
        component_class=raw.component_class,
        limits=raw.limits,
        attributes={name: _attribute(kind, name, word) for name, word in raw.attributes.items()},
    )


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


def _local(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_ZONE)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 12:30, +1d 12:30 or 2026-11-21 12:30") from None


def _micros(at: datetime) -> int:
    return round(at.timestamp() * MICROS)
