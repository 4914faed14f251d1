/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling a condition: recursive descent over the text, straight into the tree. Always true: the depth of recursion,
 * the nodes, values and texts are bounded whatever the text is; an error names the first byte that does not fit. */
#include "desk/rules/condition_token.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol_generated.h"

/* ---- errors ---- */

static int fail_at(struct parse *parse, size_t at, const char *expected)
{
        parse->error->at = at;
        parse->error->character = 1;
        for (size_t i = 0; i < at && i < parse->source.len; i++)
                parse->error->character += ((unsigned char)parse->source.at[i] & 0xc0) != 0x80;
        snprintf(parse->error->expected, sizeof parse->error->expected, "%s", expected);
        return -PROTOCOL_ERR_BAD_REQUEST;
}

static int fail(struct parse *parse, const char *expected)
{
        return fail_at(parse, parse->token.at, expected);
}

int condition_fault(const struct condition_error *error, const char *field, struct fault *fault)
{
        char expected[FAULT_EXPECTED_BYTES];
        snprintf(expected, sizeof expected, "at character %zu: %.70s", error->character, error->expected);
        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, expected);
}

/* ---- texts and values ---- */

/* Keeps `text` (of a string: without its escapes). */
static int keep_text(struct parse *parse, struct span text, bool has_escapes, uint16_t *out_at, uint16_t *out_len)
{
        if (parse->text_len + text.len > parse->text_room)
                return fail(parse, "fewer and shorter values");
        *out_at = (uint16_t)parse->text_len;
        for (size_t i = 0; i < text.len; i++) {
                if (has_escapes && text.at[i] == '\\' && i + 1 < text.len)
                        i++;
                parse->texts[parse->text_len++] = text.at[i];
        }
        *out_len = (uint16_t)(parse->text_len - *out_at);
        return 0;
}

/* One of the fact's words. */
static int read_choice(struct parse *parse, const struct fact_info *info, struct condition_value *value)
{
        for (uint32_t i = 1; i < info->word_count; i++)
                if (condition_is_word(parse->token.text, info->words[i])) {
                        value->number = i;
                        return 0;
                }
        char expected[FAULT_EXPECTED_BYTES] = "one of ";
        size_t len = strlen(expected);
        for (uint32_t i = 1; i < info->word_count && len < sizeof expected; i++)
                len += (size_t)snprintf(expected + len, sizeof expected - len, "%s%s", i > 1 ? ", " : "",
                                        info->words[i]);
        return fail(parse, expected);
}

static const char *named_thing(enum fact fact)
{
        switch (fact) {
        case FACT_TEAM:
                return "a team, by name or id";
        case FACT_ASSIGNEE:
                return "an agent, by e-mail address or id";
        case FACT_APP:
                return "an app, by name or id";
        default:
                return "a customer, by id";
        }
}

/* Something that has an id. */
static int read_named(struct parse *parse, enum fact fact, struct condition_value *value)
{
        struct span text = parse->token.text;
        bool is_word = parse->token.kind == TOKEN_WORD, is_view = (parse->use & CONDITION_OF_VIEW) != 0;
        if (is_word && fact == FACT_ASSIGNEE && condition_is_word(text, "me")) {
                if (!is_view)
                        return fail(parse, "an agent: nobody is \"me\" in a rule");
                value->number = CONDITION_ME;
        } else if (is_word && fact == FACT_TEAM && condition_is_word(text, "mine")) {
                if (!is_view)
                        return fail(parse, "a team: no team is \"mine\" in a rule");
                value->number = CONDITION_MINE;
        }
        if (value->number < 0) {
                parse->head.is_personal = true;
                return 0;
        }
        char ext[ID_TEXT_BYTES];
        char clean[1024];
        size_t len = 0;
        for (size_t i = 0; i < text.len && len < sizeof clean; i++) {
                if (!is_word && text.at[i] == '\\' && i + 1 < text.len)
                        i++;
                clean[len++] = text.at[i];
        }
        value->number = parse->names->find(parse->names->data, fact, (struct span){clean, len}, ext);
        if (value->number > 0)
                return keep_text(parse, (struct span){ext, sizeof ext}, false, &value->text_at, &value->text_len);
        if (!(parse->use & CONDITION_STORED))
                return fail(parse, named_thing(fact));
        value->number = CONDITION_GONE;
        return keep_text(parse, text, !is_word, &value->text_at, &value->text_len);
}

