-- name: insert_notification
-- A message to one target, once per case event, channel and target.
INSERT INTO notification (case_event_id, case_id, event, detail, severity, channel, target, body, created_at)
VALUES (%(case_event_id)s, %(case_id)s, %(event)s, %(detail)s, %(severity)s, %(channel)s, %(target)s, %(body)s, %(at)s)
ON CONFLICT (case_event_id, channel, target) DO NOTHING
RETURNING id

-- name: load_notification
-- A notification on its way, or delivered; not one that failed, was dropped or goes with another.
SELECT channel, target, body, delivered_at, created_at FROM notification
WHERE id = %(id)s AND state IN ('pending', 'delivered') AND coalesce(carried_by, id) = id

-- name: city_now
-- The city by which people are told, where it is another version than the one that is known.
SELECT document, xmin::text FROM city WHERE xmin::text <> %(known)s

-- name: earlier_notification
-- An earlier message about the same case to the same target that is on its way.
SELECT 1 FROM notification JOIN notification AS earlier
    ON earlier.case_id = notification.case_id AND earlier.id < notification.id AND earlier.state = 'pending'
    AND (earlier.channel, earlier.target) = (notification.channel, notification.target)
WHERE notification.id = %(id)s LIMIT 1

-- name: claim_notifications
-- Take along whatever waits for the same target with the same event and goes with no other.
UPDATE notification SET carried_by = %(id)s
WHERE id IN (
    SELECT waiting.id FROM notification AS waiting JOIN notification AS mine ON mine.id = %(id)s
        AND (waiting.channel, waiting.target, waiting.event, waiting.detail)
            = (mine.channel, mine.target, mine.event, mine.detail)
    WHERE waiting.state = 'pending' AND waiting.carried_by IS NULL AND mine.carried_by IS NULL
      AND NOT EXISTS (
          SELECT FROM notification AS earlier
          WHERE earlier.case_id = waiting.case_id AND earlier.id < waiting.id AND earlier.state = 'pending'
            AND (earlier.channel, earlier.target) = (waiting.channel, waiting.target))
    ORDER BY waiting.id FOR UPDATE OF waiting)
  AND carried_by IS NULL

-- name: claimed_notifications
-- What goes with a notification, itself included.
SELECT id, body FROM notification WHERE carried_by = %(id)s AND state = 'pending' ORDER BY id

-- name: sent_since
-- How many messages a target has got since then; what went with another counts with it.
SELECT count(*) FROM notification
WHERE channel = %(channel)s AND target = %(target)s AND state = 'delivered' AND delivered_at > %(since)s
  AND carried_by = id

-- name: told_since
-- The same, said of the same case to the same target since then.
SELECT 1 FROM notification JOIN notification AS told
    ON told.case_id = notification.case_id AND told.state = 'delivered' AND told.delivered_at > %(since)s
    AND (told.channel, told.target, told.event, told.detail, told.severity)
        = (notification.channel, notification.target, notification.event, notification.detail, notification.severity)
WHERE notification.id = %(id)s LIMIT 1

-- name: mark_delivered
-- The channel has taken it, and what went with it.
UPDATE notification SET state = 'delivered', delivered_at = %(at)s, attempts = attempts + 1, last_error = ''
WHERE (id = %(id)s OR carried_by = %(id)s) AND state = 'pending'

-- name: mark_failed
-- An attempt failed; the last one for good.
UPDATE notification SET
    state = CASE WHEN %(final)s THEN 'failed' ELSE state END, attempts = attempts + 1, last_error = %(error)s
WHERE (id = %(id)s OR carried_by = %(id)s) AND state = 'pending'

-- name: mark_dropped
-- It need not be sent, and why.
UPDATE notification SET state = 'dropped', last_error = %(why)s WHERE id = %(id)s AND state = 'pending'

-- name: list_notifications
-- Notifications, the newest first; null filters mean all.
SELECT notification.id, notification.channel, notification.target, notification.event, dispatch_case.number AS case_number,
       notification.severity, notification.state, notification.attempts, notification.created_at,
       notification.delivered_at, notification.last_error, notification.carried_by
FROM notification JOIN dispatch_case ON dispatch_case.id = notification.case_id
WHERE (%(state)s::text IS NULL OR notification.state = %(state)s)
  AND (%(channel)s::text IS NULL OR notification.channel = %(channel)s)
  AND (%(target)s::text IS NULL OR notification.target = %(target)s)
  AND (%(case)s::text IS NULL OR dispatch_case.number = %(case)s)
  AND (%(before)s::bigint IS NULL OR notification.id < %(before)s)
ORDER BY notification.id DESC LIMIT %(limit)s

-- name: retry_notifications
-- Failed notifications wait again; those that had gone together go together.
UPDATE notification SET state = 'pending', last_error = ''
WHERE state = 'failed' AND (%(ids)s::bigint[] = '{}' OR id = ANY (%(ids)s) OR carried_by = ANY (%(ids)s))
RETURNING id, channel, coalesce(carried_by, id) = id

-- name: notifications_of_case
-- What was told to whom, and whether it arrived.
SELECT notification.channel, notification.target, case_event.event, notification.state, notification.attempts,
       notification.created_at, notification.delivered_at, notification.last_error
FROM notification
JOIN case_event ON case_event.id = notification.case_event_id
JOIN dispatch_case ON dispatch_case.id = case_event.case_id
WHERE dispatch_case.number = %(number)s ORDER BY notification.id
