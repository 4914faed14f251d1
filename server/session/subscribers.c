/* SPDX-License-Identifier: Apache-2.0 */
/* Who on this thread hears what: connections by principal (a customer hears all of his conversations) and by watched
 * conversation (staff). */
#include <stdlib.h>

#include "session/net_private.h"

static size_t slot_of(int64_t key, size_t slots)
{
        return ((uint64_t)key * 0x9e3779b97f4a7c15u >> 20) & (slots - 1);
}

int subscribers_init(struct net *net)
{
        net->presence_slots = net->watch_slots = 1024;
        net->presences = calloc(net->presence_slots, sizeof *net->presences);
        net->watches = calloc(net->watch_slots, sizeof *net->watches);
        net->watches_of_customers = calloc(net->watch_slots, sizeof *net->watches_of_customers);
        return net->presences && net->watches && net->watches_of_customers ? 0 : -1;
}

void subscribers_done(struct net *net)
{
        while (net->idle_presences) { /* the others went with their sessions */
                struct presence *presence = net->idle_presences;
                net->idle_presences = presence->idle_next;
                free(presence);
        }
        free(net->presences);
        free(net->watches);
        free(net->watches_of_customers);
}

/* ---- presences ---- */

static void presences_grow(struct net *net)
{
        size_t wider = net->presence_slots * 2;
        struct presence **slots = calloc(wider, sizeof *slots);
        if (!slots)
                return; /* longer chains, nothing worse */
        for (size_t i = 0; i < net->presence_slots; i++) {
                while (net->presences[i]) {
                        struct presence *presence = net->presences[i];
                        net->presences[i] = presence->hash_next;
                        size_t slot = slot_of(presence->principal, wider);
                        presence->hash_next = slots[slot];
                        slots[slot] = presence;
                }
        }
        free(net->presences);
        net->presences = slots;
        net->presence_slots = wider;
}

static struct presence *presence_find(const struct net *net, int64_t principal)
{
        struct presence *presence = net->presences[slot_of(principal, net->presence_slots)];
        while (presence && presence->principal != principal)
                presence = presence->hash_next;
        return presence;
}

static struct presence *presence_make(struct net *net, int64_t principal)
{
        if (net->presence_count >= net->presence_slots)
                presences_grow(net);
        struct presence *presence = calloc(1, sizeof *presence);
        if (!presence)
                return NULL;
        presence->principal = principal;
        presence->filled_ms = clock_mono_ms();
        presence->tokens_milli = (int64_t)atomic_load_explicit(&net->rate_burst, memory_order_relaxed) * 1000;
        presence->frame_tokens_milli = 10 * presence->tokens_milli;
        size_t slot = slot_of(presence->principal, net->presence_slots);
        presence->hash_next = net->presences[slot];
        net->presences[slot] = presence;
        net->presence_count++;
        return presence;
}

struct presence *presence_get(struct net *net, int64_t principal)
{
        struct presence *presence = presence_find(net, principal);
        if (presence || !(presence = presence_make(net, principal)))
                return presence;
        presence->is_idle = true;
        presence->idle_next = net->idle_presences;
        net->idle_presences = presence;
        return presence;
}

struct presence *presence_enter(struct net *net, struct session *session)
{
        struct presence *presence = presence_find(net, session->caller.principal);
        if (!presence && !(presence = presence_make(net, session->caller.principal)))
                return NULL;
        session->presence = presence;
        session->sibling = presence->sessions;
        presence->sessions = session;
        return presence;
}

void presence_leave(struct net *net, struct session *session)
{
        struct presence *presence = session->presence;
        if (!presence)
                return;
        struct session **link = &presence->sessions;
        while (*link != session)
                link = &(*link)->sibling;
        *link = session->sibling;
        session->presence = NULL;
        if (presence->sessions || presence->is_idle)
                return;
        presence->is_idle = true;
        presence->idle_next = net->idle_presences;
        net->idle_presences = presence;
}

