/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz survey: what strangers send to the page of a survey. The first byte chooses: a link, or a form. A link that
 * nobody made is never good; what a form becomes is JSON that decodes strictly, or nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/surveys/survey_link.h"
#include "fuzz.h"
#include "protocol/reader.h"
#include "protocol_generated.h"
#include "session/survey_form.h"
#include "session/survey_html.h"

static void check(bool claim, const char *what)
{
        if (claim)
                return;
        fprintf(stderr, "fuzz_survey: %s\n", what);
        abort();
}

static void fuzz_link(struct span path)
{
        static const uint8_t key[LINK_KEY_BYTES] = {1};
        char again[SURVEY_LINK_TEXT];
        struct survey_link link;
        if (survey_link_read(path, &link) < 0)
                return;
        check(!survey_link_is_made(&link, key), "a link that nobody made is good");
        check(survey_link_write(again, key, link.offer, link.expires_ms) == path.len, "of another length");
        check(memcmp(again, path.at, path.len - LINK_MAC_BYTES * 2 - 1) == 0, "another offer or time");
}

/* What was said stands in the page as text: no element but the page's own. */
static void fuzz_page(struct span text)
{
        struct protocol_survey_page_result page = {.lang = SPAN("en"), .text = text};
        char csp[SURVEY_HTML_CSP];
        struct writer out;
        page.shown.max = 5;
        page.shown.has_brand = page.shown.has_colour = true;
        page.shown.brand = page.shown.colour = text;
        writer_init(&out, NULL, 0);
        survey_html_write(SURVEY_HTML_FORM, &page, &out, csp);
        check(out.failed || !memmem(out.bytes, out.len, "<script", 7), "markup");
        writer_done(&out);
}

static void fuzz_form(char *body, size_t len)
{
        struct protocol_survey_reply reply = {0};
        struct fault fault = {0};
        struct reader reader;
        struct arena arena;
        struct writer out;
        writer_init(&out, NULL, 0);
        arena_init(&arena, NULL, 0);
        if (survey_form_read(body, len, 1, &out) == 0) {
                reader_init(&reader, out.bytes, out.len, READER_STRICT, &arena, &fault);
                int rc = protocol_survey_reply_read(&reader, &reply);
                check(rc == 0 || fault.code != 0, "refused without a reason");
                check(rc < 0 || (reply.offer == 1 && reply.answers_count <= 5), "more than was asked");
                if (rc == 0 && reply.has_said)
                        fuzz_page(reply.said);
        }
        arena_done(&arena);
        writer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
        if (len == 0)
                return 0;
        char *exact = malloc(len);
        check(exact != NULL, "memory");
        memcpy(exact, bytes + 1, len - 1);
        if (bytes[0] % 2 == 0)
                fuzz_link((struct span){exact, len - 1});
        else
                fuzz_form(exact, len - 1);
        free(exact);
        return 0;
}
