/* SPDX-License-Identifier: Apache-2.0 */
/* A message as the window shows it: its content, what became of it, and how it stands to its neighbours. The transcript
 * writes it, rows read it and follow its signal "changed". Main thread. */
#ifndef DESKBELL_GTK_ITEM_H
#define DESKBELL_GTK_ITEM_H

#include <glib-object.h>
#include <stdbool.h>

#include "deskbell/deskbell.h"

struct item_choice {
        char *id, *label;
};

/* A field of a form. */
struct item_field {
        char *id, *label, *input;
        bool required;
        char *value; /* typed so far, or given by a command; "" = nothing */
};

enum item_file_place {
        FILE_AWAY,     /* on the server */
        FILE_FETCHING, /* on its way */
        FILE_HERE,     /* at `path` */
        FILE_REFUSED   /* could not be had */
};

/* A file of a message. */
struct item_file {
        char *id, *name, *media; /* id "" = not on the server yet; name: cleaned */
        int64_t size;            /* bytes; -1 = not known */
        int width, height;
        uint8_t sha256[32];
        enum item_file_place place;
        char *path;          /* where it is on this computer, NULL = it is not */
        GObject *picture;    /* GdkTexture: what is shown of an image; NULL = nothing yet */
        bool is_decoding;    /* the picture is being made */
        int64_t done, total; /* bytes on their way, either direction */
};

/* The answer to a further question of a survey: what its kind wants, the rest empty. */
struct item_said {
        unsigned picked; /* choices: bit n = choice n */
        int number;      /* scale; -1 = none */
        char *words;     /* text; "" = none */
};

enum { QUESTION_CHOICES = 32 }; /* the most that `picked` holds; the protocol allows 10 */

struct item_question {
        char *id, *text, *low, *high; /* but for the id cleaned; "" = none */
        enum { QUESTION_CHOICE, QUESTION_CHOICES_MANY, QUESTION_SCALE, QUESTION_TEXT } kind;
        GPtrArray *choices; /* struct item_choice; at most QUESTION_CHOICES */
        int min, max;       /* of a scale */
        bool required;
        int from_score, to_score;
        struct item_said said;  /* as the server has it */
        struct item_said draft; /* as it is filled in here */
};

/* A survey, and what has become of it. */
struct item_survey {
        char *style, *low, *high, *comment, *contact, *thanks, *said; /* cleaned; "" = none */
        int min, max, score;                                          /* score -1 = none yet */
        enum deskbell_survey_state state;
        bool is_locked, wants_contact;
        int tapped;           /* by this user just now, until the server has it; -1 = nothing */
        char *draft;          /* the comment as it is typed */
        GPtrArray *questions; /* struct item_question, of kinds that are known here */
        bool is_sending;      /* what was filled in is on its way */
        bool was_reminded;    /* that something required is missing: the next time it is sent without */
};

#define CHAT_TYPE_ITEM (chat_item_get_type())
G_DECLARE_FINAL_TYPE(ChatItem, chat_item, CHAT, ITEM, GObject)

struct _ChatItem {
        GObject parent;
        int64_t number; /* its place in the log; 0 = it waits in the outbox */
        char cmid[33];
        enum deskbell_kind kind;
        bool is_mine;
        bool is_remark;      /* written by nobody: something that happened */
        char *author, *name; /* name: cleaned; "" = none told */
        char *text, *title, *link;
        int64_t ts_ms, version, reply_to;
        GPtrArray *choices;                /* struct item_choice; NULL = none */
        GPtrArray *form;                   /* struct item_field; NULL = none */
        GPtrArray *files;                  /* struct item_file; NULL = none */
        struct item_survey *survey;        /* NULL = none */
        bool is_paused;                    /* its upload waits */
        char *chosen;                      /* CHOICES: the one this user tapped, "" = one that is not known here.
                                            * FORM: "" = answered. NULL = not yet */
        enum deskbell_message_state state; /* own messages; 0 for those of others */
        char *tag;                         /* why it failed, "" = it did not */
        const char *changing;              /* "Saving…": asked for and not answered yet; NULL = nothing */
        bool is_marked;                    /* the user jumped here */

        /* What the row above makes of it; kept by the transcript. */
        bool begins_day, begins_unread, begins_group, ends_group;
};

/* With the entry's content; g_object_unref. */
ChatItem *item_of_entry(const struct deskbell_entry *entry);
/* Of a message in the outbox. */
ChatItem *item_of_message(const struct deskbell_message *message);
/* Takes over content and place of the log, keeps what became of it. */
void item_take_entry(ChatItem *item, const struct deskbell_entry *entry);

/* What became of a message in the outbox. */
void item_take_message(ChatItem *item, const struct deskbell_message *message);
/* A file of a message that was just written. `path` and `picture` (a GdkTexture) may be NULL. */
void item_add_file(ChatItem *item, const char *name, const char *path, GObject *picture);
struct item_file *item_file_at(const ChatItem *item, unsigned index); /* NULL = there is none */
bool item_file_is_image(const struct item_file *file);

/* item_survey.c: what an entry says of the survey that `item` is, or of one it is made from. */
void item_take_survey(ChatItem *item, const struct deskbell_survey *survey, enum deskbell_kind kind);
void item_drop_survey(ChatItem *item);
/* An answer is taken, also another one than before. */
bool item_survey_is_open(const ChatItem *item);
/* The score as it is shown: the tap that is on its way, else what the server has; -1 = none. */
int item_survey_score(const struct item_survey *survey);
bool item_question_is_asked(const struct item_survey *survey, const struct item_question *question);
bool item_said_is_empty(const struct item_said *said);
/* Something is filled in, as comment or to a question that is asked, that the server does not have. */
bool item_survey_has_news(const struct item_survey *survey);
/* Fills one in as a command says it: ids of choices with blanks between, a number, or words. */
void item_question_fill(struct item_question *question, const char *text);

void item_set_text(ChatItem *item, const char *text);
void item_set_chosen(ChatItem *item, const char *id);
void item_changed(ChatItem *item);

bool item_has_failed(const ChatItem *item);
/* This computer's disk did not take it: it is in no outbox, only here. */
bool item_is_nowhere(const ChatItem *item);
/* Own text that has a place and was not erased. */
bool item_can_be_edited(const ChatItem *item);
bool item_can_be_erased(const ChatItem *item);
/* Who wrote it, for reading: "You", a name, or "Support". Borrowed. */
const char *item_who(const ChatItem *item);
/* "Sent", "Read"...; "" for messages of others. Static. */
const char *item_state_text(const ChatItem *item);
/* A sentence why it failed. Static. */
const char *item_failure_text(const ChatItem *item);
/* "14:03" in this place's time and habit, and "Monday 3 August" or "Today". g_free. */
char *item_time(const ChatItem *item);
char *item_day(const ChatItem *item);
/* All of it in one sentence, for a screen reader. g_free. */
char *item_spoken(const ChatItem *item);

#endif
