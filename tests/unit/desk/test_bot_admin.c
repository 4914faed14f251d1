/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's bots: which app has one, the versions that are kept, and which of them speaks. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_builder.h"
#include "unit/desk/room.h"

static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/* ---- steps ---- */

static json_t *try_add(struct room *room, const char *name, const char *kind, const char *more)
{
        return room_operate(room, "bot.add", "{\"cmid\":\"%s\",\"app\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\"%s}",
                            room_cmid(room), room->app, name, kind, more);
}

/* The bot's id; lent until the fourth call after. */
static const char *add(struct room *room, const char *name)
{
        static char ids[4][32];
        static unsigned turn;
        char *id = ids[turn++ % 4];
        json_t *made = try_add(room, name, "built_in", "");
        assert_non_null(words(made, "result.bot"));
        snprintf(id, sizeof ids[0], "%s", words(made, "result.bot"));
        json_decref(made);
        return id;
}

/* A bot that answers with `answer`, as the text of a JSON string. Free it. */
static char *quoted_source(const char *answer)
{
        json_t *bot = json_pack("{s:s, s:s, s:{s:{s:{s:{s:[s], s:[s]}}}}}", "schema", "bot/1", "lang", "en", "faqs",
                                "hours", "texts", "en", "answers", answer, "patterns", "opening hours");
        char *plain = json_dumps(bot, JSON_COMPACT | JSON_SORT_KEYS);
        json_t *text = json_string(plain);
        char *quoted = json_dumps(text, JSON_ENCODE_ANY);
        json_decref(bot);
        json_decref(text);
        free(plain);
        assert_non_null(quoted);
        return quoted;
}

static json_t *try_draft(struct room *room, const char *bot, const char *answer, const char *more)
{
        char *source = quoted_source(answer);
        json_t *drafted = room_operate(room, "bot.draft", "{\"bot\":\"%s\",\"source\":%s%s}", bot, source, more);
        free(source);
        return drafted;
}

/* The version's 64 digits; lent until the eighth call after. */
static const char *draft(struct room *room, const char *bot, const char *answer)
{
        static char versions[8][65];
        static unsigned turn;
        char *version = versions[turn++ % 8];
        json_t *drafted = try_draft(room, bot, answer, "");
        assert_non_null(words(drafted, "result.version"));
        snprintf(version, sizeof versions[0], "%s", words(drafted, "result.version"));
        json_decref(drafted);
        return version;
}

static json_t *publish(struct room *room, const char *bot, const char *version, int share)
{
        return room_operate(room, "bot.publish", "{\"cmid\":\"%s\",\"bot\":\"%s\",\"version\":\"%s\",\"share\":%d}",
                            room_cmid(room), bot, version, share);
}

static json_t *plain(struct room *room, const char *method, const char *bot)
{
        return room_operate(room, method, "{\"cmid\":\"%s\",\"bot\":\"%s\"}", room_cmid(room), bot);
}

static json_t *set(struct room *room, const char *bot, const char *more)
{
        return room_operate(room, "bot.set", "{\"cmid\":\"%s\",\"bot\":\"%s\"%s}", room_cmid(room), bot, more);
}

/* The answer to a publication says where things stand, and so does the list. NULL: nothing there. */
static void check_places(json_t *answer, const char *live, const char *before, const char *canary)
{
        const struct {
                const char *path, *expected;
        } places[] = {{"result.live", live}, {"result.before", before}, {"result.canary", canary}};
        for (size_t i = 0; i < 3; i++) {
                const char *found = words(answer, places[i].path);
                if (places[i].expected)
                        assert_string_equal(places[i].expected, found ? found : "nothing");
                else
                        assert_null(found);
        }
        json_decref(answer);
}

static void run_sql(struct room *room, const char *script)
{
        assert_int_equal(DB_OK, db_exec(room->desk->db, script));
}

/* ---- which app has a bot ---- */

