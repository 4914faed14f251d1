/* SPDX-License-Identifier: Apache-2.0 */
/* Facts: what a condition may ask about a ticket, and how the ticket core answers. The names and types are the table of
 * facts.c; the answers come from ticket_fact() (desk/tickets/). Pure but for ticket_fact, which is for the desk thread.
 */
#pragma once

#include "protocol/span.h"

struct conversation;
struct desk;
struct ticket;

/* How a fact is compared, and which member of struct fact_value answers. */
enum fact_type {
        FACT_AS_WORD,    /* `number`: one of the fact's words, by its place; 0 = none. Unordered */
        FACT_AS_LEVEL,   /* the same, ordered: priority, sla */
        FACT_AS_ID,      /* `number`: a row id, 0 = none: team, assignee, app, customer */
        FACT_AS_TEXT,    /* `text`; empty or absent = not set. Compared without regard to ASCII letter case */
        FACT_AS_SET,     /* `items`, `count`: texts */
        FACT_AS_NUMBER,  /* `number` */
        FACT_AS_SINCE,   /* `number`: the moment (wall ms) since which it counts; its value grows with time */
        FACT_AS_UNTIL,   /* `number`: the moment (wall ms) it counts down to; negative once it has passed */
        FACT_AS_BOOL,    /* `number`: 0 or 1 */
        FACT_AS_DYNAMIC, /* a named field or attribute: `type` says which of TEXT, SET, NUMBER, BOOL it is */
};

/* X(NAME, name, type, flags). The order is the order of enum fact. */
#define FACTS(X)                                                                                                       \
        X(STATUS, "status", FACT_AS_WORD, 0)      /* enum ticket_status */                                             \
        X(PRIORITY, "priority", FACT_AS_LEVEL, 0) /* enum ticket_priority */                                           \
        X(TEAM, "team", FACT_AS_ID, 0)                                                                                 \
        X(ASSIGNEE, "assignee", FACT_AS_ID, 0) /* principal row */                                                     \
        X(SUBJECT, "subject", FACT_AS_TEXT, 0)                                                                         \
        X(TOPIC, "topic", FACT_AS_TEXT, 0)                                                                             \
        X(TAG, "tag", FACT_AS_SET, 0)                                                                                  \
        X(SKILL, "skill", FACT_AS_SET, 0)                                                                              \
        X(APP, "app", FACT_AS_ID, 0)                                                                                   \
        X(LANGUAGE, "language", FACT_AS_TEXT, 0) /* BCP 47: ko, pt-BR; "ko" asks for ko and ko-KR */                   \
        X(NUMBER, "number", FACT_AS_NUMBER, 0)   /* of the ticket */                                                   \
        X(REOPENS, "reopens", FACT_AS_NUMBER, 0)                                                                       \
        X(UNANSWERED, "unanswered", FACT_AS_NUMBER, 0) /* customer messages since the last public word of a person */  \
        X(AGE, "age", FACT_AS_SINCE, 0)                /* since it was issued */                                       \
        X(WAITING, "waiting", FACT_AS_SINCE, 0)   /* since the oldest unanswered message; absent = nobody waits */     \
        X(ACTIVITY, "activity", FACT_AS_SINCE, 0) /* since the newest public entry */                                  \
        X(DUE, "due", FACT_AS_UNTIL, 0)           /* the next SLA deadline that runs; absent = none runs */            \
        X(SNOOZE, "snooze", FACT_AS_UNTIL, 0)     /* when it wakes up; absent = not snoozed until a time */            \
        X(SLA, "sla", FACT_AS_LEVEL, 0)           /* enum fact_sla */                                                  \
        X(BOT, "bot", FACT_AS_BOOL, 0)            /* a bot owns the conversation */                                    \
        X(CUSTOMER, "customer", FACT_AS_ID, 0)    /* principal row */                                                  \
        X(CUSTOMER_NAME, "customer.name", FACT_AS_TEXT, 0)                                                             \
        X(CUSTOMER_EMAIL, "customer.email", FACT_AS_TEXT, 0)                                                           \
        X(CUSTOMER_TIER, "customer.tier", FACT_AS_TEXT, 0)                                                             \
        X(CUSTOMER_TAG, "customer.tag", FACT_AS_SET, 0)                                                                \
        X(CUSTOMER_VERIFIED, "customer.verified", FACT_AS_BOOL, 0)                                                     \
        X(CUSTOMER_ATTRIBUTE, "customer.*", FACT_AS_DYNAMIC, 0) /* `name`: the attribute */                            \
        X(FIELD, "field.*", FACT_AS_DYNAMIC, 0)                 /* `name`: the ticket's custom field */                \
        X(HOURS, "hours", FACT_AS_BOOL, FACT_ONLY_IN_RULES) /* its team's schedule (or the workspace's) is open now */ \
        X(MESSAGE, "message", FACT_AS_TEXT, FACT_ONLY_IN_RULES) /* the customer's first message of the ticket */       \
        X(HANDOFF, "handoff", FACT_AS_TEXT,                                                                            \
          FACT_ONLY_IN_RULES) /* the team's word that the bot gave when it handed over                                 \
                               */

enum {
        FACT_ONLY_IN_RULES = 1, /* not kept in memory: may not be asked by a view or by ticket.list */
        FACT_SET_MAX = 64,      /* items of one set that can be answered */
        FACT_NAME_BYTES = 64,   /* of a field or attribute */
};

enum fact {
#define ROW(NAME, name, type, flags) FACT_##NAME,
        FACTS(ROW)
#undef ROW
                FACTS_COUNT
};

/* Words of the fact `sla`. */
enum fact_sla {
        FACT_SLA_NONE,               /* no policy, or nothing promised */
        FACT_SLA_ACTIVE,             /* a target runs, none was missed */
        FACT_SLA_HIT,                /* all that ended was in time, nothing runs */
        FACT_SLA_ACTIVE_WITH_MISSES, /* a target runs and one was missed */
        FACT_SLA_MISSED,             /* nothing runs and one was missed */
};

struct fact_value {
        enum fact_type type; /* filled by the caller from the table; a FACT_AS_DYNAMIC fact says its own */
        bool is_set;         /* false: it has no value; everything else is ignored */
        int64_t number;
        struct span text;
        const struct span *items; /* borrowed until the scene ends; may point into `room` */
        uint32_t count;
        struct span room[FACT_SET_MAX]; /* for whoever answers; not initialised */
};

/* What is looked at. Borrowed for the time of one evaluation. */
struct fact_scene {
        struct desk *desk;
        const struct ticket *ticket;
        struct conversation *conversation; /* NULL but in rules: facts that are only in rules need it */
        int64_t now_ms;                    /* wall */
        int64_t me;                        /* principal row that `me` means; 0 = nobody */
};

/* The value of `fact`; `name` is what follows the dot of customer.* and field.*. `out` comes with `type` of the table
 * and is_set false. 0, or a negative protocol error (the store failed; only facts of rules read it). */
int ticket_fact(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out);

struct fact_info {
        const char *name;
        enum fact_type type;
        unsigned flags;
        const char *const *words; /* FACT_AS_WORD and FACT_AS_LEVEL: [0] is "none"; NULL otherwise */
        uint32_t word_count;
};

struct fact_info fact_info(enum fact fact);

/* The fact of that name as it is written in a condition. `out_name` gets what follows the dot of customer.* and field.*
 * (borrowed from `text`), else it is empty. 0, or -1 when there is none. */
int fact_find(struct span text, enum fact *out_fact, struct span *out_name);
