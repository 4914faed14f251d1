/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: entity, syn, faq, flow, handoff, fallback and texts. */
#include <string.h>

#include "source/source_private.h"

/* ---- entity and syn: one line each --------------------------------------------------------------------------- */

static struct span trimmed(const char *at, size_t len)
{
        while (len > 0 && (*at == ' ' || *at == '\t')) {
                at++;
                len--;
        }
        while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
                len--;
        return (struct span){at, len};
}

/* Cuts the part before `sign` off the front of *rest; all of it when the sign does not come. */
static struct span cut(struct span *rest, char sign)
{
        const char *end = memchr(rest->at, sign, rest->len);
        size_t len = end ? (size_t)(end - rest->at) : rest->len, gone = end ? len + 1 : len;
        struct span part = trimmed(rest->at, len);
        rest->at += gone;
        rest->len -= gone;
        return part;
}

static void add_words(struct source *source, struct span words, json_t *list)
{
        while (words.len > 0) {
                struct span word = cut(&words, ',');
                json_t *text = json_stringn(word.at, word.len);
                if (!text || word.len == 0) {
                        source_error(source, source->at, "Write: one, two, three.",
                                     "A word of this list is empty, or not UTF-8.");
                        json_decref(text);
                        return;
                }
                json_array_append_new(list, text);
        }
}

static json_t *list_item(json_t *list, struct span value)
{
        json_t *item;
        size_t i;
        json_array_foreach(list, i, item) {
                const json_t *known = json_object_get(item, "value");
                if (span_equal((struct span){json_string_value(known), json_string_length(known)}, value))
                        return item;
        }
        item = json_pack("{s:s%}", "value", value.at, value.len);
        if (item)
                json_array_append_new(list, item);
        return item;
}

/* VALUE: word, word; VALUE: word, ... */
static void read_list(struct source *source, struct span rest)
{
        json_t *list = source_array(source->it, "list");
        while (rest.len > 0) {
                struct span words = cut(&rest, ';');
                struct span value = cut(&words, ':');
                json_t *item = value.len > 0 ? list_item(list, value) : NULL;
                if (!item) {
                        source_error(source, source->at, "Write: list phone: handset, mobile; tablet: pad.",
                                     "A value of this list is empty, or not UTF-8.");
                        return;
                }
                if (words.len > 0)
                        add_words(source, words, source_array(source_object(item, "words"), source->lang));
        }
}

static void begin_entity(struct source *source, struct lex *lex)
{
        char name[SOURCE_KEY], place[SOURCE_KEY + 16];
        if (!source_take_id(source, lex, "the name of the entity", name))
                return;
        json_t *all = source_object(source->bot, "entities"), *known = json_object_get(all, name);
        bool is_list = lex_is_word(lex, "list");
        if (known && !(is_list && json_object_get(known, "list"))) {
                source_error(source, 0, "Give one of them another name.", "There is an entity %s already.", name);
                return;
        }
        snprintf(place, sizeof(place), "entity %s", name);
        if (!known)
                json_object_set_new(source->places, place,
                                    json_pack("[i,i]", (int)(source->file - source->files), source->line_no));
        source->it = source_object(all, name);
        if (is_list) {
                if (source->lang[0] == '\0')
                        source_error(source, 0, "Begin the file with a line like: lang en",
                                     "No language was said yet.");
                else
                        read_list(source, lex_raw(source->line, lex->at));
                return;
        }
        while (lex_is_word(lex, "match") || lex_is_word(lex, "example")) {
                const char *member = lex_is_word(lex, "match") ? "match" : "example";
                lex_next(lex);
                if (lex->now.kind != TOKEN_TEXT)
                        break;
                json_object_set_new(source->it, member, json_stringn(lex->now.text.at, lex->now.text.len));
                lex_next(lex);
        }
        if (!json_object_get(source->it, "match"))
                source_error(source, lex->now.at,
                             "Write: match \"[A-Z]{2}[0-9]+\", or list phone: handset; tablet: pad.",
                             "It is not said what this entity looks like.");
        else
                source_take_end(source, lex);
}

const struct block_kind BLOCK_ENTITY = {"entity", begin_entity, NULL};