static void an_app_has_one_bot_and_a_bot_one_app(void **state)
{
        struct room *room = *state;
        json_t *other = room_operate(room, "app.add", "{\"cmid\":\"%s\",\"name\":\"Site\"}", room_cmid(room));
        const char *bot = add(room, "Helper");
        take_error(try_add(room, "Second", "built_in", ""), "conflict");
        snprintf(room->app, sizeof room->app, "%s", words(other, "result.app"));
        take_error(try_add(room, "Helper", "built_in", ""), "conflict");
        assert_string_not_equal(bot, add(room, "Second"));
        assert_int_equal(2, room_sql(room, "SELECT COUNT(*) FROM bot"));
        assert_int_equal(2, room_sql(room, "SELECT COUNT(*) FROM principal WHERE role = 3"));
        json_decref(other);
}

static void a_bot_that_has_a_key_already_is_the_same_bot(void **state)
{
        struct room *room = *state;
        json_t *key = room_operate(room, "access.add",
                                   "{\"cmid\":\"%s\",\"kind\":\"bot\",\"app\":\"%s\",\"bot\":\"Robo\",\"label\":\"x\","
                                   "\"key_hash\":\"%064d\"}",
                                   room_cmid(room), room->app, 7);
        json_t *made = try_add(room, "Robo", "program", "");
        assert_string_equal(words(key, "result.bot"), words(made, "result.bot"));
        json_decref(key);
        json_decref(made);
}

static void each_kind_has_what_it_needs_and_nothing_else(void **state)
{
        struct room *room = *state;
        static const struct {
                const char *kind, *more, *field;
        } wrong[] = {
                {"webhook", "", "url"},
                {"webhook", ",\"url\":\"https://bot.example/\"", "secret"},
                {"webhook", ",\"url\":\"https://10.0.0.1/\",\"secret\":\"%s\"", "url"},
                {"built_in", ",\"secret\":\"%s\"", "secret"},
                {"built_in", ",\"articles\":\"javascript:alert(1)\"", "articles"},
                {"program", ",\"url\":\"https://bot.example/\",\"secret\":\"%s\"", "url"},
                {"webhook", ",\"url\":\"https://bot.example/\",\"secret\":\"whsec_%0*d\"", "secret"},
        };
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                char more[256];
                const char *hole = strchr(wrong[i].more, '%');
                snprintf(more, sizeof more, "%.*s%s%s", hole ? (int)(hole - wrong[i].more) : 255, wrong[i].more,
                         !hole            ? ""
                         : hole[1] == 's' ? secret
                                          : "00000000000000000000000000000000!",
                         hole ? "\"" : "");
                json_t *answer = try_add(room, "Helper", wrong[i].kind, more);
                assert_string_equal(wrong[i].field, words(answer, "error.data.field"));
                take_error(answer, "bad_request");
        }
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM bot"));
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM principal WHERE role = 3"));
}

static void what_is_set_is_listed_and_the_rest_stays(void **state)
{
        struct room *room = *state;
        char more[256];
        const char *bot = add(room, "Helper");
        snprintf(more, sizeof more,
                 ",\"holdout\":10,\"articles\":\"https://help.example/\",\"url\":\"https://shop.example/c\","
                 "\"secret\":\"%s\"",
                 secret);
        take_result(set(room, bot, more));
        take_result(set(room, bot, ",\"on\":false,\"offline\":true,\"timeout_ms\":2500"));
        json_t *list = room_operate(room, "bot.list", "{}");
        json_t *row = json_array_get(json_object_get(json_object_get(list, "result"), "bots"), 0);
        assert_int_equal(10, number(row, "holdout"));
        assert_int_equal(2500, number(row, "timeout_ms"));
        assert_string_equal("https://help.example/", words(row, "articles"));
        assert_string_equal("https://shop.example/c", words(row, "url"));
        assert_true(json_is_false(json_object_get(row, "on")));
        assert_true(json_is_true(json_object_get(row, "offline")));
        assert_null(json_object_get(row, "secret"));
        json_decref(list);
        take_result(set(room, bot, ",\"url\":\"\",\"articles\":\"\""));
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM bot WHERE url IS NULL AND secret IS NULL AND articles "
                                           "IS NULL AND holdout = 10 AND timeout_ms = 2500"));
        take_error(set(room, bot, ",\"holdout\":91"), "bad_request");
        take_error(set(room, "bot_0000000000001", ",\"on\":true"), "not_found");
}

