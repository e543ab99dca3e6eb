"""A dispatcher whose machine had the wrong time."""

import asyncio
import threading
from datetime import timedelta

from structlog.testing import capture_logs

from cityward.dispatch import dispatch
from cityward.settings import Settings
from devices.registry import Registry
from tests.integration.making import NOON, Hands
from tests.waiting import PATIENCE, eventually


def test_a_dispatcher_whose_clock_is_set_back_starts_over_instead_of_waiting_for_tomorrow(
    dsn: str, registry: Registry
) -> None:
    assert registry.devices
    clock, stop = Hands(NOON + timedelta(days=1)), threading.Event()
    with capture_logs() as logs:
        running = threading.Thread(target=lambda: asyncio.run(dispatch(Settings(), dsn, clock, stop)))
        running.start()

        def said(event: str, times: int = 1) -> bool:
            return [line["event"] for line in logs].count(event) == times or not running.is_alive()

        try:
            eventually(lambda: said("dispatching"), "at work")
            clock.at = NOON
            eventually(lambda: said("dispatching", 2), "at work again")
        finally:
            stop.set()
            running.join(PATIENCE)
    assert [line["problem"] for line in logs if line["event"] == "waiting"] == [
        "the clock of this machine was set back: starting over by what it shows now"
    ]
