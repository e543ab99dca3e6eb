"""What devices of one kind have measured and are about to send, as columns; and its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kind import Metric, MetricType
from devices.readings import MESSAGE_TYPES, Floats, Ints
from devices.topics import device_topic
from simulators.population import Population

_EVENT = MESSAGE_TYPES.index("event")
_WHOLE = {MetricType.SMALLINT, MetricType.INTEGER}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reports:
    """``n`` reports of one kind in order of device and time.

    Attributes:
        population: The devices.
        rows: ``(n,)`` rows of the population.
        ts: ``(n,)`` the device's time, µs, whole ms.
        arrives: ``(n,)`` when the broker has it, µs.
        seq: ``(n,)`` the device's own counter.
        type: ``(n,)`` positions in ``MESSAGE_TYPES``.
        values: ``(n, metrics)``, NaN where a report does not carry the metric.
        texts: A list of texts or None for each metric of type text.
    """

    population: Population
    rows: Ints
    ts: Ints
    arrives: Ints
    seq: Ints
    type: Ints
    values: Floats
    texts: dict[str, list[str | None]]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Ints | NDArray[np.bool_]) -> "Reports":
        """The reports at these positions, in that order."""
        chosen = np.flatnonzero(positions) if positions.dtype == np.bool_ else positions
        return Reports(
            self.population,
            self.rows[chosen],
            self.ts[chosen],
            self.arrives[chosen],
            self.seq[chosen],
            self.type[chosen],
            self.values[chosen],
            {name: [column[at] for at in chosen.tolist()] for name, column in self.texts.items()},
        )

    def topics(self) -> list[str]:
        """Where each is published."""
        names = _topics(self.population)
        return [names[row][code == _EVENT] for row, code in zip(self.rows.tolist(), self.type.tolist(), strict=True)]

    def payloads(self) -> list[bytes]:
        """Each as native JSON; reports with the same metrics are built together."""
        metrics = self.population.kind.metrics
        present = ~np.isnan(self.values)
        for position, metric in enumerate(metrics):
            if metric.name in self.texts:
                present[:, position] = [text is not None for text in self.texts[metric.name]]
        pattern = present @ (1 << np.arange(len(metrics), dtype=np.int64))
        found: list[bytes] = [b""] * len(self)
        ts, seq, kinds = (self.ts // 1000).tolist(), self.seq.tolist(), self.type.tolist()
        for code in np.unique(pattern).tolist():
            here = np.flatnonzero(pattern == code)
            carried = [position for position in range(len(metrics)) if code >> position & 1]
            names = [metrics[position].name for position in carried]
            columns = [self._column(metrics[position], position, here) for position in carried]
            for at, *values in zip(here.tolist(), *columns, strict=True):
                document = {
                    "ts": ts[at], "seq": seq[at], "m": dict(zip(names, values, strict=True)),
                    "type": MESSAGE_TYPES[kinds[at]],
                }  # fmt: skip
                found[at] = _encode(document)
        return found

    def _column(self, metric: Metric, position: int, here: Ints) -> Sequence[object]:
        if metric.type is MetricType.TEXT:
            column = self.texts[metric.name]
            return [column[at] for at in here.tolist()]
        values = self.values[here, position]
        if metric.type is MetricType.ENUM:
            return [metric.values[code] for code in values.astype(np.int64).tolist()]
        if metric.type is MetricType.BOOL:
            return list((values != 0).tolist())
        return list(values.astype(np.int64).tolist() if metric.type in _WHOLE else values.tolist())


@lru_cache(maxsize=16)
def _topics(population: Population) -> list[tuple[str, str]]:
    """For each device its topic for usual reports and the one for what cannot wait."""
    return [
        (
            device_topic(each.district, each.kind, each.device_id),
            device_topic(each.district, each.kind, each.device_id, "event"),
        )
        for each in population.devices
    ]
