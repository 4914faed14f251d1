/* SPDX-License-Identifier: Apache-2.0 */
/* Each change of a ticket: its entry in the team's log, its version, and everybody who follows tickets is told. */
#include "desk/tickets/ticket_private.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk/people/people.h"

enum { WHY_BYTES = PROTOCOL_LABEL_POINTS * 4 };

/* ---- the entry ---- */

static void say_fields(struct writer *text, const struct changed_field *fields, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                writer_raw(text, i == 0 ? SPAN(": ") : SPAN("; "));
                writer_raw(text, span_of(fields[i].name));
                writer_char(text, ' ');
                if (fields[i].old.at && fields[i].old.len <= 200) {
                        writer_raw(text, fields[i].old);
                        writer_raw(text, SPAN(" -> "));
                }
                writer_raw(text, fields[i].now.at && fields[i].now.len <= 200 ? fields[i].now
                                 : fields[i].now.at                           ? SPAN("(changed)")
                                                                              : SPAN("nothing"));
        }
}

static struct span cut(struct span text, size_t most)
{
        if (!text.at || text.len <= most)
                return text;
        size_t len = most;
        while (len > 0 && ((uint8_t)text.at[len] & 0xc0) == 0x80)
                len--;
        return (struct span){text.at, len};
}

static int put_entry(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span text,
                     const struct protocol_change *change)
{
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc < 0)
                return desk->db_failure != 0 ? rc : desk_db_failed(desk, DB_DAMAGED);
        struct protocol_content content = {.has_text = true, .text = text, .has_change = true, .change = *change};
        struct writer body;
        char first[1024];
        writer_init(&body, first, sizeof first);
        content_store(&body, &content);
        struct entry_row entry = {
                .log = LOG_TEAM, .author = by->agent, .kind = PROTOCOL_ENTRY_CHANGE, .body = {body.bytes, body.len}};
        rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                         : entry_add(desk, conversation, &entry, &content, by->agent ? ROLE_AGENT : ROLE_NONE);
        writer_done(&body);
        return rc < 0 ? rc : 0;
}

static int write_change(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *word,
                        const struct changed_field *fields, size_t count)
{
        struct protocol_change_field rows[12];
        struct protocol_change change = {.ticket = ticket->ext,
                                         .version = ticket->version,
                                         .what = span_of(word),
                                         .has_fields = count > 0,
                                         .fields = rows,
                                         .fields_count = count,
                                         .has_why = by->why && *by->why,
                                         .why = by->why ? cut(span_of(by->why), WHY_BYTES) : (struct span){0},
                                         .has_rule = by->rule != 0,
                                         .rule = by->rule};
        for (size_t i = 0; i < count; i++)
                rows[i] = (struct protocol_change_field){.name = span_of(fields[i].name),
                                                         .has_old = fields[i].old.at != NULL,
                                                         .old = cut(fields[i].old, 1000),
                                                         .has_now = fields[i].now.at != NULL,
                                                         .now = cut(fields[i].now, 1000)};
        struct writer text;
        char first[512];
        writer_init(&text, first, sizeof first);
        writer_raw(&text, span_of(word));
        say_fields(&text, fields, count);
        if (change.has_why) {
                writer_raw(&text, SPAN(" ("));
                writer_raw(&text, change.why);
                writer_char(&text, ')');
        }
        int rc = text.failed ? desk_db_failed(desk, DB_NOMEM)
                             : put_entry(desk, ticket, by, (struct span){text.bytes, text.len}, &change);
        writer_done(&text);
        return rc;
}