static void the_desk_knows_a_change_after_its_commit_and_only_then(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper"), *version = draft(room, bot, "We open at nine.");
        assert_int_equal(1, room->desk->bots.count);
        assert_int_equal(0, room->desk->bots.rows[0].live);
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        take_error(publish(room, bot, version, 100), "storage_full");
        db_fault_reset(&db_sqlite);
        room->desk->retry_write_ms = 0;
        assert_int_equal(0, room->desk->bots.rows[0].live);
        take_result(publish(room, bot, version, 100));
        assert_int_equal(room_sql(room, "SELECT id FROM bot_version"), room->desk->bots.rows[0].live);
        take_result(plain(room, "bot.remove", bot));
        assert_int_equal(0, room->desk->bots.count);
}

static void a_removed_bot_leaves_its_place_and_takes_its_versions(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper");
        take_result(publish(room, bot, draft(room, bot, "Nine."), 100));
        take_result(plain(room, "bot.remove", bot));
        take_error(plain(room, "bot.remove", bot), "not_found");
        take_error(room_operate(room, "bot.versions", "{\"bot\":\"%s\"}", bot), "not_found");
        assert_int_equal(0, room_sql(room, "SELECT SUM(LENGTH(source) + LENGTH(blob)) FROM bot_version"));
        assert_string_equal(bot, add(room, "Helper")); /* the same name is the same one as before */
        draft(room, bot, "Nine.");
        assert_int_equal(2, room_sql(room, "SELECT MAX(id) FROM bot_version")); /* no number is used twice */
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM bot WHERE removed_ms = 0 AND live = 0"));
        room_check(room);
}

static void a_repeat_is_answered_as_before(void **state)
{
        struct room *room = *state;
        const char *cmid = room_cmid(room);
        static const char form[] = "{\"cmid\":\"%s\",\"app\":\"%s\",\"name\":\"%s\",\"kind\":\"built_in\"}";
        json_t *first = room_operate(room, "bot.add", form, cmid, room->app, "Helper");
        json_t *again = room_operate(room, "bot.add", form, cmid, room->app, "Helper");
        assert_string_equal(words(first, "result.bot"), words(again, "result.bot"));
        take_error(room_operate(room, "bot.add", form, cmid, room->app, "Other"), "idempotency_conflict");
        json_decref(first);
        json_decref(again);
}

static void each_change_leaves_a_line_in_the_audit_trail(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper"), *a = draft(room, bot, "A."), *b = draft(room, bot, "B.");
        int64_t before = room_sql(room, "SELECT COUNT(*) FROM audit");
        take_result(set(room, bot, ",\"on\":true"));
        take_result(publish(room, bot, a, 100));
        take_result(publish(room, bot, b, 10));
        take_result(plain(room, "bot.canary_end", bot));
        take_result(publish(room, bot, b, 100));
        take_result(plain(room, "bot.rollback", bot));
        take_result(plain(room, "bot.remove", bot));
        assert_int_equal(before + 7, room_sql(room, "SELECT COUNT(*) FROM audit"));
        assert_int_equal(2, room_sql(room, "SELECT COUNT(*) FROM audit WHERE action = 'bot.draft'"));
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM audit WHERE action LIKE 'bot.%' AND object NOT LIKE "
                                           "'bot_%'"));
}

/* ---- versions ---- */

static void the_same_source_is_the_same_version(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper");
        json_t *first = try_draft(room, bot, "Nine.", ",\"label\":\"one\"");
        json_t *again = try_draft(room, bot, "Nine.", ",\"label\":\"two\"");
        assert_true(json_is_true(json_object_get(json_object_get(first, "result"), "is_new")));
        assert_true(json_is_false(json_object_get(json_object_get(again, "result"), "is_new")));
        assert_string_equal(words(first, "result.version"), words(again, "result.version"));
        json_t *languages = json_object_get(json_object_get(first, "result"), "languages");
        assert_int_equal(1, json_array_size(languages));
        assert_string_equal("en", words(json_array_get(languages, 0), "lang"));
        assert_non_null(words(json_array_get(languages, 0), "error")); /* it has no examples */
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM bot_version WHERE label = 'two'"));
        json_decref(first);
        json_decref(again);
}