/* syn WORD = other, other */
static void begin_synonyms(struct source *source, struct lex *lex)
{
        size_t at = lex->now.at;
        struct span rest = lex_raw(source->line, at), word;
        const char *sign = memchr(rest.at, '=', rest.len);
        if (source->lang[0] == '\0' || !sign) {
                source_error(source, at,
                             "Write: syn refund = money back, reimburse*, in a file that says its language.",
                             "This says no synonyms.");
                return;
        }
        word = cut(&rest, '=');
        source->it = source_object(source_object(source->bot, "synonyms"), source->lang);
        char name[SOURCE_KEY * 4];
        if (word.len == 0 || word.len >= sizeof(name)) {
                source_error(source, at, NULL, "The word before = is empty or too long.");
                return;
        }
        memcpy(name, word.at, word.len);
        name[word.len] = '\0';
        json_t *list = json_array();
        if (json_object_set_new(source->it, name, list) < 0)
                source_error(source, at, "Save the file as UTF-8.", "This word is not UTF-8.");
        else
                add_words(source, rest, list);
}

const struct block_kind BLOCK_SYNONYMS = {"syn", begin_synonyms, NULL};

/* ---- faq ----------------------------------------------------------------------------------------------------- */

static bool take_when(struct source *source, struct lex *lex)
{
        if (!lex_take_word(lex, "when"))
                return true;
        json_t *condition = source_take_condition(source, lex);
        if (condition)
                json_object_set_new(source->it, "when", condition);
        return condition != NULL;
}

static void begin_faq(struct source *source, struct lex *lex)
{
        if (!source_begin_named(source, lex, "faq", "faqs") || source->is_translation)
                return;
        source_object(source->it, "texts");
        if (lex_take_word(lex, "priority")) {
                struct span rest;
                long priority;
                if (!lex_number(lex, &priority, &rest) || rest.len > 0) {
                        source_error(source, lex->now.at, NULL, "After `priority` comes a number from 0 to 9.");
                        return;
                }
                json_object_set_new(source->it, "priority", json_integer(priority));
                lex_next(lex);
        }
        if (take_when(source, lex))
                source_take_end(source, lex);
}

/* "label" -> TARGET | "label" -> TARGET; in a translation the labels alone. */
static void read_buttons(struct source *source, struct lex *lex)
{
        json_t *labels = json_array();
        json_object_set_new(source_texts(source), "buttons", labels);
        for (;;) {
                if (lex->now.kind != TOKEN_TEXT) {
                        source_error(source, lex->now.at, NULL, "Here comes the button's label between \".");
                        return;
                }
                json_array_append_new(labels, json_stringn(lex->now.text.at, lex->now.text.len));
                lex_next(lex);
                if (lex->now.kind == TOKEN_ARROW && !source->is_translation) {
                        lex_next(lex);
                        json_t *target = source_take_target(source, lex);
                        if (!target)
                                return;
                        json_array_append_new(source_array(source->it, "buttons"), target);
                }
                if (lex->now.kind != TOKEN_PIPE)
                        break;
                lex_next(lex);
        }
        source_take_end(source, lex);
}

/* buttons without labels of this language: -> TARGET | -> TARGET */
static void read_bare_buttons(struct source *source, struct lex *lex)
{
        while (lex->now.kind == TOKEN_ARROW) {
                lex_next(lex);
                json_t *target = source_take_target(source, lex);
                if (!target)
                        return;
                json_array_append_new(source_array(source->it, "buttons"), target);
                if (lex->now.kind == TOKEN_PIPE)
                        lex_next(lex);
        }
        source_take_end(source, lex);
}

/* helped? off, or helped? no -> TARGET */
static void read_helped(struct source *source, struct lex *lex)
{
        json_t *target = NULL;
        if (lex_take_word(lex, "off")) {
                json_object_set_new(source->it, "helped", json_string("off"));
        } else if (lex_take_word(lex, "no") && lex->now.kind == TOKEN_ARROW) {
                lex_next(lex);
                target = source_take_target(source, lex);
                if (!target)
                        return;
                json_object_set_new(source->it, "helped", json_pack("{s:o}", "no", target));
        } else {
                source_error(source, lex->now.at, "Write: helped? no -> handoff NAME, or: helped? off.",
                             "This says nothing about whether to ask.");
                return;
        }
        source_take_end(source, lex);
}

