/* SPDX-License-Identifier: Apache-2.0 */
/* bot.questions: what customers asked that the bot was not sure of, alike ones together, and the answers of the live
 * version that come nearest. Bounded: the newest BOT_CLUSTER_QUESTIONS, of each its first characters. */
#include <stdlib.h>

#include "bots/cluster.h"
#include "bots/step.h"
#include "desk/bot_admin.h"
#include "desk/bot_names.h"
#include "desk/bot_numbers.h"

enum {
        CLUSTERS_USUAL = 20,
        SHOWN = 20, /* questions of a cluster */
        NEAREST = 3,
        POINTS = 1000,            /* of a question that are told */
        TOLD_BYTES = 1024 * 1024, /* of questions, all in all */
};

struct question {
        int64_t id, at_ms, seq;
        uint64_t conv; /* outside id */
        uint32_t lang; /* its number */
};

/* A cluster of one language; members are indices of questions. */
struct found {
        uint32_t lang, count;
        const uint32_t *members;
};

struct questions {
        struct db *db;
        struct bot_names langs;
        struct question *list; /* newest first */
        struct span *texts;    /* of each; malloc'd */
        size_t count;
        bool has_more;
        uint32_t *members; /* room for those of all clusters */
        struct found *clusters;
        size_t cluster_count;
        struct bot_version *live; /* NULL = none */
        size_t told_bytes;
};

static void questions_done(struct questions *questions)
{
        for (size_t i = 0; questions->texts && i < questions->count; i++)
                free((char *)questions->texts[i].at);
        bot_names_done(&questions->langs);
        bot_version_free(questions->live);
        free(questions->texts);
        free(questions->list);
        free(questions->members);
        free(questions->clusters);
}

static size_t cut(struct span text)
{
        size_t len = 0, points = 0;
        while (len < text.len) {
                points += ((uint8_t)text.at[len] & 0xc0) != 0x80;
                if (points > POINTS)
                        break;
                len++;
        }
        return len;
}

/* 0, or a negative db_error. */
static int add_question(struct questions *questions, struct db_stmt *stmt)
{
        struct span text = db_text(stmt, 1);
        char *copy = strndup(text.at, cut(text));
        int64_t lang = bot_names_number(&questions->langs, db_text(stmt, 5), NULL);
        if (!copy || lang < 0) {
                free(copy);
                return DB_NOMEM;
        }
        questions->texts[questions->count] = span_of(copy);
        questions->list[questions->count++] = (struct question){.id = db_int(stmt, 0),
                                                                .at_ms = db_int(stmt, 2),
                                                                .conv = (uint64_t)db_int(stmt, 3),
                                                                .seq = db_int(stmt, 4),
                                                                .lang = (uint32_t)lang};
        return DB_OK;
}

