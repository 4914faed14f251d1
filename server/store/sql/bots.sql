-- :bots_all
SELECT id, app, principal, kind, is_on, is_offline, live, canary, canary_share, holdout, url, articles, secret, timeout_ms
FROM bot WHERE removed_ms = 0 ORDER BY id

-- :bot_by_principal
-- A bot by its outside id.
SELECT b.id, b.app, b.kind, b.is_on, b.is_offline, b.holdout, b.url, b.articles, b.secret, b.timeout_ms, b.live, b.canary,
       b.before, b.canary_share
FROM bot b JOIN principal p ON p.id = b.principal WHERE p.ext = $1 AND b.removed_ms = 0

-- :bot_clash
-- Whether that app has a bot, or that principal is one.
SELECT id FROM bot WHERE (app = $1 OR principal = $2) AND removed_ms = 0 LIMIT 1

-- :bot_conversation
SELECT c.key, a.ext FROM conversation c JOIN app a ON a.id = c.app WHERE c.id = $1

-- :bot_customer
SELECT ext, external_id, COALESCE(locale, (SELECT d.locale FROM device d
       WHERE d.principal = p.id AND d.locale IS NOT NULL ORDER BY d.seen_ms DESC LIMIT 1)), attrs, name
FROM principal p WHERE id = $1

-- :bot_event_forget
UPDATE bot_event SET question = NULL WHERE conv = $1 AND question IS NOT NULL

-- :bot_event_forget_message
UPDATE bot_event SET question = NULL WHERE conv = $1 AND seq = $2 AND question IS NOT NULL

-- :bot_event_put
INSERT INTO bot_event(bot, conv, seq, at_ms, kind, version, rule, score, lang, question)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- :bot_learn_from
-- The newest draft, when it is newer than what is live, else what is live.
SELECT v.id, v.source FROM bot_version v JOIN bot b ON b.id = v.bot
WHERE v.bot = $1 AND (v.id = b.live OR (v.published_ms = 0 AND v.id > b.live)) ORDER BY v.id DESC LIMIT 1

-- :bot_offline_live
-- What devices of an app's customers may have of its bot, when it is built in and on.
SELECT v.id, v.hash, length(v.blob) FROM bot b JOIN bot_version v ON v.id = b.live
WHERE b.app = $1 AND b.removed_ms = 0 AND b.is_on = 1 AND b.is_offline = 1 AND b.kind = 1

-- :bot_offline_part
SELECT substr(blob, $2, $3) FROM bot_version WHERE id = $1

-- :bot_insert
INSERT INTO bot(workspace, app, principal, kind, is_on, url, articles, secret, timeout_ms, created_ms)
VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9)

-- :bot_publish
UPDATE bot SET live = $2, canary = $3, before = $4, canary_share = $5 WHERE id = $1

-- :bot_question
-- The next message of the customer (or of the visitor he was) that has to be answered.
SELECT e.seq, e.kind, e.body FROM entry e JOIN principal p ON p.id = e.author
WHERE e.conv = $1 AND e.log = 0 AND e.seq > $2 AND e.seq <= $3 AND e.kind IN (1, 2) AND p.role = 1
ORDER BY e.seq LIMIT 1

-- :bot_question_settle
UPDATE bot_event SET is_settled = 1 WHERE id = $1 AND bot = $2 AND question IS NOT NULL AND is_settled = 0

-- :bot_question_text
SELECT question, lang FROM bot_event WHERE id = $1 AND bot = $2 AND question IS NOT NULL

-- :bot_questions_of
SELECT e.id, e.question, e.at_ms, c.ext, e.seq, e.lang FROM bot_event e JOIN conversation c ON c.id = e.conv
WHERE e.bot = $1 AND e.question IS NOT NULL AND e.is_settled = 0 AND ($2 = '' OR e.lang = $2) AND e.at_ms >= $3
ORDER BY e.id DESC LIMIT $4

-- :bot_questions_of_conversation
-- What the numbers keep of a person's words.
SELECT seq, at_ms, question FROM bot_event WHERE conv = $1 AND question IS NOT NULL ORDER BY id

-- :bot_remove
UPDATE bot SET removed_ms = $2, is_on = 0, live = 0, canary = 0, before = 0, canary_share = 0, secret = NULL WHERE id = $1

-- :bot_report_after
SELECT seq, kind, body FROM entry WHERE conv = $1 AND log = 0 AND seq > $2 ORDER BY seq LIMIT $3

-- :bot_report_rows
-- All rows of each conversation in which something happened in that time: what came before and after decides too. The
-- plus keeps the planner to the index by conversation, which needs no sort.
SELECT e.conv, e.at_ms, e.seq, e.kind, e.version, e.rule, e.lang FROM bot_event e
WHERE e.conv IN (SELECT conv FROM bot_event WHERE bot = $1 AND at_ms >= $2 AND at_ms < $3) AND +e.bot = $1
ORDER BY e.conv, e.id

-- :bot_report_silence
-- From the entry before a message to the message.
SELECT a.ts - (SELECT b.ts FROM entry b WHERE b.conv = $1 AND b.log = 0 AND b.seq = $2 - 1)
FROM entry a WHERE a.conv = $1 AND a.log = 0 AND a.seq = $2

-- :bot_set
UPDATE bot SET is_on = $2, is_offline = $3, holdout = $4, url = $5, articles = $6, secret = $7, timeout_ms = $8
WHERE id = $1

