-- SPDX-License-Identifier: Apache-2.0
-- Reports: the short history of tickets, what is counted of each thing, and what it adds up to (docs/reports.md).

-- What happened to a ticket, seldom enough to be kept. kind: 1 made, 2 status, 3 team or assignee.
-- status, team, agent: after it. seq: head of the public log then. tier: of the customer, at kind 1.
CREATE TABLE ticket_event (
        ticket BIGINT NOT NULL REFERENCES ticket (id),
        number BIGINT NOT NULL,
        kind BIGINT NOT NULL,
        at_ms BIGINT NOT NULL,
        status BIGINT NOT NULL,
        team BIGINT NOT NULL,
        agent BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        tier TEXT,
        PRIMARY KEY (ticket, number)
);

-- What is counted of a ticket: a row for each that counts. *_ms: moments; ended_ms: of its last solving, 0 while it is not
-- solved. by_bot: people never had it. flow: moments of solvings (below 0) and reopenings, with a space between; is_again: more
-- than one. figures: the numbers of server/desk/reports/fact.h, packed.
CREATE TABLE report_ticket (
        ticket BIGINT NOT NULL PRIMARY KEY REFERENCES ticket (id),
        issued_ms BIGINT NOT NULL,
        solved_ms BIGINT NOT NULL,
        ended_ms BIGINT NOT NULL,
        app BIGINT NOT NULL,
        team BIGINT NOT NULL,
        agent BIGINT NOT NULL,
        priority BIGINT NOT NULL,
        by_bot BIGINT NOT NULL,
        lang TEXT NOT NULL,
        topic TEXT NOT NULL,
        tier TEXT NOT NULL,
        flow TEXT NOT NULL,
        is_again BIGINT NOT NULL,
        figures BYTEA NOT NULL
);
CREATE INDEX report_ticket_issued ON report_ticket (issued_ms, ticket);
CREATE INDEX report_ticket_solved ON report_ticket (solved_ms, ticket) WHERE solved_ms > 0;
CREATE INDEX report_ticket_ended ON report_ticket (ended_ms, ticket);
CREATE INDEX report_ticket_agent ON report_ticket (agent, issued_ms, ticket);
CREATE INDEX report_ticket_again ON report_ticket (ended_ms, ticket) WHERE is_again = 1;

-- What is counted of an asking: a row for each that counts as offered. top, score: NULL = none.
CREATE TABLE report_offer (
        offer BIGINT NOT NULL PRIMARY KEY,
        metric BIGINT NOT NULL,
        offered_ms BIGINT NOT NULL,
        top BIGINT NOT NULL,
        score BIGINT,
        is_answered BIGINT NOT NULL,
        app BIGINT NOT NULL,
        team BIGINT NOT NULL,
        agent BIGINT NOT NULL,
        by_bot BIGINT NOT NULL,
        lang TEXT NOT NULL,
        topic TEXT NOT NULL,
        tier TEXT NOT NULL,
        version BIGINT NOT NULL
);
CREATE INDEX report_offer_at ON report_offer (metric, offered_ms, offer);

-- Sums of a day (days since 1970, of the zone of reports) of one value of one dimension: server/desk/reports/cell.h. An
-- empty cell has no row.
CREATE TABLE report_cell (
        dim BIGINT NOT NULL,
        key TEXT NOT NULL,
        day BIGINT NOT NULL,
        body BYTEA NOT NULL,
        PRIMARY KEY (dim, key, day)
);

-- Messages of a quarter of an hour (number since 1970). kind: 1 by customers (agent 0), 2 by that agent.
CREATE TABLE report_traffic (
        kind BIGINT NOT NULL,
        slot BIGINT NOT NULL,
        agent BIGINT NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (kind, slot, agent)
);

-- How far the numbers are made: up to which row id tickets, offers and conversations are in them; the highest number there
-- is = all, now and later. zone: of its days.
CREATE TABLE report_state (
        workspace BIGINT NOT NULL PRIMARY KEY REFERENCES workspace (id),
        zone TEXT NOT NULL,
        tickets BIGINT NOT NULL,
        offers BIGINT NOT NULL,
        conversations BIGINT NOT NULL
);

-- Lines that the workspace wants to reach, in the metric's unit.
CREATE TABLE report_target (
        workspace BIGINT NOT NULL REFERENCES workspace (id),
        metric TEXT NOT NULL,
        value BIGINT NOT NULL,
        PRIMARY KEY (workspace, metric)
);
