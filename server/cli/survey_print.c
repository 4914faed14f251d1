/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys, offers and answers in words. */
#include <stdio.h>
#include <string.h>

#include "cli/survey.h"

static long long number(const json_t *object, const char *member)
{
        return (long long)json_integer_value(json_object_get(object, member));
}

static bool is_yes(const json_t *object, const char *member)
{
        return json_is_true(json_object_get(object, member));
}

static void print_words(const json_t *words)
{
        listed_print_words(words, "", ", ");
}

void survey_print_row(const json_t *row)
{
        printf("%s  %s  %s %s to %lld  ", cli_text(row, "survey"), cli_text(row, "name"), cli_text(row, "metric"),
               cli_text(row, "style"), number(row, "top"));
        printf("%s", json_array_size(json_object_get(row, "on")) == 0 ? "by hand" : "on ");
        print_words(json_object_get(row, "on"));
        printf("  (");
        print_words(json_object_get(row, "langs"));
        printf(")  version %lld%s\n", number(row, "version"), is_yes(row, "enabled") ? "" : "  OFF");
}

/* ---- a survey ---- */

static void print_line(const char *what, const char *text)
{
        if (*text)
                printf("  %-10s %s\n", what, text);
}

static void print_ask(const json_t *ask)
{
        printf("  question   %s: %s", cli_text(ask, "id"), cli_text(ask, "kind"));
        if (json_object_get(ask, "choices")) {
                printf(" of ");
                print_words(json_object_get(ask, "choices"));
        }
        if (json_object_get(ask, "from_score"))
                printf(", from score %lld", number(ask, "from_score"));
        if (json_object_get(ask, "to_score"))
                printf(", up to score %lld", number(ask, "to_score"));
        printf("%s\n", is_yes(ask, "required") ? ", needed" : "");
}

static void print_rules(const json_t *form)
{
        printf("  asks       %s", json_array_size(json_object_get(form, "on")) == 0 ? "by hand" : "on ");
        print_words(json_object_get(form, "on"));
        if (number(form, "delay_minutes") > 0)
                printf(", %lld min later", number(form, "delay_minutes"));
        printf(" (later: after %lld days)\n", number(form, "days_after"));
        printf("  answers    %lld h, changed within %lld h", number(form, "until_hours"), number(form, "change_hours"));
        if (number(form, "remind_hours") > 0)
                printf(", reminder after %lld h", number(form, "remind_hours"));
        printf("\n  of whom    %lld %%, once in %lld days, %lld characters or more", number(form, "sample_percent"),
               number(form, "interval_days"), number(form, "min_text"));
        if (number(form, "max_age_days") > 0)
                printf(", last reply within %lld days", number(form, "max_age_days"));
        printf("%s\n", is_yes(form, "asks_bot") ? ", also when only the bot replied" : "");
}

void survey_print_form(const json_t *result)
{
        const json_t *form = json_object_get(result, "form"), *item;
        char when[32];
        size_t i;
        printf("%s  %s  version %lld of %s%s\n", cli_text(result, "survey"), cli_text(form, "name"),
               number(result, "version"), cli_time((json_int_t)number(result, "since"), when),
               is_yes(form, "enabled") ? "" : "  OFF");
        printf("  scale      %s, %s, up to %lld\n", cli_text(form, "metric"), cli_text(form, "style"),
               number(form, "top"));
        print_rules(form);
        print_line("when", cli_text(form, "when"));
        printf("  takes      %s%s\n", is_yes(form, "comment") ? "a comment" : "no comment",
               is_yes(form, "contact") ? ", 'please contact me'" : "");
        print_line("brand", cli_text(form, "brand"));
        print_line("colour", cli_text(form, "colour"));
        print_line("language", cli_text(form, "lang"));
        json_array_foreach(json_object_get(form, "questions"), i, item)
                print_ask(item);
        json_array_foreach(json_object_get(form, "texts"), i, item)
                printf("  in %-7s %s\n", cli_text(item, "lang"),
                       *cli_text(item, "question") ? cli_text(item, "question") : "(built-in question)");
}

/* ---- as a customer sees it ---- */