static void presence_drop(struct net *net, struct presence *presence)
{
        struct presence **slot = &net->presences[slot_of(presence->principal, net->presence_slots)];
        while (*slot != presence)
                slot = &(*slot)->hash_next;
        *slot = presence->hash_next;
        net->presence_count--;
        free(presence);
}

static void presence_fill(struct net *net, struct presence *presence)
{
        int64_t per_s = atomic_load_explicit(&net->rate_messages_per_s, memory_order_relaxed);
        int64_t burst_milli = (int64_t)atomic_load_explicit(&net->rate_burst, memory_order_relaxed) * 1000;
        uint64_t now_ms = clock_mono_ms();
        int64_t filled = (int64_t)(now_ms - presence->filled_ms) * per_s;
        int64_t messages = presence->tokens_milli + filled, frames = presence->frame_tokens_milli + 10 * filled;
        presence->tokens_milli = messages < burst_milli ? messages : burst_milli;
        presence->frame_tokens_milli = frames < 10 * burst_milli ? frames : 10 * burst_milli;
        presence->filled_ms = now_ms;
}

/* Coming back must not be a way to a full budget. */
void presences_sweep(struct net *net)
{
        int64_t burst_milli = (int64_t)atomic_load_explicit(&net->rate_burst, memory_order_relaxed) * 1000;
        struct presence **link = &net->idle_presences;
        while (*link) {
                struct presence *presence = *link;
                presence_fill(net, presence);
                bool is_full =
                        presence->tokens_milli >= burst_milli && presence->frame_tokens_milli >= 10 * burst_milli;
                if (!presence->sessions && !is_full) {
                        link = &presence->idle_next;
                        continue;
                }
                *link = presence->idle_next;
                presence->is_idle = false;
                if (!presence->sessions)
                        presence_drop(net, presence);
        }
}

int64_t presence_take_message(struct net *net, struct presence *presence)
{
        if (presence->tokens_milli < 1000)
                presence_fill(net, presence);
        if (presence->tokens_milli >= 1000) {
                presence->tokens_milli -= 1000;
                return 0;
        }
        int64_t per_s = atomic_load_explicit(&net->rate_messages_per_s, memory_order_relaxed);
        return (1000 - presence->tokens_milli) / (per_s > 0 ? per_s : 1) + 1;
}

bool presence_take_frame(struct net *net, struct presence *presence)
{
        if (presence->frame_tokens_milli < 1000)
                presence_fill(net, presence);
        if (presence->frame_tokens_milli < 1000)
                return false;
        presence->frame_tokens_milli -= 1000;
        return true;
}

/* ---- watches ---- */

static void watches_grow(struct net *net)
{
        size_t wider = net->watch_slots * 2;
        struct watch **slots = calloc(wider, sizeof *slots), **of_customers = calloc(wider, sizeof *of_customers);
        if (!slots || !of_customers) {
                free(slots);
                free(of_customers);
                return;
        }
        for (size_t i = 0; i < net->watch_slots; i++) {
                while (net->watches[i]) {
                        struct watch *watch = net->watches[i];
                        net->watches[i] = watch->hash_next;
                        size_t slot = slot_of(watch->conv, wider);
                        watch->hash_next = slots[slot];
                        slots[slot] = watch;
                        slot = slot_of(watch->customer, wider);
                        watch->customer_next = of_customers[slot];
                        of_customers[slot] = watch;
                }
        }
        free(net->watches);
        free(net->watches_of_customers);
        net->watches = slots;
        net->watches_of_customers = of_customers;
        net->watch_slots = wider;
}

static void link_customer(struct net *net, struct watch *watch)
{
        struct watch **slot = &net->watches_of_customers[slot_of(watch->customer, net->watch_slots)];
        watch->customer_next = *slot;
        *slot = watch;
}

