/* SPDX-License-Identifier: Apache-2.0 */
/* Read: files into lines, lines into blocks. What all blocks share is here; the blocks themselves are in blocks.c,
 * steps.c, conditions.c and tests.c of this folder. An error is told and reading goes on at the next line, so that an
 * author sees all of them at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/source_private.h"

enum { FILES_MAX = 200, FILE_MAX = 1 << 20, LINE_MAX_BYTES = 16 << 10 };

static const struct block_kind *const BLOCKS[] = {
        &BLOCK_ENTITY,  &BLOCK_SYNONYMS, &BLOCK_FAQ,   &BLOCK_FLOW,
        &BLOCK_HANDOFF, &BLOCK_FALLBACK, &BLOCK_TEXTS, &BLOCK_TEST,
};

struct bot_place source_place(const struct source *source, size_t at)
{
        return (struct bot_place){source->file->name, source->line_no, lex_column(source->line, at)};
}

struct bot_place bot_place_of(const json_t *places, const struct bot_file *files, const char *what)
{
        const json_t *place = json_object_get(places, what);
        if (!place)
                return (struct bot_place){0};
        return (struct bot_place){files[json_integer_value(json_array_get(place, 0))].name,
                                  (int)json_integer_value(json_array_get(place, 1)), 0};
}

json_t *source_object(json_t *object, const char *name)
{
        json_t *member = json_object_get(object, name);
        if (!member) {
                member = json_object();
                json_object_set_new(object, name, member);
        }
        return member;
}

json_t *source_array(json_t *object, const char *name)
{
        json_t *member = json_object_get(object, name);
        if (!member) {
                member = json_array();
                json_object_set_new(object, name, member);
        }
        return member;
}

json_t *source_texts(struct source *source)
{
        return source_object(source_object(source->it, "texts"), source->lang);
}

bool source_take_id(struct source *source, struct lex *lex, const char *what, char out[SOURCE_KEY])
{
        if (lex->now.kind != TOKEN_WORD || !lex_is_name(lex->now.text)) {
                source_error(source, lex->now.at, "Use a-z, 0-9, _ - and . inside, at most 64 characters.",
                             "Here comes %s.", what);
                return false;
        }
        snprintf(out, SOURCE_KEY, "%.*s", (int)lex->now.text.len, lex->now.text.at);
        lex_next(lex);
        return true;
}

bool source_take_end(struct source *source, struct lex *lex)
{
        if (lex->now.kind == TOKEN_END)
                return true;
        if (lex->now.kind == TOKEN_BAD)
                source_error(source, lex->now.at, NULL, "Not understood: %s.", lex->bad);
        else
                source_error(source, lex->now.at, "Take it away, or begin a new line with it.",
                             "The line should end before this.");
        return false;
}

bool source_take_text(struct source *source, struct lex *lex, const char *key, char out_key[SOURCE_KEY])
{
        if (lex->now.kind == TOKEN_KEY) {
                if (!lex_is_name(lex->now.text)) {
                        source_error(source, lex->now.at, "Use a-z, 0-9, _ - and . inside, at most 64 characters.",
                                     "This is no name for a text.");
                        return false;
                }
                snprintf(out_key, SOURCE_KEY, "%.*s", (int)lex->now.text.len, lex->now.text.at);
                lex_next(lex);
                if (lex->now.kind != TOKEN_TEXT)
                        return true;
        } else if (key) {
                snprintf(out_key, SOURCE_KEY, "%s", key);
        } else {
                snprintf(out_key, SOURCE_KEY, "s%d", ++source->auto_keys);
        }
        if (lex->now.kind != TOKEN_TEXT) {
                source_error(source, lex->now.at, "Write it like this: \"What is your order number?\"",
                             lex->now.kind == TOKEN_BAD ? "%s." : "Here comes a text between \".",
                             lex->bad ? lex->bad : "");
                return false;
        }
        if (source->lang[0] == '\0') {
                source_error(source, lex->now.at, "Begin the file with a line like: lang en",
                             "The language of this text is not known.");
                return false;
        }
        json_t *text = json_stringn(lex->now.text.at, lex->now.text.len);
        const json_t *known = json_object_get(source_texts(source), out_key);
        if (!text) {
                source_error(source, lex->now.at, "Save the file as UTF-8.", "This text is not UTF-8.");
                return false;
        }
        if (known && !json_equal(text, (json_t *)known)) { /* the same text may stand in two places */
                source_error(source, lex->now.at, "Give it a name of its own: @name \"...\"",
                             "There is another text @%s in this block already.", out_key);
                json_decref(text);
                return false;
        }
        json_object_set_new(source_texts(source), out_key, text);
        lex_next(lex);
        return true;
}

