"""One alarm, what can happen to it, and what is then written down. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from alarms.lifecycle import ACTIVE, LATCHED, SEEN, Event, State, after, state_of
from rules.rule import Severity
from rules.verdicts import Key


class Held(StrEnum):
    """Why an alarm is active although its condition is gone."""

    LATCH = "latch"  # until a person has looked
    CHATTER = "chatter"  # until it has been quiet for a while


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm as it is stored. Times in microseconds since 1970 UTC; ``id`` is None until it is stored.

    ``raised_at`` is its latest activation. ``chatter`` counts the activations since ``chattering_since``, and stays
    when the chatter is over. At most one of ``shelved_until``, ``suppressed_by`` (the id of the alarm that explains
    this one) and ``permit`` (the id of a work permit) is there. ``shelved_once``: the shelf ends when the alarm clears.
    """

    id: int | None
    rule_id: str
    rule_version: str
    device: int
    severity: Severity
    active: bool
    acknowledged: bool
    raised_at: int
    cleared_at: int | None = None
    occurrences: int = 1
    held: Held | None = None
    chattering_since: int | None = None
    chatter: int = 0
    shelved_until: int | None = None
    shelved_once: bool = False
    suppressed_by: int | None = None
    permit: int | None = None

    @property
    def key(self) -> Key:
        """What an open alarm is unique by."""
        return (self.rule_id, self.device)

    @property
    def hush(self) -> State | None:
        """Which hush it is under, if any."""
        if self.permit is not None:
            return State.OUT_OF_SERVICE
        if self.suppressed_by is not None:
            return State.SUPPRESSED
        return State.SHELVED if self.shelved_until is not None else None

    @property
    def unhushed(self) -> State:
        """The state that it would be in without its hush."""
        return state_of(active=self.active, acknowledged=self.acknowledged, latched=self.held is Held.LATCH)

    @property
    def state(self) -> State:
        """Derived from the memories."""
        return self.hush or self.unhushed

    @property
    def open(self) -> bool:
        """Whether what happens next is still this alarm's."""
        return self.state is not State.NORMAL

    @property
    def present(self) -> bool:
        """Whether its condition is there, as far as the rule has said."""
        return self.active and self.held is None


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """A line of an alarm's history.

    ``at`` is event time, microseconds since 1970 UTC. ``hushed``: it would have been announced, were the alarm not
    hushed or chattering.
    """

    key: Key
    event: Event
    severity: Severity
    at: int
    detail: Mapping[str, Any]
    hushed: bool = False


