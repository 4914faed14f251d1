/* SPDX-License-Identifier: Apache-2.0 */
#include "session/survey_html.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "desk/surveys/survey_branch.h"
#include "desk/surveys/survey_words.h"

enum { STYLE_BYTES = 8192, COLOUR = 7 };

/* ---- style ---- */

/* The colours of the brand come in front of it. Light and dark; buttons of 44 px and more; without :has() every
 * question is shown and only the chosen star is lit. */
static const char style[] =
        "*{box-sizing:border-box}"
        ":lang(ko){word-break:keep-all}:lang(ja){word-break:auto-phrase}"
        "html{color-scheme:light "
        "dark;--bg:#f3f4f6;--card:#fff;--ink:#16181d;--dim:#565c68;--line:#878e9b;--soft:#eef0f4;"
        "--bad:#b3261e}"
        "@media(prefers-color-scheme:dark){html{--bg:#111317;--card:#1b1e24;--ink:#eceef2;--dim:#a7adb9;--line:#737a87;"
        "--soft:#262a32;--bad:#ffb4ab}}"
        "body{margin:0;background:var(--bg);color:var(--ink);font:17px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,"
        "'Noto Sans','Noto Sans CJK KR','Noto Sans CJK JP','Noto Sans CJK SC',sans-serif;min-height:100vh;display:flex;"
        "justify-content:center;align-items:flex-start;padding:0}"
        "main{background:var(--card);width:100%;max-width:620px;border-top:6px solid var(--brand);padding:24px 20px "
        "32px;min-height:100vh}"
        "@media(min-width:660px){main{margin:48px 20px;min-height:0;border-radius:12px;padding:32px 36px 36px;"
        "box-shadow:0 1px 4px #0003}}"
        ".brand{margin:0 0 20px;color:var(--dim);font-weight:600;overflow-wrap:anywhere}"
        "h1,legend{font-size:21px;line-height:1.35;font-weight:650;margin:0 0 16px;padding:0;overflow-wrap:anywhere}"
        "fieldset{border:0;margin:0 0 28px;padding:0;min-width:0}"
        "fieldset.more legend,label.more{font-size:17px;font-weight:600;margin:0 0 10px;display:block;"
        "overflow-wrap:anywhere}"
        ".scale{display:grid;gap:6px;grid-auto-flow:column;grid-auto-columns:minmax(0,1fr)}"
        "@media(max-width:659px){.scale.ten{grid-auto-flow:row;grid-template-columns:repeat(6,minmax(0,1fr))}}"
        ".scale label,.pick label{position:relative;display:flex;align-items:center;justify-content:center;min-height:"
        "52px;border:1px solid var(--line);border-radius:8px;background:var(--card);cursor:pointer;font-weight:600}"
        ".scale.faces label{font-size:30px;min-height:64px}"
        ".scale.stars label{font-size:34px;color:var(--line);border-color:transparent;background:none;min-height:52px}"
        ".scale.thumbs label{gap:10px;min-height:64px;padding:6px 12px;text-align:center}"
        ".scale.thumbs b{font-size:28px}"
        ".pick{display:grid;gap:8px}"
        ".pick label{justify-content:flex-start;gap:12px;padding:10px 14px;font-weight:400;overflow-wrap:anywhere}"
        "input[type=radio],input[type=checkbox]{accent-color:var(--brand)}"
        ".scale input{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:pointer}"
        ".pick input,.tick input{width:22px;height:22px;flex:none;margin:0}"
        ".scale label:has(input:checked){background:var(--brand);border-color:var(--brand);color:var(--on)}"
        ".pick label:has(input:checked){border-color:var(--brand);background:var(--soft)}"
        ".scale label:has(input:focus-visible),.pick label:has(input:focus-visible),textarea:focus-visible,"
        "button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}"
        ".scale.stars label:has(input:checked),.scale.stars label:has(~ label input:checked){color:#d99100;"
        "background:none;border-color:transparent}"
        ".ends{display:flex;justify-content:space-between;gap:16px;color:var(--dim);font-size:14px;margin:8px 0 0}"
        ".ends span:last-child{text-align:end}"
        "textarea{display:block;width:100%;min-height:104px;font:inherit;color:inherit;background:var(--card);border:"
        "1px solid "
        "var(--line);border-radius:8px;padding:12px}"
        ".block{margin:0 0 28px}"
        ".tick{display:flex;gap:12px;align-items:center;min-height:44px;margin:0 0 24px;cursor:pointer}"
        ".mark{color:var(--dim);font-weight:400;font-size:14px}"
        "button{width:100%;min-height:52px;border:0;border-radius:8px;background:var(--brand);color:var(--on);"
        "font:inherit;font-weight:650;cursor:pointer}"
        ".note{margin:0 0 20px;padding:12px 14px;border-radius:8px;background:var(--soft)}"
        ".bad,.missing .mark{color:var(--bad)}"
        "fieldset.missing{border-inline-start:4px solid var(--bad);padding-inline-start:14px}"
        ".end{font-size:21px;line-height:1.4;margin:0}"
        ".end+.end,.end+a{margin-top:16px;display:block}"
        "a{color:inherit;padding:12px 0;display:inline-block}";

