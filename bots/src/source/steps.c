/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: one line, one step, or several with `then` between them; steps below a `when`, an `else`, an `open` or a
 * `closed` that ends its line are indented deeper. Which steps there are is the table at the end. */
#include <string.h>

#include "source/source_private.h"

struct step_kind {
        const char *word;
        json_t *(*take)(struct source *source, struct lex *lex);
};

void source_steps_open(struct source *source, int indent, json_t *steps)
{
        if (source->nested == SOURCE_NESTING) {
                source_error(source, source->at, "Make a flow of its own of it: goto flow NAME.",
                             "Steps are nested deeper than %d.", SOURCE_NESTING);
                return;
        }
        source->nest[source->nested].indent = indent;
        source->nest[source->nested++].steps = steps;
}

static json_t *step(const char *word)
{
        return json_pack("{s:s}", "do", word);
}

/* The new step, or nothing when `is_good` is false. */
static json_t *step_if(bool is_good, json_t *made)
{
        if (is_good)
                return made;
        json_decref(made);
        return NULL;
}

static json_t *take_say(struct source *source, struct lex *lex)
{
        char key[SOURCE_KEY];
        if (!source_take_text(source, lex, NULL, key))
                return NULL;
        return json_pack("{s:s, s:s}", "do", "say", "text", key);
}

/* else STEP then STEP ..., to the end of the line. */
static void take_else(struct source *source, struct lex *lex, json_t *made)
{
        if (lex_take_word(lex, "else"))
                source_take_steps(source, lex, source_array(made, "else"));
}

bool source_take_count(struct source *source, struct lex *lex, const char *name, json_t *made)
{
        struct span rest;
        long count;
        if (!lex_number(lex, &count, &rest) || rest.len > 0) {
                source_error(source, lex->now.at, NULL, "After `%s` comes a number.", name);
                return false;
        }
        json_object_set_new(made, name, json_integer(count));
        lex_next(lex);
        return true;
}

/* ENTITY as SLOT "question" [hint "text"] [retry N] [else ...] */
static json_t *take_ask(struct source *source, struct lex *lex)
{
        json_t *made = step("ask");
        char entity[SOURCE_KEY], slot[SOURCE_KEY], key[SOURCE_KEY], hint[SOURCE_KEY + 8];
        if (!source_take_id(source, lex, "the name of an entity", entity))
                return step_if(false, made);
        memcpy(slot, entity, sizeof(slot));
        if (lex_take_word(lex, "as") && !source_take_id(source, lex, "the name of a slot", slot))
                return step_if(false, made);
        if (!source_take_text(source, lex, slot, key))
                return step_if(false, made);
        json_object_set_new(made, "entity", json_string(entity));
        json_object_set_new(made, "as", json_string(slot));
        json_object_set_new(made, "text", json_string(key));
        bool is_good = true;
        if (lex_take_word(lex, "hint")) {
                snprintf(hint, sizeof(hint), "%.60s.hint", slot);
                is_good = source_take_text(source, lex, hint, key);
                if (is_good)
                        json_object_set_new(made, "hint", json_string(key));
        }
        if (is_good && lex_take_word(lex, "retry"))
                is_good = source_take_count(source, lex, "retry", made);
        if (is_good)
                take_else(source, lex, made);
        return step_if(is_good, made);
}

/* "label" -> TARGET, or "label" = value */
static json_t *take_option(struct source *source, struct lex *lex)
{
        char key[SOURCE_KEY];
        json_t *value;
        const char *member;
        if (!source_take_text(source, lex, NULL, key))
                return NULL;
        if (lex->now.kind == TOKEN_ARROW) {
                lex_next(lex);
                member = "to";
                value = source_take_target(source, lex);
        } else if (lex->now.kind == TOKEN_SET) {
                lex_next(lex);
                member = "value";
                value = source_take_operand(source, lex);
        } else {
                source_error(source, lex->now.at, "Write \"label\" -> flow NAME, or \"label\" = \"value\".",
                             "It is not said what this choice does.");
                return NULL;
        }
        return value ? json_pack("{s:s, s:o}", "label", key, member, value) : NULL;
}

