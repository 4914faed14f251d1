/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in bot: a published version (loaded once, the last few are kept) makes one step; its actions become those
 * of bot.act. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_private.h"

enum { VERSIONS_KEPT = 8, VERSION_NAME = 16, PLAIN_TEXT = 700, PLAIN_BYTES = 1000 };

struct loaded_version {
        int64_t id;
        char name[VERSION_NAME + 1]; /* first digits of its hash */
        struct bot_version *version;
        struct loaded_version *next;
};

/* ---- versions ---- */

static void drop_oldest(struct bot_thread *thread)
{
        struct loaded_version **link = &thread->versions;
        while ((*link)->next)
                link = &(*link)->next;
        bot_version_free((*link)->version);
        free(*link);
        *link = NULL;
        thread->version_count--;
}

void built_in_done(struct bot_thread *thread)
{
        while (thread->versions)
                drop_oldest(thread);
}

/* False: it cannot be loaded; *out_is_gone: because there is no such version any more. The builder says why. */
static bool load(struct bot_thread *thread, struct loaded_version *fresh, bool *out_is_gone)
{
        struct db_stmt *stmt = db_stmt(thread->side.db, SQL_BOT_VERSION_BLOB);
        db_bind_int(stmt, 1, fresh->id);
        int rc = db_step(stmt);
        *out_is_gone = rc == DB_OK;
        if (rc != DB_ROW)
                return false;
        struct span blob = db_blob(stmt, 0), hash = db_blob(stmt, 1);
        *out_is_gone = blob.len == 0;
        fresh->version = bot_version_load(blob, NULL);
        for (size_t i = 0; i < VERSION_NAME / 2 && i < hash.len; i++)
                sprintf(fresh->name + 2 * i, "%02x", (uint8_t)hash.at[i]);
        db_reset(stmt);
        return fresh->version != NULL;
}

/* NULL as in load(). What was loaded before a blob was replaced is forgotten first. */
static const struct loaded_version *version_of(struct bot_thread *thread, int64_t id, bool *out_is_gone)
{
        uint64_t blobs = atomic_load_explicit(&thread->side.desk->bot_blobs, memory_order_acquire);
        if (thread->blobs != blobs)
                built_in_done(thread);
        thread->blobs = blobs;
        *out_is_gone = false;
        for (struct loaded_version **link = &thread->versions; *link; link = &(*link)->next) {
                struct loaded_version *found = *link;
                if (found->id != id)
                        continue;
                *link = found->next;
                found->next = thread->versions;
                thread->versions = found;
                return found;
        }
        struct loaded_version *fresh = calloc(1, sizeof *fresh);
        if (!fresh)
                return NULL;
        fresh->id = id;
        if (!load(thread, fresh, out_is_gone)) {
                free(fresh);
                return NULL;
        }
        if (thread->versions && thread->version_count >= VERSIONS_KEPT)
                drop_oldest(thread);
        fresh->next = thread->versions;
        thread->versions = fresh;
        thread->version_count++;
        return fresh;
}

/* ---- from the engine's actions to those of bot.act ---- */

static const char *word(const json_t *object, const char *name)
{
        const char *text = json_string_value(json_object_get(object, name));
        return text ? text : "";
}

static void copy_member(json_t *to, const char *name, const json_t *from, const char *from_name)
{
        json_t *value = json_object_get(from, from_name);
        if (value && !json_is_null(value))
                json_object_set(to, name, value);
}

static void carry_one(json_t *list, const char *name, const json_t *value)
{
        char *dump = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "name", name, "value", dump ? dump : json_string_value(value)));
        free(dump);
}

/* Slots or arguments: a list of names and texts; what a call gave, by its members. */
static json_t *carried(const json_t *values)
{
        json_t *list = json_array(), *value, *member;
        const char *name, *inner;
        char path[65];
        json_object_foreach((json_t *)values, name, value) {
                if (!json_is_object(value))
                        carry_one(list, name, value);
                json_object_foreach(value, inner, member) {
                        if (snprintf(path, sizeof path, "%s.%s", name, inner) < (int)sizeof path)
                                carry_one(list, path, member);
                }
        }
        return list;
}

/* The engine's scores end at BOT_SCORE_ONE for what is as good as an example; some are above it. */
static void set_score(json_t *to, const json_t *action)
{
        const json_t *score = json_object_get(action, "score");
        json_int_t thousandths = json_integer_value(score) * 1000 / BOT_SCORE_ONE;
        if (score)
                json_object_set_new(to, "score",
                                    json_integer(thousandths < 0      ? 0
                                                 : thousandths > 1000 ? 1000
                                                                      : thousandths));
}

static json_t *message(const json_t *action, const char *kind, json_t *content)
{
        json_t *out = json_pack("{s:s, s:s, s:o}", "does", "message", "kind", kind, "content", content);
        copy_member(out, "rule", action, "rule");
        set_score(out, action);
        return out;
}

