/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: what a customer filled in, checked against what was asked. A message with it is a text like any other, which
 * says the same in words for clients that know no forms. Pure but for the look into the cache. */
#include "machine_private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- one value --------------------------------------------------------------------------------------------------- */

static bool is_blank(const char *text)
{
        return text[strspn(text, " \t\n")] == '\0';
}

static size_t digits_at(const char *text)
{
        return strspn(text, "0123456789");
}

static bool is_number(const char *text)
{
        text += *text == '-' || *text == '+';
        size_t whole = digits_at(text), part = 0;

        text += whole;
        if (*text == '.' || *text == ',') {
                part = digits_at(++text);
                text += part;
        }
        return whole + part > 0 && *text == '\0';
}

static bool is_email(const char *text)
{
        const char *at = strrchr(text, '@');

        return at && at > text && at[1] != '\0' && text[strcspn(text, " \t\n")] == '\0';
}

static bool is_date(const char *text)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool has_shape = digits_at(text) == 4 && text[4] == '-' && digits_at(text + 5) == 2 && text[7] == '-' &&
                         digits_at(text + 8) == 2 && text[10] == '\0';
        if (!has_shape)
                return false;

        long year = strtol(text, NULL, 10), month = strtol(text + 5, NULL, 10), day = strtol(text + 8, NULL, 10);
        if (month < 1 || month > 12)
                return false;
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return day >= 1 && day <= days[month - 1] + (month == 2 && is_leap);
}

/* Kinds of input that a newer server may know are taken as text. */
static bool fits(const struct deskbell_form_field *field, const char *value)
{
        if (is_blank(value))
                return !field->required;
        if (strcmp(field->input, "email") == 0)
                return is_email(value);
        if (strcmp(field->input, "number") == 0)
                return is_number(value);
        return strcmp(field->input, "date") != 0 || is_date(value);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static const struct deskbell_form_value *value_of(const struct deskbell_form_value *values, size_t count,
                                                  const char *id)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(values[i].id, id) == 0)
                        return &values[i];
        return NULL;
}

static const struct deskbell_form_field *field_of(const struct deskbell_form_field *form, size_t count, const char *id)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(form[i].id, id) == 0)
                        return &form[i];
        return NULL;
}

/* The id of the first that does not fit: fields in their order, then values that belong to no field. NULL: none. */
static const char *first_wrong(const struct deskbell_form_field *form, size_t form_count,
                               const struct deskbell_form_value *values, size_t count)
{
        for (size_t i = 0; i < form_count; i++) {
                const struct deskbell_form_value *value = value_of(values, count, form[i].id);
                if (!fits(&form[i], value ? value->value : ""))
                        return form[i].id;
        }
        for (size_t i = 0; i < count; i++)
                if (!field_of(form, form_count, values[i].id) || value_of(values, i, values[i].id))
                        return values[i].id;
        return NULL;
}

int deskbell_form_check(const struct deskbell_form_field *form, size_t form_count,
                        const struct deskbell_form_value *values, size_t values_count, const char **out_id)
{
        if ((form_count && !form) || (values_count && !values))
                return DESKBELL_E_INVALID;
        for (size_t i = 0; i < form_count; i++)
                if (!form[i].id || !form[i].input)
                        return DESKBELL_E_INVALID;
        for (size_t i = 0; i < values_count; i++)
                if (!values[i].id || !values[i].value)
                        return DESKBELL_E_INVALID;

        const char *wrong = first_wrong(form, form_count, values, values_count);
        if (wrong && out_id)
                *out_id = wrong;
        return wrong ? DESKBELL_E_FORM : DESKBELL_OK;
}

/* ---- the answer as a message ------------------------------------------------------------------------------------- */

/* A form as the cache has it. */
struct asked {
        struct event *event; /* its memory */
        bool is_known, is_form;
        struct deskbell_form_field *fields;
        size_t count;
};

static bool take_form(void *data, const struct cached_entry *cached)
{
        struct asked *asked = data;
        struct protocol_entry entry;

        if (event_read_entry(asked->event, cached->body, &entry) < 0)
                return false; /* as if it were not there: the server knows */
        asked->is_known = true;
        asked->is_form = entry.kind == PROTOCOL_ENTRY_FORM;
        if (!asked->is_form)
                return false;
        struct deskbell_entry *shown = &asked->event->entry;
        if (event_fill_form(asked->event, shown, &entry.content) < 0)
                asked->is_known = asked->is_form = false;
        asked->fields = (struct deskbell_form_field *)shown->form;
        asked->count = shown->form_count;
        return false;
}

static const char *label_of(const struct asked *asked, const char *id)
{
        const struct deskbell_form_field *field = field_of(asked->fields, asked->count, id);

        return field ? field->label : id;
}

/* Its parts were checked already. */
static int check_length(const char *text, size_t len)
{
        size_t points = 0;

        for (size_t i = 0; i < len; i++)
                points += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (len == 0)
                return DESKBELL_E_TEXT;
        return len > PROTOCOL_TEXT_BYTES || points > PROTOCOL_TEXT_POINTS ? DESKBELL_E_TOO_LONG : 0;
}

/* "LABEL: VALUE" for each value that is not empty. *out_rc: what is wrong with it. */
static struct span text_from(const struct asked *asked, const struct message_options *options, struct arena *arena,
                             int *out_rc)
{
        size_t room = 1, len = 0;

        for (size_t i = 0; i < options->filled_count; i++)
                room += strlen(options->filled[i].value) + strlen(label_of(asked, options->filled[i].id)) + 3;
        char *text = arena_take(arena, room);
        *out_rc = text ? 0 : DESKBELL_E_NOMEM;
        for (size_t i = 0; text && i < options->filled_count; i++) {
                const struct deskbell_form_value *value = &options->filled[i];
                if (!is_blank(value->value))
                        len += (size_t)snprintf(text + len, room - len, "%s%s: %s", len ? "\n" : "",
                                                label_of(asked, value->id), value->value);
        }
        if (text)
                *out_rc = check_length(text, len);
        return (struct span){text, len};
}

static int fill(struct arena *arena, const struct message_options *options, struct protocol_content *content)
{
        struct protocol_form_value *values = arena_take(arena, options->filled_count * sizeof(*values));
        if (!values)
                return DESKBELL_E_NOMEM;

        for (size_t i = 0; i < options->filled_count; i++) {
                values[i].id = span_of(options->filled[i].id);
                values[i].value = span_of(options->filled[i].value);
        }
        content->has_filled = true;
        content->filled.seq = options->filled_seq;
        content->filled.values = values;
        content->filled.values_count = options->filled_count;
        return 0;
}

int forms_answer(struct machine *machine, deskbell_conversation *conv, const struct message_options *options,
                 struct arena *arena, struct protocol_content *content)
{
        struct asked asked = {.event = event_new(EVENT_ENTRY)};
        int64_t seq = options->filled_seq;
        int rc = asked.event ? 0 : DESKBELL_E_NOMEM;

        if (rc == 0 && conv->row)
                cache_entries(machine->cache, conv->row, 0, seq, seq, 1, false, take_form, &asked);
        if (rc == 0 && (machine->set.is_staff || (asked.is_known && !asked.is_form)))
                rc = DESKBELL_E_INVALID;
        if (rc == 0 && asked.is_form)
                rc = deskbell_form_check(asked.fields, asked.count, options->filled, options->filled_count, NULL);
        if (rc == 0 && !content->text.len)
                content->text = text_from(&asked, options, arena, &rc);
        if (rc == 0)
                rc = fill(arena, options, content);
        event_free(asked.event);
        return rc;
}