/* "question" [as SLOT]: OPTION | OPTION ... */
static json_t *take_choices(struct source *source, struct lex *lex)
{
        json_t *made = step("choices");
        char key[SOURCE_KEY], slot[SOURCE_KEY];
        if (!source_take_text(source, lex, NULL, key))
                return step_if(false, made);
        json_object_set_new(made, "text", json_string(key));
        if (lex_take_word(lex, "as")) {
                if (!source_take_id(source, lex, "the name of a slot", slot))
                        return step_if(false, made);
                json_object_set_new(made, "as", json_string(slot));
        }
        if (!lex_take_word(lex, "of")) {
                source_error(source, lex->now.at, "Write: choices \"Which one?\" of \"A\" = \"a\" | \"B\" = \"b\".",
                             "Here comes `of` and what to choose from.");
                return step_if(false, made);
        }
        for (;;) {
                json_t *option = take_option(source, lex);
                if (!option)
                        return step_if(false, made);
                json_array_append_new(source_array(made, "options"), option);
                if (lex->now.kind != TOKEN_PIPE)
                        return made;
                lex_next(lex);
        }
}

static bool take_sign(struct source *source, struct lex *lex)
{
        if (lex->now.kind != TOKEN_SET) {
                source_error(source, lex->now.at, NULL, "Here comes = and a value.");
                return false;
        }
        lex_next(lex);
        return true;
}

/* SLOT = value */
static json_t *take_set(struct source *source, struct lex *lex)
{
        char slot[SOURCE_KEY];
        if (!source_take_id(source, lex, "the name of a slot", slot) || !take_sign(source, lex))
                return NULL;
        json_t *value = source_take_operand(source, lex);
        return value ? json_pack("{s:s, s:s, s:o}", "do", "set", "as", slot, "value", value) : NULL;
}

/* "3s" or "500ms" */
static bool take_timeout(struct source *source, struct lex *lex, json_t *made)
{
        struct span unit = {0};
        long count = 0;
        bool is_number = lex_number(lex, &count, &unit), is_seconds = span_equal(unit, SPAN("s"));
        if (!is_number || count < 0 || count > 60000 || (!is_seconds && !span_equal(unit, SPAN("ms")))) {
                source_error(source, lex->now.at, "Write: timeout 3s, or timeout 500ms.",
                             "Here comes how long to wait.");
                return false;
        }
        json_object_set_new(made, "timeout_ms", json_integer(is_seconds ? count * 1000 : count));
        lex_next(lex);
        return true;
}

/* NAME [argument=value ...] [into SLOT] [timeout 3s] [else ...] */
static json_t *take_call(struct source *source, struct lex *lex)
{
        json_t *made = step("call"), *value;
        char name[SOURCE_KEY];
        if (!source_take_id(source, lex, "the name of a call", name))
                return step_if(false, made);
        json_object_set_new(made, "name", json_string(name));
        while (lex->now.kind == TOKEN_WORD && !lex_is_word(lex, "into") && !lex_is_word(lex, "timeout") &&
               !lex_is_word(lex, "else") && !lex_is_word(lex, "then")) {
                if (!source_take_id(source, lex, "the name of an argument", name) || !take_sign(source, lex) ||
                    !(value = source_take_operand(source, lex)))
                        return step_if(false, made);
                json_object_set_new(source_object(made, "args"), name, value);
        }
        if (lex_take_word(lex, "into")) {
                if (!source_take_id(source, lex, "the name of a slot", name))
                        return step_if(false, made);
                json_object_set_new(made, "into", json_string(name));
        }
        if (lex_take_word(lex, "timeout") && !take_timeout(source, lex, made))
                return step_if(false, made);
        take_else(source, lex, made);
        return made;
}

static json_t *take_goto(struct source *source, struct lex *lex)
{
        json_t *target = source_take_target(source, lex);
        return target ? json_pack("{s:s, s:o}", "do", "goto", "to", target) : NULL;
}

/* WORD NAME as {"do": WORD, member: NAME} */
static json_t *take_named(struct source *source, struct lex *lex, const char *word, const char *member)
{
        char name[SOURCE_KEY];
        if (!source_take_id(source, lex, "a name", name))
                return NULL;
        return json_pack("{s:s, s:s}", "do", word, member, name);
}

static json_t *take_handoff(struct source *source, struct lex *lex)
{
        return take_named(source, lex, "handoff", "to");
}

static json_t *take_tag(struct source *source, struct lex *lex)
{
        return take_named(source, lex, "tag", "name");
}

