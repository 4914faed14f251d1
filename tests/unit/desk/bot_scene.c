/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/desk/bot_scene.h"

#include <pthread.h>
#include <stdlib.h>

#include "bots/check.h"
#include "desk/bot_builder.h"
#include "desk/bot_relearn.h"
#include "desk/bot_thread.h"

enum { PATIENCE_MS = 30000, TURNS_MOST = 40 };

/* ---- what was logged, by whichever thread ---- */

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char logged[16384];

static void keep_line(void *data, const char *line, size_t len)
{
        (void)data;
        pthread_mutex_lock(&log_lock);
        size_t used = strlen(logged);
        if (used + len < sizeof logged) {
                memcpy(logged + used, line, len);
                logged[used + len] = 0;
        }
        pthread_mutex_unlock(&log_lock);
}

int scene_logged(const char *words)
{
        int count = 0;
        pthread_mutex_lock(&log_lock);
        for (const char *at = logged; (at = strstr(at, words)) != NULL; at++)
                count++;
        pthread_mutex_unlock(&log_lock);
        return count;
}

/* ---- the scene ---- */

char *scene_source(const char *text)
{
        struct bot_file file = {"shop.bot", span_of(text)};
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = bot_source_read(&file, 1, problems, NULL);
        assert_non_null(bot);
        assert_true(bot_check(bot, NULL, &file, problems));
        char *canonical = bot_canonical(bot);
        json_decref(bot);
        bot_problems_free(problems);
        return canonical;
}

json_t *scene_operate(struct scene *scene, const char *method, json_t *params)
{
        char *text = json_dumps(params, 0);
        struct writer out;
        writer_init(&out, NULL, 0);
        desk_call(scene->room->desk, span_of(method), text, strlen(text), &out);
        json_t *answer = json_loadb(out.bytes, out.len, 0, NULL);
        writer_done(&out);
        free(text);
        json_decref(params);
        if (!json_object_get(answer, "result"))
                fail_msg("%s: %s", method, words(answer, "error.message"));
        return answer;
}

char *scene_draft(struct scene *scene, const char *text)
{
        char *source = scene_source(text);
        json_t *answer =
                scene_operate(scene, "bot.draft", json_pack("{s:s, s:s}", "bot", scene->bot, "source", source));
        char *version = strdup(words(answer, "result.version"));
        json_decref(answer);
        free(source);
        return version;
}

void scene_publish(struct scene *scene, const char *version)
{
        json_decref(scene_operate(scene, "bot.publish",
                                  json_pack("{s:s, s:s, s:s, s:i}", "cmid", room_cmid(scene->room), "bot", scene->bot,
                                            "version", version, "share", 100)));
        scene->live = room_sql(scene->room, "SELECT live FROM bot");
}

void scene_publish_text(struct scene *scene, const char *text)
{
        char *version = scene_draft(scene, text);
        scene_publish(scene, version);
        free(version);
}

static void enter(struct scene *scene)
{
        scene->ann = room_customer(scene->room, "ann", 0);
        room_agent(scene->room, "Eve", 0);
        free(scene->conv);
        scene->conv = room_conversation(scene->room, &scene->ann, "main");
}

struct scene scene_new(void **state, const char *text)
{
        struct scene scene = {.room = *state};
        logged[0] = 0;
        log_set_sink(keep_line, NULL);
        log_set_level(LOG_INFO);
        json_t *made = scene_operate(&scene, "bot.add",
                                     json_pack("{s:s, s:s, s:s, s:s}", "cmid", room_cmid(scene.room), "app",
                                               scene.room->app, "name", "Robin", "kind", "built_in"));
        snprintf(scene.bot, sizeof scene.bot, "%s", words(made, "result.bot"));
        json_decref(made);
        scene_publish_text(&scene, text);
        json_decref(
                scene_operate(&scene, "bot.set",
                              json_pack("{s:s, s:s, s:b}", "cmid", room_cmid(scene.room), "bot", scene.bot, "on", 1)));
        enter(&scene);
        return scene;
}

void scene_serve(struct scene *scene)
{
        struct desk *desk = scene->room->desk;
        assert_int_equal(DB_OK, bot_builder_start(desk));
        assert_int_equal(DB_OK, bot_thread_start(desk));
        assert_int_equal(DB_OK, bot_relearn_recover(desk));
        assert_int_equal(DB_OK, bot_turns_recover(desk));
}

void scene_restart(struct scene *scene)
{
        room_close(scene->room);
        room_open(scene->room);
        enter(scene);
        scene_serve(scene);
}

