/* SPDX-License-Identifier: Apache-2.0 */
/* Condition: an expression over facts, of rules, SLA policies, views and lists, compiled once to a bounded tree and
 * asked many times without allocating. Pure; a compiled condition never changes and may be read by any thread.
 *
 *   expression  = all { "or" all }              all   = part { "and" part }
 *   part        = "not" part | "(" expression ")" | test
 *   test        = fact compare value | fact ["not"] "in" "(" value { "," value } ")" | fact "has" value
 *               | fact "is" ["not"] "set" | fact        (the last of a fact that is yes or no)
 *   compare     = "=" | "!=" | "<" | "<=" | ">" | ">="
 *   value       = word | "quoted, with \" and \\" | number | duration (90s 30m 2h 3d 1w, 1h30m)
 *
 * The empty expression always holds. Keywords may be written in capitals. Texts are compared without regard to the case
 * of ASCII letters; `has` looks for a part of a text. `language = ko` holds for ko-KR too. A set (tag, skill) is equal
 * to what it contains. What has no value is equal to nothing and in no order: only != , not in and "is not set" hold.
 * Named things are teams by name or id, agents by id or e-mail address, apps, customers by id; `me` is who looks,
 * `team = mine` any team of his, `none` the same as "is not set". */
#pragma once

#include "desk/rules/facts.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

enum {
        CONDITION_TESTS = 50,           /* tests in one expression */
        CONDITION_DEPTH = 5,            /* of parentheses and "not" */
        CONDITION_VALUES = 400,         /* values of all its lists together */
        CONDITION_TEXT_BYTES = 8192,    /* as it is written by a person */
        CONDITION_STORED_BYTES = 32768, /* as it is printed: names have become ids */
};

/* What may be said in it. */
enum condition_use {
        CONDITION_OF_RULE = 0,
        CONDITION_OF_VIEW = 1, /* `me` and `mine` are known; facts that are only in rules are not */
        CONDITION_STORED =
                2, /* or'ed: printed by condition_print earlier: names that are gone are kept, and match nothing */
};

/* Where an expression went wrong. */
struct condition_error {
        size_t at;        /* byte, from 0 */
        size_t character; /* from 1 */
        char expected[FAULT_EXPECTED_BYTES];
};

struct condition_names {
        /* The row id of what `text` names for a FACT_AS_ID, and its id outside (such as tea_...) in `out_ext`. 0 =
         * there is none, or several. */
        int64_t (*find)(void *data, enum fact fact, struct span text, char out_ext[ID_TEXT_BYTES]);
        void *data;
};

struct condition;

/* 0 and a condition that is the caller's; -PROTOCOL_ERR_BAD_REQUEST with `error` filled, or -PROTOCOL_ERR_INTERNAL (out
 * of memory). `use`: enum condition_use. Nothing of `text` is kept. */
int condition_compile(struct span text, unsigned use, const struct condition_names *names,
                      struct condition **out_condition, struct condition_error *error);
struct condition *condition_free(struct condition *condition); /* NULL is welcome; returns NULL */

/* The error as the fault of the member `field`. Returns -PROTOCOL_ERR_BAD_REQUEST. */
int condition_fault(const struct condition_error *error, const char *field, struct fault *fault);

/* The canonical text, which compiles to the same with CONDITION_STORED. `show`, when it is not NULL, may write another
 * text for a named thing (its present name) into `out` and return how many bytes; 0 = the id stays. */
enum { CONDITION_SHOWN_BYTES = 256 };
typedef size_t condition_show_fn(void *data, enum fact fact, int64_t id, char out[CONDITION_SHOWN_BYTES]);
void condition_print(const struct condition *condition, condition_show_fn *show, void *data, struct writer *out);

/* How an evaluation learns what is. */
struct condition_world {
        /* ticket_fact, or a test's own. `out` comes with the type of the table and is_set false. */
        int (*fact)(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out);
        bool (*is_in_team)(const struct fact_scene *scene, int64_t team); /* scene->me is; NULL = nobody is */
};

/* 1 it holds, 0 not, or the negative error of world->fact. Never allocates. */
int condition_holds(const struct condition *condition, const struct condition_world *world,
                    const struct fact_scene *scene);

/* The first moment (wall ms) after scene->now_ms at which time alone may change the answer; INT64_MAX = never. */
int64_t condition_turns_ms(const struct condition *condition, const struct condition_world *world,
                           const struct fact_scene *scene);

bool condition_is_timed(const struct condition *condition);    /* some test is about how long */
bool condition_is_personal(const struct condition *condition); /* it says me or mine */
uint32_t condition_tests(const struct condition *condition);

/* Of a condition that does not hold: writes the part that failed first and what was there instead, as a sentence. */
void condition_why_not(const struct condition *condition, const struct condition_world *world,
                       const struct fact_scene *scene, struct writer *out);
