/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets: episodes of a conversation that need people, from the customer's first message to solved and closed. All
 * that are not closed are in memory; a closed one is read from the store.
 *
 * Always true: a conversation has at most one ticket that is not closed; its status moves only along the table of
 * life.json; each change of it is an entry of kind `change` in the team's log, with who and why, and raises its version
 * by one, so that whoever knows an older version is refused instead of overwriting. A changed ticket is written once,
 * at the end of its batch, and read again after a rollback.
 * Desk thread only, but for what says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/command.h"
#include "ticket_life.h"

struct conversation;
struct db;
struct desk;
struct entry_row;
struct sla_clock;
struct ticket_route;

enum ticket_priority { PRIORITY_LOW = 1, PRIORITY_NORMAL = 2, PRIORITY_HIGH = 3, PRIORITY_URGENT = 4 };

/* What has happened, as the parts that follow a ticket are told. */
enum ticket_happening {
        TICKET_MADE,           /* it begins; its status says whose it is */
        TICKET_CUSTOMER_WROTE, /* a public message by the customer */
        TICKET_STAFF_WROTE,    /* a public message by a person of the team */
        TICKET_STATUS,         /* was_status says from where */
        TICKET_HANDED,         /* from the bot to people; TICKET_STATUS is told before */
        TICKET_PLACE,          /* team or assignee */
        TICKET_DETAILS,        /* priority, subject, topic, language, tags, skills, custom fields */
};

enum {
        TICKET_TAGS = 20,
        TICKET_SKILLS = 10,
        TICKET_WORD_BYTES = 64,     /* of a tag, a skill, a topic */
        TICKET_FIELDS_BYTES = 8192, /* custom fields, as JSON */
        TICKET_SUBJECT_POINTS = 200
};

struct ticket {
        int64_t id; /* row id */
        uint64_t ext;
        int64_t number; /* counted in the workspace, for people */
        int64_t conv, customer, app;
        uint64_t conv_ext;
        enum ticket_status status;
        enum ticket_status was_status; /* before the last TICKET_STATUS */
        int64_t status_ms;             /* since when */
        enum ticket_priority priority;
        int64_t team, assignee; /* row ids; 0 = none */
        int64_t version;
        char *subject, *topic; /* NULL = none */
        char lang[36];         /* "" = not known */
        char *tags[TICKET_TAGS], *skills[TICKET_SKILLS];
        size_t tag_count, skill_count;
        char *fields;           /* custom ones: a JSON object; NULL = none */
        int64_t first_seq;      /* of the message it began with; 0 = none yet */
        int64_t issued_ms;      /* of that message: all clocks start here */
        int64_t queued_ms;      /* since when it waits for somebody to take it; 0 = it does not */
        int64_t assigned_ms;    /* first time */
        int64_t first_reply_ms; /* of a person */
        int64_t solved_ms;      /* first time */
        int64_t last_solved_ms; /* 0 = never */
        int64_t closed_ms;
        int64_t reopens, transfers;
        int64_t snooze_until_ms;    /* while snoozed; 0 = until the next reply */
        int64_t consent_seq;        /* the question "is it solved?" that waits for the customer; 0 = none */
        int64_t reminded_ms;        /* since it waits for the customer; 0 = not yet */
        bool is_exempt;             /* never solved or closed by time */
        bool is_handed;             /* people have it after the bot */
        int64_t follows;            /* row id of the closed one it goes on with; 0 = none */
        int64_t merged_into;        /* row id; 0 = none */
        int64_t split_from;         /* row id; 0 = none */
        char close_reason[20];      /* "" = none */
        int64_t customer_ms;        /* of the oldest message that nobody has answered; 0 = we spoke last */
        int64_t last_ms;            /* of the newest public message */
        int64_t unanswered;         /* public messages of the customer since then; as after the last batch */
        bool is_bots;               /* a bot owns the conversation; the same */
        struct sla_clock *sla;      /* hours/: NULL = none */
        struct ticket_route *route; /* routing/: NULL = none */

        struct ticket *ext_next, *conv_next; /* hash chains */
        struct ticket *changed_next;
        size_t place;      /* in tickets.all */
        size_t heap_place; /* in tickets.heap; SIZE_MAX = not there */
        int64_t due_ms;    /* the next thing that time brings; INT64_MAX = nothing */
        bool is_changed;   /* in this batch */
        bool is_dirty;     /* has to be written */
        bool is_new;       /* made in this batch */
};

struct tickets {
        struct ticket **all; /* not closed, no order */
        size_t count, room;
        struct ticket **by_ext, **by_conv; /* slots */
        size_t slot_count;
        struct ticket **heap; /* by due_ms */
        size_t heap_count;
        struct ticket *changed_first;
        int64_t next_number;
        struct ticket_settings {
                int64_t idle_ms;       /* open and ours was the last word for so long: waiting; 0 = never */
                int64_t remind_ms;     /* waiting for so long: the customer is reminded; 0 = never */
                int64_t silent_ms;     /* reminded and silent for so long: solved; 0 = never */
                int64_t close_ms;      /* solved for so long: closed */
                int64_t bot_silent_ms; /* the bot's, silent for so long: solved */
        } settings;
        bool are_settings_changed;
};

/* Who changes a ticket. */
struct ticket_by {
        int64_t agent;   /* row id of the person; 0 = the system, which says why */
        const char *why; /* a word or a short sentence for the log; NULL = none */
        uint64_t rule;   /* outside id of the rule; 0 = none */
};

/* ---- life of the module ---- */