/* At most so many bytes, and no half character at the end. */
static size_t cut(const char *text, size_t most)
{
        size_t len = strlen(text);
        if (len <= most)
                return len;
        while (most > 0 && ((uint8_t)text[most] & 0xc0) == 0x80)
                most--;
        return most;
}

/* What a client that knows no buttons shows: the text and its options, as far as there is room. */
static json_t *without_buttons(const char *text, const json_t *options)
{
        char plain[PLAIN_BYTES];
        size_t len = cut(text, PLAIN_TEXT), i;
        json_t *option;
        memcpy(plain, text, len);
        json_array_foreach(options, i, option) {
                const char *label = word(option, "label");
                if (len + strlen(label) + 4 > sizeof plain)
                        break;
                len += (size_t)sprintf(plain + len, "\n- %s", label);
        }
        return json_stringn(plain, len);
}

static json_t *choices(const json_t *action)
{
        const json_t *options = json_object_get(action, "options");
        const char *text = word(action, "text");
        return message(action, "choices",
                       json_pack("{s:s, s:O, s:o}", "text", text, "choices", options, "fallback_text",
                                 without_buttons(text, options)));
}

/* Only where the operator said under which address articles stand. */
static json_t *article(const struct bot_task *task, const json_t *action)
{
        const char *ref = word(action, "ref");
        if (!task->bot.articles)
                return NULL;
        json_t *url = json_sprintf("%s%s", task->bot.articles, ref);
        json_t *content = json_pack("{s:{s:s, s:O}, s:O}", "article", "title", ref, "url", url, "fallback_text", url);
        json_decref(url);
        return message(action, "article", content);
}

static json_t *handoff(const json_t *action, const char *lang, bool is_ticket)
{
        json_t *out =
                json_pack("{s:s, s:o}", "why", word(action, "why"), "carry", carried(json_object_get(action, "carry")));
        copy_member(out, "to", action, "to");
        copy_member(out, "team", action, "team");
        copy_member(out, "priority", action, "priority");
        if (lang[0])
                json_object_set_new(out, "lang", json_string(lang));
        if (is_ticket)
                json_object_set_new(out, "ticket", json_true());
        return json_pack("{s:s, s:o}", "does", "handoff", "handoff", out);
}

static json_t *call(const json_t *action)
{
        json_t *out = json_pack("{s:s, s:o}", "does", "call", "args", carried(json_object_get(action, "args")));
        copy_member(out, "id", action, "id");
        copy_member(out, "name", action, "name");
        copy_member(out, "timeout_ms", action, "timeout_ms");
        return out;
}

static json_t *act_of(const struct bot_task *task, const json_t *action, const char *lang)
{
        const char *does = word(action, "do");
        if (strcmp(does, "say") == 0)
                return message(action, "text", json_pack("{s:s}", "text", word(action, "text")));
        if (strcmp(does, "choices") == 0)
                return choices(action);
        if (strcmp(does, "article") == 0)
                return article(task, action);
        if (strcmp(does, "handoff") == 0 || strcmp(does, "ticket") == 0)
                return handoff(action, lang, does[0] == 't');
        if (strcmp(does, "call") == 0)
                return call(action);
        if (strcmp(does, "tag") == 0)
                return json_pack("{s:s, s:s}", "does", "tag", "name", word(action, "name"));
        if (strcmp(does, "close") == 0)
                return json_pack("{s:s}", "does", "close");
        return NULL; /* "helped": counted by the decision */
}

/* ---- what the turn was ---- */

static const json_t *reason(const struct bot_turn *turn, const char *what)
{
        size_t i;
        json_t *each;
        json_array_foreach(turn->why, i, each)
                if (strcmp(word(each, "what"), what) == 0)
                        return each;
        return NULL;
}

static const json_t *action_of(const struct bot_turn *turn, const char *does)
{
        size_t i;
        json_t *each;
        json_array_foreach(turn->actions, i, each)
                if (strcmp(word(each, "do"), does) == 0)
                        return each;
        return NULL;
}

/* The first thing said for a rule: the answer. */
static const json_t *ruled(const struct bot_turn *turn)
{
        size_t i;
        json_t *each;
        json_array_foreach(turn->actions, i, each)
                if (word(each, "rule")[0])
                        return each;
        return NULL;
}

