/* SPDX-License-Identifier: Apache-2.0 */
/* Search: the full-text index, in a file of its own beside the store, which can be thrown away and built again from the
 * log at any time. Each entry carries the scopes that may see it, and every query is bound to the scopes of who asks,
 * so hits and pages are exact. One thread at a time per handle; one writer (the index thread), any number of readers.
 * Errors are db_error. DB_DAMAGED or DB_UNKNOWN from a writer: close, search_discard, open, index again. */
#pragma once

#include "store/db.h"

struct search;

/* A writer makes a missing file (0600); one that is damaged, of another version or not ours is replaced by an empty
 * one. *out_is_new: empty, to be filled from the beginning of the log. A reader needs the file to exist: DB_IO
 * otherwise. */
int search_open(const char *path, enum db_mode mode, struct search **out_search, bool *out_is_new, char **out_why);
struct search *search_close(struct search *search); /* NULL is welcome */
int search_discard(const char *path); /* removes the file and what belongs to it; nobody may have it open */

/* --- writer --- */

int search_begin(struct search *search);
int search_commit(struct search *search); /* not flushed: a power cut may lose the last ones, the marks with them */
void search_rollback(struct search *search);

struct search_entry {
        int64_t conv;
        int log; /* 0 public, 1 team */
        int64_t seq;
        int64_t ts;            /* ms since 1970: hits are ordered by it */
        const int64_t *scopes; /* numbers of the table `scope`; who is in one of them finds it */
        size_t scope_count;
        struct span text; /* at most 64 KiB are looked at */
};

/* Adds an entry, or replaces what is kept of that (conv, log, seq) when it differs. Within begin and commit. */
int search_put(struct search *search, const struct search_entry *entry);
int search_remove(struct search *search, int64_t conv, int log, int64_t seq); /* DB_OK when there is none */
int search_forget(struct search *search, int64_t conv); /* all of a conversation; within begin and commit */
int search_clear(struct search *search);                /* everything, marks too; within begin and commit */

/* Of what is kept of (of->conv, of->log): the highest seq, 0 = nothing, and whether that one is kept under exactly the
 * scopes of `of`. */
int search_newest(struct search *search, const struct search_entry *of, int64_t *out_seq, bool *out_is_same);

/* How many rows this handle has removed or replaced: their words are in the file until search_optimize. */
int64_t search_removed(const struct search *search);

/* Removes the words of removed and replaced entries from the file itself. Long; not within begin and commit. DB_BUSY: a
 * reader kept the old pages in use, call again. */
int search_optimize(struct search *search);

/* Numbers the index thread keeps with what it indexed, e.g. the last rev and the epoch. Same transaction. */
int search_mark_get(struct search *search, const char *name, int64_t *out_value); /* DB_ROW, or DB_OK: none */
int search_mark_put(struct search *search, const char *name, int64_t value);

/* --- reader, or writer --- */

enum { SEARCH_MAX_SCOPES = 64, SEARCH_BUDGET_MS = 250, SEARCH_MAX_TEXT = 65536 };

struct search_hit {
        int64_t conv;
        int log;
        int64_t seq;
        int64_t ts;
        int64_t place; /* `before` for the page that follows this hit */
};

struct search_query {
        struct span typed;     /* what a person typed: data, never syntax */
        const int64_t *scopes; /* of who asks; none = no hits */
        size_t scope_count;    /* at most SEARCH_MAX_SCOPES */
        int64_t within;        /* a scope that has to hold besides; 0 = none */
        int64_t before;        /* place of the last hit already shown; 0 = from the newest */
        int budget_ms;         /* 0 = SEARCH_BUDGET_MS */
};

/* The place of an entry that is kept: DB_ROW, or DB_OK: it is not. */
int search_place(struct search *search, int64_t conv, int log, int64_t seq, int64_t *out_place);
/* The lowest place behind everything of that millisecond: as `before`, it leaves nothing of it out. */
int64_t search_place_after(int64_t ts);

/* Fills `hits`, newest first, with at most `limit`. *out_is_cut: the time was up, there may be more. */
int search_query(struct search *search, const struct search_query *query, size_t limit, struct search_hit *hits,
                 size_t *out_count, bool *out_is_cut);
