-- :attributes_all
SELECT scope, name, kind, label, choices FROM attribute WHERE workspace = $1 ORDER BY scope, name

-- :attribute_insert
INSERT INTO attribute(workspace, scope, name, kind, label, choices, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- :attribute_delete
DELETE FROM attribute WHERE workspace = $1 AND scope = $2 AND name = $3

-- :tiers_all
SELECT name FROM tier WHERE workspace = $1 ORDER BY place

-- :tiers_clear
DELETE FROM tier WHERE workspace = $1

-- :tier_insert
INSERT INTO tier(workspace, place, name) VALUES ($1, $2, $3)

-- :tier_find
SELECT place FROM tier WHERE workspace = $1 AND name = $2

-- :profile_get
SELECT tier, tier_origin, blocked_ms, blocked_by, block_reason, version FROM customer_profile WHERE customer = $1

-- :cards_who
-- What conditions ask of customers, of up to 16 at once; so are the three below.
SELECT id, name, email, locale, external_id FROM principal WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8,
       $9, $10, $11, $12, $13, $14, $15, $16)
ORDER BY id

-- :cards_tier
SELECT customer, tier FROM customer_profile WHERE customer IN ($1, $2, $3, $4, $5, $6, $7, $8,
       $9, $10, $11, $12, $13, $14, $15, $16)
ORDER BY customer

-- :cards_tags
SELECT customer, tag FROM customer_tag WHERE customer IN ($1, $2, $3, $4, $5, $6, $7, $8,
       $9, $10, $11, $12, $13, $14, $15, $16)
ORDER BY customer, tag

-- :cards_known
SELECT customer, name, value FROM customer_attribute WHERE customer IN ($1, $2, $3, $4, $5, $6, $7, $8,
       $9, $10, $11, $12, $13, $14, $15, $16)
ORDER BY customer, name

-- :profile_make
INSERT INTO customer_profile(customer, workspace) VALUES ($1, $2) ON CONFLICT (customer) DO NOTHING

-- :profile_tier
UPDATE customer_profile SET tier = $2, tier_origin = $3 WHERE customer = $1

-- :profile_block
UPDATE customer_profile SET blocked_ms = $2, blocked_by = $3, block_reason = $4 WHERE customer = $1

-- :profile_version
UPDATE customer_profile SET version = version + 1 WHERE customer = $1

-- :profile_delete
DELETE FROM customer_profile WHERE customer = $1

-- :profiles_blocked
SELECT customer FROM customer_profile WHERE workspace = $1 AND blocked_ms > 0 ORDER BY customer

-- :customer_attributes_of
SELECT name, value, origin, author, at_ms FROM customer_attribute WHERE customer = $1 ORDER BY name

-- :customer_attributes_kinds
SELECT c.name, c.value, c.origin, c.author, c.at_ms, COALESCE(a.kind, 0) FROM customer_attribute c
LEFT JOIN attribute a ON a.workspace = $2 AND a.scope = 1 AND a.name = c.name WHERE c.customer = $1 ORDER BY c.name

-- :customer_attribute_get
SELECT value, origin FROM customer_attribute WHERE customer = $1 AND name = $2

-- :customer_attribute_count
SELECT COUNT(*) FROM customer_attribute WHERE customer = $1

-- :customer_attribute_newest
SELECT COALESCE(MAX(at_ms), 0) FROM customer_attribute WHERE customer = $1 AND origin = $2

