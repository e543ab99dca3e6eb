"""The native payload: what is written is read again, and any bytes at all are read or refused."""

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.kind import Kind, Metric, MetricType
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE
from devices.rejection import Rejected
from tests.unit.devices.gates import (
    CODEC,
    DEVICE,
    GATE,
    KINDS,
    LARGEST_REAL,
    METRICS,
    YEAR_2000,
    YEAR_2100,
    sent,
)


def values_of(metric: Metric) -> st.SearchStrategy[Any]:
    match metric.type:
        case MetricType.BOOL:
            return st.booleans()
        case MetricType.ENUM:
            return st.sampled_from(metric.values)
        case MetricType.TEXT:
            letters = st.characters(codec="utf-8", exclude_characters="\0")
            return st.text(letters, max_size=metric.max_length)
        case MetricType.SMALLINT:
            return st.integers(-(2**15), 2**15 - 1)
        case MetricType.INTEGER:
            return st.integers(-(2**31), 2**31 - 1)
        case _:
            return st.floats(-LARGEST_REAL, LARGEST_REAL)


def documents(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    metrics = st.fixed_dictionaries({}, optional={metric.name: values_of(metric) for metric in kind.metrics})
    return st.fixed_dictionaries(
        {"ts": st.integers(YEAR_2000, YEAR_2100 - 1), "m": metrics},
        optional={"seq": st.integers(0, 2**31 - 1), "type": st.sampled_from(MESSAGE_TYPES)},
    )


def written(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("kind", [*KINDS.values(), GATE], ids=lambda kind: kind.name)
@pytest.mark.parametrize("encode", [written, msgspec.json.encode], ids=["ascii", "utf-8"])
def test_whatever_the_metrics_allow_is_read_as_it_was_written(kind: Kind, encode: Callable[[object], bytes]) -> None:
    codec = NativeCodec(kind)

    @settings(max_examples=30)
    @given(documents=st.lists(documents(kind), min_size=1, max_size=4), alone=st.booleans())
    def check(documents: list[dict[str, Any]], *, alone: bool) -> None:
        wanted = [
            Decoded(
                document["ts"] * 1000,
                document.get("seq", NO_SEQUENCE),
                MESSAGE_TYPES.index(document.get("type", "periodic")),
                tuple(document["m"].get(metric.name) for metric in kind.metrics),
            )
            for document in (documents[:1] if alone else documents)
        ]
        assert codec.decode(encode(documents[0] if alone else documents), DEVICE) == wanted

    check()


def fragments() -> st.SearchStrategy[bytes]:
    """What bytes go wrong with: values of JSON, pieces of it, and noise."""
    pieces = st.sampled_from(
        [b"1e999", b"NaN", b"-Infinity", b'"', b"\\u0000", b"\\ud800", b"\xff", b"\x00", b"[", b"]", b"{", b"}", b","]
    )
    return pieces | st.binary(max_size=4) | json_values().map(written)


def json_values() -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["ts", "m", "seq", "type", "level", "plate", "x"]) | st.text(max_size=4)
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A good payload with a piece of it replaced."""
    payload = written(draw(st.lists(documents(GATE), min_size=1, max_size=2) | documents(GATE)))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(payload))] * 2)))
    return payload[:start] + draw(fragments()) + payload[draw(st.sampled_from([start, end])) :]


@settings(max_examples=400)
@given(st.binary(max_size=64) | json_values().map(written) | spoilt())
@example(sent(rest=', "x": 1e999'))
@example(sent(rest=', "x": "?"').replace(b"?", b"\xff"))
@example(sent(rest=', "?": 1').replace(b"?", b"\xff"))
@example(sent(ts="-" + "9" * 4300))
@example(sent(metrics=f'"count": {"9" * 5000}'))
@example(sent(metrics='"level": 1', rest=', "m": {}, "x": 1'))
def test_whatever_arrives_is_read_to_what_a_table_can_hold_or_refused_with_a_reason(payload: bytes) -> None:
    outcomes = CODEC.decode(payload, DEVICE)
    assert outcomes
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            assert outcome.detail
            continue
        assert YEAR_2000 * 1000 <= outcome.ts < YEAR_2100 * 1000
        assert len(outcome.values) == len(METRICS)
        assert all(math.isfinite(each) for each in outcome.values if isinstance(each, float))
        texts = [*outcome.also_sent, *(each for each in outcome.values if isinstance(each, str))]
        assert not any("\0" in text for text in texts)
        assert all(text.encode() for text in texts if text)
