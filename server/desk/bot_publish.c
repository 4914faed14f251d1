/* SPDX-License-Identifier: Apache-2.0 */
/* bot.draft, .versions, .source, .publish, .rollback and .canary_end: the versions of a built-in bot, and which of them
 * speaks. Always true: what is live, tried out or was live before is a version of that bot; it and what a conversation
 * in the middle of a dialogue needs is never forgotten. Each change leaves a line in the audit trail. */
#include "desk/bot_admin.h"
#include "desk/bot_relearn.h"

#include <stdio.h>

enum { LIST_MAX = 300, WARNINGS_MAX = 50, WARNING_POINTS = 500, DIGITS_LEAST = 8 };

/* The three places that a publication moves. */
struct places {
        int64_t live, canary, before;
        int canary_share;
};

/* ---- draft ---- */

/* What training found, kept with the version. */
static void write_report(struct writer *out, const struct protocol_bot_language *languages, size_t count)
{
        writer_raw(out, SPAN("{\"languages\":["));
        for (size_t i = 0; i < count; i++) {
                if (i > 0)
                        writer_char(out, ',');
                protocol_bot_language_write(out, &languages[i]);
        }
        writer_raw(out, SPAN("]}"));
}

static int find_hash(struct desk *desk, int64_t bot, const uint8_t hash[32], int64_t *out_id)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_FIND);
        db_bind_int(stmt, 1, bot);
        db_bind_blob(stmt, 2, hash, 32);
        db_bind_blob(stmt, 3, hash, 32);
        int rc = db_step(stmt);
        *out_id = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int prune(struct desk *desk, int64_t bot, int64_t made)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_COUNT);
        db_bind_int(stmt, 1, bot);
        int rc = db_step(stmt);
        int64_t over = rc == DB_ROW ? db_int(stmt, 0) - BOT_VERSIONS_KEPT : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (over <= 0)
                return 0;
        stmt = db_stmt(desk->db, SQL_BOT_VERSION_PRUNE);
        db_bind_int(stmt, 1, bot);
        db_bind_int(stmt, 2, over);
        db_bind_int(stmt, 3, made);
        return bot_admin_run(desk, stmt);
}

static size_t read_languages(const struct bot_build_report *report, struct protocol_bot_language *out)
{
        for (size_t i = 0; i < report->count; i++) {
                const struct bot_language_report *from = &report->languages[i];
                bool is_learned = from->error == 0;
                out[i] = (struct protocol_bot_language){.lang = span_of(from->lang),
                                                        .answers = from->train.answers,
                                                        .examples = from->train.examples,
                                                        .has_right = is_learned,
                                                        .right = from->train.top1 * 1000 / BOT_SCORE_ONE,
                                                        .has_alone = is_learned,
                                                        .alone = from->train.kept * 1000 / BOT_SCORE_ONE,
                                                        .has_error = !is_learned,
                                                        .error = SPAN("no examples: patterns alone")};
                if (is_learned && from->train.wish_most < BOT_WISH_USUAL)
                        out[i].alone = 0; /* too few examples, or too unlike each other */
        }
        return report->count;
}

/* writer_done when it is stored. */
static struct span report_of(const struct bot_draft *draft, struct writer *report)
{
        struct protocol_bot_language languages[BOT_LANGUAGES_MAX];
        writer_init(report, NULL, 0);
        write_report(report, languages, read_languages(&draft->report, languages));
        return (struct span){report->bytes, report->failed ? 0 : report->len};
}

int bot_publish_again(struct desk *desk, int64_t id, const struct bot_draft *draft, struct span label)
{
        struct writer report;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_AGAIN);
        db_bind_int(stmt, 1, id);
        db_bind_text(stmt, 2, report_of(draft, &report));
        db_bind_blob(stmt, 3, draft->blob.bytes, draft->blob.len);
        db_bind_text(stmt, 4, label.at ? label : SPAN(""));
        int rc = db_run(stmt);
        writer_done(&report);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return 0;
        bot_relearn_replaced(desk, id);
        return 1;
}

