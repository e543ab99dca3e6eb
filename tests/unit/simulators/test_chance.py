"""Numbers that nobody has to draw in order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators.chance import HOUR, Chance, keys_of

WHO = keys_of([f"device-{number}" for number in range(20_000)])
STEPS = np.arange(20_000)


def test_the_same_seed_quantity_device_and_step_give_the_same_number_in_any_company() -> None:
    together = Chance(1).uniform("tilt", WHO, STEPS)
    alone = [float(Chance(1).uniform("tilt", WHO[at : at + 1], STEPS[at : at + 1])[0]) for at in (0, 77, 19_999)]
    assert alone == [together[0], together[77], together[-1]]


def test_another_seed_quantity_device_or_step_gives_others() -> None:
    usual = Chance(1).uniform("tilt", WHO, STEPS)
    others = [
        Chance(2).uniform("tilt", WHO, STEPS),
        Chance(1).uniform("level", WHO, STEPS),
        Chance(1).uniform("tilt", WHO[::-1], STEPS),
        Chance(1).uniform("tilt", WHO, STEPS + 1),
    ]
    for other in others:
        assert abs(np.corrcoef(usual, other)[0, 1]) < 0.03


def test_numbers_are_spread_evenly_over_devices_and_over_steps() -> None:
    first = np.broadcast_to(WHO[:1], WHO.shape)
    for numbers in (Chance(3).uniform("x", WHO, np.zeros_like(STEPS)), Chance(3).uniform("x", first, STEPS)):
        counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
        assert counts.min() > 850
        assert counts.max() < 1150


def test_normal_numbers_have_mean_0_and_deviation_1() -> None:
    numbers = Chance(4).normal("x", WHO, STEPS)
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.03
    assert np.isfinite(numbers).all()


@given(at=st.integers(0, 2**51), hours=st.floats(0.01, 100))
def test_what_wanders_stays_within_1_and_moves_little_in_a_moment(at: int, hours: float) -> None:
    moment = round(hours * HOUR / 1000)
    here, later = (float(Chance(5).wander("x", WHO[:1], np.array([each]), hours)[0]) for each in (at, at + moment))
    assert -1 <= here <= 1
    assert abs(here - later) < 0.01
