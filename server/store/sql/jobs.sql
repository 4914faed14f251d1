-- :job_put
INSERT INTO job(kind, subject, due_ms, body) VALUES ($1, $2, $3, $4)

-- :job_remove
DELETE FROM job WHERE id = $1

-- :job_postpone
UPDATE job SET due_ms = $2 WHERE id = $1

-- :jobs_due
SELECT id, kind, subject, body, due_ms FROM job WHERE due_ms <= $1 ORDER BY due_ms, id LIMIT $2

-- :job_next_due
SELECT MIN(due_ms) FROM job

-- :job_find
SELECT id FROM job WHERE kind = $1 AND subject = $2 LIMIT 1
