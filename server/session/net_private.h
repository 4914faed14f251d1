/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the session layer share. Everything lives on the network thread. */
#pragma once

#include <stdatomic.h>

#include "desk/denied.h"
#include "desk/http_tokens.h"
#include "desk/people/reach.h"
#include "ops/clock.h"
#include "ops/log.h"
#include "ops/random.h"
#include "session/net.h"

enum {
        STRIKES = 10,        /* errors of the client's own making, then 4009 */
        FEED_ROWS = 50,      /* rows of one feed frame */
        FEED_KEPT = 4096,    /* conversations a thread remembers for its staff; older ones are read with feed.read */
        HELD_MS = 120000,    /* a client that does not read its pages for so long is slow */
        MAX_NOTES = 4000000, /* bound of the mailbox of notes: a safety net, the desk is bounded before it */
};

/* One principal's presence on this thread: its connections and its message budget. */
struct presence {
        int64_t principal;
        struct presence *hash_next;
        struct session *sessions; /* none: kept until its budget is full again */
        struct presence *idle_next;
        bool is_idle;               /* in the list of those */
        int64_t tokens_milli;       /* thousandths of a message */
        int64_t frame_tokens_milli; /* of a frame of any kind: ten times as many */
        uint64_t filled_ms;         /* monotonic */
};

struct watch {
        int64_t conv, customer; /* row ids */
        uint64_t conv_ext;
        struct watch *hash_next;     /* others in the same slot of conversations */
        struct watch *customer_next; /* others in the same slot of customers */
        struct watch *session_next;  /* of the same session */
        struct session *session;
};

enum session_state { SESSION_NEW, SESSION_OPENING, SESSION_OPEN, SESSION_CLOSING };

struct session {
        struct net *net;
        struct edge_conn *conn;
        struct presence *presence;
        struct session *sibling;       /* of the same presence */
        struct session *newer, *older; /* all of this thread */
        struct session *staff_next;    /* staff of this thread */
        struct watch *watches;
        struct reach *reach; /* staff: what it may read */
        struct caller caller;
        struct principal_id who;
        int64_t expires_ms, fed_rev; /* staff: feed rows up to here were sent */
        uint8_t subject_hash[8];     /* of the user token's subject, for renewal */
        uint8_t device[16];
        char http_token[HTTP_TOKEN_TEXT]; /* until it is handed out; "" = none */
        uint8_t http_hash[32];            /* of it, afterwards */
        bool has_http_token;
        uint64_t typed_ms, beat_ms, held_ms; /* monotonic; held_ms 0 = not held */
        struct in6_addr address;             /* of the peer, for the log of refusals */
        uint16_t in_flight;
        uint8_t strikes, watch_count;
        uint8_t reads;      /* pages that readers still owe */
        uint8_t state;      /* enum session_state */
        uint64_t active_ms; /* agents: monotonic, of the last thing said but session.alive */
        bool is_idle;       /* agents: said nothing for long, and the desk knows */
        bool knows_here;    /* customers: the team's word as told */
        bool is_paused;     /* the desk is crowded: not read from for a while */
};

/* The newest row of a conversation, for the feed of staff. In a list by rev. */
struct feed_item {
        int64_t conv, workspace, rev;
        struct feed_item *hash_next, *newer, *older;
        size_t len;
        char *row;
        struct reach_place *place; /* whose it is; NULL = for who may read all */
};

struct feed {
        struct feed_item *slots[1024];
        struct feed_item *newest, *oldest;
        size_t count;
};

struct net {
        struct edge *edge;
        struct desk *desk;
        struct net_options options;
        struct edge_options edge_options;
        struct mailbox notes;
        struct keyring *keyring;
        uint64_t keyring_version;
        struct presence **presences;
        size_t presence_slots, presence_count;
        struct presence *idle_presences;
        struct watch **watches, **watches_of_customers; /* watch_slots each */
        size_t watch_slots, watch_count;
        bool is_team_here;   /* the team's word for customers */
        bool is_team_untold; /* somebody may not know it yet */
        struct session *newest, *oldest, *staff;
        struct feed feed;
        struct http_calls *http;
        struct transfers *transfers;
        struct limits *visitors;  /* new ones by address; NULL = no limit */
        struct mailbox file_jobs; /* come back from the files threads */
        bool is_draining;
        atomic_bool wants_tls; /* the certificate has to be read again */
        struct log log;
        atomic_uint rate_messages_per_s, rate_burst;
        _Atomic uint64_t opened, refused, strikes, rate_limited;
        _Atomic uint32_t session_count;
};

