/* SPDX-License-Identifier: Apache-2.0 */
/* Report: the figures as lines for people or as one JSON object for scripts. Main thread. */
#pragma once

#include <jansson.h>

#include "history.h"
#include "idle.h"
#include "load.h"

/* New reference each, NULL: out of memory. Times in ms, rates per second; a figure that is not known is absent. */
json_t *report_load(const struct load_result *result);
json_t *report_history(const struct history_result *result);
json_t *report_idle(const struct idle_result *result);
json_t *report_disk(const struct histogram *sync);

/* Lines of one run of `who` ("server", "floor") from the objects above. */
void report_print_load(const char *who, const json_t *load);
void report_print_history(const char *who, const json_t *history);
void report_print_idle(const char *who, const json_t *idle);
void report_print_disk(const json_t *disk);