static void decide(json_t *act, const struct bot_turn *turn)
{
        const json_t *helped = action_of(turn, "helped"), *said = ruled(turn);
        const char *flow = word(turn->state, "flow"), *decision = "none", *rule = "";
        if (helped) {
                decision = json_is_true(json_object_get(helped, "helped")) ? "helped" : "not_helped";
                rule = word(helped, "rule");
        } else if (reason(turn, "miss")) {
                decision = "miss";
        } else if (strncmp(word(said, "rule"), "faq ", 4) == 0) {
                decision = "answer";
                rule = word(said, "rule");
                set_score(act, said);
        } else if (flow[0] || (said && strncmp(word(said, "rule"), "flow ", 5) == 0)) {
                decision = "flow";
                rule = flow[0] ? flow : word(said, "rule");
        } else if (action_of(turn, "choices") && reason(turn, "ranked")) {
                decision = "choices";
        }
        json_object_set_new(act, "decision", json_string(decision));
        if (rule[0])
                json_object_set_new(act, "rule", json_string(rule));
}

/* ---- the turn ---- */

static json_t *make_act(const struct bot_task *task, const struct bot_asked *asked, const struct bot_turn *turn)
{
        char conv[ID_TEXT_BYTES + 1] = "";
        const char *lang = word(turn->state, "lang");
        id_write(conv, "cnv", task->ask.conv_ext);
        char *state = json_dumps(turn->state, JSON_SORT_KEYS | JSON_COMPACT);
        json_t *actions = json_array(), *action;
        json_t *act = json_pack("{s:s, s:s, s:I, s:I, s:s*, s:b, s:O}", "cmid", NO_CMID, "conv", conv, "turn",
                                (json_int_t)task->ask.turn, "seq", (json_int_t)asked->seq, "state", state, "in_flow",
                                word(turn->state, "flow")[0] != 0, "actions", actions);
        size_t i;
        json_array_foreach(turn->actions, i, action) {
                json_t *made = act_of(task, action, lang);
                if (made)
                        json_array_append_new(actions, made);
        }
        if (act && lang[0])
                json_object_set_new(act, "lang", json_string(lang));
        if (act && strncmp(word(turn->state, "flow"), "handoff ", 8) == 0)
                json_object_set_new(act, "wants_person", json_true());
        if (act)
                decide(act, turn);
        json_decref(actions);
        free(state);
        return act;
}

static void fill_event(const struct bot_task *task, const struct bot_asked *asked, const json_t *result,
                       struct bot_event *out)
{
        *out = (struct bot_event){.facts = asked->facts, .locale = asked->locale, .conversation = task->ask.conv_ext};
        if (asked->call) {
                out->kind = BOT_EVENT_CALL;
                out->call = span_of(word(asked->call, "id"));
                out->result = result;
        } else if (asked->content.has_pressed) {
                out->kind = BOT_EVENT_TAP;
                out->text = asked->content.pressed.id;
        } else {
                out->kind = BOT_EVENT_MESSAGE;
                out->text = asked->content.has_text ? asked->content.text : SPAN("");
        }
}

static void answer(struct bot_thread *thread, const struct bot_task *task, const struct bot_asked *asked,
                   const struct loaded_version *loaded, const json_t *result)
{
        struct bot_event event;
        struct bot_turn turn;
        fill_event(task, asked, result, &event);
        if (bot_step(loaded->version, span_of(asked->state ? asked->state : ""), &event, task->ask.now_ms, &turn) < 0) {
                bot_thread_failed(thread, task, "step");
                return;
        }
        json_t *act = make_act(task, asked, &turn);
        char *text = act ? json_dumps(act, JSON_COMPACT) : NULL;
        if (text)
                bot_thread_act(thread, task, loaded->id, loaded->name, span_of(text));
        else
                bot_thread_failed(thread, task, "memory");
        free(text);
        json_decref(act);
        bot_turn_done(&turn);
}

/* The version that answers. NULL: it cannot be loaded; *out_id names it. */
static const struct loaded_version *version_for(struct bot_thread *thread, const struct bot_task *task,
                                                const struct bot_asked *asked, int64_t *out_id)
{
        bool keeps_version =
                asked->version != 0 && asked->version != task->ask.lost && (asked->is_in_flow || asked->call);
        bool is_gone = false;
        *out_id = keeps_version ? asked->version : task->ask.version;
        const struct loaded_version *loaded = version_of(thread, *out_id, &is_gone);
        if (loaded || !keeps_version || !is_gone)
                return loaded;
        *out_id = task->ask.version; /* removed since: the newest goes on as well as it can */
        return version_of(thread, *out_id, &is_gone);
}

bool built_in_is_ready(struct bot_thread *thread, const struct bot_task *task, const struct bot_asked *asked)
{
        int64_t id;
        return version_for(thread, task, asked, &id) != NULL;
}

void built_in_run(struct bot_thread *thread, const struct bot_task *task, struct bot_asked *asked)
{
        int64_t id;
        const struct loaded_version *loaded = version_for(thread, task, asked, &id);
        if (!loaded) {
                bot_thread_unreadable(thread, task, id);
                return;
        }
        json_t *result = task->result ? json_loads(task->result, 0, NULL) : NULL;
        answer(thread, task, asked, loaded, json_is_object(result) ? result : NULL);
        json_decref(result);
}