/* What another program learned may be unreadable to this one; pushing the same files again is the way out. */
static void the_same_source_once_more_is_learned_anew(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper");
        take_result(publish(room, bot, draft(room, bot, "Nine."), 100));
        run_sql(room, "UPDATE bot_version SET blob = x'00'");
        draft(room, bot, "Nine.");
        struct db_stmt *stmt = db_stmt(room->desk->db, SQL_BOT_VERSION_BLOB);
        db_bind_int(stmt, 1, room->desk->bots.rows[0].live);
        assert_int_equal(DB_ROW, db_step(stmt));
        struct bot_version *version = bot_version_load(db_blob(stmt, 0), NULL);
        db_reset(stmt);
        assert_non_null(version);
        bot_version_free(version);
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
}

static void a_source_comes_back_as_it_was(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper"), *version = draft(room, bot, "At \"nine\".\nReally: 9.");
        take_error(room_operate(room, "bot.source", "{\"bot\":\"%s\"}", bot), "not_found"); /* nothing is live */
        json_t *got = room_operate(room, "bot.source", "{\"bot\":\"%s\",\"version\":\"%.8s\"}", bot, version);
        char *source = quoted_source("At \"nine\".\nReally: 9.");
        json_t *sent = json_loads(source, JSON_DECODE_ANY, NULL);
        assert_string_equal(json_string_value(sent), words(got, "result.source"));
        assert_string_equal(version, words(got, "result.version"));
        json_decref(sent);
        json_decref(got);
        free(source);
}

static void what_is_no_bot_is_refused_with_what_is_wrong(void **state)
{
        struct room *room = *state;
        static const char *const wrong[] = {
                "\"x x\"",
                "\"[]\"",
                "\"{}\"",
                "\"{\\\"schema\\\":\\\"bot/1\\\",\\\"schema\\\":\\\"bot/1\\\"}\"",
                "\"{\\\"schema\\\":\\\"bot/9\\\",\\\"lang\\\":\\\"en\\\"}\"",
                "\"{\\\"faqs\\\":{\\\"a\\\":{}},\\\"lang\\\":\\\"en\\\",\\\"schema\\\":\\\"bot/1\\\"}\""};
        const char *bot = add(room, "Helper");
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                json_t *answer = room_operate(room, "bot.draft", "{\"bot\":\"%s\",\"source\":%s}", bot, wrong[i]);
                assert_string_equal("source", words(answer, "error.data.field"));
                assert_true(strlen(words(answer, "error.data.expected")) > 8);
                take_error(answer, "bad_request");
        }
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
}

static void only_a_built_in_bot_has_versions(void **state)
{
        struct room *room = *state;
        json_t *made = try_add(room, "Robo", "program", "");
        take_error(try_draft(room, words(made, "result.bot"), "Nine.", ""), "bad_request");
        take_error(try_draft(room, "bot_0000000000001", "Nine.", ""), "not_found");
        json_decref(made);
}

static void enough_first_digits_name_a_version_and_no_other(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper");
        run_sql(room, "INSERT INTO bot_version(bot, hash, created_ms, source, blob) VALUES"
                      "(1, x'abcdef0123456789000000000000000000000000000000000000000000000001', 1, '{}', x'00'),"
                      "(1, x'abcdef012345678a000000000000000000000000000000000000000000000002', 1, '{}', x'00')");
        take_error(publish(room, bot, "abcdef012345", 100), "bad_request");
        take_error(publish(room, bot, "abcdef0", 100), "bad_request");
        take_error(publish(room, bot, "ABCDEF0123456789", 100), "bad_request");
        take_error(publish(room, bot, "abcdef0123456788", 100), "not_found");
        take_result(publish(room, bot, "abcdef012345678a", 100));
        assert_int_equal(1, room_sql(room, "SELECT live = 2 FROM bot"));
        take_result(publish(room, bot, "abcdef0123456789000", 100)); /* an odd number of digits */
        assert_int_equal(1, room_sql(room, "SELECT live = 1 FROM bot"));
}

