/* SPDX-License-Identifier: Apache-2.0 */
/* Forms in the terminal client: /fill asks field by field, or takes FIELD=VALUE pairs from its own line. Nothing leaves
 * before the whole form fits; a form that is given up leaves nothing. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_CHARS = 1000, NEWEST = 200 };

/* A form that is being filled in. Owns its texts. */
struct filling {
        struct chat *chat;
        deskbell_conversation *conv;
        int64_t wanted; /* entry the user named, 0 = the newest one that nobody has answered */
        char *given;    /* pairs, "" = ask */
        int64_t number;
        struct deskbell_form_field *fields;
        struct deskbell_form_value *values; /* one for each field that has one */
        size_t count, at, values_count;     /* `at`: the field that is asked for */
};

static struct filling *filling_free(struct filling *filling)
{
        if (!filling)
                return NULL;
        for (size_t i = 0; i < filling->count; i++) {
                free((char *)filling->fields[i].id);
                free((char *)filling->fields[i].label);
                free((char *)filling->fields[i].input);
        }
        for (size_t i = 0; i < filling->values_count; i++)
                free((char *)filling->values[i].value);
        free(filling->fields);
        free(filling->values);
        free(filling->given);
        free(filling);
        return NULL;
}

/* ---- finding the form ---------------------------------------------------------------------------------------------
 */

static bool copy_fields(struct filling *filling, const struct deskbell_entry *entry)
{
        filling->number = entry->number;
        filling->fields = calloc(entry->form_count, sizeof(*filling->fields));
        filling->values = calloc(entry->form_count, sizeof(*filling->values));
        if (!filling->fields || !filling->values)
                return false;
        for (size_t i = 0; i < entry->form_count; i++) {
                struct deskbell_form_field *field = &filling->fields[filling->count++];
                field->id = strdup(entry->form[i].id);
                field->label = strdup(entry->form[i].label);
                field->input = strdup(entry->form[i].input);
                field->required = entry->form[i].required;
                if (!field->id || !field->label || !field->input)
                        return false;
        }
        return true;
}

static bool is_answered(const struct deskbell_entry *entries, size_t count, int64_t number)
{
        for (size_t i = 0; i < count; i++)
                if (entries[i].filled_seq == number)
                        return true;
        return false;
}

static const struct deskbell_entry *find_form(const struct filling *filling, const struct deskbell_entry *entries,
                                              size_t count)
{
        for (size_t i = count; i > 0; i--) {
                const struct deskbell_entry *entry = &entries[i - 1];
                bool is_meant = filling->wanted ? entry->number == filling->wanted
                                                : entry->number != filling->chat->filled_last &&
                                                          !is_answered(entries, count, entry->number);
                if (entry->kind == DESKBELL_KIND_FORM && entry->form_count && is_meant)
                        return entry;
        }
        return NULL;
}

/* ---- one field ----------------------------------------------------------------------------------------------------
 */

static const char *wish(const struct deskbell_form_field *field)
{
        if (strcmp(field->input, "email") == 0)
                return "an e-mail address";
        if (strcmp(field->input, "number") == 0)
                return "a number";
        return strcmp(field->input, "date") == 0 ? "a date, YYYY-MM-DD" : "";
}

static void describe(const struct deskbell_form_field *field, char *out, size_t room)
{
        const char *kind = wish(field);

        snprintf(out, room, "%s%s%s%s%s", field->label, *kind || field->required ? " (" : "", kind,
                 field->required ? *kind ? "; needed" : "needed" : "", *kind || field->required ? ")" : "");
}

static size_t length_of(const char *text)
{
        size_t chars = 0;

        for (; *text; text++)
                chars += ((unsigned char)*text & 0xc0) != 0x80;
        return chars;
}

/* NULL: it may be the field's value. Else what is wrong. */
static const char *complaint(const struct deskbell_form_field *field, const char *value)
{
        const struct deskbell_form_value one = {field->id, value};

        if (length_of(value) > VALUE_CHARS)
                return "too long: at most 1,000 characters";
        if (deskbell_form_check(field, 1, &one, 1, NULL) == DESKBELL_OK)
                return NULL;
        return value[strspn(value, " \t")] ? "that is not what is asked for" : "this has to be filled in";
}

