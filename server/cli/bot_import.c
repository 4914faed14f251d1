/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot import: questions and answers of other programs as a .bot file. CSV (RFC 4180) with a first line that
 * names question, answer, and perhaps lang and id; .qna of the Bot Framework; NLU and responses of Rasa (YAML). What
 * they have and a .bot file has not (metadata, entities marked in examples, stories) is left out and counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "cli/bot.h"
#include "cli/bot_sources.h"
#include "cli/cli.h"

enum { IMPORT_MAX = 16 << 20, NAME_MAX = 40, COLUMNS = 32 };

struct import {
        json_t *bot, *faqs;
        const char *lang;
        size_t examples, dropped;
};

/* ---- what is made --------------------------------------------------------------------------------------------- */

/* A name of the letters and digits of a text; "faq" when it has none of a-z. */
static void name_of(const char *text, char out[NAME_MAX + 1])
{
        size_t len = 0;
        for (; *text && len < NAME_MAX; text++) {
                char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 'a' - 'A') : *text;
                bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                if (is_plain)
                        out[len++] = c;
                else if (len > 0 && out[len - 1] != '-')
                        out[len++] = '-';
        }
        while (len > 0 && out[len - 1] == '-')
                len--;
        out[len] = '\0';
        if (len == 0)
                snprintf(out, NAME_MAX + 1, "faq");
}

/* The faq of that name; with `is_new` one that is not there yet, with a number behind its name when it must. */
static json_t *faq_of(struct import *import, const char *name, bool is_new)
{
        char full[NAME_MAX + 24];
        snprintf(full, sizeof(full), "%s", name);
        for (int i = 2; is_new && json_object_get(import->faqs, full); i++)
                snprintf(full, sizeof(full), "%.40s-%d", name, i);
        json_t *faq = json_object_get(import->faqs, full);
        if (!faq) {
                faq = json_pack("{s:{}}", "texts");
                json_object_set_new(import->faqs, full, faq);
        }
        return faq;
}

static json_t *list_of(json_t *faq, const char *lang, const char *list)
{
        json_t *texts = json_object_get(faq, "texts"), *by_lang = json_object_get(texts, lang), *found;
        if (!by_lang) {
                by_lang = json_object();
                json_object_set_new(texts, lang, by_lang);
        }
        found = json_object_get(by_lang, list);
        if (!found) {
                found = json_array();
                json_object_set_new(by_lang, list, found);
        }
        return found;
}

/* An example is one line without blanks at its ends; a text that is empty or no UTF-8 is counted and dropped. */
static void add_text(struct import *import, json_t *faq, const char *lang, const char *list, struct span text)
{
        bool is_example = strcmp(list, "examples") == 0;
        while (text.len > 0 && strchr(" \t\r\n", text.at[0]))
                text.at++, text.len--;
        while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]))
                text.len--;
        char *copy = text.len > 0 ? strndup(text.at, text.len) : NULL;
        for (char *at = copy; at && *at; at++) {
                if (is_example && (*at == '\n' || *at == '\r' || *at == '\t'))
                        *at = ' ';
        }
        json_t *string = copy ? json_string(copy) : NULL, *known, *all;
        size_t i;
        free(copy);
        if (!string) {
                import->dropped += text.len > 0;
                return;
        }
        all = list_of(faq, lang, list);
        json_array_foreach(all, i, known) {
                if (json_equal(known, string)) {
                        json_decref(string);
                        return;
                }
        }
        import->examples += is_example;
        json_array_append_new(all, string);
}

/* ---- CSV ------------------------------------------------------------------------------------------------------- */

/* Cuts the next field off; *out_last: it was the last of its row. In place: quotes are undone. */
static char *csv_field(char **rest, bool *out_last)
{
        char *from = *rest, *to = *rest, *at = *rest;
        bool is_quoted = *at == '"';
        at += is_quoted;
        while (*at && (is_quoted || (*at != ',' && *at != '\n' && *at != '\r'))) {
                if (is_quoted && *at == '"' && at[1] == '"')
                        at++;
                else if (is_quoted && *at == '"') {
                        is_quoted = false;
                        at++;
                        continue;
                }
                *to++ = *at++;
        }
        *out_last = *at != ',';
        at += *at == '\r' && at[1] == '\n';
        *rest = *at ? at + 1 : at;
        *to = '\0';
        return from;
}

