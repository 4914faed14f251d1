/* SPDX-License-Identifier: Apache-2.0 */
#include "bots/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bot_problems *bot_problems_new(void)
{
        return calloc(1, sizeof(struct bot_problems));
}

struct bot_problems *bot_problems_free(struct bot_problems *list)
{
        for (size_t i = 0; list && i < list->count; i++) {
                free(list->list[i].what);
                free(list->list[i].advice);
        }
        free(list);
        return NULL;
}

__attribute__((format(printf, 5, 0))) static void add(struct bot_problems *list, struct bot_place place, bool is_error,
                                                      const char *advice, const char *format, va_list values)
{
        if (is_error)
                list->errors++;
        else
                list->warnings++;
        if (list->count == BOT_PROBLEMS_MAX)
                return;
        struct bot_problem *problem = &list->list[list->count];
        *problem = (struct bot_problem){.place = place, .is_error = is_error};
        if (vasprintf(&problem->what, format, values) < 0) {
                problem->what = NULL;
                return;
        }
        problem->advice = advice ? strdup(advice) : NULL;
        list->count++;
}

void bot_problem_error(struct bot_problems *list, struct bot_place place, const char *advice, const char *format, ...)
{
        va_list values;
        va_start(values, format);
        add(list, place, true, advice, format, values);
        va_end(values);
}

void bot_problem_warn(struct bot_problems *list, struct bot_place place, const char *advice, const char *format, ...)
{
        va_list values;
        va_start(values, format);
        add(list, place, false, advice, format, values);
        va_end(values);
}
