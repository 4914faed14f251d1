/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/tickets/ticket_rows.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "desk/hours/hours.h"
#include "desk/routing/routing.h"
#include "protocol/writer.h"
#include "store/conversations.h"

static char *keep(struct span text)
{
        return text.at && text.len > 0 ? strndup(text.at, text.len) : NULL;
}

static void copy(char *out, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(out, text.at, len);
        out[len] = '\0';
}

static size_t read_words(struct span text, char **out, size_t most)
{
        json_t *list = text.at ? json_loadb(text.at, text.len, 0, NULL) : NULL;
        size_t count = 0, i;
        json_t *word;
        json_array_foreach(list, i, word) {
                if (count == most || !json_is_string(word))
                        break;
                if ((out[count] = strdup(json_string_value(word))) != NULL)
                        count++;
        }
        json_decref(list);
        return count;
}

struct ticket *ticket_free(struct ticket *ticket)
{
        if (!ticket)
                return NULL;
        for (size_t i = 0; i < ticket->tag_count; i++)
                free(ticket->tags[i]);
        for (size_t i = 0; i < ticket->skill_count; i++)
                free(ticket->skills[i]);
        free(ticket->subject);
        free(ticket->topic);
        free(ticket->fields);
        free(ticket);
        return NULL;
}

static void read_texts(struct db_stmt *stmt, struct ticket *ticket)
{
        ticket->subject = keep(db_text(stmt, 12));
        ticket->topic = keep(db_text(stmt, 13));
        copy(ticket->lang, sizeof ticket->lang, db_text(stmt, 14));
        ticket->tag_count = read_words(db_text(stmt, 15), ticket->tags, TICKET_TAGS);
        ticket->skill_count = read_words(db_text(stmt, 16), ticket->skills, TICKET_SKILLS);
        ticket->fields = keep(db_text(stmt, 17));
        copy(ticket->close_reason, sizeof ticket->close_reason, db_text(stmt, 36));
}

struct ticket *ticket_row_read(struct db_stmt *stmt)
{
        struct ticket *ticket = calloc(1, sizeof *ticket);
        if (!ticket)
                return NULL;
        ticket->id = db_int(stmt, 0);
        ticket->ext = (uint64_t)db_int(stmt, 1);
        ticket->number = db_int(stmt, 2);
        ticket->conv = db_int(stmt, 3);
        ticket->customer = db_int(stmt, 4);
        ticket->app = db_int(stmt, 5);
        ticket->status = ticket->was_status = (enum ticket_status)db_int(stmt, 6);
        ticket->status_ms = db_int(stmt, 7);
        ticket->priority = (enum ticket_priority)db_int(stmt, 8);
        ticket->team = db_int(stmt, 9);
        ticket->assignee = db_int(stmt, 10);
        ticket->version = db_int(stmt, 11);
        ticket->first_seq = db_int(stmt, 18);
        ticket->issued_ms = db_int(stmt, 19);
        ticket->queued_ms = db_int(stmt, 20);
        ticket->assigned_ms = db_int(stmt, 21);
        ticket->first_reply_ms = db_int(stmt, 22);
        ticket->solved_ms = db_int(stmt, 23);
        ticket->last_solved_ms = db_int(stmt, 24);
        ticket->closed_ms = db_int(stmt, 25);
        ticket->reopens = db_int(stmt, 26);
        ticket->transfers = db_int(stmt, 27);
        ticket->snooze_until_ms = db_int(stmt, 28);
        ticket->consent_seq = db_int(stmt, 29);
        ticket->reminded_ms = db_int(stmt, 30);
        ticket->is_exempt = db_int(stmt, 31) != 0;
        ticket->is_handed = db_int(stmt, 32) != 0;
        ticket->follows = db_int(stmt, 33);
        ticket->merged_into = db_int(stmt, 34);
        ticket->split_from = db_int(stmt, 35);
        ticket->conv_ext = (uint64_t)db_int(stmt, 37);
        ticket->last_ms = db_int(stmt, 38);
        ticket->customer_ms = db_int(stmt, 39);
        ticket->unanswered = db_int(stmt, 40);
        ticket->is_bots = db_int(stmt, 41) == OWNER_BOT;
        ticket->heap_place = SIZE_MAX;
        ticket->due_ms = INT64_MAX;
        read_texts(stmt, ticket);
        return ticket;
}