struct sheet {
        char text[STYLE_BYTES];
        size_t len;
};

static int hex_of(const char *two)
{
        char pair[3] = {two[0], two[1], 0};
        return (int)strtol(pair, NULL, 16);
}

/* Black or white, whichever is easier to read on it (WCAG's luminance, in whole numbers). */
static const char *ink_on(const char *colour)
{
        int64_t light = 0;
        static const int64_t weight[] = {2126, 7152, 722};
        for (int i = 0; i < 3; i++) {
                int64_t part = hex_of(colour + 1 + 2 * i);
                light += weight[i] * part * part; /* gamma 2 for 2.2 */
        }
        return light > (int64_t)10000 * 255 * 255 * 18 / 100 ? "#000" : "#fff";
}

/* The colour was checked when it was stored, and is checked again here: it goes into a style. */
static bool is_colour(struct span colour)
{
        bool is_good = colour.len == COLOUR && colour.at[0] == '#';
        for (size_t i = 1; is_good && i < COLOUR; i++)
                is_good = memchr("0123456789abcdefABCDEF", colour.at[i], 22) != NULL;
        return is_good;
}

static void sheet_add(struct sheet *sheet, const char *text)
{
        size_t len = strlen(text);
        if (len < sizeof sheet->text - sheet->len) {
                memcpy(sheet->text + sheet->len, text, len + 1);
                sheet->len += len;
        }
}

/* A question that is asked only at some scores is hidden until one of them is chosen, where the browser can. */
static void sheet_branch(struct sheet *sheet, size_t index, const struct protocol_survey_question *question,
                         const struct protocol_survey_shown *shown)
{
        char line[128];
        if (!survey_is_branch(question))
                return;
        snprintf(line, sizeof line, "form:not(:has(:is(#none");
        sheet_add(sheet, line);
        for (int64_t score = shown->min; score <= shown->max; score++) {
                if (!survey_asks_at(question, true, score))
                        continue;
                snprintf(line, sizeof line, ",#s%lld", (long long)score);
                sheet_add(sheet, line);
        }
        snprintf(line, sizeof line, "):checked)) .q%zu{display:none}", index);
        sheet_add(sheet, line);
}

static void sheet_make(const struct protocol_survey_shown *shown, struct sheet *sheet)
{
        char colours[96];
        bool is_branded = shown && shown->has_colour && is_colour(shown->colour);
        const char *brand = is_branded ? shown->colour.at : "#2457c5";
        sheet->len = 0;
        snprintf(colours, sizeof colours, "html{--brand:%.*s;--on:%s}", COLOUR, brand, ink_on(brand));
        sheet_add(sheet, colours);
        sheet_add(sheet, style);
        for (size_t i = 0; shown && i < shown->questions_count; i++)
                sheet_branch(sheet, i, &shown->questions[i], shown);
}

static void write_csp(const struct sheet *sheet, char out_csp[SURVEY_HTML_CSP])
{
        uint8_t hash[SHA256_DIGEST_LENGTH];
        unsigned char text[64];
        SHA256((const unsigned char *)sheet->text, sheet->len, hash);
        EVP_EncodeBlock(text, hash, sizeof hash);
        snprintf(out_csp, SURVEY_HTML_CSP,
                 "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; base-uri 'none'; frame-ancestors "
                 "'none'",
                 (const char *)text);
}