static void faq_structure(struct source *source)
{
        struct lex lex;
        json_t *made;
        lex_init(&lex, source->line, source->at);
        if (lex_take_word(&lex, "buttons")) {
                if (lex.now.kind == TOKEN_ARROW)
                        read_bare_buttons(source, &lex);
                else
                        read_buttons(source, &lex);
        } else if (source->is_translation) {
                source_error(source, source->at, "Here belong ?, ~, !, = and buttons with their labels.",
                             "This is the second language of the faq: only its texts belong here.");
        } else if (lex_take_word(&lex, "helped?")) {
                read_helped(source, &lex);
        } else if (lex_take_word(&lex, "goto")) {
                made = source_take_target(source, &lex);
                if (made && json_object_set_new(source->it, "goto", made) == 0)
                        source_take_end(source, &lex);
        } else if (lex_take_word(&lex, "article") && (lex.now.kind == TOKEN_WORD || lex.now.kind == TOKEN_TEXT)) {
                json_object_set_new(source->it, "article", json_stringn(lex.now.text.at, lex.now.text.len));
                lex_next(&lex);
                source_take_end(source, &lex);
        } else {
                source_error(source, source->at,
                             "In a faq stand: ? question, ~ pattern, ! question of another answer, = answer, article, "
                             "buttons, helped?, goto.",
                             "This line is not understood.");
        }
        lex_done(&lex);
}

/* | goes on with the answer above it. */
static void answer_goes_on(struct source *source)
{
        size_t last = json_array_size(source->answer_of);
        json_t *more = source_raw_text(source, source->at + 1);
        if (!source->answer_of) {
                source_error(source, source->at, "Begin the answer with =.", "There is no answer above this line.");
        } else if (more) {
                const char *before = json_string_value(json_array_get(source->answer_of, last - 1));
                json_array_set_new(source->answer_of, last - 1,
                                   json_sprintf("%s\n%s", before, json_string_value(more)));
        }
        json_decref(more);
}

static void faq_line(struct source *source, int indent)
{
        (void)indent;
        char sign = source->line.at[source->at];
        if (sign == '|') {
                answer_goes_on(source);
                return;
        }
        source->answer_of = NULL;
        if (sign == '=') {
                json_t *text = source_raw_text(source, source->at + 1);
                if (!text)
                        return;
                source->answer_of = source_array(source_texts(source), "answers");
                json_array_append_new(source->answer_of, text);
        } else if (!strchr("?~!", sign) || !source_example_line(source, source_texts(source))) {
                faq_structure(source);
        }
}

const struct block_kind BLOCK_FAQ = {"faq", begin_faq, faq_line};

/* ---- flow ---------------------------------------------------------------------------------------------------- */

static void begin_flow(struct source *source, struct lex *lex)
{
        if (!source_begin_named(source, lex, "flow", "flows") || source->is_translation)
                return;
        source_object(source->it, "texts");
        source_steps_open(source, 0, source_array(source->it, "steps"));
        if (take_when(source, lex))
                source_take_end(source, lex);
}

static void flow_line(struct source *source, int indent)
{
        char sign = source->line.at[source->at];
        if (strchr("?~!", sign))
                source_example_line(source, source_object(source_object(source->it, "triggers"), source->lang));
        else if (source->is_translation || sign == '@')
                source_key_line(source);
        else
                source_step_line(source, indent);
}

const struct block_kind BLOCK_FLOW = {"flow", begin_flow, flow_line};

/* ---- handoff ------------------------------------------------------------------------------------------------- */

static void begin_handoff(struct source *source, struct lex *lex)
{
        if (!source_begin_named(source, lex, "handoff", "handoffs") || source->is_translation)
                return;
        source_object(source->it, "texts");
        source_take_end(source, lex);
}

/* team NAME priority NAME carry SLOT SLOT ..., in any order, on one line or several. */
static void read_where(struct source *source, struct lex *lex)
{
        char name[SOURCE_KEY];
        while (lex->now.kind == TOKEN_WORD) {
                const char *member = lex_is_word(lex, "team")       ? "team"
                                     : lex_is_word(lex, "priority") ? "priority"
                                     : lex_is_word(lex, "carry")    ? "carry"
                                                                    : NULL;
                if (!member)
                        break;
                lex_next(lex);
                do {
                        if (!source_take_id(source, lex, "a name", name))
                                return;
                        if (member[0] == 'c')
                                json_array_append_new(source_array(source->it, member), json_string(name));
                        else
                                json_object_set_new(source->it, member, json_string(name));
                } while (member[0] == 'c' && lex->now.kind == TOKEN_WORD && !lex_is_word(lex, "team") &&
                         !lex_is_word(lex, "priority"));
        }
        source_take_end(source, lex);
}

