-- SPDX-License-Identifier: Apache-2.0
-- Canned replies, macros, drafts and who is looking.

-- A canned reply. owner: 0 everybody, else the agent whose own it is. lang: of the text that answers for a language that
-- has none. What stands for a variable without a value is written behind it in the text: {{customer.name|there}}.
CREATE TABLE canned (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        owner INTEGER NOT NULL DEFAULT 0,
        shortcut TEXT NOT NULL,
        name TEXT NOT NULL,
        folder TEXT NOT NULL DEFAULT '',
        lang TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1,
        uses INTEGER NOT NULL DEFAULT 0,
        used_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX canned_ext ON canned (ext);
CREATE UNIQUE INDEX canned_shortcut ON canned (workspace, owner, shortcut);

CREATE TABLE canned_text (
        canned INTEGER NOT NULL REFERENCES canned (id),
        lang TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (canned, lang)
) WITHOUT ROWID;

CREATE TABLE canned_word (
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        word TEXT NOT NULL,
        canned INTEGER NOT NULL REFERENCES canned (id),
        PRIMARY KEY (workspace, word, canned)
) WITHOUT ROWID;
CREATE INDEX canned_word_canned ON canned_word (canned);

-- actions: a JSON array of macro_action.
CREATE TABLE macro (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        owner INTEGER NOT NULL DEFAULT 0,
        name TEXT NOT NULL,
        actions TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1,
        uses INTEGER NOT NULL DEFAULT 0,
        used_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX macro_ext ON macro (ext);
CREATE UNIQUE INDEX macro_name ON macro (workspace, owner, name);

-- What an agent was writing. log: as of entry. A draft that was sent or emptied keeps its row for its version: text NULL.
CREATE TABLE draft (
        agent INTEGER NOT NULL REFERENCES principal (id),
        conv INTEGER NOT NULL REFERENCES conversation (id),
        log INTEGER NOT NULL,
        version INTEGER NOT NULL,
        text TEXT,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (agent, conv, log)
) WITHOUT ROWID;
CREATE INDEX draft_conv ON draft (conv);

-- An agent was named in a note, or invited. iseq: of that note, or of the invitation's entry.
CREATE TABLE mention (
        id INTEGER NOT NULL PRIMARY KEY,
        agent INTEGER NOT NULL REFERENCES principal (id),
        conv INTEGER NOT NULL REFERENCES conversation (id),
        iseq INTEGER NOT NULL,
        author INTEGER NOT NULL,
        is_invite INTEGER NOT NULL DEFAULT 0,
        at_ms INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX mention_entry ON mention (conv, iseq, agent);
CREATE INDEX mention_unseen ON mention (agent, id) WHERE seen_ms = 0;