static void unlink_customer(struct net *net, const struct watch *watch)
{
        struct watch **link = &net->watches_of_customers[slot_of(watch->customer, net->watch_slots)];
        while (*link != watch)
                link = &(*link)->customer_next;
        *link = watch->customer_next;
}

struct watch *watches_of_customer(const struct net *net, int64_t customer)
{
        return net->watches_of_customers[slot_of(customer, net->watch_slots)];
}

void watches_give(struct net *net, int64_t conv, int64_t customer)
{
        for (struct watch *watch = net->watches[slot_of(conv, net->watch_slots)]; watch; watch = watch->hash_next) {
                if (watch->conv != conv || watch->customer == customer)
                        continue;
                unlink_customer(net, watch);
                watch->customer = customer;
                link_customer(net, watch);
        }
}

int watch_add(struct net *net, struct session *session, const struct watch *seen)
{
        for (struct watch *watch = session->watches; watch; watch = watch->session_next)
                if (watch->conv == seen->conv)
                        return 0;
        if (session->watch_count >= PROTOCOL_WATCHED)
                return -PROTOCOL_ERR_TOO_MANY;
        if (net->watch_count >= net->watch_slots)
                watches_grow(net);
        struct watch *watch = calloc(1, sizeof *watch);
        if (!watch)
                return -PROTOCOL_ERR_INTERNAL;
        size_t slot = slot_of(seen->conv, net->watch_slots);
        *watch = *seen;
        watch->hash_next = net->watches[slot];
        watch->session_next = session->watches;
        watch->session = session;
        net->watches[slot] = watch;
        link_customer(net, watch);
        session->watches = watch;
        session->watch_count++;
        net->watch_count++;
        return 0;
}

static void watch_unhash(struct net *net, struct watch *watch)
{
        struct watch **link = &net->watches[slot_of(watch->conv, net->watch_slots)];
        while (*link != watch)
                link = &(*link)->hash_next;
        *link = watch->hash_next;
        unlink_customer(net, watch);
        net->watch_count--;
}

void watch_remove(struct net *net, struct session *session, int64_t conv)
{
        struct watch **link = &session->watches;
        while (*link && (*link)->conv != conv)
                link = &(*link)->session_next;
        struct watch *watch = *link;
        if (!watch)
                return;
        *link = watch->session_next;
        session->watch_count--;
        watch_unhash(net, watch);
        free(watch);
}

void watch_remove_all(struct net *net, struct session *session)
{
        while (session->watches)
                watch_remove(net, session, session->watches->conv);
}

/* ---- telling ---- */

static void tell(struct session *session, const struct desk_note *note)
{
        struct edge_ref ref = edge_conn_ref(session->conn);
        bool is_except = note->except.generation != 0 && ref.slot == note->except.slot &&
                         ref.generation == note->except.generation && ref.thread == note->except.thread;
        if (session->state == SESSION_OPEN && !is_except)
                edge_send_frame(session->conn, note->frame);
}

void subscribers_tell(struct net *net, const struct desk_note *note)
{
        if (note->customer != 0) {
                struct presence *presence = presence_find(net, note->customer);
                for (struct session *session = presence ? presence->sessions : NULL; session;
                     session = session->sibling)
                        tell(session, note);
        }
        struct watch *watch = net->watches[slot_of(note->conv, net->watch_slots)];
        for (; watch; watch = watch->hash_next)
                if (watch->conv == note->conv && (note->customer != 0 || watch->session->caller.role == ROLE_AGENT))
                        tell(watch->session, note); /* the team's log is for people: bots get the public one only */
}

void subscribers_tell_agents(struct net *net, const struct desk_note *note)
{
        for (struct session *session = net->staff; session; session = session->staff_next) {
                bool is_meant = session->caller.role == ROLE_AGENT && session->caller.workspace == note->workspace &&
                                (note->customer == 0 || session->caller.principal == note->customer);
                if (is_meant)
                        tell(session, note);
        }
}