/* ---- text ---- */

static void put(struct writer *out, const char *text)
{
        writer_raw(out, span_of(text));
}

/* For text and for quoted attributes. */
static void put_text(struct writer *out, struct span text)
{
        for (size_t i = 0; i < text.len; i++) {
                switch (text.at[i]) {
                case '&':
                        put(out, "&amp;");
                        break;
                case '<':
                        put(out, "&lt;");
                        break;
                case '>':
                        put(out, "&gt;");
                        break;
                case '"':
                        put(out, "&quot;");
                        break;
                case '\'':
                        put(out, "&#39;");
                        break;
                default:
                        writer_char(out, text.at[i]);
                }
        }
}

static void put_element(struct writer *out, const char *open, struct span text, const char *close)
{
        put(out, open);
        put_text(out, text);
        put(out, close);
}

/* ---- a scale ---- */

struct scale {
        const char *kind; /* class */
        const char *name; /* of the field, without what follows */
        struct span id;   /* follows it */
        int64_t min, max;
        struct span low, high;
        bool has_given, is_required, is_main;
        int64_t given;
};

static const char *face_of(int64_t score, int64_t min, int64_t max)
{
        static const char *const five[] = {"😞", "🙁", "😐", "🙂", "😀"};
        static const char *const three[] = {"😞", "😐", "😀"};
        return max - min == 2 ? three[score - min] : max - min == 4 ? five[score - min] : "😐";
}

/* What a screen reader says of a score: its number, and what it means. */
static void put_label(struct writer *out, const struct scale *scale, int64_t score)
{
        struct span word = score == scale->min ? scale->low : score == scale->max ? scale->high : (struct span){0};
        put(out, " aria-label=\"");
        writer_int(out, score);
        if (word.len > 0)
                put_element(out, ", ", word, "");
        put(out, "\"");
}

static void put_face(struct writer *out, const struct scale *scale, int64_t score)
{
        if (strcmp(scale->kind, "stars") == 0) {
                put(out, "★");
        } else if (strcmp(scale->kind, "faces") == 0) {
                put(out, face_of(score, scale->min, scale->max));
        } else if (strcmp(scale->kind, "thumbs") == 0) {
                put(out, score == scale->min ? "<b>👎</b> " : "<b>👍</b> ");
                put_text(out, score == scale->min ? scale->low : scale->high);
        } else {
                writer_int(out, score);
        }
}

static void put_score(struct writer *out, const struct scale *scale, int64_t score)
{
        put(out, "<label><input type=\"radio\" name=\"");
        put_element(out, scale->name, scale->id, "\" value=\"");
        writer_int(out, score);
        if (scale->is_main) {
                put(out, "\" id=\"s");
                writer_int(out, score);
        }
        put(out, "\"");
        put(out, scale->is_required ? " required" : "");
        put(out, scale->has_given && scale->given == score ? " checked" : "");
        put_label(out, scale, score);
        put(out, "><span aria-hidden=\"true\">");
        put_face(out, scale, score);
        put(out, "</span></label>");
}

static void put_scale(struct writer *out, const struct scale *scale)
{
        char open[64];
        int64_t count = scale->max - scale->min + 1;
        snprintf(open, sizeof open, "<div class=\"scale %s%s\">", scale->kind, count > 7 ? " ten" : "");
        put(out, open);
        for (int64_t score = scale->min; score <= scale->max; score++)
                put_score(out, scale, score);
        put(out, "</div>");
        if (strcmp(scale->kind, "thumbs") == 0 || (scale->low.len == 0 && scale->high.len == 0))
                return;
        put_element(out, "<p class=\"ends\"><span>", scale->low, "</span>");
        put_element(out, "<span>", scale->high, "</span></p>");
}

static const char *kind_of(enum protocol_survey_shown_style drawn)
{
        switch (drawn) {
        case PROTOCOL_SURVEY_SHOWN_STYLE_STARS:
                return "stars";
        case PROTOCOL_SURVEY_SHOWN_STYLE_EMOJI:
                return "faces";
        case PROTOCOL_SURVEY_SHOWN_STYLE_THUMBS:
                return "thumbs";
        default:
                return "numbers";
        }
}

