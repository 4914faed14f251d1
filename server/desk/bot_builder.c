/* SPDX-License-Identifier: Apache-2.0 */
/* The builder thread and what it does with a command: see bot_builder.h. At most WAITING_MAX commands wait, each at
 * most as large as the operator's socket takes. What reaches the desk carries its draft; what does not is answered
 * here. The thread runs at a lower priority: customers are served while a bot learns. */
#include "desk/bot_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "desk/bot_numbers.h"
#include "desk/bot_relearn.h"
#include "desk/bots.h"
#include "desk/desk_private.h"
#include "desk/side_thread.h"

enum { WAITING_MAX = 4, NICE = 10, RETRY_MS = 1000 };

struct bot_builder {
        struct side_thread side;
        atomic_int waiting;
};

/* ---- a draft ---- */

struct bot_draft *bot_draft_free(struct bot_draft *draft)
{
        if (!draft)
                return NULL;
        free(draft->source);
        writer_done(&draft->blob);
        bot_problems_free(draft->problems);
        free(draft);
        return NULL;
}

static int say_problem(const struct bot_problems *problems, struct fault *fault)
{
        for (size_t i = 0; i < problems->count; i++)
                if (problems->list[i].is_error && problems->list[i].what)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "source", problems->list[i].what);
        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "source", "a bot that passes the check");
}

static void read_hash(const char name[65], uint8_t hash[32])
{
        for (size_t i = 0; i < 32; i++) {
                char pair[3] = {name[2 * i], name[2 * i + 1], 0};
                hash[i] = (uint8_t)strtoul(pair, NULL, 16);
        }
}

static int build(struct bot_draft *draft, const json_t *bot, bool is_linted, struct fault *fault)
{
        char name[BOT_VERSION_NAME];
        if (!bot_check(bot, NULL, NULL, draft->problems))
                return say_problem(draft->problems, fault);
        if (is_linted)
                bot_lint(bot, NULL, NULL, draft->problems);
        draft->source = bot_canonical(bot);
        if (!draft->source || !bot_version_name(draft->source, name))
                return -PROTOCOL_ERR_INTERNAL;
        if (strlen(draft->source) > PROTOCOL_BOT_SOURCE_BYTES)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "source", "at most 8388608 bytes");
        read_hash(name, draft->hash);
        struct bot_problems *again = bot_problems_new(); /* building checks anew: nothing is said twice */
        int rc = again ? bot_version_build(bot, again, &draft->blob, &draft->report) : -2;
        bot_problems_free(again);
        return rc < 0 || draft->blob.failed ? -PROTOCOL_ERR_INTERNAL : 0;
}

static int make(struct span source, bool is_linted, struct bot_draft **out_draft, struct fault *fault)
{
        struct bot_draft *draft = calloc(1, sizeof *draft);
        json_error_t wrong;
        if (!draft || !(draft->problems = bot_problems_new())) {
                bot_draft_free(draft);
                return -PROTOCOL_ERR_INTERNAL;
        }
        writer_init(&draft->blob, NULL, 0);
        json_t *bot = json_loadb(source.at, source.len, JSON_REJECT_DUPLICATES, &wrong);
        int rc = bot ? build(draft, bot, is_linted, fault)
                     : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "source", "JSON: the canonical form of a bot");
        json_decref(bot);
        if (rc < 0)
                bot_draft_free(draft);
        else
                *out_draft = draft;
        return rc;
}

int bot_draft_make(struct span source, struct bot_draft **out_draft, struct fault *fault)
{
        return make(source, true, out_draft, fault);
}

/* ---- a version that cannot be loaded ---- */

static bool can_be_loaded(struct span blob, const char **out_why)
{
        struct bot_version *version = bot_version_load(blob, out_why);
        bot_version_free(version);
        return version != NULL;
}

