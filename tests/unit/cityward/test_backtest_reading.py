"""What a backtest reads of history: each moment once, however far windows reach back, and no metric in vain."""

from collections.abc import Collection, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cityward.backtest import judging as backtest
from cityward.backtest.judging import Asked, Progress, Side, World
from devices.device import Device
from devices.kind import Kind, load_kinds
from devices.moments import MICROS
from devices.readings import Readings
from devices.registry import Registry
from rules.local_time import LocalTime
from rules.packs import load_packs
from rules.spells import NONE
from rules.windows import DAY, blank

KINDS = load_kinds()
RULES = [rule for rule in load_packs(KINDS) if rule.kind == "fume"]
RESTAURANTS = [
    Device(
        id=number, device_id=f"fume-{number}", kind="fume", name="", district="east", lon=114.3, lat=30.6,
        attributes={"restaurant": name},
    )
    for number, name in enumerate(["Lotus", "Jade", "Lotus", "Pagoda"], start=1)
]  # fmt: skip
SINCE = 1_795_233_600_000_000
UNTIL = SINCE + 3 * DAY


LOCAL = LocalTime(ZoneInfo("Asia/Shanghai"))


def hour_by_hour(kind: Kind, devices: Sequence[int], since: int, until: int, _metrics: Collection[str]) -> Readings:
    """Fans that are on, purifiers that nobody switches on, and much fume."""
    ts = np.arange(since, until, 3600 * MICROS)
    table = blank(kind, np.repeat(devices, len(ts)), np.tile(ts, len(devices)))
    for metric, value in (("fan_on", 1.0), ("purifier_on", 0.0), ("fume", 50.0)):
        table.values[:, kind.position[metric]] = value
    return table


def test_each_moment_is_read_once_and_judged_with_all_that_windows_reach_back_to() -> None:
    read: list[tuple[int, int]] = []
    asked: set[str] = set()
    said: list[Progress] = []

    def hours(kind: Kind, devices: Sequence[int], since: int, until: int, metrics: Collection[str]) -> Readings:
        read.append((since, until))
        asked.update(metrics)
        return hour_by_hour(kind, devices, since, until, metrics)

    world = World(hours, lambda *_: {}, LOCAL, lambda _since: NONE)
    side = Side.of({rule.id for rule in RULES}, RULES, Registry(KINDS, RESTAURANTS))
    found = backtest.run(world, Asked(SINCE, UNTIL), side, None, said.append)
    # The noisiest devices are looked at once more, each by itself, after all has been judged.
    once = read[: len(said) + 1]
    assert once[0] == (SINCE - DAY, SINCE)
    assert [begins for begins, _ in once[1:]] == [ends for _, ends in once[:-1]]
    assert once[-1][1] == UNTIL
    assert found.readings == said[-1].readings == 4 * 3 * 24
    assert {"fan_on", "purifier_on", "fume"} <= asked
    assert {metric.name for metric in KINDS["fume"].metrics} - asked


def test_some_devices_after_the_others_are_judged_as_all_at_once_and_those_of_a_group_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[Sequence[int]] = []
    said: list[Progress] = []

    def some(kind: Kind, devices: Sequence[int], since: int, until: int, metrics: Collection[str]) -> Readings:
        read.append(devices)
        return hour_by_hour(kind, devices, since, until, metrics)

    world = World(some, lambda *_: {}, LOCAL, lambda _since: NONE)
    side = Side.of({rule.id for rule in RULES}, RULES, Registry(KINDS, RESTAURANTS))
    whole = backtest.run(world, Asked(SINCE, UNTIL), side, None, lambda _at: None)
    read.clear()
    monkeypatch.setattr(backtest, "_KEPT", 1)  # not even one device's day
    found = backtest.run(world, Asked(SINCE, UNTIL), side, None, said.append)
    assert {"FU-02", "FU-04"} <= {each.rule_id for each in found.tried}
    assert (found.tried, found.noisy, found.readings) == (whole.tried, whole.noisy, whole.readings)
    portions = read[: len(said) + 3]
    assert [devices for place, devices in enumerate(portions) if devices not in portions[:place]] == [[1, 3], [2], [4]]
    shares = [each.share for each in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1
