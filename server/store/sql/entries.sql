-- :entry_append
-- The hot statement. A repeat of (cmid, author) changes nothing: db_changes() is 0 and entry_by_cmid tells the original.
INSERT INTO entry(conv, log, seq, at_seq, ts, author, kind, version, cmid, hash, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)
ON CONFLICT (cmid, author) WHERE cmid IS NOT NULL DO NOTHING

-- :entry_by_cmid
SELECT conv, log, seq, at_seq, ts, kind, hash FROM entry WHERE cmid = $1 AND author = $2 AND cmid IS NOT NULL

-- :entry_by_cmid_alias
-- The same under the visitors that customer $2 has claimed, with its conversation's outside id.
SELECT e.conv, e.log, e.seq, e.at_seq, e.ts, e.kind, e.hash, c.ext
FROM principal a JOIN entry e ON e.cmid = $1 AND e.author = a.id JOIN conversation c ON c.id = e.conv
WHERE a.alias_of = $2 AND e.cmid IS NOT NULL LIMIT 1

-- :entry_get
SELECT ts, author, kind, version, cmid, hash, body, at_seq FROM entry WHERE conv = $1 AND log = $2 AND seq = $3

-- :entry_replace_content
-- An edit: the row keeps the current content and its version; the hash of what was sent stays (A4).
UPDATE entry SET version = $4, body = $5 WHERE conv = $1 AND log = $2 AND seq = $3

-- :entry_blank
-- An erasure: place and key stay, content and hash go.
UPDATE entry SET kind = $4, version = version + 1, hash = NULL, body = NULL WHERE conv = $1 AND log = $2 AND seq = $3

-- :entry_blank_about
-- The same for what was said about an erased message: version 0 tells it from an erased message.
UPDATE entry SET kind = $4, version = 0, hash = NULL, body = NULL WHERE conv = $1 AND log = $2 AND seq = $3

-- :entries_after
SELECT seq, at_seq, ts, author, kind, version, cmid, body FROM entry
WHERE conv = $1 AND log = $2 AND seq > $3 ORDER BY seq LIMIT $4

-- :entries_before
SELECT seq, at_seq, ts, author, kind, version, cmid, body FROM entry
WHERE conv = $1 AND log = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4

-- :entries_unread
-- Above $2 and up to $5. $3: own author id is not counted; $4: first kind that does not count (kinds below it do, design
-- section 4); 9: the answer to a survey does not either.
SELECT COUNT(*) FROM entry WHERE conv = $1 AND log = 0 AND seq > $2 AND seq <= $5 AND author <> $3 AND kind < $4
  AND kind <> 9
  AND author NOT IN (SELECT id FROM principal WHERE alias_of = $3)

-- :entries_unanswered
-- Customer messages behind the last public message of an agent, and the time of the oldest. $3: first kind that is no
-- message; 9, the answer to a survey, is none either.
SELECT COUNT(*), MIN(ts) FROM entry
WHERE conv = $1 AND log = 0 AND (author = $2 OR author IN (SELECT id FROM principal WHERE alias_of = $2)) AND kind < $3
  AND kind <> 9 AND seq > COALESCE(
        (SELECT e.seq FROM entry e JOIN principal p ON p.id = e.author AND p.role = 2
         WHERE e.conv = $1 AND e.log = 0 AND (e.kind < $3 OR (e.kind = $4 AND e.version > 0))
         ORDER BY e.seq DESC LIMIT 1), 0)

-- :entries_about
-- Edits and revisions that may concern message $4: the caller looks into the bodies. $2: log, $3: kind.
SELECT seq, body FROM entry WHERE conv = $1 AND log = $2 AND kind = $3 AND seq > $4 ORDER BY seq

-- :entries_erase_all
-- Erasure of a person: every message, edit and revision of a conversation loses content, hash and, where a customer
-- wrote it, its author (-1 = an erased person). Places and keys stay. $3: first kind that no person sends as a message; what is
-- none ($4 without a key: the desk asks whether it is solved) gets version 0, so that messages can still be counted.
UPDATE entry SET kind = $2, hash = NULL, body = NULL,
       version = CASE WHEN kind < $3 AND NOT (kind = $4 AND cmid IS NULL) THEN version + 1 ELSE 0 END,
       author = CASE WHEN author = (SELECT customer FROM conversation WHERE id = $1)
                       OR author IN (SELECT a.id FROM principal a JOIN conversation c ON c.customer = a.alias_of
                                     WHERE c.id = $1)
                     THEN -1 ELSE author END
WHERE conv = $1 AND body IS NOT NULL
