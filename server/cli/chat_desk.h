/* SPDX-License-Identifier: Apache-2.0 */
/* What agents do with tickets, teams and views in the terminal client, and what customers are told of their ticket;
 * shared between the files of it. As chat.h: one thread, the loop of chat.c. Commands run one after the other, each
 * when the one before is answered and everything written before is on the server. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct chat;

/* What became of a call that the server has done; `result` is lent, `text` is what chat_call was given. */
typedef void chat_answer(struct chat *chat, json_t *result, const char *text);

struct chat_desk {
        char me[24];            /* own id; "" = not known yet */
        json_t *tickets;        /* conversation -> its ticket as known last: ticket_brief, with what ticket.get told */
        json_t *teams, *agents; /* id -> name */
        char viewing[18];       /* the conversation that the team is told of; "" = none */
        char status[96];        /* own; "" = not told */
        char offer[24];         /* the ticket that is offered; "" = none */
        char offer_conv[24];    /* its conversation */
        json_t *viewers;        /* of the open conversation; NULL = not told */
        json_t *views;          /* id -> view, as listed last; NULL = never */
        char view[24];          /* the one that is shown; "" = none */
        char view_name[128];
        json_t *view_rows; /* its tickets, in order */
        long long view_count, view_turn;
        struct desk_line *waiting; /* lines that have not run yet */
        int calls;                 /* under way */
        bool is_fresh;             /* the ticket was asked for since the last command */
        bool is_greeted;           /* names, ticket and view were asked for in this session */
};

/* ---- chat_desk.c ---- */
int chat_desk_begin(struct chat *chat); /* when there is a client; 0 or a deskbell_error */
void chat_desk_done(struct chat *chat);
void chat_desk_state(struct chat *chat, const char *principal); /* the connection has changed */
void chat_desk_opened(struct chat *chat);                       /* another conversation is shown */
bool chat_desk_is_idle(const struct chat *chat);
void chat_desk_pump(struct chat *chat); /* runs what waits and can run */
/* Whether the line waits for its turn behind commands of before, or for the connection. */
bool chat_desk_takes(struct chat *chat, const char *line);
/* Calls a method; `params` is taken, `text` copied. A refusal is told, and counts as failed in a pipe. */
void chat_call(struct chat *chat, const char *method, json_t *params, chat_answer *fn, const char *text);
/* The same; a refusal is not told. */
void chat_ask(struct chat *chat, const char *method, json_t *params, chat_answer *fn, const char *text);
json_t *chat_params(const char *format, ...);                      /* as json_pack, with a fresh cmid; never NULL */
const char *chat_member(const json_t *object, const char *member); /* a text, or "" */

/* ---- chat_known.c: tickets as known, and in words ---- */
json_t *chat_ticket(struct chat *chat); /* of the open conversation; NULL = none known; lent */
json_t *chat_ticket_of(const struct chat *chat, const char *conv);
json_t *chat_ticket_numbered(const struct chat *chat, long long number);
/* What was told of a conversation's ticket; one line tells it when it is the open one's and something is new. */
void chat_take_ticket(struct chat *chat, const char *conv, const json_t *told);
void chat_describe_ticket(const json_t *ticket, char *out, size_t room); /* "#12 open, high, Orders, Ada" */
void chat_refresh_ticket(struct chat *chat);

/* ---- chat_ticket.c, chat_work.c, chat_view.c ---- */
/* Whether the line is a command of agents; then it was run. */
bool chat_ticket_command(struct chat *chat, const char *line);
bool chat_work_command(struct chat *chat, const char *line);
bool chat_view_command(struct chat *chat, const char *line);
bool chat_ticket_has(const char *line);
bool chat_work_has(const char *line);
/* ---- chat_case.c: recovery cases ---- */
bool chat_case_command(struct chat *chat, const char *line);
bool chat_case_has(const char *line);
void chat_case_told(struct chat *chat, const json_t *params); /* its event */
bool chat_is_desk_command(const char *line);
void chat_view_again(struct chat *chat); /* a new session */
void chat_work_again(struct chat *chat);
void chat_view_close(struct chat *chat);
void chat_view_text(struct chat *chat, char *out, size_t room);              /* what is shown of it */
void chat_describe_viewers(const struct chat *chat, char *out, size_t room); /* the others; "" = nobody */
void chat_view_told(struct chat *chat, const json_t *params);                /* its event */
void chat_views_told(struct chat *chat, const json_t *params);               /* counts */
void chat_work_told(struct chat *chat, const char *event, const json_t *params);

struct desk_command {
        const char *name;
        void (*run)(struct chat *chat, const char *text);
};
/* Runs the one that `line` names; false: it names none of them. */
bool chat_run(struct chat *chat, const struct desk_command *commands, size_t count, const char *line);
bool chat_names(const struct desk_command *commands, size_t count, const char *line); /* one of them */
extern const char chat_desk_help[];
