-- SPDX-License-Identifier: Apache-2.0
-- Teams, roles, agents, their status and reach.

-- :teams_all
SELECT id, ext, name, manner, sticky_ms, accept_ms, schedule, requeue_ms, wants_consent, offline_requeue, must_speak,
       removed_ms, created_ms
FROM team WHERE workspace = $1 ORDER BY id

-- :team_insert
INSERT INTO team(workspace, ext, name, manner, sticky_ms, accept_ms, schedule, requeue_ms, wants_consent,
       offline_requeue, must_speak, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- :team_save
UPDATE team SET name = $2, manner = $3, sticky_ms = $4, accept_ms = $5, schedule = $6, requeue_ms = $7,
       wants_consent = $8, offline_requeue = $9, must_speak = $10
WHERE id = $1

-- :team_remove
UPDATE team SET removed_ms = $2 WHERE id = $1

-- :team_clash
-- Another team of that name.
SELECT id FROM team WHERE workspace = $1 AND name = $2 AND removed_ms = 0 AND id <> $3

-- :team_count
SELECT COUNT(*) FROM team WHERE workspace = $1 AND removed_ms = 0

-- :team_created
SELECT created_ms, (SELECT COUNT(*) FROM team_member m JOIN principal p ON p.id = m.agent
       WHERE m.team = t.id AND p.revoked_ms = 0)
FROM team t WHERE t.id = $1

-- :team_members_all
SELECT agent, team FROM team_member ORDER BY agent, team

-- :team_members_of
SELECT p.ext FROM team_member m JOIN principal p ON p.id = m.agent WHERE m.team = $1 AND p.revoked_ms = 0 ORDER BY p.id

-- :team_member_put
INSERT INTO team_member(team, agent) VALUES ($1, $2) ON CONFLICT (team, agent) DO NOTHING

-- :team_member_remove
DELETE FROM team_member WHERE team = $1 AND agent = $2

-- :team_members_end
DELETE FROM team_member WHERE team = $1

-- :teams_of_agent
SELECT team FROM team_member WHERE agent = $1 ORDER BY team

-- :roles_all
SELECT id, ext, name, permissions FROM role WHERE workspace = $1 ORDER BY id

-- :role_insert
INSERT INTO role(id, workspace, ext, name, permissions, created_ms)
VALUES ((SELECT CASE WHEN MAX(id) > 100 THEN MAX(id) + 1 ELSE 101 END FROM role), $1, $2, $3, $4, $5)

-- :role_save
UPDATE role SET name = $2, permissions = $3 WHERE id = $1

-- :role_remove
DELETE FROM role WHERE id = $1

-- :role_by_ext
SELECT id, name, permissions FROM role WHERE workspace = $1 AND ext = $2

-- :role_clash
SELECT id FROM role WHERE workspace = $1 AND name = $2 AND id <> $3

-- :role_count
SELECT COUNT(*) FROM role WHERE workspace = $1

-- :role_users
-- How many have it; an agent without a row has the role 1.
SELECT COUNT(*) FROM principal p LEFT JOIN agent_profile a ON a.agent = p.id
WHERE p.workspace = $1 AND p.role = 2 AND p.revoked_ms = 0 AND COALESCE(a.role, 1) = $2

-- :agents_after
SELECT id, ext, name, email, revoked_ms, created_ms FROM principal WHERE workspace = $1 AND role = 2 AND id > $2
ORDER BY id LIMIT $3

-- :agent_profiles_all
SELECT p.id, p.ext, p.revoked_ms, COALESCE(a.role, 1), COALESCE(a.capacity, 5), COALESCE(a.wake_cap, 2),
       COALESCE(a.schedule, 0), COALESCE(a.languages, ''), COALESCE(a.skills, ''), COALESCE(a.reach_rev, 0),
       COALESCE(a.status, 4), COALESCE(a.chosen, 1), COALESCE(a.reason, ''), COALESCE(a.since_ms, p.created_ms)
FROM principal p LEFT JOIN agent_profile a ON a.agent = p.id
WHERE p.workspace = $1 AND p.role = 2 ORDER BY p.id

-- :agent_profile_make
INSERT INTO agent_profile(agent, since_ms) VALUES ($1, $2) ON CONFLICT (agent) DO NOTHING

-- :agent_profile_save
UPDATE agent_profile SET role = $2, capacity = $3, wake_cap = $4, schedule = $5, languages = $6, skills = $7
WHERE agent = $1

-- :agent_rename
UPDATE principal SET name = $2 WHERE id = $1 AND role = 2

-- :agent_reach_moved
UPDATE agent_profile SET reach_rev = $2 WHERE agent = $1

-- :agent_role
-- What a reader has to know of an agent. permissions: NULL = of a built-in role, or of none.
SELECT COALESCE(a.role, 1), r.permissions, COALESCE(a.reach_rev, 0), p.ext
FROM principal p LEFT JOIN agent_profile a ON a.agent = p.id LEFT JOIN role r ON r.id = a.role
WHERE p.id = $1 AND p.role = 2 AND p.revoked_ms = 0

-- :agent_status_save
UPDATE agent_profile SET status = $2, chosen = $3, reason = $4, since_ms = $5 WHERE agent = $1

-- :agent_status_get
SELECT status, chosen, reason, since_ms FROM agent_profile WHERE agent = $1

-- :agent_status_note
INSERT INTO agent_status_log(agent, at_ms, status, reason, actor) VALUES ($1, $2, $3, $4, $5)

-- :agent_status_since
-- His newest changes first.
SELECT at_ms, status, reason FROM agent_status_log WHERE agent = $1 ORDER BY id DESC LIMIT 1000

-- :agent_status_all
SELECT l.id, p.ext, l.status, l.reason, l.at_ms, l.actor FROM agent_status_log l JOIN principal p ON p.id = l.agent
WHERE p.workspace = $1 AND l.at_ms >= $2 AND l.id > $3 ORDER BY l.id LIMIT $4

-- :agent_status_one
SELECT l.id, p.ext, l.status, l.reason, l.at_ms, l.actor FROM agent_status_log l JOIN principal p ON p.id = l.agent
WHERE p.workspace = $1 AND l.at_ms >= $2 AND l.id > $3 AND l.agent = $5 ORDER BY l.id LIMIT $4

-- :away_reasons_all
SELECT reason, minutes FROM away_reason WHERE workspace = $1 ORDER BY reason

-- :away_reason_put
INSERT INTO away_reason(workspace, reason, minutes) VALUES ($1, $2, $3)
ON CONFLICT (workspace, reason) DO UPDATE SET minutes = excluded.minutes

-- :away_reason_remove
DELETE FROM away_reason WHERE workspace = $1 AND reason = $2

-- :conversation_reach
-- Who may read it.
SELECT team, assignee, invited, workspace FROM conversation WHERE id = $1

-- :invites_of
SELECT agent FROM conversation_invite WHERE conv = $1 ORDER BY agent

-- :invite_get
SELECT 1 FROM conversation_invite WHERE conv = $1 AND agent = $2

-- :conversation_invite_put
INSERT INTO conversation_invite(conv, agent, actor, at_ms) VALUES ($1, $2, $3, $4)

-- :invite_remove
DELETE FROM conversation_invite WHERE conv = $1 AND agent = $2

-- :scope_left_again
-- Of a conversation that leaves a scope it has left before: one row for both. The + keeps SQLite from walking the whole
-- scope by the primary key: a conversation has left a few, a team's scope was left by all it ever had.
DELETE FROM scope WHERE +scope = $1 AND conv = $2 AND is_left = 1

-- :scope_left_put
INSERT INTO scope(scope, rev, conv, is_left) VALUES ($1, $2, $3, 1) ON CONFLICT (scope, rev) DO NOTHING

-- :scope_left_of
-- All scopes that a conversation has left.
SELECT scope, rev FROM scope WHERE conv = $1 AND is_left = 1

-- :scope_left_since
SELECT s.rev, c.id, c.ext, c.team, c.assignee, c.invited FROM scope s JOIN conversation c ON c.id = s.conv
WHERE s.scope = $1 AND s.rev > $2 AND s.is_left = 1 ORDER BY s.rev LIMIT $3

-- :audit_forward
-- $3: principal, -1 = by whomever; $4: action, '' = whatever.
SELECT id, at_ms, actor, actor_role, action, object, detail FROM audit
WHERE id > $1 AND ($3 = -1 OR actor = $3) AND ($4 = '' OR action = $4) ORDER BY id LIMIT $2

-- :audit_backward
SELECT id, at_ms, actor, actor_role, action, object, detail FROM audit
WHERE id < $1 AND ($3 = -1 OR actor = $3) AND ($4 = '' OR action = $4) ORDER BY id DESC LIMIT $2
