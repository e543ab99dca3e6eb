-- name: ledger
SELECT date_bin(step.long, minute, TIMESTAMPTZ 'epoch') AS "time", sum(received) / step.minutes AS received,
       sum(stored) / step.minutes AS stored, sum(duplicate) / step.minutes AS duplicate,
       sum(quarantined) / step.minutes AS quarantined
FROM ledger_minute
CROSS JOIN (SELECT long, extract(epoch FROM long) / 60
            FROM (SELECT greatest('$__interval', interval '1 minute')) AS shown (long)) AS step (long, minutes)
WHERE $__timeFilter(minute)
GROUP BY 1, step.minutes ORDER BY 1

-- name: fates
SELECT sum(received) AS received, sum(stored) AS stored, sum(duplicate) AS duplicate, sum(quarantined) AS quarantined,
       sum(received) - sum(stored + duplicate + quarantined) AS missing
FROM ledger_minute
WHERE $__timeFilter(minute)

-- name: partitions
SELECT partition, max(minute) AS latest, sum(received) AS received, sum(quarantined) AS quarantined FROM ledger_minute
WHERE $__timeFilter(minute)
GROUP BY 1 ORDER BY 1

-- name: quarantine
SELECT code, count(*) AS messages, count(*) FILTER (WHERE resolved_at IS NULL) AS waiting, max(received_at) AS latest
FROM quarantine_list
WHERE $__timeFilter(received_at)
GROUP BY 1 ORDER BY 2 DESC

-- name: completeness
SELECT bucket AS "time", kind AS metric, avg(completeness) AS value FROM kpi_data
WHERE $__timeFilter(bucket) AND kind IN (${kind:sqlstring}) AND district IN (${district:sqlstring})
GROUP BY 1, 2 ORDER BY 1

-- name: doubts
SELECT bucket AS "time", sum(late) AS late, sum(implausible) AS implausible, sum(frozen) AS frozen,
       sum(repeated) AS repeated, sum(skewed) AS skewed
FROM kpi_data
WHERE $__timeFilter(bucket) AND kind IN (${kind:sqlstring}) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: lag
SELECT kind, count(*) AS devices, percentile_cont(0.5) WITHIN GROUP (ORDER BY lag_s) AS median_s,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY lag_s) AS p95_s, max(lag_s) AS longest_s
FROM device_lag
WHERE kind IN (${kind:sqlstring}) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: silent
SELECT name, device_id, kind, silent_s, last_ts, device FROM device_lag
WHERE kind IN (${kind:sqlstring}) AND district IN (${district:sqlstring})
ORDER BY silent_s DESC LIMIT 50
