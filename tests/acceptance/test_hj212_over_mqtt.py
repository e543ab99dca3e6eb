"""HJ 212 over MQTT: instruments that speak to environment bureaus are heard, judged and answered for like any other."""

from datetime import datetime, timedelta, timezone

from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import ledger, waiting_work
from tests.fix_broker import one_broker
from tests.fix_city import plain_client, topic_of
from tests.fix_processes import Starter
from tests.hj212 import frame
from tests.waiting import eventually

pytestmark = one_broker

KITCHEN, STATION = "4201020380000003", "4201020308000004"
BEIJING = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)


def last_night() -> datetime:
    """23:00 in Beijing, an hour or more ago."""
    return (Clock().now().astimezone(BEIJING) - timedelta(days=1)).replace(hour=23, minute=0, second=0, microsecond=0)


def said(mn: str, cn: str, at: datetime, *items: str) -> bytes:
    return frame(f"ST=31;CN={cn};PW=123456;MN={mn};Flag=4;CP=&&DataTime={at:%Y%m%d%H%M%S};{';'.join(items)}&&")


def test_a_fume_frame_is_stored_as_its_metrics_and_a_spoilt_one_is_kept_with_its_reason(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    start("collect").says("collecting")
    at, topic = last_night(), topic_of(registry, KITCHEN, "up/hj212")
    good = said(KITCHEN, "2011", at, "a34041-Rtd=2.5,a34041-Flag=N", "a34000-Rtd=9,a34000-Flag=D", "ga0701-Rtd=1")
    spoilt = [
        ("bad_checksum", topic, good.replace(b"2.5", b"0.5")),
        ("malformed", topic, good[:90]),
        ("wrong_identity", topic, said(STATION, "2011", at, "a34041-Rtd=0.5")),
        ("unsupported", topic, said(KITCHEN, "9021", at)),
        ("unknown_codec", topic_of(registry, KITCHEN, "up/modbus"), good),
    ]
    with plain_client(broker) as gateway:
        for message in (good, good):
            gateway.publish(topic, message)
        for _, where, message in spoilt:
            gateway.publish(where, message)
    eventually(lambda: ledger(connection).received == 2 + len(spoilt), "everything received")

    rows = connection.execute("SELECT ts, fume, pm, fan_on, purifier_on FROM reading_fume").fetchall()
    assert rows == [(at, 2.5, None, None, None)]
    assert sorted(connection.execute("SELECT code, topic, payload FROM quarantine").fetchall()) == sorted(spoilt)
    book = ledger(connection)
    assert (book.stored, book.duplicate, book.quarantined) == (1, 1, len(spoilt))


def test_bursts_of_noise_told_in_joined_frames_open_one_case(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    start("collect").says("collecting")
    start("dispatch").says("dispatching")
    at, topic = last_night(), topic_of(registry, STATION, "up/hj212")
    bursts = [
        said(STATION, "2051", at + number * MINUTE, "LMx-Data=70.5,LMx-Flag=N", "Leq-Data=48") for number in range(3)
    ]
    moment = [said(STATION, "2011", at + number * MINUTE, "LA-Rtd=44.5") for number in range(4)]
    hour = said(STATION, "2061", at - 60 * MINUTE, "Leq-Data=47.5", "LMx-Data=80")
    with plain_client(broker) as gateway:
        gateway.publish(topic, hour + moment[0] + b"".join(bursts[:2]))
        gateway.publish(topic, moment[3] + bursts[2])
        gateway.publish(topic, bursts[2])
        eventually(lambda: ledger(connection).received == 7, "everything received")
        eventually(lambda: waiting_work(connection) == 0, "everything taken up")

    rows = connection.execute("SELECT ts - %s, la, laeq, lmax, leq_1h, quality FROM reading_noise ORDER BY ts", [at])
    tick = timedelta(milliseconds=10)
    assert rows.fetchall() == [
        (0 * MINUTE, 44.5, None, None, None, 0),
        (2 * tick, None, None, None, 47.5, 0),
        (MINUTE + tick, None, 48, 70.5, None, 0),
        (2 * MINUTE + tick, None, 48, 70.5, None, 0),
        (3 * MINUTE, 44.5, None, None, None, 0),
        (3 * MINUTE + tick, None, 48, 70.5, None, 0),
    ]
    alarms = connection.execute("SELECT rule_id, active FROM alarm WHERE rule_id = 'NO-03'").fetchall()
    assert alarms == [("NO-03", True)]
    cases = connection.execute("SELECT problem, unit FROM dispatch_case WHERE problem = 'night_noise'").fetchall()
    assert cases == [("night_noise", "east-cg")]
    assert ledger(connection).duplicate == 1