static void add_value(struct filling *filling, size_t which, const char *value)
{
        char *copy = strdup(value);

        if (copy)
                filling->values[filling->values_count++] =
                        (struct deskbell_form_value){filling->fields[which].id, copy};
}

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

static void fail(struct chat *chat, const char *what)
{
        chat_say(chat, "%s", what);
        chat->failed += chat->is_plain;
}

/* Takes it. */
static void finish(struct filling *filling)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        struct chat *chat = filling->chat;

        options.filled_seq = filling->number;
        options.filled = filling->values;
        options.filled_count = filling->values_count;
        chat->scroll = 0;
        int rc = filling->values_count ? deskbell_send(filling->conv, NULL, &options, NULL) : DESKBELL_E_TEXT;
        if (rc >= 0)
                chat->filled_last = filling->number; /* its answer is not in the history before it was sent */
        if (rc == DESKBELL_E_TEXT)
                fail(chat, "nothing was filled in, nothing is sent");
        else if (rc < 0)
                fail(chat, deskbell_error_text(rc));
        filling_free(filling);
}

static void ask(struct chat *chat)
{
        struct filling *filling = chat->filling;
        char what[1024];

        if (filling->at < filling->count) {
                describe(&filling->fields[filling->at], what, sizeof(what));
                chat_say(chat, "%s:", what);
                return;
        }
        chat->filling = NULL;
        finish(filling);
}

static size_t find_field(const struct filling *filling, const char *name, size_t len)
{
        for (size_t i = 0; i < filling->count; i++)
                if (strlen(filling->fields[i].id) == len && strncmp(filling->fields[i].id, name, len) == 0)
                        return i;
        return filling->count;
}

/* "FIELD=VALUE FIELD="two words"": takes the next one. False: there is none, or it is not one. */
static bool take_pair(char **at, char **out_name, size_t *out_len, char **out_value)
{
        char *from = *at + strspn(*at, " "), *equals = strchr(from, '=');
        if (!equals || equals == from)
                return false;

        *out_name = from;
        *out_len = (size_t)(equals - from);
        *out_value = equals + 1;
        char quote = **out_value == '"' || **out_value == '\'' ? *(*out_value)++ : '\0';
        char *end = quote ? strchr(*out_value, quote) : *out_value + strcspn(*out_value, " ");
        if (!end || (quote && end[1] && end[1] != ' '))
                return false;
        *at = *end ? end + 1 : end;
        *end = '\0';
        return true;
}

/* Takes it. */
static void fill_from_line(struct filling *filling)
{
        struct chat *chat = filling->chat;
        char *at = filling->given, *name, *value;
        const char *wrong = NULL;
        size_t len;

        while (at[strspn(at, " ")]) {
                if (!take_pair(&at, &name, &len, &value)) {
                        fail(chat, "usage: /fill [SEQ] FIELD=VALUE FIELD=\"TWO WORDS\" ...");
                        filling_free(filling);
                        return;
                }
                size_t which = find_field(filling, name, len);
                if (which == filling->count || filling->values_count == filling->count) {
                        chat_say(chat, "the form has no field %.*s, or it is there twice", (int)len, name);
                        chat->failed += chat->is_plain;
                        filling_free(filling);
                        return;
                }
                add_value(filling, which, value);
        }
        if (deskbell_form_check(filling->fields, filling->count, filling->values, filling->values_count, &wrong) < 0) {
                chat_say(chat, "%s does not fit: see /fill", wrong);
                chat->failed += chat->is_plain;
                filling_free(filling);
                return;
        }
        finish(filling);
}

/* In a pipe nobody can be asked. Takes it. */
static void tell_fields(struct filling *filling)
{
        char what[1024];

        chat_say(filling->chat, "form #%lld asks, for /fill %lld FIELD=VALUE ...", (long long)filling->number,
                 (long long)filling->number);
        for (size_t i = 0; i < filling->count; i++) {
                describe(&filling->fields[i], what, sizeof(what));
                chat_say(filling->chat, "%s=... %s", filling->fields[i].id, what);
        }
        filling_free(filling);
}

