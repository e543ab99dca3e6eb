"""The report of a backtest as tables for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from rich.console import RenderableType

from cases.words import Language
from cityward.backtest.report import Hint
from cityward.cli.context import table
from cityward.showing import many

_SHOWN = 10  # examples, and devices that are not registered
_HINTS: Mapping[Hint, tuple[str, str]] = {
    Hint.FLEETING: ("most are over within 5 minutes: a longer delay?", "多数在 5 分钟内恢复：延时是否应加长？"),
    Hint.COMES_BACK: ("most come back within an hour: a wider deadband?", "多数在 1 小时内再次出现：回差是否应加大？"),
    Hint.ONE_DEVICE: ("one device makes most of them: look there first", "多数来自同一设备：先检查该设备"),
    Hint.NOTHING_THERE: ("crews mostly found nothing", "现场多未发现问题"),
    Hint.MISSES: ("misses what crews found", "会漏掉现场已证实的问题"),
}


def show(
    report: Mapping[str, Any], names: Mapping[str, str], language: Language, zone: tzinfo
) -> Iterator[RenderableType]:
    """What to print, one after the other.

    Args:
        report: From ``cityward.backtest.report``.
        names: Of the rules, by id.
        language: Whose words.
        zone: In which times are shown.
    """
    zh = language is Language.ZH
    begun, ended = (_local(report[edge], zone) for edge in ("from", "to"))
    speed = report["readings_per_second"] or 0
    yield (
        f"{begun} 至 {ended}：{report['readings']:,} 条数据，每秒 {speed:,} 条。"
        if zh
        else f"{begun} to {ended}: {report['readings']:,} readings, {speed:,} a second."
    )
    yield from _left_out(report, zh=zh)
    yield from _by_rule(report, names, zh=zh)
    yield (
        f"与现行规则相同 {report['same']}，仅试验规则 {report['only_tried']}，仅现行规则 {report['only_in_force']}；"
        f"现行规则共 {report['alarms_in_force']} 告警，{report['cases_in_force']} 案件。"
        if zh
        else f"As with the rules in force: {report['same']}; only with these: {report['only_tried']}; only with those "
        f"in force: {report['only_in_force']}. Those in force: {many(report['alarms_in_force'], 'alarm')}, "
        f"{many(report['cases_in_force'], 'case')}."
    )
    yield (
        f"每 10 分钟最多 {report['peak_10_minutes']} 条；泛滥时段占 {report['flood_share']:.2%}（目标低于 1 %）。"
        if zh
        else f"At most {many(report['peak_10_minutes'], 'alarm')} within 10 minutes; floods "
        f"{report['flood_share']:.2%} of the time (target: below 1 %)."
    )
    yield from _trust(report["rules"], zh=zh)
    yield from _noisy(report["worst"], zh=zh)
    yield from _examples(report["examples"], zone, zh=zh)


def _left_out(report: Mapping[str, Any], *, zh: bool) -> Iterator[str]:
    unknown: Mapping[str, int] = report.get("unknown_devices", {})
    if unknown:
        rows, some = sum(unknown.values()), ", ".join(sorted(unknown)[:_SHOWN])
        more = " …" if len(unknown) > _SHOWN else ""
        yield (
            f"未登记的设备 {len(unknown)} 台（{rows:,} 条数据，未计入）：{some}{more}"
            if zh
            else f"Not registered, and left out: {many(len(unknown), 'device')} with {rows:,} readings: {some}{more}"
        )
    if doubles := report.get("doubles"):
        yield (
            f"同一设备同一时间的重复数据 {doubles:,} 条，只计第一条。"
            if zh
            else f"Repeated, by device and time, and left out: {doubles:,} readings; the first of each counts."
        )
    if passed := report["passed_over"]:
        rules = ", ".join(passed)
        yield (
            f"未参与：{rules}。每日任务向数据库查询指标，文件中没有。"
            if zh
            else f"Passed over: {rules}. Jobs ask the database for figures, which a file does not have."
        )


def _by_rule(report: Mapping[str, Any], names: Mapping[str, str], *, zh: bool) -> Iterator[RenderableType]:
    headings = (
        ["规则", "名称", "告警", "现行", "每天", "设备", "案件", "未恢复"]
        if zh
        else ["rule", "name", "alarms", "in force", "a day", "devices", "cases", "lasting"]
    )
    rows = [
        (rule, names.get(rule, ""), of["alarms"], of["in_force"], of["per_day"], of["devices"], of["cases"],
         of["lasting"])
        for rule, of in report["rules"].items()
    ]  # fmt: skip
    alarms, cases = report["alarms"], report["cases"]
    yield table(
        f"{alarms} 告警，{cases} 案件" if zh else f"{many(alarms, 'alarm')}, {many(cases, 'case')}", headings, rows
    )


def _trust(rules: Mapping[str, Any], *, zh: bool) -> Iterator[RenderableType]:
    """How far alarms can be trusted, by rule."""
    headings = (
        ["规则", "中位时长", "5 分钟内恢复", "1 小时内再现", "最多的设备", "现场证实", "未发现", "漏报"]
        if zh
        else ["rule", "median", "over in 5 min", "back in 1 h", "busiest device", "crews found", "nothing", "missed"]
    )
    rows = [
        (rule, _length(of["median_s"]), of["fleeting"], of["came_back"],
         _busiest(of["busiest"]),
         *_said(of["crews_found"], of["crews_found_nothing"], of["crews_found_and_missed"]))
        for rule, of in rules.items()
    ]  # fmt: skip
    if rows:
        yield table("可信程度" if zh else "How far to trust them", headings, rows)
    hints = [f"{rule}: {_HINTS[Hint(hint)][zh]}" for rule, of in rules.items() for hint in of["hints"]]
    if hints:
        yield "\n".join(hints)


def _noisy(noisy: Sequence[Mapping[str, Any]], *, zh: bool) -> Iterator[RenderableType]:
    headings = (
        ["规则", "设备", "告警", "若延时为", "可减少", "或回差为"]
        if zh
        else ["rule", "device", "alarms", "a delay of", "would have spared", "or a deadband of"]
    )
    rows = [
        (each["rule"], each["device"], each["alarms"], _length(each["delay_s"]), each["spared"] or "-",
         f"{each['deadband']:.3g} ({each['metric']})" if each["deadband"] else "-")
        for each in noisy
    ]  # fmt: skip
    if rows:
        yield table("最频繁" if zh else "Raised most often", headings, rows)


def _examples(
    examples: Mapping[str, Sequence[Mapping[str, Any]]], zone: tzinfo, *, zh: bool
) -> Iterator[RenderableType]:
    titles = {
        "only_tried": ("Only with these", "仅试验规则"),
        "only_in_force": ("Only with the rules in force", "仅现行规则"),
    }
    headings = ["时间", "规则", "设备", "条件", "数值"] if zh else ["raised", "rule", "device", "because", "values"]
    for key, title in titles.items():
        rows = [
            (_local(each["raised"], zone), each["rule"], each["device"], each["because"],
             ", ".join(f"{name} {_value(value)}" for name, value in each["values"].items()))
            for each in examples[key]
        ]  # fmt: skip
        if rows:
            yield table(title[zh], headings, rows)


def _busiest(busiest: Mapping[str, Any] | None) -> str:
    return f"{busiest['device']}: {busiest['alarms']}" if busiest and busiest["alarms"] > 1 else "-"


def _said(*figures: int | None) -> Iterable[object]:
    return ("-" if figure is None else figure for figure in figures)


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _length(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _local(moment: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"