/* session.c */
void *session_opened(void *owner, struct edge_conn *conn, const struct edge_peer *peer);
void session_text(void *user, char *bytes, size_t len);
void session_closed(void *user);
void session_deadline(void *user);
void session_too_slow(void *user);
void session_close(struct session *session, int code, int64_t retry_after_ms); /* says session.closing first */
void session_refuse(struct session *session, const struct request_id *id, int error, int64_t retry_after_ms,
                    const struct fault *fault);

struct span session_address(const struct session *session, char room[INET6_ADDRSTRLEN]);
void session_denied(const struct session *session, const char *what, int error); /* a line in the log */
/* The session is open: its http_token is good from now on, until it ends and a while longer. */
void session_keep_http_token(struct session *session, uint64_t key_tag);
/* A page has been answered, or room was made: reads on when what is owed fits. */
void session_look_at_hold(struct session *session);

/* proof.c: from the params of session.open to an opening. 0 with *out_opening malloc'd, or a negative protocol error.
 */
int proof_make(struct net *net, const struct protocol_session_open *params, struct opening **out_opening);
/* What a Bearer token proves, but for an http_token: user tokens, staff sessions, bot keys, app keys. */
int proof_bearer(struct net *net, struct span token, struct opening **out_opening);
void proof_hash_subject(const char *subject, uint8_t out[8]);
int proof_renew(struct net *net, const struct session *session, struct span token, int64_t *out_expires_ms);

/* subscribers.c */
int subscribers_init(struct net *net);
void subscribers_done(struct net *net);
struct presence *presence_enter(struct net *net, struct session *session); /* NULL: out of memory */
/* Of somebody who may have no connection here; kept until the budget is full again. NULL: out of memory. */
struct presence *presence_get(struct net *net, int64_t principal);
void presence_leave(struct net *net, struct session *session);
void presences_sweep(struct net *net); /* frees those without a session whose budget is full again */
/* 0 = may send; else ms until it may. */
int64_t presence_take_message(struct net *net, struct presence *presence);
bool presence_take_frame(struct net *net, struct presence *presence); /* false: a flood */
/* `seen` names conversation, its outside id and customer. 0, or -PROTOCOL_ERR_TOO_MANY, _INTERNAL. */
int watch_add(struct net *net, struct session *session, const struct watch *seen);
void watch_remove(struct net *net, struct session *session, int64_t conv);
void watch_remove_all(struct net *net, struct session *session);
/* The conversation belongs to that customer from now on. */
void watches_give(struct net *net, int64_t conv, int64_t customer);
/* The first of those who watch a conversation of that slot's customers; go on by customer_next and compare. */
struct watch *watches_of_customer(const struct net *net, int64_t customer);
void subscribers_tell(struct net *net, const struct desk_note *note);
void subscribers_tell_agents(struct net *net, const struct desk_note *note); /* NOTE_AGENTS */

/* attendance.c: presence. What a connection has no room for is left out: only entries must arrive. */
void attendance_take(struct net *net, const struct desk_note *note);  /* NOTE_ATTENDANCE */
void attendance_given(struct net *net, const struct desk_note *note); /* NOTE_GIVEN */
void attendance_team(struct net *net, const struct desk_note *note);  /* NOTE_TEAM */
void attendance_second(struct net *net); /* tells the team's word to a bounded number of those who do not know it */
void attendance_opened(struct session *session);
void attendance_heard(struct session *session);                  /* an agent has said something */
void attendance_look(struct session *session, uint64_t mono_ms); /* once a second: whether an agent has become idle */

/* feed.c */
void feed_take(struct net *net, struct desk_note *note);
void feed_moved(struct net *net, const struct desk_note *note); /* NOTE_MOVED: who lost it is told */
void feed_send(struct net *net); /* a frame to each of the staff who has not heard the newest rows */
void feed_done(struct feed *feed);

/* net.c */
void net_take_keyring(struct net *net); /* the newest, when there is a newer one */
