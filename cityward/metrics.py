"""What each process tells Prometheus: the collector, the dispatcher, the console; in sets of their own."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from cityward.cli.context import CommandError
from cityward.settings import Settings
from ingest.loop import Written
from storage.vitals import Vitals

FATES = ("stored", "duplicate", "quarantined")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def serve(registry: CollectorRegistry, settings: Settings) -> None:
    """Answer Prometheus for as long as the process lives, if a port is set.

    Raises:
        CommandError: where nobody can listen there.
    """
    if settings.metrics_port:
        try:
            start_http_server(settings.metrics_port, addr=settings.metrics_host, registry=registry)
        except OSError as error:
            raise CommandError(
                f"metrics_port: {settings.metrics_host}:{settings.metrics_port}: {error.strerror}; each process on a"
                " machine needs a port of its own, such as CITYWARD_METRICS_PORT=9465 before its command"
            ) from error


@dataclass(frozen=True, slots=True)
class Metrics:
    """The collector's numbers; partitions are labels."""

    registry: CollectorRegistry
    received: Counter
    fates: Counter
    quarantined: Counter
    batches: Counter
    collecting: Gauge
    committed: Gauge

    @classmethod
    def create(cls) -> "Metrics":
        """Counters at zero."""
        registry = CollectorRegistry()
        return cls(
            registry,
            Counter("cityward_readings_received_total", "Readings received.", ["partition"], registry=registry),
            Counter("cityward_readings_total", "Readings by fate.", ["partition", "fate"], registry=registry),
            Counter(
                "cityward_quarantined_total",
                "Readings and messages refused, by reason; wrong_identity: somebody spoke for another device.",
                ["partition", "code"],
                registry=registry,
            ),
            Counter("cityward_batches_total", "Batches committed and acknowledged.", ["partition"], registry=registry),
            Gauge(
                "cityward_collecting",
                "1 while the partition's readings are being taken, 0 while waiting for a lock, a broker or a database.",
                ["partition"],
                registry=registry,
            ),
            Gauge(
                "cityward_last_commit_timestamp_seconds",
                "When readings of the partition were last committed, seconds since 1970 UTC.",
                ["partition"],
                registry=registry,
            ),
        )

    def count(self, partition: str, written: Written) -> None:
        """One batch."""
        ledger = written.ledger
        if ledger.received:
            self.received.labels(partition).inc(ledger.received)
            self.batches.labels(partition).inc()
            self.committed.labels(partition).set_to_current_time()
            for fate in FATES:
                self.fates.labels(partition, fate).inc(getattr(ledger, fate))
        for code, count in written.refused.items():
            self.quarantined.labels(partition, code.value).inc(count)


@dataclass(frozen=True, slots=True)
class DispatcherMetrics:
    """The dispatcher's numbers: the state of the city's work as of its latest look."""

    registry: CollectorRegistry
    dispatching: Gauge
    looked: Gauge
    alarms: Gauge
    work: dict[str, Gauge]

    @classmethod
    def create(cls) -> "DispatcherMetrics":
        """Nothing seen yet."""
        registry = CollectorRegistry()
        work = {
            "alarm_news_waiting": "News of alarms that no dispatcher has taken up.",
            "alarms_stuck": "Alarms of which no case can be made: cityward status says why.",
            "cases_open": "Cases that are open.",
            "cases_overdue": "Of them, those past their deadline: no work reported, the clock not stopped before.",
            "notifications_pending": "Notifications that have not arrived.",
            "notification_oldest_seconds": "Age of the oldest of them; 0 where there is none.",
            "rules_benched": "Rules that crashed and are not tried again until their pack changes.",
            "database_jobs_failing": "Jobs of TimescaleDB, roll-ups and compression among them, whose last run failed.",
        }
        return cls(
            registry,
            Gauge("cityward_dispatching", "1 while this process holds the dispatcher's lock.", registry=registry),
            Gauge(
                "cityward_dispatcher_look_timestamp_seconds",
                "When the dispatcher last looked around, seconds since 1970 UTC.",
                registry=registry,
            ),
            Gauge("cityward_alarms_active", "Alarms that stand, by severity.", ["severity"], registry=registry),
            {name: Gauge(f"cityward_{name}", doc, registry=registry) for name, doc in work.items()},
        )

    def show(self, vitals: Vitals) -> None:
        """What the dispatcher has just seen."""
        for name, gauge in self.work.items():
            gauge.set(getattr(vitals, name))
        for severity in range(1, 5):
            self.alarms.labels(severity).set(vitals.alarms_active.get(severity, 0))
        self.looked.set_to_current_time()


@dataclass(frozen=True, slots=True)
class ConsoleMetrics:
    """The console's numbers, by the pattern of an address, never by the address itself."""

    registry: CollectorRegistry
    answers: Counter
    seconds: Histogram

    @classmethod
    def create(cls) -> "ConsoleMetrics":
        """Nothing answered yet."""
        registry = CollectorRegistry()
        return cls(
            registry,
            Counter("cityward_console_answers_total", "Answers, by status.", ["route", "status"], registry=registry),
            Histogram(
                "cityward_console_answer_seconds",
                "Time from a request to the end of its answer.",
                ["route"],
                buckets=_SECONDS,
                registry=registry,
            ),
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """One answer."""
        self.answers.labels(route, status).inc()
        self.seconds.labels(route).observe(seconds)
