"""The commands about the quarantine as a person meets them: what they show, what they refuse, what they leave."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from typer.testing import CliRunner

from cityward import replaying
from cityward.cli import app, quarantine
from cityward.cli.context import out
from devices.kind import Kind
from devices.registry import Registry
from storage.connection import connect
from storage.errors import RegistryChangedError
from storage.locks import PARTITION, try_hold
from tests.fix_city import payload, topic_of
from tests.integration.collecting import collect
from tests.integration.making import COVER_EAST, NOON, rows

SECOND = timedelta(seconds=1)
STRANGER = "4201020102000099"
HERE = f"city/east/manhole/{STRANGER}/up"
WHERE = ("--name", "Cover 99", "--lon", "114.3", "--lat", "30.6")
Command = Callable[..., Any]  # typer's Result, which it does not export


@pytest.fixture
def cityward(dsn: str, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """``cityward("quarantine", "list")``: the command in the small city, in a folder of its own."""
    assert registry.devices
    monkeypatch.setenv("CITYWARD_DATABASE_URL", dsn)
    monkeypatch.setattr(out, "_width", 250)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def arrives(connection: Connection, dsn: str, kinds: dict[str, Kind], registry: Registry) -> Callable[..., None]:
    """``arrives((topic, payload), …)``: messages that a collector takes at noon."""
    assert registry.devices

    def take(*messages: tuple[str, bytes]) -> None:
        collect(connection, dsn, kinds, (NOON, [*messages]))

    return take


@pytest.fixture
def _collector_at_work(dsn: str, kinds: dict[str, Kind], registry: Registry) -> Any:
    """Somebody who holds the partition and tries again what is asked for, over and over."""
    assert registry.devices
    stop = threading.Event()

    def work() -> None:
        with connect(dsn) as holding, connect(dsn) as connection:
            assert try_hold(holding, PARTITION, "all")
            while not stop.wait(0.05):
                with suppress(RegistryChangedError):
                    collect(connection, dsn, kinds, (NOON + SECOND, []))

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def said(result: Any) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return "".join(f"{line.rstrip()}\n" for line in result.stdout.splitlines())


def refused(result: Any) -> str:
    assert result.exit_code != 0, result.output
    return str(result.exception) if result.exception and not result.stderr else result.stderr


def test_the_list_shows_what_stays_and_why(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, b"{}"), ("city/east/manhole/[bold]/up", b"x"), (HERE, b"y"))
    lines = said(cityward("quarantine", "list")).splitlines()
    assert lines[0] == "3 messages"
    assert lines[2].startswith("3   2026-11-20 12:00:00  unregistered")
    assert "[bold]" in lines[3]
    assert f"no manhole '{STRANGER}' in district 'east'; cityward devices adopt registers it" in lines[4]
    assert said(cityward("quarantine", "list", "--topic", "*bold*", "--code", "unregistered")).startswith("1 message")
    assert said(cityward("quarantine", "list", "--since", "2026-11-20 12:01")).startswith("0 messages")
    assert "write 2h, 3d" in refused(cityward("quarantine", "list", "--since", "noon"))
    assert "unregistered" in refused(cityward("quarantine", "list", "--code", "wrong"))


def test_what_was_resolved_is_shown_on_request(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, b"{}"), (HERE, b"{}"))
    assert "1 message dropped" in said(cityward("quarantine", "drop", 1, "--reason", "a test", "--by", "wang"))
    assert said(cityward("quarantine", "list")).startswith("1 message")
    assert "dropped by wang" in said(cityward("quarantine", "list", "--all"))
    shown = said(cityward("quarantine", "show", 1))
    assert "dropped by wang" in shown
    assert "a test" in shown


def test_a_message_is_shown_as_text(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, '{"m": {"路": "\x1b[31m"}, "n": [bold]}'.encode()))
    shown = said(cityward("quarantine", "show", 1))
    assert "Payload, 36 bytes:" in shown
    assert '{"m": {"路": "\\x1b[31m"}, "n": [bold]}' in shown
    assert "the message as a whole" in shown
    assert "2026-11-20 12:00:00" in shown


def test_a_message_that_is_no_text_is_shown_as_a_hex_dump(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, b"##\xff\x00"))
    assert "000000  23 23 ff 00" in said(cityward("quarantine", "show", 1))


def test_a_long_message_is_shown_whole_on_request(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, b"x" * 5000))
    shown = said(cityward("quarantine", "show", 1))
    assert ("x" * 4096 in shown, "x" * 4097 in shown, "--whole" in shown) == (True, False, True)
    assert "x" * 5000 in said(cityward("quarantine", "show", 1, "--whole"))


@pytest.mark.each_server
def test_a_conflict_is_shown_beside_what_is_stored(
    cityward: Command, arrives: Callable[..., None], registry: Registry
) -> None:
    cover = topic_of(registry, COVER_EAST)
    arrives((cover, payload(NOON, tilt=1.5, battery_v=3.6)))
    arrives((cover, payload(NOON, tilt=62.5, battery_v=3.6, open_state="open")))
    shown = said(cityward("quarantine", "show", 1)).splitlines()
    table = [line.split() for line in shown[shown.index("") :]]
    assert "Both are of 2026-11-20 12:00:00; stored is what arrived first, 2026-11-20 12:00:00." in shown
    assert ["tilt", "1.5", "62.5", "differs"] in table
    assert ["open_state", "-", "open", "differs"] in table
    assert ["battery_v", "3.6", "3.6"] in table


@pytest.mark.each_server
def test_a_conflict_with_what_is_gone_says_so(
    cityward: Command, arrives: Callable[..., None], registry: Registry, connection: Connection
) -> None:
    cover = topic_of(registry, COVER_EAST)
    arrives((cover, payload(NOON, tilt=1)), (cover, payload(NOON, tilt=2)))
    connection.execute("DELETE FROM reading_manhole")
    assert "Nothing is stored of 2026-11-20 12:00:00 any more." in said(cityward("quarantine", "show", 1))


def test_a_number_that_is_not_there_is_told(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, b"{}"))
    for command in (("show", 7), ("replay", 7), ("drop", 1, 7, "--reason", "x")):
        assert "there is no message 7" in refused(cityward("quarantine", *command))
    assert "Invalid value" in refused(cityward("quarantine", "show", 2**63))
    assert said(cityward("quarantine", "list")).startswith("1 message"), "all or nothing"


def test_nobody_replays_or_drops_everything_by_a_slip(cityward: Command, arrives: Callable[..., None]) -> None:
    arrives((HERE, b"{}"))
    assert "--all" in refused(cityward("quarantine", "replay"))
    assert "--before" in refused(cityward("quarantine", "drop", "--reason", "x"))
    assert "say why" in refused(cityward("quarantine", "drop", 1, "--reason", " "))
    assert "--reason" in refused(cityward("quarantine", "drop", 1))
    assert said(cityward("quarantine", "drop", "--before", "2026-11-20", "--reason", "old")).startswith("0 messages")


def test_without_a_collector_one_is_told_whom_to_start(
    cityward: Command, arrives: Callable[..., None], monkeypatch: pytest.MonkeyPatch, connection: Connection
) -> None:
    arrives((HERE, b"{}"))
    monkeypatch.setattr(replaying, "PATIENCE", 0.1)
    assert "no collector of partition all is running: 1 message" in refused(cityward("quarantine", "replay", "--all"))
    assert "to be tried again" in said(cityward("quarantine", "list"))
    assert "the collector of partition all does it" in said(cityward("quarantine", "show", 1))
    assert rows(connection, "SELECT replay_partition FROM quarantine") == [("all",)]


def test_who_waits_no_longer_is_told_that_it_goes_on(
    cityward: Command, arrives: Callable[..., None], monkeypatch: pytest.MonkeyPatch, connection: Connection
) -> None:
    arrives((HERE, b"{}"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(quarantine, "await_replay", interrupted)
    ended = cityward("quarantine", "replay", "--all")
    assert str(ended.exception) == "stopped by Ctrl-C"
    assert "What was asked for will be tried again" in ended.stderr
    assert rows(connection, "SELECT replay_partition FROM quarantine") == [("all",)]


def test_asking_without_waiting_leaves_the_rest_to_the_collector(
    cityward: Command, arrives: Callable[..., None], connection: Connection
) -> None:
    arrives((HERE, b"{}"), (HERE, b"{}"))
    assert "2 messages will be tried again" in said(
        cityward("quarantine", "replay", "--all", "--no-wait", "--by", "li")
    )
    assert rows(connection, "SELECT DISTINCT replay_requested_by FROM quarantine") == [("li",)]


def test_topics_that_nobody_hears_any_more_stay(
    cityward: Command, arrives: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrives((HERE, b"{}"))
    monkeypatch.setenv("CITYWARD_PARTITIONS", '{"west": ["city/west/#"]}')
    answer = said(cityward("quarantine", "replay", "--all"))
    assert "1 message not tried: no partition of the settings hears that topic any more." in answer
    assert "Nothing to replay." in answer


@pytest.mark.each_server
@pytest.mark.usefixtures("_collector_at_work")
def test_what_became_of_messages_is_told_once_and_for_all(
    cityward: Command, arrives: Callable[..., None], connection: Connection
) -> None:
    arrives((HERE, payload(NOON, tilt=1)), (HERE, b"{"), (HERE, payload(NOON, tilt=1)))
    answer = said(cityward("devices", "adopt", STRANGER, *WHERE, "--no-wait"))
    assert answer.splitlines() == [
        f"{STRANGER} registered as manhole in district east.",
        "3 messages will be tried again; cityward quarantine list shows what stays.",
    ]
    answer = said(cityward("quarantine", "replay", "--all"))
    assert "1 message refused again: 1 malformed." in answer
    assert said(cityward("quarantine", "list")).startswith("1 message")
    assert said(cityward("quarantine", "replay", 2)) == "1 message refused again: 1 malformed.\n"
    again = said(cityward("quarantine", "replay", 1, "--by", "li")).splitlines()
    assert again[0].startswith("1: replayed by ")
    assert again[1] == "Nothing to replay."
    assert rows(connection, "SELECT count(*) FROM reading_manhole") == [(1,)]


def test_unregistered_devices_are_listed_with_the_command_that_adopts_them(
    cityward: Command, arrives: Callable[..., None], registry: Registry
) -> None:
    moved = topic_of(registry, COVER_EAST).replace("/east/", "/west/")
    arrives(
        (HERE, b"["), (HERE, payload(NOON, tilt=62.5, open_state="open")), ("city/east/noise/it's me/up", b"{"),
        ("city/east/noise/twin/up", b"{"), ("city/west/noise/twin/up", b"{"), (moved, b"{"),
    )  # fmt: skip
    shown = said(cityward("devices", "unregistered"))
    assert shown.startswith("5 devices")
    line = next(line for line in shown.splitlines() if line.startswith(STRANGER))
    assert line.split()[1:] == [
        "manhole", "east", "2", "11-20", "12:00", "11-20", "12:00", "tilt=62.5", "open_state=open",
    ]  # fmt: skip
    assert f"  cityward devices adopt {STRANGER} --name '...' --lon ... --lat ..." in shown
    assert """  cityward devices adopt 'it'"'"'s me' --name""" in shown
    assert "malformed: not JSON" in shown
    assert "cityward devices adopt twin --district west --kind noise --name" in shown
    assert f"# {COVER_EAST} is registered as manhole in district east, but sends as manhole in west" in shown
    assert said(cityward("devices", "unregistered", "--limit", 1)).startswith("1 device\n")


def test_whoever_cannot_be_adopted_is_told_why(
    cityward: Command, arrives: Callable[..., None], registry: Registry, connection: Connection
) -> None:
    moved = topic_of(registry, COVER_EAST).replace("/east/", "/west/")
    arrives(
        (HERE, b"{"), ("city/east/noise/twin/up", b"{"), ("city/west/noise/twin/up", b"{"), (moved, b"{"),
        ("city/north/manhole/n/up", b"{"), ("city/east/manhole/ b/up", b"{"),
    )  # fmt: skip

    def adopt(device_id: str, *more: str) -> str:
        return refused(cityward("devices", "adopt", device_id, *WHERE, *more))

    assert "no message of an unregistered device 'nobody'" in adopt("nobody")
    assert "choose with --district and --kind" in adopt("twin")
    assert "correct the topic that it sends on" in adopt(COVER_EAST)
    assert "district: unknown district 'north'; add it to the city file" in adopt("n")
    assert "begins or ends with a blank" in adopt(" b")
    assert "lon: 200 is not between" in adopt(STRANGER, "--lon", "200")
    assert "owner: unknown unit 'nobody'" in adopt(STRANGER, "--owner", "nobody")
    assert "attr.noise_zone: a manhole has no attribute" in adopt(STRANGER, "--attr", "noise_zone=2")
    assert "--limit: 'tilt' lacks a value" in adopt(STRANGER, "--limit", "tilt")
    assert rows(connection, "SELECT count(*) FROM device WHERE name = 'Cover 99'") == [(0,)]
    assert rows(connection, "SELECT count(*) FROM quarantine WHERE replay_partition IS NOT NULL") == [(0,)]


def test_a_device_is_registered_with_all_that_is_said_of_it(
    cityward: Command, arrives: Callable[..., None], connection: Connection
) -> None:
    arrives((HERE, b"{"), ("city/west/noise/twin/up", b"{"), ("city/east/noise/twin/up", b"{"))
    more = ("--road", "Jiefang Road", "--owner", "drainage", "--limit", "tilt=12", "--no-wait")
    said(cityward("devices", "adopt", STRANGER, *WHERE, *more))
    said(cityward("devices", "adopt", "twin", *WHERE, "--district", "west", "--attr", "noise_zone=2", "--no-wait"))
    query = "SELECT district, road, owner, component_class, limits, attributes FROM device WHERE name = 'Cover 99'"
    assert rows(connection, query) == [
        ("east", "Jiefang Road", "drainage", "0102", {"tilt": 12}, {}),
        ("west", "", None, "", {}, {"noise_zone": "2"}),
    ]
    assert "is registered as manhole in district east; cityward quarantine replay" in refused(
        cityward("devices", "adopt", STRANGER, *WHERE)
    )


def test_a_registry_file_of_all_unregistered_devices_is_completed_and_imported(
    cityward: Command, arrives: Callable[..., None], registry: Registry, connection: Connection, tmp_path: Path
) -> None:
    moved = topic_of(registry, COVER_EAST).replace("/east/", "/west/")
    arrives((HERE, b"{"), ("city/west/noise/n-1/up", b"{"), (moved, b"{"))
    written = said(cityward("devices", "unregistered", "--csv", "new.csv"))
    assert written.startswith("2 devices written")
    assert "cityward devices import new.csv" in written
    assert "File exists" in refused(cityward("devices", "unregistered", "--csv", "new.csv"))
    missing = refused(cityward("devices", "import", "new.csv"))
    assert missing.count("must not be empty") == 6

    file = tmp_path / "new.csv"
    text = file.read_text(encoding="utf-8-sig")
    text = text.replace("manhole,,east,,", "manhole,盖,east,114.3,30.6")
    file.write_text(text.replace("noise,,west,,", "noise,噪声,west,114.3,30.6"), encoding="utf-8-sig")
    assert "2 devices registered" in said(cityward("devices", "import", "new.csv"))
    query = "SELECT device_id, name, component_class FROM device WHERE name IN ('盖', '噪声') ORDER BY 1"
    assert rows(connection, query) == [(STRANGER, "盖", "0102"), ("n-1", "噪声", "")]
