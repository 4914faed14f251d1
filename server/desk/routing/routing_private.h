/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Desk thread only. */
#pragma once

#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/routing/choose.h"
#include "desk/routing/pace.h"
#include "desk/routing/routing.h"
#include "desk/tickets/tickets.h"

enum {
        ROUTING_WEIGHTS = 20,
        ROUTING_SILENT_MS = 10 * 60 * 1000, /* of a workspace that was never told */
        ROUTING_PASSED_MS = 2 * 60 * 1000,  /* who declined or missed it is not asked again before */
        ROUTING_SEAT_SLOTS = 256,
        ROUTING_CUSTOMER_SLOTS = 4096,
};

/* How a ticket came to its agent; in the store, a number never changes its meaning. */
enum routing_how { ROUTING_ROUTED = 1, ROUTING_ACCEPTED = 2, ROUTING_BY_HAND = 3 };

struct routing_settings {
        int64_t silent_ms, default_team;
        bool miss_is_away;
        struct routing_weight_row {
                int64_t app;  /* row id; 0 = any */
                int priority; /* 0 = any */
                int32_t weight;
        } weights[ROUTING_WEIGHTS];
        size_t weight_count;
};

/* An agent, and what he has. */
struct seat {
        struct choose_agent agent; /* first; load: of what he works on and what he is asked to take */
        const char *skills[PEOPLE_SKILLS], *langs[PEOPLE_LANGUAGES];
        struct agent_profile *profile; /* lent by people/ */
        struct ticket_route *held;     /* tickets whose assignee he is, through held_next */
        struct ticket_route *asked;    /* tickets that he is asked to take, through asked_next */
        int32_t offered;               /* part of the load: what he is asked to take */
        struct seat *hash_next;
};

/* The queue of a team; team 0: of tickets that have none. */
struct team_queue {
        int64_t team;
        struct queue queue;
        struct choose_agent **members;
        size_t member_count, member_room;
        size_t offered, open; /* tickets out to an agent; tickets that somebody works on */
        struct pace pace;
        bool is_dirty;  /* somebody or something came: to be looked at */
        bool has_moved; /* places have changed: customers are to be told */
};

/* What routing knows of a ticket that is not closed. */
struct ticket_route {
        struct queue_item item; /* first; stands in `in` */
        struct routing *routing;
        struct ticket *ticket;
        struct team_queue *in;      /* where it waits or, offered, will wait again; NULL = nowhere */
        struct team_queue *counted; /* whose `open` it is part of */
        struct seat *held_by;       /* its assignee */
        struct ticket_route *held_next, **held_at;
        struct ticket_route *dirty_next, **dirty_at; /* dirty_at NULL: not in that list */
        int64_t customer;                            /* in whose chain it is */
        struct ticket_route *customer_next, **customer_at;
        int32_t load;       /* part of held_by's load */
        struct seat *asked; /* it is offered to him; its place in `in` is kept in mind, not taken */
        struct ticket_route *asked_next, **asked_at;
        int32_t asked_load;     /* part of his load */
        int64_t asked_until_ms; /* wall */
        bool is_offer_changed;  /* the row has to be written */
        bool is_loaded;         /* read from the store: what it is now is no news */
        int64_t waits_ms;       /* since when it waits, wall; 0 = it does not */
        int64_t place;          /* in the queue when it began to wait; 0 = not known */
        int64_t sticky_looked;  /* the team it was looked up for; -1 = not looked up */
        enum routing_how how;   /* of the assignment that is being made; 0 = by hand */
        struct {
                int64_t agent, until_ms;
        } passed[WANT_PASSED]; /* who had his chance */
        size_t passed_count;
        struct protocol_queue_told told; /* as the customer heard it; position 0 = nothing yet */
};

