/* SPDX-License-Identifier: Apache-2.0 */
/* Events: what the application is to be told, made on the client's thread under its lock and handed over whole. An
 * event owns all it points to. Pure. */
#pragma once

#include "cache.h"
#include "deskbell/bot.h"
#include "deskbell/desk.h"
#include "protocol/frame.h"

enum event_kind {
        EVENT_STATE,
        EVENT_ENTRY,
        EVENT_MESSAGE,
        EVENT_CONVERSATION,
        EVENT_OPENED,
        EVENT_TYPING,
        EVENT_PRESENCE,
        EVENT_UNREAD,
        EVENT_TOKEN,
        EVENT_NOTICE,
        EVENT_HISTORY,
        EVENT_PROGRESS,
        EVENT_FETCHING,
        EVENT_FETCHED,
        EVENT_SEARCH,
        EVENT_PUSH,
        EVENT_DEVICE_ANSWER,
        EVENT_TURN,
        EVENT_ACTED,
        EVENT_CALLED,
        EVENT_TOLD,
};

struct event {
        struct event *next;
        enum event_kind kind;
        struct arena arena;
        int64_t told_pos; /* MESSAGE: outbox row whose final outcome this tells; 0 = none */
        bool is_lost;     /* MESSAGE: it is in no file: nobody tells it again */
        union {
                struct deskbell_state state;
                struct deskbell_entry entry;
                struct deskbell_message message;
                struct deskbell_conversation_info info;
                struct {
                        deskbell_conversation *conversation;
                        int64_t seq, iseq;
                } opened;
                struct {
                        deskbell_conversation *conversation;
                        const char *author;
                        int is_typing;
                } typing;
                struct deskbell_presence presence;
                int64_t unread;
                int is_caught_up; /* PUSH */
                struct {
                        enum deskbell_notice notice;
                        deskbell_conversation *conversation;
                        const char *detail;
                } notice;
                struct {
                        deskbell_history_fn fn;
                        void *data;
                        int error;
                        struct deskbell_entry *entries;
                        size_t count, room;
                        int64_t head;
                        int more;
                } history;
                struct deskbell_progress progress;
                struct deskbell_device_answer found;
                struct deskbell_turn turn;
                struct deskbell_acted acted;
                struct {
                        deskbell_fetch_progress_fn progress; /* FETCHING */
                        deskbell_fetch_done_fn done;         /* FETCHED */
                        void *data;
                        int64_t fetch, received, total;
                        int error;
                        const char *path;
                } fetch;
                struct {
                        deskbell_search_fn fn;
                        void *data;
                        int error;
                        struct deskbell_found *found;
                        size_t count;
                        const char *next;
                        int is_cut;
                } search;
                struct {
                        deskbell_call_fn fn;
                        void *data;
                        int error;
                        const char *result;
                } called;
                struct {
                        const char *name, *params;
                } told;
        };
};

struct event *event_new(enum event_kind kind); /* NULL: out of memory */
struct event *event_free(struct event *event); /* NULL is welcome; always returns NULL */
bool event_is_owed(const struct event *event); /* a callback that runs exactly once, whatever happens */

/* A zero-terminated copy in the event's memory; "" for an absent span. NULL: out of memory. */
char *event_text(struct event *event, struct span text);

/* Fills `out` with copies in the event's memory. `who_am_i` decides is_mine. 0 or DESKBELL_E_NOMEM. */
int event_fill_entry(struct event *event, struct deskbell_entry *out, deskbell_conversation *conversation,
                     const struct protocol_entry *entry, const char *epoch, struct principal_id who_am_i);

/* What it says, alone. 0 or DESKBELL_E_NOMEM. */
int event_fill_content(struct event *event, struct deskbell_entry *out, const struct protocol_content *content);

/* The form alone, of content that has one. 0 or DESKBELL_E_NOMEM. */
int event_fill_form(struct event *event, struct deskbell_entry *out, const struct protocol_content *content);

/* What a survey, an answer to one or the end of one says; into the event's memory. 0 or DESKBELL_E_NOMEM. */
int event_fill_survey(struct event *event, struct deskbell_entry *out, const struct protocol_content *content);
/* Puts into `shown` what an answer or an end says of it; it borrows from `content` and `room`. survey_events.c. */
enum { SURVEY_ANSWERS = 5 };
void survey_merge(struct protocol_survey_shown *shown, const struct protocol_content *content,
                  struct protocol_survey_said room[SURVEY_ANSWERS]);

/* Fills `message` of the event from a row of the outbox. */
int event_fill_message(struct event *event, deskbell_conversation *conversation, const struct cached_message *message);

/* Adds a file that is still to be uploaded; at most PROTOCOL_ATTACHMENTS of them. */
int event_add_upload(struct event *event, const struct cached_upload *upload);

const char *event_principal(struct event *event, struct principal_id who); /* as text; NULL: out of memory */

/* Decodes a stored entry over a copy in the event's memory. 0, DESKBELL_E_NOMEM, or DESKBELL_E_INVALID when it cannot
 * be read. */
int event_read_entry(struct event *event, struct span json, struct protocol_entry *out);

struct event_list {
        struct event *first, *last;
        size_t count;
};

void event_list_push(struct event_list *list, struct event *event);
struct event *event_list_pop(struct event_list *list);
/* Moves all of `from` behind the end of `to`. */
void event_list_move(struct event_list *to, struct event_list *from);
void event_list_clear(struct event_list *list);
