-- :tickets_open
-- With what its conversation says of who spoke last.
SELECT t.id, t.ext, t.number, t.conv, t.customer, t.app, t.status, t.status_ms, t.priority, t.team, t.assignee,
       t.version, t.subject, t.topic, t.lang, t.tags, t.skills, t.fields, t.first_seq, t.issued_ms, t.queued_ms,
       t.assigned_ms, t.first_reply_ms, t.solved_ms, t.last_solved_ms, t.closed_ms, t.reopens, t.transfers,
       t.snooze_until_ms, t.consent_seq, t.reminded_ms, t.is_exempt, t.is_handed, t.follows, t.merged_into,
       t.split_from, t.close_reason, c.ext, c.last_ts, c.waiting_since,
       c.unanswered, c.owner
FROM ticket t JOIN conversation c ON c.id = t.conv WHERE t.status < 9

-- :ticket_by_id
SELECT t.id, t.ext, t.number, t.conv, t.customer, t.app, t.status, t.status_ms, t.priority, t.team, t.assignee,
       t.version, t.subject, t.topic, t.lang, t.tags, t.skills, t.fields, t.first_seq, t.issued_ms, t.queued_ms,
       t.assigned_ms, t.first_reply_ms, t.solved_ms, t.last_solved_ms, t.closed_ms, t.reopens, t.transfers,
       t.snooze_until_ms, t.consent_seq, t.reminded_ms, t.is_exempt, t.is_handed, t.follows, t.merged_into,
       t.split_from, t.close_reason, c.ext, c.last_ts, c.waiting_since,
       c.unanswered, c.owner
FROM ticket t JOIN conversation c ON c.id = t.conv WHERE t.id = $1

-- :ticket_by_ext
SELECT t.id, t.ext, t.number, t.conv, t.customer, t.app, t.status, t.status_ms, t.priority, t.team, t.assignee,
       t.version, t.subject, t.topic, t.lang, t.tags, t.skills, t.fields, t.first_seq, t.issued_ms, t.queued_ms,
       t.assigned_ms, t.first_reply_ms, t.solved_ms, t.last_solved_ms, t.closed_ms, t.reopens, t.transfers,
       t.snooze_until_ms, t.consent_seq, t.reminded_ms, t.is_exempt, t.is_handed, t.follows, t.merged_into,
       t.split_from, t.close_reason, c.ext, c.last_ts, c.waiting_since,
       c.unanswered, c.owner
FROM ticket t JOIN conversation c ON c.id = t.conv WHERE t.ext = $1 AND t.workspace = $2

-- :ticket_newest_of
SELECT t.id, t.ext, t.number, t.conv, t.customer, t.app, t.status, t.status_ms, t.priority, t.team, t.assignee,
       t.version, t.subject, t.topic, t.lang, t.tags, t.skills, t.fields, t.first_seq, t.issued_ms, t.queued_ms,
       t.assigned_ms, t.first_reply_ms, t.solved_ms, t.last_solved_ms, t.closed_ms, t.reopens, t.transfers,
       t.snooze_until_ms, t.consent_seq, t.reminded_ms, t.is_exempt, t.is_handed, t.follows, t.merged_into,
       t.split_from, t.close_reason, c.ext, c.last_ts, c.waiting_since,
       c.unanswered, c.owner
FROM ticket t JOIN conversation c ON c.id = t.conv WHERE t.conv = $1 ORDER BY t.conv DESC, t.id DESC LIMIT 1

-- :ticket_insert
INSERT INTO ticket(workspace, ext, number, conv, customer, app, status, status_ms, priority, version, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8)

-- :ticket_save
UPDATE ticket SET status = $2, status_ms = $3, priority = $4, team = $5, assignee = $6, version = $7, subject = $8,
       topic = $9, lang = $10, tags = $11, skills = $12, fields = $13, first_seq = $14, issued_ms = $15,
       queued_ms = $16, assigned_ms = $17, first_reply_ms = $18, solved_ms = $19, last_solved_ms = $20,
       closed_ms = $21, reopens = $22, transfers = $23, snooze_until_ms = $24, consent_seq = $25, reminded_ms = $26,
       is_exempt = $27, is_handed = $28, follows = $29, merged_into = $30, split_from = $31, close_reason = $32,
       customer = $33, sla_due_ms = $34, sla_misses = $35, offered_to = $36
WHERE id = $1

-- :ticket_number_last
SELECT number FROM ticket WHERE workspace = $1 ORDER BY workspace DESC, number DESC LIMIT 1

-- :ticket_ext_of
SELECT ext FROM ticket WHERE id = $1

-- :ticket_label_put
INSERT INTO ticket_label(workspace, status, lang, label, customer) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace, status, lang) DO UPDATE SET label = excluded.label, customer = excluded.customer

-- :ticket_labels_all
SELECT status, lang, label, customer FROM ticket_label WHERE workspace = $1 ORDER BY status, lang

-- :ticket_label_find
SELECT label, customer FROM ticket_label WHERE workspace = $1 AND status = $2 AND lang = $3

-- :ticket_brief_of
-- The newest one of a conversation, as lists show it.
SELECT t.ext, t.number, t.status, t.priority, t.version, m.ext, m.name, t.assignee, t.subject, t.snooze_until_ms,
       t.sla_due_ms, t.sla_misses, t.offered_to
FROM ticket t LEFT JOIN team m ON m.id = t.team WHERE t.conv = $1 ORDER BY t.conv DESC, t.id DESC LIMIT 1

-- :ticket_handoff_last
-- Of the newest entries of the team's log ($2: behind which), the last one in which a bot gave it to people ($3: its kind).
SELECT body FROM entry WHERE conv = $1 AND log = 1 AND seq > $2 AND kind = $3 ORDER BY seq DESC LIMIT 1

-- :entries_of_kind
-- For checks: what all team entries of a kind say, in the order of each conversation.
SELECT body FROM entry WHERE log = 1 AND kind = $1 ORDER BY conv, seq

-- :tickets_give
UPDATE ticket SET customer = $2 WHERE conv = $1

-- :tickets_erase
UPDATE ticket SET subject = NULL, fields = NULL WHERE customer = $1

-- :tickets_of_conversation
SELECT ext, number, status, priority, subject, topic, tags, fields, issued_ms, solved_ms, closed_ms
FROM ticket WHERE conv = $1 ORDER BY id
