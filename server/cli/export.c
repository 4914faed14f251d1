/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell export: everything held about one person, one JSON object a line, read from the store by a read-only
 * connection of this process, so that it works beside a running server and takes nothing from it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/attachments.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/identity.h"
#include "files/layout.h"
#include "ops/files.h"
#include "protocol/hot.h"
#include "store/conversations.h"
#include "store/entries.h"
#include "store/principals.h"

enum { ENTRIES_AT_ONCE = 200 };

struct export_run {
        struct db *db;
        FILE *out;
        const struct principal_row *who;
        bool with_notes;
        const char *data, *files_to; /* files_to: NULL = their bytes are not asked for */
        long long lines, conversations, entries, files;
};

static void put(struct export_run *run, json_t *row)
{
        json_dumpf(row, run->out, JSON_COMPACT);
        fputc('\n', run->out);
        run->lines++;
        json_decref(row);
}

static json_t *text(struct span span)
{
        return span.at ? json_stringn(span.at, span.len) : json_null();
}

static json_t *id_text(const char *prefix, uint64_t id)
{
        char out[ID_TEXT_BYTES];
        id_write(out, prefix, id);
        return json_stringn(out, sizeof out);
}

static int put_profile(struct export_run *run)
{
        const struct principal_row *who = run->who;
        put(run, json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:b}", "type", "profile", "customer",
                           id_text("usr", who->ext), "external_id", who->external_id, "name", who->name, "email",
                           who->email, "locale", who->locale, "revoked", who->revoked_ms != 0));
        struct db_stmt *stmt = db_stmt(run->db, SQL_DEVICES_OF);
        db_bind_int(stmt, 1, who->id);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct span device = db_blob(stmt, 0);
                char hex[33] = "";
                for (size_t i = 0; i < device.len && i < 16; i++)
                        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)device.at[i]);
                put(run, json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:o}", "type", "device", "device", hex, "locale",
                                   text(db_text(stmt, 1)), "client", text(db_text(stmt, 2)), "seen",
                                   (json_int_t)db_int(stmt, 3), "push_service", text(db_text(stmt, 4)), "push_token",
                                   text(db_text(stmt, 5))));
        }
        return rc;
}

/* What is known of him: what was said and by whom, tier, block, tags. */
static int put_known(struct export_run *run)
{
        static const char *const origins[] = {"", "token", "app", "client", "agent", "operator"};
        struct db_stmt *stmt = db_stmt(run->db, SQL_CUSTOMER_ATTRIBUTES_OF);
        int rc;
        db_bind_int(stmt, 1, run->who->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                put(run, json_pack("{s:s, s:o, s:o, s:s, s:I}", "type", "attribute", "name", text(db_text(stmt, 0)),
                                   "value", text(db_text(stmt, 1)), "origin", origins[db_int(stmt, 2) % 6], "at",
                                   (json_int_t)db_int(stmt, 4)));
        if (rc < 0)
                return rc;
        stmt = db_stmt(run->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, run->who->id);
        rc = db_step(stmt);
        if (rc == DB_ROW)
                put(run, json_pack("{s:s, s:o, s:I, s:o}", "type", "standing", "tier", text(db_text(stmt, 0)),
                                   "blocked", (json_int_t)db_int(stmt, 2), "block_reason", text(db_text(stmt, 4))));
        db_reset(stmt);
        if (rc < 0)
                return rc;
        stmt = db_stmt(run->db, SQL_CUSTOMER_TAGS_OF);
        db_bind_int(stmt, 1, run->who->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                put(run, json_pack("{s:s, s:o}", "type", "tag", "tag", text(db_text(stmt, 0))));
        return rc;
}

/* Events of the app, screens, and (with the team's) notes and blocks. */
static int put_story(struct export_run *run)
{
        enum { NOTE = 3 };
        static const char *const kinds[] = {"", "event", "screen", "note", "blocked", "unblocked", "merged"};
        struct db_stmt *stmt = db_stmt(run->db, SQL_TIMELINE_STORY);
        int rc;
        db_bind_int(stmt, 1, run->who->id);
        db_bind_int(stmt, 2, INT64_MAX);
        db_bind_int(stmt, 3, INT64_MAX);
        db_bind_int(stmt, 4, INT64_MAX);
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (db_int(stmt, 2) >= NOTE && !run->with_notes)
                        continue;
                put(run,
                    json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "type", kinds[db_int(stmt, 2) % 7], "at",
                              (json_int_t)db_int(stmt, 0), "name", text(db_text(stmt, 5)), "title",
                              text(db_text(stmt, 6)), "url", text(db_text(stmt, 7)), "data", text(db_text(stmt, 8))));
        }
        return rc;
}

