"""From the fields of a rule as its pack states them to a rule that runs; every mistake names its field."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any

import msgspec

from devices.groups import GROUP, groupings
from devices.kind import Kind
from devices.moments import MICROS
from devices.shapes import convert
from rules.durations import INTERVALS_PER_GAP, parse_duration
from rules.expressions import Expression, compile_condition
from rules.measures import Measure
from rules.nodes import ExpressionError, Scope
from rules.rule import AT_ONCE, Branch, CaseSpec, Hold, Input, Rule, Severity
from rules.windows import DAY, GRACE, Span, Window

Path = tuple[str | int, ...]
_ID = re.compile(r"[\w.-]{1,32}")  # it stands in addresses, files and messages


class FieldError(ValueError):
    """A field of a rule that cannot be.

    ``path`` leads to it; where it is a condition, ``column`` (from 1) and ``word`` say which of its words is at fault.
    ``of_name``: its name is wrong, not its value.
    """

    def __init__(self, path: Path, why: str, column: int = 1, word: str = "", *, of_name: bool = False) -> None:
        self.path, self.why, self.column, self.word, self.of_name = path, why, column, word, of_name
        super().__init__(f"{called(path)}: {why}" if path else why)


def called(path: Path) -> str:
    """A field as people say it: ``raise 2: for``."""
    words = [f" {part + 1}" if isinstance(part, int) else f": {part}" for part in path]
    return "".join(words).removeprefix(": ")


class _Hold(msgspec.Struct, forbid_unknown_fields=True, rename={"or_": "or"}):
    samples: Annotated[int, msgspec.Meta(ge=1)] = 0
    within: str = ""
    or_: str = ""


class _Branch(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    when: str = ""
    for_: str | _Hold = ""
    severity: str = ""
    silent: str = ""


class _Window(msgspec.Struct, forbid_unknown_fields=True):
    length: str
    every: str = ""
    grace: str = ""


class _Ease(msgspec.Struct, forbid_unknown_fields=True):
    hold: str


class _Rule(msgspec.Struct, forbid_unknown_fields=True, rename={"raise_": "raise", "for_": "for"}):
    id: str
    name: dict[str, str]
    kind: str
    raise_: str | list[_Branch]
    severity: str | dict[str, str]
    case: CaseSpec
    source: str
    input: Input = Input.READING
    for_: str | _Hold = ""
    clear: str = ""
    clear_for: str | _Hold = ""
    clear_messages: Annotated[int, msgspec.Meta(ge=1)] = 1
    max_gap: str = ""
    ease: _Ease | None = None
    latch: bool = False
    window: str | _Window = ""
    only: str = ""
    group: str | list[str] = ""
    member: str = ""
    covers: list[str] = []
    evidence: list[str] = []
    at: str = ""
    measure: str = ""


_ALWAYS = {"id", "name", "kind", "input", "raise", "severity", "case", "source", "latch"}
_OVER_TIME = {"for", "clear", "clear_for", "max_gap", "ease"}
_FIELDS: Mapping[Input, set[str]] = {
    Input.READING: _ALWAYS | _OVER_TIME | {"evidence"},
    Input.WINDOW: _ALWAYS | _OVER_TIME | {"window", "only"},
    Input.GROUP: _ALWAYS | _OVER_TIME | {"window", "only", "group", "member", "covers"},
    Input.JOB: _ALWAYS | _OVER_TIME | {"at", "group", "measure"},
    Input.SILENCE: _ALWAYS | {"clear_messages"},
}
_NEEDED: Mapping[Input, tuple[str, ...]] = {
    Input.READING: (),
    Input.WINDOW: ("window",),
    Input.GROUP: ("window", "group", "member"),
    Input.JOB: ("at", "group", "measure"),
    Input.SILENCE: (),
}
_PARTS: Mapping[str, type[msgspec.Struct] | None] = {
    "for": _Hold, "clear_for": _Hold, "window": _Window, "ease": _Ease, "case": None,
}  # fmt: skip
_CASE = ("problem", "fix", "arrive", "to")


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the rows are that a rule judges, and what the conditions about them may say."""

    kind: Kind
    scope: Scope


