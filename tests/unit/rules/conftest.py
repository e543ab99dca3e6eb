"""Readings and rules from short notation."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from devices.columns import AttributeValue
from devices.device import Device
from devices.kind import Kind, MetricType, load_kinds
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Readings
from devices.registry import Registry
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.packs import load_packs
from rules.rule import Rule
from rules.verdicts import Key, RuleState

Value = float | str | bool
Row = tuple[int, int, Mapping[str, Value]]  # device, microseconds since 1970 UTC, metrics

_CITY = ZoneInfo("Asia/Shanghai")
_WUHAN = (30.6, 114.3)
_START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
_MINUTE = 60_000_000


@pytest.fixture(scope="session")
def kinds() -> Mapping[str, Kind]:
    return load_kinds()


@pytest.fixture(scope="session")
def local_time() -> LocalTime:
    return LocalTime(_CITY)


@pytest.fixture(scope="session")
def shipped(kinds: Mapping[str, Kind]) -> Mapping[str, Rule]:
    """The rules that ship, by id."""
    return {rule.id: rule for rule in load_packs(kinds)}


@pytest.fixture(scope="session")
def registry_of(kinds: Mapping[str, Kind]) -> Callable[..., Registry]:
    """``registry_of("noise")``: three devices of a kind, numbered from 1, all described alike."""

    def build(
        kind: str,
        *,
        limits: Mapping[str, float] | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        road_class: str = "",
        position: tuple[float, float] = _WUHAN,
    ) -> Registry:
        devices = [
            Device(
                id=number,
                device_id=f"{kind}-{number}",
                kind=kind,
                name="",
                district="east",
                lat=position[0],
                lon=position[1],
                road_class=road_class,
                limits=limits or {},
                attributes=attributes or {},
            )
            for number in (1, 2, 3)
        ]
        return Registry(kinds, devices)

    return build


@pytest.fixture(scope="session")
def table_of(kinds: Mapping[str, Kind]) -> Callable[..., Readings]:
    """``table_of("noise", [(1, ts, {"lmax": 70})])``: in order of device and time, as the decoder leaves them."""

    def build(kind_name: str, rows: Sequence[Row], quality: Quality = Quality.GOOD) -> Readings:
        kind = kinds[kind_name]
        rows = sorted(rows, key=lambda row: row[:2])
        values = np.full((len(rows), len(kind.metrics)), np.nan)
        for number, (_, _, metrics) in enumerate(rows):
            for name, value in metrics.items():
                values[number, kind.position[name]] = _stored(kind, name, value)
        ts = np.array([row[1] for row in rows], dtype=np.int64)
        return Readings(
            kind=kind,
            device=np.array([row[0] for row in rows], dtype=np.int64),
            ts=ts,
            received_at=ts,
            seq=np.full(len(rows), NO_SEQUENCE),
            type=np.zeros(len(rows), dtype=np.int64),
            quality=np.full(len(rows), int(quality)),
            message=np.arange(len(rows)),
            part=np.zeros(len(rows), dtype=np.int64),
            values=values,
            texts={},
        )

    return build


@pytest.fixture(scope="session")
def rule_of(kinds: Mapping[str, Kind], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Rule]:
    """``rule_of("raise: tilt > 15", "for: 10m")``: a rule as a pack would state it."""
    numbers = count()

    @cache
    def build(*lines: str, kind: str = "manhole", rule_id: str = "T-01") -> Rule:
        severity = () if any(line.startswith("severity:") for line in lines) else ("severity: minor",)
        text = [
            f"id: {rule_id}",
            "name: {en: a test, zh: 试验}",
            f"kind: {kind}",
            *severity,
            *lines,
            "case: {problem: test, fix: 1d work}",
            "source: a test",
        ]
        folder = tmp_path_factory.mktemp(f"pack{next(numbers)}")
        (folder / "test.yaml").write_text("- " + "\n  ".join(text), encoding="utf-8")
        return load_packs(kinds, folder)[0]

    return build


@pytest.fixture(scope="session")
def engine_of(registry_of: Callable[..., Registry], local_time: LocalTime) -> Callable[..., Engine]:
    """An engine for rules about noise meters; zone 2, hence 60 dB(A) by day."""

    def build(*rules: Rule, states: Mapping[Key, RuleState] | None = None, kind: str = "noise") -> Engine:
        return Engine(rules, registry_of(kind), local_time, states)

    return build


@pytest.fixture(scope="session")
def laeq(table_of: Callable[..., Readings]) -> Callable[..., Readings]:
    """``laeq({0: 70, 1: 72})``: levels of device 1 by minute; None for a reading that carries another metric."""

    def build(levels: Mapping[float, float | None], *, device: int = 1, quality: Quality = Quality.GOOD) -> Readings:
        rows = [
            (device, _START + round(minute * _MINUTE), {"rain": 0} if level is None else {"laeq": level})
            for minute, level in levels.items()
        ]
        return table_of("noise", rows, quality)

    return build


def _stored(kind: Kind, name: str, value: Value) -> float:
    metric = kind.metric(name)
    if metric.type is MetricType.ENUM:
        return metric.values.index(str(value))
    if metric.type is MetricType.BOOL:
        return {"true": 1.0, "false": 0.0}[str(value).lower()]
    return float(value)
