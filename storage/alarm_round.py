"""The dispatcher's rounds over alarms: what is hushed, what comes up again, what becomes a storm.

Everything is written in the transaction that is open on the connection.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from alarms import storms
from alarms.hushing import Cause, Explanation, explained
from alarms.lifecycle import ALARM_TRANSITIONS, Event
from alarms.policy import AlarmPolicy
from alarms.story import ANNOUNCED, Story
from devices.moments import micros
from rules.verdicts import Change, Transition
from storage import alarm_store
from storage.queries import load

DISPATCHER = "dispatcher"
_SQL = load("alarm_round")
_MINUTE = 60_000_000  # µs


@dataclass(frozen=True, slots=True)
class News:
    """An event that dispatch has not taken up."""

    id: int
    alarm_id: int
    event: Event


@dataclass(frozen=True, slots=True)
class Raging:
    """A storm: its district, its alarm, the number of the desk, since when (UTC), how many alarms it holds back."""

    district: str
    alarm: int
    desk: int
    since: datetime
    held_back: int


def attend(connection: Connection, news: Sequence[News], now: datetime) -> set[int]:
    """Hush what must be hushed before dispatch takes it up; the numbers of the events that nobody is to be told of."""
    ids = {each.alarm_id for each in news if each.event in ANNOUNCED}
    if not ids:
        return set()
    found = _explanations(connection, ids)
    stories = _stories(connection, ids | found.keys())
    _take_out(connection, stories, now)
    for alarm_id, why in found.items():
        if Event.SUPPRESSED in ALARM_TRANSITIONS[stories[alarm_id].alarm.state]:
            stories[alarm_id].suppress(micros(now), why.detail(), by=why.by)
    _write(connection, stories, now)
    passed = _pass_over(connection, news, stories, now)
    announced = [each for each in news if each.id not in passed]
    return passed | _hold_back(connection, announced, alarm_store.policy(connection), now)


def look_after(connection: Connection, now: datetime) -> None:
    """What time alone does: hushes end, chatter is over, permits begin, nobody answers, storms are over."""
    policy = alarm_store.policy(connection)
    _end_hushes(connection, policy, now)
    _calm(connection, policy, now)
    covered = _stories(connection, _ids(connection, "newly_covered", now=now))
    _take_out(connection, covered, now)
    _write(connection, covered, now)
    _remind(connection, policy, now)
    _end_storms(connection, policy, now)


def raging(connection: Connection) -> dict[str, Raging]:
    """The storms of now, by district."""
    found = [Raging(*row) for row in connection.execute(_SQL["raging"], {"storm": storms.RULE})]
    return {storm.district: storm for storm in found}


def _explanations(connection: Connection, ids: Collection[int]) -> dict[int, Explanation]:
    rows = connection.execute(_SQL["explanations"], {"ids": list(ids)}).fetchall()
    found = [
        Explanation(alarm, by, rule_id, device_id, Cause(cause)) for alarm, by, rule_id, device_id, cause, _ in rows
    ]
    return explained(found, {by: above for _, by, _, _, _, above in rows if above is not None})


def _take_out(connection: Connection, stories: Mapping[int, Story], now: datetime) -> None:
    for alarm_id, permit, reason, holder in connection.execute(
        _SQL["permits_covering"], {"ids": list(stories), "now": now}
    ):
        story = stories[alarm_id]
        if Event.TAKEN_OUT in ALARM_TRANSITIONS[story.alarm.state]:
            detail = {"because": reason, "permit": permit, "holder": holder}
            story.take_out(micros(now), detail, permit=permit)


def _pass_over(connection: Connection, news: Iterable[News], stories: Mapping[int, Story], now: datetime) -> set[int]:
    hushed = {alarm_id for alarm_id, story in stories.items() if story.alarm.hush is not None}
    passed = {each.id for each in news if each.event in ANNOUNCED and each.alarm_id in hushed}
    if passed:
        connection.execute(_SQL["pass_over"], {"ids": list(passed), "now": now})
    return passed


def _hold_back(connection: Connection, news: Sequence[News], policy: AlarmPolicy, now: datetime) -> set[int]:
    """Begin storms, and suppress what they hold back."""
    if not policy.storm.begin:
        return set()
    counts = _new_alarms(connection, policy, now)
    for district in storms.weigh(counts, raging(connection), policy.storm).begins:
        minutes = policy.storm.within // _MINUTE
        detail = {"because": f"{counts[district]} new alarms within {minutes} min", "alarms": counts[district]}
        ((desk,),) = connection.execute(_SQL["ensure_desk"], {"district": district, "now": now}).fetchall()
        _record_storm(connection, desk, Change.RAISED, detail, now)
    ids = {each.alarm_id for each in news if each.event in ANNOUNCED}
    rows = connection.execute(
        _SQL["held_back"], {"ids": list(ids), "storm": storms.RULE, "holds": int(policy.storm.holds)}
    ).fetchall()
    held = {alarm: Explanation(alarm, by, rule, desk, Cause.STORM) for alarm, by, rule, desk in rows}
    stories = _stories(connection, held)
    for alarm_id, story in stories.items():
        story.suppress(micros(now), held[alarm_id].detail(), by=held[alarm_id].by)
    _write(connection, stories, now)
    return _pass_over(connection, news, stories, now)


def _end_hushes(connection: Connection, policy: AlarmPolicy, now: datetime) -> None:
    cleared_before = now - _span(policy.after_parent)
    asked = {"now": now, "cause_cleared_before": cleared_before, "storm": storms.RULE, "holds": int(policy.storm.holds)}
    rows = connection.execute(_SQL["hushes_over"], asked).fetchall()
    because = {int(alarm_id): str(why) for alarm_id, why in rows}
    stories = _stories(connection, because)
    for alarm_id, story in stories.items():
        story.unhush(micros(now), {"because": because[alarm_id]})
    _write(connection, stories, now)


def _calm(connection: Connection, policy: AlarmPolicy, now: datetime) -> None:
    stories = _stories(connection, _ids(connection, "calm", quiet_since=now - _span(policy.chatter.quiet)))
    versions = {alarm_id: (story.alarm.rule_id, story.alarm.rule_version) for alarm_id, story in stories.items()}
    latching = alarm_store.latching(connection, set(versions.values()))
    for alarm_id, story in stories.items():
        story.calm(micros(now), latches=versions[alarm_id] in latching)
    _write(connection, stories, now)


def _remind(connection: Connection, policy: AlarmPolicy, now: datetime) -> None:
    remind, told_before = policy.remind, now - _span(policy.remind.after)
    ids = _ids(connection, "unanswered", least=int(remind.least), told_before=told_before, times=remind.times)
    stories = _stories(connection, ids)
    for story in stories.values():
        story.happens(Event.REMINDED, micros(now), {"because": "active, and nobody has acknowledged it"})
    _write(connection, stories, now)


def _end_storms(connection: Connection, policy: AlarmPolicy, now: datetime) -> None:
    if not (now_raging := raging(connection)):
        return
    counts = _new_alarms(connection, policy, now)
    for district in storms.weigh(counts, now_raging, policy.storm).ends:
        storm, new = now_raging[district], counts.get(district, 0)
        detail = {"because": f"{new} new alarms", "alarms": new, "held_back": storm.held_back}
        _record_storm(connection, storm.desk, Change.CLEARED, detail, now)


def _record_storm(connection: Connection, desk: int, change: Change, detail: dict[str, Any], now: datetime) -> None:
    transition = Transition(change, storms.RULE, storms.VERSION, desk, storms.SEVERITY, micros(now), detail)
    alarm_store.record(connection, [transition], now, actor=DISPATCHER)


def _new_alarms(connection: Connection, policy: AlarmPolicy, now: datetime) -> dict[str, int]:
    since = now - _span(policy.storm.within)
    return dict(connection.execute(_SQL["new_alarms"], {"since": since, "storm": storms.RULE}).fetchall())


def _ids(connection: Connection, query: str, **parameters: object) -> list[int]:
    return [int(alarm_id) for (alarm_id,) in connection.execute(_SQL[query], parameters)]


def _stories(connection: Connection, ids: Collection[int]) -> dict[int, Story]:
    alarms = alarm_store.lock(connection, ids) if ids else []
    return {alarm.id: Story(alarm) for alarm in alarms if alarm.id is not None}


def _write(connection: Connection, stories: Mapping[int, Story], now: datetime) -> None:
    alarm_store.write(connection, list(stories.values()), now, DISPATCHER)


def _span(micros_long: int) -> timedelta:
    return timedelta(microseconds=micros_long)
