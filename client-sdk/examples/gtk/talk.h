/* SPDX-License-Identifier: Apache-2.0 */
/* The window's side of the SDK: one client, one conversation, and the transcript they fill. Callbacks run in GLib's
 * main loop, by a source on the client's descriptor. Main thread. */
#ifndef DESKBELL_GTK_TALK_H
#define DESKBELL_GTK_TALK_H

#include "staging.h"
#include "transcript.h"

struct talk;

struct talk_options {
        const char *url, *app, *token; /* token NULL = a visitor */
        const char *data_dir, *key, *ca_file;
};

/* What the window is told; each may be NULL. `data` first. */
struct talk_listener {
        void *data;
        void (*on_state)(void *data, const struct deskbell_state *state);
        void (*on_opened)(void *data); /* what the cache holds is in the transcript */
        void (*on_entry)(void *data, const struct deskbell_entry *entry);
        void (*on_message)(void *data, const struct deskbell_message *message);
        void (*on_marks)(void *data);
        void (*on_presence)(void *data, bool is_here); /* whether somebody of support is there */
        void (*on_typing)(void *data, const char *name, bool is_typing);
        void (*on_notice)(void *data, enum deskbell_notice notice, const char *detail);
        void (*on_page)(void *data, int error); /* a page of older messages is in, or did not come */
};

/* Opens the user's file, the conversation, and connects. NULL: *out_error is what deskbell_open said. */
struct talk *talk_new(const struct talk_options *options, const struct talk_listener *listener, int *out_error);
struct talk *talk_free(struct talk *talk); /* NULL is welcome; always NULL */

struct transcript *talk_transcript(struct talk *talk);
/* What was told last: connection, unread, numbers. Borrowed; texts in it live as long as the talk. */
enum deskbell_connection talk_connection(const struct talk *talk);
bool talk_is_caught_up(const struct talk *talk);
int64_t talk_read_mark(const struct talk *talk); /* highest seq this user has read */
int64_t talk_staff_read(const struct talk *talk);

/* As the functions of the SDK they are named after; the transcript shows it at once. */
int talk_send(struct talk *talk, const char *text, int64_t reply_to);
/* 1-10 files (struct staged_file), with a caption that may be empty. */
int talk_send_files(struct talk *talk, const GPtrArray *files, const char *text, int64_t reply_to);
int talk_upload(struct talk *talk, const char *cmid, bool is_paused);
int talk_upload_cancel(struct talk *talk, const char *cmid);
int talk_press(struct talk *talk, int64_t number, const char *id, const char *label);
/* The values of the item's form. DESKBELL_E_FORM: *out_wrong is the id of the first field that does not fit. */
int talk_fill(struct talk *talk, const ChatItem *item, const char **out_wrong);
/* Borrowed; for talk_survey.c. */
deskbell_conversation *talk_conversation(const struct talk *talk);
/* Answers the item's survey: score -1, comment "" and contact -1 = not said. */
int talk_rate(struct talk *talk, ChatItem *item, int score, const char *comment, int contact);
/* Answers it with what is filled in: to the questions that are asked, and the comment. */
int talk_say(struct talk *talk, ChatItem *item);
int talk_edit(struct talk *talk, int64_t number, int64_t version, const char *text);
int talk_erase(struct talk *talk, int64_t number);
int talk_retry(struct talk *talk, const char *cmid);
int talk_forget(struct talk *talk, const char *cmid);
/* As deskbell_file_fetch; progress and done are given `data`. */
int talk_fetch(struct talk *talk, const struct item_file *file, const char *path, deskbell_fetch_progress_fn progress,
               deskbell_fetch_done_fn done, void *data);
void talk_read(struct talk *talk, int64_t seq);
void talk_typing(struct talk *talk);
void talk_network_changed(struct talk *talk);
void talk_connect(struct talk *talk);
int talk_set_token(struct talk *talk, const char *token);

/* Asks for the page before the oldest message. False when there is none, one is on its way, or it failed and the
 * connection has not changed since. */
bool talk_more(struct talk *talk);
bool talk_is_loading(const struct talk *talk);
bool talk_has_beginning(const struct talk *talk); /* the first message of all is in the transcript */

#endif
