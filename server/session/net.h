/* SPDX-License-Identifier: Apache-2.0 */
/* Net: the sessions of one network thread. Proves who is calling, checks and decodes what comes, hands it to the desk
 * or a reader, and gives what comes back to the right connections. Never waits: no file, no database, no password hash.
 */
#pragma once

#include "desk/desk.h"
#include "edge/edge.h"

struct net;

struct net_options {
        struct desk *desk;
        struct file_store *files;        /* stopped before the nets, freed after them; NULL = no files */
        const struct edge_options *edge; /* handlers, owner and thread are set by net */
        uint32_t thread;
        uint32_t in_flight;                       /* requests without an answer on one connection */
        uint32_t rate_messages_per_s, rate_burst; /* per principal */
        uint32_t visitors_per_minute;             /* new ones of one address (/64); 0 = no limit */
        uint32_t auth_ms, heartbeat_ms, dead_ms;
        uint32_t drain_ms; /* retry hints of a drain are spread over this time */
};

/* 0, or negative errno with *out_why malloc'd. Also registers with the desk (desk_add_sink). Before threads run. */
int net_new(const struct net_options *options, struct net **out_net, char **out_why);
struct net *net_free(struct net *net); /* after net_run has returned; NULL is welcome */

void net_run(struct net *net);  /* until net_stop */
void net_stop(struct net *net); /* any thread */

/* Tells every connection to leave with this close code. Any thread. */
void net_close_all(struct net *net, int close_code);

struct edge *net_edge(struct net *net);
/* Reads the certificate again; the old one stays when the new pair is not good, which is logged. Any thread. */
void net_reload_tls(struct net *net);
/* New limits from a reload; any thread, they hold from the next message on. */
void net_set_rate(struct net *net, uint32_t messages_per_s, uint32_t burst);

struct net_stats {
        uint64_t opened, refused, strikes, rate_limited;
        uint32_t sessions;
};
void net_stats_read(const struct net *net, struct net_stats *out_stats); /* any thread */
