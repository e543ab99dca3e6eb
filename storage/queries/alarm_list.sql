-- name: list_alarms
-- Alarms, the most severe and newest first; null filters mean all.
SELECT * FROM (
    SELECT alarm.id, alarm.rule_id, device.kind, device.device_id, device.name, device.road, device.district,
           alarm.severity, alarm.active, alarm.acknowledged, alarm.raised_at, alarm.cleared_at, alarm.occurrences,
           alarm.chatter, alarm.chattering_since, alarm.shelved_until, alarm.suppressed_by, alarm.permit,
           alarm.rule_version, dispatch_case.number AS case_number, dispatch_case.unit,
           CASE WHEN alarm.permit IS NOT NULL THEN 'out_of_service'
                WHEN alarm.suppressed_by IS NOT NULL THEN 'suppressed'
                WHEN alarm.shelved_until IS NOT NULL THEN 'shelved'
                WHEN alarm.held = 'latch' THEN
                    CASE WHEN alarm.acknowledged THEN 'latched_acknowledged' ELSE 'latched_unacknowledged' END
                WHEN alarm.active THEN CASE WHEN alarm.acknowledged THEN 'acknowledged' ELSE 'unacknowledged' END
                ELSE CASE WHEN alarm.acknowledged THEN 'normal' ELSE 'returned' END END AS state
    FROM alarm JOIN device ON device.id = alarm.device
    LEFT JOIN LATERAL (
        SELECT number, unit FROM dispatch_case JOIN case_alarm ON case_alarm.case_id = dispatch_case.id
        WHERE case_alarm.alarm_id = alarm.id ORDER BY dispatch_case.id DESC LIMIT 1
    ) AS dispatch_case ON true
    WHERE (%(everything)s OR alarm.active OR NOT alarm.acknowledged OR alarm.hushed)
      AND (%(ids)s::bigint[] IS NULL OR alarm.id = ANY (%(ids)s::bigint[]))
      AND (%(severity)s::smallint IS NULL OR alarm.severity >= %(severity)s)
      AND (%(district)s::text IS NULL OR device.district = %(district)s)
      AND (%(kind)s::text IS NULL OR device.kind = %(kind)s)
      AND (%(rule)s::text IS NULL OR alarm.rule_id = %(rule)s)
      AND (%(device)s::text IS NULL OR device.device_id = %(device)s)
      AND (%(cause)s::bigint IS NULL OR alarm.suppressed_by = %(cause)s)
      AND (%(unit)s::text IS NULL OR dispatch_case.unit = %(unit)s)
      AND (%(text)s::text IS NULL OR alarm.rule_id = upper(%(text)s) OR alarm.device IN (
           SELECT matching.id FROM device AS matching
           WHERE strpos(lower(concat_ws(' ', matching.device_id, matching.name, matching.road)), lower(%(text)s)) > 0))
      AND (%(after_id)s::bigint IS NULL
           OR (alarm.active, alarm.severity, alarm.raised_at, alarm.id)
              < (%(after_active)s, %(after_severity)s::smallint, %(after_at)s::timestamptz, %(after_id)s::bigint))
) AS found
WHERE %(state)s::text IS NULL OR found.state = %(state)s
ORDER BY found.active DESC, found.severity DESC, found.raised_at DESC, found.id DESC
LIMIT %(limit)s

-- name: alarms_of_case
-- The alarms of a case, over or not.
SELECT case_alarm.alarm_id FROM case_alarm JOIN dispatch_case ON dispatch_case.id = case_alarm.case_id
WHERE dispatch_case.number = %(number)s ORDER BY 1

-- name: alarm_history
-- What happened to alarms, the latest last; null filters mean all.
SELECT * FROM (
    SELECT event.id, event.alarm_id, alarm.rule_id, device.device_id, device.district, event.event, event.severity,
           event.at, event.seen_at, event.actor, event.hushed, event.detail
    FROM alarm_event AS event JOIN alarm ON alarm.id = event.alarm_id JOIN device ON device.id = alarm.device
    WHERE (%(alarm)s::bigint IS NULL OR event.alarm_id = %(alarm)s)
      AND (%(since)s::timestamptz IS NULL OR event.seen_at >= %(since)s)
      AND (%(district)s::text IS NULL OR device.district = %(district)s)
      AND (%(rule)s::text IS NULL OR alarm.rule_id = %(rule)s)
      AND (%(device)s::text IS NULL OR device.device_id = %(device)s)
    ORDER BY event.id DESC LIMIT %(limit)s
) AS latest ORDER BY id

-- name: scored
-- What a scorecard counts, by when Cityward decided: alarms announced, chatter, hushes; each with its seat, a district
-- or the unit of the alarm's latest case.
SELECT CASE WHEN %(by)s = 'district' THEN device.district ELSE (
           SELECT unit FROM dispatch_case JOIN case_alarm ON case_alarm.case_id = dispatch_case.id
           WHERE case_alarm.alarm_id = alarm.id ORDER BY dispatch_case.id DESC LIMIT 1) END,
       event.event, event.seen_at, event.severity, alarm.rule_id, device.device_id
FROM (
    SELECT * FROM alarm_event
    WHERE event = 'raised' AND NOT hushed AND seen_at >= %(since)s AND seen_at < %(until)s
    UNION ALL
    SELECT * FROM alarm_event
    WHERE event IN ('chattering', 'suppressed', 'shelved', 'taken_out')
      AND seen_at >= %(since)s AND seen_at < %(until)s
) AS event JOIN alarm ON alarm.id = event.alarm_id JOIN device ON device.id = alarm.device
WHERE %(district)s::text IS NULL OR device.district = %(district)s
ORDER BY event.id

-- name: stale
-- Alarms that are active and not hushed and have been so for a day, the oldest first, with their seat.
SELECT CASE WHEN %(by)s = 'district' THEN device.district ELSE (
           SELECT unit FROM dispatch_case JOIN case_alarm ON case_alarm.case_id = dispatch_case.id
           WHERE case_alarm.alarm_id = alarm.id ORDER BY dispatch_case.id DESC LIMIT 1) END AS seat,
       alarm.id AS alarm, alarm.rule_id, device.device_id, device.name, alarm.raised_at AS since
FROM alarm JOIN device ON device.id = alarm.device
WHERE alarm.active AND NOT alarm.hushed AND alarm.raised_at < %(until)s::timestamptz - interval '24 hours'
  AND (%(district)s::text IS NULL OR device.district = %(district)s)
ORDER BY alarm.raised_at, alarm.id

-- name: alarms_of_storm
-- The new alarms of a district that a storm was made of, without those that something else explained: number, rule,
-- facility, severity, when it was decided.
SELECT alarm.id, alarm.rule_id, device.device_id, event.severity, event.seen_at
FROM alarm_event AS event JOIN alarm ON alarm.id = event.alarm_id JOIN device ON device.id = alarm.device
LEFT JOIN alarm AS cause ON cause.id = alarm.suppressed_by
WHERE device.district = %(district)s AND event.event = 'raised' AND NOT event.detail ? 'after'
  AND event.seen_at > %(since)s AND event.seen_at <= %(until)s AND alarm.rule_id <> %(storm)s
  AND (NOT event.hushed OR cause.rule_id = %(storm)s)
ORDER BY event.id
