-- name: quarantined_runs
-- Runs of consecutive sequence numbers in the payloads in quarantine, by the device of their topic.
SELECT device_id, min(seq), max(seq), sum(times)::bigint
FROM (
    SELECT device_id, seq, times, seq - row_number() OVER (PARTITION BY device_id ORDER BY seq) AS run
    FROM (
        SELECT split_part(topic, '/', 4) AS device_id,
               substring(encode(payload, 'escape') FROM '"seq": ?(\d+)')::bigint AS seq, count(*) AS times
        FROM quarantine GROUP BY 1, 2
    ) AS counted
    WHERE seq IS NOT NULL
) AS numbered
GROUP BY device_id, run ORDER BY 1, 2

-- name: alarm_history
-- What was ever said of each device's alarms, event time in microseconds since 1970 UTC.
SELECT device.device_id, alarm.rule_id, event.event, (extract(epoch FROM event.at) * 1000000)::bigint
FROM alarm_event AS event
JOIN alarm ON alarm.id = event.alarm_id
JOIN device ON device.id = alarm.device
ORDER BY event.id

-- name: cases_told
-- Every case, and to how many targets it was sent when it was dispatched and has arrived.
SELECT device.device_id, dispatch_case.problem, count(notification.id),
       count(*) FILTER (WHERE notification.state = 'delivered')
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
LEFT JOIN case_event ON case_event.case_id = dispatch_case.id AND case_event.event = 'dispatch'
LEFT JOIN notification ON notification.case_event_id = case_event.id
GROUP BY dispatch_case.id, device.device_id, dispatch_case.problem
ORDER BY 1, 2

-- name: quarantined
-- Messages in quarantine, counted one by one.
SELECT count(*) FROM quarantine

-- name: heard_until
-- How many devices have a reading of this time or later; seconds behind.
SELECT count(*) FROM device_status WHERE last_ts >= %(at)s

-- name: alarms_after
-- Alarms raised since another one, with the event time, in microseconds since 1970 UTC.
SELECT id, (extract(epoch FROM at) * 1000000)::bigint FROM alarm_event
WHERE id > %(last)s AND event = 'raised' ORDER BY id

-- name: commits
-- Transactions of this database since its statistics began; a second behind.
SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()
