-- SPDX-License-Identifier: Apache-2.0
-- What is known of customers.

-- A typed attribute that the workspace has defined. scope: 1 of customers, 2 of tickets (field.*). kind: 1 text, 2 number,
-- 3 date, 4 bool, 5 choice. choices: a JSON array of words, NULL but for a choice.
CREATE TABLE attribute (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        scope INTEGER NOT NULL,
        name TEXT NOT NULL,
        kind INTEGER NOT NULL,
        label TEXT,
        choices TEXT,
        created_ms INTEGER NOT NULL,
        PRIMARY KEY (workspace, scope, name)
) WITHOUT ROWID;

-- The workspace's loyalty tiers; place 1 is the lowest.
CREATE TABLE tier (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (workspace, place)
) WITHOUT ROWID;

-- Made when something is said of a customer that his principal has no place for. tier: NULL = none. tier_origin: as origin
-- of customer_attribute, 0 = none. blocked_ms: 0 = he is not. version: grows with each change by staff.
CREATE TABLE customer_profile (
        customer INTEGER NOT NULL PRIMARY KEY REFERENCES principal (id),
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        tier TEXT,
        tier_origin INTEGER NOT NULL DEFAULT 0,
        blocked_ms INTEGER NOT NULL DEFAULT 0,
        blocked_by INTEGER NOT NULL DEFAULT 0,
        block_reason TEXT,
        version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX customer_profile_tier ON customer_profile (workspace, tier, customer) WHERE tier IS NOT NULL;
CREATE INDEX customer_profile_blocked ON customer_profile (workspace, customer) WHERE blocked_ms > 0;

-- origin: 1 the user's signed token, 2 the app's back end, 3 the customer's own client, 4 an agent, 5 the operator. The
-- first two are verified. author: of an agent's, 0 otherwise.
CREATE TABLE customer_attribute (
        customer INTEGER NOT NULL REFERENCES principal (id),
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        origin INTEGER NOT NULL,
        author INTEGER NOT NULL DEFAULT 0,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (customer, name)
) WITHOUT ROWID;

CREATE TABLE customer_tag (
        customer INTEGER NOT NULL REFERENCES principal (id),
        tag TEXT NOT NULL,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        PRIMARY KEY (customer, tag)
) WITHOUT ROWID;
CREATE INDEX customer_tag_tag ON customer_tag (workspace, tag, customer);

-- What happened to a customer outside of conversations and tickets. kind: 1 event of the app, 2 screen, 3 note of the
-- team, 4 blocked, 5 unblocked, 6 merged. author: who wrote it, 0 = the app or the customer. app, event, hash: of kind 1.
CREATE TABLE customer_story (
        id INTEGER NOT NULL PRIMARY KEY,
        customer INTEGER NOT NULL REFERENCES principal (id),
        at_ms INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        author INTEGER NOT NULL DEFAULT 0,
        app INTEGER NOT NULL DEFAULT 0,
        event TEXT,
        hash BLOB,
        name TEXT,
        title TEXT,
        url TEXT,
        data TEXT
);
CREATE INDEX customer_story_customer ON customer_story (customer, at_ms, id);
CREATE INDEX customer_story_kind ON customer_story (customer, kind, id);
CREATE UNIQUE INDEX customer_story_event ON customer_story (app, event) WHERE event IS NOT NULL;

-- The words that a customer is found by: of his name, address, the app's id of him and his attributes.
CREATE TABLE customer_word (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        word TEXT NOT NULL,
        customer INTEGER NOT NULL REFERENCES principal (id),
        PRIMARY KEY (workspace, word, customer)
) WITHOUT ROWID;
CREATE INDEX customer_word_customer ON customer_word (customer, word);
