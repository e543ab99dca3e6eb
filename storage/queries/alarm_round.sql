-- name: permits_covering
-- A maintenance permit over each alarm: in force now, or when the alarm was raised.
SELECT DISTINCT ON (alarm.id) alarm.id, permit.id, permit.reason, permit.holder
FROM alarm JOIN device AS facility ON facility.id = alarm.device
JOIN permit ON permit.kind = 'maintenance' AND belongs(facility, permit.target)
WHERE alarm.id = ANY (%(ids)s::bigint[])
  AND (permit.valid_from <= %(now)s AND least(permit.valid_to, permit.revoked_at) > %(now)s
       OR permit.valid_from <= alarm.raised_at AND least(permit.valid_to, permit.revoked_at) > alarm.raised_at)
ORDER BY alarm.id, permit.valid_to DESC

-- name: newly_covered
-- Active alarms whose facility a maintenance permit has taken out of service since.
SELECT alarm.id
FROM alarm JOIN device AS facility ON facility.id = alarm.device
JOIN permit ON belongs(facility, permit.target)
WHERE permit.kind = 'maintenance' AND permit.revoked_at IS NULL
  AND permit.valid_from <= %(now)s AND permit.valid_to > %(now)s
  AND alarm.active AND NOT alarm.hushed

-- name: explanations
-- Which active alarms explain which others, where one of the two is among these; the oldest cause first.
WITH among AS (
    SELECT alarm.id, alarm.rule_id, alarm.suppressed_by, alarm.hushed, alarm.device, rule.input, rule.covers
    FROM alarm JOIN rule_text AS rule ON (rule.rule_id, rule.version) = (alarm.rule_id, alarm.rule_version)
    WHERE alarm.id = ANY (%(ids)s::bigint[]) AND alarm.active
), grouped AS (
    SELECT alarm.id, alarm.rule_id, alarm.suppressed_by, facility.device_id,
           split_part(facility.device_id, ':', 1) AS fields, rule.covers
    FROM rule_text AS rule JOIN alarm
        ON (alarm.rule_id, alarm.rule_version) = (rule.rule_id, rule.version) AND alarm.active
    JOIN device AS facility ON facility.id = alarm.device
    WHERE rule.covers <> '{}'
)
-- The silence of these by that of a gateway, cabinet or circuit.
SELECT among.id, cause.id, cause.rule_id, source.device_id, 'parent_silent', cause.suppressed_by
FROM among JOIN device AS facility ON facility.id = among.device
CROSS JOIN LATERAL unnest(ARRAY[facility.gateway, facility.cabinet, facility.circuit]) AS parent (device_id)
JOIN device AS source ON source.device_id = parent.device_id
JOIN alarm AS cause ON cause.device = source.id AND cause.active AND cause.id <> among.id
JOIN rule_text AS rule ON (rule.rule_id, rule.version) = (cause.rule_id, cause.rule_version) AND rule.input = 'silence'
WHERE among.input = 'silence' AND NOT among.hushed
UNION
-- The silence of others by that of these.
SELECT child.id, among.id, among.rule_id, source.device_id, 'parent_silent', among.suppressed_by
FROM among JOIN device AS source ON source.id = among.device
CROSS JOIN LATERAL (
    SELECT id FROM device WHERE gateway = source.device_id AND gateway <> ''
    UNION SELECT id FROM device WHERE cabinet = source.device_id AND cabinet <> ''
    UNION SELECT id FROM device WHERE circuit = source.device_id AND circuit <> ''
) AS facility
JOIN alarm AS child ON child.device = facility.id AND child.active AND NOT child.hushed AND child.id <> among.id
JOIN rule_text AS rule ON (rule.rule_id, rule.version) = (child.rule_id, child.rule_version) AND rule.input = 'silence'
WHERE among.input = 'silence'
UNION
-- These by the alarm of a group that they are members of.
SELECT among.id, grouped.id, grouped.rule_id, grouped.device_id, 'group', grouped.suppressed_by
FROM among JOIN device AS facility ON facility.id = among.device
CROSS JOIN (SELECT DISTINCT fields FROM grouped) AS by
JOIN grouped ON grouped.device_id = device_group(facility, by.fields) AND among.rule_id = ANY (grouped.covers)
WHERE NOT among.hushed
UNION
-- Members by the alarm of their group that is among these.
SELECT child.id, grouped.id, grouped.rule_id, grouped.device_id, 'group', grouped.suppressed_by
FROM (SELECT DISTINCT fields, unnest(covers) AS rule_id FROM grouped WHERE id = ANY (%(ids)s::bigint[])) AS covered
JOIN alarm AS child ON child.rule_id = covered.rule_id AND child.active AND NOT child.hushed
JOIN device AS facility ON facility.id = child.device
JOIN grouped ON grouped.device_id = device_group(facility, covered.fields) AND child.rule_id = ANY (grouped.covers)
WHERE grouped.id = ANY (%(ids)s::bigint[])
ORDER BY 2