struct routing {
        struct desk *desk;
        struct routing_settings settings;
        bool are_settings_changed;  /* in this batch: read again when it is on disk */
        struct team_queue **queues; /* the one without a team is the first; the others by row id */
        size_t queue_count, queue_room;
        struct seat *seats[ROUTING_SEAT_SLOTS];
        struct ticket_route *by_customer[ROUTING_CUSTOMER_SLOTS];
        struct ticket_route *dirty;
        int64_t turn;
        bool wants_run;      /* a batch is needed */
        bool are_people_new; /* members have to be found again */
        uint64_t again_ms;   /* monotonic: no batch for a run before */
        uint64_t look_ms;    /* monotonic: while somebody waits, hours that open are seen at the latest then */
        uint64_t tell_ms;    /* monotonic: when customers are told next; 0 = nothing to tell */
        uint64_t told_ms;    /* monotonic */
        int64_t came[64];    /* principals who opened a session in this batch, to be told */
        size_t came_count;
        bool have_many_come; /* more than those: everybody is told */
};

/* ---- route.c ---- */

void route_dirty(struct ticket_route *route); /* it is looked at in the next run */
/* Brings queues and loads in line with the ticket. 0 or a negative protocol error (the store failed). */
int route_settle(struct desk *desk, struct ticket_route *route);
/* First of a chain through customer_next that has all of his, and others. */
struct ticket_route *routes_of_customer(struct routing *routing, int64_t customer);
void route_leave_lane(struct ticket_route *route); /* out of its lane, if it stands in one; `in` stays */

/* ---- seats.c ---- */

struct seat *seat_find(const struct routing *routing, int64_t agent);
struct seat *seat_get(struct routing *routing,
                      int64_t agent); /* made when there is none; NULL: no such agent, no memory */
void seat_add_load(struct routing *routing, struct seat *seat,
                   int32_t weight);                                /* below 0: his teams are looked at again */
void seat_dirty(struct routing *routing, const struct seat *seat); /* his teams are looked at again */
void seats_refresh(struct routing *routing); /* availability, as of now; of all members of dirty queues */
/* Since when (wall ms) its agent cannot go on with what he has; 0 = he can. */
int64_t seat_gone_ms(const struct seat *seat);
struct team_queue *team_queue_find(const struct routing *routing, int64_t team);
struct team_queue *team_queue_get(struct routing *routing, int64_t team); /* NULL: out of memory */
int teams_refresh(struct routing *routing); /* members, words, capacities; 0 or -1: out of memory */
void seats_done(struct routing *routing);

/* ---- held.c ---- */

/* Its assignee and what it takes of him. 0 or a negative protocol error. */
int route_hold(struct desk *desk, struct ticket_route *route);
void route_unhold(struct ticket_route *route);
int64_t route_held_due_ms(const struct ticket_route *route); /* wall; INT64_MAX = never */
int route_run_held(struct desk *desk, struct ticket_route *route);
int32_t route_weight(const struct ticket_route *route);
int32_t route_load_now(const struct ticket_route *route); /* what it takes of its assignee, as of now */

/* ---- offers.c ---- */

/* Asks that agent; the ticket is in no queue then. 0 or a negative protocol error. */
int offer_make(struct desk *desk, struct ticket_route *route, struct seat *seat, const struct team *team,
               const char *why);
/* Ends it, if there is one, and tells the agent. */
void offer_end(struct desk *desk, struct ticket_route *route, enum protocol_event_offer_gone_why why);
void offer_forget(struct ticket_route *route);                                       /* only in memory */
void offer_restore(struct ticket_route *route, struct seat *seat, int64_t until_ms); /* as it was in the store */
void offer_stands_in(struct ticket_route *route, struct team_queue *queue); /* the place of one that was restored */
void offer_pass(struct ticket_route *route, int64_t agent, int64_t until_ms);
int offer_run_due(struct desk *desk, struct ticket_route *route);
void offers_tell_again(struct desk *desk, int64_t agent);

/* ---- given.c ---- */

int given_put(struct desk *desk, struct ticket_route *route, int64_t agent, int64_t waited_ms);
int given_load(struct routing *routing); /* turns; 0 or a negative db_error */
int given_load_pace(struct routing *routing, struct team_queue *queue);
/* Whom its customer had last within the team's time. 0 or a negative protocol error. */
int given_sticky(struct desk *desk, struct ticket_route *route, const struct team *team);

/* ---- waiting.c ---- */

void waiting_moved(struct routing *routing, struct team_queue *queue); /* places have changed */
void waiting_ended(struct desk *desk, struct ticket_route *route);     /* its customer hears that it waits no more */

/* ---- settings.c ---- */

int routing_settings_load(struct routing *routing); /* 0 or a negative db_error */
