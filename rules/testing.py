"""Tests of rule packs: what devices send, minute by minute, and what alarms must come of it.

The tests of ``manhole.yaml`` stand beside it in ``manhole.tests.yaml``. They run on the engine that judges the city,
in virtual time: a year of heartbeats takes as long as a minute of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from devices.kind import Kind
from devices.shapes import convert
from rules.hindsight import HindsightError
from rules.packs import PackError, documents, load_packs, pack_files, rule_ids, shown
from rules.rule import Input, Rule, Severity
from rules.testing_story import Story, read_story
from rules.testing_telling import tell
from rules.verdicts import Change, Transition

_TEXTS = yaml.CBaseLoader  # 12:30 is a text, not a number to the base of sixty
_NORMAL = "normal"
_ACTIVE = "active"
_STATES = (_NORMAL, _ACTIVE, *(f"{_ACTIVE} {severity.name.lower()}" for severity in Severity))


class _Expect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    state: str = ""
    raised: int | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true of the alarm at ``at`` (microseconds since 1970 UTC); ``text`` is that time as written.

    ``state`` is ``normal``, ``active`` or ``active`` and a severity; ``raised`` how often it was raised until then.
    """

    at: int
    text: str
    state: str
    raised: int | None


@dataclass(frozen=True, slots=True)
class PackTest:
    """A test of one rule; ``where`` is its file and line."""

    where: str
    name: str
    rule: Rule
    story: Story
    expect: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test found: every change of the alarm, and what was expected otherwise."""

    test: PackTest
    changes: tuple[Transition, ...]
    problems: tuple[str, ...]


def tests_beside(pack: Path) -> Path:
    """The file with the tests of a pack, whether or not it is there."""
    return pack.with_suffix(".tests.yaml")


def run_packs(kinds: Mapping[str, Kind], folder: Path, only: Iterable[Path] = ()) -> tuple[list[Outcome], list[str]]:
    """The outcome of every test of the packs in a folder, and what tests they lack; ``only`` some of its packs.

    Raises:
        PackError: listing what cannot be read in packs and tests.
    """
    rules = {rule.id: rule for rule in load_packs(kinds, folder)}
    outcomes: list[Outcome] = []
    lacking: list[str] = []
    problems: list[str] = []
    for pack in list(only) or pack_files(kinds, folder):
        tests = list(_tests(tests_beside(pack), kinds, rules, problems))
        found = [run(test, rules) for test in tests]
        outcomes += found
        for rule_id in rule_ids(pack):
            mine = [outcome for outcome in found if outcome.test.rule.id == rule_id]
            lacking += [f"{shown(tests_beside(pack))}: {rule_id}: {case}" for case in missing(rules[rule_id], mine)]
    if problems:
        raise PackError(problems)
    return outcomes, lacking


def read_tests(kinds: Mapping[str, Kind], folder: Path) -> list[PackTest]:
    """Every test of the packs in a folder.

    Raises:
        PackError: listing what cannot be read in packs and tests.
    """
    rules = {rule.id: rule for rule in load_packs(kinds, folder)}
    problems: list[str] = []
    tests = [test for pack in pack_files(kinds, folder) for test in _tests(tests_beside(pack), kinds, rules, problems)]
    if problems:
        raise PackError(problems)
    return tests


def run(test: PackTest, rules: Mapping[str, Rule]) -> Outcome:
    """Tell the story of a test to what judges the city, and compare; ``rules`` by id."""
    try:
        changes = tell(test.rule, test.story, rules)
    except HindsightError as error:
        return Outcome(test, (), (f"{test.where}: {test.rule.id}: {test.name}: {error}",))
    return Outcome(test, tuple(changes), tuple(_disappointed(test, changes)))


def missing(rule: Rule, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Which of the cases that every rule needs are tested by none of these."""
    raised = [any(change.change is Change.RAISED for change in outcome.changes) for outcome in outcomes]
    if not any(raised):
        yield "no test in which it raises"
    if all(raised):
        yield "no test in which it does not raise"
    if not any(change.change is Change.CLEARED for outcome in outcomes for change in outcome.changes):
        yield "no test in which it clears"
    gap = rule.max_gap + (rule.window.length if rule.window else 0)
    if _delayed(rule) and not any(outcome.test.story.longest_gap() > gap for outcome in outcomes):
        yield "no test with a gap longer than max_gap, though it raises after a delay"


def _delayed(rule: Rule) -> bool:
    """Whether a gap may interrupt what would have raised."""
    return rule.input is not Input.SILENCE and any(
        not branch.hold.immediate and not branch.hold.within for branch in rule.branches
    )


def _disappointed(test: PackTest, changes: Sequence[Transition]) -> Iterator[str]:
    for expected in test.expect:
        until = [change for change in changes if change.at <= expected.at]
        state, raised = _state(until), sum(change.change is Change.RAISED for change in until)
        found = []
        if expected.state and expected.state not in {state, state.split()[0]}:
            found.append(f"expected {expected.state}, found {state}")
        if expected.raised is not None and expected.raised != raised:
            found.append(f"expected raised {expected.raised}, found {raised}")
        if found:
            history = ", ".join(_told(change, test.story) for change in changes) or "nothing"
            wrong = " and ".join(found)
            yield f"{test.where}: {test.rule.id}: {test.name}: at {expected.text} {wrong}; it went: {history}"


def _state(changes: Sequence[Transition]) -> str:
    if not changes or changes[-1].change is Change.CLEARED:
        return _NORMAL
    return f"{_ACTIVE} {changes[-1].severity.name.lower()}"


def _told(change: Transition, story: Story) -> str:
    severity = "" if change.change is Change.CLEARED else f" {change.severity.name.lower()}"
    return f"{story.clock(change.at)} {change.change}{severity}"


def _tests(path: Path, kinds: Mapping[str, Kind], rules: Mapping[str, Rule], problems: list[str]) -> Iterator[PackTest]:
    if not path.exists():
        return
    for line, document in documents(path, problems, _TEXTS):
        where = f"{shown(path)}:{line}"
        try:
            yield _test(document, where, kinds, rules)
        except (ValueError, msgspec.ValidationError) as error:
            problems.append(f"{where}: {document.get('name', 'test')}: {error}")


def _test(document: dict[str, Any], where: str, kinds: Mapping[str, Kind], rules: Mapping[str, Rule]) -> PackTest:
    fields = dict(document)
    name, rule_id = fields.pop("name", ""), fields.pop("rule", "")
    if rule_id not in rules:
        raise ValueError(f"rule: {rule_id!r} is not in the packs; they have {', '.join(rules)}")
    raw = convert(fields.pop("expect", []), list[_Expect], strict=False)
    if not name or not raw:
        raise ValueError("a test needs a name that says what happens, and expect")
    story = read_story(fields, rules[rule_id], kinds[rules[rule_id].kind])
    return PackTest(where, name, rules[rule_id], story, tuple(_expectation(each, story) for each in raw))


def _expectation(raw: _Expect, story: Story) -> Expectation:
    if raw.state and raw.state not in _STATES:
        raise ValueError(f"expect: state {raw.state!r} is not one of {', '.join(_STATES)}")
    if not raw.state and raw.raised is None:
        raise ValueError(f"expect: say what is expected at {raw.at}: state or raised")
    at = story.moment(raw.at)
    if at > story.end:
        raise ValueError(f"expect: {raw.at} is after the end of the series; add readings, or until: for silence")
    return Expectation(at, raw.at, raw.state, raw.raised)
