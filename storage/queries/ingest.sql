-- name: unpack_any_number
-- TimescaleDB fails a statement that unpacks more than 100,000 compressed readings, which would fail again for ever.
-- Without TimescaleDB the name means nothing.
SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', false)

-- name: write_quarantine
-- Messages that could not become readings, whole.
INSERT INTO quarantine (received_at, partition, code, detail, topic, payload, part)
SELECT %(received_at)s::timestamptz, %(partition)s, code, detail, topic, payload, part
FROM unnest(%(codes)s::text[], %(details)s::text[], %(topics)s::text[], %(payloads)b::bytea[], %(parts)s::integer[])
    AS bad (code, detail, topic, payload, part)

-- name: write_ledger
-- What became of a batch, added to its minute.
INSERT INTO ledger AS book (minute, partition, received, stored, duplicate, quarantined)
VALUES (date_trunc('minute', %(at)s::timestamptz), %(partition)s,
        %(received)s, %(stored)s, %(duplicate)s, %(quarantined)s)
ON CONFLICT (minute, partition) DO UPDATE SET
    received = book.received + excluded.received,
    stored = book.stored + excluded.stored,
    duplicate = book.duplicate + excluded.duplicate,
    quarantined = book.quarantined + excluded.quarantined

-- name: note_late_days
-- Days whose stored roll-ups the regular refresh no longer looks at; where roll-ups are views, nothing is noted.
INSERT INTO late_day (kind, day)
SELECT %(kind)s, day FROM unnest(%(days)s::date[]) AS day
WHERE EXISTS (SELECT FROM rollup_state WHERE kind = %(kind)s)
ON CONFLICT (kind, day) DO UPDATE SET noted_at = now()

-- name: begin_waiting
-- A kind of which readings wait from now on: what has arrived so far has been judged.
INSERT INTO waiting (partition, kind, judged_until, since)
SELECT %(partition)s, kind, %(at)s::timestamptz, %(at)s::timestamptz FROM unnest(%(kinds)s::text[]) AS kind
ON CONFLICT (partition, kind) DO NOTHING

-- name: load_waiting
-- How far a partition has judged the kinds of which readings wait.
SELECT kind, judged_until, since FROM waiting WHERE partition = %(partition)s ORDER BY kind

-- name: lock_waiting
-- Partitions that have judged some of these devices until now finish what they are at, or have to see that they are not
-- theirs any more.
SELECT partition FROM waiting
WHERE kind = %(kind)s AND partition IN (
    SELECT partition FROM judged_by WHERE device = ANY (%(devices)s::integer[]) AND partition <> %(partition)s)
ORDER BY partition FOR UPDATE

-- name: take_over
-- Devices that another partition has judged until now, with how far it has come.
UPDATE judged_by SET partition = %(partition)s, judged_until = coalesce(judged_by.judged_until, before.judged_until),
                     since = coalesce(judged_by.since, before.since)
FROM waiting AS before
WHERE judged_by.device = ANY (%(devices)s::integer[]) AND judged_by.partition <> %(partition)s
  AND before.partition = judged_by.partition AND before.kind = %(kind)s

-- name: judge_from_now_on
-- Devices that nobody has judged in order until now.
INSERT INTO judged_by (device, partition) SELECT device, %(partition)s FROM unnest(%(devices)s::integer[]) AS device
ON CONFLICT (device) DO UPDATE SET partition = excluded.partition WHERE judged_by.partition <> excluded.partition

-- name: taken_over
-- Those of these devices that have been taken over and not caught up with, by how far they had been judged.
SELECT judged_until, since, array_agg(device ORDER BY device) FROM judged_by
WHERE partition = %(partition)s AND judged_until IS NOT NULL AND device = ANY (%(devices)s::integer[])
GROUP BY 1, 2 ORDER BY 1, 2

-- name: catch_up
-- Devices that were taken over are as far as the others of their kind, once that has been judged further.
UPDATE judged_by SET judged_until = NULL, since = NULL
FROM device, waiting, unnest(%(kinds)s::text[], %(untils)s::timestamptz[]) AS new (kind, judged_until)
WHERE judged_by.partition = %(partition)s AND judged_by.judged_until IS NOT NULL AND device.id = judged_by.device
  AND new.kind = device.kind AND waiting.partition = %(partition)s AND waiting.kind = new.kind
  AND new.judged_until > waiting.judged_until

-- name: forget_who_judges
-- Of kinds that have no bound any more it need not be known who judges them.
DELETE FROM judged_by USING device
WHERE judged_by.partition = %(partition)s AND device.id = judged_by.device AND device.kind = ANY (%(kinds)s::text[])

-- name: save_waiting
-- How far they have been judged now.
UPDATE waiting SET judged_until = new.judged_until, since = new.since
FROM unnest(%(kinds)s::text[], %(untils)s::timestamptz[], %(sinces)s::timestamptz[]) AS new (kind, judged_until, since)
WHERE waiting.partition = %(partition)s AND waiting.kind = new.kind

-- name: end_waiting
-- Kinds that have no bound any more, and of which nothing waits.
DELETE FROM waiting WHERE partition = %(partition)s AND kind = ANY (%(kinds)s::text[])

-- name: save_worked_off
-- How far a collector has come; a backlog that begins anew takes nothing back.
INSERT INTO worked_off AS known (partition, until) VALUES (%(partition)s, %(until)s::timestamptz)
ON CONFLICT (partition) DO UPDATE SET until = greatest(known.until, excluded.until)

-- name: load_worked_off
-- How far each partition has been collected; one for which the broker keeps readings already, since when it does.
SELECT partition, (extract(epoch FROM coalesce(until, since)) * 1000000)::bigint
FROM worked_off FULL JOIN partition_session USING (partition) WHERE coalesce(until, since) IS NOT NULL
