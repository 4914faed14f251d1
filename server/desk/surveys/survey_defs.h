/* SPDX-License-Identifier: Apache-2.0 */
/* Survey definitions: what can be asked, when, of whom, and in which words.
 *
 * Always true: a version of a definition is never changed once it is stored; each edit makes the next one, and offers
 * name the version that was shown. The newest version of each survey is in memory, those of removed surveys too.
 * Desk thread only. What is lent here lives until the end of the running command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/command.h"
#include "protocol/arena.h"

struct condition;
struct desk;
struct survey_defs;
struct ticket;

enum {
        SURVEYS_MAX = 100,        /* that are not removed */
        SURVEY_LANGUAGES = 20,    /* texts of one survey */
        SURVEY_FORM_BYTES = 65536 /* of one version as it is stored */
};

/* Why a customer is asked; as in survey_offer.cause. */
enum survey_cause {
        SURVEY_CAUSE_SOLVED = 1,
        SURVEY_CAUSE_CLOSED = 2,
        SURVEY_CAUSE_LATER = 3,      /* days after it was solved */
        SURVEY_CAUSE_HAND = 4,       /* an agent asks */
        SURVEY_CAUSE_APP = 5,        /* a back end asks */
        SURVEY_CAUSE_AUTOMATION = 6, /* a macro asks */
        SURVEY_CAUSE_CASE = 7,       /* a recovery case was worked on */
};

/* The newest version of a survey. */
struct survey {
        int64_t id;         /* row id of survey */
        uint64_t ext;       /* sur_... */
        int64_t version_id; /* row id of survey_version */
        int64_t version;    /* its number, from 1 */
        int64_t since_ms;   /* of that version */
        const char *name;
        int metric;   /* enum protocol_survey_shown_metric: 1 csat, 2 nps, 3 ces */
        int style;    /* enum protocol_survey_shown_style */
        int min, max; /* lowest and highest score */
        bool is_enabled;
        bool is_removed;       /* never asked again; what was asked stays */
        uint32_t triggers;     /* bits 1u << enum survey_cause: solved, closed, later, case; the others need a name */
        int64_t delay_ms;      /* after solved or closed, until it is asked */
        int64_t days_after_ms; /* after solved, of `later` */
        int64_t remind_ms;     /* after it was asked and not answered; 0 = never */
        int64_t until_ms;      /* answers are taken for so long */
        int64_t change_ms;     /* an answer may be changed for so long */
        int sample_percent;    /* 1..100 */
        int64_t customer_interval_ms; /* nobody is asked the same metric twice within it; 0 = no limit */
        int64_t min_text;             /* code points that customer and people wrote since the ticket began */
        int64_t max_age_ms;           /* since the last reply; 0 = no limit */
        bool asks_bot;                /* also when no person replied */
        bool takes_comment, takes_contact;
        struct condition *audience; /* NULL: every ticket */
        uint32_t audience_tests;
        /* of the files of this folder */
        const char *when;                        /* the audience, as it is stored */
        const struct protocol_survey_form *form; /* whole, but for `when` */
        struct arena arena;                      /* what is lent from here */
        bool is_audience_read;
};

/* ---- life; of surveys.c ---- */

int survey_defs_init(struct desk *desk, struct survey_defs **out_defs); /* reads all; 0 or a negative db_error */
struct survey_defs *survey_defs_free(struct survey_defs *defs);         /* NULL is welcome; returns NULL */
void survey_defs_committed(struct desk *desk);
void survey_defs_rolled_back(struct desk *desk);

/* ---- finding; NULL: there is none ---- */

const struct survey *survey_find(const struct desk *desk, uint64_t ext);      /* not removed */
const struct survey *survey_named(const struct desk *desk, struct span name); /* by name, or by id as text */
const struct survey *survey_by_id(const struct desk *desk, int64_t id);       /* row id; removed ones too */
/* Which one this ticket is asked about: of those that are enabled, have that cause among their triggers and whose
 * audience it is in, the one whose audience says most (has most tests), then the older. One, so one metric a touch.
 * For SURVEY_CAUSE_CASE, when no survey has it among its triggers, as for SURVEY_CAUSE_SOLVED. */
const struct survey *survey_for(struct desk *desk, const struct ticket *ticket, enum survey_cause cause);
/* Whether the ticket is in its audience: for a survey that was named. */
bool survey_asks_ticket(struct desk *desk, const struct survey *survey, const struct ticket *ticket);

/* ---- showing ---- */

/* What the customer reads: text, fallback_text and content.survey, with survey, version, scale, words in the language
 * nearest to `lang` ("" = not known): the exact tag, its base language, another region of it, the survey's own. The
 * caller adds offer, state and until. Memory is the arena's and the survey's. 0 or -PROTOCOL_ERR_INTERNAL (memory). */
int survey_show(const struct survey *survey, struct span lang, struct arena *arena,
                struct protocol_content *out_content);
/* The language that survey_show takes for `lang`. */
struct span survey_lang(const struct survey *survey, struct span lang);
