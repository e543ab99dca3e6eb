"""``cityward alarms explain``: why an alarm was raised, and whether what is stored raises it again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any

import msgspec
import typer
from rich.console import RenderableType

from cases.words import Language, Section, say
from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.explanation import explanation
from cityward.showing import many
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
        zone = load_city(connection).calendar.timezone
        told = explanation(connection, kinds, found[0])
    if json_line:
        print(msgspec.json.encode(told).decode())  # noqa: T201 - another program reads it
        return
    for part in _parts(told, zone, settings.language):
        out.print(part, soft_wrap=isinstance(part, str))


def _parts(told: Mapping[str, Any], zone: tzinfo, language: Language) -> Iterator[RenderableType]:
    alarm, rule = told["alarm"], told["rule"]
    rows: list[Sequence[object]]
    state = say(Section.ALARM_STATES, alarm["state"], language)
    yield f"Alarm {alarm['id']}: {alarm['rule_id']} of {alarm['name']} ({alarm['kind']} {alarm['device_id']}), {state}."
    if told["raised"]:
        yield table("Because", ["", ""], _because(told["raised"], rule, zone))
    if rule:
        yield f"\nRule {alarm['rule_id']}, version {alarm['rule_version']}, in force since " + _local(
            rule["in_force_since"], zone
        )
        yield rule["text"]
    yield from _judged_on(told["judged_on"], zone)
    if told["limits"]:
        yield table(
            "Limits in force then", ["limit", "value", "whose", "source", "valid from"], _limits(told["limits"])
        )
    yield from _readings(told, zone)
    if told["in_force"]:
        rows = [
            (each["id"], each["kind"], each["holder"], each["reason"], _local(each["valid_from"], zone),
             _local(each["valid_to"], zone))
            for each in told["in_force"]
        ]  # fmt: skip
        yield table("Work permits in force then", ["permit", "kind", "holder", "because", "from", "to"], rows)
    if told["hushed"]:
        rows = [
            (_local(each["at"], zone), say(Section.ALARM_EVENTS, each["event"], language), each["by"],
             each.get("because", ""), each.get("facility", ""))
            for each in told["hushed"]
        ]  # fmt: skip
        yield table("When it was quiet", ["decided", "event", "by", "because", "of"], rows)
    rows = [
        (_local(each["decided"], zone), say(Section.ALARM_EVENTS, each["event"], language), each["by"], each["because"])
        for each in told["history"]
    ]
    yield table("History", ["decided", "event", "by", "because"], rows)
    yield f"\nReplayed: {_replayed(told['replay'])}"


def _because(raised: Mapping[str, Any], rule: Mapping[str, Any] | None, zone: tzinfo) -> Iterator[tuple[str, Any]]:
    yield ("condition", raised["because"])
    yield ("raised", f"{_local(raised['at'], zone)}, decided {_local(raised['decided'], zone)}")
    if raised["observed_since"]:
        yield ("observed since", f"{_local(raised['observed_since'], zone)}, for {raised['observed_s']:g} s")
    if raised["samples"]:
        yield ("times seen", raised["samples"])
    if delays := [each for each in (rule or {}).get("delays", ()) if each]:
        yield ("delay", "; ".join(delays))
    yield from ((name, _value(value)) for name, value in {**raised["values"], **raised["evidence"]}.items())


def _limits(limits: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for each in limits:
        value = "-" if each["value"] is None else f"{each['value']:g} {'' if each['unit'] == '1' else each['unit']}"
        yield (each["name"], value.strip(), each["whose"], each["source"], each["valid_from"] or "-")


def _judged_on(judged_on: Mapping[str, Any], zone: tzinfo) -> Iterator[RenderableType]:
    rows: list[Sequence[object]]
    match judged_on.get("input"):
        case "window":
            yield table("The window", ["", ""], [*_window(judged_on, zone), *_now(judged_on["values_now"])])
        case "group":
            yield table("The window", ["", ""], [*_window(judged_on, zone), ("member when", judged_on["member"])])
            found = judged_on["members"]
            states = [f"{sum(each['state'] == state for each in found)} {state}"
                      for state in ("hit", "not hit", "unknown", "silent")]  # fmt: skip
            rows = [(each["device"], each["state"], _values(each["values"])) for each in found[:_MEMBERS_SHOWN]]
            yield f"\n{many(len(found), 'member')}: {', '.join(states)}."
            yield table("", ["member", "state", "values"], rows)
            if len(found) > _MEMBERS_SHOWN:
                yield f"… and {len(found) - _MEMBERS_SHOWN} more; --json has them all."
        case "silence":
            yield table("The silence", ["", ""], _silence(judged_on, zone))
        case "job":
            day, nights = judged_on["day"], judged_on["nights"]
            rows = [
                (each["name"], _value(each["then"]), _value(each["now"]), each["unit"], each["doc"])
                for each in judged_on["figures"]
            ]
            yield f"\nThe measure {judged_on['measure']}, of {many(judged_on['members'], 'device')}: {judged_on['doc']}"
            yield table("", ["figure", "then", "asked again", "unit", "what it is"], rows)
            yield f"Day {_local(day[0], zone)} to {_local(day[1], zone)}; {len(nights)} nights of the month so far."
        case "storm":
            rows = [
                (each["id"], _local(each["seen_at"], zone), each["rule_id"], each["device_id"])
                for each in judged_on["alarms"]
            ]
            within, begins = judged_on["within_s"] / 60, judged_on["begins_above"]
            new = many(len(rows), "new alarm")
            yield f"\n{new} of {judged_on['district']} within {within:g} min; a storm begins above {begins}."
            yield table("", ["alarm", "decided", "rule", "facility"], rows)
        case _:
            pass


def _window(told: Mapping[str, Any], zone: tzinfo) -> Iterator[tuple[str, object]]:
    yield ("from, to", f"{_local(told['from'], zone)}, {_local(told['to'], zone)}")
    yield ("judged", f"from {_local(told['judged_from'], zone)} on")
    share = "-" if told["complete"] is None else f"{told['complete']:.0%}"
    yield ("readings", f"{told['readings']} of {told['expected']:g} expected ({share}), {told['doubtful']} with doubts")


def _now(values: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield from ((f"{name}, as stored now", _value(value)) for name, value in values.items())


def _silence(told: Mapping[str, Any], zone: tzinfo) -> Iterator[tuple[str, object]]:
    yield ("last heard", _local(told["last_heard"], zone))
    yield ("silent for", f"{told['silent_s']:g} s when it was raised")
    yield ("allowed", " or ".join(f"{each:g} s" for each in told["allowed_s"]))
    usual, longest = told["usual_interval_s"], told["longest_healthy_silence_s"]
    yield ("its kind sends", f"every {usual:g} s, at least every {longest:g} s")
    yield ("messages before", told["heard_before"] if told["heard_before"] is not None else "-")
    yield ("heard again", _local(told["heard_again"], zone) if told["heard_again"] else "not within a day")


def _readings(told: Mapping[str, Any], zone: tzinfo) -> Iterator[RenderableType]:
    readings = told["readings"]
    if not readings:
        return
    names = [*readings[0]["values"]]
    rows = [
        ("->" if row["at"] == told["raised"]["at"] else "", _local(row["at"], zone), f"{row['arrived_after_s']:.1f} s",
         row["quality"], *("-" if row["values"][name] is None else row["values"][name] for name in names))
        for row in readings
    ]  # fmt: skip
    yield table("Readings around it", ["", "measured", "arrived after", "quality", *names], rows)


def _replayed(replay: Mapping[str, Any]) -> str:
    if not replay["possible"]:
        return f"not possible, {replay['why']}."
    if not replay["differences"]:
        return "judged again, what is stored raises it at the same moment and as severely."
    return (
        f"judged again, {'; '.join(replay['differences'])}. Late readings, limits or the device's description may have "
        "changed since."
    )


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
