-- Columns of a file are always in the order of file_row_read: id, ext, owner, name, media, size, sha256, width, height,
-- state, conv, log, seq, touched_ms, asked.

-- :file_insert
INSERT INTO file(ext, workspace, owner, cmid, asked, name, media, size, touched_ms, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)

-- :file_by_cmid
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file WHERE owner = $1 AND cmid = $2

-- :file_by_ext
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file WHERE ext = $1

-- :file_own
-- Of that principal, or of a visitor he has claimed, and still there; unknown and not his are the same.
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file f
WHERE f.ext = $1 AND f.state < 2
  AND (f.owner = $2 OR EXISTS (SELECT 1 FROM principal p WHERE p.id = f.owner AND p.alias_of = $2))

-- :file_view_customer
-- What one customer may read: in the public log of his own conversations, or his own and in no message yet.
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file f
WHERE f.ext = $1 AND f.state = 1
  AND ((f.conv = 0 AND (f.owner = $2 OR EXISTS (SELECT 1 FROM principal p WHERE p.id = f.owner AND p.alias_of = $2)))
    OR (f.conv <> 0 AND f.log = 0 AND EXISTS (SELECT 1 FROM conversation c WHERE c.id = f.conv AND c.customer = $2)))

-- :file_view_staff
-- What staff may read: in conversations of the workspace ($3), the team's log only with $4 = 1, or their own.
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file f
WHERE f.ext = $1 AND f.state = 1
  AND ((f.conv = 0 AND f.owner = $2)
    OR (f.conv <> 0 AND (f.log = 0 OR $4 = 1)
        AND EXISTS (SELECT 1 FROM conversation c WHERE c.id = f.conv AND c.workspace = $3)))

-- :file_touch
UPDATE file SET touched_ms = $2 WHERE id = $1

-- :file_whole
UPDATE file SET state = 1, media = $2, sha256 = $3, width = $4, height = $5, touched_ms = $6 WHERE id = $1 AND state = 0

-- :file_attach
UPDATE file SET conv = $2, log = $3, seq = $4 WHERE id = $1 AND state = 1 AND conv = 0

-- :file_let_go
-- To be removed from the disk; nothing of what it was is kept.
UPDATE file SET state = 2, cmid = NULL, asked = NULL, name = '', media = '', sha256 = NULL, conv = 0 WHERE id = $1

-- :files_let_go_at
UPDATE file SET state = 2, cmid = NULL, asked = NULL, name = '', media = '', sha256 = NULL, conv = 0
WHERE conv = $1 AND conv <> 0 AND log = $2 AND seq = $3 AND state < 2

-- :files_let_go_conversation
UPDATE file SET state = 2, cmid = NULL, asked = NULL, name = '', media = '', sha256 = NULL, conv = 0
WHERE conv = $1 AND conv <> 0 AND state < 2

-- :files_let_go_owner
UPDATE file SET state = 2, cmid = NULL, asked = NULL, name = '', media = '', sha256 = NULL, conv = 0
WHERE owner = $1 AND state < 2

-- :files_let_go_loose
UPDATE file SET state = 2, cmid = NULL, asked = NULL, name = '', media = '', sha256 = NULL, conv = 0
WHERE conv = 0 AND state < 2 AND touched_ms <= $1

-- :files_next_loose
SELECT MIN(touched_ms) FROM file WHERE conv = 0 AND state < 2

-- :files_gone
SELECT id, ext FROM file WHERE state = 2 AND id > $1 ORDER BY id LIMIT $2

-- :file_removed
UPDATE file SET state = 3 WHERE id = $1 AND state = 2

-- :files_forget
DELETE FROM file WHERE state = 3 AND created_ms <= $1

-- :files_since
SELECT COUNT(*), MIN(created_ms) FROM file WHERE owner = $1 AND created_ms > $2

-- :files_bytes
SELECT COALESCE(SUM(size), 0) FROM file WHERE state < 3

-- :files_whole
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file WHERE id > $1 AND state = 1 ORDER BY id

-- :files_of_customer
-- Whole files in the public log of a customer's conversations, and his own in no message.
SELECT id, ext, owner, name, media, size, sha256, width, height, state, conv, log, seq, touched_ms, asked
FROM file f
WHERE f.id > $2 AND f.state = 1
  AND ((f.conv = 0 AND (f.owner = $1 OR EXISTS (SELECT 1 FROM principal p WHERE p.id = f.owner AND p.alias_of = $1)))
    OR (f.conv <> 0 AND (f.log = 0 OR $3 = 1)
        AND EXISTS (SELECT 1 FROM conversation c WHERE c.id = f.conv AND c.customer = $1)))
ORDER BY f.id
