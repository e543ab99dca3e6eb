"""Payloads of a gate, a kind with a metric of every type."""

from dataclasses import replace

from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.kind import Metric, MetricType, load_kinds
from devices.rejection import Rejected

KINDS = load_kinds()
METRICS = (
    Metric("level", MetricType.REAL, "m", "", range=(0, 5)),
    Metric("energy", MetricType.DOUBLE, "kWh", "", range=(0, 1e9)),
    Metric("signal", MetricType.SMALLINT, "1", "", range=(0, 31)),
    Metric("count", MetricType.INTEGER, "1", "", range=(0, 65535)),
    Metric("wet", MetricType.BOOL, "", ""),
    Metric("state", MetricType.ENUM, "", "", values=("shut", "open")),
    Metric("plate", MetricType.TEXT, "", "", max_length=8),
)
GATE = replace(KINDS["manhole"], name="gate", metrics=METRICS, limits={}, attributes={})
CODEC = NativeCodec(GATE)
DEVICE = "gate-7"
NOON = 1_795_291_200_000  # ms
YEAR_2000, YEAR_2100 = 946_684_800_000, 4_102_444_800_000  # ms
LARGEST_REAL = 3.4028234e38


def sent(*, ts: str = str(NOON), metrics: str = '"level": 1.5', rest: str = "") -> bytes:
    return f'{{"ts": {ts}, "m": {{{metrics}}}{rest}}}'.encode()


def read(payload: bytes) -> Decoded:
    [outcome] = CODEC.decode(payload, DEVICE)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def refused(payload: bytes) -> Rejected:
    [outcome] = CODEC.decode(payload, DEVICE)
    assert isinstance(outcome, Rejected), outcome
    assert outcome.detail
    return outcome


def value(metric: str, text: str) -> float | bool | str | None:
    return read(sent(metrics=f'"{metric}": {text}')).values[GATE.position[metric]]
