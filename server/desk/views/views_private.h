/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Desk thread only. */
#pragma once

#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/rules/questions.h"
#include "desk/rules/rules.h"
#include "desk/tickets/tickets.h"
#include "desk/views/order.h"
#include "desk/views/views.h"

enum {
        VIEWS_SAVED = 500, /* of a workspace */
        VIEWS_BUILT_IN = 7,
        VIEWS_OPEN = 8,              /* by one connection */
        VIEWS_PENDING = 200,         /* tickets that one event tells; above: read it again */
        VIEWS_ROWS_EVERY_MS = 100,   /* events `view` */
        VIEWS_COUNTS_EVERY_MS = 200, /* events `views` */
        VIEWS_MOVED = 64,
        VIEW_WORD = 18,  /* an id or the name of a built-in one, with its end */
        VIEW_PLACE = 40, /* a place in a list as text */
};

/* In the store, and in the protocol; a number never changes its meaning. */
enum view_sort { VIEW_ACTIVITY = 1, VIEW_WAITING, VIEW_DUE, VIEW_PRIORITY, VIEW_CREATED, VIEW_SORTS };

/* What the lists know of a ticket: where it stands in each order. Always as the lists were told last. */
struct seen {
        uint64_t ext;
        int64_t keys[VIEW_SORTS]; /* [0] is not used */
        int64_t turns_ms;         /* when time alone may change some list; INT64_MAX = never */
        uint32_t row;             /* of bits: which questions hold (view_questions.c) */
        bool is_stale;            /* something of it could not be learned: asked again in the next turn */
        struct seen *hash_next;
};

/* A condition that lists have, and whom it means by `me`: the key of all that is asked. Gone with its last list. */
struct view_question {
        char *text; /* canonical */
        size_t text_len;
        int64_t me;                  /* 0 = nobody, or the condition does not say it */
        struct condition *condition; /* NULL: it cannot be read, and holds of nothing */
        uint32_t place;              /* the number of its bit in each row */
        struct view_list *lists;     /* that have it */
        bool is_known;               /* the bits are right */
        bool is_young;               /* since this batch */
        bool is_wanted;              /* while lists are filled */
};

/* The tickets of one condition, in one order, that somebody may read. */
struct view_list {
        struct view_list *next, *question_next;
        struct views *views;
        struct view_question *question; /* the key, with the three below */
        enum view_sort sort;
        int64_t reach;      /* the agent whose reach bounds it; 0 = everything */
        uint64_t reach_rev; /* of that agent, when it was made */
        int64_t *invited;   /* of a bounded one: conversations that agent was invited to, ascending */
        size_t invited_count;
        uint32_t refs;  /* views and connections; 0 = it goes at the end of the turn */
        bool is_broken; /* new, or memory ran out: it is to be filled */
        bool is_young;  /* filled within this batch */
        struct order order;
        uint64_t turn; /* events told */
        uint32_t open_count;
        bool is_whole;            /* somebody has read it to its end */
        struct order_item window; /* else: the last row that anybody has read */
        uint64_t *pending;        /* tickets that changed within the window since the last event */
        uint32_t pending_count;
        bool is_reset; /* more than fit */
};

struct view {
        int64_t id; /* row id; 0 = built in */
        char word[VIEW_WORD];
        int64_t owner; /* agent row id; 0 = shared */
        char *name, *text;
        enum view_sort sort;
        bool is_personal;         /* says me or mine */
        struct view_list *pinned; /* shared ones that are not personal: kept up to date always; referenced */
};

/* What one connection hears. */
struct view_watcher {
        struct view_watcher *next;
        struct edge_ref ref;
        struct caller caller;
        struct view_open {
                char word[VIEW_WORD];
                struct view_list *list; /* referenced */
        } open[VIEWS_OPEN];
        uint32_t open_count;
        bool wants_counts;
        struct view_counted {
                char word[VIEW_WORD];
                struct view_list *list; /* referenced */
                int64_t told;           /* -1 = nothing yet */
        } * counted;
        size_t counted_count;
        uint64_t definitions; /* views->definitions that it was made for */
};

struct views {
        struct seen **slots;
        size_t slot_count, seen_count;
        struct view_question **questions; /* by their places; room for words * 64; NULL = nobody has that place */
        uint32_t place_count;             /* places behind are free */
        uint64_t *bits;                   /* row_room rows of `words` */
        size_t words, row_room;
        uint32_t free_row;       /* the first one */
        struct questions *asked; /* all, by places; NULL: to be made */
        uint64_t *holds;         /* room for its answers */
        bool has_stale;          /* a ticket has to be told again: memory or the store failed */
        struct view_list *lists;
        struct view_list *all[VIEW_SORTS]; /* every ticket, by order; referenced */
        struct view *views;                /* built-in ones first, then by age */
        size_t view_count;
        bool is_fresh;        /* `views` are as the store has them */
        uint64_t definitions; /* grows when they were read */
        struct order turns;   /* by seen.turns_ms: what time changes next */
        struct view_watcher *watchers;
        int64_t moved[VIEWS_MOVED];            /* conversations somebody was (un)invited to in this batch */
        size_t moved_count;                    /* above VIEWS_MOVED: more than are kept */
        bool has_rows, has_counts;             /* something is to be told */
        bool has_young, has_broken, has_idle;  /* some list is filled in this batch, to be filled, not referred to */
        uint64_t rows_told_ms, counts_told_ms; /* monotonic */
};

