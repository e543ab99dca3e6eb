"""What the dispatcher tells Prometheus of the city's work, as the database has it."""

from datetime import UTC, datetime, timedelta

from psycopg import Connection

from devices.registry import Registry
from storage import vitals

NOW = datetime(2036, 11, 21, 8, tzinfo=UTC)


def test_what_waits_is_late_or_broken_is_counted(connection: Connection, registry: Registry) -> None:
    del registry  # the small city is imported
    before = vitals.look(connection, NOW)
    assert (before.cases_open, before.alarm_news_waiting, before.notification_oldest_seconds) == (0, 0, 0)
    connection.execute(
        """
        WITH alarms AS (
            INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at)
            SELECT 'MH-01', 'v1', id, 3, true, false, %(now)s FROM device ORDER BY id LIMIT 3 RETURNING id
        ), news AS (
            INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail, stuck_since, tried_at,
                                     stuck_because)
            SELECT id, 'raised', 3, %(now)s, %(now)s, 'rule engine', '{}', %(now)s, %(now)s, 'no unit' FROM alarms
        ), filed AS (
            INSERT INTO dispatch_case (number, device, district, problem, severity, state, open, unit, reason,
                                       opened_at, started_at, fix_by, fix_allowed, white_at, red_at)
            SELECT lpad(id::text, 19, '4'), id, district, 'cover_open', 3, 'dispatched', true,
                   (SELECT min(unit_id) FROM unit), 'owner', %(now)s, %(now)s,
                   %(now)s + (id - (SELECT min(id) FROM device)) * interval '1 minute' - interval '90 s',
                   '5h urgent', %(now)s, %(now)s
            FROM device ORDER BY id LIMIT 3 RETURNING id, unit, fix_by
        ), happened AS (
            INSERT INTO case_event (case_id, event, state, unit, fix_by, at, actor, reason)
            SELECT id, 'dispatch', 'dispatched', unit, fix_by, %(now)s, 'system', '' FROM filed RETURNING id, case_id
        ), broken AS (
            INSERT INTO rule_error (rule_id, at, detail, holder) VALUES ('MH-02', %(now)s, 'division', 'all')
        )
        INSERT INTO notification (case_event_id, case_id, channel, target, body, created_at)
        SELECT id, case_id, 'mqtt', 'unit', '{}', %(now)s - interval '61 s' FROM happened
        """,
        {"now": NOW},
    )
    seen = vitals.look(connection, NOW)
    assert seen.alarms_active == {3: 3}
    assert (seen.alarm_news_waiting, seen.alarms_stuck, seen.rules_benched) == (3, 3, 1)
    assert (seen.cases_open, seen.cases_overdue) == (3, 2), "of the third the deadline is 30 s ahead"
    assert (seen.notifications_pending, seen.notification_oldest_seconds) == (3, 61)
    assert vitals.look(connection, NOW + timedelta(minutes=1)).cases_overdue == 3
