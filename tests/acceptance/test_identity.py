"""A user for everybody, on a Mosquitto with the configuration that comes along: who gets in, and who can do what."""

import asyncio
import re
import ssl
import stat
import threading
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from psycopg import Connection

from cityward import embedded
from devices.broker import Broker
from devices.credentials import hashed, password_file
from devices.registry import Registry
from notify.channels.mqtt import MqttChannel
from notify.errors import NotReachedError
from notify.message import Message
from notify.outbox import Notification
from storage import credential_store
from storage.overview import ledger
from tests.fix_city import IMPORTED, payload, plain_client, topic_of
from tests.fix_guarded import Guarded
from tests.fix_processes import Command, Starter
from tests.waiting import PATIENCE, eventually

COVER, OTHER = "4201020102000001", "4201020114000002"
CREWS = "city/east/crew/drainage/cases"
NOTIFICATION = Notification(
    "mqtt",
    "drainage",
    Message(
        notification_id=1,
        case_number="1",
        district="east",
        unit="drainage",
        event="opened",
        severity=3,
        problem="cover_open",
        device_id=COVER,
        facility="Cover 1",
        road="Jiefang Road",
    ),
)


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the collector under test has the wall's clock


def answer(guarded: Guarded, broker: Broker, name: str = "", *, username: str | None = None) -> str:
    """What the broker says to somebody who connects, as paho words it."""
    heard: list[str] = []
    answered = threading.Event()

    def on_connect(_client: Client, _data: object, _flags: object, code: object, _properties: object) -> None:
        heard.append(str(code))
        answered.set()

    client = Client(CallbackAPIVersion.VERSION2, name)
    client.on_connect = on_connect
    client.tls_set_context(guarded.tls)
    if broker.username:
        client.username_pw_set(username or broker.username, broker.password)
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert answered.wait(PATIENCE)
    client.disconnect()
    client.loop_stop()
    return heard[0]


def test_with_everybody_behind_a_password_a_reading_still_becomes_the_crews_case(
    connection: Connection, registry: Registry, guarded: Guarded, start_without_broker: Starter
) -> None:
    start_without_broker("collect", **guarded.settings("collector")).says("collecting")
    start_without_broker("dispatch", **guarded.settings("dispatcher")).says("dispatching")
    with (
        plain_client(guarded.as_device("crew-drainage"), listen=CREWS, tls=guarded.tls) as crew,
        plain_client(guarded.as_device("crew-lighting"), listen="#", tls=guarded.tls) as others,
        plain_client(guarded.as_device(COVER), listen="#", tls=guarded.tls) as cover,
    ):
        cover.publish(topic_of(registry, COVER, "event"), payload(now(), kind="event", open_state="open", tilt=62.5))
        eventually(lambda: crew.heard, "the crew's message")
        assert [topic for topic, _ in crew.heard] == [CREWS]
        assert others.heard == []
        assert cover.heard == []
    assert ledger(connection).stored == 1


def test_a_gateway_speaks_for_the_devices_behind_it_until_the_registry_says_otherwise(
    connection: Connection,
    registry: Registry,
    guarded_but_stopped: Guarded,
    start_without_broker: Starter,
    command: Command,
) -> None:
    guarded = guarded_but_stopped
    connection.execute("UPDATE device SET gateway = 'north' WHERE device_id = %s", [COVER])
    assert command("devices", "acl", "--out", str(guarded.folder)).code == 0
    assert list(guarded.learn()) == ["gateway-north"]
    guarded.start()
    start_without_broker("collect", **guarded.settings("collector")).says("collecting")
    behind, others = topic_of(registry, COVER), topic_of(registry, OTHER)
    with plain_client(guarded.as_device("gateway-north"), listen="#", tls=guarded.tls) as gateway:
        gateway.publish(others, payload(now(), tilt=1))
        gateway.publish(behind.removesuffix("up") + "status", b"online")
        gateway.publish(behind, payload(now(), tilt=1))
        eventually(lambda: ledger(connection).stored == 1, "the reading of its device")
        assert gateway.heard == []
    assert ledger(connection).received == 1, "nothing of the other device"
    assert command("devices", "rotate", "gateway-north", "--out", str(guarded.folder)).code == 0
    old = guarded.as_device("gateway-north")
    guarded.reload()
    assert answer(guarded, old, "gateway-north") == "Not authorized"
    guarded.learn()
    assert answer(guarded, guarded.as_device("gateway-north"), "gateway-north") == "Success"


