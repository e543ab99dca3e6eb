-- name: vitals
-- The state of the city's work in one row: what waits, what is late, what is broken. By indexes only, so that it can be asked
-- again and again.
SELECT (SELECT count(*) FROM alarm_event WHERE handled_at IS NULL) AS alarm_news_waiting,
       (SELECT count(DISTINCT alarm_id) FROM alarm_event WHERE handled_at IS NULL AND stuck_since IS NOT NULL)
           AS alarms_stuck,
       (SELECT count(*) FROM dispatch_case WHERE open) AS cases_open,
       (SELECT count(*) FROM dispatch_case WHERE open AND done_at IS NULL AND fix_by < coalesce(paused_at, %(now)s))
           AS cases_overdue,
       (SELECT count(*) FROM notification WHERE state = 'pending') AS notifications_pending,
       (SELECT greatest(coalesce(extract(epoch FROM %(now)s - min(created_at)), 0), 0)::double precision
        FROM notification WHERE state = 'pending') AS notification_oldest_seconds,
       (SELECT count(DISTINCT rule_id) FROM rule_error WHERE over_at IS NULL) AS rules_benched

-- name: alarms_standing
-- Alarms that stand, by severity, hushed ones left out.
SELECT severity, count(*) FROM alarm WHERE active AND NOT hushed GROUP BY severity
