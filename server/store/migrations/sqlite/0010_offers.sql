-- SPDX-License-Identifier: Apache-2.0
-- The asking: one row for each time that a customer was, will be or was not to be asked how it went.

-- cause: 1 solved, 2 closed, 3 days after, 4 by hand, 5 by a back end, 6 by a macro, 7 about a recovery case. ticket: 0 =
-- none; solving: its reopens when it was solved. metric: 1 csat, 2 nps, 3 ces; top: the highest score of its scale.
-- state: 1 planned (no message yet), 2 waiting, 3 answered, 4 expired, 5 withdrawn, 6 refused; reason: why it ended, or
-- why the gate said no. due_ms: when it is to be asked; seq: of its message, 0 = none; remind_ms: when to remind, 0 =
-- never; until_ms: answers are taken until then; change_ms: how long an answer may be changed. answered_ms: first answer;
-- changed_ms: last one. comment, answers: what the customer said, NULL = nothing, or erased; answers is a JSON array of
-- survey_said. way: 1 chat, 2 link. agent (the last who wrote), team, lang, topic, tier, by_bot (no person wrote): as it
-- was when it was asked. asked_by: the row id of who asked by hand. next_ms: when time does something to it, 0 = never.
CREATE TABLE survey_offer (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        survey INTEGER NOT NULL,
        version INTEGER NOT NULL,
        metric INTEGER NOT NULL,
        top INTEGER NOT NULL,
        cause INTEGER NOT NULL,
        ticket INTEGER NOT NULL DEFAULT 0,
        solving INTEGER NOT NULL DEFAULT 0,
        recovery_case INTEGER NOT NULL DEFAULT 0,
        conv INTEGER NOT NULL REFERENCES conversation (id),
        customer INTEGER NOT NULL,
        app INTEGER NOT NULL,
        state INTEGER NOT NULL,
        reason TEXT,
        planned_ms INTEGER NOT NULL,
        due_ms INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL DEFAULT 0,
        offered_ms INTEGER NOT NULL DEFAULT 0,
        remind_ms INTEGER NOT NULL DEFAULT 0,
        reminded_ms INTEGER NOT NULL DEFAULT 0,
        until_ms INTEGER NOT NULL DEFAULT 0,
        change_ms INTEGER NOT NULL DEFAULT 0,
        ended_ms INTEGER NOT NULL DEFAULT 0,
        answered_ms INTEGER NOT NULL DEFAULT 0,
        changed_ms INTEGER NOT NULL DEFAULT 0,
        score INTEGER,
        comment TEXT,
        answers TEXT,
        wants_contact INTEGER NOT NULL DEFAULT 0,
        is_locked INTEGER NOT NULL DEFAULT 0,
        way INTEGER NOT NULL DEFAULT 0,
        agent INTEGER NOT NULL DEFAULT 0,
        team INTEGER NOT NULL DEFAULT 0,
        lang TEXT,
        topic TEXT,
        tier TEXT,
        by_bot INTEGER NOT NULL DEFAULT 0,
        asked_by INTEGER NOT NULL DEFAULT 0,
        next_ms INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX survey_offer_ext ON survey_offer (ext);
CREATE UNIQUE INDEX survey_offer_solving ON survey_offer (ticket, solving)
        WHERE ticket > 0 AND recovery_case = 0 AND state < 5;
CREATE UNIQUE INDEX survey_offer_seq ON survey_offer (conv, seq) WHERE seq > 0;
CREATE INDEX survey_offer_next ON survey_offer (next_ms, id) WHERE next_ms > 0;
CREATE INDEX survey_offer_conv ON survey_offer (conv, id);
CREATE INDEX survey_offer_ticket ON survey_offer (ticket, id) WHERE ticket > 0;
CREATE INDEX survey_offer_customer ON survey_offer (customer, metric, offered_ms);
CREATE INDEX survey_offer_case ON survey_offer (recovery_case) WHERE recovery_case > 0;
CREATE INDEX survey_offer_answered ON survey_offer (workspace, answered_ms, id) WHERE answered_ms > 0;

-- The words of what a customer said, for finding.
CREATE TABLE survey_word (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        word TEXT NOT NULL,
        offer INTEGER NOT NULL REFERENCES survey_offer (id),
        PRIMARY KEY (workspace, word, offer)
) WITHOUT ROWID;
CREATE INDEX survey_word_offer ON survey_word (offer);
