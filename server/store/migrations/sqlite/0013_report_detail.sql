-- SPDX-License-Identifier: Apache-2.0
-- Reports: what bots came to, and the ways to messages and to what agents were doing (docs/reports.md).

-- What is counted of an episode of a bot (docs/bots.md). episode: the row of bot_event that begins it. outcome: enum bot_outcome
-- (server/desk/bot_outcomes.h), as it is once it is decided; before open_ms it is not. app: the bot's. lang: it spoke.
CREATE TABLE report_episode (
        episode INTEGER NOT NULL PRIMARY KEY,
        conv INTEGER NOT NULL,
        bot INTEGER NOT NULL,
        began_ms INTEGER NOT NULL,
        open_ms INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        app INTEGER NOT NULL,
        lang TEXT NOT NULL
);
CREATE INDEX report_episode_conv ON report_episode (conv, bot, episode);
CREATE INDEX report_episode_at ON report_episode (began_ms, episode);
CREATE INDEX report_episode_bot ON report_episode (bot, began_ms, episode);
CREATE INDEX report_episode_open ON report_episode (open_ms);

-- Up to which row id of conversations their episodes are in the numbers; as the others.
ALTER TABLE report_state ADD COLUMN episodes INTEGER NOT NULL DEFAULT 0;

-- Public messages by when they were said, and by whom.
CREATE INDEX entry_said ON entry (ts, conv, seq, author) WHERE log = 0 AND author <> 0;
CREATE INDEX agent_status_log_when ON agent_status_log (agent, at_ms, id);
