"""The pretend city as a process: publishes until it is stopped, and says exactly how much."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cityward.clock import Clock
from devices.broker import Broker
from simulators.city import CITY_FILE, PretendCity, write_registry
from simulators.faults import Fault
from simulators.fleet import Fleet
from simulators.publish import run

DUPLICATES, GARBAGE = 0.01, 0.002  # shares of messages; NB-IoT repeats about one in a hundred


def write_city(city: PretendCity, folder: Path) -> tuple[Path, Path]:
    """The pretend city as files to import: its city file and its registry."""
    folder.mkdir(parents=True, exist_ok=True)
    city_file, registry = folder / "city.toml", folder / "devices.csv"
    city_file.write_text(CITY_FILE.read_text(encoding="utf-8"), encoding="utf-8")
    write_registry(city, registry)
    return city_file, registry


async def simulate(
    city: PretendCity,
    faults: Sequence[Fault],
    *,
    seed: int,
    broker: Broker,
    tls: ssl.SSLContext | None,
    clock: Clock,
    stop: threading.Event,
    report: Callable[[int], None],
) -> int:
    """Publish until ``stop`` is set; the number of messages that the broker has acknowledged."""
    fleet = Fleet(city, faults, seed, garbage_rate=GARBAGE, duplicate_rate=DUPLICATES)
    stopping = asyncio.Event()
    watching = asyncio.create_task(_follow(stop, stopping))
    try:
        return await run(fleet, clock, broker, tls=tls, stop=stopping, report=report)
    finally:
        watching.cancel()


async def _follow(stop: threading.Event, stopping: asyncio.Event) -> None:
    """Carry a signal's event into the event loop."""
    while not await asyncio.to_thread(stop.wait, 0.2):
        pass
    stopping.set()
