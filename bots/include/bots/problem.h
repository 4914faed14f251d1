/* SPDX-License-Identifier: Apache-2.0 */
/* Problem: what an author is told about his files: where, what is wrong, and what to do. A list is bounded: after
 * BOT_PROBLEMS_MAX further ones are only counted. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { BOT_PROBLEMS_MAX = 200 };

struct bot_place {
        const char *file; /* borrowed from the caller's list of files; NULL = not from a file */
        int line, column; /* from 1; column in characters as an editor counts them; 0 = the line, or the file, as a
                             whole */
};

struct bot_problem {
        struct bot_place place;
        bool is_error; /* else a warning */
        char *what;    /* one sentence */
        char *advice;  /* what to do, one sentence; NULL = it is in `what` */
};

struct bot_problems {
        struct bot_problem list[BOT_PROBLEMS_MAX];
        size_t count;            /* in `list` */
        size_t errors, warnings; /* all that came */
};

struct bot_problems *bot_problems_new(void);                       /* NULL: out of memory */
struct bot_problems *bot_problems_free(struct bot_problems *list); /* NULL is welcome; always returns NULL */

/* `advice` may be NULL. Memory that is short loses the sentence, never the count. */
__attribute__((format(printf, 4, 5))) void bot_problem_error(struct bot_problems *list, struct bot_place place,
                                                             const char *advice, const char *format, ...);
__attribute__((format(printf, 4, 5))) void bot_problem_warn(struct bot_problems *list, struct bot_place place,
                                                            const char *advice, const char *format, ...);