/* Under his own id, or that of a visitor he has claimed. */
static bool is_by_customer(struct export_run *run, const struct conversation_row *conversation, int64_t author)
{
        struct principal_row row;
        if (author == conversation->customer)
                return true;
        return run->who->has_aliases && principals_load(run->db, author, &row) == DB_ROW &&
               row.alias_of == conversation->customer;
}

static void put_entry(struct export_run *run, const struct conversation_row *conversation,
                      const struct entry_row *entry)
{
        json_t *row = json_pack("{s:s, s:o, s:s, s:I, s:I, s:b}", "type", "entry", "conv",
                                id_text("cnv", conversation->ext), "log", entry->log == LOG_TEAM ? "team" : "public",
                                entry->log == LOG_TEAM ? "iseq" : "seq", (json_int_t)entry->seq, "ts",
                                (json_int_t)entry->ts, "by_customer", is_by_customer(run, conversation, entry->author));
        const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)entry->kind);
        json_object_set_new(row, "kind", json_string(info ? info->name : "other"));
        if (entry->body.at)
                json_object_set_new(row, "content", json_loadb(entry->body.at, entry->body.len, 0, NULL));
        put(run, row);
        run->entries++;
}

static int put_log(struct export_run *run, const struct conversation_row *conversation, enum entry_log log)
{
        int64_t after = 0;
        for (;;) {
                struct db_stmt *stmt = db_stmt(run->db, SQL_ENTRIES_AFTER);
                db_bind_int(stmt, 1, conversation->id);
                db_bind_int(stmt, 2, log);
                db_bind_int(stmt, 3, after);
                db_bind_int(stmt, 4, ENTRIES_AT_ONCE);
                int count = 0, rc;
                while ((rc = db_step(stmt)) == DB_ROW) {
                        struct entry_row entry;
                        entries_read_row(stmt, &entry);
                        entry.log = log;
                        put_entry(run, conversation, &entry);
                        after = entry.seq;
                        count++;
                }
                if (rc < 0 || count < ENTRIES_AT_ONCE)
                        return rc;
        }
}

