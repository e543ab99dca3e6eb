"""Alarms and their history: the pure memory of ``alarms`` applied to locked rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from alarms.lifecycle import Event
from alarms.memory import Alarm, AlarmEvent, acknowledged, follow
from rules.rule import Severity
from rules.silence import Heard, SilenceAlarm
from rules.verdicts import Key, RuleCrash, Transition
from storage.queries import load

ENGINE = "rule engine"
_SQL = load("alarms")


def record(
    connection: Connection, transitions: Sequence[Transition], seen_at: datetime, *, actor: str = ENGINE
) -> None:
    """Write what transitions do to alarms, within the transaction that is open on ``connection``."""
    if not transitions:
        return
    keys = sorted({(transition.rule_id, transition.device) for transition in transitions})
    changes = follow(transitions, lock_open(connection, keys))
    ids = _store(connection, changes.alarms)
    append_events(connection, [(ids[event.key], event) for event in changes.events], seen_at, actor)


def record_crashes(connection: Connection, crashes: Sequence[RuleCrash], at: datetime) -> None:
    """Keep what benched a rule, for people to see."""
    for crash in crashes:
        connection.execute(_SQL["save_rule_error"], {"rule_id": crash.rule_id, "at": at, "detail": crash.detail})


def lock_open(connection: Connection, keys: Sequence[Key]) -> dict[Key, Alarm]:
    """The open alarms of these rules and devices, locked until the transaction ends."""
    parameters = {"rule_ids": [key[0] for key in keys], "devices": [key[1] for key in keys]}
    alarms = [_alarm(row) for row in connection.execute(_SQL["lock_open_alarms"], parameters)]
    return {alarm.key: alarm for alarm in alarms}


def append_events(
    connection: Connection, events: Sequence[tuple[int, AlarmEvent]], seen_at: datetime, actor: str
) -> None:
    """Add lines to histories, given with the ids of their alarms, and wake the dispatcher."""
    if not events:
        return
    connection.execute(
        _SQL["insert_alarm_events"],
        {
            "alarm_ids": [alarm_id for alarm_id, _ in events],
            "events": [event.event.value for _, event in events],
            "severities": [int(event.severity) for _, event in events],
            "ats": [event.at for _, event in events],
            "details": [Jsonb(dict(event.detail)) for _, event in events],
            "seen_at": seen_at,
            "actor": actor,
        },
    )
    connection.execute(_SQL["wake_dispatch"])


def acknowledge(connection: Connection, keys: Sequence[Key], at: datetime, actor: str) -> None:
    """Note that somebody has seen these alarms; those already acknowledged stay as they are."""
    unseen = [alarm for alarm in lock_open(connection, keys).values() if not alarm.acknowledged]
    seen = {alarm.key: acknowledged(alarm) for alarm in unseen}
    ids = _store(connection, seen)
    moment = round(at.timestamp() * 1_000_000)
    events = [
        (ids[key], AlarmEvent(key, Event.ACKNOWLEDGED, alarm.severity, moment, {})) for key, alarm in seen.items()
    ]
    append_events(connection, events, at, actor)


def heard(connection: Connection) -> dict[int, Heard]:
    """When every device was last heard of, by number."""
    return {int(device): Heard(int(last), int(count)) for device, last, count in connection.execute(_SQL["heard"])}


def active_silence_alarms(connection: Connection, rule_ids: Sequence[str]) -> dict[Key, SilenceAlarm]:
    """The active alarms of silence rules."""
    rows = connection.execute(_SQL["active_silence_alarms"], {"rule_ids": list(rule_ids)})
    return {(str(rule_id), int(device)): SilenceAlarm(int(readings)) for rule_id, device, readings in rows}


def _store(connection: Connection, alarms: Mapping[Key, Alarm]) -> dict[Key, int]:
    new = [alarm for alarm in alarms.values() if alarm.id is None]
    changed = [alarm for alarm in alarms.values() if alarm.id is not None]
    ids = {alarm.key: alarm.id for alarm in changed if alarm.id is not None}
    if changed:
        connection.execute(_SQL["update_alarms"], {"ids": [alarm.id for alarm in changed], **_columns(changed)})
    if new:
        keys = {"rule_ids": [alarm.rule_id for alarm in new], "devices": [alarm.device for alarm in new]}
        for alarm_id, rule_id, device in connection.execute(_SQL["insert_alarms"], {**keys, **_columns(new)}):
            ids[str(rule_id), int(device)] = int(alarm_id)
    return ids


def _columns(alarms: Sequence[Alarm]) -> dict[str, list[Any]]:
    return {
        "rule_versions": [alarm.rule_version for alarm in alarms],
        "severities": [int(alarm.severity) for alarm in alarms],
        "actives": [alarm.active for alarm in alarms],
        "acknowledgeds": [alarm.acknowledged for alarm in alarms],
        "raised_ats": [alarm.raised_at for alarm in alarms],
        "cleared_ats": [alarm.cleared_at for alarm in alarms],
        "occurrences": [alarm.occurrences for alarm in alarms],
    }


def _alarm(row: Sequence[Any]) -> Alarm:
    return Alarm(
        id=row[0],
        rule_id=row[1],
        rule_version=row[2],
        device=row[3],
        severity=Severity(row[4]),
        active=row[5],
        acknowledged=row[6],
        raised_at=row[7],
        cleared_at=row[8],
        occurrences=row[9],
    )
