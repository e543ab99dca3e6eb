"""A limit to try is the limit, whatever day it is."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from cityward.backtest.judging import with_limits
from devices.kind import LimitChange, load_kinds

KINDS = load_kinds()


def test_a_limit_that_is_tried_holds_on_every_day_and_for_every_device() -> None:
    noise = KINDS["noise"]
    name, limit = next((name, limit) for name, limit in noise.limits.items() if limit.by)
    later = LimitChange(values=limit.values, valid_from=date(2027, 1, 1))
    dated = msgspec.structs.replace(limit, valid_from=date(2026, 1, 1), changes=(later,))
    kinds = {"noise": replace(noise, limits={name: dated})}
    tried = with_limits(kinds, {name: 33.0})["noise"].limits[name]
    assert [(step.value, step.valid_from) for step in tried.steps({})] == [(33.0, None)]
    assert kinds["noise"].limits[name] == dated, "the kind itself stays"


def test_a_limit_that_no_kind_has_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no kind has a limit called tlt"):
        with_limits(KINDS, {"tlt": 10.0})
