-- SPDX-License-Identifier: Apache-2.0
-- Service recovery: cases of unhappy customers.

-- stage, outcome, metric: server/desk/recovery/recovery_private.h. rated: the agent it is about, 0 = nobody. owner: 0 =
-- nobody could be found. is_invited: the desk has invited the owner to the conversation. from_ms: since when its deadlines
-- count (opened, or opened again). first_ms, is_in_time: the first contact of all, and whether it was in time; contacted_ms:
-- the first one since from_ms. taken_on_ms: somebody has taken on an action with a date, or it was resolved. *_before and
-- *_after: scores, NULL = none. told: bits of deadlines whose passing was told. next_ms: what time brings next, 0 = nothing.
CREATE TABLE recovery_case (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        customer INTEGER NOT NULL,
        conv INTEGER NOT NULL REFERENCES conversation (id),
        ticket INTEGER NOT NULL DEFAULT 0,
        rated INTEGER NOT NULL DEFAULT 0,
        team INTEGER NOT NULL DEFAULT 0,
        owner INTEGER NOT NULL DEFAULT 0,
        is_invited INTEGER NOT NULL DEFAULT 0,
        stage INTEGER NOT NULL,
        outcome INTEGER NOT NULL DEFAULT 0,
        reason TEXT NOT NULL DEFAULT '',
        cause TEXT NOT NULL DEFAULT '',
        tier TEXT NOT NULL DEFAULT '',
        opened_ms INTEGER NOT NULL,
        from_ms INTEGER NOT NULL,
        schedule INTEGER NOT NULL DEFAULT 0,
        contact_within_ms INTEGER NOT NULL,
        fix_within_ms INTEGER NOT NULL,
        contact_due_ms INTEGER NOT NULL,
        fix_due_ms INTEGER NOT NULL,
        first_ms INTEGER NOT NULL DEFAULT 0,
        is_in_time INTEGER NOT NULL DEFAULT 0,
        contacted_ms INTEGER NOT NULL DEFAULT 0,
        taken_on_ms INTEGER NOT NULL DEFAULT 0,
        is_fix_in_time INTEGER NOT NULL DEFAULT 0,
        resolved_ms INTEGER NOT NULL DEFAULT 0,
        contacts INTEGER NOT NULL DEFAULT 0,
        triggers INTEGER NOT NULL DEFAULT 0,
        reopens INTEGER NOT NULL DEFAULT 0,
        escalations INTEGER NOT NULL DEFAULT 0,
        earlier INTEGER NOT NULL DEFAULT 0,
        metric_before INTEGER NOT NULL DEFAULT 0,
        score_before INTEGER,
        top_before INTEGER NOT NULL DEFAULT 0,
        metric_after INTEGER NOT NULL DEFAULT 0,
        score_after INTEGER,
        top_after INTEGER NOT NULL DEFAULT 0,
        resurvey_ms INTEGER NOT NULL DEFAULT 0,
        asked_ms INTEGER NOT NULL DEFAULT 0,
        told INTEGER NOT NULL DEFAULT 0,
        next_ms INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX recovery_case_ext ON recovery_case (ext);
CREATE INDEX recovery_case_customer ON recovery_case (customer, id);
CREATE INDEX recovery_case_conv ON recovery_case (conv, id);
CREATE INDEX recovery_case_owner ON recovery_case (owner, id);
CREATE INDEX recovery_case_opened ON recovery_case (workspace, opened_ms, id);
CREATE INDEX recovery_case_open ON recovery_case (owner, id) WHERE stage IN (1, 2, 4);
CREATE INDEX recovery_case_next ON recovery_case (next_ms) WHERE next_ms > 0;

-- Why it was opened, and what came while it was open. offer: row id in survey_offer, 0 = none: one answer stands at one
-- case. score NULL = none.
CREATE TABLE recovery_trigger (
        id INTEGER NOT NULL PRIMARY KEY,
        case_id INTEGER NOT NULL REFERENCES recovery_case (id),
        kind INTEGER NOT NULL,
        offer INTEGER NOT NULL DEFAULT 0,
        offer_ext INTEGER NOT NULL DEFAULT 0,
        ticket INTEGER NOT NULL DEFAULT 0,
        rated INTEGER NOT NULL DEFAULT 0,
        metric INTEGER NOT NULL DEFAULT 0,
        score INTEGER,
        top INTEGER NOT NULL DEFAULT 0,
        is_standing INTEGER NOT NULL DEFAULT 1,
        at_ms INTEGER NOT NULL
);
CREATE INDEX recovery_trigger_case ON recovery_trigger (case_id, id);
CREATE UNIQUE INDEX recovery_trigger_offer ON recovery_trigger (offer) WHERE offer > 0;

-- What was done, by whom, when: only ever added to; an erasure of the customer takes `text` away. version: of the case
-- after it. actor: 0 = the desk. What the other columns mean: recovery_private.h.
CREATE TABLE recovery_log (
        id INTEGER NOT NULL PRIMARY KEY,
        case_id INTEGER NOT NULL REFERENCES recovery_case (id),
        version INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        actor INTEGER NOT NULL DEFAULT 0,
        kind INTEGER NOT NULL,
        word TEXT NOT NULL DEFAULT '',
        number INTEGER NOT NULL DEFAULT 0,
        other INTEGER NOT NULL DEFAULT 0,
        text TEXT
);
CREATE INDEX recovery_log_case ON recovery_log (case_id, id);

-- What somebody is to do. number: counted in the case. text NULL: erased.
CREATE TABLE recovery_action (
        case_id INTEGER NOT NULL REFERENCES recovery_case (id),
        number INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        due_ms INTEGER NOT NULL DEFAULT 0,
        done_ms INTEGER NOT NULL DEFAULT 0,
        done_by INTEGER NOT NULL DEFAULT 0,
        text TEXT,
        PRIMARY KEY (case_id, number)
) WITHOUT ROWID;

-- Words for what was the matter, beside those built in. A removed one keeps its row; so does a built-in one that was.
CREATE TABLE recovery_cause (
        workspace INTEGER NOT NULL,
        cause TEXT NOT NULL,
        removed_ms INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (workspace, cause)
) WITHOUT ROWID;

-- A workspace without a row has the defaults. csat_low: of five; 0 = no case by that score. nps_low -1 = the same. tiers:
-- one a line, whose missed targets open a case.
CREATE TABLE recovery_settings (
        workspace INTEGER NOT NULL PRIMARY KEY,
        csat_low INTEGER NOT NULL,
        nps_low INTEGER NOT NULL,
        ces_low INTEGER NOT NULL,
        takes_tick INTEGER NOT NULL,
        contact_ms INTEGER NOT NULL,
        fix_ms INTEGER NOT NULL,
        is_business INTEGER NOT NULL,
        resurvey_ms INTEGER NOT NULL,
        tiers TEXT NOT NULL DEFAULT ''
);
