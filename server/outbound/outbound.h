/* SPDX-License-Identifier: Apache-2.0 */
/* Outbound: the thread that posts events to webhooks. Reads what is due through a connection of its own, at most a few
 * at a time for each webhook, so that none delays another; reports what came of each try to the desk, which alone
 * writes. What is under way when the process ends is due again at the next start, under the same id. */
#pragma once

#include "desk/desk.h"
#include "desk/webhooks.h"

struct outbound;

struct outbound_options {
        struct desk *desk;
        const char *data_dir;
        const char *const *allow;   /* see egress_new; NULL = none */
        const char *const *tries_s; /* seconds from the first try to each further one, rising; NULL = the usual ones */
        const char *ca_path;        /* PEM; NULL or "" = the system's certificates */
        /* For tests: what a host name stands for at this moment, as "address,address"; NULL = ask the system. */
        const char *(*resolve)(void *data, const char *host);
        void *resolve_data;
};

struct outbound_stats {
        uint64_t tries, delivered, failed, dead;
};

/* Before desk_start. 0, or a negative errno with *out_why malloc'd. */
int outbound_start(const struct outbound_options *options, struct outbound **out_outbound, char **out_why);
/* Ends the thread, then everything; before desk_close, after desk_stop. NULL is welcome; returns NULL. */
struct outbound *outbound_stop(struct outbound *outbound);
void outbound_stats_read(const struct outbound *outbound, struct outbound_stats *out_stats); /* any thread */