json_t *source_take_target(struct source *source, struct lex *lex)
{
        static const char *const alone[] = {"ticket", "close"}, *const named[] = {"flow", "faq", "handoff"};
        char id[SOURCE_KEY];
        for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
                if (lex_take_word(lex, alone[i]))
                        return json_string(alone[i]);
        }
        for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
                if (lex_take_word(lex, named[i]))
                        return source_take_id(source, lex, "the name of one", id) ? json_sprintf("%s %s", named[i], id)
                                                                                  : NULL;
        }
        source_error(source, lex->now.at, "Write flow NAME, faq NAME, handoff NAME, ticket or close.",
                     "Here comes where to go on.");
        return NULL;
}

json_t *source_raw_text(struct source *source, size_t at)
{
        struct span raw = lex_raw(source->line, at);
        char *text = malloc(raw.len + 1);
        size_t len = 0;
        for (size_t i = 0; text && i < raw.len; i++) {
                bool is_escape = raw.at[i] == '\\' && i + 1 < raw.len && strchr("\\#st", raw.at[i + 1]);
                i += is_escape;
                char c = raw.at[i];
                text[len++] = is_escape && c == 's' ? ' ' : is_escape && c == 't' ? '\t' : c;
        }
        json_t *string = text ? json_stringn(text, len) : NULL;
        free(text);
        if (!string)
                source_error(source, at, "Save the file as UTF-8.", "This text is not UTF-8.");
        return string;
}

bool source_example_line(struct source *source, json_t *where)
{
        static const struct {
                char sign;
                const char *list;
        } signs[] = {{'?', "examples"}, {'~', "patterns"}, {'!', "not"}};
        for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
                if (source->line.at[source->at] != signs[i].sign)
                        continue;
                json_t *text = source_raw_text(source, source->at + 1);
                if (text && json_string_length(text) == 0) {
                        source_error(source, source->at, NULL, "After %c comes a text.", signs[i].sign);
                        json_decref(text);
                } else if (text) {
                        json_array_append_new(source_array(where, signs[i].list), text);
                }
                return true;
        }
        return false;
}

void source_key_line(struct source *source)
{
        struct lex lex;
        char key[SOURCE_KEY];
        lex_init(&lex, source->line, source->at);
        if (lex.now.kind == TOKEN_KEY) {
                if (source_take_text(source, &lex, NULL, key))
                        source_take_end(source, &lex);
        } else {
                source_error(source, source->at, "Say once what happens, and here only the texts: @name \"...\"",
                             "This is the second language of the block: only its texts belong here.");
        }
        lex_done(&lex);
}

bool source_begin_named(struct source *source, struct lex *lex, const char *word, const char *group)
{
        char id[SOURCE_KEY], what[SOURCE_KEY + 16];
        size_t at = lex->now.at;
        if (!source_take_id(source, lex, "its name", id))
                return false;
        if (source->lang[0] == '\0') {
                source_error(source, at, "Begin the file with a line like: lang en", "No language was said yet.");
                return false;
        }
        snprintf(what, sizeof(what), "%s %s", word, id);
        json_t *all = source_object(source->bot, group);
        source->is_translation = json_object_get(all, id) != NULL;
        source->it = source_object(all, id);
        if (!source->is_translation) {
                json_object_set_new(source->places, what,
                                    json_pack("[i,i]", (int)(source->file - source->files), source->line_no));
                return true;
        }
        if (json_object_get(json_object_get(source->it, "texts"), source->lang)) {
                struct bot_place first = bot_place_of(source->places, source->files, what);
                source_error(source, at, "Give one of them another name, or put their lines together.",
                             "There is a %s in this language already; it begins in %s, line %d.", what, first.file,
                             first.line);
                return false;
        }
        return source_take_end(source, lex);
}

static void read_lang(struct source *source, struct lex *lex)
{
        struct span tag = lex->now.text;
        bool is_tag = lex->now.kind == TOKEN_WORD && lex_is_language(tag);
        if (!is_tag) {
                source_error(source, lex->now.at, "Write for example: lang en, lang ko, lang zh-TW.",
                             "Here comes a language.");
                return;
        }
        snprintf(source->lang, sizeof(source->lang), "%.*s", (int)tag.len, tag.at);
        if (!json_object_get(source->bot, "lang"))
                json_object_set_new(source->bot, "lang", json_string(source->lang));
        lex_next(lex);
        source_take_end(source, lex);
}

