"""The command that explains an alarm: readings, limits, rule, delays, doubts, history, and the same judged again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

import typer

from cases.words import Section, say
from cityward import explaining, wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.settings import Settings
from devices.registry import Device, Registry
from rules import mentions
from rules.durations import MICROS
from rules.frame import Frame
from rules.packs import PackError, rule_as_written
from rules.rule import Rule
from storage import alarm_list, permit_store, reading_writer, rule_texts
from storage.alarm_list import AlarmRow, HistoryRow
from storage.alarm_store import micros
from storage.connection import Connection
from storage.registry_store import load_city, load_device

_BEFORE, _AFTER = 10, 5  # readings shown


def explain(number: Annotated[int, typer.Argument(help="The alarm's number, as in the list.")]) -> None:
    """Why an alarm was raised: readings, limits and their source, the rule as it was, delays, doubts, history.

    The stored readings are judged once more by that version of the rule; it is said whether this comes to the same.
    """
    settings = load_settings()
    with database(settings) as connection:
        found = alarm_list.list_alarms(connection, everything=True, ids=[number])
        if not found:
            raise CommandError(f"there is no alarm {number}; cityward alarms list shows the open ones")
        _Explanation(settings, connection, found[0]).print()


@dataclass(slots=True)
class _Explanation:
    """One alarm's explanation, section by section."""

    settings: Settings
    connection: Connection
    alarm: AlarmRow

    def print(self) -> None:
        """Everything that can be said."""
        alarm, zone = self.alarm, load_city(self.connection).calendar.timezone
        history = alarm_list.history(self.connection, alarm=alarm.id)
        line = explaining.raising(history)
        kept = rule_texts.find(self.connection, alarm.rule_id, alarm.rule_version)
        state = say(Section.ALARM_STATES, alarm.state, self.settings.language)
        out.print(f"Alarm {alarm.id}: {alarm.rule_id} of {alarm.name} ({alarm.kind} {alarm.device_id}), {state}.")
        if line is not None:
            out.print(table("Because", ["", ""], _because(line, zone)))
        if kept is not None:
            out.print(
                f"\nRule {alarm.rule_id}, version {alarm.rule_version}, in force since {_local(kept.loaded_at, zone)}:"
            )
            out.print(kept.text, soft_wrap=True)
        self._about_device(line, kept.text if kept else "", zone)
        rows = [
            (_local(each.seen_at, zone), say(Section.ALARM_EVENTS, each.event, self.settings.language), each.actor,
             each.detail.get("because", ""))
            for each in history
        ]  # fmt: skip
        out.print(table("History", ["decided", "event", "by", "because"], rows))

    def _about_device(self, line: HistoryRow | None, text: str, zone: tzinfo) -> None:
        kinds = wiring.kinds(self.settings)
        device = load_device(self.connection, self.alarm.device_id)
        if line is None or device is None or device.kind not in kinds:
            out.print("It speaks of no single device's readings.")
            return
        registry = Registry(kinds, [device])
        limits = [
            (each.name, "-" if each.step.value is None else f"{each.step.value:g} {each.unit}",
             "of this device" if each.own else "of its kind", each.step.standard_ref, each.step.valid_from or "-")
            for each in mentions.limits(text, device, registry, line.at.astimezone(zone).date())
        ]  # fmt: skip
        if limits:
            out.print(table("Limits in force then", ["limit", "value", "whose", "source", "valid from"], limits))
        self._readings(line, device, registry, mentions.metrics(text, device, registry), zone)
        out.print(f"\nReplayed: {self._replayed(line, text, device, registry)}\n")

    def _readings(
        self, line: HistoryRow, device: Device, registry: Registry, metrics: Sequence[str], zone: tzinfo
    ) -> None:
        kind = registry.kinds[device.kind]
        span = timedelta(days=1)
        stored = reading_writer.around(self.connection, kind, device.id, line.at - span, line.at + span)
        before = [row for row in stored if row["ts"] <= line.at][-_BEFORE:]
        after = [row for row in stored if row["ts"] > line.at][:_AFTER]
        rows = [
            ("->" if row["ts"] == line.at else "", _local(row["ts"], zone),
             f"{(row['received_at'] - row['ts']).total_seconds():.1f} s", explaining.doubts(row["quality"]),
             *("-" if row[name] is None else row[name] for name in metrics))
            for row in [*before, *after]
        ]  # fmt: skip
        out.print(table("Readings around it", ["", "measured", "arrived after", "quality", *metrics], rows))

    def _replayed(self, line: HistoryRow, text: str, device: Device, registry: Registry) -> str:
        try:
            rule = rule_as_written(text, registry.kinds)
        except PackError as error:
            return f"not possible, the rule as it was cannot be read any more: {error}"
        if rule.input not in explaining.REPLAYABLE:
            return f"not possible for input {rule.input}: no device's readings alone raise such an alarm."
        try:
            differences = list(self._differences(rule, line, device, registry))
        except ValueError as error:
            differences = [str(error)]
        if not differences:
            return "judged again, the stored readings raise it at the same moment and as severely."
        return f"judged again, {'; '.join(differences)}. Limits or the device's description may have changed since."

    def _differences(self, rule: Rule, line: HistoryRow, device: Device, registry: Registry) -> Iterator[str]:
        past = alarm_list.history(self.connection, rule=rule.id, device=device.device_id, limit=1000)
        ends = [micros(each.at) for each in past if each.event in {"cleared", "latched"}]
        at = micros(line.at)
        since = explaining.judged_since(rule, line.detail, at, ends)
        kind = registry.kinds[device.kind]
        names = [metric.name for metric in kind.metrics]
        start = explaining.read_since(rule, since)
        readings = reading_writer.read_back(self.connection, kind, [device.id], start, at + 1, names)
        permits = permit_store.spells(self.connection, line.at - permit_store.REMEMBERED)
        local_time = wiring.local_time(load_city(self.connection))
        found = explaining.replay(rule, readings, Frame(readings, registry, local_time, permits), since, at)
        yield from explaining.compared(found, at, line.severity)


def _because(line: HistoryRow, zone: tzinfo) -> Iterator[tuple[str, Any]]:
    detail = line.detail
    yield ("condition", detail.get("because", "-"))
    yield ("raised", f"{_local(line.at, zone)}, decided {_local(line.seen_at, zone)}")
    if "since" in detail:
        since = datetime.fromtimestamp(int(detail["since"]) / MICROS, zone)
        held = line.at - since
        yield ("observed since", f"{_local(since, zone)}, for {held.total_seconds():g} s")
    if "samples" in detail:
        yield ("readings", detail["samples"])
    yield from detail.get("values", {}).items()


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
