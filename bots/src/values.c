/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, facts and conditions. A comparison of different types never holds, but `!=` does; texts compare byte by byte,
 * numbers as numbers. */
#include <string.h>

#include "turn.h"

const char *state_text(struct turn *turn, const char *name)
{
        const char *text = json_string_value(json_object_get(turn->state, name));
        return text ? text : "";
}

json_int_t state_count(struct turn *turn, const char *name)
{
        return json_integer_value(json_object_get(turn->state, name));
}

void state_set(struct turn *turn, const char *name, json_t *value)
{
        if (!value)
                json_object_del(turn->state, name);
        else if (json_object_set_new(turn->state, name, value) < 0)
                turn->has_failed = true;
}

const json_t *turn_var(struct turn *turn, const char *path)
{
        const json_t *slots = json_object_get(turn->state, "slots");
        const char *point = strchr(path, '.');
        const json_t *value = json_object_get(slots, path);
        char name[80];
        if (value || !point || (size_t)(point - path) >= sizeof(name))
                return value;
        memcpy(name, path, (size_t)(point - path));
        name[point - path] = '\0';
        return json_object_get(json_object_get(slots, name), point + 1);
}

json_t *turn_value(struct turn *turn, const json_t *operand)
{
        const char *var = json_string_value(json_object_get(operand, "var"));
        const char *fact = json_string_value(json_object_get(operand, "fact"));
        const json_t *value = operand;
        if (var)
                value = turn_var(turn, var);
        else if (fact && strcmp(fact, "lang") == 0)
                return json_string(turn->language->lang);
        else if (fact)
                value = json_object_get(turn->event->facts, fact);
        return value ? json_incref((json_t *)value) : json_null();
}

bool turn_fact_is_true(struct turn *turn, const char *name, bool otherwise)
{
        const json_t *fact = json_object_get(turn->event->facts, name);
        return fact ? json_is_true(fact) : otherwise;
}

static bool is_set(const json_t *value)
{
        return !json_is_null(value) && !json_is_false(value) &&
               !(json_is_string(value) && json_string_length(value) == 0);
}

/* <0, 0, >0; 2 when the two cannot be compared. */
static int compare(const json_t *a, const json_t *b)
{
        if (json_is_number(a) && json_is_number(b)) {
                double left = json_number_value(a), right = json_number_value(b);
                return left < right ? -1 : left > right;
        }
        if (json_is_string(a) && json_is_string(b)) {
                int order = strcmp(json_string_value(a), json_string_value(b));
                return order < 0 ? -1 : order > 0;
        }
        return json_is_boolean(a) && json_is_boolean(b) && json_is_true(a) == json_is_true(b) ? 0 : 2;
}

static bool is_related(const char *sign, int order)
{
        if (strcmp(sign, "==") == 0)
                return order == 0;
        if (strcmp(sign, "!=") == 0)
                return order != 0;
        if (order == 2)
                return false;
        if (sign[0] == '<')
                return order < 0 || (sign[1] == '=' && order == 0);
        return order > 0 || (sign[1] == '=' && order == 0);
}

static bool relation_holds(struct turn *turn, const char *word, const json_t *condition)
{
        json_t *left = turn_value(turn, json_array_get(condition, 1));
        bool holds = false;
        if (strcmp(word, "is") == 0)
                holds = is_set(left);
        else if (strcmp(word, "has") == 0)
                holds = !json_is_null(left);
        for (size_t i = 2; !holds && i < json_array_size(condition); i++) {
                json_t *right = turn_value(turn, json_array_get(condition, i));
                holds = is_related(strcmp(word, "in") == 0 ? "==" : word, compare(left, right));
                json_decref(right);
        }
        json_decref(left);
        return holds;
}

bool turn_holds(struct turn *turn, const json_t *condition)
{
        const char *word = json_string_value(json_array_get(condition, 0));
        if (!word)
                return true;
        if (strcmp(word, "not") == 0)
                return !turn_holds(turn, json_array_get(condition, 1));
        bool is_and = strcmp(word, "and") == 0;
        if (!is_and && strcmp(word, "or") != 0)
                return relation_holds(turn, word, condition);
        for (size_t i = 1; i < json_array_size(condition); i++) {
                if (turn_holds(turn, json_array_get(condition, i)) != is_and)
                        return !is_and;
        }
        return is_and;
}

static bool is_plain(const json_t *value)
{
        if (json_is_string(value))
                return json_string_length(value) <= BOT_ENTITY_VALUE &&
                       strlen(json_string_value(value)) == json_string_length(value);
        return json_is_number(value) || json_is_boolean(value);
}

/* Of an object the plain members, the first ones by name. */
static json_t *plain_part(json_t *value)
{
        json_t *kept = json_object(), *member;
        const char *name;
        json_object_foreach(value, name, member) {
                if (is_plain(member) && strlen(name) <= 64 && json_object_size(kept) < MEMBERS_MAX)
                        json_object_set(kept, name, member);
        }
        return kept;
}

void turn_set(struct turn *turn, const char *slot, json_t *value)
{
        json_t *slots = json_object_get(turn->state, "slots");
        json_t *kept = json_is_object(value) ? plain_part(value) : is_plain(value) ? json_incref(value) : NULL;
        json_decref(value);
        bool has_room = json_object_get(slots, slot) || json_object_size(slots) < SLOTS_MAX;
        if (!kept)
                json_object_del(slots, slot);
        else if (!has_room || json_object_set(slots, slot, kept) < 0)
                turn_because(turn, "slot_dropped", json_string(slot));
        json_decref(kept);
}
