"""Pretended crews: they accept what is dispatched to their unit, travel, repair, and report the work done.

A repair ends what is wrong with the device in the simulator, so that its telemetry proves it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from zlib import crc32

from procrastinate import App

from cases.dispatching import Practice
from cases.errors import CaseError
from cases.history import Because
from cases.lifecycle import State
from console.actors import CREW_OF
from devices.registry import GROUP_KIND, Registry
from storage.case_moves import CaseMoves
from storage.connection import Connection
from storage.crew_list import CrewCase, crew_cases
from storage.outbox import deferring_app

_MINUTE = timedelta(minutes=1)
# Minutes of the city for each step, from and to; the simulator has made up to ten minutes of what it sends.
_ACCEPT, _TRAVEL, _SAFE, _REPAIR, _REPORT = (2, 6), (4, 12), (1, 2), (2, 4), (15, 22)
_SLOW = 5  # one case in so many is accepted late
_LATE = 8  # times as late


class Step(Enum):
    """What a crew does next."""

    ACCEPT = auto()
    ARRIVE = auto()
    MAKE_SAFE = auto()
    REPAIR = auto()
    DONE = auto()


def next_step(case: CrewCase, now: datetime, *, repaired: bool) -> Step | None:
    """What a crew does about a case by now; None while it is on its way, at work, or waits for others.

    Args:
        case: How it stands.
        now: The city's time, aware.
        repaired: Whether this crew has ended what is wrong.
    """

    def after(since: datetime | None, span: tuple[int, int], times: int = 1) -> bool:
        low, high = span
        chance = crc32(f"{case.number} {low} {case.rework}".encode()) / 2**32
        return since is not None and now >= since + (low + chance * (high - low)) * times * _MINUTE

    match State(case.state):
        case State.DISPATCHED:
            slow = crc32(case.number.encode()) % _SLOW == 0
            return Step.ACCEPT if after(case.started_at, _ACCEPT, _LATE if slow else 1) else None
        case State.ACCEPTED:
            return Step.ARRIVE if after(case.accepted_at, _TRAVEL) else None
        case State.ON_SITE if case.safe_by is not None and case.safe_at is None:
            return Step.MAKE_SAFE if after(case.arrived_at, _SAFE) else None
        case State.ON_SITE | State.MADE_SAFE:
            if not repaired:
                return Step.REPAIR if after(case.arrived_at, _REPAIR) else None
            return Step.DONE if after(case.arrived_at, _REPORT) else None
    return None


@dataclass(slots=True)
class Crews:
    """All crews of a city.

    Args:
        connection: The database.
        practice: What dispatch goes by.
        registry: The devices and groups.
        tell: Has the pretend city ``repair`` these devices, or ``ask`` them for reports.
    """

    connection: Connection
    practice: Practice
    registry: Registry
    tell: Callable[[str, list[str]], None]
    _jobs: App = field(default_factory=deferring_app)
    _repaired: set[tuple[str, int]] = field(default_factory=set)

    def work(self, now: datetime) -> None:
        """One look of every crew at its list."""
        for unit in self.practice.city.units:
            for case in crew_cases(self.connection, unit):
                if case.unit == unit:
                    self._do(case, now)

    def _do(self, case: CrewCase, now: datetime) -> None:
        key = case.number, case.rework
        step = next_step(case, now, repaired=key in self._repaired)
        if step is None:
            return
        moves = CaseMoves(self.connection, self._jobs, self.practice, at=now, actor=f"{CREW_OF}{case.unit}")
        try:
            match step:
                case Step.ACCEPT:
                    moves.accept(case.number)
                case Step.ARRIVE:
                    moves.arrive(case.number)
                case Step.MAKE_SAFE:
                    moves.make_safe(case.number)
                case Step.REPAIR:
                    self.tell("repair", [*self._devices(case)])
                    self._repaired.add(key)
                case Step.DONE:
                    moves.done(case.number, Because.REPAIRED)
                    self.tell("ask", [*self._devices(case)])
        except CaseError:
            pass  # somebody at the desk was quicker

    def _devices(self, case: CrewCase) -> Iterator[str]:
        """The device, or the members of the group."""
        if case.kind != GROUP_KIND:
            yield case.device_id
            return
        by, *_, kind = case.device_id.split(":")
        members = self.registry.members(kind, tuple(by.split("/"))) if kind in self.registry.kinds else {}
        for number in members.get(case.device_id, ()):
            yield self.registry.devices[int(number)].device_id
