/* SPDX-License-Identifier: Apache-2.0 */
/* Stage: a session machine with a scripted server, a clock the test turns and dice the test loads. What the client
 * sends is read with jansson, not with the product's own codec. Include after cmocka's headers. */
#pragma once

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client-sdk/src/handover.h"
#include "client-sdk/src/machine.h"
#include "folder.h"

#define USER       "usr_0000000000001"
#define AGENT      "agt_0000000000002"
#define CONV       "cnv_0000000000003"
#define OTHER_CONV "cnv_0000000000004"
#define EPOCH      "00000000000000e1"
#define NEW_EPOCH  "00000000000000e2"
#define HTTP_TOKEN "http-token-1"

struct stage {
        struct machine *machine;
        struct handover handover;
        struct machine_settings settings;
        const char *path; /* NULL = in memory */
        int64_t mono_ms, wall_ms;
        uint64_t dice; /* what random gives, counted up each time when `is_rising` */
        bool is_rising;
        json_t *frames; /* sent by the client and not yet looked at */
        struct event_list events;
        struct job *jobs; /* wanted by the machine and not yet looked at */
        enum machine_wish wish;
        int wish_code, opens, closes;
};

void stage_init(struct stage *stage, const char *path); /* a customer with a token */
void stage_open(struct stage *stage);                   /* begins (again) on the same file */
void stage_kill(struct stage *stage);                   /* as kill -9 would: what is not in the file is gone */
void stage_done(struct stage *stage);

void stage_begin(struct stage *stage);
int stage_end(struct stage *stage);
void stage_pass(struct stage *stage, int64_t ms); /* turns the clock, runs what is due */

/* The server's side. */
void stage_connect(struct stage *stage);    /* deskbell_connect; the link opens; session.open is waiting */
void stage_link_opens(struct stage *stage); /* after a pause of the client's own */
void stage_link_closes(struct stage *stage, int code);
void stage_say(struct stage *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));
json_t *stage_take(struct stage *stage, const char *method);  /* the next frame, which must be this; decref it */
json_t *stage_find(struct stage *stage, const char *method);  /* the first frame of that method, or NULL */
json_t *stage_asked(struct stage *stage, const char *method); /* the same, and it must be there */
bool stage_is_silent(struct stage *stage);                    /* nothing was sent */
/* Takes `request`. The result is JSON text. */
void stage_answer(struct stage *stage, json_t *request, const char *format, ...) __attribute__((format(printf, 3, 4)));
void stage_refuse(struct stage *stage, json_t *request, const char *tag, bool permanent, int retry_after_ms);
void stage_log_in(struct stage *stage, const char *epoch, int64_t rev, const char *more);
void stage_feed(struct stage *stage, int64_t rev, const char *rows); /* answers the waiting feed.read */
/* Logged in, conversation "main" opened, known as CONV with `head` entries of the other side fetched. */
deskbell_conversation *stage_main(struct stage *stage, int head);

const char *stage_param(json_t *frame, const char *name);             /* "" when absent */
int64_t stage_number(json_t *frame, const char *name);                /* -1 when absent */
char *stage_entry(int64_t seq, const char *author, const char *text); /* JSON of a text entry of CONV; free() it */
char *stage_entries(int64_t first, int64_t last);                     /* "{entries...}" result; free() it */

/* The side of files and HTTP. */
struct job *stage_job(struct stage *stage, enum job_kind kind); /* the next job, which must be of this kind */
bool stage_has_no_job(struct stage *stage);
void stage_job_done(struct stage *stage, struct job *job); /* takes it, as its user left it */

/* The application's side. */
struct event *stage_event(struct stage *stage, enum event_kind kind); /* the first such, removed; NULL = none */
void stage_drop_events(struct stage *stage);
struct cmid stage_send(struct stage *stage, deskbell_conversation *conv, const char *text); /* must succeed */
/* Hand over what the next stage_end writes; in a turn or not. What they return is what the call would. */
int stage_hand_send(struct stage *stage, deskbell_conversation *conv, const char *text,
                    const struct message_options *options);
int stage_hand_edit(struct stage *stage, deskbell_conversation *conv, int64_t number, int64_t version, const char *text,
                    const struct message_options *options);
int stage_hand_erase(struct stage *stage, deskbell_conversation *conv, int64_t number,
                     const struct message_options *options);
int stage_hand_files(struct stage *stage, deskbell_conversation *conv, const struct file_source *files, size_t count,
                     const char *text, const struct message_options *options);
int stage_hand_rating(struct stage *stage, deskbell_conversation *conv, int64_t number,
                      const struct deskbell_rating *rating, const struct message_options *options);
int stage_hand_retry(struct stage *stage, const struct cmid *cmid, struct cmid *out_cmid);
void stage_acked(struct stage *stage, json_t *request, int64_t seq);
/* The next on_message must be of that cmid and state. */
void stage_expect_message(struct stage *stage, const struct cmid *cmid, enum deskbell_message_state state);
struct cache *stage_cache(struct stage *stage); /* of the running machine */

/* With STAGE_SEALED in the environment every file is sealed, under this key: the same tests, a second time. */
const uint8_t *stage_key(void); /* NULL = plain */
int stage_cache_open(const char *path, int64_t wall_ms, struct cache **out_cache, char **out_set_aside);