int ticket_tell(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *word,
                const struct changed_field *fields, size_t count, enum ticket_happening what)
{
        ticket->version++;
        ticket_changed(desk, ticket);
        int rc = count > 0 ? write_change(desk, ticket, by, word, fields, count) : 0;
        if (rc < 0)
                return rc;
        ticket_happened(desk, ticket, what, desk->now_ms, 0);
        routing_wants(desk, ticket);
        ticket_reschedule(desk, ticket);
        return desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

int ticket_note(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *what,
                struct span text)
{
        struct protocol_change change = {.ticket = ticket->ext,
                                         .version = ticket->version,
                                         .what = span_of(what),
                                         .has_why = by->why && *by->why,
                                         .why = by->why ? cut(span_of(by->why), WHY_BYTES) : (struct span){0},
                                         .has_rule = by->rule != 0,
                                         .rule = by->rule};
        return put_entry(desk, ticket, by, text, &change);
}

/* ---- its fields ---- */

static struct span word_of(const char *text)
{
        return text && *text ? span_of(text) : (struct span){0};
}

static int set_text(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, char **text, const char *name,
                    struct span value)
{
        if (value.len == 0)
                value = (struct span){0};
        bool same = *text ? span_equal(value.at ? value : SPAN(""), span_of(*text)) : !value.at;
        if (same)
                return 1;
        char *copy = value.at ? strndup(value.at, value.len) : NULL;
        if (value.at && !copy)
                return desk_db_failed(desk, DB_NOMEM);
        char *old = *text;
        *text = copy;
        struct changed_field field = {name, word_of(old), word_of(copy)};
        int rc = ticket_tell(desk, ticket, by, name, &field, 1, TICKET_DETAILS);
        free(old);
        return rc;
}

int ticket_set_subject(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span subject)
{
        return set_text(desk, ticket, by, &ticket->subject, "subject", subject);
}

int ticket_set_topic(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span topic)
{
        return set_text(desk, ticket, by, &ticket->topic, "topic", topic);
}

int ticket_set_fields(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span json)
{
        return set_text(desk, ticket, by, &ticket->fields, "fields", json);
}

int ticket_set_lang(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span lang)
{
        char old[sizeof ticket->lang];
        memcpy(old, ticket->lang, sizeof old);
        if (lang.len >= sizeof old || span_equal(lang, span_of(old)))
                return 1;
        if (lang.len > 0)
                memcpy(ticket->lang, lang.at, lang.len);
        ticket->lang[lang.len] = '\0';
        struct changed_field field = {"lang", word_of(old), word_of(ticket->lang)};
        return ticket_tell(desk, ticket, by, "lang", &field, 1, TICKET_DETAILS);
}

const char *ticket_priority_name(enum ticket_priority priority)
{
        static const char *const names[] = {"", "low", "normal", "high", "urgent"};
        return names[priority];
}

int ticket_set_priority(struct desk *desk, struct ticket *ticket, const struct ticket_by *by,
                        enum ticket_priority priority)
{
        enum ticket_priority old = ticket->priority;
        if (old == priority)
                return 1;
        ticket->priority = priority;
        struct changed_field field = {"priority", span_of(ticket_priority_name(old)),
                                      span_of(ticket_priority_name(priority))};
        return ticket_tell(desk, ticket, by, "priority", &field, 1, TICKET_DETAILS);
}

int ticket_set_exempt(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, bool is_exempt)
{
        if (ticket->is_exempt == is_exempt)
                return 1;
        ticket->is_exempt = is_exempt;
        struct changed_field field = {"exempt", is_exempt ? SPAN("no") : SPAN("yes"),
                                      is_exempt ? SPAN("yes") : SPAN("no")};
        return ticket_tell(desk, ticket, by, "exempt", &field, 1, TICKET_DETAILS);
}

/* ---- words it carries, kept in order ---- */

static size_t find_word(char *const *words, size_t count, struct span word, bool *out_found)
{
        size_t at = 0;
        *out_found = false;
        for (; at < count; at++) {
                struct span one = span_of(words[at]);
                int order = memcmp(one.at, word.at, one.len < word.len ? one.len : word.len);
                if (order == 0 && one.len == word.len)
                        *out_found = true;
                if (order > 0 || (order == 0 && one.len >= word.len))
                        break;
        }
        return at;
}

static int add_word(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *name,
                    char **words, size_t *count, size_t most, struct span word)
{
        bool is_there;
        size_t at = find_word(words, *count, word, &is_there);
        if (is_there || *count == most || word.len == 0 || word.len > TICKET_WORD_BYTES)
                return 1;
        char *copy = strndup(word.at, word.len);
        if (!copy)
                return desk_db_failed(desk, DB_NOMEM);
        memmove(words + at + 1, words + at, (*count - at) * sizeof *words);
        words[at] = copy;
        ++*count;
        struct changed_field field = {name, {0}, span_of(copy)};
        return ticket_tell(desk, ticket, by, name, &field, 1, TICKET_DETAILS);
}

int ticket_add_tag(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span tag)
{
        return add_word(desk, ticket, by, "tag", ticket->tags, &ticket->tag_count, TICKET_TAGS, tag);
}

int ticket_add_skill(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span skill)
{
        return add_word(desk, ticket, by, "skill", ticket->skills, &ticket->skill_count, TICKET_SKILLS, skill);
}

int ticket_remove_tag(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span tag)
{
        bool is_there;
        size_t at = find_word(ticket->tags, ticket->tag_count, tag, &is_there);
        if (!is_there)
                return 1;
        char *old = ticket->tags[at];
        ticket->tag_count--;
        memmove(ticket->tags + at, ticket->tags + at + 1, (ticket->tag_count - at) * sizeof *ticket->tags);
        struct changed_field field = {"tag", span_of(old), {0}};
        int rc = ticket_tell(desk, ticket, by, "tag", &field, 1, TICKET_DETAILS);
        free(old);
        return rc;
}

/* ---- whose it is ---- */

int ticket_belongs(struct desk *desk, struct ticket *ticket)
{
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc == 0)
                people_belongs(desk, conversation, ticket->team, ticket->assignee);
        return rc;
}