static size_t csv_row(char **rest, char *fields[COLUMNS])
{
        size_t count = 0;
        bool is_last = false;
        while (!is_last) {
                char *field = csv_field(rest, &is_last);
                if (count < COLUMNS)
                        fields[count++] = field;
        }
        return count;
}

struct csv_columns {
        int question, answer, lang, id;
};

static struct csv_columns csv_head(char *fields[COLUMNS], size_t count)
{
        struct csv_columns columns = {-1, -1, -1, -1};
        for (size_t i = 0; i < count; i++) {
                const char *name = strncmp(fields[i], "\xEF\xBB\xBF", 3) == 0 ? fields[i] + 3 : fields[i];
                int *column = strcmp(name, "question") == 0   ? &columns.question
                              : strcmp(name, "answer") == 0   ? &columns.answer
                              : strncmp(name, "lang", 4) == 0 ? &columns.lang
                              : strcmp(name, "id") == 0       ? &columns.id
                                                              : NULL;
                if (column)
                        *column = (int)i;
        }
        return columns;
}

static const char *column(char *fields[COLUMNS], size_t count, int at)
{
        return at >= 0 && (size_t)at < count ? fields[at] : "";
}

static int import_csv(struct import *import, const char *path, char *text)
{
        char *fields[COLUMNS], name[NAME_MAX + 1];
        json_t *by_answer = json_object(), *known;
        struct csv_columns columns = csv_head(fields, csv_row(&text, fields));
        if (columns.question < 0 || columns.answer < 0) {
                json_decref(by_answer);
                return cli_fail(EX_DATAERR, "%s: the first line names no columns question and answer", path);
        }
        while (*text) {
                size_t count = csv_row(&text, fields);
                const char *question = column(fields, count, columns.question), *id = column(fields, count, columns.id);
                const char *answer = column(fields, count, columns.answer), *lang = column(fields, count, columns.lang);
                if (!*question)
                        continue;
                lang = *lang ? lang : import->lang;
                name_of(*id ? id : question, name);
                known = *id ? NULL : json_object_get(by_answer, answer);
                json_t *faq = known ? known : faq_of(import, name, !*id);
                if (!*id && !known && *answer)
                        json_object_set(by_answer, answer, faq);
                add_text(import, faq, lang, "examples", span_of(question));
                add_text(import, faq, lang, "answers", span_of(answer));
        }
        json_decref(by_answer);
        return EX_OK;
}

/* ---- .qna ------------------------------------------------------------------------------------------------------ */

static bool begins(const char *line, const char *with)
{
        return strncmp(line, with, strlen(with)) == 0;
}

/* "# ? question", then "- other question" lines, then the answer between ``` lines. */
static int import_qna(struct import *import, const char *path, char *text)
{
        json_t *faq = NULL;
        char name[NAME_MAX + 1], *answer = NULL, *line;
        (void)path;
        while ((line = strsep(&text, "\n")) != NULL) {
                if (answer && begins(line, "```")) {
                        add_text(import, faq, import->lang, "answers", (struct span){answer, (size_t)(line - answer)});
                        answer = NULL;
                } else if (answer) {
                        line[-1] = '\n'; /* where strsep cut it */
                } else if (begins(line, "# ?")) {
                        name_of(line + 3, name);
                        faq = faq_of(import, name, true);
                        add_text(import, faq, import->lang, "examples", span_of(line + 3));
                } else if (begins(line, "- ") && faq) {
                        add_text(import, faq, import->lang, "examples", span_of(line + 2));
                } else if (begins(line, "```") && faq && text) {
                        answer = text;
                } else {
                        import->dropped += line[0] && !begins(line, ">") && line[0] != '\r';
                }
        }
        return EX_OK;
}