/* *out_source: what to learn it from, the caller's; NULL when it need not be learned, and `origin` says why. */
static void look_at(struct db *db, struct bot_origin *origin, char **out_source)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_VERSION_BLOB);
        db_bind_int(stmt, 1, origin->version);
        int rc = db_step(stmt);
        origin->outcome = rc < 0 ? BOT_RELEARN_FAILED : BOT_RELEARN_LOST;
        origin->why = "there is no such version";
        if (rc != DB_ROW)
                return;
        struct span blob = db_blob(stmt, 0);
        bool is_there = blob.len > 0; /* else its bot was removed */
        if (is_there)
                origin->outcome = can_be_loaded(blob, &origin->why) ? BOT_RELEARN_READABLE : BOT_RELEARN_FAILED;
        db_reset(stmt);
        if (!is_there || origin->outcome == BOT_RELEARN_READABLE)
                return;
        stmt = db_stmt(db, SQL_BOT_VERSION_SOURCE);
        db_bind_int(stmt, 1, origin->version);
        if (db_step(stmt) != DB_ROW)
                return;
        struct span hash = db_blob(stmt, 0), source = db_text(stmt, 2);
        for (size_t i = 0; 2 * i + 2 < sizeof origin->version_name && i < hash.len; i++)
                sprintf(origin->version_name + 2 * i, "%02x", (uint8_t)hash.at[i]);
        *out_source = source.at ? strndup(source.at, source.len) : NULL;
        db_reset(stmt);
}

static void learn_anew(const struct log *log, struct desk_command *command, const char *source)
{
        struct bot_origin *origin = &command->bot_origin;
        struct fault fault = {0};
        const char *wrong = NULL;
        log_warn(log, "a version of a bot cannot be loaded; it is learned anew", "version", origin->version_name, "why",
                 origin->why);
        int rc = make(span_of(source), false, &command->draft, &fault);
        if (rc < 0)
                wrong = fault.code ? fault.expected : NULL;
        else
                can_be_loaded((struct span){command->draft->blob.bytes, command->draft->blob.len}, &wrong);
        origin->outcome = wrong ? BOT_RELEARN_LOST : rc < 0 ? BOT_RELEARN_FAILED : BOT_RELEARN_LEARNED;
        if (origin->outcome != BOT_RELEARN_LEARNED)
                log_error(log, "a version of a bot cannot be learned anew; people get its conversations", "version",
                          origin->version_name, "wrong", wrong ? wrong : "out of memory");
}

static void relearn(struct bot_builder *builder, struct desk_command *command)
{
        uint64_t start_ms = clock_mono_ms();
        char *source = NULL;
        if (!atomic_load(&builder->side.is_stopping))
                look_at(builder->side.db, &command->bot_origin, &source);
        bool is_stopping = atomic_load(&builder->side.is_stopping);
        if (source && !is_stopping)
                learn_anew(&builder->side.desk->log, command, source);
        free(source);
        command->bot_origin.took_ms = clock_mono_ms() - start_ms;
        if (is_stopping || mailbox_force(&builder->side.desk->in, &command->item, command->bytes) < 0)
                command_free(command); /* looked at again at the next start */
}

int bot_builder_relearn(struct desk *desk, struct desk_command *command)
{
        struct bot_builder *builder = desk->bot_builder;
        int rc = builder ? mailbox_force(&builder->side.in, &command->item, command->bytes) : -1;
        return rc < 0 ? -PROTOCOL_ERR_UNAVAILABLE : 0;
}

/* ---- a command ---- */

bool bot_builder_wants(enum protocol_method method)
{
        return method == PROTOCOL_M_BOT_DRAFT || method == PROTOCOL_M_BOT_LEARN;
}

/* Said before the seconds that building takes; the desk looks again. */
static int look_up(struct db *db, struct principal_id who, struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_BY_PRINCIPAL);
        db_bind_int(stmt, 1, (int64_t)who.id);
        int rc = db_step(stmt);
        if (rc < 0)
                return -PROTOCOL_ERR_INTERNAL;
        if (rc != DB_ROW || who.role != ROLE_BOT)
                rc = -PROTOCOL_ERR_NOT_FOUND;
        else
                rc = db_int(stmt, 2) == BOT_BUILT_IN ? 0
                                                     : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "bot",
                                                                 "a built-in bot: others have no versions");
        db_reset(stmt);
        return rc;
}