int bot_publish_keep(struct desk *desk, const struct bot_row *bot, const struct bot_draft *draft, struct span label,
                     int64_t *out_id, bool *out_is_new)
{
        struct writer report;
        int rc = find_hash(desk, bot->id, draft->hash, out_id);
        if (rc < 0)
                return rc;
        *out_is_new = *out_id == 0;
        if (!*out_is_new) {
                rc = bot_publish_again(desk, *out_id, draft, label);
                return rc < 0 ? rc : 0;
        }
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_INSERT);
        db_bind_int(stmt, 1, bot->id);
        db_bind_blob(stmt, 2, draft->hash, sizeof draft->hash);
        db_bind_text(stmt, 3, label.at ? label : SPAN(""));
        db_bind_int(stmt, 4, desk->now_ms);
        db_bind_text(stmt, 5, report_of(draft, &report));
        db_bind_text(stmt, 6, span_of(draft->source));
        db_bind_blob(stmt, 7, draft->blob.bytes, draft->blob.len);
        rc = bot_admin_run(desk, stmt);
        writer_done(&report);
        if (rc < 0)
                return rc;
        *out_id = db_last_id(desk->db);
        return prune(desk, bot->id, *out_id);
}

/* The first warnings, cut to what a text may hold. */
static void read_warnings(struct desk_command *command, struct protocol_bot_draft_result *result)
{
        const struct bot_problems *problems = command->draft->problems;
        result->warned = (int64_t)problems->warnings;
        result->warnings = arena_take(&command->arena, WARNINGS_MAX * sizeof *result->warnings);
        for (size_t i = 0; result->warnings && i < problems->count && result->warnings_count < WARNINGS_MAX; i++) {
                const char *what = problems->list[i].what;
                size_t len = what ? strlen(what) : 0;
                if (len == 0 || problems->list[i].is_error)
                        continue;
                for (len = len > WARNING_POINTS ? WARNING_POINTS : len; ((unsigned char)what[len] & 0xc0) == 0x80;)
                        len--;
                result->warnings[result->warnings_count++] = (struct span){what, len};
        }
}

int handle_bot_draft(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_draft *params = command->params;
        struct protocol_bot_language languages[BOT_LANGUAGES_MAX];
        struct protocol_bot_draft_result result = {.languages = languages};
        struct bot_row bot;
        int64_t id = 0;
        int rc = command->draft ? bot_admin_find(desk, params->bot, &bot) : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0 && bot.kind != BOT_BUILT_IN)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "bot", "a built-in bot: others have no versions");
        if (rc == 0)
                rc = bot_publish_keep(desk, &bot, command->draft, params->has_label ? params->label : (struct span){0},
                                      &id, &result.is_new);
        if (rc < 0)
                return rc;
        memcpy(result.version, command->draft->hash, sizeof result.version);
        result.languages_count = read_languages(&command->draft->report, languages);
        read_warnings(command, &result);
        protocol_bot_draft_result_write(out, &result);
        char detail[16];
        int len = snprintf(detail, sizeof detail, "%02x%02x%02x%02x", result.version[0], result.version[1],
                           result.version[2], result.version[3]);
        return bot_admin_audit(desk, "bot.draft", params->bot, (struct span){detail, (size_t)len});
}

/* ---- versions, source ---- */

static enum protocol_bot_version_row_state state_of(const struct bot_row *bot, int64_t id, bool was_published)
{
        if (id == bot->live)
                return PROTOCOL_BOT_VERSION_ROW_STATE_LIVE;
        if (id == bot->canary)
                return PROTOCOL_BOT_VERSION_ROW_STATE_CANARY;
        if (id == bot->before)
                return PROTOCOL_BOT_VERSION_ROW_STATE_BEFORE;
        return was_published ? PROTOCOL_BOT_VERSION_ROW_STATE_PAST : PROTOCOL_BOT_VERSION_ROW_STATE_DRAFT;
}

static int read_version(struct desk_command *command, struct db_stmt *stmt, const struct bot_row *bot,
                        struct protocol_bot_version_row *out)
{
        struct span hash = db_blob(stmt, 1), label = db_text(stmt, 2);
        char *copy = arena_take(&command->arena, label.len);
        if (!copy || hash.len != sizeof out->version)
                return -PROTOCOL_ERR_INTERNAL;
        if (label.len > 0)
                memcpy(copy, label.at, label.len);
        *out = (struct protocol_bot_version_row){.state = state_of(bot, db_int(stmt, 0), db_int(stmt, 3) != 0),
                                                 .has_label = label.len > 0,
                                                 .label = {copy, label.len},
                                                 .bytes = db_int(stmt, 5),
                                                 .has_published = db_int(stmt, 3) != 0,
                                                 .published = db_int(stmt, 3),
                                                 .created = db_int(stmt, 4)};
        memcpy(out->version, hash.at, sizeof out->version);
        return 0;
}