/* view_seen.c */
int seen_init(struct views *views); /* 0 or DB_NOMEM */
void seen_free_all(struct views *views);
struct seen *seen_find(const struct views *views, uint64_t ext);
struct seen *seen_add(struct views *views, uint64_t ext); /* NULL: out of memory */
void seen_forget(struct views *views, struct seen *seen);
/* Where the ticket stands in each order: the smallest first. */
void seen_keys(struct desk *desk, const struct ticket *ticket, int64_t keys[VIEW_SORTS]);
void seen_set_turns(struct views *views, struct seen *seen, int64_t turns_ms);
struct order_item view_item(const struct view_list *list, const struct seen *seen);

/* view_questions.c */
int view_questions_init(struct views *views); /* 0, or -1 = out of memory */
void view_questions_done(struct views *views);
/* The question of that condition; a new one is not known. NULL: out of memory. */
struct view_question *view_question_for(struct desk *desk, struct span text, int64_t me);
void view_question_free(struct views *views, struct view_question *question); /* no list has it any more */
void view_questions_young(struct views *views, bool is_kept);                 /* the batch was (not) kept */
/* Its row of bits, views->words long; until a question or a ticket is added. */
uint64_t *view_row_of(const struct views *views, const struct seen *seen);
int view_row_take(struct views *views, struct seen *seen); /* an empty one; 0, or -1 = out of memory */
void view_row_free(struct views *views, const struct seen *seen);
/* Asks all of a ticket. 0, or -1: memory or the store failed. */
int view_ask(struct desk *desk, const struct ticket *ticket, uint64_t *out_row, int64_t *out_turns_ms);

/* view_fill.c; 0, or -1 = out of memory */
int view_fill_all(struct desk *desk, enum view_sort sort); /* the list of every ticket */
int view_fill(struct desk *desk, struct view_list *const *lists, size_t count);

/* view_lists.c */
bool view_may_read(struct desk *desk, const struct view_list *list, const struct ticket *ticket);
/* The list of that condition for the caller; NULL = what everybody sees of a condition that is not personal. A
 * reference; a new one is empty until view_lists_ready. NULL: out of memory. */
struct view_list *view_list_for(struct desk *desk, const struct caller *caller, struct span text, enum view_sort sort,
                                bool is_personal);
int view_lists_ready(struct desk *desk); /* fills those that are not; 0, or not 0 = some could not be filled */
int view_lists_pin(struct desk *desk, struct view *views, size_t count); /* shared views; the same */
void view_list_unref(struct view_list *list);                            /* NULL is welcome */
void view_lists_sweep(struct desk *desk);               /* frees those that nobody refers to; fills broken ones again */
void view_lists_young(struct desk *desk, bool is_kept); /* the batch was (not) kept */

/* view_saved.c */
int views_refresh(
        struct desk *desk); /* reads the definitions when they may have changed; 0 or a negative protocol error */
void views_free_definitions(struct desk *desk);
/* The view of that name, if the caller sees it; NULL otherwise. */
struct view *view_find(struct desk *desk, const struct caller *caller, struct span word);
bool view_is_seen_by(const struct view *view, const struct caller *caller);
/* Its list for the caller, as view_list_for. */
struct view_list *view_list_of(struct desk *desk, const struct view *view, const struct caller *caller);

/* view_tell.c */
struct view_watcher *view_watcher_of(struct desk *desk, const struct desk_command *command, bool make);
void view_watcher_drop(struct desk *desk, struct view_watcher *watcher);
void view_close_at(struct view_watcher *watcher, uint32_t at);               /* its open view of that index */
void view_watcher_unneeded(struct desk *desk, struct view_watcher *watcher); /* drops it when it hears nothing */
int view_watch_counts(struct desk *desk, struct view_watcher *watcher);      /* 0 or a negative protocol error */
void view_list_moved(struct desk *desk, struct view_list *list, const struct order_item *was,
                     const struct order_item *is);
void view_tell_due(struct desk *desk);
/* Does a connection's part of a changed set of views: lists that are others now. */
void view_watchers_sync(struct desk *desk);

/* view_rows.c */
void view_place_write(char out[VIEW_PLACE + 1], struct order_item item);
int view_place_read(struct span text, struct order_item *out_item); /* 0, or -1 */
/* About how many bytes a ticket takes as JSON, at most; a page ends at PROTOCOL_PAGE_BYTES. */
size_t view_brief_bytes(const struct protocol_ticket_brief *ticket, struct span customer_name);
/* A row; borrows from the ticket, the directory and `place`. */
void view_row_fill(struct desk *desk, const struct ticket *ticket, struct order_item item, char place[VIEW_PLACE + 1],
                   struct protocol_view_ticket *out_row);
