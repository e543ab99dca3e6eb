-- name: unpack_any_number
-- TimescaleDB fails a statement that unpacks more than 100,000 compressed readings, which would fail again for ever.
-- Without TimescaleDB the name means nothing.
SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', false)

-- name: write_quarantine
-- Messages that could not become readings, whole.
INSERT INTO quarantine (received_at, partition, code, detail, topic, payload, part)
SELECT %(received_at)s::timestamptz, %(partition)s, code, detail, topic, payload, part
FROM unnest(%(codes)s::text[], %(details)s::text[], %(topics)s::text[], %(payloads)s::bytea[], %(parts)s::integer[])
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
-- How far each partition has been collected.
SELECT partition, (extract(epoch FROM until) * 1000000)::bigint FROM worked_off
