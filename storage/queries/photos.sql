-- name: keep_photo
-- A picture, unless it is known.
INSERT INTO photo (hash, media_type, content) VALUES (%(hash)s, %(media_type)s, %(content)s) ON CONFLICT DO NOTHING

-- name: add_case_photo
-- A picture belongs to a case; again is no error.
INSERT INTO case_photo (case_id, hash, taken_at, added_at, added_by)
VALUES (%(case_id)s, %(hash)s, %(taken_at)s, %(at)s, %(by)s) ON CONFLICT DO NOTHING

-- name: photos_of_case
-- The pictures of a case, in the order in which they were taken.
SELECT encode(photo.hash, 'hex') AS hash, photo.media_type, octet_length(photo.content) AS size, case_photo.taken_at,
       case_photo.added_at, case_photo.added_by
FROM case_photo JOIN photo ON photo.hash = case_photo.hash JOIN dispatch_case ON dispatch_case.id = case_photo.case_id
WHERE dispatch_case.number = %(number)s ORDER BY case_photo.taken_at, photo.hash

-- name: photo_of_case
-- One picture of a case.
SELECT photo.content, photo.media_type
FROM case_photo JOIN photo ON photo.hash = case_photo.hash JOIN dispatch_case ON dispatch_case.id = case_photo.case_id
WHERE dispatch_case.number = %(number)s AND encode(photo.hash, 'hex') = %(hash)s
