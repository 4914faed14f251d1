/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of recovery/ share. Desk thread only, but for case_row_load and what says otherwise.
 *
 * Cases live in the store; memory keeps the settings, how many are open, and when time brings something next. A handler
 * loads a case, changes it, and case_changed writes it with a line in its log. */
#pragma once

#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/recovery/recovery.h"

enum {
        CASES_AT_ONCE = 200,
        CASE_WORD = 65,          /* of a cause, a reason, a tier, with its end */
        CASE_ACTIONS = 50,       /* of a case */
        CASE_REASONS = 50,       /* told by recovery.get */
        CASE_TIERS = 20,         /* whose missed targets open one */
        CASE_CAUSES = 100,       /* of a workspace */
        CHAT_EVERY_MS = 3600000, /* messages of the owner within that time are one contact */
        LOOK_EVERY_MS = 10000,   /* while a case has no owner */
};

/* In the store, and in the protocol; a number never changes its meaning. */
enum case_stage { CASE_OPEN = 1, CASE_CONTACTED, CASE_RESOLVED, CASE_REOPENED, CASE_WITHDRAWN };
enum case_outcome { CASE_RECOVERED = 1, CASE_NOT_RECOVERED, CASE_UNREACHABLE, CASE_DECLINED };
enum case_kind { KIND_SCORE = 1, KIND_TICK, KIND_SLA, KIND_HAND, KIND_AGAIN };
enum case_told { TOLD_CONTACT = 1, TOLD_FIX = 2 };

/* Kinds of lines in a log, with what `word`, `number`, `other` and `text` say. */
enum case_what {
        WHAT_OPENED = 1,     /* word: of the trigger; number: score + 1, 0 = none; text: note */
        WHAT_REPEATED,       /* the same */
        WHAT_ANSWER_CHANGED, /* number: score + 1 */
        WHAT_WITHDRAWN,      /* word: reason */
        WHAT_ASSIGNED,       /* number: row id of the owner; word: why */
        WHAT_UNASSIGNED,     /* word: why */
        WHAT_CONTACT,        /* number: channel, and 16 when he was reached; other: seq of a message; text: note */
        WHAT_ACTION,         /* number: of the action; other: row id of who; text: what */
        WHAT_ACTION_DONE,    /* number */
        WHAT_CAUSE,          /* word */
        WHAT_COMPENSATION,   /* word: currency, a space, what; number: amount; text: note */
        WHAT_RESOLVED,       /* number: outcome; word: reason; text: note */
        WHAT_REOPENED,       /* word: reason; number: score + 1; text: note */
        WHAT_ESCALATED,      /* word: contact or fix */
        WHAT_ASKED_AGAIN,
        WHAT_ANSWERED_AGAIN, /* number: score + 1 */
        WHAT_MERGED,         /* number: reasons that came from another case, or (below 0) went there */
};
enum { CONTACT_REACHED = 16 };

struct case_score {
        int metric; /* 0 = none; enum protocol_survey_shown_metric */
        bool has_score;
        int score, top;
};

struct recovery_case {
        int64_t id;
        uint64_t ext, conv_ext;
        int64_t customer, conv, ticket, rated, team, owner; /* row ids; 0 = none */
        bool is_invited;
        enum case_stage stage;
        enum case_outcome outcome; /* 0 = none */
        char reason[CASE_WORD], cause[CASE_WORD], tier[CASE_WORD];
        int64_t opened_ms, from_ms, schedule, contact_within_ms, fix_within_ms, contact_due_ms, fix_due_ms;
        int64_t first_ms; /* first contact of all */
        bool is_in_time;
        int64_t contacted_ms, taken_on_ms; /* since from_ms; 0 = not yet */
        bool is_fix_in_time;
        int64_t resolved_ms, contacts, triggers, reopens, escalations, earlier;
        struct case_score before, after;
        int64_t resurvey_ms, asked_ms, told, next_ms, version;
};

/* A line for the log. */
struct case_line {
        enum case_what what;
        const char *word; /* NULL = "" */
        int64_t number, other;
        struct span text; /* absent = none */
};

struct recovery_settings {
        int csat_low, nps_low, ces_low;
        bool takes_tick, is_business;
        int64_t contact_ms, fix_ms, resurvey_ms;
        char tiers[CASE_TIERS * CASE_WORD]; /* one a line */
};

struct recovery {
        struct recovery_settings settings;
        int64_t open_count, ownerless_count;
        int64_t next_ms;  /* INT64_MAX = nothing */
        int64_t look_ms;  /* when cases without an owner are looked at again */
        bool has_to_look; /* at all open ones */
        bool is_moved;    /* in this batch: the three above are counted again after it */
        bool are_settings_moved;
};

static inline bool case_is_open(const struct recovery_case *one)
{
        return one->stage == CASE_OPEN || one->stage == CASE_CONTACTED || one->stage == CASE_REOPENED;
}

/* ---- case_rows.c ---- */