int tickets_init(struct desk *desk); /* reads all that are not closed; 0 or a negative db_error */
void tickets_done(struct desk *desk);
int tickets_flush(struct desk *desk); /* before a commit: 0 or a negative db_error */
void tickets_committed(struct desk *desk);
void tickets_rolled_back(struct desk *desk);
int64_t tickets_due_ms(const struct desk *desk); /* wall ms of the next tickets_run_due; INT64_MAX = never */
int tickets_run_due(struct desk *desk);          /* in a batch; 0 or a negative protocol error (the store failed) */

/* ---- finding ---- */

struct ticket *tickets_find(const struct desk *desk, uint64_t ext); /* not closed; NULL: none */
struct ticket *tickets_by_id(const struct desk *desk, int64_t id);  /* the same */
struct ticket *tickets_of_conversation(const struct desk *desk, int64_t conv);
#define tickets_each(desk, at, ticket)                                                                                 \
        for (size_t at = 0; (at) < (desk)->tickets.count && ((ticket) = (desk)->tickets.all[(at)], true); (at)++)
/* One that the caller may touch. `version`: the one he knows, -1 = any. 0, -PROTOCOL_ERR_NOT_FOUND (unknown and out of
 * reach are one path), _LOCKED (closed), _STALE with what it is now, or a failure of the store. */
int ticket_for(struct desk *desk, const struct caller *caller, uint64_t ext, int64_t version,
               struct ticket **out_ticket, struct fault *fault);
/* Its conversation. 0 or a negative protocol error. */
int ticket_conversation(struct desk *desk, const struct ticket *ticket, struct conversation **out_conversation);

/* ---- as others see it ---- */

/* What lists show of the newest ticket of a conversation. 1 (then ticket_free(*out_keep) when done with `out_brief`),
 * 0: it has none, or a negative protocol error. */
int ticket_brief_of(struct desk *desk, int64_t conv, struct ticket **out_keep, struct protocol_ticket_brief *out_brief);
/* A feed row of staff gets its ticket. `out_keep` as above. */
int ticket_feed_fill(struct desk *desk, int64_t conv, struct ticket **out_keep, struct protocol_feed_row *row);

/* ---- changing: each writes its entry; 0, 1 = nothing changed, or a negative protocol error ---- */

/* Team and assignee, 0 = none. Gives a pending one that gets an assignee its status; counts transfers. */
int ticket_assign(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, int64_t team, int64_t assignee);
/* Moves it along the table; -PROTOCOL_ERR_CONFLICT when the table has no such row, with `fault` naming both. */
int ticket_apply(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, enum ticket_event event,
                 struct fault *fault);
int ticket_snooze(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, int64_t until_ms,
                  struct fault *fault);
int ticket_discard(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *reason);
int ticket_set_priority(struct desk *desk, struct ticket *ticket, const struct ticket_by *by,
                        enum ticket_priority priority);
int ticket_set_subject(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span subject);
int ticket_set_topic(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span topic);
int ticket_set_lang(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span lang);
int ticket_set_fields(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span json);
int ticket_set_exempt(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, bool is_exempt);
int ticket_add_tag(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span tag);
int ticket_remove_tag(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span tag);
int ticket_add_skill(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, struct span skill);
/* A note of the desk's own in the team's log about that ticket (routing, a miss of its SLA): `what` is a word, `text`
 * a sentence. */
int ticket_note(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *what,
                struct span text);
/* A part's field of it has changed (sla, route): it is written with the batch and told to views and feed. The version
 * stays. */
void ticket_touch(struct desk *desk, struct ticket *ticket);
void ticket_reschedule(struct desk *desk, struct ticket *ticket); /* what time brings has changed */

/* ---- what the desk tells ---- */

/* Inside the transaction of a public message, after bots_customer_wrote or bots_person_wrote. `role`: of its author.
 * 0 or a negative protocol error (the store failed). */
int tickets_message(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                    enum principal_role role);
/* The conversation has another owner: the bot, or people. */
int tickets_owner_changed(struct desk *desk, struct conversation *conversation);
/* The conversation has another customer now. The same. */
int tickets_given(struct desk *desk, struct conversation *conversation);
/* A person is erased: what his tickets are about, and their custom fields. The same. */
int tickets_erase(struct desk *desk, int64_t customer);
/* An agent has taken it from the bot without a word. */
int tickets_taken(struct desk *desk, struct conversation *conversation, int64_t agent);

/* ---- what the parts do when a ticket changes; each in its folder ---- */

/* Tells hours/ and reports/. `seq`: of the message, 0 = none. */
void ticket_happened(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq);

/* hours/ */
void sla_happened(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq);
int64_t sla_due_ms(const struct ticket *ticket);               /* INT64_MAX = nothing */
int sla_run_due(struct desk *desk, struct ticket *ticket);     /* 0 or a negative protocol error */
int sla_ticket_load(struct desk *desk, struct ticket *ticket); /* at start, after a rollback; 0 or a db_error */
int sla_ticket_save(struct desk *desk, struct ticket *ticket); /* before a commit; the same */
void sla_ticket_forget(struct ticket *ticket);
/* rules/ */
int rules_run(struct desk *desk, struct ticket *ticket, struct conversation *conversation);
/* routing/ */
void routing_wants(struct desk *desk, struct ticket *ticket); /* something the matcher cares for has changed */
int routing_run(struct desk *desk);                           /* once a batch; 0 or a negative protocol error */
int64_t routing_due_ms(const struct ticket *ticket);
int routing_run_due(struct desk *desk, struct ticket *ticket);
int routing_ticket_load(struct desk *desk, struct ticket *ticket);
int routing_ticket_save(struct desk *desk, struct ticket *ticket);
void routing_ticket_forget(struct ticket *ticket);
void routing_committed(struct desk *desk);
void routing_rolled_back(struct desk *desk);
/* views/ */
void views_committed(struct desk *desk, struct ticket *ticket, bool is_gone);
