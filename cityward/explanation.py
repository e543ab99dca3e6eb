"""Everything that can be said of why an alarm was raised, put together from the database as one document.

Times in it are aware, in UTC.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from alarms import storms
from cases.words import Language, Section, fill, say
from cityward import wiring
from devices.device import Device
from devices.kind import Kind, MetricType
from devices.moments import MICROS, micros, moment
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Membership, Registry
from rules import explaining, mentions
from rules.catalogue import held
from rules.explaining import CrashError
from rules.frame import Frame
from rules.jobs import Moments, due, judge_figures
from rules.local_time import LocalTime
from rules.measures import Measure, load_measures
from rules.packs import PackError, rule_as_written
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.silence import Heard, watch
from rules.spells import Spells
from rules.verdicts import Change, Transition
from storage import alarm_list, alarm_store, judged_store, measures, permit_store, reading_writer, rule_texts
from storage.alarm_list import AlarmRow, HistoryRow
from storage.connection import Connection
from storage.registry_store import load_city, load_judged

_BEFORE, _AFTER = 10, 5  # readings shown
_DAY = timedelta(days=1)
_UNSAID = int(Quality.REPEATED)


def explanation(
    connection: Connection, kinds: Mapping[str, Kind], alarm: AlarmRow, language: Language = Language.EN
) -> dict[str, Any]:
    """The document.

    Args:
        connection: The database.
        kinds: The installed kinds.
        alarm: Of which alarm.
        language: Of what is said about judging it again.
    """
    history = alarm_list.history(connection, alarm=alarm.id)
    line = raising(history)
    told: dict[str, Any] = {
        "alarm": {
            name: getattr(alarm, name)
            for name in ("id", "rule_id", "rule_version", "kind", "device_id", "name", "road", "district", "state",
                         "severity", "occurrences")
        },
        "raised": _raised(line) if line else None,
        "rule": None,
        "limits": [],
        "judged_on": {},
        "readings": [],
        "in_force": [asdict(each) for each in permit_store.over(connection, alarm.device_id, line.at)] if line else [],
        "hushed": _hushed(history),
        "history": [
            {"at": each.at, "decided": each.seen_at, "event": each.event, "by": each.actor,
             "because": each.detail.get("because", "")}
            for each in history
        ],
        "replay": _impossible(words(language, "nothing_known")),
    }  # fmt: skip
    if line is None:
        return told
    if alarm.rule_id == storms.RULE:
        return told | _of_storm(connection, alarm, line, language)
    kept = rule_texts.find(connection, alarm.rule_id, alarm.rule_version)
    if kept is None:
        return told | {"replay": _impossible(words(language, "never_in_force"))}
    told["rule"] = {"text": kept.text, "in_force_since": kept.loaded_at}
    try:
        rule = rule_as_written(kept.text, kinds)
    except PackError as error:
        return told | {"replay": _impossible(words(language, "unreadable", error=error))}
    told["rule"] |= {"input": rule.input.value, "delays": [held(branch.hold).strip(", ") for branch in rule.branches]}
    registry = load_judged(connection, kinds, alarm.device_id, rule.kind, rule.group)
    if registry is None:
        return told | {"replay": _impossible(words(language, "unregistered"))}
    local_time = wiring.local_time(load_city(connection))
    return told | _Case(connection, registry, rule, alarm, line, local_time, language).told()


def raising(history: Sequence[HistoryRow]) -> HistoryRow | None:
    """The line that tells of the alarm's latest activation; None where there is none, or only the end of a hush."""
    found = [line for line in history if line.event in {"raised", "repeated"} and "after" not in line.detail]
    return found[-1] if found else None


def words(language: Language, key: str, **values: object) -> str:
    """What is said about explanations, with what stands in its braces."""
    return fill(say(Section.EXPLAIN, key, language), values)


