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
