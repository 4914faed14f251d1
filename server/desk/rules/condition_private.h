/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a condition: nodes in the order in which they are written, each before its children, in one block with
 * its values and its texts. Of condition_*.c, and of what reads a condition as a query (desk/views/). */
#pragma once

#include "desk/rules/condition.h"

enum condition_kind { CONDITION_AND, CONDITION_OR, CONDITION_NOT, CONDITION_TEST };

enum condition_compare {
        COMPARE_EQUAL,
        COMPARE_NOT_EQUAL,
        COMPARE_LESS,
        COMPARE_AT_MOST,
        COMPARE_MORE,
        COMPARE_AT_LEAST,
        COMPARE_IN,
        COMPARE_NOT_IN,
        COMPARE_HAS,
        COMPARE_SET,
        COMPARE_NOT_SET,
};

enum {
        CONDITION_NODES = 8 * CONDITION_TESTS,
        CONDITION_ME = -1,   /* value of a FACT_AS_ID: who looks */
        CONDITION_MINE = -2, /* any team of his */
        CONDITION_GONE = -3, /* a name that is not known any more */
};

struct condition_node {
        uint8_t kind, fact, compare;
        uint8_t type; /* enum fact_type, of the fact */
        uint16_t end; /* index behind its subtree */
        uint16_t first_value, value_count;
        uint16_t name_at, name_len; /* of customer.* and field.*, in the texts */
};

struct condition_value {
        int64_t number; /* word, level, row id, number, seconds, bool */
        bool is_number; /* of a FACT_AS_DYNAMIC: the text is a number (or yes, no) too */
        uint16_t text_at, text_len;
};

struct condition {
        uint16_t node_count, value_count, test_count;
        bool is_timed, is_personal;
        struct condition_node *nodes;
        struct condition_value *values;
        char *texts;
        /* nodes, values and texts stand behind it */
};

static inline struct span condition_name(const struct condition *condition, const struct condition_node *node)
{
        return (struct span){condition->texts + node->name_at, node->name_len};
}

static inline struct span condition_text(const struct condition *condition, const struct condition_value *value)
{
        return (struct span){condition->texts + value->text_at, value->text_len};
}

/* An evaluation. */
struct look {
        const struct condition *condition;
        const struct condition_world *world;
        const struct fact_scene *scene;
};

static inline bool condition_type_is_timed(enum fact_type type)
{
        return type == FACT_AS_SINCE || type == FACT_AS_UNTIL;
}

static inline char condition_folded(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static inline bool condition_is_in_order(unsigned compare, int64_t found, int64_t value)
{
        switch (compare) {
        case COMPARE_LESS:
                return found < value;
        case COMPARE_AT_MOST:
                return found <= value;
        case COMPARE_MORE:
                return found > value;
        default:
                return found >= value;
        }
}

/* condition.c: a test in its three parts. The value of its fact: 0 or a negative protocol error. */
int condition_ask(const struct look *look, const struct condition_node *node, struct fact_value *out);
/* Whether the test holds of that value. */
bool condition_passes(const struct look *look, const struct condition_node *node, const struct fact_value *found);
/* Of a test about how long: the first moment (wall ms) after the scene's now at which it may change; INT64_MAX = never.
 */
int64_t condition_turn_ms(const struct look *look, const struct condition_node *node, const struct fact_value *found);

/* condition_print.c */
void condition_print_node(const struct condition *condition, unsigned at, condition_show_fn *show, void *data,
                          struct writer *out);
