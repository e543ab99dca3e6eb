"""What is known of devices, written by collectors and read by people."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from devices.kind import Kind
from devices.registry import Registry
from storage import device_status, partition_store
from storage.device_status import DeviceStatus
from tests.fix_city import payload, topic_of
from tests.fix_processes import Command
from tests.integration.collecting import collect
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, NOON, rows

pytestmark = pytest.mark.each_server

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
Collects = Callable[..., Any]


@pytest.fixture
def collects(
    connection: Connection, dsn: str, kinds: dict[str, Kind], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> Collects:
    """``collects((at, (device, payload), …), …)``: a collector's life; a payload of plain text is a status."""
    monkeypatch.setattr(partition_store, "STATUS_EVERY", -1.0)  # with every batch

    def run(*batches: tuple[Any, ...]) -> Any:
        given = [
            (at, [(topic_of(registry, who, "up" if sent[:1] == b"{" else "status"), sent) for who, sent in messages])
            for at, *messages in batches
        ]
        return collect(connection, dsn, kinds, *given)

    return run


def known(connection: Connection, device_id: str) -> DeviceStatus:
    found = device_status.one(connection, device_id)
    assert found
    return found


def with_firmware(sent: bytes, **more: Any) -> bytes:
    return json.dumps({**json.loads(sent), **more}).encode()


def test_last_values_come_together_from_several_readings_and_collectors(
    connection: Connection, collects: Collects
) -> None:
    collects((NOON, (COVER_EAST, with_firmware(payload(NOON, tilt=1, battery_pct=90), fw="2.4"))))
    collects((NOON + MINUTE, (COVER_EAST, payload(NOON + MINUTE, seq=2, tilt=2.5, open_state="open"))))
    found = known(connection, COVER_EAST)
    assert found.latest == {"tilt": 2.5, "battery_pct": 90, "open_state": "open"}
    assert (found.firmware, found.readings, found.quality) == ("2.4", 2, 0)
    assert (found.last_ts, found.last_received_at, found.lag) == (NOON + MINUTE, NOON + MINUTE, timedelta(0))
    assert (found.online, found.since) == (None, None)


def test_a_late_reading_changes_no_last_value(connection: Connection, collects: Collects) -> None:
    collects((NOON, (COVER_EAST, payload(NOON, tilt=1))), (NOON, (COVER_EAST, payload(NOON - MINUTE, tilt=7))))
    found = known(connection, COVER_EAST)
    assert (found.latest, found.readings, found.last_ts) == ({"tilt": 1}, 2, NOON)


def test_a_signal_beside_the_metrics_stands_with_them(connection: Connection, collects: Collects) -> None:
    collects((NOON, (LAMP, with_firmware(payload(NOON, voltage=228.5), rsrp=-101, csq=12))))
    assert known(connection, LAMP).latest == {"voltage": 228.5, "rsrp": -101, "csq": 12}


def test_a_device_never_heard_is_known_from_the_registry_alone(connection: Connection, registry: Registry) -> None:
    assert registry.devices
    found = known(connection, LAMP)
    assert (found.last_ts, found.readings, found.latest, found.online) == (None, None, None, None)
    assert device_status.one(connection, "nobody") is None


def test_a_last_will_is_noted_and_is_no_reading(connection: Connection, collects: Collects) -> None:
    written = collects((NOON, (COVER_EAST, b"online")), (NOON + MINUTE, (COVER_EAST, b"offline")))
    assert [each.ledger.received for each in written] == [0, 0]
    found = known(connection, COVER_EAST)
    assert (found.online, found.since) == (False, NOON + MINUTE)
    assert found.last_received_at is None, "it was the broker that spoke"
    assert rows(connection, "SELECT * FROM ledger") == []
    assert rows(connection, "SELECT 1 FROM quarantine") == []


def test_a_status_delivered_again_keeps_its_first_time(connection: Connection, collects: Collects) -> None:
    collects(*((NOON + minute * MINUTE, (COVER_EAST, b"offline")) for minute in range(3)))
    assert known(connection, COVER_EAST).since == NOON


def test_an_older_status_changes_nothing(connection: Connection, collects: Collects) -> None:
    """As one that comes out of quarantine."""
    collects((NOON, (COVER_EAST, b"online")), (NOON - MINUTE, (COVER_EAST, b"offline")))
    assert known(connection, COVER_EAST).online


def test_the_silent_are_those_beyond_their_kinds_heartbeat_and_those_never_heard(
    connection: Connection, collects: Collects, kinds: dict[str, Kind]
) -> None:
    collects((NOON, (COVER_EAST, payload(NOON, tilt=1)), (KITCHEN, payload(NOON, fume=1)), (LAMP, b"online")))
    with connection.transaction():
        chosen = [kinds[name] for name in ("manhole", "fume", "streetlight")]
        now = NOON + kinds["fume"].heartbeat + SECOND
        found = [each.device_id for each in device_status.many(connection, chosen, now, silent=True)]
    assert found == [COVER_WEST, LAMP, KITCHEN], "a cover may keep silent for longer"


@pytest.mark.usefixtures("collects")
def test_a_device_in_full_is_shown_to_people(command: Command, collects: Collects) -> None:
    collects(
        (NOON, (COVER_EAST, with_firmware(payload(NOON, tilt=62.5, battery_pct=3, rsrp=-101), fw="2.4", odd=1))),
        (NOON + MINUTE, (COVER_EAST, b"offline")),
    )
    shown = command("devices", "status", COVER_EAST)
    assert shown.code == 0, shown.err
    for words in (
        "2026-11-20 04:00:00 UTC",
        "offline since 2026-11-20 04:01:00 UTC",
        "3 % LOW",
        "-101 dBm",
        "2.4",
        "odd",
    ):
        assert words in shown.out
    assert ["tilt", "62.5", "deg"] in [line.split() for line in shown.out.splitlines()]
    assert json.loads(command("devices", "status", COVER_EAST, "--json").out)["latest"]["tilt"] == 62.5


def test_the_list_is_filtered_and_bounded(command: Command, collects: Collects) -> None:
    collects(
        (NOON, (COVER_EAST, payload(NOON, battery_pct=3)), (COVER_WEST, payload(NOON, battery_pct=99))),
        (NOON + SECOND, (KITCHEN, payload(NOON, fume=1))),
    )

    def listed(*options: str) -> list[str]:
        ended = command("devices", "status", "--json", *options)
        assert ended.code == 0, ended.err
        return [json.loads(line)["device_id"] for line in ended.out.splitlines()]

    assert listed("--low-battery") == [COVER_EAST]
    assert listed("--kind", "manhole") == [COVER_EAST, COVER_WEST]
    assert listed("--kind", "manhole", "--district", "west") == [COVER_WEST]
    assert listed("--limit", "1", "--kind", "fume", "--silent") == [KITCHEN]
    assert "The first 1 device" in command("devices", "status", "--limit", "1").out


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nobody",), "no device 'nobody' is registered"), (("--kind", "fountain"), "'fountain' is not one of")],
)
@pytest.mark.usefixtures("registry")
def test_what_is_not_there_is_said(command: Command, words: tuple[str, ...], said: str) -> None:
    refused = command("devices", "status", *words)
    assert refused.code == 1
    assert said in refused.err