/* Any thread with its own connection. DB_ROW, DB_OK (none), or a db_error. */
int case_row_load(struct db *db, int64_t id, struct recovery_case *out_case);
int case_row_find(struct db *db, int64_t workspace, uint64_t ext, int64_t *out_id);
/* The desk's: 0, -PROTOCOL_ERR_NOT_FOUND, or the store failed. */
int case_load(struct desk *desk, int64_t id, struct recovery_case *out_case);
/* Raises its version, writes it with a line of its log, and tells whom it concerns. `actor`: row id; 0 = the desk. 0 or
 * a negative protocol error (the store failed). */
int case_changed(struct desk *desk, struct recovery_case *one, int64_t actor, const struct case_line *line);
int case_save(struct desk *desk, struct recovery_case *one); /* as it is, without a line */
int case_log(struct desk *desk, const struct recovery_case *one, int64_t actor, const struct case_line *line);
/* Row ids of the statement, at most `max`: how many, or the store failed. */
int case_ids(struct desk *desk, enum sql_id statement, int64_t first, int64_t second, int64_t *out_ids, int max);
/* One number of a statement; absent: 0. The same. */
int case_number(struct desk *desk, enum sql_id statement, int64_t first, int64_t second, int64_t *out_number);
/* When time brings something next; 0 = never. Pure. */
int64_t case_next_ms(const struct recovery_case *one);

/* ---- case_life.c: what becomes of a case ---- */

/* Its deadlines by its schedule as it is now. */
void case_reckon(const struct desk *desk, struct recovery_case *one);
/* Each writes the case with its line. 0 or a negative protocol error (the store failed). */
int case_contact(struct desk *desk, struct recovery_case *one, int64_t actor, int channel, bool reached, int64_t seq,
                 struct span note);
int case_resolve(struct desk *desk, struct recovery_case *one, int64_t actor, enum case_outcome outcome,
                 const char *reason, struct span note);
int case_withdraw(struct desk *desk, struct recovery_case *one, const char *reason);
/* Its deadlines begin anew. `score`: what the customer said, NULL = nothing. */
int case_reopen(struct desk *desk, struct recovery_case *one, enum case_stage stage, int64_t actor, const char *reason,
                const struct case_score *score, struct span note);
void case_take_on(struct desk *desk, struct recovery_case *one); /* in memory: judged now */
int case_run_due(struct desk *desk, struct recovery_case *one);  /* what time brings */

/* ---- case_open.c ---- */

struct case_reason {
        enum case_kind kind;
        const char *word;
        int64_t offer;
        uint64_t offer_ext;
        int64_t ticket, conv, customer, rated, team, actor;
        struct case_score score;
        struct span note;
};
/* Opens one, or adds the reason to the customer's open one. *out_repeated: the latter. */
int case_open(struct desk *desk, const struct case_reason *reason, struct recovery_case *out_case, bool *out_repeated);
/* The open case of a customer, other than `but`: 1, 0, or the store failed. */
int case_open_of(struct desk *desk, int64_t customer, int64_t but, struct recovery_case *out_case);
int case_add_reason(struct desk *desk, struct recovery_case *one, const struct case_reason *reason);
bool score_is_low(const struct recovery_settings *settings, const struct case_score *score); /* pure */
/* All reasons of `from`, which is over then, go to `into`. */
int case_fold(struct desk *desk, struct recovery_case *from, struct recovery_case *into);
int case_score_before(struct desk *desk, struct recovery_case *one); /* reads it again */

/* ---- case_owner.c ---- */

/* Whose the conversation is: what an agent's reach is asked about. 0 or a negative protocol error. */
int case_place(struct desk *desk, const struct recovery_case *one, int64_t *out_team, int64_t *out_assignee);
bool case_is_read_by(struct desk *desk, const struct recovery_case *one, const struct agent_profile *agent);
/* 1, 0, or the store failed: the agent is one whom the case is about. */
int case_is_about(struct desk *desk, const struct recovery_case *one, int64_t agent);
/* Looks for an owner when the one it has may not be. Says so in the log. 0 or the store failed. */
int case_owner_check(struct desk *desk, struct recovery_case *one, const char *why);
/* His from now on, in memory and with his invitation; 0 = nobody's. -PROTOCOL_ERR_TOO_MANY: he cannot be invited. */
int case_give(struct desk *desk, struct recovery_case *one, int64_t agent);
int case_let_go(struct desk *desk, struct recovery_case *one); /* the invitation is taken back */

/* ---- case_tell.c ---- */
void case_tell(struct desk *desk, const struct recovery_case *one, enum case_what what);
/* A note in the team's log of the conversation. 0 or the store failed. */
int case_note(struct desk *desk, const struct recovery_case *one, int64_t actor, const char *text);
void case_describe_score(const struct case_score *score, char out[64]); /* "score 1 of 5", "no score" */

/* ---- case_settings.c ---- */
int recovery_settings_load(struct desk *desk); /* 0 or a db_error */
bool recovery_has_tier(const struct recovery_settings *settings, struct span tier);
/* 1, 0, or the store failed: the word is a cause. */
int recovery_has_cause(struct desk *desk, struct span cause);