-- name: pass_over
-- News of alarms that are hushed: nobody is told.
UPDATE alarm_event SET handled_at = %(now)s, hushed = true WHERE id = ANY (%(ids)s::bigint[])

-- name: hushes_over
-- Alarms whose hush is over, locked: the shelf's time, the alarm that explained them, the permit; and those that have
-- grown graver than what the storm holds back.
SELECT alarm.id,
       CASE WHEN alarm.shelved_until IS NOT NULL THEN 'the shelf''s time is over'
            WHEN alarm.permit IS NOT NULL THEN 'the work permit has ended'
            WHEN cause.active THEN 'worse than what a storm holds back'
            ELSE cause.rule_id || ' of ' || device.device_id || ' is over' END
FROM alarm
LEFT JOIN alarm AS cause ON cause.id = alarm.suppressed_by
LEFT JOIN device ON device.id = cause.device
LEFT JOIN permit ON permit.id = alarm.permit
WHERE alarm.hushed
  AND (alarm.shelved_until <= %(now)s
       OR least(permit.valid_to, permit.revoked_at) <= %(now)s
       OR NOT cause.active AND cause.cleared_at <= %(cause_cleared_before)s
       OR cause.rule_id = %(storm)s AND alarm.active AND alarm.severity > %(holds)s)
ORDER BY alarm.id
FOR UPDATE OF alarm

-- name: calm
-- Chattering alarms that have not been raised for long enough, locked.
SELECT id FROM alarm WHERE chattering_since IS NOT NULL AND raised_at <= %(quiet_since)s ORDER BY id FOR UPDATE

-- name: unanswered
-- Active alarms that nobody has acknowledged since they were last announced, and that may be announced again, locked.
SELECT alarm.id
FROM alarm CROSS JOIN LATERAL (
    SELECT max(seen_at) FILTER (WHERE event IN ('raised', 'escalated', 'reminded') AND NOT hushed) AS at,
           count(*) FILTER (WHERE event = 'reminded' AND id > coalesce((
               SELECT max(id) FROM alarm_event WHERE alarm_id = alarm.id AND event IN ('raised', 'escalated')), 0)
           ) AS reminders
    FROM alarm_event WHERE alarm_id = alarm.id
) AS told
WHERE alarm.active AND NOT alarm.acknowledged AND NOT alarm.hushed
  AND alarm.severity >= %(least)s AND told.at <= %(told_before)s AND told.reminders < %(times)s
ORDER BY alarm.id
FOR UPDATE OF alarm

-- name: new_alarms
-- New alarms by district, without those that are explained otherwise than by a storm.
SELECT device.district, count(*)
FROM alarm_event AS event JOIN alarm ON alarm.id = event.alarm_id JOIN device ON device.id = alarm.device
LEFT JOIN alarm AS cause ON cause.id = alarm.suppressed_by
WHERE event.event = 'raised' AND event.seen_at > %(since)s AND alarm.rule_id <> %(storm)s
  AND (NOT event.hushed OR cause.rule_id = %(storm)s) AND NOT event.detail ? 'after'
GROUP BY 1

-- name: raging
-- The storms of now: district, alarm, desk, since when, how many alarms each holds back.
SELECT device.district, alarm.id, alarm.device, alarm.raised_at,
       (SELECT count(*) FROM alarm AS held WHERE held.suppressed_by = alarm.id)
FROM alarm JOIN device ON device.id = alarm.device
WHERE alarm.rule_id = %(storm)s AND alarm.active
ORDER BY 1

-- name: ensure_desk
-- The desk of a district as a facility, for alarms about the district as a whole; in the middle of its devices.
INSERT INTO device (device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit,
                    cabinet, gateway, limits, attributes, registered_at)
SELECT 'desk:' || district.district_id, 'group', district.name_en || ' ' || district.name_zh, district.district_id,
       '', avg(device.lon), avg(device.lat), '', '', '', '', '', '', '{}'::jsonb, '{}'::jsonb, %(now)s
FROM district JOIN device ON device.district = district.district_id
WHERE district.district_id = %(district)s
GROUP BY district.district_id
ON CONFLICT (device_id) DO UPDATE SET name = device.name
RETURNING id

-- name: held_back
-- Alarms, among these, that a storm of their district holds back: with its alarm, rule and desk.
SELECT alarm.id, storm.id, storm.rule_id, desk.device_id
FROM alarm JOIN device ON device.id = alarm.device
JOIN device AS desk ON desk.device_id = 'desk:' || device.district
JOIN alarm AS storm ON storm.device = desk.id AND storm.rule_id = %(storm)s AND storm.active
WHERE alarm.id = ANY (%(ids)s::bigint[]) AND alarm.severity <= %(holds)s AND NOT alarm.hushed
  AND (alarm.active OR NOT alarm.acknowledged)
