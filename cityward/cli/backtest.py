"""``cityward rules backtest``: what rules would have raised over stored history."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cases.words import Language
from cityward import backtest as trying
from cityward import wiring
from cityward.cli.context import CommandError, database, err, load_settings, out, table
from devices.kind import Kind
from devices.registry import Registry
from rules.durations import MICROS
from rules.episodes import FLOOD, Episode, cases, difference, load, worst
from rules.hindsight import HindsightError
from rules.packs import load_packs
from rules.rule import Input, Rule
from storage.registry_store import load_city, load_registry

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]
_TEN_MINUTES_A_DAY = 144


def backtest(
    since: Annotated[datetime, typer.Option("--from", formats=_FORMATS, help="The beginning, in the city's time.")],
    until: Annotated[datetime, typer.Option("--to", formats=_FORMATS, help="The end, which is not part of it.")],
    pack: Annotated[
        str,
        typer.Argument(
            help="A pack in force, such as manhole, or a folder of packs to try instead; without it all in force.",
            show_default=False,
        ),
    ] = "",
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; may be repeated.", show_default=False)] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Try another default limit; devices with a limit of their own keep it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    district: Annotated[str, typer.Option(help="Only devices in this district.")] = "",
    device: Annotated[list[str] | None, typer.Option(help="Only this device.", show_default=False)] = None,
    json_line: Annotated[bool, typer.Option("--json", help="One JSON line instead of tables.")] = False,
) -> None:
    """Say what rules would have raised over stored history, before they page anybody.

    The engine is the one that judges the city. Shows alarms and cases that would have been, what differs from the
    rules in force, and for the noisiest devices the delay or deadband that would have made them quieter. Times are
    the city's; jobs, which ask the database once a day, are not part of it. Silence goes by the devices' own times.
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    in_force = wiring.rules(settings, kinds)
    tried = _chosen(pack, in_force, kinds, rule or [])
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        local_time = wiring.local_time(load_city(connection))
        registry = load_registry(connection, kinds)
        begin, end = (round(at.replace(tzinfo=zone).timestamp() * MICROS) for at in (since, until))
        asked = trying.Asked(begin, end, _devices(registry, district, device or []))
        if end <= begin:
            raise CommandError("--to: must be later than --from")
        try:
            other = load_registry(connection, trying.with_limits(kinds, _limits(limit or [])))
        except ValueError as error:
            raise CommandError(f"--limit: {error}") from error
        today = [each for each in in_force if each.id in {one.id for one in tried}]
        try:
            with _progress(asked) as say:
                beside = (today, registry) if limit or today != tried else None
                found = trying.run(connection, asked, (tried, other), beside, local_time, say)
        except HindsightError as error:
            raise CommandError(str(error)) from error
    report = _report(found, {each.id: each for each in [*in_force, *tried]}, registry, asked)
    if json_line:
        print(json.dumps(report))  # noqa: T201 - another program reads it
    else:
        _show(report, {each.id: each.names[settings.language] for each in tried}, settings.language)


def _chosen(pack: str, in_force: Sequence[Rule], kinds: Mapping[str, Kind], wanted: Sequence[str]) -> list[Rule]:
    if pack and Path(pack).is_dir():
        rules = load_packs(kinds, Path(pack))
    elif pack and pack not in kinds:
        raise CommandError(f"{pack!r} is neither a folder of packs nor one of {', '.join(kinds)}")
    else:
        rules = [rule for rule in in_force if not pack or rule.kind == pack]
    if unknown := set(wanted) - {rule.id for rule in rules}:
        raise CommandError(f"--rule: no {', '.join(sorted(unknown))} among {', '.join(rule.id for rule in rules)}")
    return [rule for rule in rules if (not wanted or rule.id in wanted) and rule.input is not Input.JOB]


def _devices(registry: Registry, district: str, names: Sequence[str]) -> set[int]:
    for name in names:
        if registry.named(name) is None:
            raise CommandError(f"--device: no device {name}; cityward devices list shows them")
    chosen = {
        device.id
        for device in registry.devices.values()
        if (not district or device.district == district) and (not names or device.device_id in names)
    }
    if not chosen:
        raise CommandError(f"--district: no device in {district!r}")
    return chosen if district or names else set()


