/* SPDX-License-Identifier: Apache-2.0 */
/* A condition as text again. Always true: what is printed compiles, with CONDITION_STORED, to a tree that prints the
 * same. */
#include "desk/rules/condition_private.h"

static const char *const compares[] = {
        [COMPARE_EQUAL] = " = ",    [COMPARE_NOT_EQUAL] = " != ",     [COMPARE_LESS] = " < ",
        [COMPARE_AT_MOST] = " <= ", [COMPARE_MORE] = " > ",           [COMPARE_AT_LEAST] = " >= ",
        [COMPARE_IN] = " in (",     [COMPARE_NOT_IN] = " not in (",   [COMPARE_HAS] = " has ",
        [COMPARE_SET] = " is set",  [COMPARE_NOT_SET] = " is not set"};

static void put(struct writer *out, const char *text)
{
        writer_raw(out, span_of(text));
}

static void put_quoted(struct span text, struct writer *out)
{
        writer_char(out, '"');
        for (size_t i = 0; i < text.len; i++) {
                if (text.at[i] == '"' || text.at[i] == '\\')
                        writer_char(out, '\\');
                writer_char(out, text.at[i]);
        }
        writer_char(out, '"');
}

/* Letters, digits and a few marks: it needs no quotes. */
static bool is_plain(struct span text)
{
        for (size_t i = 0; i < text.len; i++) {
                char c = text.at[i];
                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '-' || c == '.'))
                        return false;
        }
        return text.len > 0;
}

static void put_duration(int64_t seconds, struct writer *out)
{
        static const struct {
                int64_t seconds;
                char unit;
        } units[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
        size_t i = 0;
        while (seconds % units[i].seconds != 0 || (seconds == 0 && units[i].unit != 's'))
                i++;
        writer_int(out, seconds / units[i].seconds);
        writer_char(out, units[i].unit);
}

static void put_named(const struct condition *condition, enum fact fact, const struct condition_value *value,
                      condition_show_fn *show, void *data, struct writer *out)
{
        char name[CONDITION_SHOWN_BYTES];
        if (value->number == CONDITION_ME || value->number == CONDITION_MINE) {
                put(out, value->number == CONDITION_ME ? "me" : "mine");
                return;
        }
        size_t len = show && value->number > 0 ? show(data, fact, value->number, name) : 0;
        if (len > 0)
                put_quoted((struct span){name, len}, out);
        else if (value->number == CONDITION_GONE)
                put_quoted(condition_text(condition, value), out);
        else
                writer_raw(out, condition_text(condition, value));
}

static void put_value(const struct condition *condition, enum fact fact, const struct condition_value *value,
                      condition_show_fn *show, void *data, struct writer *out)
{
        struct fact_info info = fact_info(fact);
        struct span text = condition_text(condition, value);
        switch (info.type) {
        case FACT_AS_WORD:
        case FACT_AS_LEVEL:
                put(out, info.words[value->number]);
                break;
        case FACT_AS_ID:
                put_named(condition, fact, value, show, data, out);
                break;
        case FACT_AS_NUMBER:
                writer_int(out, value->number);
                break;
        case FACT_AS_SINCE:
        case FACT_AS_UNTIL:
                put_duration(value->number, out);
                break;
        case FACT_AS_BOOL:
                put(out, value->number ? "yes" : "no");
                break;
        case FACT_AS_TEXT:
        case FACT_AS_SET:
                if (is_plain(text))
                        writer_raw(out, text);
                else
                        put_quoted(text, out);
                break;
        case FACT_AS_DYNAMIC:
                if (value->is_number)
                        writer_raw(out, text);
                else
                        put_quoted(text, out);
                break;
        }
}

static void put_test(const struct condition *condition, const struct condition_node *node, condition_show_fn *show,
                     void *data, struct writer *out)
{
        struct span name = span_of(fact_info((enum fact)node->fact).name);
        if (node->name_len > 0)
                name.len--; /* the star */
        writer_raw(out, name);
        writer_raw(out, condition_name(condition, node));
        put(out, compares[node->compare]);
        for (unsigned i = 0; i < node->value_count; i++) {
                if (i > 0)
                        put(out, ", ");
                put_value(condition, (enum fact)node->fact, &condition->values[node->first_value + i], show, data, out);
        }
        if (node->compare == COMPARE_IN || node->compare == COMPARE_NOT_IN)
                put(out, ")");
}

/* A child that binds less than what it is in. */
static bool needs_parentheses(unsigned parent, unsigned child)
{
        return child == CONDITION_OR ? parent != CONDITION_OR : child == CONDITION_AND && parent == CONDITION_NOT;
}

static void put_child(const struct condition *condition, unsigned parent, unsigned at, condition_show_fn *show,
                      void *data, struct writer *out)
{
        bool is_wrapped = needs_parentheses(parent, condition->nodes[at].kind);
        if (is_wrapped)
                put(out, "(");
        condition_print_node(condition, at, show, data, out);
        if (is_wrapped)
                put(out, ")");
}

void condition_print_node(const struct condition *condition, unsigned at, condition_show_fn *show, void *data,
                          struct writer *out)
{
        const struct condition_node *node = &condition->nodes[at];
        if (node->kind == CONDITION_TEST) {
                put_test(condition, node, show, data, out);
                return;
        }
        if (node->kind == CONDITION_NOT)
                put(out, "not ");
        for (unsigned child = at + 1; child < node->end; child = condition->nodes[child].end) {
                if (child > at + 1)
                        put(out, node->kind == CONDITION_AND ? " and " : " or ");
                put_child(condition, node->kind, child, show, data, out);
        }
}

void condition_print(const struct condition *condition, condition_show_fn *show, void *data, struct writer *out)
{
        if (condition->node_count > 0)
                condition_print_node(condition, 0, show, data, out);
}