def compared(found: Sequence[Transition], at: int, severity: int, language: Language = Language.EN) -> Iterator[str]:
    """How a replay differs from what is on record; nothing where it does not."""
    raised = [each for each in found if each.change is Change.RAISED]
    same = [each for each in raised if each.at == at]
    if same and int(same[0].severity) != severity:
        word = say(Section.SEVERITIES, str(int(same[0].severity)), language)
        yield words(language, "other_severity", severity=word)
    elif not same and not raised:
        yield words(language, "nothing_raised")
    elif not same:
        key = "later" if raised[-1].at > at else "earlier"
        yield words(language, key, seconds=f"{abs(raised[-1].at - at) / MICROS:g}")


def _impossible(why: str) -> dict[str, Any]:
    return {"possible": False, "why": why, "differences": []}


def _raised(line: HistoryRow) -> dict[str, Any]:
    detail = line.detail
    since = moment(int(detail["since"])) if "since" in detail else None
    return {
        "at": line.at,
        "decided": line.seen_at,
        "severity": line.severity,
        "because": detail.get("because", ""),
        "observed_since": since,
        "observed_s": (line.at - since).total_seconds() if since else None,
        "samples": detail.get("samples"),
        "values": detail.get("values", {}),
        "evidence": detail.get("evidence", {}),
    }


def _hushed(history: Sequence[HistoryRow]) -> list[dict[str, Any]]:
    """When it was quiet, and why."""
    words = {"shelved", "unshelved", "suppressed", "unsuppressed", "taken_out", "put_back"}
    return [
        {"at": each.seen_at, "event": each.event, "by": each.actor, **each.detail}
        for each in history
        if each.event in words
    ]


def _of_storm(connection: Connection, alarm: AlarmRow, line: HistoryRow, language: Language) -> dict[str, Any]:
    """A storm is judged on the district's new alarms."""
    storm = alarm_store.policy(connection).storm
    counted = alarm_list.of_storm(connection, alarm.district, line.at - timedelta(microseconds=storm.within), line.at)
    differences = []
    if not storms.weigh({alarm.district: len(counted)}, [], storm).begins:
        differences = [words(language, "no_storm", count=len(counted), allowed=storm.begin)]
    return {
        "judged_on": {
            "input": "storm", "district": alarm.district, "within_s": storm.within / MICROS,
            "begins_above": storm.begin,
            "alarms": [asdict(each) for each in counted],
        },
        "replay": {"possible": True, "why": "", "differences": differences},
    }  # fmt: skip


