"""The golden payloads of every kind: what devices send, and what is to be read in it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from devices.codecs import codecs_of
from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.device import Device
from devices.kind import KINDS_FOLDER, Kind, load_kinds
from devices.readings import MESSAGE_TYPES
from devices.rejection import Rejected
from devices.topics import DeviceTopic, parse

KINDS = load_kinds()
FILES = sorted(KINDS_FOLDER.glob("*/golden/*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_golden_payload_is_read_as_it_says(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    kind = KINDS[path.parts[-3]]
    topic = parse(case["topic"])
    assert topic is not None
    assert topic.kind == kind.name
    outcomes = decoded(case, kind, topic)
    expected = case["expect"]
    if "rejected" in expected:
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Rejected)] == [expected["rejected"]]
        return
    read = [outcome for outcome in outcomes if isinstance(outcome, Decoded)]
    assert len(read) == len(outcomes) == len(expected["readings"]) > 0
    for reading, wanted in zip(read, expected["readings"], strict=True):
        assert (reading.ts, reading.seq) == (wanted["ts"] * 1000, wanted["seq"])
        assert MESSAGE_TYPES[reading.type] == wanted["type"]
        assert exactly(metrics_of(reading, kind)) == exactly(wanted["metrics"])
    assert sorted({key for reading in read for key in reading.also_sent}) == expected.get("also_sent", [])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_golden_payloads_of_each_sort(kind: str) -> None:
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in FILES if path.parts[-3] == kind]
    assert len(cases) >= 4
    assert any("rejected" in case["expect"] for case in cases)
    assert any(len(case["expect"].get("readings", ())) > 1 for case in cases)
    assert any(case["expect"].get("also_sent") for case in cases)


def decoded(case: dict[str, Any], kind: Kind, topic: DeviceTopic) -> Sequence[Decoded | Rejected]:
    if not topic.codec:
        return NativeCodec(kind).decode(payload_of(case), topic.device_id)
    device = Device(
        id=1,
        device_id=topic.device_id,
        kind=kind.name,
        name="",
        district=topic.district,
        lon=114.3,
        lat=30.6,
        attributes=case.get("attributes", {}),
    )
    return codecs_of(kind)[topic.codec].decode(payload_of(case), device)


def payload_of(case: dict[str, Any]) -> bytes:
    if "payload_text" in case:
        return str(case["payload_text"]).encode()
    return json.dumps(case["payload"], ensure_ascii=False).encode()


def metrics_of(reading: Decoded, kind: Kind) -> dict[str, Any]:
    named = zip((metric.name for metric in kind.metrics), reading.values, strict=True)
    return {name: value for name, value in named if value is not None}


def exactly(metrics: dict[str, Any]) -> dict[str, tuple[bool, Any]]:
    """Metrics such that true is not 1."""
    return {name: (isinstance(value, bool), value) for name, value in metrics.items()}
