import pytest

from cases.case import Finding
from cases.history import Because, Occurrence
from cases.lifecycle import Event, Refusal, State
from cases.policy import Colour
from cases.routing import Reason
from cases.supervision import CHAIN
from cases.words import Language, Section, fill, problem_of_case, say, vocabulary

SPOKEN = [
    *[(Section.STATES, state) for state in State],
    *[(section, event) for section in (Section.EVENTS, Section.HEADLINES) for event in (*Event, *Occurrence)],
    *[(Section.SEVERITIES, str(severity)) for severity in range(1, 5)],
    *[(Section.REASONS, reason) for reason in (*Reason, *Because, *Refusal)],
    *[(Section.COLOURS, colour.name.lower()) for colour in Colour if colour],
    *[(Section.FINDINGS, finding) for finding in Finding],
    *[(Section.DETAILS, detail) for detail in (*CHAIN, *(colour.name.lower() for colour in Colour if colour))],
]


@pytest.mark.parametrize(("section", "key"), SPOKEN)
def test_everything_that_is_stored_as_a_word_can_be_said_to_people(section: Section, key: str) -> None:
    assert key in vocabulary()[section]


@pytest.mark.parametrize("section", Section)
def test_no_word_is_empty_in_any_language(section: Section) -> None:
    assert all(word.say(language) for word in vocabulary()[section].values() for language in Language)


def test_no_word_waits_for_something_that_is_never_stored() -> None:
    for section in (Section.STATES, Section.EVENTS, Section.HEADLINES, Section.SEVERITIES, Section.REASONS):
        assert set(vocabulary()[section]) == {key for asked, key in SPOKEN if asked is section}


def test_problems_merge_into_problems_that_exist_and_do_not_merge_further() -> None:
    problems = vocabulary()[Section.PROBLEMS]
    for problem in problems:
        assert problem_of_case(problem) in problems
        assert problem_of_case(problem_of_case(problem)) == problem_of_case(problem)


def test_words_are_said_in_the_language_asked_for() -> None:
    assert say(Section.PROBLEMS, "cover_open", Language.EN) == "manhole cover open"
    assert say(Section.PROBLEMS, "cover_open", Language.ZH) == "井盖开启"


def test_a_problem_of_a_citys_own_rule_is_said_as_it_is_written() -> None:
    assert say(Section.PROBLEMS, "statue_leaning", Language.ZH) == "statue_leaning"


@pytest.mark.parametrize(
    ("count", "days", "english"),
    [
        (1, "1", "east: 1 alarm in 1 day"),
        (0, "0.5", "east: 0 alarms in 0.5 days"),
        (2, "7", "east: 2 alarms in 7 days"),
    ],
)
def test_one_is_not_many(count: int, days: str, english: str) -> None:
    values = {"seat": "east", "alarms": count, "days": days}
    assert fill(say(Section.TABLES, "seat", Language.EN), values) == english
    assert f"{days}天内{count}条告警" in fill(say(Section.TABLES, "seat", Language.ZH), values)
