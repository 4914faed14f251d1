-- SPDX-License-Identifier: Apache-2.0
-- Reports: the history of tickets, facts, cells, and what they are made from.

-- :ticket_event_put
INSERT INTO ticket_event(ticket, number, kind, at_ms, status, team, agent, seq, tier)
SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM ticket_event WHERE ticket = $1

-- :report_author
SELECT author FROM entry WHERE conv = $1 AND log = 0 AND seq = $2

-- :report_traffic_add
INSERT INTO report_traffic(kind, slot, agent, n) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, slot, agent) DO UPDATE SET n = report_traffic.n + excluded.n

-- :report_traffic_clear
DELETE FROM report_traffic

-- :report_traffic_between
SELECT slot, agent, n FROM report_traffic WHERE kind = $1 AND slot >= $2 AND slot < $3 ORDER BY slot, agent

-- What a ticket is made of.
-- :report_story
SELECT app, team, assignee, priority, issued_ms, first_reply_ms, solved_ms, last_solved_ms, reopens, transfers, first_seq,
       status, close_reason, lang, topic, conv
FROM ticket WHERE id = $1

-- :report_events
SELECT kind, at_ms, status, seq, tier FROM ticket_event WHERE ticket = $1 ORDER BY ticket, number

-- Messages by customers (an erased person included) and people from $2 to $3. $4: first kind that is no message of theirs, $5: the
-- erased, $6: choices, which the desk writes in a person's name when it asks whether it is solved.
-- :report_messages
SELECT e.ts, COALESCE(p.role, 1), e.author
FROM entry e LEFT JOIN principal p ON p.id = e.author
WHERE e.conv = $1 AND e.log = 0 AND e.seq >= $2 AND e.seq <= $3
  AND (e.kind < $4 OR (e.kind = $5 AND e.version > 0)) AND NOT (e.kind = $6 AND e.cmid IS NULL)
  AND e.author <> 0 AND COALESCE(p.role, 1) < 3
ORDER BY e.seq

-- :report_next_missed
SELECT COUNT(*) FROM sla_miss WHERE ticket = $1 AND metric = 1 AND due_ms <= $2

-- ---- facts ----

-- :report_ticket_get
SELECT issued_ms, solved_ms, ended_ms, app, team, agent, priority, by_bot, lang, topic, tier, flow, figures
FROM report_ticket WHERE ticket = $1