def test_a_device_can_speak_for_no_other(
    connection: Connection, registry: Registry, guarded: Guarded, start_without_broker: Starter
) -> None:
    port = embedded.free_port(0)
    collecting = start_without_broker("collect", **guarded.settings("collector"), CITYWARD_METRICS_PORT=str(port))
    collecting.says("collecting")
    own, others = topic_of(registry, COVER), topic_of(registry, OTHER)
    foreign = payload(now(), tilt=1).replace(b'{"ts"', b'{"device":"%s","ts"' % OTHER.encode())
    with (
        plain_client(guarded.as_device("crew-drainage"), listen=CREWS, tls=guarded.tls) as crew,
        plain_client(guarded.as_device(COVER), tls=guarded.tls) as cover,
    ):
        for topic in (others, f"{others}/hj212", topic_of(registry, OTHER, "event"), CREWS):
            cover.publish(topic, payload(now(), tilt=1))  # acknowledged, and dropped: so MQTT 3.1.1 has it
        cover.publish(own, foreign)
        cover.publish(own, payload(now(), tilt=1))
        eventually(lambda: ledger(connection).received == 2, "both on its own topic")
        assert crew.heard == []
    assert ledger(connection).stored == 1
    found = connection.execute("SELECT topic, code FROM quarantine").fetchall()
    assert found == [(own, "wrong_identity")]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        counted = page.read().decode()
    assert 'cityward_quarantined_total{code="wrong_identity",partition="all"} 1.0' in counted


def test_nobody_comes_in_without_a_name_or_with_a_wrong_password(guarded: Guarded) -> None:
    assert answer(guarded, guarded.as_device(COVER)) == "Success"
    for refused in (
        Broker("127.0.0.1", guarded.for_devices, tls=True),
        Broker("127.0.0.1", guarded.for_services, tls=True),
        guarded.as_device(COVER, "wrong"),
        guarded.as_device(COVER, guarded.passwords[OTHER]),
        guarded.as_device("nobody", "wrong"),
    ):
        assert answer(guarded, refused) == "Not authorized"


def test_a_device_cannot_take_over_a_partitions_session(
    connection: Connection, registry: Registry, guarded: Guarded, start_without_broker: Starter
) -> None:
    """With the partition's name as its client id, and a clean session, which would throw the queue away."""
    collecting = start_without_broker("collect", **guarded.settings("collector"))
    collecting.says("collecting")
    assert answer(guarded, guarded.as_device(OTHER), name="all") == "Success"
    with plain_client(guarded.as_device(COVER), tls=guarded.tls) as cover:
        cover.publish(topic_of(registry, COVER), payload(now(), tilt=1))
        eventually(lambda: ledger(connection).stored == 1, "the reading")
        assert collecting.stop() == 0
        assert "waiting" not in collecting.log()
        cover.publish(topic_of(registry, COVER), payload(now(), tilt=2))
    assert answer(guarded, guarded.as_device(OTHER), name="all") == "Success"
    start_without_broker("collect", **guarded.settings("collector")).says("collecting")
    eventually(lambda: ledger(connection).stored == 2, "what was published while nobody collected")


def test_what_waits_for_the_collector_outlives_a_restart_of_the_broker(
    connection: Connection, registry: Registry, guarded: Guarded, start_without_broker: Starter
) -> None:
    first = start_without_broker("collect", **guarded.settings("collector"))
    first.says("collecting")
    assert first.stop() == 0
    with plain_client(guarded.as_device(COVER), tls=guarded.tls) as cover:
        cover.publish(topic_of(registry, COVER), payload(now(), tilt=1))
    guarded.stop()
    guarded.start()
    start_without_broker("collect", **guarded.settings("collector")).says("collecting")
    eventually(lambda: ledger(connection).stored == 1, "the reading from before the restart")


