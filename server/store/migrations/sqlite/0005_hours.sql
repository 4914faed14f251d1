-- SPDX-License-Identifier: Apache-2.0
-- Schedules, SLA policies and the clocks of tickets.

-- removed_ms: 0 = it is there.
CREATE TABLE schedule (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        name TEXT NOT NULL,
        removed_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX schedule_ext ON schedule (ext);

-- In force from from_ms until the next one of the schedule. hours, days: as server/desk/hours/calendar_text.c prints them, a
-- day a line. tzdata: release of the time zone database; zone_data: what it said of the zone, so that what was counted can
-- be counted again.
CREATE TABLE schedule_version (
        id INTEGER NOT NULL PRIMARY KEY,
        schedule INTEGER NOT NULL REFERENCES schedule (id),
        from_ms INTEGER NOT NULL,
        zone TEXT NOT NULL,
        hours TEXT NOT NULL,
        days TEXT NOT NULL,
        tzdata TEXT NOT NULL,
        zone_data BLOB NOT NULL
);
CREATE INDEX schedule_version_of ON schedule_version (schedule, id);

-- place: the order in which they are tried. is_removed: tickets issued since removed_from_ms do not get it any more.
CREATE TABLE sla_policy (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        place INTEGER NOT NULL,
        is_removed INTEGER NOT NULL DEFAULT 0,
        removed_from_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX sla_policy_ext ON sla_policy (ext);

-- For tickets issued since from_ms. condition: as server/desk/rules prints it. targets: unit:amount of each priority and
-- metric (server/desk/hours/sla.h). pauses: bits of statuses.
CREATE TABLE sla_version (
        id INTEGER NOT NULL PRIMARY KEY,
        policy INTEGER NOT NULL REFERENCES sla_policy (id),
        from_ms INTEGER NOT NULL,
        name TEXT NOT NULL,
        condition TEXT NOT NULL,
        schedule INTEGER NOT NULL DEFAULT 0,
        targets TEXT NOT NULL,
        pauses INTEGER NOT NULL,
        warn_percent INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
);
CREATE INDEX sla_version_of ON sla_version (policy, id);

-- The clock of a ticket as memory has it; made again from sla_event. terms: sla_version, 0 = none. events: how many there
-- are. meters: packed (server/desk/hours/clock_row.c). first_ms, resolution_ms, total_ms: business time counted, bot_ms: with
-- the bot; _phase: enum sla_phase; for reports.
CREATE TABLE sla_clock (
        ticket INTEGER NOT NULL PRIMARY KEY REFERENCES ticket (id),
        terms INTEGER NOT NULL,
        status INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        misses INTEGER NOT NULL,
        events INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        meters BLOB NOT NULL,
        first_phase INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        resolution_phase INTEGER NOT NULL,
        resolution_ms INTEGER NOT NULL,
        total_ms INTEGER NOT NULL,
        bot_ms INTEGER NOT NULL
);

-- What moved the clock of a ticket, in order. kind, status: server/desk/hours/sla.h, server/desk/tickets.
CREATE TABLE sla_event (
        ticket INTEGER NOT NULL REFERENCES ticket (id),
        number INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        status INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        terms INTEGER NOT NULL,
        PRIMARY KEY (ticket, number)
) WITHOUT ROWID;

-- A target that was missed, once. seq: of a next response, the customer's message that waited; else 0. team, assignee: whose
-- the ticket was when it was found.
CREATE TABLE sla_miss (
        ticket INTEGER NOT NULL REFERENCES ticket (id),
        metric INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        found_ms INTEGER NOT NULL,
        terms INTEGER NOT NULL,
        team INTEGER NOT NULL,
        assignee INTEGER NOT NULL,
        PRIMARY KEY (ticket, metric, seq)
) WITHOUT ROWID;
CREATE INDEX sla_miss_due ON sla_miss (due_ms);
