"""Telling the story of a pack test to what judges the city."""

from collections.abc import Iterator, Mapping

from devices.moments import MICROS
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.rule import Rule
from rules.testing_story import ZONE, Story
from rules.verdicts import Transition

_WATCHED_EVERY = 60 * MICROS
_CITY = LocalTime(ZONE)


def tell(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> list[Transition]:
    """Every change of the alarm that a story is about, in order of time.

    Args:
        rule: The rule.
        story: What happens.
        rules: By id, those of whose alarms the rule may ask among them.

    Raises:
        HindsightError: if a rule crashes.
    """
    figures = dict(story.figures)
    sight = Hindsight(
        {each.id: each for each in _with_those_it_asks(rule, rules)}.values(),
        story.registry,
        _CITY,
        permits=story.permits,
        ask=lambda _, at: {story.subject: figures[at]} if at in figures else {},
        watched_every=_WATCHED_EVERY,
    )
    since = story.start - 1 if figures else story.start  # the first figures are those of the beginning
    changes = sight.slice(story.readings, since, story.end + 1)
    return [change for change in changes if (change.rule_id, change.device) == (rule.id, story.subject)]


def _with_those_it_asks(rule: Rule, rules: Mapping[str, Rule]) -> Iterator[Rule]:
    yield rule
    for name in rule.asked:
        yield from _with_those_it_asks(rules[name], rules)
