/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations the writer has in memory. A changed one stays until its row was written and committed; after a rollback
 * it is forgotten, so that memory never says what the disk does not. */
#include "desk/desk_private.h"

#include <stdlib.h>

enum { CACHE_SLOTS = 32768, CACHE_MAX = 32768 };

int cache_init(struct cache *cache)
{
        cache->slots = calloc(CACHE_SLOTS, sizeof *cache->slots);
        cache->slot_count = CACHE_SLOTS;
        return cache->slots ? 0 : DB_NOMEM;
}

void cache_done(struct cache *cache)
{
        while (cache->newest) {
                struct conversation *conversation = cache->newest;
                cache->newest = conversation->older;
                free(conversation);
        }
        free(cache->slots);
        memset(cache, 0, sizeof *cache);
}

static size_t slot_of(uint64_t ext)
{
        return (ext * 0x9e3779b97f4a7c15u >> 32) & (CACHE_SLOTS - 1);
}

static void use_unlink(struct cache *cache, struct conversation *conversation)
{
        *(conversation->newer ? &conversation->newer->older : &cache->newest) = conversation->older;
        *(conversation->older ? &conversation->older->newer : &cache->oldest) = conversation->newer;
}

static void use_first(struct cache *cache, struct conversation *conversation)
{
        conversation->newer = NULL;
        conversation->older = cache->newest;
        *(cache->newest ? &cache->newest->newer : &cache->oldest) = conversation;
        cache->newest = conversation;
}

static void cache_remove(struct cache *cache, struct conversation *conversation)
{
        struct conversation **link = &cache->slots[slot_of(conversation->row.ext)];
        while (*link != conversation)
                link = &(*link)->hash_next;
        *link = conversation->hash_next;
        use_unlink(cache, conversation);
        cache->count--;
        free(conversation);
}

static bool is_busy(const struct conversation *conversation)
{
        return conversation->is_changed || conversation->is_marked || conversation->is_in_feed;
}

/* Makes room; what something still has to be said of is kept. */
static void cache_shrink(struct cache *cache)
{
        struct conversation *at = cache->oldest;
        for (int tries = 0; at && cache->count >= CACHE_MAX && tries < 256; tries++) {
                struct conversation *newer = at->newer;
                if (!is_busy(at))
                        cache_remove(cache, at);
                at = newer;
        }
}

static struct conversation *cache_add(struct cache *cache, const struct conversation_row *row)
{
        if (cache->count >= CACHE_MAX)
                cache_shrink(cache);
        struct conversation *conversation = calloc(1, sizeof *conversation);
        if (!conversation)
                return NULL;
        conversation->row = *row;
        conversation->was_team = row->team;
        conversation->was_assignee = row->assignee;
        size_t slot = slot_of(row->ext);
        conversation->hash_next = cache->slots[slot];
        cache->slots[slot] = conversation;
        use_first(cache, conversation);
        cache->count++;
        return conversation;
}

static struct conversation *find_cached(const struct cache *cache, uint64_t ext)
{
        struct conversation *conversation = cache->slots[slot_of(ext)];
        while (conversation && conversation->row.ext != ext)
                conversation = conversation->hash_next;
        return conversation;
}

const struct conversation *conversation_peek(const struct desk *desk, uint64_t ext)
{
        return find_cached(&desk->cache, ext);
}

