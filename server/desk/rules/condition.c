/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a condition. Recursion is as deep as the tree, which the compiler has bounded. */
#include <stdlib.h>

#include "desk/rules/condition_private.h"

int condition_ask(const struct look *look, const struct condition_node *node, struct fact_value *out)
{
        out->type = (enum fact_type)node->type;
        out->is_set = false;
        out->number = 0;
        out->text = (struct span){"", 0};
        out->items = NULL;
        out->count = 0;
        int rc = look->world->fact(look->scene, (enum fact)node->fact, condition_name(look->condition, node), out);
        if (rc < 0)
                return rc;
        if ((out->type == FACT_AS_TEXT && out->text.len == 0) || (out->type == FACT_AS_SET && out->count == 0) ||
            ((out->type == FACT_AS_ID || out->type == FACT_AS_WORD || out->type == FACT_AS_LEVEL) && out->number == 0))
                out->is_set = false;
        return 0;
}

/* ---- texts ---- */

static bool is_begin(struct span text, struct span begin)
{
        if (text.len < begin.len)
                return false;
        for (size_t i = 0; i < begin.len; i++)
                if (condition_folded(text.at[i]) != condition_folded(begin.at[i]))
                        return false;
        return true;
}

static bool is_same_text(struct span a, struct span b)
{
        return a.len == b.len && is_begin(a, b);
}

static bool has_part(struct span text, struct span part)
{
        char first = part.len > 0 ? condition_folded(part.at[0]) : '\0';
        for (size_t i = 0; part.len <= text.len && i <= text.len - part.len; i++)
                if (part.len == 0 ||
                    (condition_folded(text.at[i]) == first && is_begin((struct span){text.at + i, text.len - i}, part)))
                        return true;
        return false;
}

/* ko is ko-KR too. */
static bool is_language(struct span text, struct span wanted)
{
        return is_begin(text, wanted) && (text.len == wanted.len || text.at[wanted.len] == '-');
}

/* ---- one test ---- */

static bool is_id(const struct look *look, const struct condition_value *value, int64_t id)
{
        if (value->number == CONDITION_ME)
                return look->scene->me != 0 && id == look->scene->me;
        if (value->number == CONDITION_MINE)
                return look->world->is_in_team && look->world->is_in_team(look->scene, id);
        return value->number > 0 && value->number == id;
}

static bool has_item(const struct fact_value *found, struct span text)
{
        for (uint32_t i = 0; i < found->count; i++)
                if (is_same_text(found->items[i], text))
                        return true;
        return false;
}

static bool is_equal(const struct look *look, const struct condition_node *node, const struct fact_value *found,
                     const struct condition_value *value)
{
        struct span text = condition_text(look->condition, value);
        bool is_dynamic = node->type == FACT_AS_DYNAMIC;
        switch (found->type) {
        case FACT_AS_ID:
                return is_id(look, value, found->number);
        case FACT_AS_TEXT:
                return node->fact == FACT_LANGUAGE ? is_language(found->text, text) : is_same_text(found->text, text);
        case FACT_AS_SET:
                return has_item(found, text);
        default:
                return (!is_dynamic || value->is_number) && found->number == value->number;
        }
}

static bool is_any(const struct look *look, const struct condition_node *node, const struct fact_value *found)
{
        for (unsigned i = 0; i < node->value_count; i++)
                if (is_equal(look, node, found, &look->condition->values[node->first_value + i]))
                        return true;
        return false;
}

static bool is_ordered(const struct look *look, const struct condition_node *node, const struct fact_value *found)
{
        const struct condition_value *value = &look->condition->values[node->first_value];
        switch (found->type) {
        case FACT_AS_SINCE:
                return condition_is_in_order(node->compare, look->scene->now_ms - found->number, value->number * 1000);
        case FACT_AS_UNTIL:
                return condition_is_in_order(node->compare, found->number - look->scene->now_ms, value->number * 1000);
        case FACT_AS_LEVEL:
                return condition_is_in_order(node->compare, found->number, value->number);
        case FACT_AS_NUMBER:
                return (node->type != FACT_AS_DYNAMIC || value->is_number) &&
                       condition_is_in_order(node->compare, found->number, value->number);
        default:
                return false;
        }
}

bool condition_passes(const struct look *look, const struct condition_node *node, const struct fact_value *found)
{
        switch (node->compare) {
        case COMPARE_SET:
                return found->is_set;
        case COMPARE_NOT_SET:
                return !found->is_set;
        case COMPARE_EQUAL:
        case COMPARE_IN:
                return found->is_set && is_any(look, node, found);
        case COMPARE_NOT_EQUAL:
        case COMPARE_NOT_IN:
                return !found->is_set || !is_any(look, node, found);
        case COMPARE_HAS: {
                struct span text = condition_text(look->condition, &look->condition->values[node->first_value]);
                return found->is_set && (found->type == FACT_AS_SET    ? has_item(found, text)
                                         : found->type == FACT_AS_TEXT ? has_part(found->text, text)
                                                                       : false);
        }
        default:
                return found->is_set && is_ordered(look, node, found);
        }
}

/* ---- the tree ---- */