@dataclass(slots=True)
class Story:
    """One alarm and what is written down about it; ``touched`` if it must be stored."""

    alarm: Alarm
    events: list[AlarmEvent] = field(default_factory=list)
    touched: bool = False

    def happens(self, event: Event, at: int, detail: Mapping[str, Any]) -> None:
        """Move the alarm by its table and write it down.

        Raises:
            IllegalMoveError: if the table does not know the move.
        """
        alarm = self.alarm
        after(alarm.state, event)
        moved = after(alarm.unhushed, event)
        held = alarm.held if moved in ACTIVE and event is not Event.RAISED else None
        self.alarm = replace(
            alarm, active=moved in ACTIVE, acknowledged=moved in SEEN, held=Held.LATCH if moved in LATCHED else held
        )
        self._write(event, at, detail)

    def acknowledge(self, at: int, detail: Mapping[str, Any]) -> None:
        """Somebody has said "seen".

        Raises:
            IllegalMoveError: if somebody had already.
        """
        self.happens(Event.ACKNOWLEDGED, at, detail)

    def reset(self, at: int, detail: Mapping[str, Any]) -> None:
        """Somebody has looked at a latched alarm, and has thereby seen it.

        Raises:
            IllegalMoveError: if its condition is still there, or it is over.
        """
        if self.alarm.held is Held.LATCH and not self.alarm.acknowledged:
            self.acknowledge(at, detail)
        after(self.alarm.unhushed, Event.RESET)
        self.happens(Event.RESET, at, detail)
        self._cleared(at)

    def end(self, at: int, detail: Mapping[str, Any], *, latches: bool) -> None:
        """The condition is gone: the alarm clears, or is latched where a person must look."""
        if latches:
            self.happens(Event.LATCHED, at, detail)
        else:
            self.happens(Event.CLEARED, at, detail)
            self._cleared(at)

    def calm(self, at: int, *, latches: bool) -> None:
        """The chatter is over; if the condition is gone, the alarm has now cleared."""
        alarm = self.alarm
        because = f"chattered {alarm.chatter} times"
        self.alarm = replace(alarm, chattering_since=None)
        self.happens(Event.CALMED, at, {"because": because, "times": alarm.chatter, "since": alarm.chattering_since})
        if alarm.held is Held.CHATTER:
            self.alarm = replace(self.alarm, held=None)
            self.end(at, {"because": "it has not come back since"}, latches=latches)

    def shelve(self, at: int, detail: Mapping[str, Any], *, until: int, once: bool) -> None:
        """Somebody wants it out of the way until then, or ``once``: until it clears.

        Raises:
            IllegalMoveError: if it is over, or hushed already.
        """
        self._hush(Event.SHELVED, at, detail)
        self.alarm = replace(self.alarm, shelved_until=until, shelved_once=once)

    def suppress(self, at: int, detail: Mapping[str, Any], *, by: int) -> None:
        """Another alarm explains it.

        Raises:
            IllegalMoveError: if it is over, or hushed already.
        """
        self._hush(Event.SUPPRESSED, at, detail)
        self.alarm = replace(self.alarm, suppressed_by=by)

    def take_out(self, at: int, detail: Mapping[str, Any], *, permit: int) -> None:
        """Its facility is out of service under a work permit.

        Raises:
            IllegalMoveError: if it is over, or hushed already.
        """
        self._hush(Event.TAKEN_OUT, at, detail)
        self.alarm = replace(self.alarm, permit=permit)

    def unhush(self, at: int, detail: Mapping[str, Any]) -> None:
        """The hush of an alarm ends: it is normal, or raised anew if it is still active."""
        alarm, hush = self.alarm, self.alarm.hush
        assert hush is not None  # noqa: S101 - who calls knows that it is hushed
        self._write(_ENDS[hush], at, detail)
        self.alarm = replace(
            alarm, active=False, acknowledged=True, held=None,
            shelved_until=None, shelved_once=False, suppressed_by=None, permit=None,
        )  # fmt: skip
        if alarm.active:
            self.alarm = replace(self.alarm, raised_at=at, occurrences=alarm.occurrences + 1)
            self.happens(Event.RAISED, at, {**detail, "after": hush.value})
        if alarm.held is Held.LATCH:
            self.happens(Event.LATCHED, at, detail)
        elif alarm.held is Held.CHATTER:
            self.alarm = replace(self.alarm, held=Held.CHATTER)

    def _hush(self, event: Event, at: int, detail: Mapping[str, Any]) -> None:
        after(self.alarm.state, event)
        self._write(event, at, detail)

    def _cleared(self, at: int) -> None:
        self.alarm = replace(self.alarm, cleared_at=at)
        if self.alarm.shelved_once:
            self.unhush(at, {"because": "cleared"})

    def _write(self, event: Event, at: int, detail: Mapping[str, Any]) -> None:
        hushed = event is Event.REPEATED or (event in ANNOUNCED and self.alarm.hush is not None)
        self.touched = True
        self.events.append(AlarmEvent(self.alarm.key, event, self.alarm.severity, at, detail, hushed))


ANNOUNCED = frozenset({Event.RAISED, Event.ESCALATED, Event.REMINDED})
_ENDS = {
    State.SHELVED: Event.UNSHELVED,
    State.SUPPRESSED: Event.UNSUPPRESSED,
    State.OUT_OF_SERVICE: Event.PUT_BACK,
}