/* ---- Rasa ------------------------------------------------------------------------------------------------------ */

static const char *yaml_text(const yaml_node_t *node)
{
        return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

static yaml_node_t *yaml_member(yaml_document_t *document, const yaml_node_t *node, const char *name)
{
        if (!node || node->type != YAML_MAPPING_NODE)
                return NULL;
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
                if (strcmp(yaml_text(yaml_document_get_node(document, pair->key)), name) == 0)
                        return yaml_document_get_node(document, pair->value);
        }
        return NULL;
}

/* "show me [Berlin](city)" and "[Berlin]{...}" without the marks. */
static void add_marked(struct import *import, json_t *faq, const char *at, size_t len)
{
        char *plain = malloc(len + 1);
        size_t out = 0;
        for (size_t i = 0; plain && i < len; i++) {
                const char *close = at[i] == '[' ? memchr(at + i, ']', len - i) : NULL;
                size_t end = close ? (size_t)(close - at) : 0;
                char shut = end + 1 < len && at[end + 1] == '(' ? ')' : end + 1 < len && at[end + 1] == '{' ? '}' : 0;
                const char *last = close && shut ? memchr(close, shut, len - end) : NULL;
                if (!last) {
                        plain[out++] = at[i];
                        continue;
                }
                memcpy(plain + out, at + i + 1, end - i - 1);
                out += end - i - 1;
                i = (size_t)(last - at);
        }
        if (plain)
                add_text(import, faq, import->lang, "examples", (struct span){plain, out});
        free(plain);
}

static void import_examples(struct import *import, json_t *faq, const char *lines)
{
        while (*lines) {
                size_t len = strcspn(lines, "\n");
                const char *dash = memchr(lines, '-', len);
                if (dash)
                        add_marked(import, faq, dash + 1, len - (size_t)(dash + 1 - lines));
                lines += len + (lines[len] != '\0');
        }
}

static void import_intents(struct import *import, yaml_document_t *document, yaml_node_t *nlu)
{
        char name[NAME_MAX + 1];
        if (!nlu || nlu->type != YAML_SEQUENCE_NODE)
                return;
        for (yaml_node_item_t *item = nlu->data.sequence.items.start; item < nlu->data.sequence.items.top; item++) {
                yaml_node_t *node = yaml_document_get_node(document, *item);
                const char *intent = yaml_text(yaml_member(document, node, "intent"));
                if (!*intent) {
                        import->dropped++; /* synonym, regex, lookup */
                        continue;
                }
                name_of(intent, name);
                import_examples(import, faq_of(import, name, false),
                                yaml_text(yaml_member(document, node, "examples")));
        }
}

/* utter_NAME is the answer of the intent NAME. */
static void import_responses(struct import *import, yaml_document_t *document, yaml_node_t *responses)
{
        char name[NAME_MAX + 1];
        if (!responses || responses->type != YAML_MAPPING_NODE)
                return;
        for (yaml_node_pair_t *pair = responses->data.mapping.pairs.start; pair < responses->data.mapping.pairs.top;
             pair++) {
                const char *key = yaml_text(yaml_document_get_node(document, pair->key));
                yaml_node_t *list = yaml_document_get_node(document, pair->value);
                if (strncmp(key, "utter_", 6) != 0 || !list || list->type != YAML_SEQUENCE_NODE)
                        continue;
                name_of(key + 6, name);
                json_t *faq = faq_of(import, name, false);
                for (yaml_node_item_t *item = list->data.sequence.items.start; item < list->data.sequence.items.top;
                     item++)
                        add_text(import, faq, import->lang, "answers",
                                 span_of(yaml_text(
                                         yaml_member(document, yaml_document_get_node(document, *item), "text"))));
        }
}