-- :report_ticket_put
INSERT INTO report_ticket(ticket, issued_ms, solved_ms, ended_ms, app, team, agent, priority, by_bot, lang, topic, tier, flow,
        is_again, figures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (ticket) DO UPDATE SET issued_ms = excluded.issued_ms, solved_ms = excluded.solved_ms,
        ended_ms = excluded.ended_ms, app = excluded.app, team = excluded.team, agent = excluded.agent,
        priority = excluded.priority, by_bot = excluded.by_bot, lang = excluded.lang, topic = excluded.topic,
        tier = excluded.tier, flow = excluded.flow, is_again = excluded.is_again, figures = excluded.figures

-- :report_ticket_remove
DELETE FROM report_ticket WHERE ticket = $1

-- :report_tickets_after
SELECT id FROM ticket WHERE id > $1 ORDER BY id LIMIT $2

-- :report_offer_source
SELECT metric, top, state, offered_ms, score, app, team, agent, version, by_bot, lang, topic, tier FROM survey_offer WHERE id = $1

-- :report_offer_get
SELECT metric, offered_ms, top, score, is_answered, app, team, agent, by_bot, lang, topic, tier, version
FROM report_offer WHERE offer = $1

-- :report_offer_put
INSERT INTO report_offer(offer, metric, offered_ms, top, score, is_answered, app, team, agent, by_bot, lang, topic, tier,
        version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (offer) DO UPDATE SET metric = excluded.metric, offered_ms = excluded.offered_ms, top = excluded.top,
        score = excluded.score, is_answered = excluded.is_answered, app = excluded.app, team = excluded.team,
        agent = excluded.agent, by_bot = excluded.by_bot, lang = excluded.lang, topic = excluded.topic,
        tier = excluded.tier, version = excluded.version

-- :report_offer_remove
DELETE FROM report_offer WHERE offer = $1

-- :report_offers_after
SELECT id FROM survey_offer WHERE id > $1 ORDER BY id LIMIT $2

-- :report_conversations_after
SELECT id FROM conversation WHERE id > $1 ORDER BY id LIMIT $2

-- ---- what bots came to ----

-- :report_bot_rows
-- What a bot did in a conversation, from that row on.
SELECT e.id, e.at_ms, e.seq, e.kind, e.rule, e.lang, b.app FROM bot_event e JOIN bot b ON b.id = e.bot
WHERE e.conv = $1 AND e.bot = $2 AND e.id >= $3 ORDER BY e.id

-- :report_bots_of
SELECT DISTINCT bot FROM bot_event WHERE conv = $1 ORDER BY bot

-- :report_bot_conversations_after
SELECT DISTINCT conv FROM bot_event WHERE conv > $1 ORDER BY conv LIMIT $2

-- :report_episodes_of
SELECT episode, began_ms, open_ms, outcome, app, lang FROM report_episode
WHERE conv = $1 AND bot = $2 AND episode >= $3 ORDER BY episode

-- :report_episode_from
-- The last but one: what comes later changes nothing before it.
SELECT episode FROM report_episode WHERE conv = $1 AND bot = $2 ORDER BY episode DESC LIMIT 1 OFFSET 1

-- :report_episode_put
INSERT INTO report_episode(episode, conv, bot, began_ms, open_ms, outcome, app, lang) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- :report_episodes_remove
DELETE FROM report_episode WHERE conv = $1 AND bot = $2 AND episode >= $3

-- :report_episodes_clear
DELETE FROM report_episode

-- :report_episodes_open
-- Those that are not decided at $1.
SELECT began_ms, outcome, app, bot, lang FROM report_episode WHERE open_ms > $1

-- :report_episodes_count
SELECT COUNT(*) FROM report_episode

-- ---- cells ----

-- :report_cell_get
SELECT body FROM report_cell WHERE dim = $1 AND key = $2 AND day = $3

-- :report_cell_put
INSERT INTO report_cell(dim, key, day, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (dim, key, day) DO UPDATE SET body = excluded.body

-- :report_cell_remove
DELETE FROM report_cell WHERE dim = $1 AND key = $2 AND day = $3

-- :report_cell_clear
DELETE FROM report_cell

-- :report_cells
SELECT day, body FROM report_cell WHERE dim = $1 AND key = $2 AND day >= $3 AND day <= $4 ORDER BY day

-- :report_key_next
-- The next key of a dimension.
SELECT key FROM report_cell WHERE dim = $1 AND key > $2 ORDER BY key LIMIT 1

-- :report_key_first
SELECT key FROM report_cell WHERE dim = $1 ORDER BY key LIMIT 1

-- :report_cells_all
SELECT dim, key, day, body FROM report_cell ORDER BY dim, key, day

-- ---- state and targets ----

-- :report_state_get
SELECT zone, tickets, offers, conversations, episodes FROM report_state WHERE workspace = $1

-- :report_state_put
INSERT INTO report_state(workspace, zone, tickets, offers, conversations, episodes) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace) DO UPDATE SET zone = excluded.zone, tickets = excluded.tickets, offers = excluded.offers,
        conversations = excluded.conversations, episodes = excluded.episodes

-- :report_target_put
INSERT INTO report_target(workspace, metric, value) VALUES ($1, $2, $3)
ON CONFLICT (workspace, metric) DO UPDATE SET value = excluded.value

-- :report_target_remove
DELETE FROM report_target WHERE workspace = $1 AND metric = $2

-- :report_targets
SELECT metric, value FROM report_target WHERE workspace = $1 ORDER BY metric

-- ---- names ----

-- :report_team_of
SELECT ext, name FROM team WHERE id = $1

-- :report_team_id
SELECT id FROM team WHERE ext = $1

-- :report_app_of
SELECT ext, name FROM app WHERE id = $1

-- :report_app_id
SELECT id FROM app WHERE ext = $1

-- :report_bot_of
SELECT p.ext, p.name FROM bot b JOIN principal p ON p.id = b.principal WHERE b.id = $1

-- :report_bot_id
SELECT b.id FROM bot b JOIN principal p ON p.id = b.principal WHERE p.ext = $1 ORDER BY b.id DESC LIMIT 1

-- :report_survey_of
SELECT s.ext, v.number, v.name FROM survey_version v JOIN survey s ON s.id = v.survey WHERE v.id = $1

-- :report_survey_id
SELECT v.id FROM survey_version v JOIN survey s ON s.id = v.survey WHERE s.ext = $1 AND v.number = $2

-- ---- counted when they are asked for ----

-- :report_cases_between
SELECT opened_ms, team, owner, tier, first_ms, is_in_time, stage, outcome FROM recovery_case
WHERE workspace = $1 AND opened_ms >= $2 AND opened_ms < $3 ORDER BY opened_ms, id

-- :report_presence
-- All changes before the end, agent by agent; with the minutes that the reason of going away allows.
SELECT l.agent, l.at_ms, l.status, l.reason, COALESCE(r.minutes, 0)
FROM agent_status_log l LEFT JOIN away_reason r ON r.workspace = $2 AND r.reason = l.reason AND l.status = 3
WHERE l.at_ms < $1 ORDER BY l.agent, l.id

-- :report_presence_of
SELECT l.agent, l.at_ms, l.status, l.reason, COALESCE(r.minutes, 0)
FROM agent_status_log l LEFT JOIN away_reason r ON r.workspace = $2 AND r.reason = l.reason AND l.status = 3
WHERE l.agent = $3 AND l.at_ms < $1 ORDER BY l.agent, l.id

-- :report_traffic_differences
-- For checks: where the count of messages is not what the conversations up to $4 say. Kinds as in report_messages.
SELECT d.kind, d.slot, SUM(d.n)
FROM (SELECT t.kind AS kind, t.slot AS slot, t.agent AS agent, t.n AS n FROM report_traffic t
      UNION ALL
      SELECT COALESCE(p.role, 1), e.ts / 900000, CASE WHEN p.role = 2 THEN e.author ELSE 0 END, -1
      FROM entry e LEFT JOIN principal p ON p.id = e.author
      WHERE e.log = 0 AND e.conv <= $4 AND (e.kind < $1 OR (e.kind = $2 AND e.version > 0))
        AND NOT (e.kind = $3 AND e.cmid IS NULL) AND e.author <> 0 AND COALESCE(p.role, 1) < 3) d
GROUP BY d.kind, d.slot, d.agent HAVING SUM(d.n) <> 0

-- ---- what is behind a cell: behind ($1, $2) in the order of a moment, up to $3 (not counted), at most $4 ----

-- :report_list_issued
SELECT r.issued_ms, r.ticket, t.ext, t.number, c.ext, r.app, r.team, r.agent, r.priority, r.by_bot, r.lang, r.topic,
       r.tier, r.flow, r.figures, r.issued_ms, r.solved_ms, r.ended_ms
FROM report_ticket r JOIN ticket t ON t.id = r.ticket JOIN conversation c ON c.id = t.conv
WHERE (r.issued_ms, r.ticket) > ($1, $2) AND r.issued_ms < $3
ORDER BY r.issued_ms, r.ticket LIMIT $4

-- :report_list_solved
SELECT r.solved_ms, r.ticket, t.ext, t.number, c.ext, r.app, r.team, r.agent, r.priority, r.by_bot, r.lang, r.topic,
       r.tier, r.flow, r.figures, r.issued_ms, r.solved_ms, r.ended_ms
FROM report_ticket r JOIN ticket t ON t.id = r.ticket JOIN conversation c ON c.id = t.conv
WHERE r.solved_ms > 0 AND (r.solved_ms, r.ticket) > ($1, $2) AND r.solved_ms < $3
ORDER BY r.solved_ms, r.ticket LIMIT $4

-- :report_list_again
SELECT r.ended_ms, r.ticket, t.ext, t.number, c.ext, r.app, r.team, r.agent, r.priority, r.by_bot, r.lang, r.topic,
       r.tier, r.flow, r.figures, r.issued_ms, r.solved_ms, r.ended_ms
FROM report_ticket r JOIN ticket t ON t.id = r.ticket JOIN conversation c ON c.id = t.conv
WHERE r.is_again = 1 AND (r.ended_ms, r.ticket) > ($1, $2) AND r.ended_ms < $3
ORDER BY r.ended_ms, r.ticket LIMIT $4

-- :report_list_ended
SELECT r.ended_ms, r.ticket, t.ext, t.number, c.ext, r.app, r.team, r.agent, r.priority, r.by_bot, r.lang, r.topic,
       r.tier, r.flow, r.figures, r.issued_ms, r.solved_ms, r.ended_ms
FROM report_ticket r JOIN ticket t ON t.id = r.ticket JOIN conversation c ON c.id = t.conv
WHERE (r.ended_ms, r.ticket) > ($1, $2) AND r.ended_ms < $3
ORDER BY r.ended_ms, r.ticket LIMIT $4

-- :report_list_agent
-- Of one agent ($5).
SELECT r.issued_ms, r.ticket, t.ext, t.number, c.ext, r.app, r.team, r.agent, r.priority, r.by_bot, r.lang, r.topic,
       r.tier, r.flow, r.figures, r.issued_ms, r.solved_ms, r.ended_ms
FROM report_ticket r JOIN ticket t ON t.id = r.ticket JOIN conversation c ON c.id = t.conv
WHERE r.agent = $5 AND (r.issued_ms, r.ticket) > ($1, $2) AND r.issued_ms < $3
ORDER BY r.issued_ms, r.ticket LIMIT $4

-- :report_list_offers
-- Of one metric ($5).
SELECT r.offered_ms, r.offer, o.ext, COALESCE(t.ext, 0), COALESCE(t.number, 0), c.ext, r.score, r.app, r.team, r.agent,
       r.by_bot, r.lang, r.topic, r.tier, r.version
FROM report_offer r JOIN survey_offer o ON o.id = r.offer JOIN conversation c ON c.id = o.conv
     LEFT JOIN ticket t ON t.id = o.ticket
WHERE r.metric = $5 AND (r.offered_ms, r.offer) > ($1, $2) AND r.offered_ms < $3
ORDER BY r.offered_ms, r.offer LIMIT $4

-- :report_list_cases
SELECT c.opened_ms, c.id, c.ext, COALESCE(t.ext, 0), COALESCE(t.number, 0), v.ext, c.team, c.owner, c.tier, c.first_ms,
       c.is_in_time, c.stage, c.outcome
FROM recovery_case c JOIN conversation v ON v.id = c.conv LEFT JOIN ticket t ON t.id = c.ticket
WHERE c.workspace = $5 AND (c.opened_ms, c.id) > ($1, $2) AND c.opened_ms < $3
ORDER BY c.opened_ms, c.id LIMIT $4

-- :report_list_said
-- Public messages behind ($1, $5, $2) by when they were said. Roles as in report_messages.
SELECT e.ts, e.seq, e.conv, e.author, COALESCE(p.role, 1), COALESCE(p.ext, 0)
FROM entry e LEFT JOIN principal p ON p.id = e.author
WHERE e.log = 0 AND e.author <> 0 AND (e.ts, e.conv, e.seq) > ($1, $5, $2) AND e.ts < $3
ORDER BY e.ts, e.conv, e.seq LIMIT $4

-- :report_message_at
-- Kinds as in report_messages.
SELECT c.ext FROM entry e JOIN conversation c ON c.id = e.conv
WHERE e.conv = $1 AND e.log = 0 AND e.seq = $2 AND (e.kind < $3 OR (e.kind = $4 AND e.version > 0))
  AND NOT (e.kind = $5 AND e.cmid IS NULL)

-- :report_list_status_before
-- What each agent was doing at $3: his last change before it. By row id of the agent.
SELECT p.agent, l.id, l.agent, l.at_ms, l.status, l.reason
FROM agent_profile p JOIN agent_status_log l ON l.id = (SELECT x.id FROM agent_status_log x
        WHERE x.agent = p.agent AND x.at_ms < $3 ORDER BY x.at_ms DESC, x.id DESC LIMIT 1)
WHERE (p.agent, l.id) > ($1, $2) ORDER BY p.agent, l.id LIMIT $4

-- :report_list_status
-- Changes by when they happened.
SELECT at_ms, id, agent, at_ms, status, reason FROM agent_status_log
WHERE (at_ms, id) > ($1, $2) AND at_ms < $3 ORDER BY at_ms, id LIMIT $4

-- :report_list_status_of
-- Of one agent ($5).
SELECT at_ms, id, agent, at_ms, status, reason FROM agent_status_log
WHERE agent = $5 AND (at_ms, id) > ($1, $2) AND at_ms < $3 ORDER BY at_ms, id LIMIT $4

-- :report_status_next
SELECT at_ms FROM agent_status_log WHERE agent = $1 AND id > $2 ORDER BY id LIMIT 1

-- :report_status_back
-- His changes before that one, the newest first.
SELECT at_ms, status, reason FROM agent_status_log WHERE agent = $1 AND id < $2 ORDER BY id DESC

-- :report_away_minutes
SELECT minutes FROM away_reason WHERE workspace = $1 AND reason = $2

-- :report_list_episodes
SELECT r.began_ms, r.episode, e.seq, COALESCE(c.ext, 0), r.open_ms, r.outcome, r.app, r.bot, r.lang, p.ext
FROM report_episode r JOIN bot_event e ON e.id = r.episode LEFT JOIN conversation c ON c.id = r.conv
     JOIN bot b ON b.id = r.bot JOIN principal p ON p.id = b.principal
WHERE (r.began_ms, r.episode) > ($1, $2) AND r.began_ms < $3
ORDER BY r.began_ms, r.episode LIMIT $4

-- :report_list_episodes_of
-- Of one bot ($5).
SELECT r.began_ms, r.episode, e.seq, COALESCE(c.ext, 0), r.open_ms, r.outcome, r.app, r.bot, r.lang, p.ext
FROM report_episode r JOIN bot_event e ON e.id = r.episode LEFT JOIN conversation c ON c.id = r.conv
     JOIN bot b ON b.id = r.bot JOIN principal p ON p.id = b.principal
WHERE r.bot = $5 AND (r.began_ms, r.episode) > ($1, $2) AND r.began_ms < $3
ORDER BY r.began_ms, r.episode LIMIT $4

-- ---- export: rows behind $1 (and $2) in the order they are stored ----

-- :export_tickets
SELECT t.id, t.ext, t.number, c.ext, a.ext, COALESCE(m.ext, 0), COALESCE(p.ext, 0), t.priority, t.lang, t.topic, t.status,
       t.close_reason, t.issued_ms, t.first_seq
FROM ticket t JOIN conversation c ON c.id = t.conv JOIN app a ON a.id = t.app LEFT JOIN team m ON m.id = t.team
     LEFT JOIN principal p ON p.id = t.assignee
WHERE t.id > $1 ORDER BY t.id LIMIT $2

-- :export_misses
SELECT due_ms FROM sla_miss WHERE ticket = $1 AND metric = 1 ORDER BY due_ms

-- :export_events
SELECT e.ticket, e.number, t.ext, e.kind, e.at_ms, e.status, COALESCE(m.ext, 0), COALESCE(p.ext, 0), e.seq, e.tier
FROM ticket_event e JOIN ticket t ON t.id = e.ticket LEFT JOIN team m ON m.id = e.team
     LEFT JOIN principal p ON p.id = e.agent
WHERE (e.ticket, e.number) > ($1, $2) ORDER BY e.ticket, e.number LIMIT $3

-- :export_messages
-- $4, $5, $6: as in report_messages.
SELECT e.conv, e.seq, c.ext, e.ts, COALESCE(p.role, 1), COALESCE(p.ext, 0), e.kind = $5
FROM entry e JOIN conversation c ON c.id = e.conv LEFT JOIN principal p ON p.id = e.author
WHERE (e.conv, e.log, e.seq) > ($1, 0, $2) AND e.log = 0 AND e.author <> 0
  AND (e.kind < $4 OR (e.kind = $5 AND e.version > 0)) AND NOT (e.kind = $6 AND e.cmid IS NULL)
ORDER BY e.conv, e.log, e.seq LIMIT $3

-- :export_answers
SELECT o.id, o.ext, COALESCE(t.ext, 0), c.ext, s.ext, v.number, o.metric, o.top, o.state, o.cause, o.reason, o.offered_ms,
       o.answered_ms, o.changed_ms, o.score, o.wants_contact, o.way, COALESCE(p.ext, 0), COALESCE(m.ext, 0), a.ext, o.lang,
       o.topic, o.tier, o.by_bot, o.comment IS NOT NULL
FROM survey_offer o JOIN conversation c ON c.id = o.conv JOIN app a ON a.id = o.app
     JOIN survey_version v ON v.id = o.version JOIN survey s ON s.id = v.survey LEFT JOIN ticket t ON t.id = o.ticket
     LEFT JOIN principal p ON p.id = o.agent LEFT JOIN team m ON m.id = o.team
WHERE o.id > $1 ORDER BY o.id LIMIT $2

-- :export_cases
SELECT r.id, r.ext, COALESCE(t.ext, 0), c.ext, COALESCE(p.ext, 0), COALESCE(m.ext, 0), r.stage, r.outcome, r.cause, r.tier,
       r.opened_ms, r.first_ms, r.is_in_time, r.resolved_ms, r.score_before, r.score_after
FROM recovery_case r JOIN conversation c ON c.id = r.conv LEFT JOIN ticket t ON t.id = r.ticket
     LEFT JOIN principal p ON p.id = r.owner LEFT JOIN team m ON m.id = r.team
WHERE r.id > $1 ORDER BY r.id LIMIT $2

-- :export_agents
SELECT l.id, COALESCE(p.ext, 0), l.at_ms, l.status, l.reason, COALESCE(r.minutes, 0)
FROM agent_status_log l LEFT JOIN principal p ON p.id = l.agent
     LEFT JOIN away_reason r ON r.workspace = p.workspace AND r.reason = l.reason AND l.status = 3
WHERE l.id > $1 ORDER BY l.id LIMIT $2

-- :export_bots
-- sent, before: moments of the customer's message and of the entry before it.
SELECT e.id, COALESCE(c.ext, 0), p.ext, a.ext, e.at_ms, e.kind, e.seq, e.rule, e.lang, COALESCE(m.ts, 0), COALESCE(n.ts, 0)
FROM bot_event e JOIN bot b ON b.id = e.bot JOIN principal p ON p.id = b.principal JOIN app a ON a.id = b.app
     LEFT JOIN conversation c ON c.id = e.conv
     LEFT JOIN entry m ON m.conv = e.conv AND m.log = 0 AND m.seq = e.seq
     LEFT JOIN entry n ON n.conv = e.conv AND n.log = 0 AND n.seq = e.seq - 1
WHERE e.id > $1 ORDER BY e.id LIMIT $2

-- ---- words ----

-- :report_comments
-- The newest answers of a metric ($1) in that time with a comment.
SELECT o.score, o.top, o.comment FROM report_offer r JOIN survey_offer o ON o.id = r.offer
WHERE r.metric = $1 AND r.offered_ms >= $2 AND r.offered_ms < $3 AND o.comment IS NOT NULL AND o.score IS NOT NULL
  AND o.state = 3
ORDER BY r.offered_ms DESC, r.offer DESC LIMIT $4
