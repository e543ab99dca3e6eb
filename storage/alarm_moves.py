"""What people do to alarms: see, shelve, reset. Each call is one transaction, all of its alarms or none."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from psycopg import Connection

from alarms.lifecycle import Event, IllegalMoveError, State, after
from alarms.story import Story
from devices.errors import Permanent
from devices.moments import micros
from rules.verdicts import Change, Transition
from storage import alarm_store, rule_states


class AlarmMoveError(Permanent):
    """What was asked for cannot be done; nothing was."""


class UnknownAlarmError(AlarmMoveError):
    """No alarm has this number."""

    def __init__(self, alarm_id: int) -> None:
        self.alarm_id = alarm_id
        super().__init__(f"there is no alarm {alarm_id}; cityward alarms list shows the open ones")


class AlarmStateError(AlarmMoveError):
    """The alarm's state does not have the move: often somebody was quicker."""

    def __init__(self, alarm_id: int, error: IllegalMoveError) -> None:
        self.alarm_id = alarm_id
        self.state = error.state
        super().__init__(f"alarm {alarm_id}: {error}")


class ShelvedTooLongError(AlarmMoveError):
    """An alarm cannot be shelved for so long, nor for no time at all."""

    def __init__(self, span: timedelta, most: timedelta) -> None:
        self.most = most
        super().__init__(f"an alarm can be shelved for at most {most}, not for {span}; see docs/alarms.md")


class AlarmMoves:
    """The moves of one person at one moment.

    Every method raises ``AlarmMoveError`` naming the alarm and what would be possible.

    Args:
        connection: In autocommit mode.
        at: Now, aware.
        actor: Who does it; it stays on record.
    """

    def __init__(self, connection: Connection, *, at: datetime, actor: str) -> None:
        self._connection = connection
        self._at = at
        self._actor = actor

    def acknowledge(self, ids: Sequence[int], note: str = "") -> None:
        """Somebody has seen them."""
        self._each(ids, lambda story: story.acknowledge(micros(self._at), _because(note)))

    def shelve(self, ids: Sequence[int], *, span: timedelta, reason: str, once: bool = False) -> None:
        """Put them aside for a time, or with ``once`` at most until they clear."""
        if not reason.strip():
            raise AlarmMoveError("say why: a shelved alarm needs a reason")
        most = timedelta(microseconds=alarm_store.policy(self._connection).shelve_at_most)
        if not timedelta() < span <= most:
            raise ShelvedTooLongError(span, most)
        until = micros(self._at + span)
        detail = {"because": reason.strip(), "until": until, "once": once}
        self._each(ids, lambda story: story.shelve(micros(self._at), detail, until=until, once=once))

    def unshelve(self, ids: Sequence[int], reason: str = "") -> None:
        """Take them off the shelf; those still active are announced."""

        def unshelve(story: Story) -> None:
            if story.alarm.hush is not State.SHELVED:
                after(story.alarm.state, Event.UNSHELVED)  # says what would be possible
            story.unhush(micros(self._at), {"because": reason.strip() or f"unshelved by {self._actor}"})

        self._each(ids, unshelve)

    def reset(self, ids: Sequence[int], reason: str) -> None:
        """Somebody has looked at what latched alarms spoke of."""
        if not reason.strip():
            raise AlarmMoveError("say what was found: a latched alarm is reset with a reason")
        self._each(ids, lambda story: story.reset(micros(self._at), _because(reason)))

    def end(self, ids: Sequence[int], reason: str, in_force: Collection[str]) -> None:
        """Say that what alarms spoke of is over, of rules that nobody judges by any more; a latched one stays latched.

        What the rules remember goes with them: one that comes back begins anew.

        Args:
            ids: The alarms.
            reason: Why.
            in_force: The ids of all rules that are judged by; their alarms end with their condition.
        """
        if not reason.strip():
            raise AlarmMoveError("say why: an alarm is ended with a reason")
        at, because = micros(self._at), _because(reason)
        with self._connection.transaction():
            alarms = {alarm.id: alarm for alarm in alarm_store.lock(self._connection, ids)}
            for alarm_id in ids:
                if alarm_id not in alarms:
                    raise UnknownAlarmError(alarm_id)
                alarm = alarms[alarm_id]
                if alarm.rule_id in in_force:
                    raise AlarmMoveError(f"alarm {alarm_id}: {alarm.rule_id} is in force and ends it by its condition")
                if not alarm.present:
                    raise AlarmStateError(alarm_id, IllegalMoveError(alarm.state, Event.CLEARED))
            ended = [
                Transition(Change.CLEARED, each.rule_id, each.rule_version, each.device, each.severity, at, because)
                for each in alarms.values()
            ]
            alarm_store.record(self._connection, ended, self._at, actor=self._actor)
            rule_states.save(self._connection, dict.fromkeys((each.key for each in alarms.values()), None))

    def _each(self, ids: Sequence[int], move: Callable[[Story], None]) -> None:
        with self._connection.transaction():
            stories = {alarm.id: Story(alarm) for alarm in alarm_store.lock(self._connection, ids)}
            for alarm_id in ids:
                if alarm_id not in stories:
                    raise UnknownAlarmError(alarm_id)
                try:
                    move(stories[alarm_id])
                except IllegalMoveError as error:
                    raise AlarmStateError(alarm_id, error) from error
            alarm_store.write(self._connection, list(stories.values()), self._at, self._actor)


def _because(text: str) -> dict[str, str]:
    return {"because": text.strip()} if text.strip() else {}
