/* SPDX-License-Identifier: Apache-2.0 */
/* What has left an agent's reach since a rev, oldest first: read from the scopes that are his. In a reader's view of
 * the store. Only what he could see before, and cannot now. */
#pragma once

#include "desk/people/reach.h"

struct reach_left {
        int64_t rev, conv;
        uint64_t ext;
};

struct reach_feed {
        struct reach_left *rows; /* owned */
        size_t count, room, at;
        int64_t horizon; /* what left after this rev was not read: a page ends here. INT64_MAX: all was */
};

/* At most about `limit` a scope. 0 or a negative db_error; either way reach_feed_done. */
int reach_feed_begin(struct reach_feed *feed, struct db *db, const struct reach *reach, int64_t rev, int64_t limit);
void reach_feed_done(struct reach_feed *feed);
/* The next one up to `until` (a rev), or NULL. */
const struct reach_left *reach_feed_peek(const struct reach_feed *feed, int64_t until);
void reach_feed_take(struct reach_feed *feed);