static int read_free(struct parse *parse, enum fact_type type, struct condition_value *value)
{
        bool is_string = parse->token.kind == TOKEN_STRING;
        struct span text = parse->token.text;
        if (type == FACT_AS_DYNAMIC && !is_string)
                value->is_number = condition_number(text, &value->number) || condition_yes(text, &value->number);
        return keep_text(parse, text, is_string, &value->text_at, &value->text_len);
}

/* The token as a value of that fact. */
static int take_value(struct parse *parse, enum fact fact, const struct fact_info *info)
{
        if (parse->token.kind != TOKEN_WORD && parse->token.kind != TOKEN_STRING)
                return fail(parse, "a value");
        if (parse->head.value_count >= CONDITION_VALUES)
                return fail(parse, "at most 400 values in all");
        struct condition_value *value = &parse->values[parse->head.value_count];
        *value = (struct condition_value){0};
        int rc = 0;
        switch (info->type) {
        case FACT_AS_WORD:
        case FACT_AS_LEVEL:
                rc = read_choice(parse, info, value);
                break;
        case FACT_AS_ID:
                rc = read_named(parse, fact, value);
                break;
        case FACT_AS_NUMBER:
                rc = condition_number(parse->token.text, &value->number) ? 0 : fail(parse, "a whole number");
                break;
        case FACT_AS_SINCE:
        case FACT_AS_UNTIL:
                rc = condition_duration(parse->token.text, &value->number)
                             ? 0
                             : fail(parse, "a duration such as 90s, 30m, 2h, 3d");
                break;
        case FACT_AS_BOOL:
                rc = condition_yes(parse->token.text, &value->number) ? 0 : fail(parse, "yes or no");
                break;
        case FACT_AS_TEXT:
        case FACT_AS_SET:
        case FACT_AS_DYNAMIC:
                rc = read_free(parse, info->type, value);
                break;
        }
        if (rc < 0)
                return rc;
        parse->head.value_count++;
        condition_next(parse);
        return 0;
}

/* ---- tests ---- */

static bool is_timed(enum fact_type type)
{
        return type == FACT_AS_SINCE || type == FACT_AS_UNTIL;
}

static bool has_order(enum fact_type type)
{
        return type == FACT_AS_LEVEL || type == FACT_AS_NUMBER || type == FACT_AS_DYNAMIC || is_timed(type);
}

static int add_node(struct parse *parse, enum condition_kind kind, struct condition_node **out_node)
{
        if (parse->head.node_count >= CONDITION_NODES)
                return fail(parse, "a simpler expression");
        struct condition_node *node = &parse->nodes[parse->head.node_count++];
        *node = (struct condition_node){.kind = (uint8_t)kind, .end = parse->head.node_count};
        *out_node = node;
        return 0;
}

static int parse_list(struct parse *parse, enum fact fact, const struct fact_info *info, struct condition_node *node)
{
        if (parse->token.kind != TOKEN_OPEN)
                return fail(parse, "(");
        do {
                condition_next(parse);
                int rc = take_value(parse, fact, info);
                if (rc < 0)
                        return rc;
                node->value_count++;
        } while (parse->token.kind == TOKEN_COMMA);
        if (parse->token.kind != TOKEN_CLOSE)
                return fail(parse, ", or )");
        condition_next(parse);
        return 0;
}

static int parse_is(struct parse *parse, struct condition_node *node)
{
        node->compare = condition_take(parse, "not") ? COMPARE_NOT_SET : COMPARE_SET;
        return condition_take(parse, "set") ? 0 : fail(parse, node->compare == COMPARE_SET ? "set, or not set" : "set");
}

/* "= none" says that it is not set. */
static bool is_none(const struct parse *parse, const struct fact_info *info, const struct condition_node *node)
{
        return (info->type == FACT_AS_WORD || info->type == FACT_AS_LEVEL || info->type == FACT_AS_ID) &&
               (node->compare == COMPARE_EQUAL || node->compare == COMPARE_NOT_EQUAL) &&
               parse->token.kind == TOKEN_WORD && condition_is_word(parse->token.text, "none");
}

