/* SPDX-License-Identifier: Apache-2.0 */
#include "bots/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "version_private.h"

int trial_init(struct trial *trial, const struct bot_version *version, const char *locale, int64_t now_ms)
{
        *trial = (struct trial){.version = version, .now_ms = now_ms};
        trial->facts = json_pack("{s:b, s:b}", "open", 1, "online", 1);
        trial->offers = json_array();
        trial->locale = locale ? strdup(locale) : NULL;
        if (trial->facts && trial->offers && (!locale || trial->locale))
                return 0;
        trial_done(trial);
        return -1;
}

void trial_done(struct trial *trial)
{
        free(trial->state);
        free(trial->locale);
        json_decref(trial->facts);
        json_decref(trial->offers);
        bot_turn_done(&trial->turn);
        *trial = (struct trial){0};
}

/* What this turn offered takes the place of what was offered before. */
static void note_actions(struct trial *trial)
{
        json_t *action, *option, *options;
        size_t i, j;
        const char *call = json_string_value(json_object_get(trial->turn.state, "call"));
        bool is_first = true;
        snprintf(trial->call, sizeof(trial->call), "%s", call ? call : "");
        json_array_foreach(trial->turn.actions, i, action) {
                options = json_object_get(action, "options");
                if (options && is_first)
                        json_array_clear(trial->offers);
                is_first = is_first && !options;
                json_array_foreach(options, j, option)
                        json_array_append(trial->offers, option);
        }
}

static int run_event(struct trial *trial, struct bot_event *event)
{
        struct bot_turn turn;
        event->locale = trial->locale;
        event->facts = trial->facts;
        event->conversation = 1;
        if (bot_step(trial->version, span_of(trial->state ? trial->state : ""), event, trial->now_ms, &turn) < 0)
                return -1;
        bot_turn_done(&trial->turn);
        trial->turn = turn;
        free(trial->state);
        trial->state = bot_canonical(turn.state);
        trial->now_ms += 10000;
        note_actions(trial);
        return trial->state ? 0 : -1;
}

int trial_says(struct trial *trial, struct span text)
{
        struct bot_event event = {.kind = BOT_EVENT_MESSAGE, .text = text};
        return run_event(trial, &event);
}

int trial_call(struct trial *trial, const json_t *result)
{
        char call[sizeof(trial->call)];
        snprintf(call, sizeof(call), "%s", trial->call);
        struct bot_event event = {.kind = BOT_EVENT_CALL, .call = span_of(call), .result = result};
        return call[0] ? run_event(trial, &event) : 1;
}

static bool is_meant(const json_t *option, size_t at, struct span what)
{
        char number[24];
        const char *id = json_string_value(json_object_get(option, "id"));
        const json_t *label = json_object_get(option, "label");
        snprintf(number, sizeof(number), "%zu", at + 1);
        return span_equal(what, span_of(id)) || span_equal(what, span_of(number)) ||
               span_equal(what, (struct span){json_string_value(label), json_string_length(label)}) ||
               (span_equal(what, SPAN("helped=yes")) && strncmp(id, "y-", 2) == 0) ||
               (span_equal(what, SPAN("helped=no")) && strncmp(id, "n-", 2) == 0);
}

int trial_taps(struct trial *trial, struct span what)
{
        json_t *option;
        size_t i;
        json_array_foreach(trial->offers, i, option) {
                char id[64];
                if (!is_meant(option, i, what))
                        continue;
                snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(option, "id")));
                struct bot_event event = {.kind = BOT_EVENT_TAP, .text = span_of(id)};
                return run_event(trial, &event);
        }
        return 1;
}

/* ---- what was expected ---------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

/* An action with that `do` whose member is `value`; a NULL value fits any. */
static bool has_action(const struct trial *trial, const char *word, const char *member, const char *value)
{
        json_t *action;
        size_t i;
        json_array_foreach(trial->turn.actions, i, action) {
                if ((!word || strcmp(text_of(action, "do"), word) == 0) &&
                    (!value || strcmp(text_of(action, member), value) == 0))
                        return true;
        }
        return false;
}