int conversation_find(struct desk *desk, uint64_t ext, struct conversation **out_conversation)
{
        struct cache *cache = &desk->cache;
        struct conversation *conversation = find_cached(cache, ext);
        if (conversation) {
                if (cache->newest != conversation) {
                        use_unlink(cache, conversation);
                        use_first(cache, conversation);
                }
                *out_conversation = conversation;
                return 0;
        }
        struct conversation_row row;
        int rc = conversations_load(desk->db, ext, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        conversation = cache_add(cache, &row);
        if (!conversation)
                return -PROTOCOL_ERR_INTERNAL;
        *out_conversation = conversation;
        return 0;
}

static int make_conversation(struct desk *desk, const struct caller *caller, struct span key,
                             struct conversation **out_conversation)
{
        int64_t count = 0;
        int rc = conversations_count(desk->db, caller->app, caller->principal, &count);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (count >= PROTOCOL_CONVERSATIONS)
                return -PROTOCOL_ERR_TOO_MANY;
        struct conversation_row row = {.ext = desk_new_id(desk),
                                       .workspace = caller->workspace,
                                       .app = caller->app,
                                       .customer = caller->principal,
                                       .first = 1,
                                       .last_ts = desk->now_ms};
        memcpy(row.key, key.at, key.len);
        rc = conversations_insert(desk->db, &row, desk->now_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct conversation *conversation = cache_add(&desk->cache, &row);
        if (!conversation)
                return desk_db_failed(desk, DB_NOMEM); /* the row is there: the batch must not be kept half known */
        conversation_changed(desk, conversation, true);
        *out_conversation = conversation;
        return 0;
}

int conversation_find_key(struct desk *desk, const struct caller *caller, struct span key, bool *out_made,
                          struct conversation **out_conversation)
{
        uint64_t ext = 0;
        int rc = conversations_find_key(desk->db, caller->app, caller->principal, key, &ext);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        *out_made = rc == DB_OK;
        if (rc == DB_OK)
                return make_conversation(desk, caller, key, out_conversation);
        return conversation_find(desk, ext, out_conversation);
}

int conversation_for(struct desk *desk, const struct caller *caller, uint64_t ext,
                     struct conversation **out_conversation)
{
        struct conversation *conversation = NULL;
        int rc = conversation_find(desk, ext, &conversation);
        if (!conversation)
                return rc;
        const struct conversation_row *row = &conversation->row;
        bool is_staff = caller->role == ROLE_AGENT || caller->role == ROLE_BOT;
        bool may = is_staff
                           ? row->workspace == caller->workspace &&
                                     people_may_read(desk, caller, row->team, row->assignee, row->invited ? row->id : 0)
                           : caller->role == ROLE_CUSTOMER && row->customer == caller->principal;
        if (!may || (caller->via_app && conversation->row.app != caller->app))
                return -PROTOCOL_ERR_NOT_FOUND;
        *out_conversation = conversation;
        return 0;
}

void conversation_changed(struct desk *desk, struct conversation *conversation, bool is_public)
{
        conversation->is_publicly_changed = conversation->is_publicly_changed || is_public;
        if (conversation->is_changed)
                return;
        conversation->is_changed = true;
        conversation->changed_next = NULL;
        *desk->changed_last = conversation;
        desk->changed_last = &conversation->changed_next;
        desk->changed_count++;
}

int conversation_unmake(struct desk *desk, struct conversation *conversation, int refusal)
{
        struct conversation **link = &desk->changed_first;
        while (*link != conversation)
                link = &(*link)->changed_next;
        *link = conversation->changed_next;
        if (desk->changed_last == &conversation->changed_next)
                desk->changed_last = link;
        desk->changed_count--;
        int rc = conversations_remove(desk->db, conversation->row.id);
        cache_remove(&desk->cache, conversation);
        return rc < 0 ? desk_db_failed(desk, rc) : refusal;
}

int cache_flush(struct desk *desk)
{
        for (struct conversation *at = desk->changed_first; at; at = at->changed_next) {
                int rc = people_flush_conversation(desk, at, ++desk->rev);
                if (rc >= 0)
                        rc = conversations_save(desk->db, &at->row, desk->rev, at->is_publicly_changed);
                if (rc < 0)
                        return rc;
        }
        if (!desk->changed_first)
                return DB_OK;
        int rc = meta_put_int(desk->db, "rev", desk->rev);
        return rc < 0 ? rc : meta_put_int(desk->db, "committed_ms", desk->now_ms);
}

static void changed_reset(struct desk *desk)
{
        desk->changed_first = NULL;
        desk->changed_last = &desk->changed_first;
        desk->changed_count = 0;
        desk->flush_due_ms = 0;
}

void cache_committed(struct desk *desk)
{
        for (struct conversation *at = desk->changed_first; at; at = at->changed_next) {
                at->is_changed = false;
                at->is_publicly_changed = false;
                if (desk->sessions.staff_count > 0 && !at->is_in_feed) {
                        at->is_in_feed = true;
                        at->feed_next = NULL;
                        *desk->feed_last = at;
                        desk->feed_last = &at->feed_next;
                }
        }
        changed_reset(desk);
}

static void marked_remove(struct desk *desk, struct conversation *conversation)
{
        struct conversation **link = &desk->marked_first;
        while (*link && *link != conversation)
                link = &(*link)->marked_next;
        if (*link)
                *link = conversation->marked_next;
}

static void feed_remove(struct desk *desk, struct conversation *conversation)
{
        struct conversation **link = &desk->feed_first;
        while (*link && *link != conversation)
                link = &(*link)->feed_next;
        if (!*link)
                return;
        if (desk->feed_last == &conversation->feed_next)
                desk->feed_last = link;
        *link = conversation->feed_next;
}

void cache_rolled_back(struct desk *desk)
{
        struct conversation *at = desk->changed_first;
        while (at) {
                struct conversation *next = at->changed_next;
                if (at->is_marked)
                        marked_remove(desk, at);
                if (at->is_in_feed)
                        feed_remove(desk, at);
                cache_remove(&desk->cache, at);
                at = next;
        }
        changed_reset(desk);
        desk->rev = atomic_load_explicit(&desk->committed_rev, memory_order_relaxed);
}
