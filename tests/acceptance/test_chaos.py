"""Everything is killed under load in a few rounds; ``cityward bench`` does the same for as long as one likes."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("mosquitto_installed")
LOAD = ("--rate", "300", "--devices", "30", "--json")
BOUND = 300.0  # seconds, far more than anything takes


def bench(*arguments: str) -> dict[str, Any]:
    """What ``cityward bench`` reports; its progress is in what pytest captures."""
    command = [sys.executable, "-m", "cityward", "bench", *arguments, *LOAD]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=BOUND, check=False)
    assert ended.stdout, f"ended with {ended.returncode} and no report"
    report: dict[str, Any] = json.loads(ended.stdout)
    assert report["passed"], report
    assert ended.returncode == 0
    return report


def accounted(report: dict[str, Any]) -> None:
    """Every message has its one fate, every alarm is foretold, every case was told."""
    assert report["published"] == report["stored"] + report["quarantined"] + report["missing"]
    assert report["received"] == (
        report["stored"] + report["quarantined"] + report["duplicate"] + report["quarantined_again"]
    )
    assert report["stored"] > 0
    assert report["quarantined"] > 0
    assert report["duplicate"] > 0
    assert report["doubled"] == 0
    assert report["alarms"] == report["alarms_expected"] > 0
    assert report["cases"] == report["notified"] == report["cases_expected"] > 0


def test_killed_collectors_database_and_dispatcher_and_a_restarted_broker_lose_and_double_nothing() -> None:
    report = bench("chaos", "--rounds", "5", "--seconds-per-round", "1.5", "--seed", "7")
    accounted(report)
    assert report["missing"] == 0
    assert sum(report["done"].values()) == 5
    assert len(report["done"]) == 5
    assert report["failovers"] == 1
    assert report["failover_max_s"] < 15


def test_what_a_killed_broker_loses_is_named_by_device_and_sequence_number_and_nothing_else_is_missing() -> None:
    report = bench("chaos", "--rounds", "1", "--seconds-per-round", "3", "--seed", "7", "--kill-broker")
    accounted(report)
    assert report["done"] == {"kill the collectors, then the broker": 1}
    assert report["missing_by_gaps"] == report["missing_by_publisher"]
    assert sum(last - first + 1 for _, first, last in report["missing_by_gaps"]) == report["missing"]


def test_a_database_that_is_away_while_the_collector_is_killed_costs_nothing() -> None:
    report = bench("outage", "--minutes", "0.1")
    accounted(report)
    assert report["missing"] == 0
    assert report["away_s"] >= 6
    assert report["waiting"] > 300


def test_scenario_b_measures_what_it_says_and_its_books_are_right() -> None:
    report = bench("scenario-b", "--minutes", "0.05")
    assert report["stored"] == report["received"] == report["published"] == 300 * 13
    assert report["alarms"] == report["alarms_expected"] == 30
    assert set(report["cpu_percent_by_process"]) == {"broker", "postgres", "collector", "dispatcher", "publisher"}
    assert 0 < report["cpu_percent"] < 100
    assert 0 < report["commit_p50_ms"] <= report["commit_p99_ms"] <= report["commit_max_ms"]
    assert 0 < report["alarm_p50_ms"] <= report["alarm_p99_ms"]
