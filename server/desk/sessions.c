/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's side of open sessions: who is connected where, and what each sent last in each conversation. */
#include "desk/desk_private.h"

#include "protocol/planted.h"

#include <assert.h>
#include <stdlib.h>

static size_t slot_of(const struct session_table *table, struct edge_ref ref)
{
        uint64_t key = (uint64_t)ref.thread << 32 | ref.slot;
        return (key * 0x9e3779b97f4a7c15u >> 24) & (table->slot_count - 1);
}

int sessions_init(struct session_table *table)
{
        table->slot_count = 1024;
        table->slots = calloc(table->slot_count, sizeof(struct desk_session *));
        return table->slots ? 0 : DB_NOMEM;
}

void sessions_done(struct session_table *table)
{
        for (size_t i = 0; i < table->slot_count; i++) {
                while (table->slots[i]) {
                        struct desk_session *session = table->slots[i];
                        table->slots[i] = session->hash_next;
                        free(session->predecessors);
                        free(session);
                }
        }
        free(table->slots);
        memset(table, 0, sizeof *table);
}

static void grow(struct session_table *table)
{
        struct session_table wider = {.slot_count = table->slot_count * 2};
        wider.slots = calloc(wider.slot_count, sizeof(struct desk_session *));
        if (!wider.slots)
                return; /* longer chains, nothing worse */
        for (size_t i = 0; i < table->slot_count; i++) {
                while (table->slots[i]) {
                        struct desk_session *session = table->slots[i];
                        table->slots[i] = session->hash_next;
                        size_t slot = slot_of(&wider, session->ref);
                        session->hash_next = wider.slots[slot];
                        wider.slots[slot] = session;
                }
        }
        free(table->slots);
        table->slots = wider.slots;
        table->slot_count = wider.slot_count;
}

struct desk_session *sessions_find(struct desk *desk, struct edge_ref ref)
{
        struct desk_session *session = desk->sessions.slots[slot_of(&desk->sessions, ref)];
        while (session && (session->ref.slot != ref.slot || session->ref.thread != ref.thread ||
                           session->ref.generation != ref.generation))
                session = session->hash_next;
        return session;
}

static bool is_staff(const struct principal *who)
{
        return who->role == ROLE_AGENT || who->role == ROLE_BOT;
}

struct desk_session *sessions_add(struct desk *desk, struct edge_ref ref, const uint8_t device[16], uint64_t key_tag,
                                  struct principal *who)
{
        struct session_table *table = &desk->sessions;
        struct desk_session *session = calloc(1, sizeof *session);
        if (!session)
                return NULL;
        if (table->count >= table->slot_count)
                grow(table);
        session->ref = ref;
        memcpy(session->device, device, sizeof session->device);
        session->key_tag = key_tag;
        session->who = who;
        session->sibling = who->sessions;
        who->sessions = session;
        who->refs++;
        size_t slot = slot_of(table, ref);
        session->hash_next = table->slots[slot];
        table->slots[slot] = session;
        table->count++;
        table->staff_count += is_staff(who);
        attendance_arrived(desk, who);
        if (who->role == ROLE_AGENT)
                people_connected(desk, who->id);
        routing_came(desk, who);
        return session;
}

void sessions_remove(struct desk *desk, struct edge_ref ref)
{
        struct desk_session *session = sessions_find(desk, ref);
        if (!session)
                return;
        struct session_table *table = &desk->sessions;
        struct desk_session **link = &table->slots[slot_of(table, ref)];
        while (*link != session)
                link = &(*link)->hash_next;
        *link = session->hash_next;
        link = &session->who->sessions;
        while (*link != session)
                link = &(*link)->sibling;
        *link = session->sibling;
        session->who->refs--;
        attendance_left(desk, session->who);
        views_session_gone(desk, ref);
        if (session->who->role == ROLE_AGENT) {
                people_disconnected(desk, session->who->id);
                work_connection_gone(desk, ref);
        }
        table->count--;
        table->staff_count -= is_staff(session->who);
        free(session->predecessors);
        free(session);
}

void session_tell_close(struct desk *desk, const struct desk_session *session, int close_code)
{
        struct desk_note *note = note_new(NOTE_CLOSE, session->ref, (struct span){0});
        if (!note)
                return;
        note->close_code = close_code;
        desk_leave(desk, session->ref.thread, note);
}

void sessions_close_principal(struct desk *desk, struct principal *who, int close_code)
{
        for (struct desk_session *session = who->sessions; session && !PLANTED("revoked_socket_kept");
             session = session->sibling)
                session_tell_close(desk, session, close_code);
}

void sessions_close_keys(struct desk *desk, const struct keyring *keyring)
{
        for (size_t i = 0; i < desk->sessions.slot_count; i++)
                for (struct desk_session *session = desk->sessions.slots[i]; session; session = session->hash_next)
                        if (session->key_tag != 0 && !keyring_has_tag(keyring, session->key_tag))
                                session_tell_close(desk, session, PROTOCOL_CLOSE_REVOKED);
}

const struct predecessor *session_last_sent(const struct desk_session *session, int64_t conv)
{
        for (uint32_t i = 0; i < session->predecessor_count; i++)
                if (session->predecessors[i].conv == conv)
                        return &session->predecessors[i];
        return NULL;
}

/* Keeps the newest 256 conversations of a connection: an older predecessor is found in the store. */
void session_note_sent(struct desk_session *session, int64_t conv, const struct cmid *cmid, bool is_accepted)
{
        enum { KEPT = 256 };
        struct predecessor *found = (struct predecessor *)session_last_sent(session, conv);
        if (!found && session->predecessor_count < session->predecessor_room)
                found = &session->predecessors[session->predecessor_count++];
        if (!found && session->predecessor_room < KEPT) {
                uint32_t room = session->predecessor_room ? session->predecessor_room * 4 : 1;
                struct predecessor *more = realloc(session->predecessors, room * sizeof *more);
                if (!more)
                        return; /* the store will be asked instead */
                session->predecessors = more;
                session->predecessor_room = room;
                found = &session->predecessors[session->predecessor_count++];
        }
        if (!found) {
                assert(session->predecessors);
                memmove(session->predecessors, session->predecessors + 1, (KEPT - 1) * sizeof *found);
                found = &session->predecessors[KEPT - 1];
        }
        *found = (struct predecessor){.conv = conv, .cmid = *cmid, .is_accepted = is_accepted};
}
