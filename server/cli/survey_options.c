/* SPDX-License-Identifier: Apache-2.0 */
/* A survey as it is said on the command line: simple ones by options alone, others by a file with options over it. */
#include <stdio.h>
#include <string.h>

#include "cli/named.h"
#include "cli/survey.h"

static const struct {
        const char *option, *value, *member, *help;
        long long max;
} numbers[SURVEY_NUMBERS] = {
        [SURVEY_TOP] = {"top", "N", "top", "highest score of csat: 5 (default) or 3", 10},
        [SURVEY_DELAY] = {"delay", "MINUTES", "delay_minutes", "after solved or closed; default 0: at once", 43200},
        [SURVEY_DAYS_AFTER] = {"days-after", "DAYS", "days_after", "after solved, of later; default 7", 90},
        [SURVEY_REMIND] = {"remind", "HOURS", "remind_hours", "one reminder after so long; default 0: never", 672},
        [SURVEY_UNTIL] = {"until", "HOURS", "until_hours", "answers are taken; default 96, of nps 336", 672},
        [SURVEY_CHANGE] = {"change", "HOURS", "change_hours", "an answer may be changed; default 24", 672},
        [SURVEY_INTERVAL] = {"interval", "DAYS", "interval_days",
                             "nobody is asked twice in so many; default 7, of nps 90", 365},
        [SURVEY_SAMPLE] = {"sample", "PERCENT", "sample_percent", "how many of those who could be asked", 100},
        [SURVEY_MIN_TEXT] = {"min-text", "N", "min_text", "characters written before it asks; default 250", 10000},
        [SURVEY_MAX_AGE] = {"max-age", "DAYS", "max_age_days", "the last reply is no older; default 7", 365},
};

static void add_switches(struct survey_said *said, struct cli_option *options, size_t *count)
{
        const struct cli_option switches[] = {
                {.name = "enable", .flag = &said->enable, .help = "it asks (default)"},
                {.name = "disable", .flag = &said->disable, .help = "it does not ask"},
                {.name = "asks-bot", .flag = &said->asks_bot, .help = "also when no person has replied"},
                {.name = "no-asks-bot", .flag = &said->no_bot, .help = "only when a person has (default)"},
                {.name = "comment", .flag = &said->comment, .help = "takes a comment (default)"},
                {.name = "no-comment", .flag = &said->no_comment, .help = "takes none"},
                {.name = "contact", .flag = &said->contact, .help = "has the tick 'please contact me'"},
                {.name = "no-contact", .flag = &said->no_contact, .help = "has it not (default)"},
                CLI_JSON(said->json),
        };
        memcpy(options + *count, switches, sizeof switches);
        *count += sizeof switches / sizeof *switches;
}

size_t survey_options(struct survey_said *said, struct cli_option options[SURVEY_OPTIONS])
{
        const struct cli_option texts[] = {
                CLI_DATA(said->data),
                {.name = "file",
                 .value = "FILE",
                 .text = &said->file,
                 .help = "the form in JSON, as show --json has it"},
                {.name = "name", .value = "NAME", .text = &said->name, .help = "what the team calls it"},
                {.name = "metric", .value = "METRIC", .text = &said->metric, .help = "csat (default), nps or ces"},
                {.name = "style", .value = "STYLE", .text = &said->style, .help = "stars, emoji, numbers, thumbs"},
                {.name = "on",
                 .value = "WHEN",
                 .list = said->on,
                 .help = "solved, closed, later, case; none: only by hand"},
                {.name = "when",
                 .value = "EXPRESSION",
                 .text = &said->when,
                 .help = "which tickets, such as 'customer.tier = gold'; default all"},
                {.name = "question",
                 .value = "LANG=TEXT",
                 .list = said->questions,
                 .help = "the question in a language; again for more; default built in"},
                {.name = "comment-text", .value = "LANG=TEXT", .list = said->comments, .help = "asks for a comment"},
                {.name = "thanks", .value = "LANG=TEXT", .list = said->thanks, .help = "when it was answered"},
                {.name = "lang",
                 .value = "LANG",
                 .text = &said->lang,
                 .help = "for customers whose language it has not"},
                {.name = "brand", .value = "NAME", .text = &said->brand, .help = "whose survey it is; '' = nobody's"},
                {.name = "colour", .value = "#RRGGBB", .text = &said->colour, .help = "of the brand; '' = none"},
        };
        size_t count = sizeof texts / sizeof *texts;
        memcpy(options, texts, sizeof texts);
        for (size_t i = 0; i < SURVEY_NUMBERS; i++)
                options[count++] = (struct cli_option){.name = numbers[i].option,
                                                       .value = numbers[i].value,
                                                       .text = &said->numbers[i],
                                                       .help = numbers[i].help};
        add_switches(said, options, &count);
        return count;
}

/* ---- the form ---- */

