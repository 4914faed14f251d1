-- :principal_by_id
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s FROM principal WHERE id = $1

-- :principal_by_ext
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s FROM principal WHERE ext = $1

-- :principal_by_external
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s FROM principal
WHERE workspace = $1 AND external_id = $2 AND role = 1 AND external_id IS NOT NULL

-- :principal_by_secret
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s FROM principal
WHERE secret_hash = $1 AND secret_hash IS NOT NULL

-- :principal_insert
INSERT INTO principal(workspace, ext, role, app, external_id, secret_hash, name, email, locale, attrs, alias_of,
       invite_hash, invite_until_ms, revoked_ms, valid_from_s, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL, $10, $11, 0, 0, $12)

-- :principal_describe
UPDATE principal SET name = $2, email = $3, locale = $4 WHERE id = $1

-- :principal_revoke
UPDATE principal SET revoked_ms = $2, valid_from_s = $3 WHERE id = $1

-- :agents_all
SELECT ext, name, email, revoked_ms, created_ms FROM principal WHERE workspace = $1 AND role = 2 ORDER BY id

-- :device_get
SELECT seen_ms FROM device WHERE principal = $1 AND device = $2

-- :device_put
INSERT INTO device(principal, device, locale, client, seen_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (principal, device) DO UPDATE SET locale = excluded.locale, client = excluded.client, seen_ms = excluded.seen_ms

-- :device_prune
-- The devices seen last stay: a client can name new ones as long as it likes.
DELETE FROM device WHERE principal = $1 AND device IN
        (SELECT device FROM device WHERE principal = $1 ORDER BY seen_ms DESC LIMIT 1000 OFFSET $2)

-- :staff_session_get
SELECT principal, expires_ms, seen_ms FROM staff_session WHERE token_hash = $1

-- :staff_session_put
INSERT INTO staff_session(token_hash, principal, label, created_ms, expires_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $4)

-- :staff_session_seen
UPDATE staff_session SET seen_ms = $2 WHERE token_hash = $1

-- :staff_sessions_end
DELETE FROM staff_session WHERE principal = $1

-- :count_customers
SELECT COUNT(*) FROM principal WHERE role = 1

-- :count_agents
SELECT COUNT(*) FROM principal WHERE role = 2

-- :count_conversations
SELECT COUNT(*) FROM conversation
