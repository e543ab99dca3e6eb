"""A device that has been heard and then falls silent, on a clock that runs faster than the wall."""

from datetime import UTC, datetime, timedelta

from psycopg import Connection

from cityward.clock import Clock
from cityward.settings import environment
from devices.broker import Broker
from devices.moments import moment
from devices.registry import Registry
from storage import worked_off
from storage.overview import ledger, overview
from tests.fix_broker import one_broker
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import eventually

KITCHEN, METER = "4201020380000003", "4201020308000004"
LUNCH = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # Friday, 12:00 in Shanghai: restaurants cook
FACTOR = 900  # a quarter of an hour a second: half an hour of silence passes in two


@one_broker
def test_silence_raises_an_alarm_once_and_three_messages_clear_it(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    clock = Clock(FACTOR, LUNCH, Clock().now())
    faster = environment({"clock__factor": FACTOR, "clock__start": LUNCH, "clock__anchor": clock.anchor or LUNCH})
    start("collect", **faster).says("collecting")
    start("dispatch", **faster).says("dispatching")

    def events() -> list[str]:
        found = connection.execute("""
            SELECT event FROM alarm_event JOIN alarm ON alarm.id = alarm_id
            WHERE rule_id = 'FU-08' ORDER BY alarm_event.id
        """)
        return [event for (event,) in found]

    with plain_client(broker) as monitor:
        heard_at = clock.now()
        monitor.publish(topic_of(registry, KITCHEN), payload(heard_at, fume=0.2))
        eventually(events, "silence is noticed")
        assert events() == ["raised"]
        ((raised_at, actor),) = connection.execute("SELECT at, actor FROM alarm_event").fetchall()
        assert raised_at - heard_at > timedelta(minutes=30)
        assert actor == "watchdog"
        for number in range(3):
            monitor.publish(topic_of(registry, KITCHEN), payload(clock.now(), seq=number, fume=0.2))
            if number == 1:
                eventually(lambda: overview(connection).by_kind["fume"].readings == 3, "two messages are noted")
        eventually(lambda: "cleared" in events(), "heard again")
    assert events()[:2] == ["raised", "cleared"]
    why = connection.execute(
        "SELECT detail->>'because' FROM alarm_event WHERE event = 'cleared' ORDER BY id"
    ).fetchone()
    assert why == ("heard again 3 times",)
    assert ledger(connection).stored == 4
    cases = connection.execute("SELECT unit, problem FROM dispatch_case").fetchall()
    assert cases == [("sensor-care", "device_offline")]
    silent = connection.execute("SELECT DISTINCT device_id FROM alarm JOIN device ON device.id = device").fetchall()
    assert silent == [(KITCHEN,)], "whoever was never heard of is not watched"
    assert heard_at < moment(*worked_off.load_all(connection).values()), "silence waits for what is not collected yet"
