"""What devices of the pretend city send is what devices/ reads: both sides against the same golden payloads."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from devices.kind import KINDS_FOLDER, Kind, MetricType, load_kinds
from devices.readings import MESSAGE_TYPES
from devices.topics import parse
from simulators.device import Device
from simulators.population import Population
from simulators.reports import Reports

KINDS = load_kinds()


def sent_as_it_is_read(path: Path) -> bool:
    """Whether a golden payload is one plain reading, without keys that the kind does not know."""
    case = json.loads(path.read_text(encoding="utf-8"))
    payload, expected = case.get("payload"), case["expect"]
    plain = isinstance(payload, dict) and isinstance(payload.get("ts"), int) and "seq" in payload and "type" in payload
    return plain and "readings" in expected and not expected.get("also_sent") and case["topic"].count("/") == 4


GOLDEN = [path for path in sorted(KINDS_FOLDER.glob("*/golden/*.json")) if sent_as_it_is_read(path)]


def as_report(kind: Kind, case: dict[str, Any]) -> Reports:
    """The reading that the golden file expects, as a report of the device on its topic."""
    topic = parse(case["topic"])
    assert topic is not None
    [wanted] = case["expect"]["readings"]
    device = Device(
        device_id=topic.device_id, kind=kind.name, name="", district=topic.district, grid="", lon=0, lat=0, road="",
        road_class="", component_class="", trait=0,
    )  # fmt: skip
    values, texts = np.full((1, len(kind.metrics)), np.nan), {}
    for position, metric in enumerate(kind.metrics):
        value = wanted["metrics"].get(metric.name)
        if metric.type is MetricType.TEXT:
            texts[metric.name] = [value]
        elif value is not None:
            values[0, position] = metric.values.index(value) if metric.type is MetricType.ENUM else value
    ts = np.array([wanted["ts"] * 1000])
    kinds, seq = np.array([MESSAGE_TYPES.index(wanted["type"])]), np.array([wanted["seq"]])
    return Reports(Population(kind, [device]), np.array([0]), ts, ts, seq, kinds, values, texts)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_report_of_the_expected_reading_is_the_golden_payload(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    report = as_report(KINDS[path.parts[-3]], case)
    assert report.topics() == [case["topic"]]
    [payload] = report.payloads()
    assert msgspec.json.decode(payload) == case["payload"]
    assert list(msgspec.json.decode(payload)) == ["ts", "seq", "m", "type"]


def test_every_kind_is_compared_in_more_than_one_shape() -> None:
    compared = [path.parts[-3] for path in GOLDEN]
    assert all(compared.count(kind) >= 2 for kind in KINDS)
