-- :canned_insert
INSERT INTO canned(workspace, ext, owner, shortcut, name, folder, lang, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- :canned_by_ext
SELECT id, ext, owner, shortcut, name, folder, lang, version, uses, used_ms FROM canned WHERE workspace = $1 AND ext = $2

-- :canned_by_shortcut
SELECT id, ext, owner, shortcut, name, folder, lang, version, uses, used_ms FROM canned
WHERE workspace = $1 AND owner = $2 AND shortcut = $3

-- :canned_save
UPDATE canned SET shortcut = $2, name = $3, folder = $4, lang = $5, version = version + 1 WHERE id = $1

-- :canned_used
UPDATE canned SET uses = uses + 1, used_ms = $2 WHERE id = $1

-- :canned_delete
DELETE FROM canned WHERE id = $1

-- :canned_count
SELECT COUNT(*) FROM canned WHERE workspace = $1

-- :canned_page
-- At most 5,000 in a workspace.
SELECT id, ext, owner, shortcut, name, folder, lang, version, uses, used_ms FROM canned
WHERE workspace = $1 AND (owner = 0 OR owner = $2) AND (shortcut, id) > ($3, $4) ORDER BY shortcut, id

-- :canned_texts
SELECT lang, text FROM canned_text WHERE canned = $1 ORDER BY lang

-- :canned_text_put
INSERT INTO canned_text(canned, lang, text) VALUES ($1, $2, $3)

-- :canned_texts_delete
DELETE FROM canned_text WHERE canned = $1

-- :canned_word_put
INSERT INTO canned_word(workspace, word, canned) VALUES ($1, $2, $3) ON CONFLICT (workspace, word, canned) DO NOTHING

-- :canned_words_delete
DELETE FROM canned_word WHERE canned = $1

-- :canned_has_word
SELECT 1 FROM canned_word WHERE canned = $1 AND word >= $2 AND word < $3 LIMIT 1

-- :macro_insert
INSERT INTO macro(workspace, ext, owner, name, actions, created_ms) VALUES ($1, $2, $3, $4, $5, $6)

-- :macro_by_ext
SELECT id, ext, owner, name, actions, version, uses, used_ms FROM macro WHERE workspace = $1 AND ext = $2

-- :macro_by_name
SELECT id FROM macro WHERE workspace = $1 AND owner = $2 AND name = $3

-- :macro_save
UPDATE macro SET name = $2, actions = $3, version = version + 1 WHERE id = $1

-- :macro_used
UPDATE macro SET uses = uses + 1, used_ms = $2 WHERE id = $1

-- :macro_delete
DELETE FROM macro WHERE id = $1

-- :macro_count
SELECT COUNT(*) FROM macro WHERE workspace = $1

-- :macro_page
SELECT id, ext, owner, name, actions, version, uses, used_ms FROM macro
WHERE workspace = $1 AND (owner = 0 OR owner = $2) AND id > $3 ORDER BY id

-- :draft_get
SELECT version, text, at_ms FROM draft WHERE agent = $1 AND conv = $2 AND log = $3

-- :draft_put
INSERT INTO draft(agent, conv, log, version, text, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (agent, conv, log) DO UPDATE SET version = excluded.version, text = excluded.text, at_ms = excluded.at_ms

-- :drafts_erase
-- Of an erased customer's conversation.
DELETE FROM draft WHERE conv = $1

-- :mention_put
INSERT INTO mention(agent, conv, iseq, author, is_invite, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (conv, iseq, agent) DO NOTHING

-- :mentions_unseen
SELECT m.id, c.ext, m.iseq, m.author, m.is_invite, m.at_ms, m.conv FROM mention m JOIN conversation c ON c.id = m.conv
WHERE m.agent = $1 AND m.seen_ms = 0 AND m.id > $2 ORDER BY m.id LIMIT $3

-- :mentions_seen_until
UPDATE mention SET seen_ms = $3 WHERE agent = $1 AND seen_ms = 0 AND id <= $2

-- :mentions_seen_conv
UPDATE mention SET seen_ms = $3 WHERE agent = $1 AND seen_ms = 0 AND conv = $2