def read_rule(
    document: Mapping[str, Any], kinds: Mapping[str, Kind], measures: Mapping[str, Measure], version: str
) -> Rule:
    """The rule of one entry of a pack.

    Raises:
        FieldError: naming the first thing that is wrong.
        msgspec.ValidationError: where a field is of the wrong type.
    """
    _check_names(document)
    if document.get("input", Input.READING) not in [*Input]:
        inputs = tuple(each.value for each in Input)
        raise FieldError(
            ("input",), f"{document['input']!r} is none; {_near(str(document['input']), inputs, 'they are')}"
        )
    raw = convert(document, _Rule)
    if not _ID.fullmatch(raw.id):
        raise FieldError(("id",), "give it letters, digits, - _ and . only, 32 at most")
    if raw.kind not in kinds:
        raise FieldError(("kind",), f"unknown kind {raw.kind!r}; {_near(raw.kind, kinds, 'installed are')}")
    if missing := {"en", "zh"} - raw.name.keys():
        raise FieldError(("name",), f"give it in {' and '.join(sorted(missing))} too")
    _check_input(document, raw)
    kind = kinds[raw.kind]
    group = tuple(_grouping(raw, kind))
    rows = _rows(raw, kind, measures)
    window = _window(raw.window) if raw.window else None
    severity, severity_when = _severity(raw, rows)
    clear_hold = _hold(("clear_for",), raw.clear_for)
    if clear_hold.within:
        raise FieldError(("clear_for",), "within belongs to for; an end is seen in a row, or for a time")
    rule = Rule(
        id=raw.id,
        names=raw.name,
        kind=raw.kind,
        input=raw.input,
        branches=tuple(_branches(raw, rows)),
        severity=severity,
        severity_when=severity_when,
        clear=_condition(("clear",), raw.clear, rows) if raw.clear else None,
        clear_hold=clear_hold,
        clear_messages=raw.clear_messages,
        max_gap=_duration(("max_gap",), raw.max_gap) if raw.max_gap else _usual_gap(kind, window, raw.input),
        case=raw.case,
        source=raw.source,
        version=version,
        ease=Hold(duration=_duration(("ease", "hold"), raw.ease.hold)) if raw.ease else None,
        latch=raw.latch,
        window=window,
        only=_condition(("only",), raw.only, _Rows(kind, Scope.READING)) if raw.only else None,
        group=group,
        member=_condition(("member",), raw.member, _Rows(kind, Scope.WINDOW)) if raw.member else None,
        covers=tuple(raw.covers),
        evidence=tuple(_evidence(raw, kind)),
        at=_clock(raw.at) if raw.at else None,
        measure=raw.measure,
    )
    if rule.ease and rule.mildest == rule.worst:
        raise FieldError(("ease",), "the rule has one severity only, so it has nothing to ease to")
    return rule


def _check_names(document: Mapping[str, Any]) -> None:
    """No field is unknown, here or in its parts."""
    _known((), document, _names(_Rule))
    for name, part in _PARTS.items():
        if isinstance(document.get(name), dict):
            _known((name,), document[name], _names(part) if part else _CASE)
    branches = document.get("raise")
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, dict):
            _known(("raise", number), branch, _names(_Branch))
            if isinstance(branch.get("for"), dict):
                _known(("raise", number, "for"), branch["for"], _names(_Hold))


