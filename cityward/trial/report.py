"""The report of a trial: Markdown with pictures beside it, and one HTML page that has everything."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from cityward.showing import many
from cityward.trial import plots
from cityward.trial.explained import MOST, Trouble
from cityward.trial.outcome import Goals, Outcome
from cityward.trial.words import HEADINGS, by_rule, facts
from simulators.physics.daytime import LOCAL

_STYLE = """
body{font:15px/1.5 sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse}th,td{padding:2px 12px 2px 0;text-align:right}
th:first-child,td:first-child{text-align:left}
tr:nth-child(even){background:#f4f4f4}pre{background:#f4f4f4;padding:1em;overflow-x:auto;font-size:12px}
summary{cursor:pointer;margin:.4em 0}.bad{color:#b3261e}.good{color:#3c8031}svg{max-width:100%}
"""


def write(folder: Path, outcome: Outcome, goals: Goals, troubles: Sequence[Trouble], command: str) -> list[Path]:
    """``report.md`` with its pictures and ``report.html`` into a folder, which may be new; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {f"{name}.svg": picture for name, picture in _pictures(outcome)}
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
        yield f"| {' | '.join(HEADINGS)} |"
        yield "|---" * len(HEADINGS) + "|"
        yield from (f"| {' | '.join(row)} |" for row in by_rule(outcome.score))
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
        yield f"<h2>By rule</h2><table><tr>{''.join(f'<th>{each}</th>' for each in HEADINGS)}</tr>"
        for row in by_rule(outcome.score):
            yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        yield f"</table><h2>What went wrong</h2><p>{escape(_went_wrong(outcome))}</p>"
        for each in troubles:
            yield f"<details><summary>{escape(each.title)}</summary><pre>{escape(each.text)}</pre></details>"
        yield "</html>"

    return "\n".join(lines()) + "\n"


def _pictures(outcome: Outcome) -> Iterator[tuple[str, str]]:
    rules = outcome.score.concerned
    yield "rules", plots.shares([plots.Bar(name, rule.recall, rule.precision) for name, rule in rules.items()])
    if found := [(name, rule.delays_s) for name, rule in rules.items() if rule.delays_s]:
        yield "delays", plots.delays(found)
    if marks := [*_marks(outcome)]:
        yield "timeline", plots.timeline(marks, outcome.begins, outcome.ends, LOCAL)


def _marks(outcome: Outcome) -> Iterator[plots.Mark]:
    """All that went wrong, also where only the first of each rule are explained."""
    score, begun = outcome.score, {label.id: label.start for label in outcome.labels}
    for name, rule in (*score.missed, *(each[:2] for each in score.late)):
        yield plots.Mark(rule, begun[name], missed=True)
    for alarm in (*score.false, *outcome.sent_to_permitted_work):
        yield plots.Mark(alarm.rule, alarm.at, missed=False)


def _title(outcome: Outcome) -> str:
    days = (outcome.ends - outcome.begins).total_seconds() / 86_400
    begins = f"{outcome.begins.astimezone(LOCAL):%Y-%m-%d %H:%M}"
    return f"{outcome.scenario}: {outcome.devices} devices, {days:g} days from {begins}"


def _facts(outcome: Outcome, goals: Goals) -> Iterator[str]:
    yield from facts(outcome)
    yield from (f"goal missed: {each}" for each in outcome.problems(goals))


def _went_wrong(outcome: Outcome) -> str:
    score, permitted = outcome.score, len(outcome.sent_to_permitted_work)
    said = f"{len(score.missed)} never noticed, {len(score.late)} late, {len(score.false)} false alarms."
    said += f" {many(permitted, 'case')} of permitted work." if permitted else ""
    return (
        f"{said} The first {MOST} of each rule follow."
        if score.missed or score.late or score.false or permitted
        else said
    )
