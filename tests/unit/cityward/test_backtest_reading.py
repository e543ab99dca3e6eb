"""What a backtest reads of history: each moment once, however far windows reach back, and no metric in vain."""

from collections.abc import Collection, Sequence
from zoneinfo import ZoneInfo

import numpy as np

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
    Device(id=number, device_id=f"fume-{number}", kind="fume", name="", district="east", lon=114.3, lat=30.6)
    for number in (1, 2)
]
SINCE = 1_795_233_600_000_000
UNTIL = SINCE + 3 * DAY


def test_each_moment_is_read_once_and_judged_with_all_that_windows_reach_back_to() -> None:
    read: list[tuple[int, int]] = []
    asked: set[str] = set()
    said: list[Progress] = []

    def hours(kind: Kind, devices: Sequence[int], since: int, until: int, metrics: Collection[str]) -> Readings:
        read.append((since, until))
        asked.update(metrics)
        ts = np.arange(since, until, 3600 * MICROS)
        table = blank(kind, np.repeat(devices, len(ts)), np.tile(ts, len(devices)))
        table.values[:, kind.position["fan_on"]] = 1.0  # and a purifier that nobody switches on
        table.values[:, kind.position["purifier_on"]] = 0.0
        return table

    world = World(hours, lambda *_: {}, LocalTime(ZoneInfo("Asia/Shanghai")), lambda _since: NONE)
    side = Side.of({rule.id for rule in RULES}, RULES, Registry(KINDS, RESTAURANTS))
    found = backtest.run(world, Asked(SINCE, UNTIL), side, None, said.append)
    # The noisiest devices are looked at once more, each by itself, after all has been judged.
    once = read[: len(said) + 1]
    assert once[0] == (SINCE - DAY, SINCE)
    assert [begins for begins, _ in once[1:]] == [ends for _, ends in once[:-1]]
    assert once[-1][1] == UNTIL
    assert found.readings == said[-1].readings == 2 * 3 * 24
    assert {"fan_on", "purifier_on", "fume"} <= asked
    assert {metric.name for metric in KINDS["fume"].metrics} - asked
