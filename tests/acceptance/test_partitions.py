"""Several partitions in one collector, and another collector that takes over in the middle of an on-delay."""

import json
import re
import signal
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from ingest.session import Session
from storage.locks import PARTITION, holders
from storage.overview import ledger
from storage.partition_sessions import load_all
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Command, Starter
from tests.prompting import Finished
from tests.waiting import eventually

EAST_AND_WEST = json.dumps({"east": ["city/east/#"], "west": ["city/west/#"]})
SAME_NAME = json.dumps({"all": ["city/east/#"], "west": ["city/west/#"]})
STRAIN = "bridge-1-strain"


def rising(registry: Registry) -> tuple[float, datetime]:
    """A strain that is one too many if it lasts, and a beginning half an hour ago."""
    device = registry.named(STRAIN)
    assert device is not None
    yellow = 0.75 * (registry.limit(device, "strain", date(2026, 1, 1)).value or 0)
    began = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the collector under test has the wall's clock
    return yellow, began - timedelta(minutes=30)


def since(connection: Connection) -> dict[str, int]:
    """Since when the broker keeps what is sent to the halves of the city, µs since 1970 UTC."""
    sessions = load_all(connection)
    return {name: sessions[name].since or 0 for name in ("east", "west")}


def worked_off(connection: Connection) -> bool:
    """Whether the whole city's collector has stored what was sent before there were halves."""
    return (load_all(connection)["all"].reached or 0) >= max(since(connection).values())


def test_two_partitions_share_a_collector_and_each_keeps_its_own_ledger(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, command: Command
) -> None:
    both = start("collect", CITYWARD_PARTITIONS=EAST_AND_WEST)
    both.says("collecting ", times=2)
    at = datetime.now(UTC)  # noqa: TID251 - the collector under test has the wall's clock
    with plain_client(broker) as devices:
        devices.publish(topic_of(registry, "4201020102000001"), payload(at, tilt=1))
        devices.publish(topic_of(registry, STRAIN), payload(at, strain=10))
        devices.publish(topic_of(registry, STRAIN), payload(at + timedelta(seconds=1), strain=11))
        eventually(lambda: ledger(connection).stored == 3, "three stored")
    books = connection.execute("SELECT partition, sum(stored)::int FROM ledger GROUP BY 1 ORDER BY 1").fetchall()
    assert books == [("east", 1), ("west", 2)]
    shown = command("status", CITYWARD_PARTITIONS=EAST_AND_WEST)
    assert shown.code == 0
    assert "nobody: start cityward dispatch" in shown.out
    assert set(holders(connection, PARTITION, ["east", "west", "north"])) == {"east", "west"}
    both.kill(signal.SIGSEGV)
    assert len(re.findall(r"collect\.py.* in _collect$", both.log(), re.MULTILINE)) == 2, "what both threads were at"


def test_the_next_collector_goes_on_with_a_running_delay_at_its_right_event_time(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    yellow, began = rising(registry)
    first = start("collect")
    first.says("collecting")
    second = start("collect")
    second.says("another process has it")
    topic = topic_of(registry, STRAIN)
    with plain_client(broker) as bridge:
        for minute in range(7):
            bridge.publish(topic, payload(began + timedelta(minutes=minute), seq=minute, strain=yellow))
        eventually(lambda: ledger(connection).stored == 7, "seven minutes stored")
        first.kill()
        bridge.publish(topic, payload(began + timedelta(minutes=7), seq=7, strain=yellow))  # while nobody collects
        second.says("collecting")
        for minute in range(8, 12):
            bridge.publish(topic, payload(began + timedelta(minutes=minute), seq=minute, strain=yellow))
        eventually(lambda: ledger(connection).stored == 12, "all stored")
    alarms = connection.execute("SELECT rule_id, raised_at FROM alarm").fetchall()
    assert alarms == [("BR-01", began + timedelta(minutes=10))]


def test_partitions_that_share_topics_are_refused(command: Command) -> None:
    refused = command("collect", CITYWARD_PARTITIONS=json.dumps({"all": ["city/#"], "west": ["city/west/#"]}))
    assert refused.code == 1
    assert "a device belongs to one partition" in refused.err


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_a_delay_that_runs_while_partitions_are_cut_anew_ends_at_its_time_and_nothing_is_lost(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, command: Command
) -> None:
    yellow, began = rising(registry)

    def told(*words: str, partitions: str) -> Finished:
        return command(*words, CITYWARD_BROKER_URL=broker.url, CITYWARD_PARTITIONS=partitions)

    whole = start("collect")
    whole.says("collecting")
    with plain_client(broker) as bridge:

        def sends(*minutes: int) -> None:
            for minute in minutes:
                at = began + timedelta(minutes=minute)
                bridge.publish(topic_of(registry, STRAIN), payload(at, seq=minute, strain=yellow))

        sends(*range(5))
        # The session "all" would go on getting what "west" judges.
        same_name = start("collect", CITYWARD_PARTITIONS=SAME_NAME)
        assert same_name.ended() == 1
        assert "partition all had city/#" in same_name.log()
        assert told("partitions", "prepare", partitions=SAME_NAME).code == 1
        assert told("partitions", "prepare", partitions=EAST_AND_WEST).code == 0
        first = since(connection)
        with Session(broker, "west", [], clock=Clock(), stopping=lambda: True, keep=False):
            pass  # the broker has lost it
        assert told("partitions", "prepare", partitions=EAST_AND_WEST).code == 0
        again = since(connection)
        assert (again["east"], again["west"] > first["west"]) == (first["east"], True)
        sends(5, 6)  # to the old partition and to the new one
        halves = start("collect", CITYWARD_PARTITIONS=EAST_AND_WEST)
        halves.says("which is collected: end its collector", times=2)
        eventually(lambda: worked_off(connection), "worked off")
        whole.kill()
        sends(7, 8)  # while nobody collects
        halves.says("collecting ", times=2)
        sends(9, 10, 11)
        eventually(lambda: ledger(connection).stored == 12, "all stored")
    assert connection.execute("SELECT rule_id, raised_at FROM alarm").fetchall() == [
        ("BR-01", began + timedelta(minutes=10))
    ]
    assert ledger(connection).duplicate == 2
    assert "For them too" in told("status", partitions=EAST_AND_WEST).out
    assert told("partitions", "forget", "west", partitions=EAST_AND_WEST).code == 1
    assert told("partitions", "forget", "all", partitions=EAST_AND_WEST).code == 0
    assert "For them too" not in told("status", partitions=EAST_AND_WEST).out
    with Session(broker, "all", ["city/#"], clock=Clock(), stopping=lambda: True) as session:
        assert not session.resumed
