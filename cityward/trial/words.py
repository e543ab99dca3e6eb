"""What a trial came to in words and rows, for a prompt and for a report. Pure."""

from collections.abc import Iterator

from cityward.trial.evaluating import Score
from cityward.trial.outcome import Outcome, case_times, share

HEADINGS = ("rule", "expected", "in time", "late", "recall", "alarms", "right", "precision", "delay", "95 of 100")


def facts(outcome: Outcome) -> Iterator[str]:
    """The whole in a few lines."""
    score, ledger = outcome.score, outcome.ledger
    times = case_times(outcome.alarms, outcome.cases, outcome.ends)
    yield f"recall {percent(score.recall)}, precision {percent(outcome.precision)}"
    yield f"{score.false_dispatches} false dispatches, {score.false_per_1000_device_days:.2f} in 1,000 device-days"
    yield f"delay {seconds(share(outcome.delays_s, 0.5))}, 95 of 100 within {seconds(share(outcome.delays_s, 0.95))}"
    yield (
        f"{outcome.published} messages published, {ledger.received} received: {ledger.stored} stored,"
        f" {ledger.duplicate} duplicates, {ledger.quarantined} quarantined"
    )
    hushed = len(outcome.alarms) - outcome.told
    yield f"{len(outcome.labels)} labels, {outcome.told} alarms and {hushed} hushed ones, {len(outcome.cases)} cases"
    if outcome.cases:
        yield (
            f"a case within {seconds(times['opened_after_s']['p95'])} of its alarm, 95 of 100 of them;"
            f" {times['closed']['count']} closed by themselves, {times['overdue']} overdue: nobody works on them here"
        )


def by_rule(score: Score) -> Iterator[tuple[str, ...]]:
    """A row for each rule that had something to notice or spoke, under ``HEADINGS``."""
    for name, rule in score.concerned.items():
        yield (
            name, str(rule.expected), str(rule.in_time), str(rule.late), percent(rule.recall), str(rule.alarms),
            str(rule.right), percent(rule.precision), seconds(rule.delay_s(0.5)), seconds(rule.delay_s(0.95)),
        )  # fmt: skip


def percent(value: float | None) -> str:
    """A share; a dash where there is none."""
    return "-" if value is None else f"{value:.1%}"


def seconds(value: float | None) -> str:
    """A delay; a dash where there is none."""
    return "-" if value is None else f"{value:.0f} s"
