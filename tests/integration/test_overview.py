from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from devices.kind import Kind
from devices.registry import Registry
from ingest.messages import Ledger
from rules.rule import Severity
from rules.verdicts import Change, Verdicts
from storage import partition_store
from storage.overview import KindTotals, Overview, overview, waiting_work
from storage.partition_store import PartitionStore
from storage.reading_writer import stored
from tests.fix_city import payload, topic_of
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, NOON, decoded, rows
from tests.integration.prompt import Command, Now


def test_an_empty_city_has_an_empty_overview(connection: Connection) -> None:
    assert overview(connection) == Overview(Ledger(), {}, {}, {}, {}, [], [], [])
    assert waiting_work(connection) == 0


@pytest.mark.each_server
def test_the_overview_counts_everything_by_kind(
    dsn: str, desk: Desk, registry: Registry, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_store, "STATUS_EVERY", -1.0)
    store = PartitionStore(desk.connection, dsn, "all", registry.revision)
    readings = [(topic_of(registry, COVER_EAST), payload(NOON + timedelta(seconds=n), tilt=1)) for n in (0, 1, 1)]
    kitchen = (topic_of(registry, KITCHEN), payload(NOON, fume=0.5))
    bad = [("city/x", b""), ("city/y", b""), (kitchen[0], b"{")]
    with store.transaction() as tx:
        tx.write(decoded(registry, *readings, kitchen, *bad))
        tx.record(Verdicts())
    desk.alarm(("MH-01", COVER_EAST), ("MH-01", COVER_WEST), severity=Severity.CRITICAL)
    desk.alarm(("FU-03", KITCHEN), severity=Severity.MINOR)
    desk.alarm(("MH-01", COVER_WEST), change=Change.CLEARED)
    assert waiting_work(desk.connection) == 4
    desk.take_up()
    desk.moves(FRIDAY).cancel(desk.numbers()[1], "a drill")
    desk.connection.execute(
        "UPDATE notification SET state = 'delivered' WHERE channel = 'mqtt' AND target = 'drainage'"
    )

    found = overview(desk.connection)
    assert found.ledger == Ledger(received=7, stored=3, duplicate=1, quarantined=3)
    assert found.by_kind == {
        "fume": KindTotals(readings=1, active_alarms=1, alarms=1, open_cases=1, cases=1),
        "manhole": KindTotals(readings=3, active_alarms=1, alarms=2, open_cases=1, cases=2),
    }
    assert found.active_by_severity == {4: 1, 2: 1}
    assert found.notifications == {"delivered": 1, "pending": 4}
    assert list(found.quarantine.items()) == [("bad_topic", 2), ("malformed", 1)]
    assert waiting_work(desk.connection) == 4
    counted = stored(desk.connection, kinds.values())
    assert counted == {"bridge": 0, "fume": 1, "manhole": 2, "noise": 0, "streetlight": 0}


def test_what_waits_is_untaken_news_and_pending_messages(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-05", COVER_EAST))
    assert waiting_work(desk.connection) == 2
    desk.take_up()
    assert waiting_work(desk.connection) == 2
    desk.connection.execute("UPDATE notification SET state = 'failed' WHERE id = (SELECT min(id) FROM notification)")
    assert waiting_work(desk.connection) == 1
    desk.connection.execute("UPDATE notification SET state = 'delivered'")
    assert waiting_work(desk.connection) == 0
    assert rows(desk.connection, "SELECT count(*) FROM notification") == [(2,)]


def test_status_says_which_years_holidays_nobody_knows(registry: Registry, cityward: Command, now: Now) -> None:
    assert registry.devices
    now.set(datetime(2030, 11, 20, tzinfo=UTC))
    assert "The holidays of 2030 are not known" in cityward("status").output