static void put_main_scale(struct writer *out, const struct protocol_survey_page_result *page)
{
        const struct protocol_survey_shown *shown = &page->shown;
        struct scale scale = {.kind = kind_of(shown->style),
                              .name = "score",
                              .min = shown->min,
                              .max = shown->max,
                              .low = shown->low,
                              .high = shown->high,
                              .has_given = shown->has_score,
                              .given = shown->score,
                              .is_required = true,
                              .is_main = true};
        put_element(out, "<fieldset><legend><h1>", page->text, "</h1></legend>");
        put_scale(out, &scale);
        put(out, "</fieldset>");
}

/* ---- further questions ---- */

static bool is_chosen(const struct protocol_survey_said *given, struct span id)
{
        for (size_t i = 0; given && i < given->chosen_count; i++)
                if (span_equal(given->chosen[i], id))
                        return true;
        return false;
}

static void put_choices(struct writer *out, const struct protocol_survey_question *question, bool is_required,
                        const struct protocol_survey_said *given)
{
        bool is_one = question->kind == PROTOCOL_SURVEY_QUESTION_KIND_CHOICE;
        put(out, "<div class=\"pick\">");
        for (size_t i = 0; i < question->choices_count; i++) {
                put(out,
                    is_one ? "<label><input type=\"radio\" name=\"c." : "<label><input type=\"checkbox\" name=\"c.");
                put_text(out, question->id);
                put_element(out, "\" value=\"", question->choices[i].id, "\"");
                put(out, is_one && is_required ? " required" : "");
                put(out, is_chosen(given, question->choices[i].id) ? " checked>" : ">");
                put_element(out, "<span>", question->choices[i].label, "</span></label>");
        }
        put(out, "</div>");
}

static void put_question_scale(struct writer *out, const struct protocol_survey_question *question, bool is_required,
                               const struct protocol_survey_said *given)
{
        struct scale scale = {.kind = "numbers",
                              .name = "n.",
                              .id = question->id,
                              .min = question->min,
                              .max = question->max,
                              .low = question->low,
                              .high = question->high,
                              .has_given = given && given->has_number,
                              .given = given ? given->number : 0,
                              .is_required = is_required};
        put_scale(out, &scale);
}

/* A question that may be hidden is not required of the browser: it could not be answered. The desk asks again then, and
 * the page marks the first that is missing. */
static void put_question(struct writer *out, const struct protocol_survey_shown *shown, size_t index,
                         const struct survey_words *words, bool is_again)
{
        const struct protocol_survey_question *question = &shown->questions[index];
        const struct protocol_survey_said *given = survey_said_to(shown->answers, shown->answers_count, question->id);
        bool needs = question->has_required && question->required;
        bool is_required = needs && !survey_is_branch(question);
        char open[64];
        snprintf(open, sizeof open, "<fieldset class=\"more q%zu%s\"><legend>", index,
                 is_again && question == survey_missing(shown) ? " missing" : "");
        put_element(out, open, question->text, "");
        if (needs)
                put_element(out, " <span class=\"mark\">", span_of(words->required_mark), "</span>");
        put(out, "</legend>");
        if (question->kind == PROTOCOL_SURVEY_QUESTION_KIND_SCALE) {
                put_question_scale(out, question, is_required, given);
        } else if (question->kind == PROTOCOL_SURVEY_QUESTION_KIND_TEXT) {
                put_element(out, "<textarea name=\"t.", question->id, "\" maxlength=\"2000\"");
                put_element(out, " aria-label=\"", question->text, "\"");
                put(out, is_required ? " required>" : ">");
                put_text(out, given ? given->words : (struct span){0});
                put(out, "</textarea>");
        } else {
                put_choices(out, question, is_required, given);
        }
        put(out, "</fieldset>");
}

/* ---- the document ---- */