static void handoff_structure(struct source *source, int indent)
{
        struct lex lex;
        lex_init(&lex, source->line, source->at);
        bool is_open = lex_is_word(&lex, "open");
        if (is_open || lex_is_word(&lex, "closed")) {
                json_t *steps = source_array(source->it, is_open ? "open" : "closed");
                lex_next(&lex);
                source->nested = 0;
                if (lex.now.kind == TOKEN_END)
                        source_steps_open(source, indent, steps);
                else
                        source_take_steps(source, &lex, steps);
        } else if (source->nested > 0 && indent > source->nest[0].indent) {
                source_step_line(source, indent);
        } else {
                read_where(source, &lex);
        }
        lex_done(&lex);
}

static void handoff_line(struct source *source, int indent)
{
        if (source->is_translation || source->line.at[source->at] == '@')
                source_key_line(source);
        else
                handoff_structure(source, indent);
}

const struct block_kind BLOCK_HANDOFF = {"handoff", begin_handoff, handoff_line};

/* ---- fallback and texts: blocks without a name --------------------------------------------------------------- */

static void begin_fallback(struct source *source, struct lex *lex)
{
        if (source->lang[0] == '\0') {
                source_error(source, 0, "Begin the file with a line like: lang en", "No language was said yet.");
                return;
        }
        source->is_translation = json_object_get(source->bot, "fallback") != NULL;
        source->it = source_object(source->bot, "fallback");
        source_take_end(source, lex);
}

/* miss N rephrase "text" | choices 3 "text" | handoff NAME */
static void fallback_line(struct source *source, int indent)
{
        struct lex lex;
        char key[SOURCE_KEY], name[SOURCE_KEY];
        (void)indent;
        if (source->is_translation || source->line.at[source->at] == '@') {
                source_key_line(source);
                return;
        }
        lex_init(&lex, source->line, source->at);
        json_t *misses = source_array(source->it, "misses"), *miss = json_object();
        snprintf(name, sizeof(name), "%zu", json_array_size(misses) + 1);
        bool is_good = lex_take_word(&lex, "miss") && lex_take_word(&lex, name);
        if (!is_good)
                source_error(source, source->at, "Number them from 1.", "Here comes `miss %s`.", name);
        snprintf(name, sizeof(name), "miss%zu", json_array_size(misses) + 1);
        if (is_good && lex_take_word(&lex, "rephrase")) {
                is_good = source_take_text(source, &lex, name, key);
                json_object_set_new(miss, "do", json_string("rephrase"));
                json_object_set_new(miss, "text", json_string(key));
        } else if (is_good && lex_take_word(&lex, "choices")) {
                is_good = source_take_count(source, &lex, "count", miss) && source_take_text(source, &lex, name, key);
                json_object_set_new(miss, "do", json_string("choices"));
                json_object_set_new(miss, "text", json_string(key));
        } else if (is_good && lex_take_word(&lex, "handoff")) {
                is_good = source_take_id(source, &lex, "the name of a handoff", key);
                json_object_set_new(miss, "do", json_string("handoff"));
                json_object_set_new(miss, "to", json_string(key));
        } else if (is_good) {
                source_error(source, lex.now.at, "There are: rephrase \"text\", choices 3 \"text\", handoff NAME.",
                             "This is no way to go on.");
                is_good = false;
        }
        if (is_good && source_take_end(source, &lex))
                json_array_append(misses, miss);
        json_decref(miss);
        lex_done(&lex);
}

const struct block_kind BLOCK_FALLBACK = {"fallback", begin_fallback, fallback_line};

static void begin_texts(struct source *source, struct lex *lex)
{
        if (source->lang[0] == '\0') {
                source_error(source, 0, "Begin the file with a line like: lang en", "No language was said yet.");
                return;
        }
        source->it = source->bot;
        source_take_end(source, lex);
}

static void texts_line(struct source *source, int indent)
{
        (void)indent;
        source_key_line(source);
}

const struct block_kind BLOCK_TEXTS = {"texts", begin_texts, texts_line};
