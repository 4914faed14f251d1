-- :conversation_by_ext
SELECT id, ext, workspace, app, customer, key, rev, head, ihead, first, last_ts, last_seq, last_author, last_kind,
       last_preview, unread, unanswered, waiting_since, customer_recv, customer_read, staff_recv, staff_read,
       owner, owner_turn, handed_ms, public_rev, team, assignee, invited
FROM conversation WHERE ext = $1

-- :conversation_by_key
SELECT ext FROM conversation WHERE app = $1 AND customer = $2 AND key = $3

-- :conversation_count_of
SELECT COUNT(*) FROM conversation WHERE customer = $1 AND app = $2

-- :conversation_insert
INSERT INTO conversation(workspace, ext, app, customer, key, rev, head, ihead, first, last_ts, last_seq, last_author,
       last_kind, last_preview, unread, unanswered, waiting_since, customer_recv, customer_read, staff_recv, staff_read,
       created_ms)
VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 1, $6, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, $6)

-- :conversation_remove
-- Of one made in the same transaction, in which nothing was stored.
DELETE FROM conversation WHERE id = $1

-- :conversation_save
-- public_rev ($17) moves only with what the customer may know of: a note must not show by its rev.
UPDATE conversation SET rev = $2, public_rev = $17, head = $3, ihead = $4, last_ts = $5, last_seq = $6, last_author = $7, last_kind = $8,
       last_preview = $9, unread = $10, unanswered = $11, waiting_since = $12, customer_recv = $13, customer_read = $14,
       staff_recv = $15, staff_read = $16, owner = $18, owner_turn = $19, handed_ms = $20, team = $21, assignee = $22,
       invited = $23
WHERE id = $1

-- :conversation_view_customer
-- What one customer may see of one conversation; no row = not his or unknown, by the same statement.
SELECT id, head FROM conversation WHERE ext = $1 AND customer = $2

-- :conversation_view_staff
SELECT id, head, ihead, team, assignee, invited FROM conversation WHERE ext = $1 AND workspace = $2

-- :feed_customer
-- A customer has at most 200 conversations an app: the index by customer is enough, the sort is small.
SELECT id, ext, workspace, app, customer, key, public_rev, head, ihead, first, last_ts, last_seq, last_author, last_kind,
       last_preview, unread, unanswered, waiting_since, customer_recv, customer_read, staff_recv, staff_read,
       owner, owner_turn, handed_ms
FROM conversation WHERE customer = $1 AND public_rev > $2 ORDER BY public_rev LIMIT $3

-- :feed_scope
SELECT c.id, c.ext, c.workspace, c.app, c.customer, c.key, s.rev, c.head, c.ihead, c.first, c.last_ts, c.last_seq,
       c.last_author, c.last_kind, c.last_preview, c.unread, c.unanswered, c.waiting_since, c.customer_recv,
       c.customer_read, c.staff_recv, c.staff_read, c.owner, c.owner_turn, c.handed_ms, s.is_left, c.team, c.assignee, c.invited
FROM scope s JOIN conversation c ON c.id = s.conv WHERE s.scope = $1 AND s.rev > $2 ORDER BY s.rev LIMIT $3

-- :scope_remove
DELETE FROM scope WHERE scope = $1 AND rev = $2

-- :scope_put
INSERT INTO scope(scope, rev, conv, is_left) VALUES ($1, $2, $3, $4)

-- :list_newest
SELECT id, ext, workspace, app, customer, key, rev, head, ihead, first, last_ts, last_seq, last_author, last_kind,
       last_preview, unread, unanswered, waiting_since, customer_recv, customer_read, staff_recv, staff_read,
       owner, owner_turn, handed_ms, team, assignee, invited
FROM conversation
WHERE workspace = $1 AND (last_ts, id) < ($2, $3) AND head > 0 AND ($4 = 0 OR app = $4) AND ($5 = 0 OR customer = $5)
  AND ($6 = 0 OR ($6 = 1 AND unanswered > 0) OR ($6 = 2 AND unanswered = 0))
ORDER BY workspace DESC, last_ts DESC, id DESC LIMIT $7

-- :list_of_customer
SELECT id, ext, workspace, app, customer, key, rev, head, ihead, first, last_ts, last_seq, last_author, last_kind,
       last_preview, unread, unanswered, waiting_since, customer_recv, customer_read, staff_recv, staff_read,
       owner, owner_turn, handed_ms, team, assignee, invited
FROM conversation
WHERE customer = $5 AND workspace = $1 AND (last_ts, id) < ($2, $3) AND head > 0 AND ($4 = 0 OR app = $4)
  AND ($6 = 0 OR ($6 = 1 AND unanswered > 0) OR ($6 = 2 AND unanswered = 0))
ORDER BY last_ts DESC, id DESC LIMIT $7

-- :list_longest_waiting
SELECT id, ext, workspace, app, customer, key, rev, head, ihead, first, last_ts, last_seq, last_author, last_kind,
       last_preview, unread, unanswered, waiting_since, customer_recv, customer_read, staff_recv, staff_read,
       owner, owner_turn, handed_ms, team, assignee, invited
FROM conversation
WHERE workspace = $1 AND unanswered > 0 AND (waiting_since, id) > ($2, $3) AND ($4 = 0 OR app = $4)
  AND ($5 = 0 OR customer = $5)
ORDER BY workspace, waiting_since, id LIMIT $6

-- :staff_mark_put
INSERT INTO staff_mark(agent, conv, recv, read) VALUES ($1, $2, $3, $4)
ON CONFLICT (agent, conv) DO UPDATE
SET recv = CASE WHEN excluded.recv > staff_mark.recv THEN excluded.recv ELSE staff_mark.recv END,
    read = CASE WHEN excluded.read > staff_mark.read THEN excluded.read ELSE staff_mark.read END

-- :conversations_of
SELECT id, ext FROM conversation WHERE customer = $1 AND id > $2 ORDER BY id

-- :conversation_give
UPDATE conversation SET customer = $2, key = $3 WHERE id = $1
