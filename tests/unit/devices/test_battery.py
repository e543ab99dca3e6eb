"""Which batteries are low: by the device's limit, else the kind's, else the project's."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from devices.battery import is_low
from devices.kind import load_kinds

COVER = load_kinds()["manhole"]
UNLIMITED = replace(COVER, limits={})


@pytest.mark.parametrize(
    ("limits", "latest", "low"),
    [
        ({}, {"battery_pct": 80, "tilt": 1}, False),
        ({}, {"battery_pct": 3}, True),
        ({}, {"battery_v": 3.6}, False),
        ({}, {"battery_v": 2.0}, True),
        ({}, {"battery_pct": 80, "battery_v": 2.0}, True),
        ({"battery_pct_low": 90}, {"battery_pct": 80}, True),
        ({"battery_pct_low": 1}, {"battery_pct": 3}, False),
        ({}, {}, False),
    ],
)
def test_a_battery_is_low_below_the_limit_in_force(
    limits: Mapping[str, float], latest: Mapping[str, float], *, low: bool
) -> None:
    assert is_low(COVER, limits, latest) is low


def test_a_kind_without_a_limit_has_the_projects_share_and_no_voltage() -> None:
    assert is_low(UNLIMITED, {}, {"battery_pct": 19.9})
    assert not is_low(UNLIMITED, {}, {"battery_pct": 20, "battery_v": 0.1})