static void on_form(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                    int64_t head, int more, void *data)
{
        struct filling *filling = data;
        struct chat *chat = filling->chat;
        const struct deskbell_entry *entry = error ? NULL : find_form(filling, entries, count);

        (void)client;
        (void)head;
        (void)more;
        chat->looking--;
        if (!entry || !copy_fields(filling, entry)) {
                if (error != DESKBELL_E_CANCELLED)
                        fail(chat, error ? deskbell_error_text(error) : "no such form");
                filling_free(filling);
        } else if (*filling->given) {
                fill_from_line(filling);
        } else if (chat->is_plain) {
                tell_fields(filling);
        } else {
                filling_free(chat->filling);
                chat->filling = filling;
                chat_say(chat, "an empty line leaves a field out, /cancel gives the form up");
                ask(chat);
        }
        chat->is_dirty = true;
}

/* ---- what the user writes -----------------------------------------------------------------------------------------
 */

static void keep_for_later(struct chat *chat, const char *text)
{
        char *later = strdup(text); /* which may be what was kept before */

        free(chat->fill_later);
        chat->fill_later = later;
}

void chat_fill(struct chat *chat, const char *text)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;
        struct filling *filling;
        char *rest;

        if (chat->is_staff || !chat->conv) {
                fail(chat, "only customers fill in forms");
                return;
        }
        filling = calloc(1, sizeof(*filling));
        if (!filling)
                return;
        filling->chat = chat;
        filling->conv = chat->conv;
        filling->wanted = strtoll(text, &rest, 10);
        if (filling->wanted < 1 || (*rest && *rest != ' ')) {
                filling->wanted = 0;
                rest = (char *)text;
        }
        if (chat->is_plain && !chat->was_caught_up && !filling->wanted) { /* the newest may not be here yet */
                keep_for_later(chat, text);
                filling_free(filling);
                return;
        }
        filling->given = strdup(rest + strspn(rest, " "));
        options.before = filling->wanted ? filling->wanted + 1 : 0;
        options.limit = filling->wanted ? 1 : NEWEST;
        int rc = filling->given ? deskbell_history(filling->conv, &options, on_form, filling) : DESKBELL_E_NOMEM;
        chat->looking += rc == 0;
        if (rc == DESKBELL_E_OFFLINE && chat->is_plain)
                keep_for_later(chat, text);
        else if (rc < 0)
                fail(chat, deskbell_error_text(rc));
        if (rc < 0)
                filling_free(filling);
}

void chat_fill_later(struct chat *chat)
{
        char *text = chat->fill_later;

        chat->fill_later = NULL;
        if (text)
                chat_fill(chat, text);
        free(text);
}

void chat_fill_answer(struct chat *chat, const char *line)
{
        struct filling *filling = chat->filling;
        const struct deskbell_form_field *field = &filling->fields[filling->at];
        const char *wrong = complaint(field, line);

        if (wrong) {
                chat_say(chat, "%s", wrong);
        } else {
                if (*line)
                        add_value(filling, filling->at, line);
                filling->at++;
        }
        ask(chat);
}

void chat_fill_cancel(struct chat *chat)
{
        if (chat->filling)
                chat_say(chat, "the form is given up");
        chat->filling = filling_free(chat->filling);
}

void chat_fill_done(struct chat *chat)
{
        chat->filling = filling_free(chat->filling);
        free(chat->fill_later);
        chat->fill_later = NULL;
}

char *chat_form_text(const struct deskbell_entry *entry)
{
        char *text = NULL, what[1024];
        size_t room = 0;
        FILE *out = open_memstream(&text, &room);
        if (!out)
                return NULL;

        for (size_t i = 0; i < entry->form_count; i++) {
                describe(&entry->form[i], what, sizeof(what));
                fprintf(out, "\n  - %s", what);
        }
        fprintf(out, "\n  /fill %lld answers", (long long)entry->number);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}