static int read_one(struct db_stmt *stmt, struct ticket **out_ticket)
{
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_ticket = ticket_row_read(stmt);
        db_reset(stmt);
        return *out_ticket ? DB_ROW : DB_NOMEM;
}

int ticket_row_by_id(struct db *db, int64_t id, struct ticket **out_ticket)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TICKET_BY_ID);
        db_bind_int(stmt, 1, id);
        return read_one(stmt, out_ticket);
}

int ticket_row_by_ext(struct db *db, int64_t workspace, uint64_t ext, struct ticket **out_ticket)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TICKET_BY_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        db_bind_int(stmt, 2, workspace);
        return read_one(stmt, out_ticket);
}

int ticket_row_newest(struct db *db, int64_t conv, struct ticket **out_ticket)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TICKET_NEWEST_OF);
        db_bind_int(stmt, 1, conv);
        return read_one(stmt, out_ticket);
}

int ticket_row_insert(struct db *db, int64_t workspace, struct ticket *ticket, int64_t now_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TICKET_INSERT);
        db_bind_int(stmt, 1, workspace);
        db_bind_int(stmt, 2, (int64_t)ticket->ext);
        db_bind_int(stmt, 3, ticket->number);
        db_bind_int(stmt, 4, ticket->conv);
        db_bind_int(stmt, 5, ticket->customer);
        db_bind_int(stmt, 6, ticket->app);
        db_bind_int(stmt, 7, ticket->status);
        db_bind_int(stmt, 8, now_ms);
        db_bind_int(stmt, 9, ticket->priority);
        db_bind_int(stmt, 10, ticket->version);
        int rc = db_run(stmt);
        if (rc == DB_OK)
                ticket->id = db_last_id(db);
        return rc;
}

static struct span words_of(char *const *words, size_t count, struct writer *writer)
{
        if (count == 0)
                return (struct span){0};
        writer_char(writer, '[');
        for (size_t i = 0; i < count; i++) {
                if (i > 0)
                        writer_char(writer, ',');
                writer_string(writer, span_of(words[i]));
        }
        writer_char(writer, ']');
        return (struct span){writer->bytes, writer->len};
}

static struct span text_of(const char *text)
{
        return text && *text ? span_of(text) : (struct span){0};
}

static void bind_numbers(struct db_stmt *stmt, const struct ticket *ticket)
{
        db_bind_int(stmt, 1, ticket->id);
        db_bind_int(stmt, 2, ticket->status);
        db_bind_int(stmt, 3, ticket->status_ms);
        db_bind_int(stmt, 4, ticket->priority);
        db_bind_int(stmt, 5, ticket->team);
        db_bind_int(stmt, 6, ticket->assignee);
        db_bind_int(stmt, 7, ticket->version);
        db_bind_int(stmt, 14, ticket->first_seq);
        db_bind_int(stmt, 15, ticket->issued_ms);
        db_bind_int(stmt, 16, ticket->queued_ms);
        db_bind_int(stmt, 17, ticket->assigned_ms);
        db_bind_int(stmt, 18, ticket->first_reply_ms);
        db_bind_int(stmt, 19, ticket->solved_ms);
        db_bind_int(stmt, 20, ticket->last_solved_ms);
        db_bind_int(stmt, 21, ticket->closed_ms);
        db_bind_int(stmt, 22, ticket->reopens);
        db_bind_int(stmt, 23, ticket->transfers);
        db_bind_int(stmt, 24, ticket->snooze_until_ms);
        db_bind_int(stmt, 25, ticket->consent_seq);
        db_bind_int(stmt, 26, ticket->reminded_ms);
        db_bind_int(stmt, 27, ticket->is_exempt);
        db_bind_int(stmt, 28, ticket->is_handed);
        db_bind_int(stmt, 29, ticket->follows);
        db_bind_int(stmt, 30, ticket->merged_into);
        db_bind_int(stmt, 31, ticket->split_from);
        db_bind_int(stmt, 33, ticket->customer);
        int64_t due_ms = ticket->sla ? sla_deadline_ms(ticket) : CALENDAR_NEVER;
        db_bind_int(stmt, 34, due_ms == CALENDAR_NEVER ? 0 : due_ms);
        db_bind_int(stmt, 35, ticket->sla ? sla_misses(ticket) : 0);
        int64_t until_ms = 0;
        db_bind_int(stmt, 36, routing_offered_to(ticket, &until_ms));
}

