"""Columns to PostgreSQL's binary COPY format, a whole batch at once in NumPy.

Every row is first laid out at full width, as if no field were NULL; then the bytes of NULL fields and the padding of
short texts are masked out. About 0.4 µs a row instead of 2 µs with one Python call a row.
Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.kind import Metric, MetricType
from devices.readings import NO_SEQUENCE, Readings

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = -1
# PostgreSQL counts time from 2000-01-01 UTC.
_EPOCH_2000 = 946_684_800_000_000

_Bools = NDArray[np.bool_]
_Bytes = NDArray[np.uint8]


class _Field:
    """A column of one field: its bytes at fixed width, the length of each value, -1 where it is NULL."""

    def __init__(self, data: _Bytes, lengths: NDArray[np.int32]) -> None:
        self.data = data
        self.lengths = lengths

    @classmethod
    def fixed(cls, values: NDArray[np.generic], dtype: str, null: _Bools | None = None) -> "_Field":
        raw = values.astype(dtype)
        lengths = np.full(len(raw), raw.dtype.itemsize, dtype=np.int32)
        if null is not None:
            lengths[null] = _NULL
        return cls(raw.view(np.uint8).reshape(len(raw), -1), lengths)

    @classmethod
    def text(cls, values: Sequence[str | None]) -> "_Field":
        encoded = [b"" if value is None else value.encode() for value in values]
        lengths = np.array([_NULL if value is None else len(raw) for value, raw in zip(values, encoded, strict=True)])
        width = max(map(len, encoded), default=0)
        data = np.frombuffer(b"".join(raw.ljust(width, b"\0") for raw in encoded), dtype=np.uint8)
        return cls(data.reshape(len(encoded), width), lengths.astype(np.int32))


def rows(readings: Readings, *, ordinals: bool = False) -> bytes:
    """Readings as a binary COPY stream, in the order of the table's columns.

    Args:
        readings: What to write; at least one.
        ordinals: Add the row's position as a last column, for the staging table.
    """
    fields = [
        _Field.fixed(readings.ts - _EPOCH_2000, ">i8"),
        _Field.fixed(readings.device, ">i4"),
        _Field.fixed(readings.received_at - _EPOCH_2000, ">i8"),
        _Field.fixed(readings.quality, ">i2"),
        _Field.fixed(readings.seq, ">i4", readings.seq == NO_SEQUENCE),
        _Field.fixed(readings.type, ">i2"),
        *(_metric(readings, metric) for metric in readings.kind.metrics),
    ]
    if ordinals:
        fields.append(_Field.fixed(np.arange(len(readings)), ">i4"))
    return _HEADER + _join(fields, len(readings)) + _TRAILER


_DTYPES = {
    MetricType.REAL: ">f4",
    MetricType.DOUBLE: ">f8",
    MetricType.SMALLINT: ">i2",
    MetricType.INTEGER: ">i4",
    MetricType.BOOL: "?",
    MetricType.ENUM: ">i2",
}


def _metric(readings: Readings, metric: Metric) -> _Field:
    if metric.type is MetricType.TEXT:
        return _Field.text(readings.texts[metric.name].tolist())
    column = readings.metric(metric.name)
    null = np.isnan(column)
    return _Field.fixed(np.where(null, 0, column), _DTYPES[metric.type], null)


def _join(fields: Sequence[_Field], count: int) -> bytes:
    width = 2 + sum(4 + field.data.shape[1] for field in fields)
    laid_out = np.empty((count, width), dtype=np.uint8)
    kept = np.ones((count, width), dtype=bool)
    laid_out[:, :2] = np.frombuffer(len(fields).to_bytes(2, "big"), dtype=np.uint8)
    at = 2
    for field in fields:
        size = field.data.shape[1]
        laid_out[:, at : at + 4] = field.lengths.astype(">i4").view(np.uint8).reshape(count, 4)
        laid_out[:, at + 4 : at + 4 + size] = field.data
        if (field.lengths != size).any():
            kept[:, at + 4 : at + 4 + size] = np.arange(size) < field.lengths[:, None]
        at += 4 + size
    return laid_out[kept].tobytes()
