"""Rules in words, as a page for people: what each looks at, when it raises and clears, what follows, its source."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from devices.kind import Kind, Limit
from devices.moments import MICROS
from rules.measures import load_measures
from rules.rule import Branch, Hold, Input, Rule
from rules.windows import Span

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def catalogue(rules: Sequence[Rule], kinds: Mapping[str, Kind]) -> str:
    """Markdown: a section a kind, a paragraph a rule."""
    parts = []
    for kind, members in groupby(sorted(rules, key=lambda rule: rule.kind), key=lambda rule: rule.kind):
        names = kinds[kind].names
        parts.append(f"## {names['en']} {names['zh']}")
        parts += ["\n".join(described(rule, kinds[kind])) for rule in members]
    return "\n\n".join(parts) + "\n"


def described(rule: Rule, kind: Kind) -> Iterator[str]:
    """A rule in lines of Markdown."""
    yield f"### {rule.id} {rule.names['en']} {rule.names['zh']}\n"
    yield f"- judges {_input(rule)}"
    for branch in rule.branches:
        yield f"- raises {_raises(branch)}"
    if rule.clear is not None:
        yield f"- clears when `{_flat(rule.clear.text)}`{held(rule.clear_hold)}"
    elif rule.input is Input.SILENCE:
        yield f"- clears after {rule.clear_messages} messages" if rule.clear_messages > 1 else "- clears with a message"
    else:
        yield f"- clears when no raise condition holds{held(rule.clear_hold)}"
    if rule.latch:
        yield "- latches: clears only after a person has confirmed"
    if rule.ease is not None:
        yield f"- eases to a lower severity{held(rule.ease)}"
    if rule.covers:
        yield f"- covers {', '.join(rule.covers)} of its members"
    worse = "".join(f", {severity.name.lower()} when `{_flat(when.text)}`" for severity, when in rule.severity_when)
    yield f"- severity {rule.severity.name.lower()}{worse}"
    arrive = f"arrive within {rule.case.arrive}, " if rule.case.arrive else ""
    yield f"- case `{rule.case.problem}`: {arrive}fix within {rule.case.fix}, to the {rule.case.to} first"
    for limit in _limits(rule, kind):
        yield f"- `limit.{limit.name}`: {_value(limit)}{_unit(limit)}; {limit.standard_ref}"
    yield f"- source: {_flat(rule.source)}"


def duration(micros: int) -> str:
    """A duration as people say it: the largest unit that it is a whole number of."""
    seconds = micros // MICROS
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{micros / MICROS:g} s"


def _input(rule: Rule) -> str:
    group = f"the {' and '.join(rule.group)}" if rule.group else ""
    match rule.input:
        case Input.WINDOW:
            return f"each {_window(rule)}{_only(rule)}"
        case Input.GROUP:
            member = _flat(rule.member.text) if rule.member is not None else ""
            return f"{group} over each {_window(rule)}{_only(rule)}, members by `{member}`"
        case Input.JOB:
            at = f"{rule.at:%H:%M}" if rule.at else ""
            return f"{group} by the measure `{rule.measure}`, daily at {at}"
        case Input.SILENCE:
            return "the absence of messages"
        case _:
            return "each reading"


def _window(rule: Rule) -> str:
    window = rule.window
    if window is None:
        return ""
    if window.span is not Span.PLAIN:
        return str(window.span)
    sliding = f" that ends every {duration(window.every)}" if window.every != window.length else ""
    return f"window of {duration(window.length)}{sliding}"


def _only(rule: Rule) -> str:
    return f", numbers only where `{_flat(rule.only.text)}`" if rule.only is not None else ""


def _raises(branch: Branch) -> str:
    when = f" when `{_flat(branch.when.text)}`" if branch.when is not None else ""
    silent = f"after {duration(branch.silent)} of silence" if branch.silent else ""
    severity = f", {branch.severity.name.lower()}" if branch.severity else ""
    return f"{silent}{when}{held(branch.hold)}{severity}".strip()


def held(hold: Hold) -> str:
    """How long a condition must be seen, as the end of a sentence; empty: once."""
    if hold.within:
        return f", {hold.samples} times within {duration(hold.within)}"
    ways = [f"{hold.samples} times in a row"] if hold.samples > 1 else []
    ways += [f"for {duration(hold.duration)}"] if hold.duration else []
    return f", {' or '.join(ways)}" if ways else ""


def _limits(rule: Rule, kind: Kind) -> Iterator[Limit]:
    limits = load_measures()[rule.measure].figures.limits if rule.measure else kind.limits
    names = {name for condition in rule.conditions for name in condition.names if name.startswith("limit.")}
    for name in sorted(names):
        yield limits[name.removeprefix("limit.")]


def _unit(limit: Limit) -> str:
    return "" if limit.unit == "1" else f" {limit.unit}"


def _value(limit: Limit) -> str:
    if limit.values:
        return f"by `{limit.by}` {', '.join(f'{key} {value:g}' for key, value in limit.values.items())}"
    return f"{limit.value:g}" if isinstance(limit.value, int | float) else str(limit.value)


def _flat(text: str) -> str:
    return " ".join(text.split())