static void put_form(struct writer *out, const struct protocol_survey_page_result *page,
                     const struct survey_words *words, bool is_again)
{
        const struct protocol_survey_shown *shown = &page->shown;
        put(out, "<form method=\"post\" accept-charset=\"utf-8\">");
        put_main_scale(out, page);
        for (size_t i = 0; i < shown->questions_count; i++)
                put_question(out, shown, i, words, is_again);
        if (shown->has_comment) {
                put_element(out, "<div class=\"block\"><label class=\"more\" for=\"said\">", shown->comment,
                            "</label>");
                put_element(out, "<textarea id=\"said\" name=\"said\" maxlength=\"2000\">", shown->said,
                            "</textarea></div>");
        }
        if (shown->has_contact) {
                put(out, "<label class=\"tick\"><input type=\"checkbox\" name=\"contact\" value=\"1\"");
                put(out, shown->has_wants_contact && shown->wants_contact ? " checked>" : ">");
                put_element(out, "<span>", shown->contact, "</span></label>");
        }
        put_element(out, "<button type=\"submit\">", span_of(words->send), "</button></form>");
}

static void put_head(struct writer *out, struct span lang, struct span title, const struct sheet *sheet)
{
        put_element(out, "<!doctype html><html lang=\"", lang, "\"><head><meta charset=\"utf-8\">");
        put(out, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                 "<meta name=\"robots\" content=\"noindex,nofollow\"><title>");
        put_text(out, title);
        put(out, "</title><style>");
        writer_raw(out, (struct span){sheet->text, sheet->len});
        put(out, "</style></head><body dir=\"auto\"><main>");
}

static const char *line_of(enum survey_html_kind kind, const struct survey_words *words)
{
        switch (kind) {
        case SURVEY_HTML_AGAIN:
                return words->bad_answer;
        case SURVEY_HTML_THANKS:
                return words->thanks;
        case SURVEY_HTML_ANSWERED:
                return words->answered;
        case SURVEY_HTML_ENDED:
        case SURVEY_HTML_OVER:
                return words->ended;
        case SURVEY_HTML_BAD_LINK:
                return words->bad_link;
        default:
                return words->later;
        }
}

/* Nobody's language is known: in all that there are. */
static void put_lines(struct writer *out, enum survey_html_kind kind)
{
        for (size_t i = 0; i < SURVEY_BUILT_IN; i++) {
                put_element(out, "<p class=\"end\" lang=\"", span_of(survey_built_in[i].lang), "\">");
                put_element(out, "", span_of(line_of(kind, &survey_built_in[i])), "</p>");
        }
}

static void put_body(struct writer *out, enum survey_html_kind kind, const struct protocol_survey_page_result *page,
                     const struct survey_words *words)
{
        const struct protocol_survey_shown *shown = &page->shown;
        bool is_locked = shown->has_locked && shown->locked;
        struct span line =
                kind == SURVEY_HTML_THANKS && shown->has_thanks ? shown->thanks : span_of(line_of(kind, words));
        if (shown->has_brand)
                put_element(out, "<p class=\"brand\">", shown->brand, "</p>");
        if (kind == SURVEY_HTML_FORM && shown->state == PROTOCOL_SURVEY_SHOWN_STATE_ANSWERED) {
                put_element(out, "<p class=\"note\">", span_of(words->answered), " ");
                put_element(out, "", span_of(words->change), "</p>");
        }
        if (kind == SURVEY_HTML_AGAIN)
                put_element(out, "<p class=\"note bad\" role=\"alert\">", line, "</p>");
        if (kind == SURVEY_HTML_FORM || kind == SURVEY_HTML_AGAIN) {
                put_form(out, page, words, kind == SURVEY_HTML_AGAIN);
                return;
        }
        put_element(out, "<p class=\"end\" role=\"status\">", line, "</p>");
        if (kind == SURVEY_HTML_THANKS && !is_locked)
                put_element(out, "<a href=\"\">", span_of(words->change), "</a>");
}

void survey_html_write(enum survey_html_kind kind, const struct protocol_survey_page_result *page, struct writer *out,
                       char out_csp[SURVEY_HTML_CSP])
{
        bool is_known = kind < SURVEY_HTML_BAD_LINK;
        const struct survey_words *words = is_known ? survey_words_of(page->lang) : NULL;
        struct sheet sheet;
        if (!words)
                words = &survey_built_in[0];
        sheet_make(is_known ? &page->shown : NULL, &sheet);
        write_csp(&sheet, out_csp);
        put_head(out, is_known ? page->lang : span_of(words->lang), is_known ? page->text : SPAN("Survey"), &sheet);
        if (is_known)
                put_body(out, kind, page, words);
        else
                put_lines(out, kind);
        put(out, "</main></body></html>\n");
}