static bool has_reason(const struct trial *trial, const char *what, const char *detail)
{
        json_t *reason;
        size_t i;
        json_array_foreach(trial->turn.why, i, reason) {
                if (strcmp(text_of(reason, "what"), what) == 0 &&
                    (!detail || strcmp(text_of(reason, "detail"), detail) == 0))
                        return true;
        }
        return false;
}

static bool was_said(const struct trial *trial, const char *text)
{
        json_t *action;
        size_t i;
        json_array_foreach(trial->turn.actions, i, action) {
                if (strstr(text_of(action, "text"), text))
                        return true;
        }
        return false;
}

static bool was_offered(const struct trial *trial, const char *answer)
{
        char target[96], id[TARGET_ID], wanted[TARGET_ID + 2];
        json_t *option;
        size_t i;
        static const char *const words[] = {"faq", "flow"};
        for (size_t word = 0; word < 2; word++) {
                snprintf(target, sizeof(target), "%s %.64s", words[word], answer);
                version_target_id(target, id);
                snprintf(wanted, sizeof(wanted), "a-%s", id);
                json_array_foreach(trial->offers, i, option) {
                        if (strcmp(text_of(option, "id"), wanted) == 0)
                                return true;
                }
        }
        return false;
}

static bool slot_is(const struct trial *trial, const json_t *expected)
{
        const char *name = json_string_value(json_array_get(expected, 1));
        const json_t *value = json_array_get(expected, 2);
        const json_t *slot = json_object_get(json_object_get(trial->turn.state, "slots"), name);
        return slot && (!value || json_equal((json_t *)slot, (json_t *)value));
}

/* The slot that a question is open for. */
static bool asks_for(const struct trial *trial, const char *slot)
{
        const json_t *bot = bot_version_bot(trial->version), *block, *steps, *place, *step = NULL;
        const char *flow = text_of(trial->turn.state, "flow");
        bool is_flow = strncmp(flow, "flow ", 5) == 0;
        if (!flow[0])
                return false;
        block = json_object_get(json_object_get(bot, is_flow ? "flows" : "handoffs"), strchr(flow, ' ') + 1);
        steps = json_object_get(block, text_of(trial->turn.state, "part"));
        place = json_object_get(trial->turn.state, "at");
        for (size_t i = 0; i < json_array_size(place); i += 2) {
                json_int_t way = json_integer_value(json_array_get(place, i + 1));
                step = json_array_get(steps, (size_t)json_integer_value(json_array_get(place, i)));
                steps = way < 0 ? json_object_get(step, "else")
                                : json_object_get(json_array_get(json_object_get(step, "cases"), (size_t)way), "steps");
        }
        return strcmp(text_of(step, "as"), slot) == 0;
}

static bool choices_are(const struct trial *trial, const json_t *expected)
{
        if (!has_action(trial, "choices", NULL, NULL))
                return false;
        for (size_t i = 1; i < json_array_size(expected); i++) {
                if (!was_offered(trial, json_string_value(json_array_get(expected, i))))
                        return false;
        }
        return true;
}

static bool is_as_expected(const struct trial *trial, const json_t *expected)
{
        const char *word = json_string_value(json_array_get(expected, 0));
        const char *what = json_string_value(json_array_get(expected, 1));
        char name[96];
        snprintf(name, sizeof(name), "%s %.64s", word, what ? what : "");
        if (strcmp(word, "faq") == 0)
                return has_action(trial, NULL, "rule", name);
        if (strcmp(word, "flow") == 0)
                return has_reason(trial, "begins", name);
        if (strcmp(word, "handoff") == 0)
                return has_action(trial, "handoff", "to", what) || has_reason(trial, "begins", name);
        if (strcmp(word, "choices") == 0)
                return choices_are(trial, expected);
        if (strcmp(word, "miss") == 0)
                return has_reason(trial, "miss", NULL);
        if (strcmp(word, "asks") == 0)
                return asks_for(trial, what);
        if (strcmp(word, "slot") == 0)
                return slot_is(trial, expected);
        if (strcmp(word, "says") == 0)
                return was_said(trial, what);
        if (strcmp(word, "call") == 0 || strcmp(word, "tag") == 0)
                return has_action(trial, word, "name", what);
        if (strcmp(word, "article") == 0)
                return has_action(trial, word, "ref", what);
        if (strcmp(word, "language") == 0)
                return strcmp(text_of(trial->turn.state, "lang"), what) == 0;
        if (strcmp(word, "silence") == 0)
                return json_array_size(trial->turn.actions) == 0;
        if (strcmp(word, "stop") == 0 || strcmp(word, "care") == 0)
                return has_reason(trial, "always", word);
        return has_action(trial, word, NULL, NULL); /* ticket, close */
}

