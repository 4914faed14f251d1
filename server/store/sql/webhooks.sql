-- SPDX-License-Identifier: Apache-2.0
-- Webhooks and what is on its way to them.

-- :webhook_insert
INSERT INTO webhook(workspace, app, ext, url, events, bot, secret, since_ms, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)

-- :webhooks_all
SELECT id, ext, app, events, bot, state, failures, failing_since_ms, paused_until_ms, url, created_ms FROM webhook
ORDER BY id

-- :webhook_rotate
UPDATE webhook SET old_secret = secret, old_until_ms = $2, secret = $3 WHERE id = $1

-- :webhook_progress
UPDATE webhook SET state = $2, failures = $3, failing_since_ms = $4, paused_until_ms = $5 WHERE id = $1

-- :webhook_since
-- $1: a webhook or 0 for all.
UPDATE webhook SET since_ms = $2 WHERE (id = $1 OR $1 = 0) AND since_ms < $2

-- :webhook_remove
DELETE FROM webhook WHERE id = $1

-- :webhooks_active
-- For the outbound thread.
SELECT id, ext, url, secret, old_secret, old_until_ms, paused_until_ms FROM webhook WHERE state = 0

-- :outbound_put
INSERT INTO outbound(kind, target, conv, seq, ext, event, body, due_ms, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)

-- :outbound_ready
-- What is due at target $1. Of a conversation the oldest goes first; one that has failed $4 times is overtaken.
SELECT o.id, o.ext, o.event, o.body, o.tries, o.conv FROM outbound o
WHERE o.state = 0 AND o.target = $1 AND o.due_ms <= $2 AND (o.conv = 0 OR NOT EXISTS (
        SELECT 1 FROM outbound p
        WHERE p.state = 0 AND p.target = $1 AND p.conv = o.conv AND p.id < o.id AND p.tries < $4))
ORDER BY o.due_ms, o.id LIMIT $3

-- :outbound_next_due
SELECT MIN(due_ms) FROM outbound WHERE state = 0 AND target = $1 AND due_ms > $2

-- :outbound_state
SELECT state, tries FROM outbound WHERE id = $1

-- :outbound_settle
-- What came of try number $3; said twice it changes nothing. A delivered body is not kept.
UPDATE outbound SET state = $2, tries = $3, due_ms = $4, status = $5, answer = $6, done_ms = $7,
        body = CASE WHEN $2 = CAST(1 AS BIGINT) THEN NULL ELSE body END
WHERE id = $1 AND state = 0 AND tries = $3 - 1

-- :outbound_erase
-- $2 0: all of the conversation.
UPDATE outbound SET body = NULL, answer = NULL WHERE conv = $1 AND (seq = $2 OR $2 = 0)

-- :outbound_give_up
UPDATE outbound SET state = 2, done_ms = $2 WHERE target = $1 AND state = 0

-- :outbound_replay_all
UPDATE outbound SET state = 0, tries = 0, due_ms = $2, done_ms = 0 WHERE target = $1 AND state = 2

-- :outbound_replay_one
UPDATE outbound SET state = 0, tries = 0, due_ms = $2, done_ms = 0 WHERE target = $1 AND state = 2 AND ext = $3

-- :outbound_remove
DELETE FROM outbound WHERE target = $1

-- :outbound_sweep
DELETE FROM outbound WHERE state = $1 AND state > 0 AND done_ms < $2

-- :outbound_count
SELECT COUNT(*) FROM outbound WHERE target = $1 AND state = $2

-- :outbound_list
-- $1: a target or 0; $2: a state or -1; $3: an event or 0.
SELECT o.id, o.ext, w.ext, o.event, o.state, o.tries, o.status, o.answer, o.body IS NULL, o.due_ms, o.created_ms
FROM outbound o JOIN webhook w ON w.id = o.target
WHERE (o.target = $1 OR $1 = 0) AND (o.state = $2 OR $2 < 0) AND (o.ext = $3 OR $3 = 0) AND o.id < $4
ORDER BY o.id DESC LIMIT $5

-- :push_devices
SELECT device, push_service, push_token FROM device WHERE principal = $1 ORDER BY seen_ms DESC LIMIT $2
