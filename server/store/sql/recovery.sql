-- SPDX-License-Identifier: Apache-2.0
-- Service recovery: cases, what opened them, what was done.

-- :recovery_insert
INSERT INTO recovery_case(workspace, ext, customer, conv, ticket, rated, team, stage, tier, opened_ms, from_ms, schedule,
                          contact_within_ms, fix_within_ms, contact_due_ms, fix_due_ms, earlier)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16)

-- :recovery_save
UPDATE recovery_case
SET rated = $2, owner = $3, is_invited = $4, stage = $5, outcome = $6, reason = $7, cause = $8, from_ms = $9,
    contact_due_ms = $10, fix_due_ms = $11, first_ms = $12, is_in_time = $13, contacted_ms = $14, taken_on_ms = $15,
    is_fix_in_time = $16, resolved_ms = $17, contacts = $18, triggers = $19, reopens = $20, escalations = $21,
    metric_before = $22, score_before = $23, top_before = $24, metric_after = $25, score_after = $26, top_after = $27,
    resurvey_ms = $28, asked_ms = $29, told = $30, next_ms = $31, version = $32
WHERE id = $1

-- :recovery_by_id
SELECT r.id, r.ext, r.customer, r.conv, c.ext, r.ticket, r.rated, r.team, r.owner, r.is_invited, r.stage, r.outcome,
       r.reason, r.cause, r.tier, r.opened_ms, r.from_ms, r.schedule, r.contact_within_ms, r.fix_within_ms,
       r.contact_due_ms, r.fix_due_ms, r.first_ms, r.is_in_time, r.contacted_ms, r.taken_on_ms, r.is_fix_in_time,
       r.resolved_ms, r.contacts, r.triggers, r.reopens, r.escalations, r.earlier, r.metric_before, r.score_before,
       r.top_before, r.metric_after, r.score_after, r.top_after, r.resurvey_ms, r.asked_ms, r.told, r.next_ms, r.version
FROM recovery_case r JOIN conversation c ON c.id = r.conv WHERE r.id = $1

-- :recovery_id_of_ext
SELECT id FROM recovery_case WHERE ext = $1 AND workspace = $2

-- :recovery_open_of_customer
SELECT id FROM recovery_case WHERE customer = $1 AND stage IN (1, 2, 4) ORDER BY id

-- :recovery_owned_in
SELECT id FROM recovery_case WHERE conv = $1 AND owner = $2 AND stage IN (1, 2, 4)

-- :recovery_open_all
SELECT id FROM recovery_case WHERE stage IN (1, 2, 4) AND id > $1 ORDER BY id LIMIT $2

-- :recovery_due
SELECT id FROM recovery_case WHERE next_ms > 0 AND next_ms <= $1 ORDER BY next_ms, id LIMIT $2

-- :recovery_next
SELECT MIN(next_ms) FROM recovery_case WHERE next_ms > 0

-- :recovery_open_count
SELECT COUNT(*) FROM recovery_case WHERE stage IN (1, 2, 4)

-- :recovery_ownerless_count
SELECT COUNT(*) FROM recovery_case WHERE stage IN (1, 2, 4) AND owner = 0

-- :recovery_cases_of_owners
-- Open cases of each.
SELECT owner, COUNT(*) FROM recovery_case WHERE stage IN (1, 2, 4) AND owner > 0 GROUP BY owner

-- :recovery_earlier
-- Cases that customer had.
SELECT COUNT(*) FROM recovery_case WHERE customer = $1 AND stage <> 5

-- :recovery_give
UPDATE recovery_case SET customer = $2 WHERE conv = $1

-- :recovery_of_conversation
SELECT id FROM recovery_case WHERE conv = $1 ORDER BY id

-- :recovery_of_customer
SELECT id FROM recovery_case WHERE customer = $1 ORDER BY id