static void read_bot(struct source *source, struct lex *lex)
{
        if (!lex_is_word(lex, "1")) {
                source_error(source, lex->now.at, "Write: bot 1. A higher number needs a newer deskbell.",
                             "This program reads files of version 1.");
                return;
        }
        lex_next(lex);
        source_take_end(source, lex);
}

/* A line at the left edge. */
static void read_top(struct source *source)
{
        struct lex lex;
        lex_init(&lex, source->line, 0);
        source->block = NULL;
        source->it = NULL;
        source->answer_of = NULL;
        source->auto_keys = source->nested = 0;
        source->is_translation = false;
        if (lex_take_word(&lex, "lang")) {
                read_lang(source, &lex);
        } else if (lex_take_word(&lex, "bot")) {
                read_bot(source, &lex);
        } else {
                const struct block_kind *kind = NULL;
                for (size_t i = 0; !kind && i < sizeof(BLOCKS) / sizeof(BLOCKS[0]); i++) {
                        if (lex_take_word(&lex, BLOCKS[i]->word))
                                kind = BLOCKS[i];
                }
                if (!kind) {
                        source_error(source, 0,
                                     "At the left edge stand: lang, entity, syn, faq, flow, handoff, fallback, texts, "
                                     "test. What belongs to a block is indented.",
                                     "No block begins like this.");
                } else {
                        source->block = kind;
                        kind->begin(source, &lex);
                        if (!source->it)
                                source->block = NULL;
                }
        }
        lex_done(&lex);
}

static void read_line(struct source *source)
{
        int indent = 0;
        source->at = 0;
        while (source->at < source->line.len &&
               (source->line.at[source->at] == ' ' || source->line.at[source->at] == '\t')) {
                indent += source->line.at[source->at] == '\t' ? 8 - indent % 8 : 1;
                source->at++;
        }
        if (source->at == source->line.len || source->line.at[source->at] == '#')
                return;
        if (indent == 0)
                read_top(source);
        else if (source->block && source->block->line)
                source->block->line(source, indent);
        else if (source->block)
                source_error(source, source->at, "Begin it at the left edge, or put it on the line above.",
                             "Nothing belongs below this block.");
        /* below a line that was not understood: one message is enough */
}

static void read_file(struct source *source)
{
        struct span text = source->file->text;
        size_t at = text.len >= 3 && memcmp(text.at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        source->line_no = 0;
        source->lang[0] = '\0';
        source->block = NULL;
        source->it = NULL;
        if (text.len > FILE_MAX) {
                source_error(source, 0, "Make two files of it: one topic a file.", "The file is larger than 1 MiB.");
                return;
        }
        while (at < text.len) {
                const char *end = memchr(text.at + at, '\n', text.len - at);
                size_t next = end ? (size_t)(end - text.at) + 1 : text.len;
                size_t len = (end ? next - 1 : next) - at;
                if (len > 0 && text.at[at + len - 1] == '\r')
                        len--;
                source->line_no++;
                source->line = (struct span){text.at + at, len};
                if (len > LINE_MAX_BYTES)
                        source_error(source, 0, NULL, "The line is longer than 16 KiB.");
                else if (memchr(source->line.at, '\0', len))
                        source_error(source, 0, "Save the file as plain text, UTF-8.", "The line holds a zero byte.");
                else
                        read_line(source);
                at = next;
        }
}

json_t *bot_source_read(const struct bot_file *files, size_t count, struct bot_problems *problems, json_t **out_places)
{
        struct source source = {.problems = problems, .bot = json_object(), .places = json_object(), .files = files};
        size_t before = problems->errors;
        if (count > FILES_MAX)
                bot_problem_error(problems, (struct bot_place){0}, NULL, "A bot is at most %d files.", FILES_MAX);
        for (size_t i = 0; count <= FILES_MAX && i < count; i++) {
                source.file = &files[i];
                source.line = (struct span){"", 0};
                read_file(&source);
        }
        json_object_set_new(source.bot, "schema", json_string("bot/1"));
        if (out_places && problems->errors == before)
                *out_places = json_incref(source.places);
        json_decref(source.places);
        if (problems->errors != before) {
                json_decref(source.bot);
                return NULL;
        }
        return source.bot;
}
