/* SPDX-License-Identifier: Apache-2.0 */
/* Chat: the terminal client, shared between its files. One thread: everything runs in the loop of chat.c. What others
 * wrote never reaches the terminal with a control character in it. */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "chat_desk.h"
#include "deskbell/deskbell.h"

/* ---- chat_text.c: characters and columns ------------------------------------------------------------------------- */

/* A copy without anything that could steer a terminal or turn the direction of writing: such characters and bytes that
 * are not UTF-8 become U+FFFD, tabs become spaces; newlines stay when `with_newlines`, else they become spaces.
 * malloc'd; ends the program when there is no memory. */
char *chat_text_clean(const char *text, bool with_newlines);
size_t chat_text_char(const char *at, const char *end); /* bytes of the character at `at`, at least 1 */
int chat_text_columns(const char *at, size_t len);      /* columns on the terminal */
/* How many bytes of `text` go on a line of that many columns; breaks at spaces. *out_skip: bytes to leave out behind.
 */
size_t chat_text_wrap(const char *text, int columns, size_t *out_skip);

/* ---- chat_screen.c: the terminal --------------------------------------------------------------------------------- */

struct screen {
        int rows, columns;
        bool is_raw, has_colours;
        struct termios before;
        char *out; /* collected until screen_flush */
        size_t len, room;
};

int screen_open(struct screen *screen);   /* 0, or -1: not a terminal that can do it */
void screen_close(struct screen *screen); /* as it was before; may be called twice */
void screen_measure(struct screen *screen);
void screen_raw(struct screen *screen, const char *bytes, size_t len);
void screen_text(struct screen *screen, const char *text);
void screen_move(struct screen *screen, int row, int column); /* from 1 */
void screen_style(struct screen *screen, const char *sgr);    /* "" = plain; nothing without colours */
void screen_flush(struct screen *screen);

/* ---- chat_editor.c: the line being written ----------------------------------------------------------------------- */

enum { EDITOR_BYTES = 40000, EDITOR_MEMORY = 50 };

enum editor_event {
        EDITOR_NOTHING,
        EDITOR_CHANGED,
        EDITOR_SUBMIT,
        EDITOR_QUIT,
        EDITOR_SUSPEND,
        EDITOR_PAGE_UP,
        EDITOR_PAGE_DOWN,
        EDITOR_REDRAW,
};

struct editor {
        char text[EDITOR_BYTES + 1];
        size_t len, cursor;
        char pending[16]; /* bytes of an unfinished key */
        size_t pending_len;
        bool is_pasting;
        char *memory[EDITOR_MEMORY]; /* lines sent before, oldest first */
        int memory_count, memory_at;
};

/* One byte from the terminal. */
enum editor_event editor_feed(struct editor *editor, char byte);
void editor_clear(struct editor *editor);
void editor_remember(struct editor *editor); /* the present line, before it is cleared */
void editor_done(struct editor *editor);

/* ---- chat_transcript.c: what is shown ---------------------------------------------------------------------------- */

struct shown {
        int64_t at_seq, iseq; /* place: public (seq, 0), note (at_seq, iseq); at_seq INT64_MAX = waits */
        enum deskbell_log log;
        int64_t number; /* 0 = none yet, or a remark */
        int64_t ts_ms, version, reply_to;
        bool is_mine, is_remark, is_listing, is_erased, is_paused;
        bool is_device; /* found on this device for the message `cmid`, below which it stands */
        int percent;    /* UPLOADING: of file `file` of `files` */
        size_t file, files;
        size_t hit_at, hit_len; /* bytes of `text` that stand out; 0 = none */
        char cmid[33];
        enum deskbell_message_state state; /* own messages; 0 = not known */
        char *tag;
        char *name, *text; /* clean */
        char *more;        /* lines below it, clean; NULL = none */
        char *unsent;      /* never was in the outbox: what was written, as it was; NULL = it was, or has a file */
        char retried[33];  /* the cmid it had before /retry, "" = none */
};

#define CHAT_ON_DEVICE "answered on this device, without a connection"

struct transcript {
        struct shown *rows;
        size_t count, room;
        int64_t others_recv, others_read;
};

void transcript_clear(struct transcript *transcript);
void transcript_entry(struct transcript *transcript, const struct deskbell_entry *entry, const char *name);
/* What this device has found, or takes back. */
void transcript_device_answer(struct transcript *transcript, const struct deskbell_device_answer *answer);
void transcript_message(struct transcript *transcript, const struct deskbell_message *message);
void transcript_marks(struct transcript *transcript, int64_t others_recv, int64_t others_read);
void transcript_remark(struct transcript *transcript, const char *text);
/* The list of conversations, shown once: `is_asked` puts it to the end, else it is changed where it stands, if it does.
 */
void transcript_listing(struct transcript *transcript, const char *text, bool is_asked);
void transcript_hit(struct transcript *transcript, const char *before, const char *hit, const char *after);
void transcript_progress(struct transcript *transcript, const char *cmid, int percent, size_t file, size_t files);
void shown_set_more(struct shown *row, const char *text);
struct shown *transcript_find(struct transcript *transcript, enum deskbell_log log, int64_t number);
struct shown *transcript_find_cmid(struct transcript *transcript, const char *cmid);
int64_t transcript_oldest(const struct transcript *transcript, enum deskbell_log log); /* 0 = none */
/* Draws rows of screen lines 1..lines, `scroll` screen lines above the end. Returns the scroll that was possible. */
int transcript_draw(const struct transcript *transcript, struct screen *screen, int lines, int scroll);

/* ---- chat.c, chat_draw.c, chat_commands.c
 * ------------------------------------------------------------------------------------------------------ */

