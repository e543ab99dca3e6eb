"""The city's time by the machine's clock, whatever happens to that."""

import time
from datetime import UTC, datetime

import pytest

from cityward.clock import Clock
from devices.moments import MICROS

MINUTE = 60 * MICROS


@pytest.mark.parametrize("factor", [1, 60])
def test_a_clock_that_is_corrected_stands_still_and_one_that_had_been_wrong_is_set_back(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = 1_795_000_000 * MICROS
    clock = Clock(factor, anchor=datetime.fromtimestamp(wall / MICROS, UTC))

    def shown(after: int) -> float:
        monkeypatch.setattr(time, "time_ns", lambda: (wall + after) * 1000)
        return (clock.micros() - wall) / factor

    assert [shown(after) for after in (0, 5 * MINUTE, 4 * MINUTE + 1, 6 * MINUTE)] == [
        0,
        5 * MINUTE,
        5 * MINUTE,
        6 * MINUTE,
    ]
    assert shown(-60 * MINUTE) == -60 * MINUTE
    assert shown(-59 * MINUTE) == -59 * MINUTE