static int set_switch(json_t *form, const char *member, bool yes, bool no)
{
        if (yes && no)
                return cli_fail(EX_USAGE, "yes and no at once of %s", member);
        if (yes || no)
                json_object_set_new(form, member, json_boolean(yes));
        return EX_OK;
}

static int set_texts(const struct survey_said *said, json_t *form)
{
        const struct {
                const char *member, *text;
        } all[] = {{"name", said->name},   {"metric", said->metric}, {"style", said->style}, {"when", said->when},
                   {"brand", said->brand}, {"colour", said->colour}, {"lang", said->lang}};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                if (all[i].text && json_object_set_new(form, all[i].member, json_string(all[i].text)) < 0)
                        return cli_fail(EX_DATAERR, "--%s is not UTF-8", all[i].member);
        return EX_OK;
}

static int set_numbers(const struct survey_said *said, json_t *form)
{
        int rc = EX_OK;
        for (size_t i = 0; rc == EX_OK && i < SURVEY_NUMBERS; i++) {
                long long number = 0;
                if (!said->numbers[i])
                        continue;
                rc = named_number(numbers[i].option, said->numbers[i], numbers[i].max, &number);
                if (rc == EX_OK)
                        json_object_set_new(form, numbers[i].member, json_integer(number));
        }
        return rc;
}

static void set_on(const struct survey_said *said, json_t *form)
{
        bool is_none = said->on[0] && !said->on[1] && strcmp(said->on[0], "none") == 0;
        if (said->on[0])
                json_object_set_new(form, "on", is_none ? json_array() : named_list(said->on));
}

/* The text of that language in the form's list, made when it is not there. Borrowed. */
static json_t *text_in(json_t *texts, const char *lang, size_t len)
{
        json_t *text;
        size_t i;
        json_array_foreach(texts, i, text) {
                const char *has = cli_text(text, "lang");
                if (strlen(has) == len && strncmp(has, lang, len) == 0)
                        return text;
        }
        text = json_pack("{s:o}", "lang", json_stringn(lang, len));
        json_array_append_new(texts, text);
        return text;
}

/* "ko=만족하셨나요?" for a member of the texts. */
static int set_words(const char *const *said, const char *member, json_t *texts)
{
        for (int i = 0; said[i]; i++) {
                const char *equals = strchr(said[i], '=');
                if (!equals || equals == said[i] || !equals[1])
                        return cli_fail(EX_USAGE, "%s: not LANG=TEXT", said[i]);
                json_t *text = text_in(texts, said[i], (size_t)(equals - said[i]));
                if (json_object_set_new(text, member, json_string(equals + 1)) < 0)
                        return cli_fail(EX_DATAERR, "%s: not UTF-8", said[i]);
        }
        return EX_OK;
}

static int set_languages(const struct survey_said *said, const json_t *known, json_t *form)
{
        json_t *texts = json_object_get(form, "texts");
        texts = texts ? json_deep_copy(texts) : known ? json_deep_copy(known) : json_array();
        int rc = set_words(said->questions, "question", texts);
        if (rc == EX_OK)
                rc = set_words(said->comments, "comment", texts);
        if (rc == EX_OK)
                rc = set_words(said->thanks, "thanks", texts);
        if (rc == EX_OK && (said->questions[0] || said->comments[0] || said->thanks[0]))
                json_object_set(form, "texts", texts);
        json_decref(texts);
        return rc;
}

static int read_file(const char *path, json_t **out_form)
{
        json_error_t error;
        json_t *form = json_load_file(path, JSON_REJECT_DUPLICATES, &error), *inner = json_object_get(form, "form");
        if (!json_is_object(form)) {
                json_decref(form);
                return cli_fail(EX_DATAERR, "%s: %s", path, form ? "not a form" : error.text);
        }
        *out_form = inner ? json_incref(inner) : json_incref(form); /* what show --json answers is welcome */
        json_decref(form);
        return EX_OK;
}

int survey_form_of(const struct survey_said *said, const json_t *known, json_t **out_form)
{
        json_t *form = NULL;
        int rc = said->file ? read_file(said->file, &form) : EX_OK;
        if (!form)
                form = json_object();
        if (rc == EX_OK)
                rc = set_texts(said, form);
        if (rc == EX_OK)
                rc = set_numbers(said, form);
        if (rc == EX_OK)
                rc = set_languages(said, known, form);
        if (rc == EX_OK)
                rc = set_switch(form, "enabled", said->enable, said->disable);
        if (rc == EX_OK)
                rc = set_switch(form, "asks_bot", said->asks_bot, said->no_bot);
        if (rc == EX_OK)
                rc = set_switch(form, "comment", said->comment, said->no_comment);
        if (rc == EX_OK)
                rc = set_switch(form, "contact", said->contact, said->no_contact);
        set_on(said, form);
        if (rc == EX_OK)
                *out_form = form;
        else
                json_decref(form);
        return rc;
}
