-- SPDX-License-Identifier: Apache-2.0
-- What db_check asks beyond the engine's own checks; db_check.c says which are for a deep check only. Each row is one finding; its columns are numbers, never content.

-- The head of the public log is its last seq; an empty log ends before its first.
-- :check_head
SELECT c.id, c.head, coalesce((SELECT max(e.seq) FROM entry e WHERE e.conv = c.id AND e.log = 0), c.first - 1) AS last
FROM conversation c
WHERE c.head <> coalesce((SELECT max(e.seq) FROM entry e WHERE e.conv = c.id AND e.log = 0), c.first - 1);

-- :check_team_head
SELECT c.id, c.ihead, coalesce((SELECT max(e.seq) FROM entry e WHERE e.conv = c.id AND e.log = 1), 0) AS last
FROM conversation c
WHERE c.ihead <> coalesce((SELECT max(e.seq) FROM entry e WHERE e.conv = c.id AND e.log = 1), 0);

-- The public log is exactly first..head.
-- :check_density
SELECT c.id, c.head - c.first + 1, (SELECT count(*) FROM entry e WHERE e.conv = c.id AND e.log = 0) AS have
FROM conversation c
WHERE c.head - c.first + 1 <> (SELECT count(*) FROM entry e WHERE e.conv = c.id AND e.log = 0 AND e.seq >= c.first)
   OR c.head - c.first + 1 <> (SELECT count(*) FROM entry e WHERE e.conv = c.id AND e.log = 0);

-- :check_team_density
SELECT c.id, c.ihead, (SELECT count(*) FROM entry e WHERE e.conv = c.id AND e.log = 1 AND e.seq >= 1) AS have
FROM conversation c
WHERE c.ihead <> (SELECT count(*) FROM entry e WHERE e.conv = c.id AND e.log = 1 AND e.seq >= 1)
   OR c.ihead <> (SELECT count(*) FROM entry e WHERE e.conv = c.id AND e.log = 1);

-- :check_marks
SELECT id, head, customer_recv
FROM conversation
WHERE NOT (0 <= customer_read AND customer_read <= customer_recv AND customer_recv <= head)
   OR NOT (0 <= staff_read AND staff_read <= staff_recv AND staff_recv <= head);

-- :check_entry_orphans
SELECT e.conv, count(*), min(e.seq)
FROM entry e
WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = e.conv)
GROUP BY e.conv;

-- :check_scope_orphans
SELECT s.conv, s.scope, s.rev
FROM scope s
WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = s.conv);

-- :check_cmid
SELECT min(d.conv), d.author, count(*)
FROM (SELECT conv, author, cmid FROM entry WHERE cmid IS NOT NULL) d
GROUP BY d.cmid, d.author
HAVING count(*) > 1;

-- A message has a row for each webhook that wants it (1: message.created) and has listened since before it.
-- :check_outbound
SELECT e.conv, e.seq, w.id
FROM webhook w JOIN entry e ON e.log = 0 AND e.kind BETWEEN 1 AND 9 AND e.cmid IS NOT NULL AND e.ts > w.since_ms
WHERE w.state = 0 AND w.events & 1 <> 0 AND w.bot <> e.author
  AND (w.app = 0 OR w.app = (SELECT c.app FROM conversation c WHERE c.id = e.conv))
  AND NOT EXISTS (SELECT 1 FROM outbound o
        WHERE o.conv = e.conv AND o.seq = e.seq AND o.target = w.id AND o.event = 'message.created');

-- What a bot is said to speak with is a version of its own.
-- :check_bot_version
SELECT b.id, b.live, b.canary
FROM bot b
WHERE (b.live <> 0 AND NOT EXISTS (SELECT 1 FROM bot_version v WHERE v.id = b.live AND v.bot = b.id))
   OR (b.canary <> 0 AND NOT EXISTS (SELECT 1 FROM bot_version v WHERE v.id = b.canary AND v.bot = b.id))
   OR (b.before <> 0 AND NOT EXISTS (SELECT 1 FROM bot_version v WHERE v.id = b.before AND v.bot = b.id));

-- :check_bot_state
SELECT s.conv, s.asked, s.answered
FROM bot_state s
WHERE s.answered > s.asked OR NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = s.conv AND c.head >= s.asked);

-- A question is not kept longer than the message it was.
-- :check_bot_question
SELECT q.conv, q.seq, q.id
FROM bot_event q
WHERE q.question IS NOT NULL AND q.seq > 0
  AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.conv = q.conv AND e.log = 0 AND e.seq = q.seq AND e.body IS NOT NULL);

-- :check_time
SELECT a.conv, a.log, b.seq
FROM entry a JOIN entry b ON b.conv = a.conv AND b.log = a.log AND b.seq = a.seq + 1
WHERE b.ts < a.ts;

-- A conversation has at most one ticket that is not closed (9).
-- :check_tickets
SELECT conv, count(*), min(number) FROM ticket WHERE status < 9 GROUP BY conv HAVING count(*) > 1;

-- A survey that waits, was answered or has expired has its message, as long as that was not erased (22).
-- :check_surveys
SELECT o.id, o.conv, o.seq
FROM survey_offer o
WHERE (o.seq > 0 AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.conv = o.conv AND e.log = 0 AND e.seq = o.seq
        AND e.kind IN (8, 22)))
   OR (o.state IN (2, 3, 4) AND o.seq = 0);

-- An answer has its time, and its score is on the scale.
-- :check_survey_answers
SELECT o.id, o.ticket, o.solving
FROM survey_offer o
WHERE (o.state = 3) <> (o.answered_ms > 0)
   OR (o.score IS NOT NULL AND (o.answered_ms = 0 OR o.score < 0 OR o.score > o.top));

-- A customer has at most one recovery case that is not over.
-- :check_recovery
SELECT customer, count(*), min(id) FROM recovery_case WHERE stage IN (1, 2, 4) GROUP BY customer HAVING count(*) > 1;

-- It is of a customer of its conversation, and nobody owns one that is about himself.
-- :check_recovery_owner
SELECT r.id, r.conv, r.owner
FROM recovery_case r
WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = r.conv AND c.customer = r.customer)
   OR (r.stage IN (1, 2, 4) AND r.owner > 0 AND (r.owner = r.rated OR EXISTS (
        SELECT 1 FROM recovery_trigger g WHERE g.case_id = r.id AND g.rated = r.owner)));

-- Its counts are those of its log and its reasons.
-- :check_recovery_log
SELECT r.id, r.contacts, r.triggers
FROM recovery_case r
WHERE r.contacts <> (SELECT count(*) FROM recovery_log l WHERE l.case_id = r.id AND l.kind = 7)
   OR r.triggers <> (SELECT count(*) FROM recovery_trigger g WHERE g.case_id = r.id)
   OR r.version <> (SELECT max(l.version) FROM recovery_log l WHERE l.case_id = r.id);

-- :check_ticket_orphans
SELECT t.number, t.conv, t.id
FROM ticket t
WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = t.conv AND c.customer = t.customer);
