-- name: replays_waiting
-- Whether somebody wants messages of a partition tried again.
SELECT EXISTS (SELECT FROM quarantine WHERE replay_partition = %(partition)s)

-- name: take_requested
-- The oldest messages to try again, some megabytes at most; locked, so that nobody drops one meanwhile.
WITH oldest AS (
    SELECT id, payload FROM quarantine WHERE replay_partition = %(partition)s ORDER BY id LIMIT %(most)s
), measured AS (
    SELECT id, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS before FROM oldest
)
SELECT id, (extract(epoch FROM received_at) * 1000000)::bigint AS received_at, topic, payload, part
FROM quarantine
WHERE id IN (SELECT id FROM measured WHERE before < %(bytes)s) AND replay_partition = %(partition)s
ORDER BY id FOR UPDATE SKIP LOCKED

-- name: resolve_replayed
-- Messages of which nothing is refused any more.
UPDATE quarantine SET
    resolved_at = %(at)s, resolution = 'replayed', resolved_by = replay_requested_by,
    attempts = attempts + 1, stored = quarantine.stored + again.stored,
    duplicate = quarantine.duplicate + again.duplicate,
    replay_partition = NULL, replay_requested_at = NULL, replay_requested_by = NULL
FROM unnest(%(ids)s::bigint[], %(stored)s::integer[], %(duplicate)s::integer[]) AS again (id, stored, duplicate)
WHERE quarantine.id = again.id AND quarantine.replay_partition IS NOT NULL

-- name: refuse_again
-- Messages of which something is refused again: the row stands for the first such reading from now on.
UPDATE quarantine SET
    code = again.code, detail = again.detail, part = again.part,
    attempts = attempts + 1, stored = quarantine.stored + again.stored,
    duplicate = quarantine.duplicate + again.duplicate,
    replay_partition = NULL, replay_requested_at = NULL, replay_requested_by = NULL
FROM unnest(%(ids)s::bigint[], %(stored)s::integer[], %(duplicate)s::integer[], %(codes)s::text[],
            %(details)s::text[], %(parts)s::integer[]) AS again (id, stored, duplicate, code, detail, part)
WHERE quarantine.id = again.id AND quarantine.replay_partition IS NOT NULL

-- name: refuse_further
-- Further readings of a message that had been refused as a whole: a row for each.
INSERT INTO quarantine (received_at, partition, code, detail, topic, payload, part, attempts)
SELECT whole.received_at, whole.partition, further.code, further.detail, whole.topic, whole.payload, further.part, 1
FROM unnest(%(ids)s::bigint[], %(codes)s::text[], %(details)s::text[], %(parts)s::integer[])
    AS further (id, code, detail, part)
JOIN quarantine AS whole ON whole.id = further.id

-- name: move_ledger
-- What trying again changes in the minutes of first arrival; in their order, so that two collectors cannot deadlock.
INSERT INTO ledger AS book (minute, partition, received, stored, duplicate, quarantined)
SELECT date_trunc('minute', quarantine.received_at), quarantine.partition,
       sum(moved.received), sum(moved.stored), sum(moved.duplicate), sum(moved.quarantined)
FROM unnest(%(ids)s::bigint[], %(received)s::bigint[], %(stored)s::bigint[], %(duplicate)s::bigint[],
            %(quarantined)s::bigint[]) AS moved (id, received, stored, duplicate, quarantined)
JOIN quarantine ON quarantine.id = moved.id
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (minute, partition) DO UPDATE SET
    received = book.received + excluded.received,
    stored = book.stored + excluded.stored,
    duplicate = book.duplicate + excluded.duplicate,
    quarantined = book.quarantined + excluded.quarantined

-- name: choose
-- Messages in quarantine, the newest first; null filters mean all.
SELECT id, topic FROM quarantine
WHERE (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s))
  AND (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(topic)s::text IS NULL OR topic LIKE %(topic)s)
  AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR received_at < %(before)s)
  AND (%(resolved)s OR resolved_at IS NULL)
ORDER BY id DESC LIMIT %(limit)s

-- name: load_rows
-- What is known of messages, the newest first.
SELECT id, received_at, partition, code, detail, topic, octet_length(payload) AS size, part, attempts, stored,
       duplicate, replay_partition, replay_requested_at, replay_requested_by, resolved_at, resolution, resolved_by,
       reason
FROM quarantine WHERE id = ANY (%(ids)s::bigint[]) ORDER BY id DESC

-- name: load_message
-- A message as it arrived.
SELECT id, (extract(epoch FROM received_at) * 1000000)::bigint AS received_at, topic, payload, part
FROM quarantine WHERE id = %(id)s

-- name: request_replay
-- Ask the collectors of these partitions to try messages again; the resolved stay as they are.
UPDATE quarantine SET
    replay_partition = asked.partition, replay_requested_at = %(at)s, replay_requested_by = %(by)s
FROM unnest(%(ids)s::bigint[], %(partitions)s::text[]) AS asked (id, partition)
WHERE quarantine.id = asked.id AND quarantine.resolved_at IS NULL
RETURNING quarantine.id

-- name: drop_messages
-- Give messages up; the rows stay, and so does their place in the ledger.
UPDATE quarantine SET
    resolved_at = %(at)s, resolution = 'dropped', resolved_by = %(by)s, reason = %(reason)s,
    replay_partition = NULL, replay_requested_at = NULL, replay_requested_by = NULL
WHERE id = ANY (%(ids)s::bigint[]) AND resolved_at IS NULL
RETURNING id

-- name: progress
-- How far messages are that were to be tried again.
SELECT replay_partition, resolution, CASE WHEN resolution IS NULL THEN code END, count(*),
       sum(stored)::bigint, sum(duplicate)::bigint
FROM quarantine WHERE id = ANY (%(ids)s::bigint[])
GROUP BY 1, 2, 3 ORDER BY 4 DESC

-- name: unregistered
-- Devices that send and are not registered under that topic, the busiest first; null filters mean all.
WITH seen AS (
    SELECT split_part(topic, '/', 2) AS district, split_part(topic, '/', 3) AS kind,
           split_part(topic, '/', 4) AS device_id, count(*) AS messages,
           min(received_at) AS first, max(received_at) AS last, max(id) AS sample
    FROM quarantine
    WHERE code = 'unregistered' AND resolved_at IS NULL
      AND (%(device_id)s::text IS NULL OR split_part(topic, '/', 4) = %(device_id)s)
    GROUP BY 1, 2, 3
)
SELECT seen.*, device.district AS known_district, device.kind AS known_kind
FROM seen LEFT JOIN device ON device.device_id = seen.device_id
ORDER BY messages DESC, district, kind, device_id LIMIT %(limit)s
