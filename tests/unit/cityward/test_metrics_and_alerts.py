"""What processes tell Prometheus, and the alerts on it: they name only what there is, and the documents name it all."""

import asyncio
import errno
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cityward import metrics
from cityward.cli.context import CommandError
from cityward.metrics import ConsoleMetrics, DispatcherMetrics, Metrics
from cityward.settings import Settings
from console.counting import OTHER, Counted
from storage.vitals import Vitals

ROOT = Path(__file__).parents[3]
ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text("utf-8"))["groups"][0][
    "rules"
]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def names(registry: CollectorRegistry) -> set[str]:
    return {family.name + suffix for family in registry.collect() for suffix in SUFFIXES[family.type]}


THERE = {
    name
    for metrics in (Metrics.create(), DispatcherMetrics.create(), ConsoleMetrics.create())
    for name in names(metrics.registry)
}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_asks_for_what_there_is_and_says_what_to_do_in_both_languages(alert: dict[str, Any]) -> None:
    asked = set(re.findall(r"cityward_\w+", alert["expr"]))
    assert asked <= THERE
    assert asked or "up{" in alert["expr"]
    assert alert["labels"]["severity"] in {"critical", "major", "minor"}
    said = alert["annotations"]
    assert {"summary", "description", "summary_zh"} <= said.keys()
    assert re.search("[一-鿿]", said["summary_zh"])


def test_every_metric_stands_in_the_documents() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    bases = {re.sub("_(bucket|sum|count)$", "", name) for name in THERE}
    assert [name for name in sorted(bases) if name not in text] == []


def test_what_is_scraped_are_services_that_serve_metrics_there() -> None:
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text("utf-8"))["scrape_configs"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for target in (target for job in scraped for each in job["static_configs"] for target in each["targets"]):
        name, port = target.split(":")
        environment = services[name]["environment"]
        assert environment["CITYWARD_METRICS_PORT"] == port, name
        assert environment["CITYWARD_METRICS_HOST"] == "0.0.0.0", name  # noqa: S104 - within the containers' network


def test_the_dispatcher_shows_what_it_has_seen() -> None:
    metrics = DispatcherMetrics.create()
    metrics.show(
        Vitals(
            alarms_active={4: 2, 1: 7},
            alarm_news_waiting=3,
            alarms_stuck=1,
            cases_open=20,
            cases_overdue=5,
            notifications_pending=6,
            notification_oldest_seconds=61.5,
            rules_benched=0,
            database_jobs_failing=0,
        )
    )
    shown = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }
    assert shown["cityward_alarms_active", "4"] == 2
    assert shown["cityward_alarms_active", "3"] == 0
    assert shown["cityward_cases_overdue",] == 5
    assert shown["cityward_notification_oldest_seconds",] == 61.5


def test_answers_are_counted_by_the_pattern_of_their_address() -> None:
    app, metrics = FastAPI(), ConsoleMetrics.create()

    @app.get("/cases/{number}")
    async def case(number: str) -> str:
        if number == "13":
            raise RuntimeError(number)
        return number

    async def visit() -> None:
        transport = httpx.ASGITransport(Counted(app, metrics.count), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            for path in ("/cases/1", "/cases/2", "/cases/13", "/elsewhere"):
                await client.get(path)

    asyncio.run(visit())
    counted = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "cityward_console_answers_total"
    }
    assert counted == {("/cases/{number}", "200"): 2, ("/cases/{number}", "500"): 1, (OTHER, "404"): 1}


def test_a_port_that_another_process_has_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object, **__: object) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(metrics, "start_http_server", taken)
    with pytest.raises(CommandError, match=":9464: Address already in use; each process on a machine needs a port"):
        metrics.serve(CollectorRegistry(), Settings(metrics_port=9464))
