-- SPDX-License-Identifier: Apache-2.0
-- Saved views of tickets.

-- owner: the agent whose own it is; 0 = shared. condition: canonical text (server/desk/rules/condition.h). sort: enum
-- view_sort (server/desk/views/views_private.h).
CREATE TABLE saved_view (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        owner INTEGER NOT NULL DEFAULT 0,
        name TEXT NOT NULL,
        condition TEXT NOT NULL,
        sort INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX saved_view_ext ON saved_view (ext);
CREATE UNIQUE INDEX saved_view_name ON saved_view (workspace, owner, name);

-- What an agent was invited to; closed tickets of a customer, the newest first.
CREATE INDEX conversation_invite_agent ON conversation_invite (agent, conv);
CREATE INDEX ticket_closed_customer ON ticket (customer, closed_ms, id) WHERE status = 9;