def _names(part: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(each.encode_name for each in msgspec.structs.fields(part))


def _known(path: Path, fields: Mapping[Any, Any], names: tuple[str, ...]) -> None:
    for name in fields:
        if name not in names:
            hint = _near(str(name), names, "known are")
            raise FieldError((*path, str(name)), f"there is no such setting; {hint}", of_name=True)


def _near(word: str, known: Mapping[str, Any] | tuple[str, ...] | list[str], otherwise: str) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"{otherwise} {', '.join(known)}"


def _check_input(document: Mapping[str, Any], raw: _Rule) -> None:
    """What the input needs is there, and nothing that would have no effect."""
    for name in document:
        if name not in _FIELDS[raw.input]:
            inputs = " or ".join(each for each, fields in _FIELDS.items() if name in fields)
            why = f"has no effect with input: {raw.input}; it belongs to input: {inputs}"
            raise FieldError((name,), why, of_name=True)
    for name in _NEEDED[raw.input]:
        if not document.get(name):
            raise FieldError((), f"input: {raw.input} needs {name}")


def _rows(raw: _Rule, kind: Kind, measures: Mapping[str, Measure]) -> _Rows:
    match raw.input:
        case Input.WINDOW:
            return _Rows(kind, Scope.WINDOW)
        case Input.GROUP:
            return _Rows(GROUP, Scope.READING)
        case Input.SILENCE:
            return _Rows(kind, Scope.MOMENT)
        case Input.JOB:
            if raw.measure not in measures:
                raise FieldError(
                    ("measure",), f"unknown measure {raw.measure!r}; {_near(raw.measure, measures, 'known are')}"
                )
            measure = measures[raw.measure]
            if measure.kind not in {raw.kind, ""}:
                raise FieldError(("kind",), f"{raw.measure} is a measure of the kind {measure.kind}")
            return _Rows(measure.figures, Scope.READING)
        case _:
            return _Rows(kind, Scope.READING)


def _usual_gap(kind: Kind, window: Window | None, of: Input) -> int:
    """Three times the usual time between two rows."""
    if window is not None:
        return window.every * INTERVALS_PER_GAP
    interval = DAY if of is Input.JOB else round(kind.interval.total_seconds() * MICROS)
    return interval * INTERVALS_PER_GAP


def _window(raw: str | _Window) -> Window:
    raw = raw if isinstance(raw, _Window) else _Window(raw)
    grace = _duration(("window", "grace"), raw.grace) if raw.grace else GRACE
    if raw.length in {Span.DAY, Span.NIGHT}:
        if raw.every:
            raise FieldError(("window", "every"), f"a {raw.length} ends once a day by itself")
        return Window(span=Span(raw.length), grace=grace)
    length = _duration(("window", "length"), "1h" if raw.length == "hour" else raw.length, "day, night or hour")
    every = _duration(("window", "every"), raw.every) if raw.every else length
    if not MICROS <= every <= DAY or DAY % every:
        where = ("window", "every") if raw.every else ("window",)
        raise FieldError(where, "windows begin anew at midnight, so one must end every 1m, 20m, 1h, 1d or the like")
    if length < every:
        raise FieldError(("window", "length"), "is shorter than the time between two windows: readings would be lost")
    return Window(Span.PLAIN, length, every, grace)


def _grouping(raw: _Rule, kind: Kind) -> Iterator[str]:
    fields = [raw.group] if isinstance(raw.group, str) else raw.group
    for field in fields if raw.group else ():
        if field not in groupings(kind):
            known = groupings(kind)
            raise FieldError(
                ("group",), f"a {kind.name} is not grouped by {field!r}; {_near(field, known, 'possible are')}"
            )
        yield field


def _evidence(raw: _Rule, kind: Kind) -> Iterator[str]:
    for number, name in enumerate(raw.evidence):
        if name not in kind.position:
            hint = _near(name, list(kind.position), "it sends")
            raise FieldError(("evidence", number), f"a {kind.name} sends no {name!r}; {hint}")
        yield name


def _branches(raw: _Rule, rows: _Rows) -> Iterator[Branch]:
    several = isinstance(raw.raise_, list)
    branches = raw.raise_ if isinstance(raw.raise_, list) else [_Branch(when=raw.raise_, for_=raw.for_)]
    if not branches:
        raise FieldError(("raise",), "give at least one condition")
    if several and raw.for_:
        raise FieldError(("for",), "belongs to each condition of the list under raise")
    for number, branch in enumerate(branches):
        path: Path = ("raise", number) if several else ("raise",)
        if (raw.input is Input.SILENCE) != bool(branch.silent):
            raise FieldError(path, "silent belongs to rules with input: silence, and those need it")
        if branch.silent and branch.for_:
            raise FieldError((*path, "for"), "has no effect with input: silence; silent is the delay")
        if not branch.when and not branch.silent:
            raise FieldError(path, "when is missing")
        yield Branch(
            when=_condition((*path, "when") if several else path, branch.when, rows) if branch.when else None,
            hold=_hold((*path, "for") if several else ("for",), branch.for_),
            severity=_level((*path, "severity"), branch.severity) if branch.severity else None,
            silent=_duration((*path, "silent"), branch.silent) if branch.silent else 0,
        )


def _severity(raw: _Rule, rows: _Rows) -> tuple[Severity, tuple[tuple[Severity, Expression], ...]]:
    if isinstance(raw.severity, str):
        return _level(("severity",), raw.severity), ()
    if "default" not in raw.severity:
        raise FieldError(("severity",), "give a default")
    levels = {word: _level(("severity", word), word) for word in raw.severity if word != "default"}
    worst_first = sorted(levels, key=levels.__getitem__, reverse=True)
    return _level(("severity", "default"), raw.severity["default"]), tuple(
        (levels[word], _condition(("severity", word), raw.severity[word], rows)) for word in worst_first
    )


def _level(path: Path, word: str) -> Severity:
    words = [level.name.lower() for level in Severity]
    if word not in words:
        raise FieldError(path, f"{word!r} is not one of {', '.join(words)}")
    return Severity[word.upper()]


def _condition(path: Path, text: str, rows: _Rows) -> Expression:
    try:
        return compile_condition(text, rows.kind, rows.scope)
    except ExpressionError as error:
        raise FieldError(path, error.why, error.column, error.word) from error


def _hold(path: Path, raw: str | _Hold) -> Hold:
    if not raw:
        return AT_ONCE
    if isinstance(raw, str):
        return Hold(duration=_duration(path, raw))
    if raw.within and (raw.or_ or not raw.samples):
        raise FieldError(path, "within goes with samples, and with nothing else")
    if not raw.samples:
        raise FieldError(path, "say how many samples; a time alone is written 10m")
    return Hold(
        raw.samples,
        _duration(path, raw.or_) if raw.or_ else 0,
        _duration(path, raw.within) if raw.within else 0,
    )


def _duration(path: Path, text: str, more: str = "") -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise FieldError(path, f"{error}{f', or {more}' if more else ''}") from error


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise FieldError(("at",), f'{text!r} is no time of day: write "21:30"') from None
