-- SPDX-License-Identifier: Apache-2.0
-- Schema 1. The same tables, columns and indexes as ../postgres/0001_core.sql; ../schema.json describes both.
-- Times are milliseconds since 1970. A number that is "none yet" is 0; NULL is used only where a column says so.

-- "Desk": tells a store of ours from other databases.
PRAGMA application_id = 1147499371;

CREATE TABLE meta (
        name TEXT NOT NULL PRIMARY KEY,
        value
) WITHOUT ROWID;

CREATE TABLE workspace (
        id INTEGER NOT NULL PRIMARY KEY,
        ext INTEGER NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX workspace_ext ON workspace (ext);

CREATE TABLE app (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        origins TEXT NOT NULL DEFAULT '[]',
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX app_ext ON app (ext);
CREATE INDEX app_workspace ON app (workspace);

CREATE TABLE app_key (
        id INTEGER NOT NULL PRIMARY KEY,
        app INTEGER NOT NULL REFERENCES app (id),
        kid TEXT NOT NULL,
        alg INTEGER NOT NULL,
        material BLOB NOT NULL,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX app_key_kid ON app_key (app, kid);

-- An app key (bot 0) or a bot key (bot: its principal). Only the hash of the secret is here.
CREATE TABLE access_key (
        id INTEGER NOT NULL PRIMARY KEY,
        app INTEGER NOT NULL REFERENCES app (id),
        ext INTEGER NOT NULL,
        bot INTEGER NOT NULL DEFAULT 0,
        key_hash BLOB NOT NULL,
        label TEXT NOT NULL DEFAULT '',
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX access_key_ext ON access_key (ext);
CREATE UNIQUE INDEX access_key_hash ON access_key (key_hash);
CREATE INDEX access_key_app ON access_key (app);

-- role: 1 customer, 2 agent, 3 bot. app: of a visitor; 0 for all others.
CREATE TABLE principal (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        role INTEGER NOT NULL,
        app INTEGER NOT NULL DEFAULT 0,
        external_id TEXT,
        secret_hash BLOB,
        name TEXT,
        email TEXT,
        locale TEXT,
        attrs TEXT,
        alias_of INTEGER,
        invite_hash BLOB,
        invite_until_ms INTEGER NOT NULL DEFAULT 0,
        revoked_ms INTEGER NOT NULL DEFAULT 0,
        valid_from_s INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX principal_ext ON principal (ext);
CREATE UNIQUE INDEX principal_external ON principal (workspace, external_id)
        WHERE role = 1 AND external_id IS NOT NULL;
CREATE UNIQUE INDEX principal_secret ON principal (secret_hash) WHERE secret_hash IS NOT NULL;
CREATE UNIQUE INDEX principal_email ON principal (workspace, email) WHERE role = 2 AND email IS NOT NULL;
CREATE UNIQUE INDEX principal_invite ON principal (invite_hash) WHERE invite_hash IS NOT NULL;
CREATE INDEX principal_alias ON principal (alias_of) WHERE alias_of IS NOT NULL;

-- password: argon2id with its salt and costs, as libargon2 writes it. totp: the secret of the authenticator app, NULL =
-- none; totp_new: one that is not confirmed yet; totp_step: of the last code that was used.
CREATE TABLE credential (
        principal INTEGER NOT NULL PRIMARY KEY REFERENCES principal (id),
        password TEXT NOT NULL,
        changed_ms INTEGER NOT NULL,
        totp BLOB,
        totp_new BLOB,
        totp_step INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE staff_session (
        token_hash BLOB NOT NULL PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principal (id),
        label TEXT NOT NULL DEFAULT '',
        created_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX staff_session_principal ON staff_session (principal);

CREATE TABLE device (
        principal INTEGER NOT NULL REFERENCES principal (id),
        device BLOB NOT NULL,
        locale TEXT,
        client TEXT,
        seen_ms INTEGER NOT NULL DEFAULT 0,
        push_service TEXT,
        push_token TEXT,
        push_ms INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (principal, device)
) WITHOUT ROWID;

-- owner: who answers: 0 not decided, 1 the bot, 2 people. owner_turn grows with each turn of the bot and each change of
-- owner. handed_ms: since when it waits for people after the bot; 0 = it does not.
CREATE TABLE conversation (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        app INTEGER NOT NULL REFERENCES app (id),
        customer INTEGER NOT NULL REFERENCES principal (id),
        key TEXT NOT NULL,
        rev INTEGER NOT NULL DEFAULT 0,
        public_rev INTEGER NOT NULL DEFAULT 0,
        head INTEGER NOT NULL DEFAULT 0,
        ihead INTEGER NOT NULL DEFAULT 0,
        first INTEGER NOT NULL DEFAULT 1,
        last_ts INTEGER NOT NULL DEFAULT 0,
        last_seq INTEGER NOT NULL DEFAULT 0,
        last_author INTEGER NOT NULL DEFAULT 0,
        last_kind INTEGER NOT NULL DEFAULT 0,
        last_preview TEXT,
        unread INTEGER NOT NULL DEFAULT 0,
        unanswered INTEGER NOT NULL DEFAULT 0,
        waiting_since INTEGER NOT NULL DEFAULT 0,
        customer_recv INTEGER NOT NULL DEFAULT 0,
        customer_read INTEGER NOT NULL DEFAULT 0,
        staff_recv INTEGER NOT NULL DEFAULT 0,
        staff_read INTEGER NOT NULL DEFAULT 0,
        owner INTEGER NOT NULL DEFAULT 0,
        owner_turn INTEGER NOT NULL DEFAULT 0,
        handed_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX conversation_ext ON conversation (ext);
CREATE UNIQUE INDEX conversation_key ON conversation (app, customer, key);
CREATE INDEX conversation_customer ON conversation (customer);
CREATE INDEX conversation_last ON conversation (workspace, last_ts);
CREATE INDEX conversation_waiting ON conversation (workspace, waiting_since) WHERE unanswered > 0;

-- log: 0 public, 1 team. at_seq: of a team entry, the public head when it was written; NULL in the public log.
-- cmid, hash: NULL for entries that nobody sent. No reference to conversation: the hot append would pay for it; db_check
-- looks instead.
CREATE TABLE entry (
        conv INTEGER NOT NULL,
        log INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at_seq INTEGER,
        ts INTEGER NOT NULL,
        author INTEGER NOT NULL DEFAULT 0,
        kind INTEGER NOT NULL,
        version INTEGER NOT NULL DEFAULT 1,
        cmid BLOB,
        hash BLOB,
        body TEXT,
        PRIMARY KEY (conv, log, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_cmid ON entry (cmid, author) WHERE cmid IS NOT NULL;

-- scope: principal * 8 + 1 (a customer), principal * 8 + 2 (an agent), team * 8 + 3, workspace * 8 (all its staff).
CREATE TABLE scope (
        scope INTEGER NOT NULL,
        rev INTEGER NOT NULL,
        conv INTEGER NOT NULL,
        is_left INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (scope, rev)
) WITHOUT ROWID;

CREATE TABLE staff_mark (
        agent INTEGER NOT NULL,
        conv INTEGER NOT NULL,
        recv INTEGER NOT NULL DEFAULT 0,
        read INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (agent, conv)
) WITHOUT ROWID;

CREATE TABLE done (
        author INTEGER NOT NULL,
        cmid BLOB NOT NULL,
        method INTEGER NOT NULL,
        hash BLOB,
        result TEXT,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (author, cmid)
) WITHOUT ROWID;
CREATE INDEX done_at ON done (at_ms);

-- app: 0 = of all apps. events: bits (server/desk/webhooks.h). bot: author whose messages are not sent there; 0 = none.
-- old_secret is good until old_until_ms. state: 0 active, 1 suspended. failures: in a row. since_ms: of what was accepted
-- after it, while it is active, every event has its rows in outbound.
CREATE TABLE webhook (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        app INTEGER NOT NULL DEFAULT 0,
        ext INTEGER NOT NULL,
        url TEXT NOT NULL,
        events INTEGER NOT NULL,
        bot INTEGER NOT NULL DEFAULT 0,
        secret BLOB NOT NULL,
        old_secret BLOB,
        old_until_ms INTEGER NOT NULL DEFAULT 0,
        state INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        failing_since_ms INTEGER NOT NULL DEFAULT 0,
        paused_until_ms INTEGER NOT NULL DEFAULT 0,
        since_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX webhook_ext ON webhook (ext);

-- kind: 1 webhook, whose id is the target. ext: id of the event, the same for all targets. body: NULL when delivered or
-- erased. state: 0 waiting, 1 delivered, 2 given up. status, answer: of the last try.
CREATE TABLE outbound (
        id INTEGER NOT NULL PRIMARY KEY,
        kind INTEGER NOT NULL,
        target INTEGER NOT NULL DEFAULT 0,
        conv INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL DEFAULT 0,
        ext INTEGER NOT NULL DEFAULT 0,
        event TEXT NOT NULL DEFAULT '',
        body TEXT,
        state INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        due_ms INTEGER NOT NULL DEFAULT 0,
        status INTEGER NOT NULL DEFAULT 0,
        answer TEXT,
        done_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE INDEX outbound_due ON outbound (target, due_ms) WHERE state = 0;
CREATE INDEX outbound_waiting ON outbound (target, conv, id) WHERE state = 0;
CREATE INDEX outbound_done ON outbound (state, done_ms) WHERE state > 0;
CREATE INDEX outbound_about ON outbound (conv, seq);

-- An attachment. ext: its name outside, 128 random bits. asked: hash of what upload.begin said, for repeats of cmid (NULL
-- once it is gone). media, sha256, width, height: as found when it was whole. state: 0 arriving, 1 whole, 2 to be removed
-- from the disk, 3 removed (kept for a day, so that the day's number counts it). conv, log, seq: of the message that
-- carries it; conv 0 = none.
CREATE TABLE file (
        id INTEGER NOT NULL PRIMARY KEY,
        ext BLOB NOT NULL,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        owner INTEGER NOT NULL REFERENCES principal (id),
        cmid BLOB,
        asked BLOB,
        name TEXT NOT NULL,
        media TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 BLOB,
        width INTEGER NOT NULL DEFAULT 0,
        height INTEGER NOT NULL DEFAULT 0,
        state INTEGER NOT NULL DEFAULT 0,
        conv INTEGER NOT NULL DEFAULT 0,
        log INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL DEFAULT 0,
        touched_ms INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX file_ext ON file (ext);
CREATE UNIQUE INDEX file_cmid ON file (owner, cmid) WHERE cmid IS NOT NULL;
CREATE INDEX file_owner ON file (owner, created_ms);
CREATE INDEX file_place ON file (conv, log, seq) WHERE conv <> 0;
CREATE INDEX file_loose ON file (state, touched_ms) WHERE conv = 0;
CREATE INDEX file_gone ON file (id) WHERE state = 2;

-- The bot of an app: at most one that is not removed. kind: 1 built in (answers by its published versions), 2 a webhook,
-- 3 a program with a bot key. live, canary, before: bot_version, 0 = none (before: what was live until the last publish).
-- canary_share, holdout: percent of conversations. url, secret: of the webhook, or where the built-in bot's calls go.
-- articles: what stands before the name of an article.
CREATE TABLE bot (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        app INTEGER NOT NULL REFERENCES app (id),
        principal INTEGER NOT NULL REFERENCES principal (id),
        kind INTEGER NOT NULL,
        is_on INTEGER NOT NULL DEFAULT 0,
        is_offline INTEGER NOT NULL DEFAULT 0,
        live INTEGER NOT NULL DEFAULT 0,
        canary INTEGER NOT NULL DEFAULT 0,
        before INTEGER NOT NULL DEFAULT 0,
        canary_share INTEGER NOT NULL DEFAULT 0,
        holdout INTEGER NOT NULL DEFAULT 0,
        url TEXT,
        articles TEXT,
        secret BLOB,
        timeout_ms INTEGER NOT NULL DEFAULT 0,
        removed_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX bot_app ON bot (app) WHERE removed_ms = 0;
CREATE INDEX bot_principal ON bot (principal);

-- A version: what `deskbell bot build` makes. hash: SHA-256 of its canonical form. source: that form. blob: it and what
-- was learned. published_ms: of the first time, 0 = a draft. report: of the training, JSON.
CREATE TABLE bot_version (
        id INTEGER NOT NULL PRIMARY KEY,
        bot INTEGER NOT NULL REFERENCES bot (id),
        hash BLOB NOT NULL,
        label TEXT NOT NULL DEFAULT '',
        published_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL,
        report TEXT,
        source TEXT NOT NULL,
        blob BLOB NOT NULL
);
CREATE UNIQUE INDEX bot_version_hash ON bot_version (bot, hash);

-- Where a bot is in a conversation. asked: newest seq of the customer that it has to answer; answered: newest one that it
-- has. version: of its last turn; it is kept while is_in_flow. calling: the call whose answer it waits for, JSON.
CREATE TABLE bot_state (
        conv INTEGER NOT NULL PRIMARY KEY,
        bot INTEGER NOT NULL REFERENCES bot (id),
        version INTEGER NOT NULL DEFAULT 0,
        is_in_flow INTEGER NOT NULL DEFAULT 0,
        asked INTEGER NOT NULL DEFAULT 0,
        answered INTEGER NOT NULL DEFAULT 0,
        calling TEXT,
        state TEXT
);
CREATE INDEX bot_state_due ON bot_state (conv) WHERE asked > answered OR calling IS NOT NULL;
CREATE INDEX bot_state_version ON bot_state (version) WHERE is_in_flow = 1;

-- What the bot did and what became of it, one row a happening; its numbers are counted from these. kind: enum bot_happening
-- (server/desk/bots.h). rule: of the answer, flow or handoff. score: 0-1000. question: what the customer asked, digits and
-- addresses masked, where the bot was not sure. lang: it spoke. is_settled: the question became an example, or was put away.
CREATE TABLE bot_event (
        id INTEGER NOT NULL PRIMARY KEY,
        bot INTEGER NOT NULL,
        conv INTEGER NOT NULL,
        seq INTEGER NOT NULL DEFAULT 0,
        at_ms INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        version INTEGER NOT NULL DEFAULT 0,
        rule TEXT NOT NULL DEFAULT '',
        score INTEGER NOT NULL DEFAULT 0,
        lang TEXT NOT NULL DEFAULT '',
        question TEXT,
        is_settled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX bot_event_at ON bot_event (bot, at_ms);
CREATE INDEX bot_event_conv ON bot_event (conv, id);
CREATE INDEX bot_event_question ON bot_event (bot, lang, id) WHERE question IS NOT NULL AND is_settled = 0;

CREATE TABLE job (
        id INTEGER NOT NULL PRIMARY KEY,
        kind INTEGER NOT NULL,
        subject INTEGER NOT NULL DEFAULT 0,
        due_ms INTEGER NOT NULL,
        body TEXT
);
CREATE INDEX job_due ON job (due_ms);
CREATE INDEX job_subject ON job (kind, subject);

CREATE TABLE audit (
        id INTEGER NOT NULL PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        actor INTEGER NOT NULL DEFAULT 0,
        actor_role INTEGER NOT NULL DEFAULT 0,
        action TEXT NOT NULL,
        object TEXT NOT NULL DEFAULT '',
        detail TEXT
);