def test_a_collector_with_a_wrong_password_says_so_once_and_goes_on_trying(
    connection: Connection, guarded: Guarded, start_without_broker: Starter
) -> None:
    collecting = start_without_broker("collect", **guarded.settings("collector", "another"))
    collecting.says("not authorized")
    eventually(lambda: guarded.log().count("not authorised") >= 3, "three attempts")
    [line] = [line for line in collecting.log().splitlines() if "waiting" in line]
    assert "check the user and password of the broker URL" in line
    credential_store.save_services(connection, {"collector": hashed("another")}, IMPORTED)
    (guarded.folder / "passwd").write_text(password_file(credential_store.load_hashes(connection)), encoding="utf-8")
    guarded.reload()
    collecting.says("collecting")


def test_after_rotation_only_the_new_password_opens_the_door(
    connection: Connection, registry: Registry, guarded: Guarded, command: Command
) -> None:
    old = guarded.as_device(COVER)
    with plain_client(old, tls=guarded.tls) as cover:
        done = command("devices", "rotate", COVER, "--out", str(guarded.folder))
        assert done.code == 0, done.err
        assert "1 new passwords" in done.out
        new = guarded.learn()
        assert list(new) == [COVER]
        assert cover.connected  # the broker has not read the file yet
        guarded.reload()
        eventually(lambda: not cover.connected, "the connection with the old password is ended")
    assert answer(guarded, old) == "Not authorized"
    assert answer(guarded, guarded.as_device(COVER)) == "Success"
    assert answer(guarded, guarded.as_device(OTHER)) == "Success"
    kept = credential_store.load_hashes(connection)
    assert {*kept} == {each.device_id for each in registry.devices.values()} | {
        "collector", "dispatcher", "gateway-G1",
        *(f"crew-{unit}" for unit in ("east-cg", "west-cg", "drainage", "lighting", "bridges", "sensor-care")),
    }  # fmt: skip
    assert not any(password in str(kept) for password in guarded.passwords.values())


def test_rotating_all_leaves_nobody_but_the_services_an_old_password(guarded: Guarded, command: Command) -> None:
    old = dict(guarded.passwords)
    assert command("devices", "rotate", "--all", "--out", str(guarded.folder)).code == 0
    new = guarded.learn()
    assert {*new} == {
        user for user in old if user not in {"collector", "dispatcher"} and not user.startswith(("crew-", "gateway-"))
    }
    assert not {*new.values()} & {*old.values()}
    guarded.reload()
    assert answer(guarded, guarded.as_device(OTHER)) == "Success"
    assert answer(guarded, guarded.as_service("collector")) == "Success"


def test_passwords_are_given_out_once_and_readable_for_nobody_else(
    guarded_but_stopped: Guarded, command: Command
) -> None:
    folder = guarded_but_stopped.folder
    again = command("devices", "acl", "--out", str(folder))
    assert again.code == 0, again.err
    assert "new passwords" not in again.out
    assert not (folder / "passwords.csv").exists()
    assert command("devices", "rotate", COVER, "--out", str(folder)).code == 0
    passwords = folder / "passwords.csv"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "passwd").stat().st_mode) & 0o007 == 0
    before, hashes = passwords.read_text(), (folder / "passwd").read_text()
    refused = command("devices", "rotate", OTHER, "--out", str(folder))
    assert refused.code == 1
    assert "passwords.csv is still there: hand out what it holds and delete it" in refused.err
    assert passwords.read_text() == before
    assert command("devices", "acl", "--out", str(folder)).code == 0
    assert (folder / "passwd").read_text() == hashes  # the refused rotation has changed nothing


def test_commands_say_what_they_need(registry: Registry, command: Command, tmp_path: Path) -> None:
    assert registry.devices
    for arguments, said in {
        ("nobody",): "no such device or user: nobody",
        (): "say which: device ids, or --all",
        (COVER, "--all"): "say which: device ids, or --all",
    }.items():
        refused = command("devices", "rotate", *arguments, "--out", str(tmp_path / "out"))
        assert refused.code == 1
        assert said in refused.err
    taken = command("devices", "acl", "--out", str(tmp_path / "out"), CITYWARD_PARTITIONS=f'{{"{COVER}": ["city/#"]}}')
    assert taken.code == 1
    assert f"device '{COVER}': a partition has this name" in taken.err
    assert not (tmp_path / "out").exists()