def _limits(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise ValueError(f"{text!r} is not NAME=NUMBER") from None
    return found


@contextmanager
def _progress(asked: trying.Asked) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as shown:
        tasks: dict[str, Any] = {}

        def say(at: trying.Progress) -> None:
            if at.kind not in tasks:
                tasks[at.kind] = shown.add_task(at.kind, total=asked.until - asked.since, speed="")
            speed = f"{at.readings / at.judging:,.0f} readings/s" if at.judging else ""
            shown.update(tasks[at.kind], completed=at.until - asked.since, speed=speed)

        yield say


def _report(found: trying.Found, rules: Mapping[str, Rule], registry: Registry, asked: trying.Asked) -> dict[str, Any]:
    days = (asked.until - asked.since) / (timedelta(days=1).total_seconds() * MICROS)
    changed = difference(found.tried, found.in_force, asked.until)
    opened, busy = cases(found.tried, rules, asked.until), load(found.tried)
    raised = Counter(each.rule_id for each in found.tried)
    return {
        "days": round(days, 3),
        "readings": found.readings,
        "readings_per_second": round(found.readings / found.judging) if found.judging else None,
        "alarms": len(found.tried),
        "cases": sum(opened.values()),
        "alarms_in_force": len(found.in_force),
        "same": changed.both,
        "only_tried": len(changed.only_first),
        "only_in_force": len(changed.only_second),
        "peak_10_minutes": max(busy.values(), default=0),
        "flood_share": round(sum(each > FLOOD for each in busy.values()) / (days * _TEN_MINUTES_A_DAY), 5),
        "rules": {rule_id: _of_rule(rule_id, found, opened, days) for rule_id in sorted(raised)},
        "worst": [
            {**asdict(advice), "device": _name(registry, advice.device), "delay_s": advice.delay / MICROS}
            for advice in worst(found.tried)
        ],
        "examples": {
            "only_tried": [_example(each, registry) for each in changed.only_first[:10]],
            "only_in_force": [_example(each, registry) for each in changed.only_second[:10]],
        },
    }


def _of_rule(rule_id: str, found: trying.Found, opened: Counter[str], days: float) -> dict[str, Any]:
    mine = [each for each in found.tried if each.rule_id == rule_id]
    lengths = sorted((each.cleared - each.raised) / MICROS for each in mine if each.cleared is not None)
    return {
        "alarms": len(mine),
        "per_day": round(len(mine) / days, 3),
        "devices": len({each.device for each in mine}),
        "cases": opened[rule_id],
        "in_force": sum(each.rule_id == rule_id for each in found.in_force),
        "median_s": lengths[len(lengths) // 2] if lengths else None,
        "lasting": sum(each.cleared is None for each in mine),
    }


def _name(registry: Registry, number: int) -> str:
    known = registry.devices.get(number)
    groups = {group.id: name for name, group in registry.groups.items()}
    return known.device_id if known else groups.get(number, str(number))


def _example(episode: Episode, registry: Registry) -> dict[str, Any]:
    return {
        "rule": episode.rule_id,
        "device": _name(registry, episode.device),
        "raised": datetime.fromtimestamp(episode.raised / MICROS, UTC).isoformat(),
        "values": dict(episode.raised_by),
    }


def _show(report: Mapping[str, Any], names: Mapping[str, str], language: Language) -> None:
    chinese = language is Language.ZH
    out.print(
        f"{report['readings']:,} 条数据，{report['days']:g} 天，每秒 {report['readings_per_second'] or 0:,} 条。"
        if chinese
        else f"{report['readings']:,} readings of {report['days']:g} days, "
        f"{report['readings_per_second'] or 0:,} a second."
    )
    headings = (
        ["规则", "名称", "告警", "每天", "现行", "设备", "案件", "中位时长", "未恢复"]
        if chinese
        else ["rule", "name", "alarms", "a day", "in force", "devices", "cases", "median length", "lasting"]
    )
    rows = [
        (rule_id, names.get(rule_id, ""), of["alarms"], of["per_day"], of["in_force"], of["devices"], of["cases"],
         _length(of["median_s"]), of["lasting"])
        for rule_id, of in report["rules"].items()
    ]  # fmt: skip
    title = f"{report['alarms']} 告警，{report['cases']} 案件" if chinese else (
        f"{report['alarms']} alarms, {report['cases']} cases")  # fmt: skip
    out.print(table(title, headings, rows))
    out.print(
        f"与现行规则相同 {report['same']}，仅试验规则 {report['only_tried']}，仅现行规则 {report['only_in_force']}。"
        if chinese
        else f"As with the rules in force: {report['same']}; only with these: {report['only_tried']}; "
        f"only with those in force: {report['only_in_force']}."
    )
    out.print(
        f"每 10 分钟最多 {report['peak_10_minutes']} 条；泛滥时段占 {report['flood_share']:.2%}（目标低于 1 %）。"
        if chinese
        else f"At most {report['peak_10_minutes']} alarms within 10 minutes; floods {report['flood_share']:.2%} of the "
        f"time (target: below 1 %)."
    )
    if report["worst"]:
        _show_worst(report["worst"], chinese=chinese)


def _show_worst(advice: Sequence[Mapping[str, Any]], *, chinese: bool) -> None:
    headings = (
        ["规则", "设备", "告警", "建议延时", "可减少", "建议回差"]
        if chinese
        else ["rule", "device", "alarms", "a delay of", "would have spared", "or a deadband of"]
    )
    rows = [
        (each["rule_id"], each["device"], each["episodes"], _length(each["delay_s"] or None), each["spared"] or "-",
         f"{each['deadband']:.3g} ({each['metric']})" if each["metric"] else "-")
        for each in advice
    ]  # fmt: skip
    out.print(table("最频繁" if chinese else "Raised most often", headings, rows))


def _length(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))
