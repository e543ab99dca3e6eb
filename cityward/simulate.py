"""The pretend city as a process: publishes until it is stopped, and says exactly how much."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from devices.broker import Broker
from simulators.city import CITY_FILE, PretendCity, write_registry
from simulators.fleet import Fleet
from simulators.publish import Clock, run

_LEAP = timedelta(minutes=1)


@dataclass(slots=True)
class Leaping:
    """A clock for those who cannot wait: every look at it finds a minute gone, until it is ``end``."""

    start: datetime
    end: datetime
    _shown: datetime | None = None

    def now(self) -> datetime:
        """The time, aware."""
        self._shown = self.start if self._shown is None else min(self.end, self._shown + _LEAP)
        return self._shown


@dataclass(frozen=True, slots=True)
class Pace:
    """How the city's time goes: by which clock, until when (None: for ever), at how many messages a second at most."""

    clock: Clock
    until: datetime | None = None
    rate: float | None = None


def write_city(city: PretendCity, folder: Path) -> tuple[Path, Path]:
    """The pretend city as files to import: its city file and its registry."""
    folder.mkdir(parents=True, exist_ok=True)
    city_file, registry = folder / "city.toml", folder / "devices.csv"
    city_file.write_text(CITY_FILE.read_text(encoding="utf-8"), encoding="utf-8")
    write_registry(city, registry)
    return city_file, registry


async def simulate(
    fleet: Fleet,
    pace: Pace,
    *,
    broker: Broker,
    tls: ssl.SSLContext | None,
    gateways: int,
    stop: threading.Event,
    report: Callable[[int, datetime], None],
) -> int:
    """Publish until the end or ``stop``; the number of messages that the broker has acknowledged."""
    stopping = asyncio.Event()
    watching = asyncio.create_task(_follow(stop, stopping))
    try:
        return await run(
            fleet,
            pace.clock,
            broker,
            tls=tls,
            stop=stopping,
            report=report,
            until=pace.until,
            gateways=gateways,
            rate=pace.rate,
        )
    finally:
        watching.cancel()


async def _follow(stop: threading.Event, stopping: asyncio.Event) -> None:
    """Carry a signal's event into the event loop."""
    while not await asyncio.to_thread(stop.wait, 0.2):
        pass
    stopping.set()
