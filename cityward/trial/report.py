"""The report of a trial: Markdown with pictures beside it, and one HTML page that has everything."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cityward.trial import plots
from cityward.trial.explained import MOST, Trouble
from cityward.trial.outcome import Goals, Outcome
from simulators.physics.daytime import LOCAL

_STYLE = """
body{font:15px/1.5 sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse}th,td{padding:2px 12px 2px 0;text-align:right}
th:first-child,td:first-child{text-align:left}
tr:nth-child(even){background:#f4f4f4}pre{background:#f4f4f4;padding:1em;overflow-x:auto;font-size:12px}
summary{cursor:pointer;margin:.4em 0}.bad{color:#b3261e}.good{color:#3c8031}svg{max-width:100%}
"""
_HEADINGS = ("rule", "expected", "in time", "late", "recall", "alarms", "right", "precision", "delay", "95 of 100")


def write(folder: Path, outcome: Outcome, goals: Goals, troubles: Sequence[Trouble], command: str) -> list[Path]:
    """``report.md`` with its pictures and ``report.html`` into a folder, which may be new; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {f"{name}.svg": picture for name, picture in _pictures(outcome, troubles)}
    files = {
        **pictures,
        "report.md": markdown(outcome, goals, troubles, command, pictures),
        "report.html": html(outcome, goals, troubles, command, pictures.values()),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def markdown(outcome: Outcome, goals: Goals, troubles: Sequence[Trouble], command: str, pictures: Iterable[str]) -> str:
    """The report as Markdown; pictures by the names of their files."""

    def lines() -> Iterator[str]:
        yield f"# {_title(outcome)}\n"
        yield f"    {command}\n"
        yield from (f"- {each}" for each in _facts(outcome, goals))
        yield from (f"\n![{name.removesuffix('.svg')}]({name})" for name in pictures)
        yield "\n## By rule\n"
        yield f"| {' | '.join(_HEADINGS)} |"
        yield "|---" * len(_HEADINGS) + "|"
        yield from (f"| {' | '.join(row)} |" for row in _rows(outcome, goals))
        yield f"\n## What went wrong\n\n{_went_wrong(outcome)}"
        for each in troubles:
            indented = "\n".join(f"    {line}".rstrip() for line in each.text.splitlines())
            yield f"\n### {each.title}\n\n{indented}"

    return "\n".join(lines()) + "\n"


def html(outcome: Outcome, goals: Goals, troubles: Sequence[Trouble], command: str, pictures: Iterable[str]) -> str:
    """The report as one page, with its pictures in it."""
    met = not outcome.problems(goals)

    def lines() -> Iterator[str]:
        title = escape(_title(outcome))
        yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        yield f"<h1>{title}</h1><pre>{escape(command)}</pre><ul class={'good' if met else 'bad'}>"
        yield from (f"<li>{escape(each)}</li>" for each in _facts(outcome, goals))
        yield "</ul>"
        yield from pictures
        yield f"<h2>By rule</h2><table><tr>{''.join(f'<th>{each}</th>' for each in _HEADINGS)}</tr>"
        for row in _rows(outcome, goals):
            yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        yield f"</table><h2>What went wrong</h2><p>{escape(_went_wrong(outcome))}</p>"
        for each in troubles:
            yield f"<details><summary>{escape(each.title)}</summary><pre>{escape(each.text)}</pre></details>"
        yield "</html>"

    return "\n".join(lines()) + "\n"


def _pictures(outcome: Outcome, troubles: Sequence[Trouble]) -> Iterator[tuple[str, str]]:
    rules = [(name, rule) for name, rule in outcome.score.rules.items() if rule.expected or rule.alarms]
    yield "rules", plots.shares([plots.Bar(name, rule.recall, rule.precision) for name, rule in rules])
    if found := [(name, rule.delays_s) for name, rule in rules if rule.delays_s]:
        yield "delays", plots.delays(found)
    if marks := [plots.Mark(each.rule, each.at, each.missed) for each in troubles]:
        yield "timeline", plots.timeline(marks, outcome.begins, outcome.ends, LOCAL)


def _title(outcome: Outcome) -> str:
    days = (outcome.ends - outcome.begins).total_seconds() / 86_400
    begins = f"{outcome.begins.astimezone(LOCAL):%Y-%m-%d %H:%M}"
    return f"{outcome.scenario}: {outcome.devices} devices, {days:g} days from {begins}"


def _facts(outcome: Outcome, goals: Goals) -> Iterator[str]:
    said, ledger, times = outcome.as_json(goals), outcome.ledger, outcome.as_json(goals)["case_times"]
    yield f"recall {_percent(said['recall'])}, precision {_percent(said['precision'])}"
    yield (
        f"{said['false_dispatches']} false dispatches,"
        f" {said['false_dispatches_per_1000_device_days']:.2f} in 1,000 device-days"
    )
    yield f"delay {_seconds(said['delay_p50_s'])}, 95 of 100 within {_seconds(said['delay_p95_s'])}"
    yield (
        f"{outcome.published} messages published, {ledger.received} received: {ledger.stored} stored,"
        f" {ledger.duplicate} duplicates, {ledger.quarantined} quarantined"
    )
    yield f"{said['labels']} labels, {said['alarms']} alarms and {said['hushed']} hushed ones, {said['cases']} cases"
    if said["cases"]:
        yield (
            f"a case within {_seconds(times['opened_after_s']['p95'])} of its alarm, 95 of 100 of them;"
            f" {times['closed']['count']} closed by themselves, {times['overdue']} overdue: nobody works on them here"
        )
    yield from (f"goal missed: {each}" for each in outcome.problems(goals))


def _rows(outcome: Outcome, goals: Goals) -> Iterator[tuple[str, ...]]:
    rules: dict[str, dict[str, Any]] = outcome.as_json(goals)["rules"]
    for name, rule in rules.items():
        counts = (str(rule[each]) for each in ("expected", "in_time", "late"))
        yield (
            name, *counts, _percent(rule["recall"]), str(rule["alarms"]), str(rule["right"]),
            _percent(rule["precision"]), _seconds(rule["delay_p50_s"]), _seconds(rule["delay_p95_s"]),
        )  # fmt: skip


def _went_wrong(outcome: Outcome) -> str:
    score, permitted = outcome.score, len(outcome.sent_to_permitted_work)
    said = f"{len(score.missed)} never noticed, {len(score.late)} late, {len(score.false)} false alarms."
    said += f" {permitted} cases of permitted work." if permitted else ""
    return (
        f"{said} The first {MOST} of each rule follow."
        if score.missed or score.late or score.false or permitted
        else said
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