/* What a bot knows of the conversation, and what it did not understand there. */
static int put_bot(struct export_run *run, const struct conversation_row *conversation)
{
        struct db_stmt *stmt = db_stmt(run->db, SQL_BOT_STATE_GET);
        db_bind_int(stmt, 1, conversation->id);
        int rc = db_step(stmt);
        if (rc == DB_ROW && (db_text(stmt, 5).at || db_text(stmt, 6).at))
                put(run,
                    json_pack("{s:s, s:o, s:o, s:o}", "type", "bot_state", "conv", id_text("cnv", conversation->ext),
                              "state", text(db_text(stmt, 6)), "calling", text(db_text(stmt, 5))));
        db_reset(stmt);
        if (rc < 0)
                return rc;
        stmt = db_stmt(run->db, SQL_BOT_QUESTIONS_OF_CONVERSATION);
        db_bind_int(stmt, 1, conversation->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                put(run, json_pack("{s:s, s:o, s:I, s:I, s:o}", "type", "bot_question", "conv",
                                   id_text("cnv", conversation->ext), "seq", (json_int_t)db_int(stmt, 0), "at",
                                   (json_int_t)db_int(stmt, 1), "question", text(db_text(stmt, 2))));
        return rc;
}

static int put_tickets(struct export_run *run, const struct conversation_row *conversation)
{
        static const char *const statuses[] = {"",        "new",     "pending", "bot",    "open",
                                               "waiting", "on_hold", "snoozed", "solved", "closed"};
        static const char *const priorities[] = {"", "low", "normal", "high", "urgent"};
        struct db_stmt *stmt = db_stmt(run->db, SQL_TICKETS_OF_CONVERSATION);
        int rc;

        db_bind_int(stmt, 1, conversation->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                put(run,
                    json_pack("{s:s, s:o, s:o, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "type", "ticket",
                              "ticket", id_text("tkt", (uint64_t)db_int(stmt, 0)), "conv",
                              id_text("cnv", conversation->ext), "number", (json_int_t)db_int(stmt, 1), "status",
                              statuses[db_int(stmt, 2) % 10], "priority", priorities[db_int(stmt, 3) % 5], "subject",
                              text(db_text(stmt, 4)), "topic", text(db_text(stmt, 5)), "tags", text(db_text(stmt, 6)),
                              "fields", text(db_text(stmt, 7)), "issued", (json_int_t)db_int(stmt, 8), "solved",
                              (json_int_t)db_int(stmt, 9), "closed", (json_int_t)db_int(stmt, 10)));
        return rc;
}

/* What he was asked, and what he answered. */
static int put_surveys(struct export_run *run)
{
        static const char *const metrics[] = {"", "csat", "nps", "ces"};
        static const char *const states[] = {"", "planned", "waiting", "answered", "expired", "withdrawn", "refused"};
        struct db_stmt *stmt = db_stmt(run->db, SQL_SURVEY_OFFERS_EXPORT);
        int rc;

        db_bind_int(stmt, 1, run->who->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                put(run, json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:b}", "type",
                                   "survey", "offer", id_text("off", (uint64_t)db_int(stmt, 0)), "conv",
                                   id_text("cnv", (uint64_t)db_int(stmt, 1)), "survey", text(db_text(stmt, 2)),
                                   "metric", metrics[db_int(stmt, 3) % 4], "state", states[db_int(stmt, 4) % 7],
                                   "reason", text(db_text(stmt, 5)), "offered", (json_int_t)db_int(stmt, 6), "answered",
                                   (json_int_t)db_int(stmt, 7), "score",
                                   db_is_null(stmt, 8) ? json_null() : json_integer(db_int(stmt, 8)), "comment",
                                   text(db_text(stmt, 9)), "answers", text(db_text(stmt, 10)), "wants_contact",
                                   db_int(stmt, 11) != 0));
        return rc;
}

static const char *const case_lines[] = {
        "",           "opened",   "repeated",  "answer_changed", "withdrawn",      "assigned",
        "unassigned", "contact",  "action",    "action_done",    "cause",          "compensation",
        "resolved",   "reopened", "escalated", "asked_again",    "answered_again", "merged"};

static json_t *score_text(struct db_stmt *stmt, int column)
{
        return db_is_null(stmt, column) ? json_null() : json_integer(db_int(stmt, column));
}

/* Cases about him, what he was given, and (with the team's notes) the whole log. */
static int put_cases(struct export_run *run)
{
        enum { COMPENSATION = 11 };
        static const char *const stages[] = {"", "open", "contacted", "resolved", "reopened", "withdrawn"};
        static const char *const outcomes[] = {"", "recovered", "not_recovered", "unreachable", "declined"};
        struct db_stmt *stmt = db_stmt(run->db, SQL_RECOVERY_EXPORT);
        int rc;

        db_bind_int(stmt, 1, run->who->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                put(run, json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:o}", "type", "recovery",
                                   "recovery", id_text("rec", (uint64_t)db_int(stmt, 1)), "conv",
                                   id_text("cnv", (uint64_t)db_int(stmt, 2)), "stage", stages[db_int(stmt, 3) % 6],
                                   "outcome", outcomes[db_int(stmt, 4) % 5], "reason", text(db_text(stmt, 5)), "cause",
                                   text(db_text(stmt, 6)), "opened", (json_int_t)db_int(stmt, 7), "resolved",
                                   (json_int_t)db_int(stmt, 8), "score_before", score_text(stmt, 9), "score_after",
                                   score_text(stmt, 10)));
        if (rc < 0)
                return rc;
        stmt = db_stmt(run->db, SQL_RECOVERY_EXPORT_LOG);
        db_bind_int(stmt, 1, run->who->id);
        while ((rc = db_step(stmt)) == DB_ROW)
                if (run->with_notes || db_int(stmt, 2) == COMPENSATION)
                        put(run, json_pack("{s:s, s:o, s:I, s:s, s:o, s:I, s:o}", "type", "recovery_line", "recovery",
                                           id_text("rec", (uint64_t)db_int(stmt, 0)), "at", (json_int_t)db_int(stmt, 1),
                                           "what", case_lines[db_int(stmt, 2) % 18], "word", text(db_text(stmt, 3)),
                                           "number", (json_int_t)db_int(stmt, 4), "text",
                                           run->with_notes ? text(db_text(stmt, 5)) : json_null()));
        return rc;
}

