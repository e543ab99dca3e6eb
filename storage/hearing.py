"""Who has been heard: signs of life gathered between two updates of ``device_status``, in bulk."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Ints, Readings

_NO_LAG = np.iinfo(np.int64).max  # µs; where nothing new was heard


class Hearing:
    """What each device was heard of since the last update; times in microseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._heard: list[tuple[Ints, ...]] = []  # device, time, arrival, whether it was live, lag; a tuple a table
        self._also_sent: dict[int, set[str]] = defaultdict(set)

    def add(self, readings: Readings, fresh: NDArray[np.bool_], also_sent: Mapping[int, set[str]]) -> None:
        """Duplicates and late readings too are signs of life; a replay is none, but tells when there was one.

        What a gateway repeats is none at all: the gateway lives, the device may be dead.
        """
        live = (readings.quality & int(Quality.REPLAYED)) == 0
        lag = np.where(live & fresh, readings.received_at - readings.ts, _NO_LAG)
        columns = (readings.device, readings.ts, readings.received_at, live.astype(np.int64), lag)
        own = (readings.quality & int(Quality.REPEATED)) == 0
        self._heard.append(columns if own.all() else tuple(column[own] for column in columns))
        if also_sent:
            for device in np.unique(readings.device[own]).tolist():
                self._also_sent[device] |= also_sent.get(device, set())

    def columns(self) -> dict[str, list[Any]] | None:
        """For each device heard: last time, last arrival, how many readings, the lag, unknown keys; None if none was.

        An array of readings is sent when its last one is measured: the smallest lag of an arrival is the clock's and
        the way's. Of several arrivals the last one counts.
        """
        if not sum(len(columns[0]) for columns in self._heard):
            return None
        device, ts, received_at, live, lag = (np.concatenate(parts) for parts in zip(*self._heard, strict=True))
        order = np.lexsort((-lag, received_at, device))
        device, ts, received_at, live, lag = (column[order] for column in (device, ts, received_at, live, lag))
        devices, starts = np.unique(device, return_index=True)
        known = np.flatnonzero(lag != _NO_LAG)
        lags = dict(zip(device[known].tolist(), lag[known].tolist(), strict=True))  # a device's last row stays
        return {
            "devices": devices.tolist(),
            "ts": np.maximum.reduceat(ts, starts).tolist(),
            "received_at": np.maximum.reduceat(received_at, starts).tolist(),
            "readings": np.add.reduceat(live, starts).tolist(),
            "lags": [lags.get(each) for each in devices.tolist()],
            "also_sent": [" ".join(sorted(self._also_sent.get(each, ()))) for each in devices.tolist()],
        }

    def clear(self) -> None:
        """What was heard has been committed."""
        self._heard.clear()
        self._also_sent.clear()
