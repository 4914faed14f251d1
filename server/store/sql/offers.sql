-- SPDX-License-Identifier: Apache-2.0
-- The asking of surveys: offers, and what customers answered.

-- :survey_offer_insert
INSERT INTO survey_offer(workspace, ext, survey, version, metric, top, cause, ticket, solving, recovery_case, conv,
       customer, app, state, planned_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- :survey_offer_save
UPDATE survey_offer SET version = $2, metric = $3, top = $4, state = $5, reason = $6, due_ms = $7, seq = $8,
       offered_ms = $9, remind_ms = $10, reminded_ms = $11, until_ms = $12, change_ms = $13, ended_ms = $14,
       answered_ms = $15, changed_ms = $16, score = $17, wants_contact = $18, is_locked = $19, way = $20, agent = $21,
       team = $22, lang = $23, topic = $24, tier = $25, by_bot = $26, asked_by = $27, next_ms = $28
WHERE id = $1

-- :survey_offer_said
UPDATE survey_offer SET comment = $2, answers = $3 WHERE id = $1

-- :survey_offer_by_id
-- What is read of an offer, and what is told of one, are views of the migration: their columns stand there once.
SELECT * FROM survey_offer_read o WHERE o.id = $1

-- :survey_offer_by_ext
SELECT * FROM survey_offer_read o WHERE o.ext = $1 AND o.workspace = $2

-- :survey_offer_by_seq
SELECT * FROM survey_offer_read o WHERE o.conv = $1 AND o.seq = $2 AND o.seq > 0

-- :survey_offer_of_solving
SELECT * FROM survey_offer_read o WHERE o.ticket = $1 AND o.solving = $2 AND o.ticket > 0
  AND o.recovery_case = 0 AND o.state < 5

-- :survey_offers_live_of_ticket
SELECT id FROM survey_offer WHERE ticket = $1 AND ticket > 0 AND recovery_case = 0 AND state < 3 ORDER BY id LIMIT $2

-- :survey_offers_live_of_customer
SELECT id FROM survey_offer WHERE customer = $1 AND state < 3 ORDER BY id LIMIT $2

-- :survey_offers_live_about
-- About that case, or ($1 = 0) in conversation $2 about no ticket and no case.
SELECT id FROM survey_offer
WHERE state < 3 AND conv = $2 AND recovery_case = $1 AND ($1 > 0 OR ticket = 0) LIMIT 1

-- :survey_offers_due
SELECT id FROM survey_offer WHERE next_ms > 0 AND next_ms <= $1 ORDER BY next_ms, id LIMIT $2

-- :survey_offer_next
SELECT next_ms FROM survey_offer WHERE next_ms > 0 ORDER BY next_ms LIMIT 1

-- :survey_offer_asked_last
-- When the customer was last asked that metric, and it was not taken back. A recovery case does not count.
SELECT offered_ms FROM survey_offer
WHERE customer = $1 AND metric = $2 AND offered_ms > 0 AND state IN (2, 3, 4) AND cause <> 7
ORDER BY offered_ms DESC LIMIT 1

-- :survey_offers_answered_of_ticket
-- Whose answer could still be changed.
SELECT id FROM survey_offer WHERE ticket = $1 AND ticket > 0 AND state = 3 AND is_locked = 0 AND until_ms > $2 LIMIT 8

-- :survey_offers_give
UPDATE survey_offer SET customer = $2 WHERE conv = $1

-- :survey_offers_of_customer
SELECT id FROM survey_offer WHERE customer = $1 AND id > $2 ORDER BY id LIMIT $3

-- :survey_offers_erase
UPDATE survey_offer SET comment = NULL, answers = NULL WHERE customer = $1

-- :survey_words_erase
DELETE FROM survey_word WHERE offer IN (SELECT id FROM survey_offer WHERE customer = $1)

-- :survey_word_put
INSERT INTO survey_word(workspace, word, offer) VALUES ($1, $2, $3) ON CONFLICT (workspace, word, offer) DO NOTHING

-- :survey_words_delete
DELETE FROM survey_word WHERE offer = $1

-- :survey_offer_has_word
SELECT 1 FROM survey_word WHERE offer = $1 AND word >= $2 AND word < $3 LIMIT 1

-- :survey_talk
-- What was said since a ticket began, the newest first, with who says it: 1 the customer, 2 a person, 3 a bot. $3: first
-- kind that is no message; neither are a survey (8) and its answer (9).
SELECT e.ts, e.author, p.role, e.body FROM entry e LEFT JOIN principal p ON p.id = e.author
WHERE e.conv = $1 AND e.log = 0 AND e.seq >= $2 AND e.kind < $3 AND e.kind NOT IN (8, 9)
ORDER BY e.conv DESC, e.log DESC, e.seq DESC LIMIT $4

-- :survey_offers_page
SELECT * FROM survey_offer_told o WHERE o.workspace = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3

-- :survey_offers_page_ticket
SELECT * FROM survey_offer_told o WHERE o.ticket = $1 AND o.ticket > 0 AND o.id < $2 ORDER BY o.id DESC LIMIT $3

-- :survey_offers_page_conv
SELECT * FROM survey_offer_told o WHERE o.conv = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3

-- :survey_offers_page_customer
SELECT * FROM survey_offer_told o WHERE o.customer = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3

-- :survey_answers_page
SELECT * FROM survey_offer_told o WHERE o.workspace = $1 AND o.answered_ms > 0 AND (o.answered_ms, o.id) < ($2, $3)
ORDER BY o.answered_ms DESC, o.id DESC LIMIT $4

-- :survey_answers_found
SELECT * FROM survey_offer_told o WHERE o.workspace = $1 AND o.answered_ms > 0 AND (o.answered_ms, o.id) < ($2, $3)
  AND o.id IN (SELECT w.offer FROM survey_word w WHERE w.workspace = $1 AND w.word >= $5 AND w.word < $6)
ORDER BY o.answered_ms DESC, o.id DESC LIMIT $4

-- :survey_offers_export
-- Of a customer, whole, oldest first.
SELECT o.ext, c.ext, v.name, o.metric, o.state, o.reason, o.offered_ms, o.answered_ms, o.score, o.comment, o.answers,
       o.wants_contact
FROM survey_offer o JOIN conversation c ON c.id = o.conv JOIN survey_version v ON v.id = o.version
WHERE o.customer = $1 ORDER BY o.id

-- :survey_conversation
SELECT ext FROM conversation WHERE id = $1

-- :timeline_offers
SELECT CASE WHEN o.answered_ms > 0 THEN o.answered_ms ELSE o.offered_ms END, o.id, o.ext, o.state, o.metric, o.top,
       o.score, c.ext, o.app, t.ext, t.number, v.name
FROM survey_offer o JOIN conversation c ON c.id = o.conv LEFT JOIN ticket t ON t.id = o.ticket
JOIN survey_version v ON v.id = o.version
WHERE o.customer = $1 AND o.offered_ms > 0
  AND (CASE WHEN o.answered_ms > 0 THEN o.answered_ms ELSE o.offered_ms END, o.id) < ($2, $3)
ORDER BY 1 DESC, 2 DESC LIMIT $4

-- :survey_offer_brief
-- The newest about a ticket.
SELECT ext, state, metric, top, reason, score, comment IS NOT NULL FROM survey_offer
WHERE ticket = $1 AND ticket > 0 ORDER BY ticket DESC, id DESC LIMIT 1