/* ---- a test --------------------------------------------------------------------------------------------------- */

static int set_things(struct trial *trial, const json_t *turn)
{
        const json_t *facts = json_object_get(turn, "facts"), *at = json_object_get(turn, "at"),
                     *lang = json_object_get(turn, "lang");
        int offset = 0;
        if (facts)
                json_object_update(trial->facts, (json_t *)facts);
        if (at && calendar_time(json_string_value(at), &trial->now_ms, &offset))
                json_object_set_new(trial->facts, "utc_offset_minutes", json_integer(offset));
        if (lang) {
                free(trial->locale);
                trial->locale = strdup(json_string_value(lang));
        }
        return 0;
}

static int run_turn(struct trial *trial, const json_t *turn)
{
        const json_t *user = json_object_get(turn, "user"), *tap = json_object_get(turn, "tap");
        const json_t *call = json_object_get(turn, "call");
        if (user)
                return trial_says(trial, (struct span){json_string_value(user), json_string_length(user)});
        if (tap)
                return trial_taps(trial, (struct span){json_string_value(tap), json_string_length(tap)});
        if (call)
                return trial_call(trial, json_object_get(turn, "gives"));
        return set_things(trial, turn);
}

/* ---- what is said of a failure --------------------------------------------------------------------------------- */

/* The detail of the turn's reason of that kind; NULL: it had none. */
static const json_t *reason_of(const struct trial *trial, const char *what)
{
        json_t *reason;
        size_t i;
        json_array_foreach(trial->turn.why, i, reason) {
                if (strcmp(text_of(reason, "what"), what) == 0)
                        return json_object_get(reason, "detail");
        }
        return NULL;
}

static int percent_of(const json_t *object, const char *member)
{
        return (int)((json_integer_value(json_object_get(object, member)) * 100 + BOT_SCORE_ONE / 2) / BOT_SCORE_ONE);
}

/* "; likely faq kids 52 %, faq rental 10 %, alone from 67 % on": why none of them was given alone. */
static void put_ranked(const struct trial *trial, struct writer *out)
{
        const json_t *ranked = reason_of(trial, "ranked"), *list = json_object_get(ranked, "candidates");
        const json_t *needed = json_object_get(ranked, "needed");
        char line[160];
        for (size_t i = 0; i < json_array_size(list) && i < BOT_RANKER_CHOICES; i++) {
                const json_t *candidate = json_array_get(list, i);
                snprintf(line, sizeof(line), "%s%.80s %d %%", i ? ", " : "; likely ", text_of(candidate, "answer"),
                         percent_of(candidate, "probability"));
                writer_raw(out, span_of(line));
        }
        if (json_array_size(list) == 0 || strcmp(text_of(ranked, "decision"), "answer") == 0)
                return;
        const json_t *first = json_array_get(list, 0);
        bool is_score = json_integer_value(json_object_get(first, "probability")) >=
                        json_integer_value(json_object_get(needed, "probability"));
        if (percent_of(needed, "probability") == 100)
                snprintf(line, sizeof(line), "; nothing is given alone, the examples are too few or too unlike");
        else if (is_score)
                snprintf(line, sizeof(line), ", but too unlike its examples (score %d %%, alone from %d %% on)",
                         percent_of(first, "score"), percent_of(needed, "score"));
        else
                snprintf(line, sizeof(line), ", alone from %d %% on", percent_of(needed, "probability"));
        writer_raw(out, span_of(line));
}

