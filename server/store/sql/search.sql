-- :search_changed
-- What the index follows: each conversation of a workspace stands once in its staff's scope, at its newest rev.
SELECT s.rev, c.id, c.workspace, c.app, c.customer
FROM scope s JOIN conversation c ON c.id = s.conv WHERE s.scope = $1 AND s.rev > $2 ORDER BY s.rev LIMIT $3

-- :search_of_customer
SELECT c.rev, c.id, c.workspace, c.app, c.customer
FROM conversation c WHERE c.customer = $1 AND c.id > $2 ORDER BY c.id LIMIT $3

-- :search_erasures
-- Erasures of persons ($2: the action) since line $1 of the audit trail.
SELECT id, object FROM audit WHERE id > $1 AND action = $2 ORDER BY id LIMIT 1

-- :search_audit_last
SELECT COALESCE(MAX(id), 0) FROM audit

-- :search_found
-- A hit as it stands in the log now, with what decides who may read it.
SELECT e.ts, e.author, e.kind, e.version, e.body, c.ext, c.app, c.customer, c.workspace, c.team, c.assignee, c.invited
FROM entry e JOIN conversation c ON c.id = e.conv WHERE e.conv = $1 AND e.log = $2 AND e.seq = $3
