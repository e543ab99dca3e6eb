"""The time of a trial, a tick after the other: what arrives is collected, then the dispatcher does what is due.

Nobody is outrun: the dispatcher's time goes on when everything that arrived until then is in the ledger, and the next
tick begins when it has judged every window, written every case and rests.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cityward.trial.errors import TrialError
from cityward.trial.line import line
from cityward.trial.stage import Stage
from devices.errors import StoppedError
from devices.moments import micros
from simulators.fleet import Fleet
from storage import waking
from storage.connection import Connection, connect
from storage.outcome import received_since

_PATIENCE = 120.0  # seconds for a tick: far more than any takes
_LOOK = 0.008  # seconds between two looks into the ledger
_HEAR = 0.5  # seconds after which the dispatcher is woken again: it may have been loading the registry


@dataclass(frozen=True, slots=True)
class Course:
    """From when until when, in steps of how much; aware times, whole steps."""

    begins: datetime
    ends: datetime
    tick: timedelta

    def ticks(self) -> Iterator[tuple[datetime, datetime]]:
        """Each from when until when."""
        since = self.begins
        while since < self.ends:
            until = min(since + self.tick, self.ends)
            yield since, until
            since = until


def drive(
    stage: Stage,
    fleet: Fleet,
    course: Course,
    *,
    stop: threading.Event,
    report: Callable[[datetime, int], None],
) -> tuple[datetime, int]:
    """Let the city's time pass; until when it did, and how many messages were published.

    Args:
        stage: What is at work.
        fleet: Who publishes.
        course: The time.
        stop: Ends it early; a tick that has begun does not count.
        report: Told after each tick what time it is and how many messages there were.

    Raises:
        TrialError: if a process or a server breaks off.
        StoppedError: if somebody stops it before anything has happened.
    """
    reached, published = course.begins, 0
    with line(stage.broker) as way, connect(stage.dsn, name="cityward evaluate, listening") as ears:
        waking.listen_for_rest(ears)
        waiting = _Waiting(stage, ears, stop)
        for since, until in course.ticks():
            messages = list(fleet.messages(since, until))
            try:
                stage.collected.move(until)
                way.publish(messages)
                waiting.for_collector(until, len(messages))
                stage.decided.move(until)
                waiting.for_dispatcher(until)
            except (TrialError, StoppedError):
                # Ctrl-C ends the embedded broker too, and a tick that has begun may not come to its end.
                if not stop.is_set() or reached == course.begins:
                    raise
                break
            reached = until
            published += len(messages)
            report(until, published)
    return reached, published


@dataclass(slots=True)
class _Waiting:
    """Waits for the processes; the ledger counts by minute."""

    stage: Stage
    ears: Connection
    stop: threading.Event
    minute: datetime | None = None
    arrived: int = 0

    def for_collector(self, until: datetime, more: int) -> None:
        """Until these messages, which arrived at ``until``, are in the ledger."""
        minute = until.replace(second=0, microsecond=0)
        self.arrived = more + (self.arrived if minute == self.minute else 0)
        self.minute = minute
        self._for(lambda: received_since(self.stage.connection, minute) >= self.arrived, _LOOK)

    def for_dispatcher(self, until: datetime) -> None:
        """Until the dispatcher has done everything that is due at ``until``."""
        at = micros(until)

        def rests() -> bool:
            waking.wake(self.stage.connection)
            return waking.rests(self.ears, at, _HEAR)

        self._for(rests, 0)

    def _for(self, so: Callable[[], bool], every: float) -> None:
        give_up = time.monotonic() + _PATIENCE
        while not so():
            self.stage.check()
            if self.stop.wait(every):
                raise StoppedError("stopped before anything has happened")
            if time.monotonic() > give_up:
                raise TrialError(f"a tick did not end within {_PATIENCE:g} s; see the logs in {self.stage.folder}")
