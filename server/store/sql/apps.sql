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
