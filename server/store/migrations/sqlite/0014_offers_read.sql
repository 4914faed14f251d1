-- SPDX-License-Identifier: Apache-2.0
-- Surveys: what is read of an offer, and what is told of one (docs/surveys.md).

-- An offer as the desk reads it. A column keeps its place: offer_rows.c and offer_row.c count them.
CREATE VIEW survey_offer_read AS
SELECT id, ext, survey, version, metric, top, cause, ticket, solving, recovery_case, conv, customer, app, state,
       reason, planned_ms, due_ms, seq, offered_ms, remind_ms, reminded_ms, until_ms, change_ms, ended_ms,
       answered_ms, changed_ms, score, wants_contact, is_locked, way, agent, team, lang, topic, tier, by_bot,
       asked_by, comment, answers, workspace
FROM survey_offer;

-- The same as it is told to staff: with the names of what it points at.
CREATE VIEW survey_offer_told AS
SELECT o.*, s.ext AS survey_ext, v.name AS survey_name, v.number AS version_number, c.ext AS conv_ext, t.ext AS ticket_ext,
       t.number AS ticket_number, m.ext AS team_ext
FROM survey_offer_read o JOIN survey s ON s.id = o.survey JOIN survey_version v ON v.id = o.version
JOIN conversation c ON c.id = o.conv LEFT JOIN ticket t ON t.id = o.ticket LEFT JOIN team m ON m.id = o.team;
