-- SPDX-License-Identifier: Apache-2.0
-- Teams, roles, agents and their status.

-- manner: enum people_manner (server/desk/people/people.h). accept_ms 0: tickets are assigned without asking. schedule 0:
-- always open. A removed team keeps its row, because old tickets name it.
CREATE TABLE team (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        name TEXT NOT NULL,
        manner INTEGER NOT NULL,
        sticky_ms INTEGER NOT NULL,
        accept_ms INTEGER NOT NULL,
        schedule INTEGER NOT NULL DEFAULT 0,
        requeue_ms INTEGER NOT NULL,
        wants_consent INTEGER NOT NULL DEFAULT 0,
        offline_requeue INTEGER NOT NULL DEFAULT 1,
        must_speak INTEGER NOT NULL DEFAULT 0,
        removed_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX team_ext ON team (ext);
CREATE UNIQUE INDEX team_name ON team (workspace, name) WHERE removed_ms = 0;

CREATE TABLE team_member (
        team INTEGER NOT NULL REFERENCES team (id),
        agent INTEGER NOT NULL REFERENCES principal (id),
        PRIMARY KEY (team, agent)
) WITHOUT ROWID;
CREATE INDEX team_member_agent ON team_member (agent);

-- Custom roles; their ids are above PEOPLE_ROLE_CUSTOM. permissions: names with a space between; one that is not known
-- allows nothing.
CREATE TABLE role (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        name TEXT NOT NULL,
        permissions TEXT NOT NULL,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX role_ext ON role (ext);
CREATE UNIQUE INDEX role_name ON role (workspace, name);

-- An agent without a row has the role `agent` and everything else as here. languages, skills: one a line. reach_rev: the
-- rev at which what he may read was last changed. status, chosen: enum agent_status; chosen is what he said, status
-- what others see.
CREATE TABLE agent_profile (
        agent INTEGER NOT NULL PRIMARY KEY REFERENCES principal (id),
        role INTEGER NOT NULL DEFAULT 1,
        capacity INTEGER NOT NULL DEFAULT 5,
        wake_cap INTEGER NOT NULL DEFAULT 2,
        schedule INTEGER NOT NULL DEFAULT 0,
        languages TEXT NOT NULL DEFAULT '',
        skills TEXT NOT NULL DEFAULT '',
        reach_rev INTEGER NOT NULL DEFAULT 0,
        status INTEGER NOT NULL DEFAULT 4,
        chosen INTEGER NOT NULL DEFAULT 1,
        reason TEXT NOT NULL DEFAULT '',
        since_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX agent_profile_role ON agent_profile (role);

-- Each change of a status, for reports. actor: who said so; 0 = the server, because a connection came or went.
CREATE TABLE agent_status_log (
        id INTEGER NOT NULL PRIMARY KEY,
        agent INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        status INTEGER NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        actor INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX agent_status_log_agent ON agent_status_log (agent, id);
CREATE INDEX agent_status_log_at ON agent_status_log (at_ms);

-- minutes: allowed in any 24 h; 0 = no bound.
CREATE TABLE away_reason (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        reason TEXT NOT NULL,
        minutes INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (workspace, reason)
) WITHOUT ROWID;

-- Who may read a conversation: those its newest ticket belongs to (0 = none), and those who were invited.
ALTER TABLE conversation ADD COLUMN team INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN assignee INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN invited INTEGER NOT NULL DEFAULT 0;

CREATE TABLE conversation_invite (
        conv INTEGER NOT NULL,
        agent INTEGER NOT NULL,
        actor INTEGER NOT NULL DEFAULT 0,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (conv, agent)
) WITHOUT ROWID;

-- Rows of conversations that have left a scope: one for each of both. Scopes beside those of 0001: workspace * 8 + 4 is
-- what belongs to nobody.
CREATE INDEX scope_left ON scope (conv, scope) WHERE is_left = 1;