int bot_builder_prepare(struct db *db, struct desk_command *command, struct fault *fault)
{
        if (command->method == PROTOCOL_M_BOT_LEARN)
                return bot_learn_prepare(db, command, fault);
        const struct protocol_bot_draft *params = command->params;
        int rc = look_up(db, params->bot, fault);
        return rc < 0 ? rc : bot_draft_make(params->source, &command->draft, fault);
}

static void refuse(struct desk_command *command, int rc, const struct fault *fault)
{
        bool is_permanent = protocol_error_info((enum protocol_error) - rc)->permanent;
        struct writer out;
        char first[512];
        writer_init(&out, first, sizeof first);
        frame_error(&out, &command->id, (enum protocol_error) - rc, is_permanent ? -1 : RETRY_MS, fault);
        command->done(command->done_data, (struct span){out.bytes, out.failed ? 0 : out.len});
        writer_done(&out);
        command_free(command);
}

static void run_one(struct bot_builder *builder, struct desk_command *command)
{
        struct fault fault = {0};
        int rc = atomic_load(&builder->side.is_stopping) ? -PROTOCOL_ERR_UNAVAILABLE
                                                         : bot_builder_prepare(builder->side.db, command, &fault);
        if (rc == 0 && mailbox_force(&builder->side.desk->in, &command->item, command->bytes) < 0)
                rc = -PROTOCOL_ERR_UNAVAILABLE;
        if (rc < 0)
                refuse(command, rc, &fault);
}

static void *builder_main(void *data)
{
        struct bot_builder *builder = data;
        setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone, on Linux; a wish */
        for (;;) {
                struct mailbox_item *item = mailbox_wait(&builder->side.in, -1);
                if (!item)
                        return NULL; /* closed */
                while (item) {
                        struct desk_command *command = command_of(item);
                        item = item->next;
                        command->item.next = NULL;
                        if (command->kind == COMMAND_BOT_LEARNED) {
                                relearn(builder, command);
                                continue;
                        }
                        run_one(builder, command);
                        atomic_fetch_sub(&builder->waiting, 1);
                }
        }
}

/* ---- life ---- */

int bot_builder_start(struct desk *desk)
{
        desk->bot_builder = calloc(1, sizeof *desk->bot_builder);
        if (!desk->bot_builder)
                return DB_NOMEM;
        return side_thread_start(&desk->bot_builder->side, desk, WAITING_MAX + 1, "builder of bots", builder_main,
                                 desk->bot_builder);
}

void bot_builder_stop(struct desk *desk)
{
        if (desk->bot_builder)
                side_thread_stop(&desk->bot_builder->side);
}

void bot_builder_free(struct desk *desk)
{
        struct bot_builder *builder = desk->bot_builder;
        if (!builder)
                return;
        bot_builder_stop(desk);
        struct fault none = {0};
        struct mailbox_item *item = mailbox_take(&builder->side.in);
        while (item) {
                struct mailbox_item *next = item->next;
                if (command_of(item)->kind == COMMAND_BOT_LEARNED)
                        command_free(command_of(item));
                else
                        refuse(command_of(item), -PROTOCOL_ERR_UNAVAILABLE, &none);
                item = next;
        }
        side_thread_done(&builder->side);
        free(builder);
        desk->bot_builder = NULL;
}

int bot_builder_post(struct desk *desk, struct desk_command *command)
{
        struct bot_builder *builder = desk->bot_builder;
        if (!builder)
                return -PROTOCOL_ERR_UNAVAILABLE;
        if (atomic_fetch_add(&builder->waiting, 1) >= WAITING_MAX ||
            mailbox_push(&builder->side.in, &command->item, command->bytes) < 0) {
                atomic_fetch_sub(&builder->waiting, 1);
                return -PROTOCOL_ERR_OVERLOADED;
        }
        return 0;
}