static void a_publication_moves_live_and_a_roll_back_swaps(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper"), *a = draft(room, bot, "A."), *b = draft(room, bot, "B.");
        take_error(plain(room, "bot.rollback", bot), "bad_request");
        check_places(publish(room, bot, a, 100), a, NULL, NULL);
        check_places(publish(room, bot, a, 100), a, NULL, NULL); /* once more changes nothing */
        check_places(publish(room, bot, b, 100), b, a, NULL);
        check_places(plain(room, "bot.rollback", bot), a, b, NULL);
        check_places(plain(room, "bot.rollback", bot), b, a, NULL);
        assert_int_equal(2, room_sql(room, "SELECT COUNT(*) FROM bot_version WHERE published_ms > 0"));
        room_check(room);
}

static void a_trial_stands_beside_a_live_version(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper"), *a = draft(room, bot, "A."), *b = draft(room, bot, "B.");
        take_error(publish(room, bot, a, 10), "bad_request"); /* nothing is live */
        take_error(plain(room, "bot.canary_end", bot), "bad_request");
        take_result(publish(room, bot, a, 100));
        take_error(publish(room, bot, a, 10), "bad_request");
        json_t *trial = publish(room, bot, b, 10);
        assert_int_equal(10, number(trial, "result.canary_share"));
        check_places(trial, a, NULL, b);
        assert_int_equal(10, room->desk->bots.rows[0].canary_share);
        check_places(plain(room, "bot.canary_end", bot), a, NULL, NULL);
        take_result(publish(room, bot, b, 25));
        check_places(publish(room, bot, b, 100), b, a, NULL); /* it went well */
        take_result(publish(room, bot, draft(room, bot, "C."), 50));
        check_places(plain(room, "bot.rollback", bot), a, b, NULL); /* a trial ends with it */
        assert_int_equal(0, room_sql(room, "SELECT canary_share FROM bot"));
        room_check(room);
}

static void versions_are_listed_newest_first_with_what_they_are(void **state)
{
        struct room *room = *state;
        static const char *const states[] = {"draft", "canary", "live", "before", "past"};
        const char *bot = add(room, "Helper");
        static const char *const answers[] = {"A.", "B.", "C."};
        for (size_t i = 0; i < 3; i++)
                take_result(publish(room, bot, draft(room, bot, answers[i]), 100));
        take_result(publish(room, bot, draft(room, bot, "D."), 5));
        draft(room, bot, "E.");
        json_t *got = room_operate(room, "bot.versions", "{\"bot\":\"%s\"}", bot);
        json_t *rows = json_object_get(json_object_get(got, "result"), "versions");
        assert_int_equal(5, json_array_size(rows));
        for (size_t i = 0; i < 5; i++) {
                assert_string_equal(states[i], words(json_array_get(rows, i), "state"));
                assert_true(number(json_array_get(rows, i), "bytes") > 8);
                assert_int_equal(i > 0, json_object_get(json_array_get(rows, i), "published") != NULL);
        }
        json_decref(got);
        room_check(room);
}

static void two_hundred_versions_are_kept_and_none_that_is_needed_goes(void **state)
{
        struct room *room = *state;
        const char *bot = add(room, "Helper");
        const char *live = draft(room, bot, "Live."), *before = draft(room, bot, "Before.");
        take_result(publish(room, bot, before, 100));
        take_result(publish(room, bot, live, 100));
        take_result(publish(room, bot, draft(room, bot, "Trial."), 5));
        draft(room, bot, "In a dialogue.");
        run_sql(room, "INSERT INTO bot_state(conv, bot, version, is_in_flow) SELECT 1, 1, MAX(id), 1 FROM bot_version");
        run_sql(room, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 198) "
                      "INSERT INTO bot_version(bot, hash, published_ms, created_ms, source, blob, label) "
                      "SELECT 1, CAST(printf('%032d', i) AS BLOB), i % 2, 1, '{}', x'00', 'filler' FROM n");
        draft(room, bot, "Newest.");
        assert_int_equal(200, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
        assert_int_equal(195, room_sql(room, "SELECT COUNT(*) FROM bot_version WHERE label = 'filler'"));
        /* The three oldest drafts went; what was published stayed. */
        assert_int_equal(96, room_sql(room, "SELECT COUNT(*) FROM bot_version WHERE label = 'filler' AND "
                                            "published_ms = 0"));
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM bot_version v JOIN bot_state s ON s.version = v.id"));
        assert_int_equal(3,
                         room_sql(room, "SELECT COUNT(*) FROM bot_version v JOIN bot b ON v.id IN (b.live, b.before, "
                                        "b.canary)"));
}

