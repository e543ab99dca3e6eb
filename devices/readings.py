"""A table of readings of one kind, as NumPy columns: what flows from the decoder to the table and the rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kind import Kind, MetricType

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_SEQUENCE = -1
MESSAGE_TYPES = ("periodic", "event", "heartbeat")
_WHOLE_NUMBERS = ("device", "ts", "received_at", "seq", "type", "quality", "message", "part")


@dataclass(frozen=True, slots=True)
class Readings:
    """``n`` readings of one kind.

    Attributes:
        kind: The kind; its metrics name the columns of ``values``.
        device: ``(n,)`` registry ids.
        ts: ``(n,)`` device time, microseconds since 1970 UTC.
        received_at: ``(n,)`` arrival time, microseconds since 1970 UTC.
        seq: ``(n,)`` the device's own counter, ``NO_SEQUENCE`` where it sent none.
        type: ``(n,)`` positions in ``MESSAGE_TYPES``.
        quality: ``(n,)`` bits of ``Quality``.
        message: ``(n,)`` which message of the batch each reading came in.
        part: ``(n,)`` which reading of that message it is, from 0.
        values: ``(n, metrics)``; NaN where a reading does not carry the metric. Booleans are 0 and 1, enumerations
            the position of their word.
        texts: ``(n,)`` objects (str or None) for each metric of type text.
    """

    kind: Kind
    device: Ints
    ts: Ints
    received_at: Ints
    seq: Ints
    type: Ints
    quality: Ints
    message: Ints
    part: Ints
    values: Floats
    texts: dict[str, NDArray[np.object_]]

    def __len__(self) -> int:
        return len(self.ts)

    def metric(self, name: str) -> Floats:
        """The column of a metric; KeyError if the kind has none of that name."""
        return self.values[:, self.kind.position[name]]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Readings":
        """The readings at these positions, in that order."""
        return Readings(
            kind=self.kind,
            device=self.device[rows],
            ts=self.ts[rows],
            received_at=self.received_at[rows],
            seq=self.seq[rows],
            type=self.type[rows],
            quality=self.quality[rows],
            message=self.message[rows],
            part=self.part[rows],
            values=self.values[rows],
            texts={name: column[rows] for name, column in self.texts.items()},
        )

    def where(self, true: NDArray[np.bool_]) -> "Readings":
        """The readings for which it is true."""
        return self if true.all() else self.take(true)

    def kept(self) -> "Readings":
        """The same readings as their table gives them back: numbers of 32 bits by their shortest text."""
        values = self.values.copy()
        for column, metric in enumerate(self.kind.metrics):
            if metric.type is MetricType.REAL:
                numbers = values[:, column]
                # Six digits go through 32 bits and back unchanged; NaN is left as it is.
                long = ~((np.abs(numbers) < 10_000) & (np.round(numbers, 2) == numbers) | np.isnan(numbers))
                numbers[long] = numbers[long].astype(np.float32).astype(str).astype(np.float64)
        return replace(self, values=values)

    @classmethod
    def joined(cls, tables: Sequence["Readings"]) -> "Readings":
        """Tables of one kind as one, in order of device and time; equal ones stay in the order given."""
        order = np.lexsort([np.concatenate([getattr(table, name) for table in tables]) for name in ("ts", "device")])
        # One column after the other: large tables are not there once more on the way.
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(table, name) for table in tables])[order]
            for name in (*_WHOLE_NUMBERS, "values")
        }
        texts = {name: np.concatenate([table.texts[name] for table in tables])[order] for name in tables[0].texts}
        return cls(kind=tables[0].kind, texts=texts, **columns)
