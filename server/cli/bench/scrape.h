/* SPDX-License-Identifier: Apache-2.0 */
/* Scrape: what the server says of itself at /metrics, as means over a window. Main thread. */
#pragma once

#include <jansson.h>

/* Text of http://ADDRESS/metrics, malloc'd; NULL when there is none (address "" or nobody answers within 2 s). */
char *scrape_read(const char *address);

/* For each histogram that moved between two texts: {"name": {"count": n, "mean": x}}, sizes as they are, seconds as
 * seconds; for counters that moved: {"name": {"count": n}}. Texts may be NULL. New reference, NULL: nothing to say. */
json_t *scrape_means(const char *before, const char *after);
