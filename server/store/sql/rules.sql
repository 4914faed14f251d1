-- :rules_all
SELECT id, ext, place, name, condition, team, priority, skills, tags, is_on, stops, created_ms
FROM rule WHERE workspace = $1 ORDER BY place, id

-- :rule_insert
INSERT INTO rule(workspace, ext, place, name, condition, team, priority, skills, tags, is_on, stops, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- :rule_save
UPDATE rule SET name = $2, condition = $3, team = $4, priority = $5, skills = $6, tags = $7, is_on = $8, stops = $9
WHERE id = $1

-- :rule_place
UPDATE rule SET place = $2 WHERE id = $1

-- :rule_delete
DELETE FROM rule WHERE id = $1

-- :rule_app_named
SELECT id, ext FROM app WHERE workspace = $1 AND name = $2 LIMIT 2

-- :rule_app_name
SELECT name FROM app WHERE id = $1

-- :rule_agent_addressed
SELECT id, ext FROM principal WHERE workspace = $1 AND email = $2 AND role = 2 AND email IS NOT NULL LIMIT 2

-- :rule_agent_address
SELECT email FROM principal WHERE id = $1