/* A conversation of the agent's list. */
struct listed {
        char id[18];
        int64_t unanswered; /* as told last */
};

/* A file that was chosen, until its message is in the outbox. */
struct attached {
        struct attached *next;
        char cmid[33];
        char *path, *caption;
};

/* The newest survey of the conversation, and what the customer is saying to it. */
struct chat_survey {
        int64_t number; /* 0 = there is none */
        int min, max;
        bool is_open;    /* takes an answer */
        bool takes_keys; /* it waits, and nothing was said since: a digit answers it */
        bool is_asking;  /* what comes after the score */
        bool was_pressed;
        int score;
        size_t at;                              /* which question; behind the last one: the tick, then the comment */
        struct deskbell_survey_said answers[5]; /* own texts */
        size_t answers_count;
        char *comment;
        bool wants_contact;
        char *later; /* what /rate was given, until all is caught up */
};

struct chat {
        struct deskbell_options options;
        const char *conv_id, *key, *data_dir, *store_key_file;
        bool is_plain, is_staff;
        deskbell_client *client;
        deskbell_conversation *conv;
        struct screen screen;
        struct editor editor;
        struct transcript transcript;
        int scroll;
        bool is_dirty, is_ending, has_ended_input, is_loading_older, has_older;
        int exit_code;
        struct deskbell_state state; /* `why` in why_room, other texts not kept */
        char why_room[64];
        int64_t retry_at_ms;
        char typist[64];
        int64_t read_seq, failed;
        char customer_name[256];
        struct deskbell_presence presence; /* of what this client is told of; `of` 0 = nothing yet */
        struct listed *list;               /* in the order of their numbers, from 1 */
        size_t list_count;
        bool is_listing_wanted, is_list_stale;
        struct deskbell_file *files; /* in the order of their numbers, from 1; own texts, media NULL */
        size_t files_count;
        char upload_cmid[33]; /* of the latest one, "" = none */
        struct attached *attached;
        int saving, saved_percent, searches;
        char *find_later;        /* words to be looked for when there is a session */
        struct filling *filling; /* the form whose fields are asked for; NULL = none */
        int64_t filled_last;     /* the form that was answered here last; 0 = none */
        int looking;             /* for a form that was named */
        char *fill_later;        /* what /fill was given, until all is caught up */
        bool was_caught_up;      /* once in this run */
        struct chat_survey survey;
        struct chat_desk desk;
};

void chat_draw(struct chat *chat); /* when something has changed */
void chat_describe_connection(const struct chat *chat, char *out, size_t room);
void chat_describe_presence(const struct chat *chat, char *out, size_t room); /* "" = not known */
int64_t chat_mono_ms(void);
void chat_open_conversation(struct chat *chat, const char *id);
void chat_say(struct chat *chat, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line the user wrote: a text to send or a command. Commands of the desk, and what follows them, wait their turn. */
void chat_line(struct chat *chat, const char *line);
void chat_line_now(struct chat *chat, const char *line);

/* chat_list.c */
void chat_list(struct chat *chat);
void chat_list_changed(struct chat *chat, const struct deskbell_conversation_info *info);
void chat_list_refresh(struct chat *chat);             /* the one that is shown, when something changed */
void chat_show_list(struct chat *chat, bool is_asked); /* on a screen: conversations, or the view that is shown */
size_t chat_list_number(struct chat *chat, const char *conv);                          /* from 1; 0 = no memory */
void chat_take_info(struct chat *chat, const struct deskbell_conversation_info *info); /* of the opened one */

/* chat_files.c */
void chat_attach(struct chat *chat, const char *text);
/* The file of a message that was never in the outbox, once more; DESKBELL_E_NOT_FOUND: it was not chosen here. */
int chat_attach_again(struct chat *chat, const char *cmid, char out_cmid[33]);
void chat_save(struct chat *chat, const char *text);
void chat_cancel(struct chat *chat);
void chat_progress(struct chat *chat, const struct deskbell_progress *progress);
void chat_upload_told(struct chat *chat, const struct deskbell_message *message);
char *chat_files_text(struct chat *chat, const struct deskbell_file *files, size_t count, bool on_lines);
bool chat_files_say_it_all(const char *text, const struct deskbell_file *files, size_t count);
void chat_files_done(struct chat *chat);

/* chat_find.c */
void chat_find(struct chat *chat, const char *text);
void chat_find_later(struct chat *chat);

/* chat_form.c */
void chat_fill(struct chat *chat, const char *text);
void chat_fill_later(struct chat *chat);
void chat_fill_answer(struct chat *chat, const char *line); /* to the field that is asked for; there is one */
void chat_fill_cancel(struct chat *chat);                   /* nothing when none is asked for */
void chat_fill_done(struct chat *chat);
char *chat_form_text(const struct deskbell_entry *entry); /* lines below a form; malloc'd, NULL: no memory */

/* chat_survey.c */
void chat_survey_entry(struct chat *chat, const struct deskbell_entry *entry); /* after it is shown */
void chat_rate(struct chat *chat, const char *text);
void chat_rate_later(struct chat *chat);
void chat_contact(struct chat *chat);
bool chat_survey_key(struct chat *chat, char byte);         /* true: it was an answer */
bool chat_survey_line(struct chat *chat, const char *line); /* true: it was an answer */
void chat_survey_cancel(struct chat *chat);
void chat_survey_done(struct chat *chat);
char *chat_survey_text(const struct deskbell_survey *survey); /* lines below it; malloc'd, NULL: no memory */

void chat_older(struct chat *chat);

int cli_chat(int argc, char **argv);