static int put_conversation(struct export_run *run, uint64_t ext)
{
        struct conversation_row row;
        int rc = conversations_load(run->db, ext, &row);
        if (rc != DB_ROW)
                return rc;
        put(run, json_pack("{s:s, s:o, s:s, s:I}", "type", "conversation", "conv", id_text("cnv", ext), "key", row.key,
                           "messages", (json_int_t)row.head));
        run->conversations++;
        rc = put_log(run, &row, LOG_PUBLIC);
        if (rc >= 0)
                rc = put_bot(run, &row);
        if (rc >= 0)
                rc = put_tickets(run, &row);
        return rc < 0 || !run->with_notes ? rc : put_log(run, &row, LOG_TEAM);
}

static int put_conversations(struct export_run *run)
{
        int64_t above = 0;
        for (;;) {
                struct db_stmt *stmt = db_stmt(run->db, SQL_CONVERSATIONS_OF);
                db_bind_int(stmt, 1, run->who->id);
                db_bind_int(stmt, 2, above);
                int rc = db_step(stmt);
                if (rc != DB_ROW)
                        return rc;
                above = db_int(stmt, 0);
                uint64_t ext = (uint64_t)db_int(stmt, 1);
                db_reset(stmt);
                if ((rc = put_conversation(run, ext)) < 0)
                        return rc;
        }
}

/* A line about a file, and its bytes under its own name in the folder asked for. */
static int put_file(struct export_run *run, const struct file_row *row)
{
        char name[FILE_ID_TEXT + 1] = "", sum[2 * FILE_ID_TEXT + 1] = "";
        file_id_write(name, row->ext);
        file_id_write(sum, row->sha256);
        file_id_write(sum + FILE_ID_TEXT, row->sha256 + FILE_ID_BYTES);
        put(run,
            json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:b}", "type", "file", "file", name, "name", row->name, "media",
                      row->media, "bytes", (json_int_t)row->size, "sha256", sum, "in_a_message", row->conv != 0));
        run->files++;
        char *to = run->files_to ? files_path(run->files_to, name) : NULL;
        int rc = to ? attachments_copy(run->data, row->ext, to) : 0;
        free(to);
        return rc < 0 ? cli_fail(EX_CANTCREAT, "%s/%s: %s", run->files_to, name, strerror(-rc)) : 0;
}

static int put_files(struct export_run *run)
{
        int64_t above = 0;
        for (;;) {
                struct file_row row;
                struct db_stmt *stmt = db_stmt(run->db, SQL_FILES_OF_CUSTOMER);
                db_bind_int(stmt, 1, run->who->id);
                db_bind_int(stmt, 2, above);
                db_bind_int(stmt, 3, run->with_notes);
                int rc = db_step(stmt);
                if (rc != DB_ROW)
                        return rc;
                file_row_read(stmt, &row);
                db_reset(stmt);
                above = row.id;
                if ((rc = put_file(run, &row)) != 0)
                        return rc;
        }
}

static int find_person(struct db *db, const char *customer, const char *external, struct principal_row *out_row)
{
        int rc = DB_OK;
        if (customer) {
                struct principal_id who;
                if (principal_read(span_of(customer), &who) < 0 || who.role != ROLE_CUSTOMER)
                        return cli_fail(EX_USAGE, "%s: not the id of a customer (usr_...)", customer);
                rc = principals_load_ext(db, who.id, out_row);
                if (rc == DB_ROW && out_row->alias_of != 0) /* a claimed visitor: the user it belongs to */
                        rc = principals_load(db, out_row->alias_of, out_row);
        } else {
                struct db_stmt *stmt = db_stmt(db, SQL_WORKSPACE_FIRST);
                int64_t workspace = db_step(stmt) == DB_ROW ? db_int(stmt, 0) : 0;
                db_reset(stmt);
                rc = principals_find_external(db, workspace, span_of(external), out_row);
        }
        if (rc == DB_ROW && out_row->role == ROLE_CUSTOMER)
                return EX_OK;
        return rc < 0 ? cli_fail(EX_UNAVAILABLE, "the store cannot be read: %s", db_message(db))
                      : cli_fail(EX_DATAERR, "no such customer");
}