/* What the bot did, in short. */
static void put_summary(const struct trial *trial, struct writer *out)
{
        json_t *action;
        size_t i;
        json_array_foreach(trial->turn.actions, i, action) {
                const char *rule = text_of(action, "rule"), *text = text_of(action, "text");
                writer_raw(out, span_of(i ? "; " : ""));
                writer_raw(out, span_of(text_of(action, "do")));
                writer_raw(out, span_of(rule[0] ? " of " : ""));
                writer_raw(out, span_of(rule));
                writer_raw(out, span_of(text[0] ? ": " : ""));
                writer_raw(out, span_of(text));
        }
        if (json_array_size(trial->turn.actions) == 0)
                writer_raw(out, SPAN("nothing"));
        put_ranked(trial, out);
        writer_char(out, '\0');
}

/* As the author wrote it: "faq kids", "slot order = ...". */
static void put_expected(const json_t *expected, struct writer *out)
{
        for (size_t i = 0; i < json_array_size(expected); i++) {
                const json_t *part = json_array_get(expected, i);
                char *other = json_is_string(part) ? NULL : json_dumps(part, JSON_COMPACT | JSON_ENCODE_ANY);
                writer_raw(out, span_of(i ? " " : ""));
                writer_raw(out, span_of(json_is_string(part) ? json_string_value(part) : other ? other : ""));
                free(other);
        }
        writer_char(out, '\0');
}

/* What the author can do about an answer that did not come; NULL: the message says it. */
static const char *advice_for(const struct trial *trial, const json_t *expected)
{
        const char *word = json_string_value(json_array_get(expected, 0));
        const char *name = json_string_value(json_array_get(expected, 1));
        bool is_answer = strcmp(word, "faq") == 0 || strcmp(word, "flow") == 0;
        const char *decision = text_of(reason_of(trial, "ranked"), "decision");
        if (!is_answer || !decision[0])
                return NULL;
        if (strcmp(decision, "answer") == 0)
                return "Write two or three examples of the one in words near these; a question that is not the other's "
                       "can stand there behind !.";
        if (name && strcmp(decision, "choices") == 0 && was_offered(trial, name))
                return "It is among them: write two or three more examples of it that are near this in their words, or "
                       "expect: choices NAME.";
        return "Write two or three more examples of it that are near this in their words.";
}

static void note_failure(const struct trial *trial, const json_t *test, const json_t *turn, const json_t *expected,
                         struct bot_problems *problems)
{
        const char *said = text_of(turn, json_object_get(turn, "user") ? "user" : "tap");
        struct writer did, wanted;
        writer_init(&did, NULL, 0);
        writer_init(&wanted, NULL, 0);
        put_summary(trial, &did);
        put_expected(expected, &wanted);
        bot_problem_error(problems, (struct bot_place){0}, advice_for(trial, expected),
                          "\"%.120s\", at \"%.120s\": expected %.200s; the bot did: %.600s.", text_of(test, "name"),
                          said[0] ? said : text_of(turn, "call"), wanted.failed ? "" : wanted.bytes,
                          did.failed ? "" : did.bytes);
        writer_done(&did);
        writer_done(&wanted);
}

int trial_run(const struct bot_version *version, const json_t *test, struct bot_problems *problems)
{
        struct trial trial;
        json_t *turn, *expected;
        size_t i, j;
        int failed = 0;
        if (trial_init(&trial, version, json_string_value(json_object_get(test, "lang")), 1767225600000) < 0)
                return -1;
        json_array_foreach(json_object_get(test, "turns"), i, turn) {
                int rc = run_turn(&trial, turn);
                bool is_good = rc == 0;
                if (rc < 0) {
                        trial_done(&trial);
                        return -1;
                }
                if (rc > 0)
                        bot_problem_error(problems, (struct bot_place){0}, NULL,
                                          "\"%.120s\": nothing like \"%.120s\" was offered, or no call is waited for.",
                                          text_of(test, "name"),
                                          text_of(turn, json_object_get(turn, "tap") ? "tap" : "call"));
                json_array_foreach(json_object_get(turn, "expect"), j, expected) {
                        if (rc == 0 && !is_as_expected(&trial, expected)) {
                                note_failure(&trial, test, turn, expected, problems);
                                is_good = false;
                        }
                }
                failed += !is_good;
        }
        trial_done(&trial);
        return failed;
}