static int load(struct questions *questions, int64_t bot, const struct protocol_bot_questions *params)
{
        struct db_stmt *stmt = db_stmt(questions->db, SQL_BOT_QUESTIONS_OF);
        int rc;
        questions->list = calloc(BOT_CLUSTER_QUESTIONS, sizeof *questions->list);
        questions->texts = calloc(BOT_CLUSTER_QUESTIONS, sizeof *questions->texts);
        if (!questions->list || !questions->texts || bot_names_init(&questions->langs) < 0)
                return DB_NOMEM;
        db_bind_int(stmt, 1, bot);
        db_bind_text(stmt, 2, params->has_lang ? params->lang : SPAN(""));
        db_bind_int(stmt, 3, params->has_since ? params->since : 0);
        db_bind_int(stmt, 4, BOT_CLUSTER_QUESTIONS + 1);
        while ((rc = db_step(stmt)) == DB_ROW) {
                questions->has_more = questions->count == BOT_CLUSTER_QUESTIONS;
                rc = questions->has_more ? DB_OK : add_question(questions, stmt);
                if (rc < 0 || questions->has_more)
                        break;
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

/* ---- clusters ---- */

/* Puts the questions of one language together behind what is there; `places` says where each stands in the list. */
static int cluster_language(struct questions *questions, uint32_t lang, struct span *texts, uint32_t *places,
                            size_t *member_count)
{
        struct bot_clusters clusters;
        size_t count = 0;
        for (size_t i = 0; i < questions->count; i++) {
                if (questions->list[i].lang != lang)
                        continue;
                texts[count] = questions->texts[i];
                places[count++] = (uint32_t)i;
        }
        if (bot_cluster(texts, count, &clusters) < 0)
                return -1;
        for (uint32_t c = 0; c < clusters.count; c++) {
                uint32_t *members = questions->members + *member_count;
                questions->clusters[questions->cluster_count++] =
                        (struct found){.lang = lang, .count = clusters.list[c].count, .members = members};
                for (uint32_t m = 0; m < clusters.list[c].count; m++)
                        members[m] = places[clusters.members[clusters.list[c].first + m]];
                *member_count += clusters.list[c].count;
        }
        bot_clusters_done(&clusters);
        return 0;
}

/* Largest first; of equal ones that with the newest question in its middle. */
static int compare_clusters(const void *a, const void *b)
{
        const struct found *x = a, *y = b;
        if (x->count != y->count)
                return x->count > y->count ? -1 : 1;
        return x->members[0] < y->members[0] ? -1 : x->members[0] > y->members[0];
}

static int cluster_all(struct questions *questions)
{
        struct span *texts = calloc(questions->count + 1, sizeof *texts);
        uint32_t *places = calloc(questions->count + 1, sizeof *places);
        size_t members = 0;
        questions->members = calloc(questions->count + 1, sizeof *questions->members);
        questions->clusters = calloc(questions->count + 1, sizeof *questions->clusters);
        int rc = texts && places && questions->members && questions->clusters ? 0 : -1;
        for (uint32_t lang = 0; rc == 0 && lang <= questions->langs.count; lang++)
                rc = cluster_language(questions, lang, texts, places, &members);
        if (rc == 0 && questions->cluster_count > 0)
                qsort(questions->clusters, questions->cluster_count, sizeof *questions->clusters, compare_clusters);
        free(texts);
        free(places);
        return rc;
}

/* ---- the answers that come nearest ---- */

static int load_live(struct questions *questions, const struct bot_looked_up *bot)
{
        if (!bot->is_built_in || bot->live == 0)
                return DB_OK;
        struct db_stmt *stmt = db_stmt(questions->db, SQL_BOT_VERSION_BLOB);
        db_bind_int(stmt, 1, bot->live);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                questions->live = bot_version_load(db_blob(stmt, 0), NULL); /* NULL: of another program */
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static void keep_name(struct desk_command *command, struct protocol_bot_question *out, const char *name)
{
        size_t len = name ? strlen(name) : 0;
        char *copy = len > 0 && len <= 128 ? arena_take(&command->arena, len) : NULL;
        if (!copy)
                return;
        memcpy(copy, name, len);
        out->nearest[out->nearest_count++] = (struct span){copy, len};
}

/* Of what the engine says about a turn. Borrowed; NULL: not said. */
static const json_t *reason(const struct bot_turn *turn, const char *what)
{
        size_t i;
        json_t *each;
        json_array_foreach(turn->why, i, each) {
                if (strcmp(json_string_value(json_object_get(each, "what")), what) == 0)
                        return json_object_get(each, "detail");
        }
        return NULL;
}

static void find_nearest(struct questions *questions, struct desk_command *command, const char *lang,
                         struct protocol_bot_question *out)
{
        struct bot_event event = {.kind = BOT_EVENT_MESSAGE, .text = out->text, .locale = lang};
        struct bot_turn turn;
        size_t i;
        json_t *candidate;
        if (!questions->live || bot_step(questions->live, SPAN(""), &event, 0, &turn) < 0)
                return;
        out->nearest = arena_take(&command->arena, NEAREST * sizeof *out->nearest);
        const json_t *pattern = reason(&turn, "pattern"),
                     *ranked = json_object_get(reason(&turn, "ranked"), "candidates");
        if (out->nearest && pattern)
                keep_name(command, out, json_string_value(pattern));
        json_array_foreach((json_t *)ranked, i, candidate) {
                if (out->nearest && out->nearest_count < NEAREST)
                        keep_name(command, out, json_string_value(json_object_get(candidate, "answer")));
        }
        out->has_nearest = out->nearest_count > 0;
        bot_turn_done(&turn);
}

/* ---- telling ---- */

static int tell_cluster(struct questions *questions, struct desk_command *command, const struct found *found,
                        struct protocol_bot_cluster *out)
{
        const char *lang = questions->langs.texts[found->lang];
        *out = (struct protocol_bot_cluster){.title = questions->texts[found->members[0]],
                                             .count = found->count,
                                             .has_lang = found->lang != 0,
                                             .lang = span_of(lang)};
        out->questions = arena_take(&command->arena, SHOWN * sizeof *out->questions);
        if (!out->questions)
                return -1;
        for (uint32_t m = 0; m < found->count && m < SHOWN && questions->told_bytes < TOLD_BYTES; m++) {
                const struct question *question = &questions->list[found->members[m]];
                struct protocol_bot_question *row = &out->questions[out->questions_count++];
                *row = (struct protocol_bot_question){.id = question->id,
                                                      .text = questions->texts[found->members[m]],
                                                      .at = question->at_ms,
                                                      .conv = question->conv,
                                                      .seq = question->seq};
                questions->told_bytes += row->text.len;
                find_nearest(questions, command, lang, row);
        }
        return 0;
}

static int tell(struct questions *questions, struct desk_command *command, struct writer *out)
{
        const struct protocol_bot_questions *params = command->params;
        size_t limit = params->has_limit ? (size_t)params->limit : CLUSTERS_USUAL;
        struct protocol_bot_questions_result result = {
                .questions = (int64_t)questions->count, .has_more = questions->has_more, .more = questions->has_more};
        size_t count = questions->cluster_count < limit ? questions->cluster_count : limit;
        result.clusters = arena_take(&command->arena, (count + 1) * sizeof *result.clusters);
        for (size_t c = 0; result.clusters && c < count; c++, result.clusters_count++)
                if (tell_cluster(questions, command, &questions->clusters[c], &result.clusters[c]) < 0)
                        return -PROTOCOL_ERR_INTERNAL;
        if (!result.clusters)
                return -PROTOCOL_ERR_INTERNAL;
        protocol_bot_questions_result_write(out, &result);
        return 0;
}

int bot_questions_read(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                       struct fault *fault)
{
        const struct protocol_bot_questions *params = command->params;
        struct questions questions = {.db = db};
        struct bot_looked_up bot;
        (void)fault;
        int rc = bot_look_up(desk, db, params->bot, &bot);
        if (rc < 0)
                return rc;
        rc = load(&questions, bot.id, params);
        if (rc == DB_OK)
                rc = load_live(&questions, &bot);
        if (rc == DB_OK && cluster_all(&questions) < 0)
                rc = DB_NOMEM;
        rc = rc < 0 ? bot_numbers_failed(desk, db, rc) : tell(&questions, command, out);
        questions_done(&questions);
        return rc;
}

int handle_bot_questions(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        return bot_questions_read(desk, desk->db, command, out, fault);
}
