"""Columns to PostgreSQL's binary COPY format, a whole batch at once in NumPy.

Every row is first laid out at full width, as if no field were NULL; then the bytes of NULL fields and the padding of
short texts are masked out. About 0.4 µs a row instead of 2 µs with one Python call a row.
Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kind import MetricType
from devices.readings import NO_SEQUENCE, Readings

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = -1
# PostgreSQL counts time from 2000-01-01 UTC.
_EPOCH_2000 = 946_684_800_000_000
_BASE = (">i8", ">i4", ">i8", ">i2", ">i4", ">i2")  # ts, device, received_at, quality, seq, type
_SEQ = 4
_ORDINAL = ">i4"
_FORMATS = {
    MetricType.REAL: ">f4",
    MetricType.DOUBLE: ">f8",
    MetricType.SMALLINT: ">i2",
    MetricType.INTEGER: ">i4",
    MetricType.BOOL: "?",
    MetricType.ENUM: ">i2",
}


def rows(readings: Readings, *, ordinals: bool = False) -> bytes:
    """Readings as a binary COPY stream, in the order of the table's columns.

    Args:
        readings: What to write; at least one.
        ordinals: Add the row's position as a last column, for the staging table.
    """
    count, metrics = len(readings), readings.kind.metrics
    values: list[NDArray[Any]] = [
        readings.ts - _EPOCH_2000,
        readings.device,
        readings.received_at - _EPOCH_2000,
        readings.quality,
        readings.seq,
        readings.type,
        *readings.values.T,
    ]
    formats = [*_BASE, *(_FORMATS.get(metric.type, "") for metric in metrics)]
    base, texts = len(_BASE), {}
    for field, metric in enumerate(metrics, start=base):
        if metric.type is MetricType.TEXT:
            texts[field] = [None if text is None else text.encode() for text in readings.texts[metric.name].tolist()]
            values[field] = np.array([text or b"" for text in texts[field]])
            formats[field] = values[field].dtype.str
    if ordinals:
        values.append(np.arange(count))
        formats.append(_ORDINAL)

    layout = _layout(tuple(formats))
    absent = np.zeros((count, len(formats)), dtype=bool)
    absent[:, _SEQ] = readings.seq == NO_SEQUENCE
    absent[:, base : base + len(metrics)] = np.isnan(readings.values)
    lengths = np.where(absent, _NULL, layout.sizes)
    for field, column in texts.items():
        lengths[:, field] = [_NULL if text is None else len(text) for text in column]
    return _HEADER + layout.join(values, lengths) + _TRAILER


@dataclass(frozen=True, slots=True)
class _Layout:
    """Rows of fields at full width: two bytes with the number of fields, then each one's length and value.

    ``sizes`` are the fields' widths; ``field`` and ``place`` say for each byte of a row which byte of which field it
    is, a byte that is always there counting as the first of field 0.
    """

    row: np.dtype[np.void]
    sizes: NDArray[np.int32]
    field: NDArray[np.intp]
    place: NDArray[np.int32]

    def join(self, values: Sequence[NDArray[Any]], lengths: NDArray[np.int32]) -> bytes:
        """The rows, without the bytes that a length says are not there."""
        table = np.empty(len(lengths), dtype=self.row)
        table["fields"] = len(values)
        with np.errstate(invalid="ignore"):  # NaN is no whole number, and is cut out below
            for number, column in enumerate(values):
                table[f"length {number}"], table[f"value {number}"] = lengths[:, number], column
        if (lengths == self.sizes).all():
            return table.tobytes()
        raw = table.view(np.uint8).reshape(len(table), self.row.itemsize)
        return raw[self.place < lengths[:, self.field]].tobytes()


@lru_cache(maxsize=256)
def _layout(formats: tuple[str, ...]) -> _Layout:
    row: list[tuple[str, str]] = [("fields", ">i2")]
    field, place = [0, 0], [0, 0]
    for number, each in enumerate(formats):
        row += [(f"length {number}", ">i4"), (f"value {number}", each)]
        size = np.dtype(each).itemsize
        field += [0] * 4 + [number] * size
        place += [0] * 4 + [*range(size)]
    sizes = [np.dtype(each).itemsize for each in formats]
    return _Layout(np.dtype(row), np.array(sizes, dtype=np.int32), np.array(field), np.array(place, dtype=np.int32))
