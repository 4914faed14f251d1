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

-- What earlier versions did not write down of a ticket, as far as its row says: it waited for people until it was
-- assigned, was solved, perhaps opened again at once, solved for the last time, closed. Whatever lies between counts as
-- handling; the bot, holds and the customer's tier of then are not known. seq: the last message of then.
INSERT INTO ticket_event(ticket, number, kind, at_ms, status, team, agent, seq, tier)
SELECT h.ticket, ROW_NUMBER() OVER (PARTITION BY h.ticket ORDER BY h.step), h.kind, h.at_ms, h.status, t.team,
       t.assignee, COALESCE((SELECT e.seq FROM entry e WHERE e.conv = t.conv AND e.log = 0 AND e.ts <= h.at_ms
                             ORDER BY e.seq DESC LIMIT 1), t.first_seq), NULL
FROM (SELECT id AS ticket, 1 AS step, 1 AS kind, created_ms AS at_ms, 1 AS status FROM ticket
      UNION ALL SELECT id, 2, 2, issued_ms, 2 FROM ticket WHERE issued_ms > 0
      UNION ALL SELECT id, 3, 2, assigned_ms, 4 FROM ticket WHERE issued_ms > 0 AND assigned_ms > 0
                AND (solved_ms = 0 OR assigned_ms < solved_ms)
      UNION ALL SELECT id, 4, 2, solved_ms, 8 FROM ticket WHERE solved_ms > 0
      UNION ALL SELECT id, 5, 2, solved_ms, 4 FROM ticket WHERE solved_ms > 0 AND last_solved_ms > solved_ms
      UNION ALL SELECT id, 6, 2, last_solved_ms, 8 FROM ticket WHERE solved_ms > 0 AND last_solved_ms > solved_ms
      UNION ALL SELECT id, 7, 2, closed_ms, 9 FROM ticket WHERE status = 9 AND closed_ms > 0
      UNION ALL SELECT id, 7, 2, status_ms, status FROM ticket WHERE issued_ms > 0 AND status BETWEEN 2 AND 7) h
JOIN ticket t ON t.id = h.ticket;