def test_an_authority_that_nobody_trusts_is_named_once_by_the_collector(
    guarded: Guarded, start_without_broker: Starter
) -> None:
    settings = {**guarded.settings("collector"), "CITYWARD_BROKER_CA": str(guarded.certificates.stranger.certificate)}
    collecting = start_without_broker("collect", **settings)
    eventually(lambda: guarded.log().count("unknown ca") >= 3, "three attempts")
    [line] = [line for line in collecting.log().splitlines() if "waiting" in line]
    assert "the broker's certificate is not signed by an authority in the setting broker_ca" in line


# paho leaves the socket of a failed handshake to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_authority_that_nobody_trusts_is_named_for_a_notification_that_waits(guarded: Guarded) -> None:
    async def send() -> None:
        distrusting = ssl.create_default_context(cafile=guarded.certificates.stranger.certificate)
        async with MqttChannel(guarded.as_service("dispatcher"), tls=distrusting, timeout_s=1) as channel:
            await channel.send(NOTIFICATION)

    with pytest.raises(NotReachedError, match="not signed by an authority in the setting broker_ca"):
        asyncio.run(send())


def test_the_pretend_city_ends_with_one_line_where_the_broker_is_not_to_be_trusted_or_refuses(
    guarded: Guarded, start_without_broker: Starter
) -> None:
    distrusting = {"CITYWARD_BROKER_CA": str(guarded.certificates.stranger.certificate)}
    for settings, said in (
        ({**guarded.settings("dispatcher"), **distrusting}, "not signed by an authority in the setting broker_ca"),
        (guarded.settings("dispatcher", "wrong"), "refuses: "),
    ):
        ended = start_without_broker("simulate", **settings)
        assert ended.ended() == 1
        assert said in ended.log()
        assert "Traceback" not in ended.log()


def test_a_certificate_for_another_host_is_refused(guarded_but_stopped: Guarded, start_without_broker: Starter) -> None:
    guarded_but_stopped.start(certificate=guarded_but_stopped.certificates.elsewhere)
    collecting = start_without_broker("collect", **guarded_but_stopped.settings("collector"))
    collecting.says("the broker's certificate is for another host")


def test_a_missing_ca_file_ends_the_collector_with_its_name(guarded: Guarded, start_without_broker: Starter) -> None:
    missing = str(guarded.folder / "missing.crt")
    ended = start_without_broker("collect", **{**guarded.settings("collector"), "CITYWARD_BROKER_CA": missing})
    assert ended.ended() == 1
    assert f"broker_ca: {missing}: No such file or directory" in ended.log()


def test_a_broker_that_asks_for_a_certificate_gets_it(
    guarded_but_stopped: Guarded, start_without_broker: Starter
) -> None:
    guarded, own = guarded_but_stopped, guarded_but_stopped.certificates.client
    # Behind the last listener, that of the services.
    guarded.start(f"cafile {guarded.certificates.authority.certificate}", "require_certificate true")
    with_it = {"CITYWARD_BROKER_CERTIFICATE": str(own.certificate), "CITYWARD_BROKER_KEY": str(own.key)}
    without = start_without_broker("collect", **guarded.settings("collector"))
    without.says("waiting")
    without.stop()
    start_without_broker("collect", **guarded.settings("collector"), **with_it).says("collecting")


def test_the_pretend_city_speaks_for_every_device_for_as_long_as_that_is_asked_for(
    guarded: Guarded, start_without_broker: Starter, command: Command
) -> None:
    folder = str(guarded.folder)
    refused = command("devices", "acl", "--out", folder, "--pretend-city", "TRIAL")
    assert (refused.code, "TRIAL: this variable of the environment is empty" in refused.err) == (1, True)
    assert command("devices", "acl", "--out", folder, "--pretend-city", "TRIAL", TRIAL="secret").code == 0
    guarded.reload()
    with plain_client(guarded.as_service("collector"), listen="city/#", tls=guarded.tls) as collector:
        sending = guarded.settings("pretend-city", "secret")
        published = start_without_broker("simulate", "--seconds", "3", "--json", **sending)
        assert published.ended() == 0
        assert re.search(r'{"published": [1-9]', published.log())
        eventually(lambda: collector.heard, "what it sends")
    assert command("devices", "acl", "--out", folder).code == 0
    guarded.reload()
    assert answer(guarded, guarded.as_service("pretend-city", "secret")) == "Not authorized"
