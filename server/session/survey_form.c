/* SPDX-License-Identifier: Apache-2.0 */
#include "session/survey_form.h"

enum { QUESTIONS = 5, CHOICES = 10, NUMBER_DIGITS = 2 };

/* The answer to a further question. */
struct said {
        char kind; /* n, t, c */
        struct span id, value;
        struct span chosen[CHOICES];
        size_t chosen_count;
};

struct form {
        struct span score, said; /* at NULL = not there */
        bool has_contact;
        struct said questions[QUESTIONS];
        size_t count;
};

/* ---- decoding ---- */

static int hex(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* In place; line ends become \n, as texts have them. -1: not valid. UTF-8 is checked with the params. */
static int decode(char *text, size_t len, struct span *out)
{
        size_t to = 0;
        for (size_t at = 0; at < len; at++) {
                char c = text[at] == '+' ? ' ' : text[at];
                if (c == '%') {
                        if (at + 2 >= len || hex(text[at + 1]) < 0 || hex(text[at + 2]) < 0)
                                return -1;
                        c = (char)(hex(text[at + 1]) << 4 | hex(text[at + 2]));
                        at += 2;
                }
                if (c == '\n' && to > 0 && text[to - 1] == '\r')
                        to--;
                text[to++] = c;
        }
        *out = (struct span){text, to};
        return 0;
}

static struct span trim(struct span text)
{
        while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]))
                text.len--;
        while (text.len > 0 && strchr(" \t\r\n", text.at[0])) {
                text.at++;
                text.len--;
        }
        return text;
}

/* ---- collecting ---- */

static bool is_number(struct span text)
{
        bool is_good = text.len > 0 && text.len <= NUMBER_DIGITS && (text.len == 1 || text.at[0] != '0');
        for (size_t i = 0; is_good && i < text.len; i++)
                is_good = text.at[i] >= '0' && text.at[i] <= '9';
        return is_good;
}

static struct said *question(struct form *form, char kind, struct span id)
{
        for (size_t i = 0; i < form->count; i++)
                if (span_equal(form->questions[i].id, id))
                        return form->questions[i].kind == kind ? &form->questions[i] : NULL;
        if (form->count == QUESTIONS || id.len == 0)
                return NULL;
        struct said *said = &form->questions[form->count++];
        *said = (struct said){.kind = kind, .id = id};
        return said;
}

static int take_question(struct form *form, char kind, struct span id, struct span value)
{
        if (kind == 'n' && !is_number(value))
                return -1;
        struct said *said = question(form, kind, id);
        if (!said || (kind != 'c' && said->value.at) || said->chosen_count == CHOICES)
                return -1;
        if (kind == 'c')
                said->chosen[said->chosen_count++] = value;
        else
                said->value = value;
        return 0;
}

static int take(struct form *form, struct span name, struct span value)
{
        value = trim(value);
        if (name.len > 2 && name.at[1] == '.' && strchr("ntc", name.at[0]))
                return value.len == 0
                               ? 0
                               : take_question(form, name.at[0], (struct span){name.at + 2, name.len - 2}, value);
        if (span_equal(name, SPAN("contact"))) {
                form->has_contact = true;
                return 0;
        }
        struct span *to = span_equal(name, SPAN("score"))  ? &form->score
                          : span_equal(name, SPAN("said")) ? &form->said
                                                           : NULL;
        if (!to || to->at || (to == &form->score && !is_number(value)))
                return -1;
        if (value.len > 0)
                *to = value;
        return 0;
}

static int take_pair(struct form *form, char *pair, size_t len)
{
        char *equals = memchr(pair, '=', len);
        struct span name, value;
        if (len == 0)
                return 0;
        if (!equals || decode(pair, (size_t)(equals - pair), &name) < 0 ||
            decode(equals + 1, len - (size_t)(equals + 1 - pair), &value) < 0)
                return -1;
        return take(form, name, value);
}

/* ---- writing ---- */

static void write_question(const struct said *said, struct writer *out)
{
        writer_raw(out, SPAN("{\"question\":"));
        writer_string(out, said->id);
        if (said->kind == 'n') {
                writer_raw(out, SPAN(",\"number\":"));
                writer_raw(out, said->value);
        } else if (said->kind == 't') {
                writer_raw(out, SPAN(",\"words\":"));
                writer_string(out, said->value);
        }
        for (size_t i = 0; i < said->chosen_count; i++) {
                writer_raw(out, i == 0 ? SPAN(",\"chosen\":[") : SPAN(","));
                writer_string(out, said->chosen[i]);
        }
        writer_raw(out, said->chosen_count > 0 ? SPAN("]}") : SPAN("}"));
}

static void write_form(const struct form *form, uint64_t offer, struct writer *out)
{
        writer_raw(out, SPAN("{\"offer\":"));
        writer_id(out, "off", offer);
        if (form->score.at) {
                writer_raw(out, SPAN(",\"score\":"));
                writer_raw(out, form->score);
        }
        if (form->said.at) {
                writer_raw(out, SPAN(",\"said\":"));
                writer_string(out, form->said);
        }
        if (form->has_contact)
                writer_raw(out, SPAN(",\"contact\":true"));
        for (size_t i = 0; i < form->count; i++) {
                writer_raw(out, i == 0 ? SPAN(",\"answers\":[") : SPAN(","));
                write_question(&form->questions[i], out);
        }
        writer_raw(out, form->count > 0 ? SPAN("]}") : SPAN("}"));
}

int survey_form_read(char *body, size_t len, uint64_t offer, struct writer *out)
{
        struct form form = {0};
        while (len > 0) {
                char *end = memchr(body, '&', len);
                size_t pair = end ? (size_t)(end - body) : len;
                if (take_pair(&form, body, pair) < 0)
                        return -1;
                len -= end ? pair + 1 : pair;
                body += end ? pair + 1 : pair;
        }
        write_form(&form, offer, out);
        return out->failed ? -1 : 0;
}
