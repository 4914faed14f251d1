/* SPDX-License-Identifier: Apache-2.0 */
/* Survey HTML: the page of a signed link, in the language of the offer. One document, no script, no resource from
 * anywhere; its style is allowed by its hash alone. Everything that people have written is escaped. Pure; any thread.
 */
#pragma once

#include "protocol/writer.h"
#include "protocol_generated.h"

enum survey_html_kind {
        SURVEY_HTML_FORM,     /* to be answered, or to be changed */
        SURVEY_HTML_AGAIN,    /* the same, with what was sent, what is missing marked */
        SURVEY_HTML_THANKS,   /* the answer is stored */
        SURVEY_HTML_ANSWERED, /* it was answered, and is locked */
        SURVEY_HTML_ENDED,    /* expired or withdrawn */
        SURVEY_HTML_BAD_LINK, /* no link of ours: `page` is not looked at */
        SURVEY_HTML_OVER,     /* its time is over: the same */
        SURVEY_HTML_LATER,    /* something is wrong here: the same */
};

enum { SURVEY_HTML_CSP = 256 };

/* The document into `out` (which may have failed), and the value of its Content-Security-Policy. */
void survey_html_write(enum survey_html_kind kind, const struct protocol_survey_page_result *page, struct writer *out,
                       char out_csp[SURVEY_HTML_CSP]);