static int holds(const struct look *look, unsigned at)
{
        const struct condition_node *node = &look->condition->nodes[at];
        if (node->kind == CONDITION_TEST) {
                struct fact_value found;
                int rc = condition_ask(look, node, &found);
                return rc < 0 ? rc : condition_passes(look, node, &found);
        }
        if (node->kind == CONDITION_NOT) {
                int rc = holds(look, at + 1);
                return rc < 0 ? rc : !rc;
        }
        int ends_with = node->kind == CONDITION_OR;
        for (unsigned child = at + 1; child < node->end; child = look->condition->nodes[child].end) {
                int rc = holds(look, child);
                if (rc < 0 || rc == ends_with)
                        return rc;
        }
        return !ends_with;
}

int condition_holds(const struct condition *condition, const struct condition_world *world,
                    const struct fact_scene *scene)
{
        struct look look = {condition, world, scene};
        return condition->node_count == 0 ? 1 : holds(&look, 0);
}

/* ---- time ---- */

int64_t condition_turn_ms(const struct look *look, const struct condition_node *node, const struct fact_value *found)
{
        if (!found->is_set || node->value_count == 0)
                return INT64_MAX;
        int64_t now_ms = look->scene->now_ms;
        int64_t span_ms = look->condition->values[node->first_value].number * 1000;
        int64_t moment = node->type == FACT_AS_SINCE ? found->number + span_ms : found->number - span_ms;
        if (moment <= now_ms)
                moment++; /* before and at it, at it and behind it: one of the two is where it turns */
        return moment > now_ms ? moment : INT64_MAX;
}

int64_t condition_turns_ms(const struct condition *condition, const struct condition_world *world,
                           const struct fact_scene *scene)
{
        struct look look = {condition, world, scene};
        int64_t next = INT64_MAX;
        for (unsigned i = 0; condition->is_timed && i < condition->node_count; i++) {
                const struct condition_node *node = &condition->nodes[i];
                struct fact_value found;
                if (node->kind != CONDITION_TEST || !condition_type_is_timed((enum fact_type)node->type) ||
                    condition_ask(&look, node, &found) < 0)
                        continue;
                int64_t moment = condition_turn_ms(&look, node, &found);
                next = moment < next ? moment : next;
        }
        return next;
}

bool condition_is_timed(const struct condition *condition)
{
        return condition->is_timed;
}

bool condition_is_personal(const struct condition *condition)
{
        return condition->is_personal;
}

uint32_t condition_tests(const struct condition *condition)
{
        return condition->test_count;
}

/* ---- why not ---- */

/* The node that decided that `at` does not hold (or, `wanted` 0, that it does): a test, or a whole "or". */
static int culprit(const struct look *look, unsigned at, int wanted)
{
        const struct condition_node *node = &look->condition->nodes[at];
        if (node->kind == CONDITION_NOT)
                return culprit(look, at + 1, !wanted);
        if (node->kind == CONDITION_TEST || (node->kind == CONDITION_OR) == (wanted == 1))
                return (int)at;
        for (unsigned child = at + 1; child < node->end; child = look->condition->nodes[child].end) {
                int rc = holds(look, child);
                if (rc < 0)
                        return rc;
                if (rc != wanted)
                        return culprit(look, child, wanted);
        }
        return (int)at;
}

static void say_items(const struct fact_value *found, struct writer *out)
{
        for (uint32_t i = 0; i < found->count; i++) {
                if (i > 0)
                        writer_raw(out, SPAN(", "));
                writer_raw(out, found->items[i]);
        }
}

static void say_found(const struct look *look, const struct condition_node *node, struct writer *out)
{
        struct fact_value found;
        struct fact_info info = fact_info((enum fact)node->fact);
        if (condition_ask(look, node, &found) < 0 || !found.is_set) {
                writer_raw(out, SPAN("it is not set"));
                return;
        }
        if (found.type == FACT_AS_ID) {
                writer_raw(out, SPAN("it is another one"));
                return;
        }
        writer_raw(out, SPAN("it is "));
        switch (found.type) {
        case FACT_AS_TEXT:
                writer_raw(out, found.text);
                break;
        case FACT_AS_SET:
                say_items(&found, out);
                break;
        case FACT_AS_WORD:
        case FACT_AS_LEVEL:
                if (found.number > 0 && found.number < info.word_count)
                        writer_raw(out, span_of(info.words[found.number]));
                break;
        case FACT_AS_BOOL:
                writer_raw(out, found.number ? SPAN("yes") : SPAN("no"));
                break;
        case FACT_AS_SINCE:
        case FACT_AS_UNTIL: {
                int64_t ms = look->scene->now_ms - found.number;
                writer_int(out, (found.type == FACT_AS_SINCE ? ms : -ms) / 1000);
                writer_char(out, 's');
                break;
        }
        default:
                writer_int(out, found.number);
        }
}

void condition_why_not(const struct condition *condition, const struct condition_world *world,
                       const struct fact_scene *scene, struct writer *out)
{
        struct look look = {condition, world, scene};
        if (condition->node_count == 0 || holds(&look, 0) != 0)
                return;
        int at = culprit(&look, 0, 1);
        if (at < 0)
                return;
        condition_print_node(condition, (unsigned)at, NULL, NULL, out);
        if (condition->nodes[at].kind != CONDITION_TEST)
                return;
        writer_raw(out, SPAN(": "));
        say_found(&look, &condition->nodes[at], out);
}
