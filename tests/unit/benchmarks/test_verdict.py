"""A verdict sees whatever is missing, doubled or wrong."""

from dataclasses import replace

import pytest

from benchmarks.load import STRANGER, FaultyCity
from benchmarks.verdict import Verdict, judge
from ingest.messages import Ledger
from storage.audit import Books, Run, Told

READINGS = 60
CITY = FaultyCity(12, 1, 1_763_000_000)
EVERYTHING = bytearray(b"\x01" * CITY.devices * READINGS)


def books() -> Books:
    """Everything as it should be."""
    alarms = [line for device in range(1, CITY.devices) for line in CITY.history(device, range(1, READINGS + 1))]
    stored = (CITY.devices - 1) * READINGS
    return Books(
        ledger=Ledger(stored + READINGS + 7, stored, 7, READINGS),
        rows=stored,
        quarantine=READINGS,
        stored=[Run(name, 1, READINGS, READINGS) for name in CITY.names if name != STRANGER],
        quarantined=[Run(STRANGER, 1, READINGS, READINGS)],
        alarms=[(line.device_id, line.rule_id, line.event, line.at) for line in alarms],
        cases=[Told(device, "problem", 1, 1) for device in dict.fromkeys(line.device_id for line in alarms)],
    )


def without(name: str, first: int, last: int, *, rows: int) -> Books:
    """The books without some readings of a device."""
    right = books()
    runs = [run for run in right.stored if run.device_id != name]
    runs += [Run(name, 1, first - 1, first - 1), Run(name, last + 1, READINGS, READINGS - last)]
    ledger = replace(right.ledger, received=right.ledger.received - rows, stored=right.ledger.stored - rows)
    return replace(right, stored=runs, rows=right.rows - rows, ledger=ledger)


def verdict(found: Books, *, may_miss: bool = False) -> Verdict:
    return judge(CITY, EVERYTHING, found, may_miss=may_miss)


def healthy() -> str:
    """A device on which nothing is raised, so that a missing reading changes no alarm."""
    return next(
        name for number, name in enumerate(CITY.names) if number and not list(CITY.history(number, range(1, READINGS)))
    )


def test_right_books_are_right() -> None:
    found = verdict(books())
    assert found.problems == []
    assert (found.published, found.stored, found.quarantined) == (12 * READINGS, 11 * READINGS, READINGS)
    assert (found.missing, found.doubled, found.quarantined_again) == (0, 0, 0)
    assert found.alarms == found.alarms_expected > found.cases
    assert found.cases == found.cases_expected == found.notified > 0


def test_missing_readings_are_named_and_wrong_unless_a_broker_was_killed() -> None:
    gap = (healthy(), 5, 7)
    found = verdict(without(*gap, rows=3))
    assert found.missing == 3
    assert found.missing_by_gaps == found.missing_by_publisher == [gap]
    assert found.problems == [f"missing: [{gap!r}]"]
    assert verdict(without(*gap, rows=3), may_miss=True).problems == []


def test_what_is_missing_at_the_very_end_is_no_gap_and_does_not_pass() -> None:
    right, name = books(), healthy()
    runs = [
        replace(run, last=READINGS - 1, times=READINGS - 1) if run.device_id == name else run for run in right.stored
    ]
    ledger = replace(right.ledger, received=right.ledger.received - 1, stored=right.ledger.stored - 1)
    found = verdict(replace(right, stored=runs, rows=right.rows - 1, ledger=ledger), may_miss=True)
    assert found.missing_by_gaps == []
    assert found.missing_by_publisher == [(name, READINGS, READINGS)]
    assert len(found.problems) == 1


def test_a_reading_that_is_there_twice_is_seen() -> None:
    right = books()
    runs = [replace(right.stored[0], times=READINGS + 1), *right.stored[1:]]
    ledger = replace(right.ledger, received=right.ledger.received + 1, stored=right.ledger.stored + 1)
    found = verdict(replace(right, stored=runs, rows=right.rows + 1, ledger=ledger))
    assert found.doubled == 1
    assert found.problems == [f"{right.stored[0].device_id}: 1 readings are there twice"]


def test_the_ledger_must_agree_with_the_tables() -> None:
    right = books()
    assert any("the tables hold" in each for each in verdict(replace(right, rows=right.rows - 1)).problems)
    assert any("the quarantine holds" in each for each in verdict(replace(right, quarantine=1)).problems)


def test_messages_that_were_never_acknowledged_are_wrong() -> None:
    found = judge(CITY, EVERYTHING[:-1] + b"\x00", books(), may_miss=False)
    assert found.problems == ["1 messages were never acknowledged"]


def test_alarms_must_be_those_that_were_foretold_each_once() -> None:
    right = books()
    for wrong in (right.alarms[1:], [*right.alarms, right.alarms[0]]):
        problems = verdict(replace(right, alarms=wrong)).problems
        assert len(problems) == 1
        assert "alarm" in problems[0]
    device, rule, event, at = right.alarms[0]
    late = verdict(replace(right, alarms=[(device, rule, event, at + 1), *right.alarms[1:]]))
    assert len(late.problems) == 2


@pytest.mark.parametrize("told", [(0, 0), (1, 0), (2, 2)])
def test_every_case_must_have_been_told_once(told: tuple[int, int]) -> None:
    right = books()
    cases = [replace(right.cases[0], sent=told[0], arrived=told[1]), *right.cases[1:]]
    assert len(verdict(replace(right, cases=cases)).problems) == 1


def test_cases_must_be_those_of_the_alarms() -> None:
    right = books()
    for wrong in (right.cases[1:], [*right.cases, right.cases[0]]):
        assert any("cases of" in each for each in verdict(replace(right, cases=wrong)).problems)