-- :customer_attribute_put
INSERT INTO customer_attribute(customer, name, value, origin, author, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (customer, name) DO UPDATE SET value = excluded.value, origin = excluded.origin, author = excluded.author,
        at_ms = excluded.at_ms

-- :customer_attribute_delete
DELETE FROM customer_attribute WHERE customer = $1 AND name = $2

-- :customer_attributes_of_origin
DELETE FROM customer_attribute WHERE customer = $1 AND origin = $2

-- :customer_attributes_delete
DELETE FROM customer_attribute WHERE customer = $1

-- :customer_attributes_move
-- What the other one has stays as it is.
UPDATE customer_attribute SET customer = $2, origin = CASE WHEN origin < 3 THEN 3 ELSE origin END
WHERE customer = $1 AND NOT EXISTS
        (SELECT 1 FROM customer_attribute other WHERE other.customer = $2 AND other.name = customer_attribute.name)

-- :customer_token_attrs
SELECT attrs FROM principal WHERE id = $1

-- :customer_token_attrs_put
UPDATE principal SET attrs = $2 WHERE id = $1

-- :customer_tags_of
SELECT tag FROM customer_tag WHERE customer = $1 ORDER BY tag

-- :customer_tag_put
INSERT INTO customer_tag(customer, tag, workspace) VALUES ($1, $2, $3) ON CONFLICT (customer, tag) DO NOTHING

-- :customer_tag_delete
DELETE FROM customer_tag WHERE customer = $1 AND tag = $2

-- :customer_tags_move
INSERT INTO customer_tag(customer, tag, workspace) SELECT $2, tag, workspace FROM customer_tag WHERE customer = $1
ON CONFLICT (customer, tag) DO NOTHING

-- :customer_tags_delete
DELETE FROM customer_tag WHERE customer = $1

-- :customer_words_of
SELECT word FROM customer_word WHERE customer = $1

-- :customer_word_put
INSERT INTO customer_word(workspace, word, customer) VALUES ($1, $2, $3) ON CONFLICT (workspace, word, customer) DO NOTHING

-- :customer_words_delete
DELETE FROM customer_word WHERE customer = $1

-- :customers_all
SELECT id FROM principal WHERE role = 1 AND id > $1 ORDER BY id LIMIT $2

-- :story_insert
INSERT INTO customer_story(customer, at_ms, kind, author, app, event, hash, name, title, url, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- :story_event
SELECT hash FROM customer_story WHERE app = $1 AND event = $2 AND event IS NOT NULL

-- :story_count
SELECT COUNT(*) FROM customer_story WHERE customer = $1 AND kind = $2

-- :story_newest
SELECT id, at_ms FROM customer_story WHERE customer = $1 AND kind = $2 ORDER BY id DESC LIMIT 1

-- :story_trim
-- The newest $3 of a kind stay.
DELETE FROM customer_story WHERE customer = $1 AND kind = $2 AND id <=
        (SELECT id FROM customer_story WHERE customer = $1 AND kind = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)

-- :story_move
UPDATE customer_story SET customer = $2 WHERE customer = $1

-- :story_delete
DELETE FROM customer_story WHERE customer = $1

-- :timeline_story
SELECT at_ms, id, kind, author, app, name, title, url, data FROM customer_story
WHERE customer = $1 AND (at_ms, id) < ($2, $3) ORDER BY at_ms DESC, id DESC LIMIT $4

-- :timeline_conversations
-- At most 200 an app: the index by customer is enough, the sort is small.
SELECT created_ms, id, ext, app, key FROM conversation
WHERE customer = $1 AND head > 0 AND (created_ms, id) < ($2, $3) ORDER BY created_ms DESC, id DESC LIMIT $4

-- :timeline_tickets
-- Row ids of tickets grow with the time they were made at.
SELECT t.created_ms, t.id, t.ext, t.number, t.subject, c.ext, t.app FROM ticket t JOIN conversation c ON c.id = t.conv
WHERE t.customer = $1 AND (t.created_ms, t.id) < ($2, $3) ORDER BY t.created_ms DESC, t.id DESC LIMIT $4

-- :timeline_solved
SELECT t.solved_ms, t.id, t.ext, t.number, t.subject, c.ext, t.app FROM ticket t JOIN conversation c ON c.id = t.conv
WHERE t.customer = $1 AND t.solved_ms > 0 AND (t.solved_ms, t.id) < ($2, $3)
ORDER BY t.solved_ms DESC, t.id DESC LIMIT $4

-- :customer_tickets_move
UPDATE ticket SET customer = $2 WHERE customer = $1

-- :customer_aliases_move
UPDATE principal SET alias_of = $2 WHERE alias_of = $1

-- :customer_of_conversation
SELECT customer FROM conversation WHERE ext = $1 AND workspace = $2

-- :customer_by_id
SELECT p.id, p.ext, p.external_id, p.name, p.email, p.locale, p.created_ms, p.revoked_ms, p.alias_of,
       COALESCE(f.tier, ''), COALESCE(f.blocked_ms, 0)
FROM principal p LEFT JOIN customer_profile f ON f.customer = p.id WHERE p.id = $1

-- :customer_page
-- Visitors who never wrote nor were described are not listed: there may be many.
SELECT p.id, p.ext, p.external_id, p.name, p.email, p.locale, p.created_ms, p.revoked_ms, p.alias_of,
       COALESCE(f.tier, ''), COALESCE(f.blocked_ms, 0)
FROM principal p LEFT JOIN customer_profile f ON f.customer = p.id
WHERE p.workspace = $1 AND p.role = 1 AND p.id < $2 AND p.alias_of IS NULL
  AND (p.external_id IS NOT NULL OR p.name IS NOT NULL OR f.customer IS NOT NULL
       OR EXISTS (SELECT 1 FROM conversation c WHERE c.customer = p.id AND c.head > 0))
ORDER BY p.id DESC LIMIT $3

-- :customer_page_tier
SELECT p.id, p.ext, p.external_id, p.name, p.email, p.locale, p.created_ms, p.revoked_ms, p.alias_of, f.tier, f.blocked_ms
FROM customer_profile f JOIN principal p ON p.id = f.customer
WHERE f.workspace = $1 AND f.tier = $4 AND f.tier IS NOT NULL AND f.customer < $2 AND p.alias_of IS NULL
ORDER BY f.customer DESC LIMIT $3

-- :customer_page_tag
SELECT p.id, p.ext, p.external_id, p.name, p.email, p.locale, p.created_ms, p.revoked_ms, p.alias_of,
       COALESCE(f.tier, ''), COALESCE(f.blocked_ms, 0)
FROM customer_tag t JOIN principal p ON p.id = t.customer LEFT JOIN customer_profile f ON f.customer = t.customer
WHERE t.workspace = $1 AND t.tag = $4 AND t.customer < $2 AND p.alias_of IS NULL ORDER BY t.customer DESC LIMIT $3

-- :customer_page_blocked
SELECT p.id, p.ext, p.external_id, p.name, p.email, p.locale, p.created_ms, p.revoked_ms, p.alias_of, f.tier, f.blocked_ms
FROM customer_profile f JOIN principal p ON p.id = f.customer
WHERE f.workspace = $1 AND f.blocked_ms > 0 AND f.customer < $2 AND p.alias_of IS NULL ORDER BY f.customer DESC LIMIT $3

-- :customer_page_word
-- $4, $5: the beginning of a word, and the first text behind all words that begin so.
SELECT p.id, p.ext, p.external_id, p.name, p.email, p.locale, p.created_ms, p.revoked_ms, p.alias_of,
       COALESCE(f.tier, ''), COALESCE(f.blocked_ms, 0)
FROM (SELECT DISTINCT customer FROM customer_word WHERE workspace = $1 AND word >= $4 AND word < $5 AND customer < $2) w
JOIN principal p ON p.id = w.customer LEFT JOIN customer_profile f ON f.customer = w.customer
WHERE p.alias_of IS NULL ORDER BY w.customer DESC LIMIT $3

-- :customer_has_word
SELECT 1 FROM customer_word WHERE customer = $1 AND word >= $2 AND word < $3 LIMIT 1

-- :customer_has_tag
SELECT 1 FROM customer_tag WHERE customer = $1 AND tag = $2

-- :customer_alias_ids
SELECT ext FROM principal WHERE alias_of = $1 ORDER BY id LIMIT 100
