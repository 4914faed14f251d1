-- :views_all
SELECT id, ext, owner, name, condition, sort FROM saved_view WHERE workspace = $1 ORDER BY id

-- :view_insert
INSERT INTO saved_view(workspace, ext, owner, name, condition, sort, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- :view_save
UPDATE saved_view SET name = $2, condition = $3, sort = $4 WHERE id = $1

-- :view_delete
DELETE FROM saved_view WHERE id = $1

-- :view_invited
SELECT conv FROM conversation_invite WHERE agent = $1 ORDER BY conv

-- :closed_all
-- A page of closed tickets, the newest first, behind that one; so are those below, of a team, an agent, a customer.
SELECT t.id, t.ext, t.number, t.priority, t.version, t.subject, t.issued_ms, t.closed_ms, t.close_reason, t.conv, c.ext,
       p.role, p.ext, m.ext, m.name, a.ext, a.name
FROM ticket t JOIN conversation c ON c.id = t.conv JOIN principal p ON p.id = t.customer
     LEFT JOIN team m ON m.id = t.team LEFT JOIN principal a ON a.id = t.assignee
WHERE t.status = 9 AND t.workspace = $1 AND (t.closed_ms, t.id) < ($2, $3)
ORDER BY t.closed_ms DESC, t.id DESC LIMIT $4

-- :closed_of_team
SELECT t.id, t.ext, t.number, t.priority, t.version, t.subject, t.issued_ms, t.closed_ms, t.close_reason, t.conv, c.ext,
       p.role, p.ext, m.ext, m.name, a.ext, a.name
FROM ticket t JOIN conversation c ON c.id = t.conv JOIN principal p ON p.id = t.customer
     LEFT JOIN team m ON m.id = t.team LEFT JOIN principal a ON a.id = t.assignee
WHERE t.status = 9 AND t.team = $1 AND (t.closed_ms, t.id) < ($2, $3)
ORDER BY t.closed_ms DESC, t.id DESC LIMIT $4

-- :closed_of_assignee
SELECT t.id, t.ext, t.number, t.priority, t.version, t.subject, t.issued_ms, t.closed_ms, t.close_reason, t.conv, c.ext,
       p.role, p.ext, m.ext, m.name, a.ext, a.name
FROM ticket t JOIN conversation c ON c.id = t.conv JOIN principal p ON p.id = t.customer
     LEFT JOIN team m ON m.id = t.team LEFT JOIN principal a ON a.id = t.assignee
WHERE t.status = 9 AND t.assignee = $1 AND (t.closed_ms, t.id) < ($2, $3)
ORDER BY t.closed_ms DESC, t.id DESC LIMIT $4

-- :closed_of_customer
SELECT t.id, t.ext, t.number, t.priority, t.version, t.subject, t.issued_ms, t.closed_ms, t.close_reason, t.conv, c.ext,
       p.role, p.ext, m.ext, m.name, a.ext, a.name
FROM ticket t JOIN conversation c ON c.id = t.conv JOIN principal p ON p.id = t.customer
     LEFT JOIN team m ON m.id = t.team LEFT JOIN principal a ON a.id = t.assignee
WHERE t.status = 9 AND t.customer = $1 AND (t.closed_ms, t.id) < ($2, $3)
ORDER BY t.closed_ms DESC, t.id DESC LIMIT $4

-- :closed_place
SELECT id, closed_ms FROM ticket WHERE ext = $1 AND workspace = $2 AND status = 9

-- :closed_team
SELECT id FROM team WHERE ext = $1 AND workspace = $2