int ticket_row_save(struct db *db, const struct ticket *ticket)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TICKET_SAVE);
        struct writer tags, skills;
        char first[512], second[256];
        writer_init(&tags, first, sizeof first);
        writer_init(&skills, second, sizeof second);
        bind_numbers(stmt, ticket);
        db_bind_text(stmt, 8, text_of(ticket->subject));
        db_bind_text(stmt, 9, text_of(ticket->topic));
        db_bind_text(stmt, 10, text_of(ticket->lang));
        db_bind_text(stmt, 11, words_of(ticket->tags, ticket->tag_count, &tags));
        db_bind_text(stmt, 12, words_of(ticket->skills, ticket->skill_count, &skills));
        db_bind_text(stmt, 13, text_of(ticket->fields));
        db_bind_text(stmt, 32, text_of(ticket->close_reason));
        int rc = tags.failed || skills.failed ? DB_NOMEM : db_run(stmt);
        if (rc == DB_NOMEM)
                db_reset(stmt);
        writer_done(&tags);
        writer_done(&skills);
        return rc;
}

static struct span copied(struct arena *arena, struct span text)
{
        char *copy = text.len > 0 ? arena_take(arena, text.len) : NULL;
        if (copy)
                memcpy(copy, text.at, text.len);
        return (struct span){copy, copy ? text.len : 0};
}

static void read_people(struct db_stmt *stmt, struct directory *directory, struct arena *arena,
                        struct protocol_ticket_brief *out)
{
        int64_t assignee = db_int(stmt, 7), offered = db_int(stmt, 12);
        if (!db_is_null(stmt, 5)) {
                out->has_team = out->has_team_name = true;
                out->team = (uint64_t)db_int(stmt, 5);
                out->team_name = copied(arena, db_text(stmt, 6));
        }
        const struct principal *who = assignee ? directory_find(directory, assignee) : NULL;
        if (who) {
                out->has_assignee = true;
                out->assignee = (struct principal_id){who->role, who->ext};
                out->has_assignee_name = who->name != NULL;
                out->assignee_name = who->name ? span_of(who->name) : (struct span){0};
        }
        if (offered) {
                out->has_offered = true;
                out->offered = directory_author(directory, offered);
        }
}

int ticket_brief_read(struct db *db, int64_t conv, struct directory *directory, struct arena *arena,
                      struct protocol_ticket_brief *out_brief)
{
        struct db_stmt *stmt = db_stmt(db, SQL_TICKET_BRIEF_OF);
        db_bind_int(stmt, 1, conv);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct protocol_ticket_brief *out = out_brief;
        struct span subject = db_text(stmt, 8);
        *out = (struct protocol_ticket_brief){
                .ticket = (uint64_t)db_int(stmt, 0),
                .number = db_int(stmt, 1),
                .status = (enum protocol_ticket_brief_status)db_int(stmt, 2),
                .priority = (enum protocol_ticket_brief_priority)db_int(stmt, 3),
                .version = db_int(stmt, 4),
                .has_subject = subject.len > 0,
                .subject = copied(arena, subject),
                .has_snooze_until = db_int(stmt, 2) == TICKET_SNOOZED,
                .snooze_until = db_int(stmt, 9),
                .has_due = db_int(stmt, 10) > 0,
                .due = db_int(stmt, 10),
                .has_missed = db_int(stmt, 11) > 0,
                .missed = db_int(stmt, 11),
        };
        read_people(stmt, directory, arena, out);
        db_reset(stmt);
        return 1;
}
