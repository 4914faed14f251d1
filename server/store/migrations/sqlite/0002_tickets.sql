-- SPDX-License-Identifier: Apache-2.0
-- Tickets: episodes of a conversation that need people.

-- status, priority: server/desk/tickets. number: counted in the workspace. tags, skills: JSON arrays of words; fields: a
-- JSON object. first_seq: the message it began with. queued_ms: since when nobody has it. follows, merged_into, split_from:
-- other tickets. sla_due_ms, sla_misses, offered_to: as lists show them; what they are made from is kept by its own part.
CREATE TABLE ticket (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        number INTEGER NOT NULL,
        conv INTEGER NOT NULL REFERENCES conversation (id),
        customer INTEGER NOT NULL,
        app INTEGER NOT NULL,
        status INTEGER NOT NULL,
        status_ms INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        team INTEGER NOT NULL DEFAULT 0,
        assignee INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL DEFAULT 1,
        subject TEXT,
        topic TEXT,
        lang TEXT,
        tags TEXT,
        skills TEXT,
        fields TEXT,
        first_seq INTEGER NOT NULL DEFAULT 0,
        issued_ms INTEGER NOT NULL DEFAULT 0,
        queued_ms INTEGER NOT NULL DEFAULT 0,
        assigned_ms INTEGER NOT NULL DEFAULT 0,
        first_reply_ms INTEGER NOT NULL DEFAULT 0,
        solved_ms INTEGER NOT NULL DEFAULT 0,
        last_solved_ms INTEGER NOT NULL DEFAULT 0,
        closed_ms INTEGER NOT NULL DEFAULT 0,
        reopens INTEGER NOT NULL DEFAULT 0,
        transfers INTEGER NOT NULL DEFAULT 0,
        snooze_until_ms INTEGER NOT NULL DEFAULT 0,
        consent_seq INTEGER NOT NULL DEFAULT 0,
        reminded_ms INTEGER NOT NULL DEFAULT 0,
        is_exempt INTEGER NOT NULL DEFAULT 0,
        is_handed INTEGER NOT NULL DEFAULT 0,
        follows INTEGER NOT NULL DEFAULT 0,
        merged_into INTEGER NOT NULL DEFAULT 0,
        split_from INTEGER NOT NULL DEFAULT 0,
        close_reason TEXT,
        sla_due_ms INTEGER NOT NULL DEFAULT 0,
        sla_misses INTEGER NOT NULL DEFAULT 0,
        offered_to INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX ticket_ext ON ticket (ext);
CREATE UNIQUE INDEX ticket_number ON ticket (workspace, number);
CREATE INDEX ticket_conv ON ticket (conv, id);
CREATE INDEX ticket_customer ON ticket (customer, id);
CREATE INDEX ticket_open ON ticket (id) WHERE status < 9;
CREATE INDEX ticket_closed ON ticket (workspace, closed_ms, id) WHERE status = 9;
CREATE INDEX ticket_closed_team ON ticket (team, closed_ms, id) WHERE status = 9;
CREATE INDEX ticket_closed_assignee ON ticket (assignee, closed_ms, id) WHERE status = 9;

-- What the workspace calls a status in a language; NULL = as life.json says.
CREATE TABLE ticket_label (
        workspace INTEGER NOT NULL,
        status INTEGER NOT NULL,
        lang TEXT NOT NULL,
        label TEXT,
        customer TEXT,
        PRIMARY KEY (workspace, status, lang)
) WITHOUT ROWID;