-- :recovery_trigger_insert
INSERT INTO recovery_trigger(case_id, kind, offer, offer_ext, ticket, rated, metric, score, top, at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- :recovery_trigger_of_offer
SELECT id, case_id, kind, score, is_standing FROM recovery_trigger WHERE offer = $1 AND offer > 0

-- :recovery_trigger_save
UPDATE recovery_trigger SET kind = $2, score = $3, is_standing = $4, case_id = $5 WHERE id = $1

-- :recovery_triggers_standing
SELECT COUNT(*) FROM recovery_trigger WHERE case_id = $1 AND is_standing = 1

-- :recovery_triggers_move
UPDATE recovery_trigger SET case_id = $2 WHERE case_id = $1

-- :recovery_score_before
-- The first score of the case; kind 5 came after it.
SELECT metric, score, top FROM recovery_trigger WHERE case_id = $1 AND score IS NOT NULL AND kind <> 5 ORDER BY id LIMIT 1

-- :recovery_is_rated
SELECT 1 FROM recovery_trigger WHERE case_id = $1 AND rated = $2 LIMIT 1

-- :recovery_triggers_of
SELECT g.kind, g.at_ms, g.offer_ext, t.ext, g.metric, g.score, g.top, o.comment, g.is_standing
FROM recovery_trigger g LEFT JOIN ticket t ON t.id = g.ticket LEFT JOIN survey_offer o ON o.id = g.offer AND g.offer > 0
WHERE g.case_id = $1 ORDER BY g.id LIMIT 50

-- :recovery_log_insert
INSERT INTO recovery_log(case_id, version, at_ms, actor, kind, word, number, other, text)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- :recovery_log_after
SELECT id, at_ms, actor, version, kind, word, number, other, text FROM recovery_log
WHERE case_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- :recovery_last_chat
-- When the owner last wrote, as the log knows it.
SELECT MAX(at_ms) FROM recovery_log WHERE case_id = $1 AND kind = 7 AND other > 0

-- :recovery_action_insert
INSERT INTO recovery_action(case_id, number, owner, due_ms, text) VALUES ($1, $2, $3, $4, $5)

-- :recovery_action_count
SELECT COUNT(*) FROM recovery_action WHERE case_id = $1

-- :recovery_action_get
SELECT owner, done_ms FROM recovery_action WHERE case_id = $1 AND number = $2

-- :recovery_action_done
UPDATE recovery_action SET done_ms = $3, done_by = $4 WHERE case_id = $1 AND number = $2

-- :recovery_actions_of
SELECT number, text, owner, due_ms, done_ms, done_by FROM recovery_action WHERE case_id = $1 ORDER BY number

-- :recovery_has_action
SELECT 1 FROM recovery_action WHERE case_id = $1 AND owner = $2 LIMIT 1

-- :recovery_log_erase
UPDATE recovery_log SET text = NULL
WHERE case_id IN (SELECT id FROM recovery_case WHERE customer = $1) AND text IS NOT NULL

-- :recovery_action_erase
UPDATE recovery_action SET text = NULL WHERE case_id IN (SELECT id FROM recovery_case WHERE customer = $1)

-- :recovery_causes
SELECT cause, removed_ms FROM recovery_cause WHERE workspace = $1 ORDER BY cause

-- :recovery_cause_put
INSERT INTO recovery_cause(workspace, cause, removed_ms) VALUES ($1, $2, $3)
ON CONFLICT (workspace, cause) DO UPDATE SET removed_ms = excluded.removed_ms

-- :recovery_settings_get
SELECT csat_low, nps_low, ces_low, takes_tick, contact_ms, fix_ms, is_business, resurvey_ms, tiers FROM recovery_settings
WHERE workspace = $1

-- :recovery_settings_put
INSERT INTO recovery_settings(workspace, csat_low, nps_low, ces_low, takes_tick, contact_ms, fix_ms, is_business,
                              resurvey_ms, tiers)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (workspace) DO UPDATE SET csat_low = excluded.csat_low, nps_low = excluded.nps_low,
    ces_low = excluded.ces_low, takes_tick = excluded.takes_tick, contact_ms = excluded.contact_ms,
    fix_ms = excluded.fix_ms, is_business = excluded.is_business, resurvey_ms = excluded.resurvey_ms,
    tiers = excluded.tiers

-- :recovery_page
-- The newest first; 0, -1 or '-' = whatever it is. $7: 1 = those that are open; $8: a time = those overdue then.
SELECT id, conv FROM recovery_case
WHERE workspace = $1 AND id < $2 AND opened_ms >= $3 AND opened_ms < $4 AND ($5 = -1 OR owner = $5) AND
      ($6 = 0 OR stage = $6) AND ($7 = 0 OR stage IN (1, 2, 4)) AND
      ($8 = 0 OR (stage IN (1, 2, 4) AND ((contacted_ms = 0 AND contact_due_ms < $8) OR
                                          (taken_on_ms = 0 AND fix_due_ms < $8)))) AND
      ($9 = -1 OR team = $9) AND ($10 = '-' OR cause = $10) AND ($11 = 0 OR customer = $11) AND ($12 = 0 OR conv = $12)
ORDER BY id DESC

-- :recovery_page_conv
-- The same by an index of its own.
SELECT id, conv FROM recovery_case
WHERE workspace = $1 AND id < $2 AND opened_ms >= $3 AND opened_ms < $4 AND ($5 = -1 OR owner = $5) AND
      ($6 = 0 OR stage = $6) AND ($7 = 0 OR stage IN (1, 2, 4)) AND
      ($8 = 0 OR (stage IN (1, 2, 4) AND ((contacted_ms = 0 AND contact_due_ms < $8) OR
                                          (taken_on_ms = 0 AND fix_due_ms < $8)))) AND
      ($9 = -1 OR team = $9) AND ($10 = '-' OR cause = $10) AND ($11 = 0 OR customer = $11) AND conv = $12
ORDER BY id DESC

-- :recovery_page_customer
-- The same by an index of its own.
SELECT id, conv FROM recovery_case
WHERE workspace = $1 AND id < $2 AND opened_ms >= $3 AND opened_ms < $4 AND ($5 = -1 OR owner = $5) AND
      ($6 = 0 OR stage = $6) AND ($7 = 0 OR stage IN (1, 2, 4)) AND
      ($8 = 0 OR (stage IN (1, 2, 4) AND ((contacted_ms = 0 AND contact_due_ms < $8) OR
                                          (taken_on_ms = 0 AND fix_due_ms < $8)))) AND
      ($9 = -1 OR team = $9) AND ($10 = '-' OR cause = $10) AND customer = $11 AND ($12 = 0 OR conv = $12)
ORDER BY id DESC

-- :recovery_page_owner
-- The same by an index of its own.
SELECT id, conv FROM recovery_case
WHERE workspace = $1 AND id < $2 AND opened_ms >= $3 AND opened_ms < $4 AND owner = $5 AND
      ($6 = 0 OR stage = $6) AND ($7 = 0 OR stage IN (1, 2, 4)) AND
      ($8 = 0 OR (stage IN (1, 2, 4) AND ((contacted_ms = 0 AND contact_due_ms < $8) OR
                                          (taken_on_ms = 0 AND fix_due_ms < $8)))) AND
      ($9 = -1 OR team = $9) AND ($10 = '-' OR cause = $10) AND ($11 = 0 OR customer = $11) AND ($12 = 0 OR conv = $12)
ORDER BY id DESC

-- :recovery_period
-- What a report counts.
SELECT r.id, r.conv, r.opened_ms, r.team, r.cause, r.customer, r.stage, r.outcome, r.first_ms, r.is_in_time,
       r.contact_due_ms, r.triggers, r.earlier, r.metric_before, r.score_before, r.top_before, r.metric_after,
       r.score_after, r.top_after, r.reopens
FROM recovery_case r WHERE r.workspace = $1 AND r.opened_ms >= $2 AND r.opened_ms < $3 AND r.stage <> 5
ORDER BY r.opened_ms, r.id

-- :recovery_team_name
SELECT ext, name FROM team WHERE id = $1

-- :recovery_ticket_ext
SELECT ext FROM ticket WHERE id = $1

-- :recovery_customer_id
SELECT id FROM principal WHERE ext = $1 AND workspace = $2

-- :recovery_team_id
SELECT id FROM team WHERE ext = $1 AND workspace = $2

-- :recovery_conv_id
SELECT id FROM conversation WHERE ext = $1 AND workspace = $2

-- :recovery_export
-- Of a customer, oldest first.
SELECT r.id, r.ext, c.ext, r.stage, r.outcome, r.reason, r.cause, r.opened_ms, r.resolved_ms, r.score_before, r.score_after
FROM recovery_case r JOIN conversation c ON c.id = r.conv WHERE r.customer = $1 ORDER BY r.id

-- :recovery_export_log
SELECT r.ext, l.at_ms, l.kind, l.word, l.number, l.text
FROM recovery_log l JOIN recovery_case r ON r.id = l.case_id WHERE r.customer = $1 ORDER BY l.id
