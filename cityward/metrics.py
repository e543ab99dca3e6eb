"""What the collector counts, for Prometheus."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from ingest.loop import Written

FATES = ("stored", "duplicate", "quarantined")


@dataclass(frozen=True, slots=True)
class Metrics:
    """The numbers of one process; partitions are labels."""

    registry: CollectorRegistry
    received: Counter
    fates: Counter
    quarantined: Counter
    batches: Counter
    collecting: Gauge

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
        )

    def serve(self, port: int) -> None:
        """Answer Prometheus on the loopback address; 0 serves nobody."""
        if port:
            start_http_server(port, addr="127.0.0.1", registry=self.registry)

    def count(self, partition: str, written: Written) -> None:
        """One batch."""
        ledger = written.ledger
        if ledger.received:
            self.received.labels(partition).inc(ledger.received)
            self.batches.labels(partition).inc()
            for fate in FATES:
                self.fates.labels(partition, fate).inc(getattr(ledger, fate))
        for code, count in written.refused.items():
            self.quarantined.labels(partition, code.value).inc(count)
