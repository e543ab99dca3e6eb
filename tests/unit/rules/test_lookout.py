"""Who is looked at and who is not: nobody is missed whom a look at all devices would have found."""

from collections.abc import Callable, Mapping
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import Ints
from devices.registry import Registry
from rules.local_time import LocalTime
from rules.lookout import Lookout, Signs
from rules.rule import Rule
from rules.silence import Heard, SilenceAlarm, watch
from rules.verdicts import Change, Key, Transition

MINUTE = 60_000_000
NOON = 1_795_147_200_000_000
DEVICES = (1, 2, 3)


class City:
    """What devices have sent, and what a watchdog has made of it that looks at all or at some."""

    def __init__(self, rule: Rule, registry: Registry, local_time: LocalTime) -> None:
        self.rule, self.registry, self.local_time = rule, registry, local_time
        self.heard: dict[int, Heard] = {}
        self.asked: list[list[int]] = []
        self._active: dict[Key, SilenceAlarm] = {}
        self._lookout = Lookout([rule], registry)

    def hear(self, device: int, at: int) -> None:
        known = self.heard.get(device, Heard(0, 0))
        self.heard[device] = Heard(at, known.readings + 1)

    def ask(self, devices: Ints) -> Signs:
        self.asked.append(devices.tolist())
        found = [(each, self.heard[each]) for each in devices.tolist() if each in self.heard]
        columns = [each for each, _ in found], [each.last for _, each in found], [each.readings for _, each in found]
        return Signs(*(np.array(column, dtype=np.int64) for column in columns))

    def look(self, now: int) -> None:
        """Asserts that both watchdogs find the same."""
        some = self._lookout.look(now, {device for _, device in self._active}, self.ask)
        found = self._watch(some, now)
        assert found == self._watch(self.heard, now)
        for change in found:
            if change.change is Change.RAISED:
                self._active[change.rule_id, change.device] = SilenceAlarm(change.detail["readings"])
            else:
                del self._active[change.rule_id, change.device]

    def _watch(self, heard: Mapping[int, Heard], now: int) -> list[Transition]:
        return watch([self.rule], self.registry, self.local_time, heard, self._active, now).transitions


@pytest.fixture
def city(shipped: Mapping[str, Rule], registry_of: Callable[..., Registry], local_time: LocalTime) -> City:
    """Three noise meters, which may be silent for 30 minutes."""
    return City(shipped["NO-06"], registry_of("noise"), local_time)


@given(
    steps=st.lists(st.tuples(st.integers(0, 40), st.lists(st.sampled_from(DEVICES), max_size=4)), max_size=30),
)
def test_whatever_devices_send_the_same_alarms_come_of_it_as_if_all_were_looked_at(
    steps: list[tuple[int, list[int]]],
    shipped: Mapping[str, Rule],
    registry_of: Callable[..., Registry],
    local_time: LocalTime,
) -> None:
    city = City(shipped["NO-06"], registry_of("noise"), local_time)
    for now, (_, speakers) in zip(
        accumulate((minutes * MINUTE for minutes, _ in steps), initial=NOON), steps, strict=False
    ):
        for device in speakers:
            city.hear(device, now)
        city.look(now)


def test_who_was_heard_is_not_asked_for_until_it_may_be_silent(city: City) -> None:
    for device in DEVICES:
        city.hear(device, NOON - device * MINUTE)
    for minute in (0, 1, 27, 28):
        city.look(NOON + minute * MINUTE)
    assert city.asked == [[1, 2, 3], [], [], [3]]


def test_who_is_in_alarm_is_asked_for_at_every_look(city: City) -> None:
    city.hear(2, NOON - 31 * MINUTE)
    for minute in (0, 1):
        city.look(NOON + minute * MINUTE)
    assert city.asked == [[1, 2, 3], [2]]


def test_who_was_never_heard_is_asked_for_every_five_minutes(city: City) -> None:
    for minute in (0, 5, 6):
        city.look(NOON + minute * MINUTE)
    assert city.asked == [[1, 2, 3], [], [1, 2, 3]]


def test_a_device_that_was_heard_by_a_clock_a_day_ahead_is_asked_for_when_it_could_be_missed(city: City) -> None:
    city.hear(1, NOON + 24 * 60 * MINUTE)
    city.look(NOON)
    city.hear(1, NOON + MINUTE)
    city.look(NOON + 32 * MINUTE)
    assert city.asked == [[1, 2, 3], [1, 2, 3]]
