-- name: insert_notification
-- A message to one target, once per case event, channel and target.
INSERT INTO notification (case_event_id, channel, target, body, created_at)
VALUES (%(case_event_id)s, %(channel)s, %(target)s, %(body)s, %(at)s)
ON CONFLICT (case_event_id, channel, target) DO NOTHING
RETURNING id

-- name: load_notification
-- A notification on its way.
SELECT channel, target, body, delivered_at FROM notification WHERE id = %(id)s

-- name: mark_delivered
-- The channel has taken it.
UPDATE notification SET state = 'delivered', delivered_at = %(at)s, attempts = attempts + 1, last_error = ''
WHERE id = %(id)s

-- name: mark_failed
-- An attempt failed; the last one for good.
UPDATE notification SET
    state = CASE WHEN %(final)s THEN 'failed' ELSE state END, attempts = attempts + 1, last_error = %(error)s
WHERE id = %(id)s

-- name: notifications_of_case
-- What was told to whom, and whether it arrived.
SELECT notification.channel, notification.target, case_event.event, notification.state, notification.attempts,
       notification.created_at, notification.delivered_at, notification.last_error
FROM notification
JOIN case_event ON case_event.id = notification.case_event_id
JOIN dispatch_case ON dispatch_case.id = case_event.case_id
WHERE dispatch_case.number = %(number)s ORDER BY notification.id