static int parse_compare(struct parse *parse, enum fact fact, const struct fact_info *info, struct condition_node *node)
{
        node->compare = (uint8_t)parse->token.compare;
        bool is_equality = node->compare == COMPARE_EQUAL || node->compare == COMPARE_NOT_EQUAL;
        if (is_equality && is_timed(info->type))
                return fail(parse, "<, <=, > or >= for how long it is");
        if (!is_equality && !has_order(info->type))
                return fail(parse, "= or !=: this fact has no order");
        condition_next(parse);
        if (is_none(parse, info, node)) {
                node->compare = node->compare == COMPARE_EQUAL ? COMPARE_NOT_SET : COMPARE_SET;
                condition_next(parse);
                return 0;
        }
        node->value_count = 1;
        return take_value(parse, fact, info);
}

static int parse_operator(struct parse *parse, enum fact fact, const struct fact_info *info,
                          struct condition_node *node)
{
        if (parse->token.kind == TOKEN_COMPARE)
                return parse_compare(parse, fact, info, node);
        if (condition_take(parse, "is"))
                return parse_is(parse, node);
        size_t at = parse->token.at;
        bool is_not = condition_take(parse, "not");
        if (condition_take(parse, "in")) {
                node->compare = is_not ? COMPARE_NOT_IN : COMPARE_IN;
                return is_timed(info->type) || info->type == FACT_AS_BOOL ? fail_at(parse, at, "another comparison")
                                                                          : parse_list(parse, fact, info, node);
        }
        if (is_not)
                return fail(parse, "in");
        if (condition_take(parse, "has")) {
                if (info->type != FACT_AS_TEXT && info->type != FACT_AS_SET && info->type != FACT_AS_DYNAMIC)
                        return fail_at(parse, at, "= or in: only texts and sets have parts");
                node->compare = info->type == FACT_AS_SET ? COMPARE_EQUAL : COMPARE_HAS;
                node->value_count = 1;
                return take_value(parse, fact, info);
        }
        if (info->type != FACT_AS_BOOL)
                return fail(parse, "=, !=, <, <=, >, >=, in, not in, has or is set");
        node->compare = COMPARE_EQUAL;
        node->value_count = 1;
        if (parse->head.value_count >= CONDITION_VALUES)
                return fail(parse, "at most 400 values in all");
        parse->values[parse->head.value_count++] = (struct condition_value){.number = 1};
        return 0;
}

static int parse_test(struct parse *parse)
{
        enum fact fact;
        struct span name;
        if (parse->token.kind != TOKEN_WORD || fact_find(parse->token.text, &fact, &name) < 0)
                return fail(parse, "a fact such as status, team, tag, customer.tier or field.x");
        struct fact_info info = fact_info(fact);
        if ((parse->use & CONDITION_OF_VIEW) && (info.flags & FACT_ONLY_IN_RULES))
                return fail(parse, "a fact that views know: this one is only in rules");
        if (parse->head.test_count >= CONDITION_TESTS)
                return fail(parse, "at most 50 conditions");
        struct condition_node *node = NULL;
        int rc = add_node(parse, CONDITION_TEST, &node);
        if (rc < 0 || !node)
                return rc;
        rc = keep_text(parse, name, false, &node->name_at, &node->name_len);
        if (rc < 0)
                return rc;
        parse->head.test_count++;
        parse->head.is_timed |= is_timed(info.type);
        node->fact = (uint8_t)fact;
        node->type = (uint8_t)info.type;
        node->first_value = parse->head.value_count;
        condition_next(parse);
        return parse_operator(parse, fact, &info, node);
}

static int parse_any(struct parse *parse);

static int deeper(struct parse *parse)
{
        if (parse->depth >= CONDITION_DEPTH)
                return fail(parse, "at most 5 levels of parentheses and not");
        parse->depth++;
        return 0;
}

static int parse_part(struct parse *parse);

static int parse_not(struct parse *parse)
{
        unsigned first = parse->head.node_count;
        struct condition_node *node = NULL;
        int rc = deeper(parse);
        if (rc == 0)
                rc = add_node(parse, CONDITION_NOT, &node);
        if (rc < 0)
                return rc;
        condition_next(parse);
        rc = parse_part(parse);
        parse->nodes[first].end = parse->head.node_count;
        parse->depth--;
        return rc;
}