void scene_done(struct scene *scene)
{
        room_check(scene->room);
        bot_thread_stop(scene->room->desk);
        bot_builder_stop(scene->room->desk);
        log_set_level(LOG_ERROR + 1);
        log_set_sink(NULL, NULL);
        free(scene->conv);
}

/* ---- spoiling ---- */

static void put_blob(const struct scene *scene, int64_t version, struct span blob)
{
        struct db *db = scene->room->desk->db;
        assert_int_equal(0, db_begin(db));
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_VERSION_AGAIN);
        db_bind_int(stmt, 1, version);
        db_bind_text(stmt, 2, SPAN("{}"));
        db_bind_blob(stmt, 3, blob.at, blob.len);
        db_bind_text(stmt, 4, SPAN(""));
        assert_int_equal(DB_OK, db_run(stmt));
        assert_int_equal(1, db_changes(db));
        assert_int_equal(0, db_commit(db));
}

void scene_put_source(const struct scene *scene, int64_t version, const char *source)
{
        char *sql = NULL;
        struct db *db = scene->room->desk->db;
        assert_true(asprintf(&sql, "UPDATE bot_version SET source = '%s' WHERE id = %lld", source, (long long)version) >
                    0);
        assert_int_equal(0, db_begin(db));
        assert_int_equal(0, db_exec(db, sql));
        assert_int_equal(0, db_commit(db));
        free(sql);
}

void scene_spoil(const struct scene *scene, int64_t version)
{
        put_blob(scene, version, SPAN("\0\x11"));
}

void scene_give_other_recipe(const struct scene *scene, int64_t version)
{
        static const char ranker[] = {'D', 'b', 'R', 'k'};
        struct db_stmt *stmt = db_stmt(scene->room->desk->db, SQL_BOT_VERSION_BLOB);
        db_bind_int(stmt, 1, version);
        assert_int_equal(DB_ROW, db_step(stmt));
        struct span blob = db_blob(stmt, 0);
        char *copy = malloc(blob.len);
        assert_non_null(copy);
        memcpy(copy, blob.at, blob.len);
        db_reset(stmt);
        char *at = memmem(copy, blob.len, ranker, sizeof ranker);
        assert_non_null(at);
        at[sizeof ranker]++;
        put_blob(scene, version, (struct span){copy, blob.len});
        free(copy);
}

bool scene_can_be_loaded(const struct scene *scene, int64_t version)
{
        struct db_stmt *stmt = db_stmt(scene->room->desk->db, SQL_BOT_VERSION_BLOB);
        db_bind_int(stmt, 1, version);
        assert_int_equal(DB_ROW, db_step(stmt));
        struct bot_version *loaded = bot_version_load(db_blob(stmt, 0), NULL);
        db_reset(stmt);
        bot_version_free(loaded);
        return loaded != NULL;
}

/* ---- talking ---- */

const struct conversation_row *scene_row(const struct scene *scene)
{
        return &room_cached(scene->room, scene->conv)->row;
}

static bool is_asked(const struct scene *scene)
{
        return room_sql(scene->room, "SELECT COUNT(*) FROM bot_state WHERE asked > answered") > 0;
}

void scene_take_next(const struct scene *scene)
{
        struct mailbox_item *item = mailbox_wait(&scene->room->desk->in, PATIENCE_MS);
        assert_non_null(item);
        scene->room->desk->pending = item;
        room_turn(scene->room);
}

void scene_settle(const struct scene *scene)
{
        for (int i = 0; i < TURNS_MOST && is_asked(scene); i++)
                scene_take_next(scene);
        assert_false(is_asked(scene));
}

void scene_say(const struct scene *scene, const char *text)
{
        take_seq(room_send(scene->room, &scene->ann, scene->conv, NULL, text));
        scene_settle(scene);
}

int64_t scene_said(const struct scene *scene, const char *part)
{
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM entry WHERE log = 0 AND body LIKE '%%%s%%'", part);
        return room_sql(scene->room, sql);
}

int64_t scene_failures(const struct scene *scene)
{
        return room_sql(scene->room, "SELECT COUNT(*) FROM bot_event WHERE kind = 10");
}

void scene_until_loadable(const struct scene *scene, int64_t version)
{
        for (int i = 0; i < TURNS_MOST && !scene_can_be_loaded(scene, version); i++)
                scene_take_next(scene);
        assert_true(scene_can_be_loaded(scene, version));
}
