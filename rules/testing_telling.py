"""Telling the story of a pack test to what judges the city: the engine, the windows, the watchdog."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from rules.closing import close
from rules.durations import MICROS
from rules.engine import Engine
from rules.frame import Frame
from rules.jobs import judge_figures
from rules.local_time import LocalTime
from rules.measures import load_measures
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.silence import Heard, SilenceAlarm, watch
from rules.spells import OPEN, Spell, Spells
from rules.testing_story import ZONE, Story
from rules.verdicts import Change, Key, Transition, Verdicts
from rules.windows import frame_of

_WATCHED_EVERY = 60 * MICROS
_CITY = LocalTime(ZONE)


class StoryError(Exception):
    """A rule crashed over a story."""


def tell(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> list[Transition]:
    """Every change of the alarm that a story is about, in order of time.

    Args:
        rule: The rule.
        story: What happens.
        rules: By id, those of whose alarms the rule may ask among them.

    Raises:
        StoryError: if the rule crashes.
    """
    return [change for change in _tell(rule, story, rules) if change.device == story.subject]


def _tell(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> list[Transition]:
    verdicts = _TELLERS[rule.input](rule, story, rules)
    for crash in verdicts.crashes:
        raise StoryError(f"{crash.rule_id} crashed: {crash.detail}")
    return verdicts.transitions


def _tell_readings(rule: Rule, story: Story, _rules: Mapping[str, Rule]) -> Verdicts:
    return Engine([rule], story.registry, _CITY, permits=story.permits).step([story.readings])


def _tell_windows(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> Verdicts:
    """Every window that ends within the story."""
    if rule.window is None:
        raise StoryError("a rule about windows without a window")
    windows = rule.window.between(_CITY, story.start, story.end)
    frame = frame_of(story.readings, windows, Frame(story.readings, story.registry, _CITY, story.permits))
    return close(rule, frame, Memory(), alarms=_alarms(rule, story, rules))


def _tell_figures(rule: Rule, story: Story, _rules: Mapping[str, Rule]) -> Verdicts:
    """The figures of each day, as the dispatcher asks for them."""
    measure, memory, told = load_measures()[rule.measure], Memory(), Verdicts()
    for at, figures in story.figures:
        answer = {story.subject: figures}
        verdicts = judge_figures(rule, measure, at, answer, story.registry, _CITY, memory, permits=story.permits)
        for (_, group), state in verdicts.states.items():
            memory.keep(group, state)
        told.transitions.extend(verdicts.transitions)
        told.crashes.extend(verdicts.crashes)
    return told


def _tell_silence(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> Verdicts:
    """The watchdog once a minute, as the dispatcher runs it."""
    active: dict[Key, SilenceAlarm] = {}
    told, alarms = Verdicts(), _alarms(rule, story, rules)
    arrivals = story.readings.ts
    for now in range(int(arrivals[0]), story.end + 1, _WATCHED_EVERY):
        readings = int(np.searchsorted(arrivals, now, side="right"))
        heard = {story.subject: Heard(int(arrivals[readings - 1]), readings)}
        verdicts = watch([rule], story.registry, _CITY, heard, active, now, alarms=alarms)
        for change in verdicts.transitions:
            if change.change is Change.RAISED:
                active[rule.id, story.subject] = SilenceAlarm(readings)
            else:
                active.clear()
        told.transitions.extend(verdicts.transitions)
        told.crashes.extend(verdicts.crashes)
    return told


def _alarms(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> Spells:
    """Of the rules that a rule's conditions ask for."""
    return Spells.of(spell for alarm in sorted(rule.asked) for spell in _spells(rules[alarm], story, rules))


def _spells(rule: Rule, story: Story, rules: Mapping[str, Rule]) -> Iterator[Spell]:
    """When alarms of a rule are active in the story."""
    since: dict[int, int] = {}
    for change in _tell(rule, story, rules):
        if change.change is Change.RAISED:
            since[change.device] = change.at
        elif change.change is Change.CLEARED:
            yield Spell(rule.id, change.device, since.pop(change.device), change.at)
    for device, at in since.items():
        yield Spell(rule.id, device, at, OPEN)


_TELLERS: Mapping[Input, Callable[[Rule, Story, Mapping[str, Rule]], Verdicts]] = {
    Input.READING: _tell_readings,
    Input.WINDOW: _tell_windows,
    Input.GROUP: _tell_windows,
    Input.JOB: _tell_figures,
    Input.SILENCE: _tell_silence,
}
