"""``cityward evaluate``: a scenario against the real processes, and what their alarms were worth."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import STOPPED, CommandError, err, load_settings, out, stop_event, table
from cityward.cli.progress import Say, progress
from cityward.cli.simulating import MOMENTS, print_scenarios
from cityward.showing import many
from cityward.trial.driving import Course
from cityward.trial.explained import Trouble, troubles
from cityward.trial.outcome import Goals, Outcome
from cityward.trial.report import write
from cityward.trial.running import Plan, Told, run
from cityward.trial.stage import Servers, Stage
from cityward.trial.words import HEADINGS, by_rule, facts
from simulators.city import SMALLEST, build_city
from simulators.physics.daytime import LOCAL
from simulators.scenario import load_scenario, shipped

_MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001 - local, as people type it
_SHOWN = 30  # lines of a long list


def evaluate(
    scenario: Annotated[
        str, typer.Argument(help="What happens: one that comes along (see --list), or the path of your own file.toml.")
    ] = "",
    devices: Annotated[int, typer.Option(min=SMALLEST, help="How many devices the city has.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city and the same readings.")] = 1,
    start: Annotated[
        datetime, typer.Option(formats=MOMENTS, help="The first day; with a time, the moment to begin at.")
    ] = _MONDAY,
    days: Annotated[
        float | None, typer.Option(min=0.01, help="So many of the city's days instead of all.", show_default=False)
    ] = None,
    tick: Annotated[
        float, typer.Option(min=1, max=60, help="Seconds of the city between two looks; delays are that exact.")
    ] = 60,
    recall: Annotated[float, typer.Option(min=0, max=1, help="Fail below this share noticed in time.")] = 0.99,
    false: Annotated[float, typer.Option(min=0, help="Fail above so many false dispatches in 1,000 device-days.")] = 1,
    dsn: Annotated[str, typer.Option(help="An empty database to use instead of an embedded one.")] = "",
    broker: Annotated[
        str, typer.Option(help="Instead of an embedded broker: mqtt://host:port, user:password@ before it if need be.")
    ] = "",
    report: Annotated[
        Path | None, typer.Option(help="Write report.md and report.html here: plots, every miss explained.")
    ] = None,
    list_scenarios: Annotated[bool, typer.Option("--list", help="What scenarios come along, and end.")] = False,
    json_line: Annotated[bool, typer.Option("--json", help="End with one JSON line instead of tables.")] = False,
) -> None:
    """Try a scenario on real processes: what was noticed, what was missed, who was sent for nothing.

    The pretend city publishes to a broker, a collector stores and judges, a dispatcher opens cases; the city's time
    goes on when both have kept up, so a day takes a minute or two and nothing is outrun. What was raised is held
    against what the scenario broke. Ends with 1 if the goals are not reached, the reasons on standard error. Ctrl-C
    ends the trial early, with 130: what follows is then about the time until there.
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    if list_scenarios:
        print_scenarios(kinds)
        return
    if not scenario:
        raise CommandError(f"which scenario? cityward evaluate NAME; there are {', '.join(shipped())}")
    chosen = load_scenario(scenario, tuple(kinds))
    clock = start.time() if start.time() != datetime.min.time() else chosen.begins
    begins = datetime.combine(start.date(), clock, LOCAL).astimezone(UTC)
    course = Course(begins, begins + timedelta(days=days or chosen.days), timedelta(seconds=tick))
    plan = Plan(chosen, build_city(seed, devices, kinds), seed, course, Servers(dsn, broker))
    goals = Goals(recall, false)
    rules, found = wiring.rules(settings, kinds), list[Trouble]()

    def explain(stage: Stage, outcome: Outcome) -> None:
        if report:
            _say("explaining what went wrong ...")
            found.extend(troubles(stage, outcome, rules))

    with progress() as say:
        told = Told(_say, _reporting(chosen.name, course, say))
        outcome = run(plan, settings, stop_event(with_stdin=False), told, explain)
    if report:
        written = write(report, outcome, goals, found, " ".join(["cityward", *sys.argv[1:]]))
        _say(f"wrote {', '.join(map(str, written))}")
    if json_line:
        print(json.dumps(outcome.as_json(goals)))  # noqa: T201 - another program reads it
    else:
        _show(outcome)
    problems = outcome.problems(goals)
    for problem in problems:
        _say(problem)
    raise typer.Exit(STOPPED if outcome.cut_short else 1 if problems else 0)


def _say(text: str) -> None:
    err.print(f"[dim]cityward evaluate:[/dim] {text}", markup=True, soft_wrap=True)


def _reporting(what: str, course: Course, say: Say) -> Callable[[datetime, int], None]:
    def report(at: datetime, published: int) -> None:
        share = (at - course.begins) / (course.ends - course.begins)
        say(what, share, f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M} in the city, {many(published, 'message')}")

    return report


def _show(outcome: Outcome) -> None:
    """Tables for people."""
    days = (outcome.ends - outcome.begins) / timedelta(days=1)
    title = f"{outcome.scenario}: {outcome.devices} devices, {round(days, 3):g} days"
    out.print(table(title, HEADINGS, by_rule(outcome.score), least=["right", "late"]))
    labels = {label.id: label for label in outcome.labels}
    missed = [
        (name, rule, f"{labels[name].start.astimezone(LOCAL):%m-%d %H:%M}", ", ".join(labels[name].devices[:3]))
        for name, rule in outcome.score.missed
    ]
    if missed:
        out.print(table(f"\nNever noticed: {_counted(missed)}", ["label", "rule", "began", "devices"], missed[:_SHOWN]))
    false = [
        (each.rule, each.device, f"{each.at.astimezone(LOCAL):%m-%d %H:%M}", "case" if each.dispatched else "")
        for each in outcome.score.false
    ]
    false += [
        (each.rule, each.device, f"{each.at.astimezone(LOCAL):%m-%d %H:%M}", "case of permitted work")
        for each in outcome.sent_to_permitted_work
    ]
    if false:
        out.print(
            table(f"\nFalse alarms: {_counted(false)}", ["rule", "device or group", "at", "opened"], false[:_SHOWN])
        )
    out.print()
    for fact in (*facts(outcome), f"{outcome.seconds:.0f} s"):
        out.print(fact, soft_wrap=True)


def _counted(found: Sequence[object]) -> str:
    return str(len(found)) if len(found) <= _SHOWN else f"{len(found)}, of which the first {_SHOWN}"