int handle_bot_versions(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_bot_versions *params = command->params;
        struct protocol_bot_versions_result result = {0};
        struct bot_row bot;
        int rc = bot_admin_find(desk, params->bot, &bot);
        if (rc < 0)
                return rc;
        result.versions = arena_take(&command->arena, LIST_MAX * sizeof *result.versions);
        if (!result.versions)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_LIST);
        db_bind_int(stmt, 1, bot.id);
        db_bind_int(stmt, 2, LIST_MAX);
        int db_rc = DB_OK;
        while (rc == 0 && result.versions_count < LIST_MAX && (db_rc = db_step(stmt)) == DB_ROW)
                rc = read_version(command, stmt, &bot, &result.versions[result.versions_count++]);
        db_reset(stmt);
        if (db_rc < 0)
                return desk_db_failed(desk, db_rc);
        if (rc == 0)
                protocol_bot_versions_result_write(out, &result);
        return rc;
}

static int digit_of(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool bot_publish_prefix(struct span digits, uint8_t low[32], uint8_t high[32])
{
        if (digits.len < DIGITS_LEAST || digits.len > 64)
                return false;
        memset(low, 0, 32);
        memset(high, 0xff, 32);
        for (size_t i = 0; i < digits.len; i++) {
                int digit = digit_of(digits.at[i]);
                if (digit < 0)
                        return false;
                int shift = i % 2 == 0 ? 4 : 0;
                low[i / 2] = (uint8_t)(low[i / 2] | digit << shift);
                high[i / 2] = (uint8_t)((high[i / 2] & ~(0xf << shift)) | digit << shift);
        }
        return true;
}

static int find_version(struct desk *desk, int64_t bot, struct span digits, int64_t *out_id, struct fault *fault)
{
        uint8_t low[32], high[32];
        if (!bot_publish_prefix(digits, low, high))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "version", "8 to 64 lower-case hex digits");
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_FIND);
        db_bind_int(stmt, 1, bot);
        db_bind_blob(stmt, 2, low, sizeof low);
        db_bind_blob(stmt, 3, high, sizeof high);
        int rc = db_step(stmt), second = DB_OK;
        if (rc == DB_ROW) {
                *out_id = db_int(stmt, 0);
                second = db_step(stmt);
        }
        db_reset(stmt);
        if (rc < 0 || second < 0)
                return desk_db_failed(desk, rc < 0 ? rc : second);
        if (second == DB_ROW)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "version", "more digits: several versions begin so");
        return rc == DB_ROW ? 0 : fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "version", "a version of this bot");
}

int handle_bot_source(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_source *params = command->params;
        struct protocol_bot_source_result result = {0};
        struct bot_row bot;
        int rc = bot_admin_find(desk, params->bot, &bot);
        int64_t id = rc == 0 ? bot.live : 0;
        if (rc == 0 && params->has_version)
                rc = find_version(desk, bot.id, params->version, &id, fault);
        if (rc == 0 && id == 0)
                rc = fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "version", "which one: nothing is live yet");
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_SOURCE);
        db_bind_int(stmt, 1, id);
        int db_rc = db_step(stmt);
        struct span hash = db_rc == DB_ROW ? db_blob(stmt, 0) : (struct span){0};
        if (hash.len == sizeof result.version) {
                memcpy(result.version, hash.at, sizeof result.version);
                result.label = db_text(stmt, 1);
                result.has_label = result.label.len > 0;
                result.source = db_text(stmt, 2);
                protocol_bot_source_result_write(out, &result);
        } else if (db_rc >= 0) {
                rc = -PROTOCOL_ERR_INTERNAL; /* live, and not there */
        }
        db_reset(stmt);
        return db_rc < 0 ? desk_db_failed(desk, db_rc) : rc;
}

/* ---- publish, roll back ---- */

