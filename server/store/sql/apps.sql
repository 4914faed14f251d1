-- :workspace_first
SELECT id, ext FROM workspace ORDER BY id LIMIT 1

-- :workspace_insert
INSERT INTO workspace(ext, name, created_ms) VALUES ($1, $2, $3)

-- :app_insert
INSERT INTO app(workspace, ext, name, origins, created_ms) VALUES ($1, $2, $3, $4, $5)

-- :apps_all
SELECT id, workspace, ext, name, origins, created_ms FROM app ORDER BY id

-- :app_by_ext
SELECT id, workspace FROM app WHERE ext = $1

-- :key_insert
INSERT INTO app_key(app, kid, alg, material, created_ms) VALUES ($1, $2, $3, $4, $5)

-- :keys_all
SELECT app, kid, alg, material, created_ms FROM app_key ORDER BY id

-- :keys_of
SELECT kid, alg, created_ms FROM app_key WHERE app = $1 ORDER BY id

-- :key_remove
DELETE FROM app_key WHERE app = $1 AND kid = $2

-- :access_insert
INSERT INTO access_key(app, ext, bot, key_hash, label, created_ms) VALUES ($1, $2, $3, $4, $5, $6)

-- :access_all
SELECT access_key.app, app.workspace, access_key.bot, access_key.key_hash, access_key.ext FROM access_key
JOIN app ON app.id = access_key.app ORDER BY access_key.id

-- :access_of
SELECT ext, bot, label, created_ms FROM access_key WHERE app = $1 ORDER BY id

-- :access_remove
DELETE FROM access_key WHERE ext = $1