-- :bot_state_act
UPDATE bot_state SET version = $2, is_in_flow = $3, answered = $4, calling = $5, state = $6 WHERE conv = $1

-- :bot_state_ask
UPDATE bot_state SET asked = $2 WHERE conv = $1

-- :bot_state_begin
INSERT INTO bot_state(conv, bot, asked, answered) VALUES ($1, $2, $3, $4)
ON CONFLICT (conv) DO UPDATE SET bot = excluded.bot, version = 0, is_in_flow = 0, asked = excluded.asked,
       answered = excluded.answered, calling = NULL, state = NULL

-- :bot_state_end
-- People have it: nothing is asked any more. What the bot knew stays until it is given back.
UPDATE bot_state SET answered = asked, calling = NULL WHERE conv = $1

-- :bot_state_forget
-- Of an erased person: what the bot had learned from him. Nothing is asked any more.
UPDATE bot_state SET version = 0, is_in_flow = 0, answered = asked, calling = NULL, state = NULL WHERE conv = $1

-- :bot_state_get
SELECT bot, version, is_in_flow, asked, answered, calling, state FROM bot_state WHERE conv = $1

-- :bot_states_due
SELECT c.ext FROM bot_state s JOIN conversation c ON c.id = s.conv
WHERE (s.asked > s.answered OR s.calling IS NOT NULL) AND c.owner = 1

-- :bot_turns_waiting
-- What waits for a bot that is none of the built-in ones, by its principal.
SELECT b.id, c.id, c.ext, c.customer, c.owner_turn FROM bot_state s JOIN bot b ON b.id = s.bot
JOIN conversation c ON c.id = s.conv
WHERE (s.asked > s.answered OR s.calling IS NOT NULL) AND s.asked > s.answered AND c.owner = 1
      AND b.principal = $1 AND b.kind <> 1 AND b.is_on = 1 AND b.removed_ms = 0
ORDER BY s.conv LIMIT $2

-- :bot_version_again
-- The same source once more: a newer program learns more of it.
UPDATE bot_version SET report = $2, blob = $3, label = CASE WHEN $4 = '' THEN label ELSE $4 END
WHERE id = $1 AND source <> ''

-- :bot_version_blob
SELECT blob, hash FROM bot_version WHERE id = $1

-- :bot_version_count
SELECT COUNT(*) FROM bot_version WHERE bot = $1

-- :bot_version_find
-- By the first digits of the hash: $2 with zeros behind, $3 with ones. Two are enough to know that it is ambiguous.
SELECT id, hash FROM bot_version WHERE bot = $1 AND hash >= $2 AND hash <= $3 ORDER BY hash LIMIT 2

-- :bot_version_hash
SELECT hash FROM bot_version WHERE id = $1

-- :bot_version_insert
INSERT INTO bot_version(bot, hash, label, created_ms, report, source, blob) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- :bot_version_list
SELECT id, hash, label, published_ms, created_ms, LENGTH(blob) FROM bot_version WHERE bot = $1 ORDER BY id DESC LIMIT $2

-- :bot_version_prune
-- $2 versions that nothing needs: drafts first, oldest first. $3: the one that was just made.
DELETE FROM bot_version WHERE id IN (
        SELECT v.id FROM bot_version v JOIN bot b ON b.id = v.bot
        WHERE v.bot = $1 AND v.id NOT IN (b.live, b.canary, b.before, $3)
              AND NOT EXISTS (SELECT 1 FROM bot_state s WHERE s.version = v.id AND s.is_in_flow = 1)
        ORDER BY CASE WHEN v.published_ms = 0 THEN 0 ELSE 1 END, v.id LIMIT $2)

-- :bot_version_published
UPDATE bot_version SET published_ms = $2 WHERE id = $1 AND published_ms = 0

-- :bot_version_source
SELECT hash, label, source FROM bot_version WHERE id = $1

-- :bot_versions_empty
-- Of a bot that is removed. The rows stay: what it did names them, and no later version may have their number.
UPDATE bot_version SET source = '', blob = $2 WHERE bot = $1

-- :bot_versions_needed
-- What may have to answer now, what most conversations have first.
SELECT needed.id FROM (
        SELECT live AS id, 0 AS place FROM bot WHERE removed_ms = 0 AND live <> 0
        UNION ALL SELECT canary, 1 FROM bot WHERE removed_ms = 0 AND canary <> 0
        UNION ALL SELECT s.version, 2 FROM bot_state s JOIN conversation c ON c.id = s.conv
                  JOIN bot b ON b.id = s.bot
                  WHERE s.is_in_flow = 1 AND s.version <> 0 AND c.owner = 1 AND b.removed_ms = 0) AS needed
GROUP BY needed.id ORDER BY MIN(needed.place), needed.id

-- :bots_described
SELECT p.ext, p.name, a.ext, b.kind, b.is_on, b.is_offline, b.holdout, b.url, b.articles, b.timeout_ms, b.canary_share,
       (SELECT v.hash FROM bot_version v WHERE v.id = b.live), (SELECT v.hash FROM bot_version v WHERE v.id = b.canary),
       (SELECT v.hash FROM bot_version v WHERE v.id = b.before), (SELECT COUNT(*) FROM bot_version v WHERE v.bot = b.id),
       b.created_ms
FROM bot b JOIN principal p ON p.id = b.principal JOIN app a ON a.id = b.app
WHERE b.removed_ms = 0 ORDER BY b.id LIMIT $1