static const char *face(const char *style, long long score, long long min, long long max)
{
        static const char *const five[] = {"😞", "🙁", "😐", "🙂", "😀"};
        static const char *const three[] = {"😞", "😐", "😀"};
        if (strcmp(style, "stars") == 0)
                return "★";
        if (strcmp(style, "thumbs") == 0)
                return score == min ? "👎" : "👍";
        return strcmp(style, "emoji") != 0 ? NULL
               : max - min == 4            ? five[score - min]
               : max - min == 2            ? three[score - min]
                                           : NULL;
}

static void print_scale(const char *style, const json_t *of)
{
        long long min = number(of, "min"), max = number(of, "max");
        printf(" ");
        for (long long score = min; score <= max; score++) {
                const char *drawn = face(style, score, min, max);
                if (drawn)
                        printf(" %s", drawn);
                else
                        printf(" [%lld]", score);
        }
        printf("\n");
        if (*cli_text(of, "low") || *cli_text(of, "high"))
                printf("  %lld = %s, %lld = %s\n", min, cli_text(of, "low"), max, cli_text(of, "high"));
}

static void print_question(const json_t *question)
{
        const json_t *choice;
        const char *kind = cli_text(question, "kind");
        size_t i;
        printf("\n%s%s", cli_text(question, "text"), is_yes(question, "required") ? " *" : "");
        if (json_object_get(question, "from_score"))
                printf("  (score %lld or more)", number(question, "from_score"));
        if (json_object_get(question, "to_score"))
                printf("  (score %lld or less)", number(question, "to_score"));
        printf("\n");
        json_array_foreach(json_object_get(question, "choices"), i, choice)
                printf("  %s %s\n", strcmp(kind, "choices") == 0 ? "[ ]" : "( )", cli_text(choice, "label"));
        if (strcmp(kind, "scale") == 0)
                print_scale("numbers", question);
        if (strcmp(kind, "text") == 0)
                printf("  ______\n");
}

void survey_print_preview(const json_t *result)
{
        const json_t *shown = json_object_get(result, "shown"), *question;
        size_t i;
        if (*cli_text(shown, "brand"))
                printf("%s\n\n", cli_text(shown, "brand"));
        printf("%s\n", cli_text(result, "text"));
        print_scale(cli_text(shown, "style"), shown);
        json_array_foreach(json_object_get(shown, "questions"), i, question)
                print_question(question);
        if (*cli_text(shown, "comment"))
                printf("\n%s\n  ______\n", cli_text(shown, "comment"));
        if (*cli_text(shown, "contact"))
                printf("\n[ ] %s\n", cli_text(shown, "contact"));
        printf("\n%s\n", cli_text(shown, "thanks"));
}

/* ---- offers and answers ---- */

static void print_said(const json_t *said)
{
        printf("    %s: ", cli_text(said, "question"));
        print_words(json_object_get(said, "chosen"));
        if (json_object_get(said, "number"))
                printf("%lld", number(said, "number"));
        printf("%s\n", cli_text(said, "words"));
}

void survey_print_offer(const json_t *offer)
{
        const char *state = cli_text(offer, "state"), *reason = cli_text(offer, "reason");
        const json_t *said;
        char when[32];
        size_t i;
        long long at = number(offer, "answered");
        at = at ? at : number(offer, "offered") ? number(offer, "offered") : number(offer, "planned");
        printf("%s  %s  %s  %s%s%s", cli_text(offer, "offer"), cli_time((json_int_t)at, when),
               *cli_text(offer, "survey_name") ? cli_text(offer, "survey_name") : cli_text(offer, "survey"), state,
               *reason ? ": " : "", reason);
        if (json_object_get(offer, "score"))
                printf("  %s %lld of %lld", cli_text(offer, "metric"), number(offer, "score"), number(offer, "top"));
        if (json_object_get(offer, "number"))
                printf("  ticket %lld", number(offer, "number"));
        printf("%s\n", is_yes(offer, "wants_contact") ? "  PLEASE CONTACT" : "");
        if (*cli_text(offer, "comment"))
                printf("    \"%s\"\n", cli_text(offer, "comment"));
        json_array_foreach(json_object_get(offer, "answers"), i, said)
                print_said(said);
}
