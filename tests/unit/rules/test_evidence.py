"""What an alarm keeps of the reading that raised it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from devices.readings import Readings
from devices.registry import Registry
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.rule import Rule
from rules.verdicts import Change

NOON = 1_795_190_400_000_000 + 12 * 3600 * 1_000_000
MINUTE = 60_000_000


def test_an_overload_carries_plate_mass_and_axles_and_its_end_nobodys_plate(
    shipped: Mapping[str, Rule],
    registry_of: Callable[..., Registry],
    table_of: Callable[..., Readings],
    local_time: LocalTime,
) -> None:
    lorry: dict[str, Any] = {"gross_t": 63.5, "axles": 6, "speed_kmh": 47}
    lawful = [(1, NOON + minute * MINUTE, {"gross_t": 2.0}) for minute in range(10, 60, 10)]
    table = table_of("bridge", [(1, NOON, lorry), *lawful])
    plates = np.array(["测A12345", *["测B00000"] * len(lawful)], dtype=object)
    table = replace(table, texts={"plate": plates})
    verdicts = Engine([shipped["BR-04"]], registry_of("bridge"), local_time).step([table])
    raised, cleared = verdicts.transitions
    assert (raised.change, raised.at) == (Change.RAISED, NOON)
    assert raised.detail["evidence"] == {"plate": "测A12345", "gross_t": 63.5, "axles": 6, "speed_kmh": 47}
    assert cleared.change is Change.CLEARED
    assert "evidence" not in cleared.detail
