-- SPDX-License-Identifier: Apache-2.0
-- Rules and routing.

-- condition: canonical text (server/desk/rules/condition.h); names have become ids. place: rules are looked at by it, then by
-- id. team, priority: 0 = it says none. skills, tags: one a line. stops: when it matches, no later rule is looked at.
CREATE TABLE rule (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        condition TEXT NOT NULL,
        team INTEGER NOT NULL DEFAULT 0,
        priority INTEGER NOT NULL DEFAULT 0,
        skills TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '',
        is_on INTEGER NOT NULL DEFAULT 1,
        stops INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX rule_ext ON rule (ext);
CREATE UNIQUE INDEX rule_name ON rule (workspace, name);

-- ---- routing ----

-- How tickets are routed; no row = as server/desk/routing/settings.c begins.
CREATE TABLE routing_setting (
        workspace INTEGER NOT NULL PRIMARY KEY REFERENCES workspace (id),
        silent_ms INTEGER NOT NULL,
        default_team INTEGER NOT NULL DEFAULT 0,
        miss_is_away INTEGER NOT NULL DEFAULT 1
);

-- What a ticket takes of an agent's capacity: the first row that fits. app, priority: 0 = any.
CREATE TABLE routing_weight (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        place INTEGER NOT NULL,
        app INTEGER NOT NULL DEFAULT 0,
        priority INTEGER NOT NULL DEFAULT 0,
        weight INTEGER NOT NULL,
        PRIMARY KEY (workspace, place)
) WITHOUT ROWID;

-- A pending ticket that an agent is asked to take.
CREATE TABLE routing_offer (
        ticket INTEGER NOT NULL PRIMARY KEY REFERENCES ticket (id),
        agent INTEGER NOT NULL,
        until_ms INTEGER NOT NULL
);

-- Who got which ticket. how: 1 routed, 2 accepted, 3 by hand. waited_ms: it was without anybody before; place: where in
-- the queue that began, 0 = not known.
CREATE TABLE routing_given (
        id INTEGER NOT NULL PRIMARY KEY,
        team INTEGER NOT NULL,
        agent INTEGER NOT NULL,
        customer INTEGER NOT NULL,
        ticket INTEGER NOT NULL REFERENCES ticket (id),
        at_ms INTEGER NOT NULL,
        how INTEGER NOT NULL,
        waited_ms INTEGER NOT NULL,
        place INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX routing_given_team ON routing_given (team, id);
CREATE INDEX routing_given_agent ON routing_given (agent, id);
CREATE INDEX routing_given_customer ON routing_given (customer, id);