static struct span name_of_agent(struct desk *desk, int64_t agent, char room[32])
{
        if (agent == 0)
                return (struct span){0};
        const struct principal *who = directory_find(desk->directory, agent);
        if (who && who->name)
                return span_of(who->name);
        snprintf(room, 32, "agent %lld", (long long)agent);
        return span_of(room);
}

static struct span name_of_team(struct desk *desk, int64_t team)
{
        const struct team *found = team ? people_team(desk, team) : NULL;
        return found ? span_of(found->name) : (struct span){0};
}

int ticket_assign(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, int64_t team, int64_t assignee)
{
        if (ticket->team == team && ticket->assignee == assignee)
                return 1;
        char old_name[32], new_name[32];
        struct changed_field fields[3];
        size_t count = 0;
        if (ticket->team != team)
                fields[count++] =
                        (struct changed_field){"team", name_of_team(desk, ticket->team), name_of_team(desk, team)};
        if (ticket->assignee != assignee)
                fields[count++] = (struct changed_field){"assignee", name_of_agent(desk, ticket->assignee, old_name),
                                                         name_of_agent(desk, assignee, new_name)};
        bool is_taken_over = ticket->assignee != 0 && assignee != 0 && ticket->assignee != assignee;
        ticket->transfers += is_taken_over || (ticket->team != 0 && ticket->team != team);
        ticket->team = team;
        ticket->assignee = assignee;
        if (assignee != 0 && ticket->assigned_ms == 0)
                ticket->assigned_ms = desk->now_ms;
        enum ticket_event event = assignee != 0 ? TICKET_EVENT_ASSIGN : TICKET_EVENT_RELEASE;
        bool moves = ticket_may(ticket, event);
        if (moves)
                fields[count++] = ticket_move_to(desk, ticket, ticket_life[ticket->status][event].to);
        int rc = ticket_tell(desk, ticket, by, "assign", fields, count, TICKET_PLACE);
        if (rc == 0)
                rc = ticket_belongs(desk, ticket);
        if (rc == 0 && moves)
                rc = ticket_moved(desk, ticket);
        return rc;
}
