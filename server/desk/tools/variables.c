/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/tools/variables.h"

#include <stdio.h>

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"

struct variable {
        struct span name, fallback; /* fallback at NULL = none */
};

static struct span trim(struct span text)
{
        while (text.len > 0 && text.at[0] == ' ')
                text = (struct span){text.at + 1, text.len - 1};
        while (text.len > 0 && text.at[text.len - 1] == ' ')
                text.len--;
        return text;
}

static size_t find(struct span text, size_t from, const char mark[2])
{
        for (size_t i = from; i + 1 < text.len; i++)
                if (text.at[i] == mark[0] && text.at[i + 1] == mark[1])
                        return i;
        return text.len;
}

/* The next variable from *at on: text before it in *out_before; *at behind it. 1; 0: none is left; -1: it has no end.
 */
static int next(struct span text, size_t *at, struct span *out_before, struct variable *out)
{
        size_t open = find(text, *at, "{{"), end = find(text, open + 2, "}}");
        *out_before = (struct span){text.at + *at, open - *at};
        if (open == text.len) {
                *at = text.len;
                return 0;
        }
        if (end >= text.len)
                return -1;
        struct span inside = {text.at + open + 2, end - open - 2};
        const char *bar = memchr(inside.at, '|', inside.len);
        size_t name_len = bar ? (size_t)(bar - inside.at) : inside.len;
        out->name = trim((struct span){inside.at, name_len});
        out->fallback = bar ? trim((struct span){bar + 1, inside.len - name_len - 1}) : (struct span){0};
        *at = end + 2;
        return 1;
}

/* What follows `prefix` in the name; absent: it does not begin so. */
static struct span behind(struct span name, struct span prefix)
{
        bool begins = name.len > prefix.len && memcmp(name.at, prefix.at, prefix.len) == 0;
        return begins ? (struct span){name.at + prefix.len, name.len - prefix.len} : (struct span){0};
}

static bool is_known(struct desk *desk, struct span name)
{
        struct span of_customer = behind(name, SPAN("customer.")), field = behind(name, SPAN("field."));
        if (of_customer.at)
                return span_equal(of_customer, SPAN("id")) || attribute_is_built_in(of_customer) ||
                       attribute_find(desk, ATTRIBUTE_CUSTOMER, of_customer);
        if (field.at)
                return attribute_find(desk, ATTRIBUTE_TICKET, field) != NULL;
        return span_equal(name, SPAN("agent.name")) || span_equal(name, SPAN("ticket.number")) ||
               span_equal(name, SPAN("ticket.subject"));
}

int variables_check(struct desk *desk, struct span text, const char *field, struct fault *fault)
{
        struct variable variable;
        struct span before;
        size_t at = 0, count = 0;
        int rc;
        while ((rc = next(text, &at, &before, &variable)) > 0) {
                char expected[FAULT_EXPECTED_BYTES];
                if (count++ == VARIABLES_MAX)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "at most 20 variables");
                if (is_known(desk, variable.name))
                        continue;
                snprintf(expected, sizeof expected, "a variable that is there, not {{%.*s}}",
                         (int)(variable.name.len < 40 ? variable.name.len : 40), variable.name.at);
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, expected);
        }
        return rc == 0 ? 0 : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "}} behind every {{");
}

/* Absent: it has no value. `room` holds what is made here. */
static int value_of(struct desk *desk, const struct variables_scene *scene, struct span name, struct arena *arena,
                    struct span *out)
{
        const struct ticket *ticket = scene->ticket;
        struct span of_customer = behind(name, SPAN("customer.")), field = behind(name, SPAN("field."));
        *out = (struct span){0};
        if (of_customer.at)
                return customers_value(desk, scene->customer, of_customer, out);
        if (field.at && ticket && ticket->fields)
                *out = fields_get(span_of(ticket->fields), field, arena);
        else if (span_equal(name, SPAN("ticket.subject")) && ticket)
                *out = span_of(ticket->subject);
        else if (span_equal(name, SPAN("agent.name"))) {
                const struct principal *agent = directory_find(desk->directory, scene->agent);
                *out = span_of(agent ? agent->name : NULL);
        } else if (span_equal(name, SPAN("ticket.number")) && ticket) {
                char *number = arena_take(arena, 24);
                if (!number)
                        return -PROTOCOL_ERR_INTERNAL;
                snprintf(number, 24, "%lld", (long long)ticket->number);
                *out = span_of(number);
        }
        return 0;
}

static int put_variable(struct desk *desk, const struct variables_scene *scene, const struct variable *variable,
                        struct arena *arena, struct writer *writer, struct variables_missing *missing)
{
        struct span value;
        int rc = value_of(desk, scene, variable->name, arena, &value);
        if (rc < 0)
                return rc;
        if (value.len > 0)
                writer_raw(writer, value);
        else if (variable->fallback.at)
                writer_raw(writer, variable->fallback);
        else if (missing->count < VARIABLES_MAX)
                missing->names[missing->count++] = variable->name;
        return 0;
}

/* Into a message. */
static bool fits(struct span text)
{
        size_t points = 0;
        for (size_t i = 0; i < text.len; i++)
                points += ((uint8_t)text.at[i] & 0xc0) != 0x80;
        return points <= PROTOCOL_TEXT_POINTS && text.len <= PROTOCOL_TEXT_BYTES;
}

int variables_fill(struct desk *desk, const struct variables_scene *scene, struct span text, struct arena *arena,
                   struct span *out_text, struct variables_missing *out_missing)
{
        struct variable variable;
        struct writer writer;
        struct span before;
        size_t at = 0;
        int rc = 0, filled = 0;
        out_missing->count = 0;
        writer_init(&writer, NULL, 0);
        while (filled == 0 && (rc = next(text, &at, &before, &variable)) > 0) {
                writer_raw(&writer, before);
                filled = put_variable(desk, scene, &variable, arena, &writer, out_missing);
        }
        if (filled == 0)
                writer_raw(&writer, rc < 0 ? (struct span){text.at + at, text.len - at} : before);
        if (filled == 0 && !writer.failed && !fits((struct span){writer.bytes, writer.len}))
                filled = -PROTOCOL_ERR_TOO_LARGE;
        char *copy = filled == 0 && !writer.failed ? arena_take(arena, writer.len + 1) : NULL;
        if (copy && writer.len > 0)
                memcpy(copy, writer.bytes, writer.len);
        *out_text = (struct span){copy, copy ? writer.len : 0};
        writer_done(&writer);
        return filled < 0 ? filled : copy ? 0 : -PROTOCOL_ERR_INTERNAL;
}