static json_t *take_article(struct source *source, struct lex *lex)
{
        if (lex->now.kind != TOKEN_WORD && lex->now.kind != TOKEN_TEXT) {
                source_error(source, lex->now.at, NULL, "Here comes the article: its name or its address.");
                return NULL;
        }
        json_t *made = json_pack("{s:s, s:s%}", "do", "article", "ref", lex->now.text.at, lex->now.text.len);
        lex_next(lex);
        return made;
}

static json_t *take_ticket(struct source *source, struct lex *lex)
{
        (void)source;
        (void)lex;
        return step("ticket");
}

static json_t *take_close(struct source *source, struct lex *lex)
{
        (void)source;
        (void)lex;
        return step("close");
}

static const struct step_kind STEPS[] = {
        {"say", take_say},         {"ask", take_ask},       {"choices", take_choices}, {"set", take_set},
        {"call", take_call},       {"goto", take_goto},     {"handoff", take_handoff}, {"tag", take_tag},
        {"article", take_article}, {"ticket", take_ticket}, {"close", take_close},
};

static json_t *take_step(struct source *source, struct lex *lex)
{
        for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
                if (lex_take_word(lex, STEPS[i].word))
                        return STEPS[i].take(source, lex);
        }
        source_error(source, lex->now.at,
                     "There are: say, ask, choices, set, call, when, else, goto, article, handoff, ticket, tag, close.",
                     "No step begins like this.");
        return NULL;
}

void source_take_steps(struct source *source, struct lex *lex, json_t *steps)
{
        do {
                json_t *made = take_step(source, lex);
                if (!made)
                        return;
                json_array_append_new(steps, made);
        } while (lex_take_word(lex, "then"));
        source_take_end(source, lex);
}

/* The steps of a case: on this line, or deeper below it. */
static void take_case(struct source *source, struct lex *lex, int indent, json_t *a_case)
{
        json_t *steps = source_array(a_case, "steps");
        if (lex->now.kind == TOKEN_END)
                source_steps_open(source, indent, steps);
        else
                source_take_steps(source, lex, steps);
}

/* A `when` right after a `when` of the same list is its next case: the first one that holds is taken. */
static json_t *open_branch(json_t *steps)
{
        json_t *last = json_array_get(steps, json_array_size(steps) - 1);
        const char *word = json_string_value(json_object_get(last, "do"));
        json_t *cases = json_object_get(last, "cases");
        json_t *last_case = json_array_get(cases, json_array_size(cases) - 1);
        return word && strcmp(word, "branch") == 0 && json_object_get(last_case, "when") ? cases : NULL;
}

static void read_when(struct source *source, struct lex *lex, int indent, json_t *steps)
{
        json_t *condition = source_take_condition(source, lex), *cases = open_branch(steps), *a_case;
        if (!condition)
                return;
        if (!cases) {
                cases = json_array();
                json_array_append_new(steps, json_pack("{s:s, s:o}", "do", "branch", "cases", cases));
        }
        a_case = json_pack("{s:o}", "when", condition);
        json_array_append_new(cases, a_case);
        take_case(source, lex, indent, a_case);
}

static void read_else(struct source *source, struct lex *lex, int indent, json_t *steps)
{
        json_t *cases = open_branch(steps), *a_case = json_object();
        if (!cases) {
                source_error(source, source->at, "Put it right below the `when` it belongs to, as far indented.",
                             "There is no `when` before this `else`.");
                json_decref(a_case);
                return;
        }
        json_array_append_new(cases, a_case);
        take_case(source, lex, indent, a_case);
}

void source_step_line(struct source *source, int indent)
{
        struct lex lex;
        while (source->nested > 1 && indent <= source->nest[source->nested - 1].indent)
                source->nested--;
        if (source->nested == 0) {
                source_error(source, source->at, NULL, "No step belongs here.");
                return;
        }
        json_t *steps = source->nest[source->nested - 1].steps;
        lex_init(&lex, source->line, source->at);
        if (lex_take_word(&lex, "when"))
                read_when(source, &lex, indent, steps);
        else if (lex_take_word(&lex, "else"))
                read_else(source, &lex, indent, steps);
        else
                source_take_steps(source, &lex, steps);
        lex_done(&lex);
}
