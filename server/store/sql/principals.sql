-- :principal_by_id
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s,
       alias_of, (SELECT COUNT(*) FROM principal a WHERE a.alias_of = principal.id)
FROM principal WHERE id = $1

-- :principal_by_ext
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s,
       alias_of, (SELECT COUNT(*) FROM principal a WHERE a.alias_of = principal.id)
FROM principal WHERE ext = $1

-- :principal_by_external
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s,
       alias_of, (SELECT COUNT(*) FROM principal a WHERE a.alias_of = principal.id)
FROM principal
WHERE workspace = $1 AND external_id = $2 AND role = 1 AND external_id IS NOT NULL

-- :principal_by_secret
SELECT id, workspace, ext, role, app, external_id, name, email, locale, revoked_ms, valid_from_s,
       alias_of, (SELECT COUNT(*) FROM principal a WHERE a.alias_of = principal.id)
FROM principal
WHERE secret_hash = $1 AND secret_hash IS NOT NULL

-- :principal_insert
INSERT INTO principal(workspace, ext, role, app, external_id, secret_hash, name, email, locale, attrs, alias_of,
       invite_hash, invite_until_ms, revoked_ms, valid_from_s, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL, $10, $11, 0, 0, $12)

-- :principal_describe
UPDATE principal SET name = $2, email = $3, locale = $4 WHERE id = $1

-- :principal_revoke
UPDATE principal SET revoked_ms = $2, valid_from_s = $3 WHERE id = $1

-- :bot_by_name
SELECT id, ext FROM principal WHERE workspace = $1 AND role = 3 AND name = $2 AND revoked_ms = 0 ORDER BY id LIMIT 1

-- :device_get
SELECT seen_ms FROM device WHERE principal = $1 AND device = $2

-- :device_put
INSERT INTO device(principal, device, locale, client, seen_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (principal, device) DO UPDATE SET locale = excluded.locale, client = excluded.client, seen_ms = excluded.seen_ms

-- :device_prune
-- The devices seen last stay: a client can name new ones as long as it likes.
DELETE FROM device WHERE principal = $1 AND device IN
        (SELECT device FROM device WHERE principal = $1 ORDER BY seen_ms DESC LIMIT 1000 OFFSET $2)

-- :device_push_get
SELECT push_service, push_token, push_ms FROM device WHERE principal = $1 AND device = $2

-- :device_push_put
INSERT INTO device(principal, device, seen_ms, push_service, push_token, push_ms) VALUES ($1, $2, $3, $4, $5, $3)
ON CONFLICT (principal, device) DO UPDATE SET push_service = excluded.push_service, push_token = excluded.push_token,
        push_ms = excluded.push_ms

-- :device_push_end
UPDATE device SET push_service = NULL, push_token = NULL WHERE principal = $1 AND device = $2

-- :device_push_take
-- An installation has one token: whichever device of the same person had it before has it no more.
UPDATE device SET push_service = NULL, push_token = NULL
WHERE principal = $1 AND device <> $2 AND push_service = $3 AND push_token = $4

-- :devices_push_end
UPDATE device SET push_service = NULL, push_token = NULL WHERE principal = $1 AND push_token IS NOT NULL

-- :devices_push_move
UPDATE device SET principal = $2 WHERE principal = $1 AND push_token IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM device other WHERE other.principal = $2 AND other.device = device.device)

-- :staff_session_get
SELECT principal, expires_ms, seen_ms FROM staff_session WHERE token_hash = $1

-- :staff_session_put
INSERT INTO staff_session(token_hash, principal, label, created_ms, expires_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $4)

-- :staff_session_seen
UPDATE staff_session SET seen_ms = $2 WHERE token_hash = $1

-- :staff_sessions_of
SELECT token_hash, label, created_ms, seen_ms, expires_ms FROM staff_session WHERE principal = $1
ORDER BY created_ms DESC LIMIT 100

-- :staff_session_end
DELETE FROM staff_session WHERE token_hash = $1 AND principal = $2

-- :staff_sessions_sweep
DELETE FROM staff_session WHERE principal = $1 AND (expires_ms < $2 OR seen_ms < $3)

-- :credential_by_email
SELECT principal.id, credential.password, credential.changed_ms FROM principal
JOIN credential ON credential.principal = principal.id
WHERE principal.role = 2 AND principal.revoked_ms = 0 AND principal.email = $1 LIMIT 1

-- :credential_put
INSERT INTO credential(principal, password, changed_ms) VALUES ($1, $2, $3)
ON CONFLICT (principal) DO UPDATE SET password = excluded.password, changed_ms = excluded.changed_ms, totp = NULL,
        totp_new = NULL, totp_step = 0

-- :credential_get
SELECT changed_ms, totp, totp_new, totp_step FROM credential WHERE principal = $1

-- :totp_begin
UPDATE credential SET totp_new = $2 WHERE principal = $1

-- :totp_confirm
UPDATE credential SET totp = totp_new, totp_new = NULL, totp_step = $2 WHERE principal = $1

-- :totp_used
UPDATE credential SET totp_step = $2 WHERE principal = $1

-- :credential_end
DELETE FROM credential WHERE principal = $1

-- :invite_put
UPDATE principal SET invite_hash = $2, invite_until_ms = $3 WHERE id = $1

-- :principal_by_invite
SELECT id, invite_until_ms FROM principal WHERE invite_hash = $1 AND invite_hash IS NOT NULL AND role = 2 AND revoked_ms = 0

-- :staff_sessions_end
DELETE FROM staff_session WHERE principal = $1

-- :count_customers
SELECT COUNT(*) FROM principal WHERE role = 1

-- :count_agents
SELECT COUNT(*) FROM principal WHERE role = 2

-- :count_conversations
SELECT COUNT(*) FROM conversation

-- :principal_erase
UPDATE principal SET external_id = NULL, secret_hash = NULL, name = NULL, email = NULL, locale = NULL, attrs = NULL
WHERE id = $1

-- :devices_erase
DELETE FROM device WHERE principal = $1

-- :devices_of
SELECT device, locale, client, seen_ms, push_service, push_token FROM device WHERE principal = $1 ORDER BY seen_ms

-- :principal_become
-- A visitor is a named user from now on. The hash of its secret stays, to know a repeated claim by; nobody gets in by it.
UPDATE principal SET external_id = $2, app = 0 WHERE id = $1

-- :principal_alias
UPDATE principal SET alias_of = $2 WHERE id = $1

-- :aliases_of
SELECT id, ext FROM principal WHERE alias_of = $1 AND id > $2 ORDER BY id
