-- name: crew_link_generation
-- By how many revocations a unit's links have ended, counted from 1.
SELECT coalesce((SELECT generation FROM crew_link WHERE unit = %(unit)s), 1)

-- name: revoke_crew_links
-- All links of a unit are over.
INSERT INTO crew_link (unit, generation, revoked_at) VALUES (%(unit)s, 2, %(at)s)
ON CONFLICT (unit) DO UPDATE SET generation = crew_link.generation + 1, revoked_at = excluded.revoked_at