static int import_rasa(struct import *import, const char *path, char *text)
{
        yaml_parser_t parser;
        yaml_document_t document;
        if (!yaml_parser_initialize(&parser))
                return cli_fail(EX_OSERR, "out of memory");
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
        if (!yaml_parser_load(&parser, &document)) {
                int rc = cli_fail(EX_DATAERR, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                                  parser.problem ? parser.problem : "no YAML");
                yaml_parser_delete(&parser);
                return rc;
        }
        yaml_node_t *root = yaml_document_get_root_node(&document);
        import_intents(import, &document, yaml_member(&document, root, "nlu"));
        import_responses(import, &document, yaml_member(&document, root, "responses"));
        yaml_document_delete(&document);
        yaml_parser_delete(&parser);
        return EX_OK;
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

static int import_file(struct import *import, const char *path)
{
        static const struct {
                const char *end;
                int (*run)(struct import *import, const char *path, char *text);
        } kinds[] = {{".csv", import_csv}, {".qna", import_qna}, {".yml", import_rasa}, {".yaml", import_rasa}};
        size_t len = 0;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                size_t tail = strlen(kinds[i].end), whole = strlen(path);
                if (whole <= tail || strcmp(path + whole - tail, kinds[i].end) != 0)
                        continue;
                char *text = bot_read_file(path, IMPORT_MAX, &len);
                int rc = text ? EX_OK : EX_NOINPUT;
                if (text && strlen(text) != len)
                        rc = cli_fail(EX_DATAERR, "%s holds a zero byte", path);
                if (rc == EX_OK)
                        rc = kinds[i].run(import, path, text);
                free(text);
                return rc;
        }
        return cli_fail(EX_USAGE, "%s: only .csv, .qna, .yml and .yaml can be read", path);
}

/* What came without an answer is kept: the author sees it in lint. */
static int print_import(const struct import *import)
{
        struct writer out;
        const char *name;
        json_t *faq;
        size_t unanswered = 0;
        json_object_foreach(import->faqs, name, faq) {
                const json_t *texts = json_object_get(json_object_get(faq, "texts"), import->lang);
                unanswered += json_array_size(json_object_get(texts, "answers")) == 0;
        }
        writer_init(&out, NULL, 0);
        bot_source_write(import->bot, &out);
        int rc = out.failed ? cli_fail(EX_OSERR, "out of memory") : EX_OK;
        if (rc == EX_OK && fwrite(out.bytes, 1, out.len, stdout) != out.len)
                rc = EX_IOERR;
        writer_done(&out);
        fprintf(stderr,
                "%zu answers, %zu examples; without an answer in %s: %zu; lines that a .bot file has no place for: "
                "%zu\n",
                json_object_size(import->faqs), import->examples, import->lang, unanswered, import->dropped);
        return rc == EX_OK ? cli_finish() : rc;
}

int bot_run_import(int argc, char **argv)
{
        const char *lang = "en";
        const struct cli_option options[] = {
                {.name = "lang",
                 .value = "LANG",
                 .text = &lang,
                 .help = "of what does not say its language; default en"},
        };
        const struct cli_page page = {
                .usage = "bot import [options] FILE...",
                .about = "Questions and answers of other programs as one .bot file on standard output: .csv with a "
                         "first line\n"
                         "question,answer,lang,id (the last two may be left out), .qna of the Bot Framework, nlu.yml "
                         "and\n"
                         "domain.yml of Rasa.",
                .examples = "  deskbell bot import faq.csv > shop/faq.bot\n"
                            "  deskbell bot import --lang ko nlu.yml domain.yml > shop/shop.bot\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        int first = cli_parse(&page, argc, argv), rc = EX_OK;
        if (first < 0)
                return cli_parsed(first);
        if (first == argc)
                return cli_fail(EX_USAGE, "which files? see: deskbell bot import --help");
        struct import import = {.lang = lang, .faqs = json_object()};
        import.bot = json_pack("{s:s, s:s, s:O}", "schema", "bot/1", "lang", lang, "faqs", import.faqs);
        for (int i = first; rc == EX_OK && i < argc; i++)
                rc = import_file(&import, argv[i]);
        if (rc == EX_OK)
                rc = print_import(&import);
        json_decref(import.faqs);
        json_decref(import.bot);
        return rc;
}
