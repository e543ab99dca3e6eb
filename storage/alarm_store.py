"""Alarms and their history: the pure memory of ``alarms`` applied to locked rows."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import numpy as np
from psycopg import Connection
from psycopg.types.json import Jsonb

from alarms.lifecycle import Event
from alarms.memory import Version, follow
from alarms.policy import AlarmPolicy, read_policy
from alarms.story import Alarm, Held, Story
from devices.moments import micros
from devices.readings import Ints
from rules.lookout import Signs
from rules.rule import Severity
from rules.silence import SilenceAlarm
from rules.verdicts import Key, Transition
from storage.queries import load

ENGINE = "rule engine"
# What dispatch takes up; the rest is for the record.
NEWS = frozenset({Event.RAISED, Event.ESCALATED, Event.CLEARED, Event.RESET, Event.REMINDED})
_ASKED_AT_ONCE = 20_000  # devices
_SQL = load("alarms")


def record(
    connection: Connection, transitions: Sequence[Transition], seen_at: datetime, *, actor: str = ENGINE
) -> None:
    """Write what transitions do to alarms, within the transaction that is open on ``connection``."""
    if not transitions:
        return
    keys = sorted({(transition.rule_id, transition.device) for transition in transitions})
    stored = lock_open(connection, keys)
    chatter = policy(connection).chatter
    versions = {(transition.rule_id, transition.rule_version) for transition in transitions}
    stories = follow(
        transitions,
        stored,
        chatter=chatter,
        latching=latching(connection, versions),
        recent=_recent(connection, keys, min(transition.at for transition in transitions) - chatter.within),
    )
    write(connection, stories, seen_at, actor)


def lock_open(connection: Connection, keys: Sequence[Key]) -> dict[Key, Alarm]:
    """The open alarms of these rules and devices, locked until the transaction ends."""
    parameters = {"rule_ids": [key[0] for key in keys], "devices": [key[1] for key in keys]}
    alarms = [_alarm(row) for row in connection.execute(_SQL["lock_open_alarms"], parameters)]
    return {alarm.key: alarm for alarm in alarms}


def lock(connection: Connection, ids: Collection[int]) -> list[Alarm]:
    """Alarms by number, open or not, locked until the transaction ends; those that do not exist are left out."""
    return [_alarm(row) for row in connection.execute(_SQL["lock_alarms"], {"ids": list(ids)})]


def write(connection: Connection, stories: Sequence[Story], seen_at: datetime, actor: str) -> None:
    """Store alarms with what is new in their histories, and wake the dispatcher."""
    changed = [story for story in stories if story.touched]
    if not changed:
        return
    ids = _store(connection, [story.alarm for story in changed])
    events = [(ids[place], event) for place, story in enumerate(changed) for event in story.events]
    connection.execute(
        _SQL["insert_alarm_events"],
        {
            "alarm_ids": [alarm_id for alarm_id, _ in events],
            "events": [event.event.value for _, event in events],
            "severities": [int(event.severity) for _, event in events],
            "ats": [event.at for _, event in events],
            "details": [Jsonb(dict(event.detail)) for _, event in events],
            "hushed": [event.hushed for _, event in events],
            "news": [event.event in NEWS and not event.hushed for _, event in events],
            "seen_at": seen_at,
            "actor": actor,
        },
    )
    connection.execute(_SQL["wake_dispatch"])


def acknowledge(connection: Connection, keys: Sequence[Key], at: datetime, actor: str) -> None:
    """Note that somebody has seen these alarms; those already acknowledged stay as they are."""
    stories = [Story(alarm) for alarm in lock_open(connection, keys).values() if not alarm.acknowledged]
    for story in stories:
        story.acknowledge(micros(at), {})
    write(connection, stories, at, actor)


def policy(connection: Connection) -> AlarmPolicy:
    """How the city handles its alarms; the defaults where no city is imported yet."""
    row = connection.execute(_SQL["load_policy"]).fetchone()
    return read_policy(row[0] if row else {})


def latching(connection: Connection, versions: Collection[Version]) -> set[Version]:
    """Which of these versions of rules latch their alarms."""
    parameters = {"rule_ids": [rule_id for rule_id, _ in versions], "versions": [version for _, version in versions]}
    return {(str(rule_id), str(version)) for rule_id, version in connection.execute(_SQL["latching"], parameters)}


def heard(connection: Connection, devices: Ints) -> Signs:
    """When these devices were last heard of."""
    texts: list[str] = []
    for start in range(0, len(devices), _ASKED_AT_ONCE):
        asked = {"devices": devices[start : start + _ASKED_AT_ONCE].tolist()}
        texts += [text for row in connection.execute(_SQL["heard"], asked) for text in row if text]
    device, last, readings = (np.fromstring(",".join(texts[column::3]), sep=",", dtype=np.int64) for column in range(3))
    return Signs(device, last, readings)


def active_silence_alarms(connection: Connection, rule_ids: Sequence[str]) -> dict[Key, SilenceAlarm]:
    """The active alarms of silence rules."""
    rows = connection.execute(_SQL["active_silence_alarms"], {"rule_ids": list(rule_ids)})
    return {(str(rule_id), int(device)): SilenceAlarm(int(readings)) for rule_id, device, readings in rows}


def _recent(connection: Connection, keys: Sequence[Key], since: int) -> dict[Key, list[int]]:
    parameters = {"rule_ids": [key[0] for key in keys], "devices": [key[1] for key in keys], "since": since}
    recent: dict[Key, list[int]] = defaultdict(list)
    for rule_id, device, at in connection.execute(_SQL["recent_activations"], parameters):
        recent[str(rule_id), int(device)].append(int(at))
    return recent


def _store(connection: Connection, alarms: Sequence[Alarm]) -> list[int]:
    """Their numbers; those of new alarms are given out here. An alarm that ends goes before the one that follows it."""
    changed = [alarm for alarm in alarms if alarm.id is not None]
    new = [alarm for alarm in alarms if alarm.id is None]
    if changed:
        connection.execute(_SQL["update_alarms"], {"alarms": _rows(changed)})
    ids: dict[Key, int] = {}
    if new:
        for alarm_id, rule_id, device in connection.execute(_SQL["insert_alarms"], {"alarms": _rows(new)}):
            ids[str(rule_id), int(device)] = int(alarm_id)
    return [alarm.id if alarm.id is not None else ids[alarm.key] for alarm in alarms]


def _rows(alarms: Sequence[Alarm]) -> Jsonb:
    return Jsonb([asdict(alarm) for alarm in alarms])


def _alarm(row: Sequence[Any]) -> Alarm:
    names = [each.name for each in fields(Alarm)]
    values = dict(zip(names, row, strict=True))
    held = values["held"]
    return Alarm(**{**values, "severity": Severity(values["severity"]), "held": Held(held) if held else None})
