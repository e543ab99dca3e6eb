"""How a city handles its alarms: the table [alarms] of its city file, with defaults for what it leaves out.

The numbers follow ISA-18.2 and EEMUA 191 where those name one: more than 10 alarms in 10 minutes are a flood for one
operator, which ends below 5; three activations in a short time are chatter. The other defaults are the project's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from devices.moments import MICROS
from devices.shapes import convert
from rules.durations import parse_duration
from rules.rule import Severity

_MINUTE = 60 * MICROS
_Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class Chatter:
    """So many activations within ``within`` µs are chatter, which ends after ``quiet`` µs without one; 0: never."""

    times: int = 3
    within: int = 10 * _MINUTE
    quiet: int = 15 * _MINUTE


@dataclass(frozen=True, slots=True)
class Remind:
    """What is active and unacknowledged ``after`` µs is announced again, at most so many ``times``.

    Only from the severity ``least`` on.
    """

    after: int = 30 * _MINUTE
    times: int = 3
    least: Severity = Severity.MAJOR


@dataclass(frozen=True, slots=True)
class Storm:
    """More than ``begin`` new alarms of a district within ``within`` µs are a storm, fewer than ``end`` its end.

    While it lasts, alarms up to the severity ``holds`` are suppressed. ``begin`` 0: never.
    """

    begin: int = 10
    end: int = 5
    within: int = 10 * _MINUTE
    holds: Severity = Severity.MINOR


@dataclass(frozen=True, slots=True)
class AlarmPolicy:
    """All of it. ``shelve_at_most``, ``after_parent`` in µs.

    ``after_parent`` is how long an alarm stays suppressed after the one that explained it has cleared: what it
    explained needs a moment to recover too.
    """

    chatter: Chatter = Chatter()
    remind: Remind = Remind()
    storm: Storm = Storm()
    shelve_at_most: int = 8 * 60 * _MINUTE
    after_parent: int = 5 * _MINUTE


class _Chatter(msgspec.Struct, forbid_unknown_fields=True):
    times: _Count = 3
    within: str = "10m"
    quiet: str = "15m"


class _Remind(msgspec.Struct, forbid_unknown_fields=True):
    after: str = "30m"
    times: _Count = 3
    least: str = "major"


class _Storm(msgspec.Struct, forbid_unknown_fields=True):
    begin: _Count = 10
    end: _Count = 5
    within: str = "10m"
    holds: str = "minor"


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    chatter: _Chatter = msgspec.field(default_factory=_Chatter)
    remind: _Remind = msgspec.field(default_factory=_Remind)
    storm: _Storm = msgspec.field(default_factory=_Storm)
    shelve_at_most: str = "8h"
    after_parent: str = "5m"


def read_policy(document: Mapping[str, Any]) -> AlarmPolicy:
    """The policy that a city file's table describes.

    Raises:
        ValueError: naming the key and what would be right.
    """
    try:
        raw = convert(document, _Policy)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    storm = raw.storm
    if storm.begin and storm.end > storm.begin:
        raise ValueError(f"storm: it ends below {storm.end}, which is more than the {storm.begin} at which it begins")
    return AlarmPolicy(
        chatter=Chatter(
            raw.chatter.times, _span("chatter.within", raw.chatter.within), _span("chatter.quiet", raw.chatter.quiet)
        ),
        remind=Remind(
            _span("remind.after", raw.remind.after), raw.remind.times, _level("remind.least", raw.remind.least)
        ),
        storm=Storm(storm.begin, storm.end, _span("storm.within", storm.within), _level("storm.holds", storm.holds)),
        shelve_at_most=_span("shelve_at_most", raw.shelve_at_most),
        after_parent=_span("after_parent", raw.after_parent),
    )


def _span(key: str, text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _level(key: str, word: str) -> Severity:
    try:
        return Severity[word.upper()]
    except KeyError:
        words = ", ".join(level.name.lower() for level in Severity)
        raise ValueError(f"{key}: {word!r} is not one of {words}") from None