static int write_all(struct export_run *run)
{
        int rc = db_snapshot_begin(run->db);
        if (rc >= 0)
                rc = put_profile(run);
        if (rc >= 0)
                rc = put_known(run);
        if (rc >= 0)
                rc = put_story(run);
        if (rc >= 0)
                rc = put_surveys(run);
        if (rc >= 0)
                rc = put_cases(run);
        if (rc >= 0)
                rc = put_conversations(run);
        if (rc >= 0)
                rc = put_files(run);
        db_snapshot_end(run->db);
        if (rc > 0)
                return rc; /* said already */
        if (rc < 0)
                return cli_fail(EX_UNAVAILABLE, "the store cannot be read: %s", db_message(run->db));
        return fflush(run->out) == 0 ? EX_OK : cli_fail(EX_IOERR, "%s", strerror(errno));
}

static int open_out(const char *to, FILE **out)
{
        int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        *out = fd < 0 ? NULL : fdopen(fd, "w");
        return *out ? EX_OK : cli_fail(EX_CANTCREAT, "%s: %s", to, strerror(errno));
}

/* Root makes it for the owner of the data folder, as whom the store is read. */
static int make_folder(const char *data, const char *path)
{
        struct stat owner;
        if (mkdir(path, 0700) < 0 ||
            (geteuid() == 0 && (stat(data, &owner) < 0 || chown(path, owner.st_uid, owner.st_gid) < 0)))
                return cli_fail(EX_CANTCREAT, "%s: %s", path, strerror(errno));
        return EX_OK;
}

static int export_person(const char *data, const char *customer, const char *external, const char *to, bool with_notes,
                         const char *files_to)
{
        struct export_run run = {.out = stdout, .with_notes = with_notes, .data = data, .files_to = files_to};
        struct principal_row who = {0};
        struct identity before;
        char *path = files_path(data, "deskbell.db"), *why = NULL;
        int rc = folder_has_store(data) ? EX_OK : cli_fail(EX_NOINPUT, "%s: no store there", data);
        if (rc == EX_OK && to)
                rc = open_out(to, &run.out);
        if (rc == EX_OK && files_to)
                rc = make_folder(data, files_to);
        if (rc == EX_OK)
                rc = identity_borrow(data, &before);
        if (rc != EX_OK) {
                free(path);
                return rc;
        }
        if (db_open(&db_sqlite, path, DB_READER, &run.db, &why) < 0)
                rc = cli_fail(EX_UNAVAILABLE, "%s", why ? why : path);
        if (rc == EX_OK)
                rc = find_person(run.db, customer, external, &who);
        run.who = &who;
        if (rc == EX_OK)
                rc = write_all(&run);
        db_close(run.db);
        identity_return(&before);
        free(path);
        free(why);
        if (to && run.out != stdout && fclose(run.out) != 0 && rc == EX_OK)
                rc = cli_fail(EX_IOERR, "%s: %s", to, strerror(errno));
        if (to && rc == EX_OK)
                printf("%s: %lld lines, %lld conversations, %lld entries, %lld attachments\n", to, run.lines,
                       run.conversations, run.entries, run.files);
        return rc == EX_OK ? cli_finish() : rc;
}

int cli_export(int argc, char **argv)
{
        const char *data = NULL, *customer = NULL, *external = NULL, *to = NULL, *files_to = NULL;
        bool with_notes = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "customer", .value = "ID", .text = &customer, .help = "usr_..."},
                {.name = "user", .value = "ID", .text = &external, .help = "instead: the app's own id of the user"},
                {.name = "to", .value = "FILE", .text = &to, .help = "made (0600); default standard output"},
                {.name = "files-to",
                 .value = "FOLDER",
                 .text = &files_to,
                 .help = "made (0700); gets the attachments themselves, under the names that the lines say"},
                {.name = "with-notes", .flag = &with_notes, .help = "the team's notes about the person too"},
        };
        const struct cli_page page = {
                .usage = "export --customer ID | --user ID [options]",
                .about = "Writes everything that is held about a person, one JSON object a line: profile, devices,\n"
                         "conversations and their entries, what a bot keeps of them, surveys and answers, attachments.",
                .examples = "  deskbell export --user alice --to alice.ndjson\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!customer == !external)
                return cli_fail(EX_USAGE, "whom? one of --customer and --user; see: deskbell export --help");
        return export_person(cli_data(data), customer, external, to, with_notes, files_to);
}