static int hash_of(struct desk *desk, int64_t id, uint8_t out[32], bool *out_has)
{
        if (id == 0)
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_HASH);
        db_bind_int(stmt, 1, id);
        int rc = db_step(stmt);
        struct span hash = rc == DB_ROW ? db_blob(stmt, 0) : (struct span){0};
        *out_has = hash.len == 32;
        if (*out_has)
                memcpy(out, hash.at, 32);
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int save(struct desk *desk, int64_t bot, const struct places *places)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_PUBLISH);
        db_bind_int(stmt, 1, bot);
        db_bind_int(stmt, 2, places->live);
        db_bind_int(stmt, 3, places->canary);
        db_bind_int(stmt, 4, places->before);
        db_bind_int(stmt, 5, places->canary_share);
        return bot_admin_run(desk, stmt);
}

/* Saves, tells the caller where things stand, and leaves a line in the trail. */
static int finish(struct desk *desk, const char *action, struct principal_id who, const struct bot_row *bot,
                  const struct places *places, struct writer *out)
{
        struct protocol_bot_publish_result result = {.has_canary_share = places->canary != 0,
                                                     .canary_share = places->canary_share};
        char detail[64];
        int rc = save(desk, bot->id, places);
        if (rc == 0)
                rc = hash_of(desk, places->live, result.live, &result.has_live);
        if (rc == 0)
                rc = hash_of(desk, places->before, result.before, &result.has_before);
        if (rc == 0)
                rc = hash_of(desk, places->canary, result.canary, &result.has_canary);
        if (rc < 0)
                return rc;
        protocol_bot_publish_result_write(out, &result); /* the three methods answer alike */
        int len = snprintf(detail, sizeof detail, "live %02x%02x%02x%02x", result.live[0], result.live[1],
                           result.live[2], result.live[3]);
        if (result.has_canary)
                len += snprintf(detail + len, sizeof detail - (size_t)len, ", %d %% %02x%02x%02x%02x",
                                places->canary_share, result.canary[0], result.canary[1], result.canary[2],
                                result.canary[3]);
        return bot_admin_audit(desk, action, who, (struct span){detail, (size_t)len});
}

static struct places places_of(const struct bot_row *bot)
{
        return (struct places){bot->live, bot->canary, bot->before, bot->canary_share};
}

static int place(int64_t version, int share, struct places *places, struct fault *fault)
{
        if (share == 100) {
                if (version != places->live)
                        places->before = places->live;
                places->live = version;
                places->canary = places->canary_share = 0;
                return 0;
        }
        if (places->live == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "share", "100: nothing is live beside it");
        if (version == places->live)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "version", "another one than the live one");
        places->canary = version;
        places->canary_share = share;
        return 0;
}

int handle_bot_publish(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_publish *params = command->params;
        struct bot_row bot;
        int64_t version = 0;
        int rc = bot_admin_find(desk, params->bot, &bot);
        if (rc == 0)
                rc = find_version(desk, bot.id, params->version, &version, fault);
        if (rc < 0)
                return rc;
        struct places places = places_of(&bot);
        rc = place(version, (int)params->share, &places, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSION_PUBLISHED);
        db_bind_int(stmt, 1, version);
        db_bind_int(stmt, 2, desk->now_ms);
        rc = bot_admin_run(desk, stmt);
        return rc < 0 ? rc : finish(desk, "bot.publish", params->bot, &bot, &places, out);
}

int handle_bot_rollback(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_rollback *params = command->params;
        struct bot_row bot;
        int rc = bot_admin_find(desk, params->bot, &bot);
        if (rc == 0 && bot.before == 0)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "bot", "one of which another version was live before");
        if (rc < 0)
                return rc;
        struct places places = {.live = bot.before, .before = bot.live};
        return finish(desk, "bot.rollback", params->bot, &bot, &places, out);
}

int handle_bot_canary_end(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_canary_end *params = command->params;
        struct bot_row bot;
        int rc = bot_admin_find(desk, params->bot, &bot);
        if (rc == 0 && bot.canary == 0)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "bot", "one of which a version is tried out");
        if (rc < 0)
                return rc;
        struct places places = {.live = bot.live, .before = bot.before};
        return finish(desk, "bot.canary_end", params->bot, &bot, &places, out);
}
