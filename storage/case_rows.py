"""Rows of the table ``dispatch_case`` into cases and back."""

from collections.abc import Iterator
from typing import Any

from cases.case import Case, Check, Due, Finding, Milestone, Outcome
from cases.clocks import Allowance
from cases.lifecycle import OPEN_STATES, State
from cases.policy import Colour
from cases.supervision import next_look

# Columns that are fields of a case by the same name and type.
_PLAIN = (
    "severity", "unit", "reason", "started_at", "white_at", "red_at", "attention", "attend_at", "rework",
    "failed_checks", "bounces", "arbitrated", "paused_at", "pause", "pause_until", "delays",
    "notice_until", "parent", "photo", "closed_at",
)  # fmt: skip
_REACHED = {
    Milestone.ACCEPT: "accepted_at",
    Milestone.ARRIVE: "arrived_at",
    Milestone.SAFE: "safe_at",
    Milestone.FIX: "done_at",
}


def case_of(row: dict[str, Any]) -> Case:
    """The case of a row."""
    return Case(
        state=State(row["state"]),
        dues={
            milestone: Due(Allowance.parse(row[f"{milestone}_allowed"]), row[f"{milestone}_by"])
            for milestone in Milestone
            if row[f"{milestone}_allowed"] is not None
        },
        reached={milestone: row[column] for milestone, column in _REACHED.items() if row[column] is not None},
        joint=tuple(row["joint"]),
        colour=Colour(row["colour"]),
        missed=frozenset(map(Milestone, row["missed"])),
        delay=Allowance.parse(row["delay"]) if row["delay"] is not None else None,
        check=(
            Check(row["check_since"], row["check_earliest"], row["check_until"])
            if row["check_since"] is not None
            else None
        ),
        found=Finding(row["found"]) if row["found"] is not None else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] is not None else None,
        **{name: row[name] for name in _PLAIN},
    )


def row_of(case: Case) -> dict[str, Any]:
    """A case's columns, as parameters."""
    check = case.check
    return {
        "state": case.state,
        "open": case.state in OPEN_STATES,
        "joint": list(case.joint),
        "colour": int(case.colour),
        "missed": sorted(case.missed),
        "delay": str(case.delay) if case.delay else None,
        "check_since": check.since if check else None,
        "check_earliest": check.earliest if check else None,
        "check_until": check.until if check else None,
        "found": case.found,
        "outcome": case.outcome,
        "look_at": next_look(case),
        **dict(_dues(case)),
        **{column: case.reached.get(milestone) for milestone, column in _REACHED.items()},
        **{name: getattr(case, name) for name in _PLAIN},
    }


def _dues(case: Case) -> Iterator[tuple[str, Any]]:
    for milestone in Milestone:
        due = case.dues.get(milestone)
        yield f"{milestone}_allowed", str(due.allowed) if due else None
        yield f"{milestone}_by", due.by if due else None
