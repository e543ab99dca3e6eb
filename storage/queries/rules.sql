-- name: save_rule_state
-- Delays and raised conditions that a batch changed.
INSERT INTO rule_state (rule_id, device, state)
SELECT * FROM unnest(%(rule_ids)s::text[], %(devices)s::integer[], %(states)s::jsonb[])
ON CONFLICT (rule_id, device) DO UPDATE SET state = excluded.state

-- name: drop_rule_state
-- A rule that has come to rest for a device needs no row.
DELETE FROM rule_state USING unnest(%(rule_ids)s::text[], %(devices)s::integer[]) AS rest (rule_id, device)
WHERE rule_state.rule_id = rest.rule_id AND rule_state.device = rest.device

-- name: load_rule_state
-- Everything that was running when the last collector stopped.
SELECT rule_id, device, state FROM rule_state

-- name: judged
-- How far each series of windows and each job has been judged.
SELECT name, (extract(epoch FROM until) * 1000000)::bigint FROM judged

-- name: save_judged
-- The progress of those that went on, with what they found.
INSERT INTO judged (name, until)
SELECT name, to_timestamp(until / 1e6) FROM unnest(%(names)s::text[], %(untils)s::bigint[]) AS new (name, until)
ON CONFLICT (name) DO UPDATE SET until = excluded.until

-- name: alarm_spells
-- When alarms of some rules were active since a moment, as their histories tell; those still active have no end.
SELECT alarm.rule_id, alarm.device, (extract(epoch FROM raised.at) * 1000000)::bigint, (
    SELECT (extract(epoch FROM cleared.at) * 1000000)::bigint FROM alarm_event AS cleared
    WHERE cleared.alarm_id = alarm.id AND cleared.event IN ('cleared', 'latched') AND cleared.id > raised.id
    ORDER BY cleared.id LIMIT 1)
FROM alarm JOIN alarm_event AS raised ON raised.alarm_id = alarm.id AND raised.event IN ('raised', 'repeated')
WHERE alarm.rule_id = ANY (%(rule_ids)s) AND (alarm.active OR alarm.cleared_at >= to_timestamp(%(since)s / 1e6))

-- name: benched
-- Rules that crashed and are not tried again until the packs are read anew.
SELECT rule_id, holder, at, detail FROM rule_error WHERE over_at IS NULL ORDER BY rule_id, at

-- name: unbench
-- The packs were read: what was benched by this process is tried again.
UPDATE rule_error SET over_at = %(at)s WHERE holder = %(holder)s AND over_at IS NULL

-- name: save_rule_error
-- A rule crashed and is benched.
INSERT INTO rule_error (rule_id, at, detail, holder) VALUES (%(rule_id)s, %(at)s, %(detail)s, %(holder)s)
