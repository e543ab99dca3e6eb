"""Packs changed under running processes: taken over within seconds, refused when broken, no delay forgotten."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg import Connection

from devices.broker import Broker
from devices.registry import Registry
from tests.fix_broker import one_broker
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import eventually

METER = "4201020308000004"


def rule(number: int, condition: str) -> str:
    return f"""
- id: R-{number:02}
  name: {{en: loud, zh: 响}}
  kind: noise
  raise: {condition}
  for: {{samples: 2}}
  severity: minor
  case: {{problem: test, fix: 1d work}}
  source: a test
"""


@one_broker
def test_changed_packs_are_taken_over_broken_ones_refused_and_running_delays_go_on(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, tmp_path: Path
) -> None:
    pack = tmp_path / "packs" / "test.yaml"
    pack.parent.mkdir()
    pack.write_text(rule(1, "laeq > 60") + rule(2, "laeq > 90"), encoding="utf-8")
    packs = {"CITYWARD_PACKS_DIR": str(pack.parent)}
    collector = start("collect", **packs)
    collector.says("collecting")
    dispatcher = start("dispatch", **packs)
    dispatcher.says("dispatching")
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the processes have the wall's clock

    def raised() -> list[tuple[str, bool]]:
        found = connection.execute("SELECT rule_id, rule_version = ANY (SELECT version FROM rule_text) FROM alarm")
        return sorted((str(rule_id), bool(known)) for rule_id, known in found)

    with plain_client(broker) as meter:

        def publish(minutes_ago: int, laeq: float) -> None:
            at = now - timedelta(minutes=minutes_ago)
            meter.publish(topic_of(registry, METER), payload(at, seq=100 - minutes_ago, laeq=laeq))

        publish(10, 70)  # the first of two samples for the first rule
        eventually(lambda: connection.execute("SELECT count(*) FROM rule_state").fetchone() == (1,), "a delay runs")
        pack.write_text(rule(1, "laeq > 60") + rule(2, "laeq >"), encoding="utf-8")
        for process in (collector, dispatcher):
            process.says("refused")
            process.says("test.yaml")
        pack.write_text(rule(1, "laeq > 60") + rule(2, "laeq > 65"), encoding="utf-8")
        for process in (collector, dispatcher):
            process.says("reloading")
        collector.says("collecting", times=2)
        publish(9, 62)
        eventually(lambda: raised() == [("R-01", True)], "the delay went on over the change")
        publish(8, 70)
        publish(7, 70)
        eventually(lambda: raised() == [("R-01", True), ("R-02", True)], "the new condition is in force")