/* ---- the builder's thread ---- */

enum { POSTED = 4 };

struct called {
        atomic_int count, refused;
};

static void count_call(void *data, struct span response)
{
        struct called *called = data;
        if (memmem(response.at, response.len, "\"error\":{", 9))
                atomic_fetch_add(&called->refused, 1);
        atomic_fetch_add(&called->count, 1);
}

static int post(struct room *room, const char *bot, const char *answer, struct called *called)
{
        char *source = quoted_source(answer), params[2048];
        int len = snprintf(params, sizeof params, "{\"bot\":\"%s\",\"source\":%s}", bot, source);
        free(source);
        return desk_post_operator(room->desk, SPAN("bot.draft"), params, (size_t)len, count_call, called);
}

static void a_served_desk_is_handed_what_the_builder_has_made(void **state)
{
        struct room *room = *state;
        struct called called = {0};
        const char *bot = add(room, "Helper");
        assert_int_equal(-PROTOCOL_ERR_UNAVAILABLE, post(room, bot, "Nine.", &called)); /* no builder yet */
        assert_int_equal(DB_OK, bot_builder_start(room->desk));
        assert_int_equal(0, post(room, bot, "Nine.", &called));
        room->desk->pending = mailbox_wait(&room->desk->in, 30000);
        assert_non_null(room->desk->pending);
        assert_int_equal(0, called.count); /* not before the commit */
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
        room_turn(room);
        assert_int_equal(1, called.count);
        assert_int_equal(0, called.refused);
        assert_int_equal(1, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
        bot_builder_stop(room->desk);
        assert_true(post(room, bot, "Ten.", &called) < 0);
}

static void every_caller_hears_once_when_the_server_stops(void **state)
{
        struct room *room = *state;
        struct called called = {0};
        const char *bot = add(room, "Helper");
        int posted = 0;
        assert_int_equal(DB_OK, bot_builder_start(room->desk));
        for (int i = 0; i < 2 * POSTED; i++) {
                char answer[24];
                snprintf(answer, sizeof answer, "Answer %d.", i);
                posted += post(room, bot, answer, &called) == 0;
        }
        assert_in_range(posted, POSTED, 2 * POSTED);
        bot_builder_stop(room->desk);
        room_turn(room);
        assert_int_equal(posted, called.count);
        assert_int_equal(posted - called.refused, room_sql(room, "SELECT COUNT(*) FROM bot_version"));
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_ROOM(an_app_has_one_bot_and_a_bot_one_app),
                IN_ROOM(a_bot_that_has_a_key_already_is_the_same_bot),
                IN_ROOM(each_kind_has_what_it_needs_and_nothing_else),
                IN_ROOM(what_is_set_is_listed_and_the_rest_stays),
                IN_ROOM(the_desk_knows_a_change_after_its_commit_and_only_then),
                IN_ROOM(a_removed_bot_leaves_its_place_and_takes_its_versions),
                IN_ROOM(a_repeat_is_answered_as_before),
                IN_ROOM(each_change_leaves_a_line_in_the_audit_trail),
                IN_ROOM(the_same_source_is_the_same_version),
                IN_ROOM(the_same_source_once_more_is_learned_anew),
                IN_ROOM(a_source_comes_back_as_it_was),
                IN_ROOM(what_is_no_bot_is_refused_with_what_is_wrong),
                IN_ROOM(only_a_built_in_bot_has_versions),
                IN_ROOM(enough_first_digits_name_a_version_and_no_other),
                IN_ROOM(a_publication_moves_live_and_a_roll_back_swaps),
                IN_ROOM(a_trial_stands_beside_a_live_version),
                IN_ROOM(versions_are_listed_newest_first_with_what_they_are),
                IN_ROOM(two_hundred_versions_are_kept_and_none_that_is_needed_goes),
                IN_ROOM(a_served_desk_is_handed_what_the_builder_has_made),
                IN_ROOM(every_caller_hears_once_when_the_server_stops),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
