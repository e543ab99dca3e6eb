"""``cityward alarms explain``: why an alarm was raised, and whether what is stored raises it again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.console import RenderableType
from rich.table import Table

from cases.city import City
from cases.words import Language, Section, say
from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.explanation import explanation, words
from console.actors import actor
from storage import alarm_list
from storage.registry_store import load_city

_MEMBERS_SHOWN = 60


def explain(
    number: Annotated[int, typer.Argument(help="The alarm's number, as in the list.", show_default=False)],
    json_line: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Why an alarm was raised: what it was judged on, limits and their source, the rule as it was, doubts, history.

    Readings, windows with how complete they are, members of groups, the last sign of life, figures of jobs, the alarms
    that make a storm. The same is judged once more by that version of the rule; it is said what differs, if anything.
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    with database(settings) as connection:
        found = alarm_list.list_alarms(connection, everything=True, ids=[number])
        if not found:
            raise CommandError(f"there is no alarm {number}; cityward alarms list shows the open ones")
        city = load_city(connection)
        told = explanation(connection, kinds, found[0], Language.EN if json_line else settings.language)
    if json_line:
        print(msgspec.json.encode(told).decode())  # noqa: T201 - another program reads it
        return
    for part in _Shown(told, city, settings.language).parts():
        out.print(part, soft_wrap=isinstance(part, str))


@dataclass(frozen=True, slots=True)
class _Shown:
    """An explanation for people: tables and sentences in their language, times in the city's."""

    told: Mapping[str, Any]
    city: City
    language: Language

    def parts(self) -> Iterator[RenderableType]:
        """What to print, one after the other."""
        told, alarm, rule = self.told, self.told["alarm"], self.told["rule"]
        yield self._say("alarm", **{**alarm, "state": say(Section.ALARM_STATES, alarm["state"], self.language)})
        if told["raised"]:
            yield self._facts("because", self._because(told["raised"], rule))
        if rule:
            yield "\n" + self._say("rule", **{**alarm, "since": self._local(rule["in_force_since"])})
            yield rule["text"]
        yield from self._judged_on(told["judged_on"])
        if told["limits"]:
            yield self._table("limits", ["limit", "value", "whose", "source", "valid_from"], self._limits())
        yield from self._readings()
        if told["in_force"]:
            rows = [
                (each["id"], each["kind"], each["holder"], each["reason"], self._local(each["valid_from"]),
                 self._local(each["valid_to"]))
                for each in told["in_force"]
            ]  # fmt: skip
            yield self._table("permits", ["permit", "kind", "holder", "why", "from", "to"], rows)
        if told["hushed"]:
            hushed = [
                (self._local(each["at"]), say(Section.ALARM_EVENTS, each["event"], self.language), self._by(each),
                 each.get("because", ""), each.get("facility", ""))
                for each in told["hushed"]
            ]  # fmt: skip
            yield self._table("quiet", ["decided", "event", "by", "why", "of"], hushed)
        history = [
            (self._local(each["decided"]), say(Section.ALARM_EVENTS, each["event"], self.language), self._by(each),
             each["because"])
            for each in told["history"]
        ]  # fmt: skip
        yield self._table("history", ["decided", "event", "by", "why"], history)
        yield "\n" + self._say("replayed", outcome=self._replayed(told["replay"]))

    def _say(self, key: str, **values: object) -> str:
        return words(self.language, key, **values)

    def _table(self, title: str, keys: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
        return table(title and self._say(title), [self._say(key) for key in keys], rows)

    def _facts(self, title: str, facts: Iterable[tuple[str, object]]) -> Table:
        return table(self._say(title), ["", ""], facts)

    def _by(self, line: Mapping[str, Any]) -> str:
        return actor(line["by"], self.city, self.language)

    def _local(self, at: datetime) -> str:
        return f"{at.astimezone(self.city.calendar.timezone):%Y-%m-%d %H:%M:%S}"

    def _because(self, raised: Mapping[str, Any], rule: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
        at, decided, since = raised["at"], raised["decided"], raised["observed_since"]
        yield (self._say("condition"), raised["because"])
        yield (self._say("raised"), self._say("raised_decided", at=self._local(at), decided=self._local(decided)))
        if since:
            seconds = f"{raised['observed_s']:g}"
            yield (self._say("observed_since"), self._say("observed_for", at=self._local(since), seconds=seconds))
        if raised["samples"]:
            yield (self._say("samples"), raised["samples"])
        if delays := [each for each in (rule or {}).get("delays", ()) if each]:
            yield (self._say("delay"), "; ".join(delays))
        yield from ((name, _value(value)) for name, value in {**raised["values"], **raised["evidence"]}.items())

    def _judged_on(self, judged_on: Mapping[str, Any]) -> Iterator[RenderableType]:
        match judged_on.get("input"):
            case "window":
                now = (
                    (self._say("as_stored_now", name=name), _value(value))
                    for name, value in judged_on["values_now"].items()
                )
                yield self._facts("window", [*self._window(judged_on), *now])
            case "group":
                yield self._facts("window", [*self._window(judged_on), (self._say("member_when"), judged_on["member"])])
                yield from self._members(judged_on["members"])
            case "silence":
                yield self._facts("silence", self._silence(judged_on))
            case "job":
                yield from self._job(judged_on)
            case "storm":
                rows = [
                    (each["id"], self._local(each["seen_at"]), each["rule_id"], each["device_id"])
                    for each in judged_on["alarms"]
                ]
                yield "\n" + self._say(
                    "storm", district=judged_on["district"], minutes=f"{judged_on['within_s'] / 60:g}",
                    count=len(rows), begins=judged_on["begins_above"],
                )  # fmt: skip
                yield self._table("", ["alarm_column", "decided", "rule_column", "facility"], rows)
            case _:
                pass

    def _window(self, told: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
        since, until = self._local(told["from"]), self._local(told["to"])
        yield (self._say("from_to"), self._say("span", since=since, until=until))
        yield (self._say("judged"), self._say("judged_from", at=self._local(told["judged_from"])))
        share = "-" if told["complete"] is None else f"{told['complete']:.0%}"
        counts = {"readings": told["readings"], "expected": f"{told['expected']:g}", "doubtful": told["doubtful"]}
        yield (self._say("readings"), self._say("completeness", share=share, **counts))

    def _members(self, found: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
        """Members are ``hit``, ``not hit``, ``unknown`` or ``silent``."""
        counts = {
            state.replace(" ", "_"): sum(each["state"] == state for each in found)
            for state in ("hit", "not hit", "unknown", "silent")
        }
        rows = [
            (each["device"], self._say(each["state"].replace(" ", "_")), _values(each["values"]))
            for each in found[:_MEMBERS_SHOWN]
        ]
        yield "\n" + self._say("members", count=len(found), **counts)
        yield self._table("", ["member", "state", "values"], rows)
        if len(found) > _MEMBERS_SHOWN:
            yield self._say("more", count=len(found) - _MEMBERS_SHOWN)

    def _job(self, told: Mapping[str, Any]) -> Iterator[RenderableType]:
        rows = [
            (each["name"], _value(each["then"]), _value(each["now"]), each["unit"], each["doc"])
            for each in told["figures"]
        ]
        yield "\n" + self._say("measure", measure=told["measure"], count=told["members"], doc=told["doc"])
        yield self._table("", ["figure", "then", "now", "unit", "doc"], rows)
        since, until = map(self._local, told["day"])
        yield self._say("day", since=since, until=until, nights=len(told["nights"]))

    def _silence(self, told: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
        yield (self._say("last_heard"), self._local(told["last_heard"]))
        yield (self._say("silent_for"), self._say("silent_s", seconds=f"{told['silent_s']:g}"))
        allowed = (self._say("seconds", seconds=f"{each:g}") for each in told["allowed_s"])
        yield (self._say("allowed"), self._say("or").join(allowed))
        usual, longest = f"{told['usual_interval_s']:g}", f"{told['longest_healthy_silence_s']:g}"
        yield (self._say("kind_sends"), self._say("intervals", usual=usual, longest=longest))
        yield (self._say("heard_before"), told["heard_before"] if told["heard_before"] is not None else "-")
        again = told["heard_again"]
        yield (self._say("heard_again"), self._local(again) if again else self._say("not_heard"))

    def _limits(self) -> Iterator[Sequence[object]]:
        for each in self.told["limits"]:
            value = "-" if each["value"] is None else f"{each['value']:g} {'' if each['unit'] == '1' else each['unit']}"
            source = say(Section.SOURCES, each["source"], self.language)
            yield (each["name"], value.strip(), each["whose"], source, each["valid_from"] or "-")

    def _readings(self) -> Iterator[Table]:
        readings = self.told["readings"]
        if not readings:
            return
        names = [*readings[0]["values"]]
        rows = [
            ("->" if row["at"] == self.told["raised"]["at"] else "", self._local(row["at"]),
             self._say("seconds", seconds=f"{row['arrived_after_s']:.1f}"), row["quality"],
             *("-" if row["values"][name] is None else row["values"][name] for name in names))
            for row in readings
        ]  # fmt: skip
        headings = ["", *(self._say(key) for key in ("measured", "arrived_after", "quality")), *names]
        yield table(self._say("around"), headings, rows)

    def _replayed(self, replay: Mapping[str, Any]) -> str:
        if not replay["possible"]:
            return self._say("impossible", why=replay["why"])
        if not replay["differences"]:
            return self._say("same")
        return self._say("differs", differences="; ".join(replay["differences"]))


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
