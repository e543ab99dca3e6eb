from typing import Any

import pytest

from alarms.hushing import Cause, Explanation, explained
from alarms.policy import AlarmPolicy, read_policy
from alarms.storms import weigh
from rules.rule import Severity

MINUTE = 60_000_000


def test_a_city_that_says_nothing_gets_the_defaults() -> None:
    assert read_policy({}) == AlarmPolicy()


def test_what_a_city_says_counts() -> None:
    policy = read_policy(
        {
            "chatter": {"times": 5, "within": "1m", "quiet": "2m"},
            "remind": {"least": "critical"},
            "storm": {"begin": 30, "holds": "major"},
            "shelve_at_most": "1h",
        }
    )
    assert (policy.chatter.times, policy.chatter.within, policy.chatter.quiet) == (5, MINUTE, 2 * MINUTE)
    assert (policy.remind.least, policy.remind.times) == (Severity.CRITICAL, 3)
    assert (policy.storm.begin, policy.storm.end, policy.storm.holds) == (30, 5, Severity.MAJOR)
    assert policy.shelve_at_most == 60 * MINUTE


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"chatter": {"times": -1}}, "chatter.times"),
        ({"chater": {}}, "unknown field `chater`"),
        ({"chatter": {"within": "soon"}}, "chatter.within: 'soon' is not a duration: write 30s"),
        ({"storm": {"holds": "small"}}, "storm.holds: 'small' is not one of notice, minor, major, critical"),
        ({"storm": {"begin": 3, "end": 4}}, "it ends below 4, which is more than the 3 at which it begins"),
        ({"remind": {"least": "no"}}, "remind.least"),
        ({"shelve_at_most": "x"}, "shelve_at_most: 'x'"),
    ],
)
def test_what_cannot_be_is_named(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        read_policy(document)


def test_a_storm_begins_above_its_threshold_and_ends_below_the_lower_one() -> None:
    storm = AlarmPolicy().storm
    assert weigh({"east": 10, "west": 11}, [], storm).begins == ["west"]
    assert weigh({"east": 5, "west": 4}, ["east", "west", "north"], storm).ends == ["north", "west"]
    assert weigh({"west": 50}, ["west"], storm).begins == []


def test_a_city_without_storms_has_none_and_ends_those_it_had() -> None:
    storm = read_policy({"storm": {"begin": 0}}).storm
    assert weigh({"west": 1000}, [], storm).begins == []
    assert weigh({"west": 1000}, ["west"], storm).ends == ["west"]


def explanation(alarm: int, by: int) -> Explanation:
    return Explanation(alarm, by, "SL-07", f"device-{by}", Cause.PARENT_SILENT)


def test_the_first_explanation_counts() -> None:
    assert explained([explanation(1, 2), explanation(1, 3)], {})[1].by == 2


def test_what_explains_each_other_round_in_a_circle_leaves_one_that_is_heard() -> None:
    circle = [explanation(1, 2), explanation(2, 3), explanation(3, 1)]
    assert set(explained(circle, {})) == {1, 2}


def test_what_is_already_suppressed_by_an_alarm_cannot_explain_it() -> None:
    assert explained([explanation(1, 2)], {2: 3, 3: 1}) == {}
    assert explained([explanation(1, 2)], {2: 3}) == {1: explanation(1, 2)}
