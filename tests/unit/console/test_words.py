"""What the console says, in both languages, of what kinds and packs bring along."""

import re
from pathlib import Path

import pytest

from cases.clocks import Allowance
from cases.words import Language, Section, vocabulary
from console.moves import ALARM_MOVES, CASE_MOVES, AlarmMove, CaseMove
from console.pages.rendering import allowance, deed
from console.words import entry
from devices.kind import Kind, load_kinds
from rules.measures import load_measures
from rules.packs import load_packs

KINDS = load_kinds()


def said(key: str) -> bool:
    """Whether there is a word of this key in both languages, each in its own letters."""
    word = entry(key)
    return word.en.isascii() == word.en.isprintable() == bool(word.en) and not word.zh.isascii()


def test_every_problem_has_advice_for_those_who_go_there() -> None:
    packs = {rule.case.problem for rule in load_packs(KINDS) if rule.case}
    problems = packs | {name for name, word in vocabulary()[Section.PROBLEMS].items() if not word.merges_into}
    assert [problem for problem in sorted(problems) if not said(f"crew_advice.{problem}")] == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_limit_metric_and_word_of_a_kind_has_its_name(kind: str) -> None:
    limits = vocabulary()[Section.LIMITS]
    assert [name for name in KINDS[kind].limits if name not in limits or limits[name].zh.isascii()] == []
    keys = [f"attribute.{name}" for name in KINDS[kind].attributes]
    keys += [f"value.{value}" for metric in KINDS[kind].metrics for value in metric.values]
    keys += [f"attribute_value.{value}" for value in words_of_attributes(KINDS[kind])]
    assert [key for key in [*keys, "value.yes", "value.no"] if not said(key)] == []


def words_of_attributes(kind: Kind) -> set[str]:
    """The words of its enumerations; classes such as D400 and zones such as 4a stand by themselves."""
    values = {value for attribute in kind.attributes.values() for value in attribute.values}
    return {value for value in values if value.isalpha() or "_" in value}


def test_whatever_is_written_into_the_record_of_changes_has_its_words() -> None:
    root = Path(__file__).parents[3]
    text = "".join(file.read_text() for folder in ("console", "cityward/cli") for file in (root / folder).rglob("*.py"))
    written = set(re.findall(r'(?:Deed\(Action\.\w+, |write_down\(connection, |record[(,] ?)"([a-z_.]+)"', text))
    assert "user.sign_in_refused" in written
    for action in sorted(written | {f"case.{move}" for move in CaseMove} | {f"alarm.{move}" for move in AlarmMove}):
        assert deed(action, Language.EN) != action != deed(action, Language.ZH) != deed(action, Language.EN)
    fields = {name for plan in (*CASE_MOVES.values(), *ALARM_MOVES.values()) for name in plan.required + plan.optional}
    assert [name for name in sorted(fields) if not said(f"field.{name}")] == []


def test_every_source_of_a_limit_is_named_in_chinese_but_what_is_only_a_standard() -> None:
    limits = [limit for kind in KINDS.values() for limit in kind.limits.values()]
    limits += [limit for measure in load_measures().values() for limit in measure.figures.limits.values()]
    sources = {limit.standard_ref for limit in limits}
    sources |= {change.standard_ref for limit in limits for change in limit.changes if change.standard_ref}
    only_standards = re.compile(r"[A-Z]+\d* ?/?[A-Z\d]* ?[\d.]+-\d{4}")
    known = vocabulary()[Section.SOURCES]
    assert sorted(each for each in sources - known.keys() if not only_standards.fullmatch(each)) == []
    assert sorted(known.keys() - sources) == [], "nobody asks for these"
    assert all(each.zh.isascii() is False for each in known.values())


@pytest.mark.parametrize(
    ("given", "en", "zh"),
    [
        ("30m urgent", "30 minutes", "30分钟"),
        ("1h natural", "1 hour", "1小时"),
        ("1.5d natural", "1.5 days", "1.5天"),
        ("4h office", "4 office hours", "4个工作小时"),
        ("1d work", "1 working day", "1个工作日"),
    ],
)
def test_an_allowance_is_said_as_people_say_it(given: str, en: str, zh: str) -> None:
    for allowed in (given, Allowance.parse(given)):
        assert (allowance(allowed, Language.EN), allowance(allowed, Language.ZH)) == (en, zh)