@dataclass(slots=True)
class _Case:
    """One alarm with its rule as it was and its facility as it is."""

    connection: Connection
    registry: Registry
    rule: Rule
    alarm: AlarmRow
    line: HistoryRow
    local_time: LocalTime
    language: Language

    def told(self) -> dict[str, Any]:
        """What of the document depends on the rule."""
        by_input: dict[Input, Callable[[], tuple[dict[str, Any], Iterator[str]]]] = {
            Input.READING: self._reading,
            Input.WINDOW: self._window,
            Input.GROUP: self._group,
            Input.SILENCE: self._silence,
            Input.JOB: self._job,
        }
        judged_on, differences = by_input[self.rule.input]()
        try:
            differs = list(differences)
        except CrashError as error:
            differs = [words(self.language, "crashes", error=error)]
        return {
            "limits": list(self._limits()),
            "judged_on": {"input": self.rule.input.value, **judged_on},
            "readings": [] if self.rule.group else list(self._around()),
            "replay": {"possible": True, "why": "", "differences": differs},
        }

    # --- what every input has -------------------------------------------------------------------------------------

    @property
    def _at(self) -> int:
        return micros(self.line.at)

    @property
    def _device(self) -> Device:
        [device] = self.registry.devices.values()
        return device

    def _permits(self) -> Spells:
        return permit_store.spells(self.connection, self.line.at - permit_store.REMEMBERED)

    def _alarms(self, since: int) -> Spells:
        return judged_store.alarm_spells(self.connection, self.rule.asked, since)

    def _read(self, since: int, until: int) -> Readings:
        kind = self.registry.kinds[self.rule.kind]
        names = [metric.name for metric in kind.metrics if metric.type is not MetricType.TEXT]
        return reading_writer.read_back(self.connection, kind, [*self.registry.devices], since, until, names)

    def _limits(self) -> Iterator[dict[str, Any]]:
        """Those of the device; of a group those of its first member; of a job the measure's targets."""
        day = self.local_time.day(self._at)
        if self.rule.measure:
            figures = load_measures()[self.rule.measure].figures
            yield from (
                {"name": name, "value": limit.value, "unit": limit.unit, "whose": words(self.language, "of_measure"),
                 "source": limit.standard_ref, "valid_from": limit.valid_from}
                for name, limit in figures.limits.items() if f"limit.{name}" in self.rule.text
            )  # fmt: skip
            return
        for device in [*self.registry.devices.values()][:1]:
            yield from (
                {"name": each.name, "value": each.step.value, "unit": each.unit,
                 "whose": words(self.language, "of_device" if each.own else "of_kind", device=device.device_id),
                 "source": each.step.standard_ref, "valid_from": each.step.valid_from}
                for each in mentions.limits(self.rule.text, device, self.registry, day)
            )  # fmt: skip

    def _around(self) -> Iterator[dict[str, Any]]:
        """The last readings before it was raised, and the first after."""
        device, at = self._device, self.line.at
        names = mentions.metrics(self.rule.text, device, self.registry)
        kind = self.registry.kinds[device.kind]
        span = max(_DAY, 2 * timedelta(microseconds=max(branch.silent for branch in self.rule.branches)))
        stored = reading_writer.around(self.connection, kind, device.id, at - span, at + _DAY)
        before = [row for row in stored if row["ts"] <= at][-_BEFORE:]
        for row in [*before, *[row for row in stored if row["ts"] > at][:_AFTER]]:
            yield {
                "at": row["ts"],
                "arrived_after_s": (row["received_at"] - row["ts"]).total_seconds(),
                "quality": explaining.doubts(row["quality"]),
                "values": {name: kind.metrics[kind.position[name]].said(row[name]) for name in names},
            }

    # --- what each input has --------------------------------------------------------------------------------------

    def _reading(self) -> tuple[dict[str, Any], Iterator[str]]:
        return {}, self._compared(self._again())

    def _window(self) -> tuple[dict[str, Any], Iterator[str]]:
        frame, window = self._closed()
        when = next((each.when for each in self.rule.branches if each.when and each.when.text == self._because), None)
        now = when.look(frame.row(0)) if when is not None and frame is not None else {}
        return {**window, "values_now": now}, self._compared(self._again())

    def _group(self) -> tuple[dict[str, Any], Iterator[str]]:
        frame, window = self._closed()
        found = [asdict(each) for each in explaining.members(self.rule, frame, self.registry)]
        member = self.rule.member.text if self.rule.member is not None else ""
        return {**window, "by": "/".join(self.rule.group), "member": member, "members": found}, self._compared(
            self._again()
        )

    def _silence(self) -> tuple[dict[str, Any], Iterator[str]]:
        kind, at = self.registry.kinds[self.rule.kind], self.line.at
        long = timedelta(microseconds=max(branch.silent for branch in self.rule.branches))
        stored = reading_writer.around(self.connection, kind, self._device.id, at - 2 * long - _DAY, at + _DAY)
        arrived = sorted(row["received_at"] for row in stored if not row["quality"] & _UNSAID)
        before = [each for each in arrived if each <= at]
        since = int(self.line.detail.get("since", self._at))
        judged_on = {
            "last_heard": moment(since),
            "silent_s": (self._at - since) / MICROS,
            "allowed_s": [branch.silent / MICROS for branch in self.rule.branches],
            "usual_interval_s": kind.interval.total_seconds(),
            "longest_healthy_silence_s": kind.heartbeat.total_seconds(),
            "heard_before": self.line.detail.get("readings"),
            "heard_again": next((each for each in arrived if each > at), None),
        }
        last = max([since, *(micros(each) for each in before[-1:])])
        heard = {self._device.id: Heard(last, int(self.line.detail.get("readings", len(before))))}
        verdicts = watch(
            [self.rule], self.registry, self.local_time, heard, {}, self._at,
            alarms=self._alarms(self._at), permits=self._permits(),
        )  # fmt: skip
        return judged_on, self._compared(lambda: explaining.sound(verdicts))

    def _job(self) -> tuple[dict[str, Any], Iterator[str]]:
        measure, moments = load_measures()[self.rule.measure], Moments.of(self.local_time, self._at)
        membership = self.registry.membership(self.rule.kind, self.rule.group)
        [group] = self.registry.groups.values()
        asked = measures.ask(
            self.connection, measure, self.rule.kind, membership, self.registry, self.local_time, moments
        )
        now = asked.get(group.id, {})
        then = self.line.detail.get("values", {})
        judged_on = {
            "measure": measure.name,
            "doc": measure.doc,
            "members": len(membership.device),
            "figures": [
                {"name": each.name, "unit": each.unit, "then": then.get(each.name), "now": now.get(each.name),
                 "doc": each.doc}
                for each in measure.figures.metrics
            ],
            "day": [moment(edge) for edge in moments.day],
            "nights": [[moment(edge) for edge in night] for night in moments.nights],
        }  # fmt: skip
        return judged_on, self._compared(lambda: self._asked_again(measure, membership))

    def _asked_again(self, measure: Measure, membership: Membership) -> list[Transition]:
        """What a job finds in the figures of each day that its delay looks at."""
        memory, permits, found = Memory(), self._permits(), list[Transition]()
        since = int(self.line.detail.get("since", self._at))
        for at in due(self.local_time, self.rule.at, since - 1, self._at) if self.rule.at else ():
            asked = measures.ask(
                self.connection, measure, self.rule.kind, membership, self.registry, self.local_time,
                Moments.of(self.local_time, at),
            )  # fmt: skip
            verdicts = judge_figures(
                self.rule, measure, at, asked, self.registry, self.local_time, memory, permits=permits
            )
            found += explaining.sound(verdicts)
            for (_, subject), state in verdicts.states.items():
                memory.keep(subject, state)
        return found

    # --- the same judged again ------------------------------------------------------------------------------------

    @property
    def _because(self) -> str:
        return str(self.line.detail.get("because", ""))

    def _closed(self) -> tuple[Frame | None, dict[str, Any]]:
        """The window at whose end it was raised, and how complete it is."""
        at, kind = self._at, self.registry.kinds[self.rule.kind]
        readings = self._read(explaining.read_since(self.rule, at), at)
        surroundings = Frame(readings, self.registry, self.local_time, self._permits())
        windows = self.rule.window.between(self.local_time, at - 1, at) if self.rule.window else []
        start = windows[-1][0] if windows else at
        inside = readings.where((readings.ts >= start) & (readings.ts < at))
        expected = (at - start) / MICROS / kind.interval.total_seconds() * len(self.registry.devices)
        grace = self.rule.window.grace if self.rule.window else 0
        alarms = self._alarms(start)
        told = {
            "from": moment(start),
            "to": moment(at),
            "readings": len(inside),
            "expected": round(expected, 1),
            "complete": min(1.0, round(len(inside) / expected, 3)) if expected else None,
            "doubtful": int((inside.quality != 0).sum()),
            "judged_from": datetime.fromtimestamp((at + grace) / MICROS, UTC),
        }
        return explaining.last_window(self.rule, readings, surroundings, at, alarms), told

    def _again(self) -> Callable[[], list[Transition]]:
        def judged() -> list[Transition]:
            past = alarm_list.history(self.connection, rule=self.rule.id, device=self.alarm.device_id, limit=1000)
            ends = [micros(each.at) for each in past if each.event in {"cleared", "latched"}]
            since = explaining.judged_since(self.rule, self.line.detail, self._at, ends)
            start = explaining.read_since(self.rule, since)
            readings = self._read(start, self._at + 1)
            surroundings = Frame(readings, self.registry, self.local_time, self._permits())
            return explaining.replay(self.rule, readings, surroundings, since, self._at, self._alarms(start))

        return judged

    def _compared(self, again: Callable[[], list[Transition]]) -> Iterator[str]:
        yield from compared(again(), self._at, self.line.severity, self.language)