static int parse_part(struct parse *parse)
{
        if (parse->token.kind == TOKEN_WORD && condition_is_word(parse->token.text, "not"))
                return parse_not(parse);
        if (parse->token.kind != TOKEN_OPEN)
                return parse_test(parse);
        int rc = deeper(parse);
        if (rc < 0)
                return rc;
        condition_next(parse);
        rc = parse_any(parse);
        if (rc < 0)
                return rc;
        if (parse->token.kind != TOKEN_CLOSE)
                return fail(parse, "and, or, or )");
        condition_next(parse);
        parse->depth--;
        return 0;
}

/* What was parsed from node `first` on becomes the first child of a new node there. */
static int put_above(struct parse *parse, unsigned first, enum condition_kind kind)
{
        struct condition_node *unused;
        int rc = add_node(parse, kind, &unused);
        if (rc < 0)
                return rc;
        memmove(&parse->nodes[first + 1], &parse->nodes[first],
                (parse->head.node_count - 1 - first) * sizeof parse->nodes[0]);
        for (unsigned i = first + 1; i < parse->head.node_count; i++)
                parse->nodes[i].end++;
        parse->nodes[first] = (struct condition_node){.kind = (uint8_t)kind, .end = parse->head.node_count};
        return 0;
}

static int parse_chain(struct parse *parse, enum condition_kind kind)
{
        unsigned first = parse->head.node_count;
        const char *word = kind == CONDITION_AND ? "and" : "or";
        int rc = kind == CONDITION_AND ? parse_part(parse) : parse_chain(parse, CONDITION_AND);
        for (bool is_first = true; rc == 0 && condition_take(parse, word); is_first = false) {
                if (is_first)
                        rc = put_above(parse, first, kind);
                if (rc == 0)
                        rc = kind == CONDITION_AND ? parse_part(parse) : parse_chain(parse, CONDITION_AND);
                parse->nodes[first].end = parse->head.node_count;
        }
        return rc;
}

static int parse_any(struct parse *parse)
{
        return parse_chain(parse, CONDITION_OR);
}

/* ---- the whole ---- */

static struct condition *finish(const struct parse *parse)
{
        size_t nodes = parse->head.node_count * sizeof(struct condition_node);
        size_t values = parse->head.value_count * sizeof(struct condition_value);
        struct condition *condition = malloc(sizeof *condition + values + nodes + parse->text_len + 1);
        if (!condition)
                return NULL;
        *condition = parse->head;
        condition->values = (struct condition_value *)(condition + 1);
        condition->nodes = (struct condition_node *)((char *)condition->values + values);
        condition->texts = (char *)condition->nodes + nodes;
        if (values > 0)
                memcpy(condition->values, parse->values, values);
        if (nodes > 0)
                memcpy(condition->nodes, parse->nodes, nodes);
        if (parse->text_len > 0)
                memcpy(condition->texts, parse->texts, parse->text_len);
        return condition;
}

static int parse_whole(struct parse *parse)
{
        size_t most = parse->use & CONDITION_STORED ? CONDITION_STORED_BYTES : CONDITION_TEXT_BYTES;
        condition_next(parse);
        if (parse->token.kind == TOKEN_END)
                return 0;
        int rc = parse_any(parse);
        if (rc < 0)
                return rc;
        if (parse->token.kind != TOKEN_END)
                return fail(parse, "and, or, or the end");
        if (parse->source.len > most)
                return fail_at(parse, most, "the end: at most 8192 bytes");
        return 0;
}

int condition_compile(struct span text, unsigned use, const struct condition_names *names,
                      struct condition **out_condition, struct condition_error *error)
{
        struct parse *parse = calloc(1, sizeof *parse);
        *error = (struct condition_error){0};
        if (!parse)
                return -PROTOCOL_ERR_INTERNAL;
        parse->source = text;
        parse->use = use;
        parse->names = names;
        parse->error = error;
        parse->text_room = UINT16_MAX - 1;
        parse->texts = malloc(parse->text_room);
        int rc = parse->texts ? parse_whole(parse) : -PROTOCOL_ERR_INTERNAL;
        struct condition *condition = rc == 0 ? finish(parse) : NULL;
        free(parse->texts);
        free(parse);
        if (rc < 0)
                return rc;
        if (!condition)
                return -PROTOCOL_ERR_INTERNAL;
        *out_condition = condition;
        return 0;
}

struct condition *condition_free(struct condition *condition)
{
        free(condition);
        return NULL;
}
