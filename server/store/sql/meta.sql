-- :meta_get
SELECT value FROM meta WHERE name = $1

-- :meta_put
INSERT INTO meta(name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- :done_get
SELECT method, hash, result FROM done WHERE author = $1 AND cmid = $2

-- :done_put
INSERT INTO done(author, cmid, method, hash, result, at_ms) VALUES ($1, $2, $3, $4, $5, $6)

-- :done_sweep
DELETE FROM done WHERE at_ms < $1

-- :audit_put
INSERT INTO audit(at_ms, actor, actor_role, action, object, detail) VALUES ($1, $2, $3, $4, $5, $6)

-- :done_erase
DELETE FROM done WHERE author = $1
