/* SPDX-License-Identifier: Apache-2.0 */
/* The blob: 8 bytes "DBBOT" 0 0 1, then the canonical text, then for each language its tag and its ranker, each after
 * its length in 4 bytes, little-endian; nothing behind. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "version_private.h"

static const char MAGIC[8] = {'D', 'B', 'B', 'O', 'T', 0, 0, 1};

enum { CANONICAL_MAX = 64 << 20 };

/* ---- names --------------------------------------------------------------------------------------------------- */

void version_target_id(const char *target, char out[TARGET_ID])
{
        char name[BOT_VERSION_NAME] = "";
        bot_version_name(target, name);
        memcpy(out, name, TARGET_ID - 1);
        out[TARGET_ID - 1] = '\0';
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends the answers of a group in the order of their names. */
static int note_answers(struct bot_version *version, const char *group, const char *word, bool is_flow)
{
        json_t *all = json_object_get(version->bot, group), *one;
        size_t count = json_object_size(all), i = 0;
        const char **names = calloc(count + 1, sizeof(*names)), *name;
        if (!names)
                return -1;
        json_object_foreach(all, name, one)
                names[i++] = name;
        qsort(names, count, sizeof(*names), compare_names);
        for (i = 0; i < count; i++) {
                struct version_answer *answer = &version->answers[version->answer_count++];
                snprintf(answer->name, sizeof(answer->name), "%s %s", word, names[i]);
                version_target_id(answer->name, answer->id);
                answer->it = json_object_get(all, names[i]);
                answer->is_flow = is_flow;
        }
        free(names);
        return 0;
}

static int number_answers(struct bot_version *version)
{
        size_t count = json_object_size(json_object_get(version->bot, "faqs")) +
                       json_object_size(json_object_get(version->bot, "flows"));
        version->answers = calloc(count + 1, sizeof(*version->answers));
        if (!version->answers || note_answers(version, "faqs", "faq", false) < 0)
                return -1;
        return note_answers(version, "flows", "flow", true);
}

int version_answer_no(const struct bot_version *version, const char *name)
{
        for (size_t i = 0; i < version->answer_count; i++) {
                if (strcmp(version->answers[i].name, name) == 0)
                        return (int)i;
        }
        return -1;
}

const struct version_answer *version_answer(const struct bot_version *version, const char *name)
{
        int at = version_answer_no(version, name);
        return at < 0 ? NULL : &version->answers[at];
}

const struct bot_entity *version_entity(const struct bot_version *version, const char *name)
{
        for (size_t i = 0; i < version->entity_count; i++) {
                if (strcmp(version->entities[i].name, name) == 0)
                        return version->entities[i].entity;
        }
        return NULL;
}

/* ---- languages ----------------------------------------------------------------------------------------------- */

/* "zh-TW" and "zh": the part before the stroke. */
static bool is_short_form(const char *form, const char *lang)
{
        size_t len = strcspn(lang, "-");
        return strlen(form) == len && strncmp(form, lang, len) == 0;
}

const struct version_language *version_language(const struct bot_version *version, const char *lang)
{
        const struct version_language *own = &version->languages[0], *near = NULL;
        for (size_t i = 0; i < version->language_count; i++) {
                const struct version_language *language = &version->languages[i];
                if (lang && strcmp(language->lang, lang) == 0)
                        return language;
                if (lang && is_short_form(language->lang, lang))
                        near = language;
        }
        for (size_t i = 0; lang && !near && i < version->language_count; i++) {
                if (is_short_form(lang, version->languages[i].lang))
                        near = &version->languages[i]; /* written zh, known zh-TW */
        }
        return near ? near : own;
}

const char *bot_version_language(const struct bot_version *version, const char *lang)
{
        return version_language(version, lang)->lang;
}

const json_t *version_texts(const struct bot_version *version, const json_t *texts, const char *lang)
{
        char form[36];
        const json_t *found = json_object_get(texts, lang);
        snprintf(form, sizeof(form), "%.*s", (int)strcspn(lang, "-"), lang);
        found = found ? found : json_object_get(texts, form);
        return found ? found : json_object_get(texts, version->lang);
}

static struct version_language *add_language(struct bot_version *version, const char *lang)
{
        for (size_t i = 0; i < version->language_count; i++) {
                if (strcmp(version->languages[i].lang, lang) == 0)
                        return &version->languages[i];
        }
        if (version->language_count == BOT_LANGUAGES_MAX)
                return NULL;
        struct version_language *language = &version->languages[version->language_count++];
        snprintf(language->lang, sizeof(language->lang), "%s", lang);
        return language;
}

/* Where the examples and patterns of an answer stand. */
static const json_t *questions_of(const struct version_answer *answer)
{
        return json_object_get(answer->it, answer->is_flow ? "triggers" : "texts");
}

/* Those of one answer, in the order of the canonical form, however the files had them. -1: too many. */
static int add_languages(struct bot_version *version, const json_t *questions)
{
        const char *names[BOT_LANGUAGES_MAX], *lang;
        size_t count = 0;
        json_t *unused;
        if (json_object_size(questions) > BOT_LANGUAGES_MAX)
                return -1;
        json_object_foreach((json_t *)questions, lang, unused)
                names[count++] = lang;
        qsort(names, count, sizeof(names[0]), compare_names);
        for (size_t i = 0; i < count; i++) {
                if (!add_language(version, names[i]))
                        return -1;
        }
        return 0;
}

/* The bot's own first, then in the order of the answers. -1: too many. */
static int note_languages(struct bot_version *version)
{
        version->lang = json_string_value(json_object_get(version->bot, "lang"));
        if (!add_language(version, version->lang))
                return -1;
        for (size_t i = 0; i < version->answer_count; i++) {
                if (add_languages(version, questions_of(&version->answers[i])) < 0)
                        return -1;
        }
        return 0;
}

/* ---- building ------------------------------------------------------------------------------------------------ */

static void put_length(struct writer *out, size_t length)
{
        char bytes[4] = {(char)(length & 255), (char)(length >> 8 & 255), (char)(length >> 16 & 255),
                         (char)(length >> 24 & 255)};
        writer_raw(out, (struct span){bytes, sizeof(bytes)});
}

static void put_part(struct writer *out, struct span part)
{
        put_length(out, part.len);
        writer_raw(out, part);
}

static size_t count_examples(const struct bot_version *version, const char *lang)
{
        size_t count = 0;
        for (size_t i = 0; i < version->answer_count; i++) {
                const json_t *where = json_object_get(questions_of(&version->answers[i]), lang);
                count += json_array_size(json_object_get(where, "examples")) +
                         json_array_size(json_object_get(where, "not"));
        }
        return count;
}

static size_t note_examples(const struct bot_version *version, const char *lang, struct bot_example *out)
{
        size_t count = 0, j;
        json_t *text;
        for (size_t i = 0; i < version->answer_count; i++) {
                const json_t *where = json_object_get(questions_of(&version->answers[i]), lang);
                json_array_foreach(json_object_get(where, "examples"), j, text)
                        out[count++] = (struct bot_example){
                                (uint32_t)i, {json_string_value(text), json_string_length(text)}, false};
                json_array_foreach(json_object_get(where, "not"), j, text)
                        out[count++] = (struct bot_example){
                                (uint32_t)i, {json_string_value(text), json_string_length(text)}, true};
        }
        return count;
}

/* Trains one language; appends its tag and its ranker, an empty one when there is nothing to learn. */
static int build_language(const struct bot_version *version, const char *lang, struct writer *out,
                          struct bot_language_report *report)
{
        struct writer ranker;
        size_t count = count_examples(version, lang);
        struct bot_example *examples = calloc(count + 1, sizeof(*examples));
        if (!examples)
                return -1;
        writer_init(&ranker, NULL, 0);
        snprintf(report->lang, sizeof(report->lang), "%s", lang);
        note_examples(version, lang, examples);
        report->error = bot_ranker_train(examples, count, lang, bot_off_topic(lang), &ranker, &report->train);
        put_part(out, span_of(lang));
        put_part(out, report->error ? (struct span){"", 0} : (struct span){ranker.bytes, ranker.len});
        bool is_short = ranker.failed || report->error == -BOT_RANKER_NO_MEMORY;
        writer_done(&ranker);
        free(examples);
        return is_short ? -1 : 0;
}

int bot_version_build(const json_t *bot, struct bot_problems *problems, struct writer *out,
                      struct bot_build_report *out_report)
{
        struct bot_version version = {.bot = (json_t *)bot};
        struct bot_build_report report = {.count = 0};
        char *canonical = NULL;
        int rc = -2;
        if (!bot_check(bot, NULL, NULL, problems))
                return -1;
        if (number_answers(&version) < 0 || !(canonical = bot_canonical(bot)))
                goto out;
        if (note_languages(&version) < 0 || strlen(canonical) > CANONICAL_MAX) {
                bot_problem_error(problems, (struct bot_place){0}, NULL,
                                  "The bot has more than %d languages, or is "
                                  "larger than %d MiB.",
                                  BOT_LANGUAGES_MAX, CANONICAL_MAX >> 20);
                rc = -1;
                goto out;
        }
        writer_raw(out, (struct span){MAGIC, sizeof(MAGIC)});
        put_part(out, span_of(canonical));
        rc = 0;
        for (size_t i = 0; rc == 0 && i < version.language_count; i++) {
                if (build_language(&version, version.languages[i].lang, out, &report.languages[report.count++]) < 0)
                        rc = -2;
        }
        if (rc == 0 && out->failed)
                rc = -2;
        if (rc == 0 && out_report)
                *out_report = report;
out:
        free(canonical);
        free(version.answers);
        return rc;
}

/* ---- loading ------------------------------------------------------------------------------------------------- */

/* Cuts a part with its length off the front; false: there is none. */
static bool take_part(struct span *rest, struct span *out_part)
{
        const unsigned char *at = (const unsigned char *)rest->at;
        if (rest->len < 4)
                return false;
        size_t len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
        if (len > rest->len - 4)
                return false;
        *out_part = (struct span){rest->at + 4, len};
        rest->at += 4 + len;
        rest->len -= 4 + len;
        return true;
}

static int compile_patterns(const struct bot_version *version, struct version_language *language)
{
        const json_t *synonyms = json_object_get(json_object_get(version->bot, "synonyms"), language->lang);
        json_t *pattern;
        size_t j;
        language->patterns = bot_patterns_new();
        if (!language->patterns)
                return -1;
        for (size_t i = 0; i < version->answer_count; i++) {
                const struct version_answer *answer = &version->answers[i];
                const json_t *where = json_object_get(questions_of(answer), language->lang);
                const json_t *priority = json_object_get(answer->it, "priority");
                unsigned rank = priority ? (unsigned)json_integer_value(priority) : 5;
                json_array_foreach(json_object_get(where, "patterns"), j, pattern) {
                        struct span text = {json_string_value(pattern), json_string_length(pattern)};
                        if (bot_patterns_add(language->patterns, text, (uint32_t)i, rank, synonyms) < 0 &&
                            bot_patterns_add(language->patterns, text, (uint32_t)i, rank, NULL) < 0)
                                return -1;
                }
        }
        return bot_patterns_seal(language->patterns);
}

static int compile_entities(struct bot_version *version)
{
        json_t *all = json_object_get(version->bot, "entities"), *entity;
        const char *name;
        version->entities = calloc(json_object_size(all) + 1, sizeof(*version->entities));
        if (!version->entities)
                return -1;
        json_object_foreach(all, name, entity) {
                struct bot_entity *made = bot_entity_new(entity);
                if (!made)
                        return -1;
                version->entities[version->entity_count].name = name;
                version->entities[version->entity_count++].entity = made;
        }
        return 0;
}

static const char *load_rankers(struct bot_version *version, struct span rest)
{
        struct span lang, blob;
        for (size_t i = 0; i < version->language_count; i++) {
                struct version_language *language = &version->languages[i];
                if (!take_part(&rest, &lang) || !span_equal(lang, span_of(language->lang)) || !take_part(&rest, &blob))
                        return "The version is damaged: its languages are not those of the bot.";
                if (blob.len > 0) {
                        int rc = bot_ranker_load(blob, &language->ranker);
                        if (rc == -BOT_RANKER_OTHER_RECIPE)
                                return "The version was built by another deskbell: build it again from its source.";
                        if (rc < 0)
                                return "The version is damaged: what it has learned cannot be read.";
                        if (bot_ranker_answers(language->ranker) > version->answer_count)
                                return "The version is damaged: it has learned answers that the bot does not have.";
                }
                if (compile_patterns(version, language) < 0)
                        return "Out of memory.";
        }
        return rest.len == 0 ? NULL : "The version is damaged: something follows its end.";
}

static const char *load_bot(struct bot_version *version, struct span canonical)
{
        struct bot_problems *problems = bot_problems_new();
        const char *wrong = NULL;
        if (!problems)
                return "Out of memory.";
        version->bot = json_loadb(canonical.at, canonical.len, JSON_REJECT_DUPLICATES, NULL);
        char *again = version->bot ? bot_canonical(version->bot) : NULL;
        if (!again || !span_equal(canonical, span_of(again)))
                wrong = "The version is damaged: its text is not canonical.";
        else if (!bot_check(version->bot, NULL, NULL, problems))
                wrong = "The version holds a bot that this program does not understand: use a newer deskbell.";
        else if (!(version->always = always_new()) || !bot_version_name(again, version->id) ||
                 number_answers(version) < 0 || compile_entities(version) < 0)
                wrong = "Out of memory.";
        else if (note_languages(version) < 0)
                wrong = "The version is damaged: it has too many languages.";
        free(again);
        bot_problems_free(problems);
        return wrong;
}

struct bot_version *bot_version_load(struct span blob, const char **out_wrong)
{
        struct bot_version *version = calloc(1, sizeof(*version));
        const char *wrong = "Out of memory.";
        struct span rest = blob, canonical;
        if (!version)
                goto out;
        wrong = "This is no version of a bot.";
        if (blob.len < sizeof(MAGIC) || blob.len > BOT_VERSION_BLOB || memcmp(blob.at, MAGIC, 5) != 0)
                goto out;
        wrong = "The version is a newer program's: use a newer deskbell.";
        if (memcmp(blob.at, MAGIC, sizeof(MAGIC)) != 0)
                goto out;
        rest.at += sizeof(MAGIC);
        rest.len -= sizeof(MAGIC);
        wrong = "The version is damaged: it is cut.";
        if (!take_part(&rest, &canonical))
                goto out;
        wrong = load_bot(version, canonical);
        if (!wrong)
                wrong = load_rankers(version, rest);
        if (!wrong)
                return version;
out:
        if (out_wrong)
                *out_wrong = wrong;
        return bot_version_free(version);
}

struct bot_version *bot_version_free(struct bot_version *version)
{
        if (!version)
                return NULL;
        for (size_t i = 0; i < version->language_count; i++) {
                bot_ranker_free(version->languages[i].ranker);
                bot_patterns_free(version->languages[i].patterns);
        }
        for (size_t i = 0; i < version->entity_count; i++)
                bot_entity_free(version->entities[i].entity);
        always_free(version->always);
        free(version->entities);
        free(version->answers);
        json_decref(version->bot);
        free(version);
        return NULL;
}

const char *bot_version_id(const struct bot_version *version)
{
        return version->id;
}

const json_t *bot_version_bot(const struct bot_version *version)
{
        return version->bot;
}

size_t bot_version_bytes(const struct bot_version *version)
{
        size_t bytes = 0;
        for (size_t i = 0; i < version->language_count; i++)
                bytes += version->languages[i].ranker ? bot_ranker_bytes(version->languages[i].ranker) : 0;
        return bytes;
}
