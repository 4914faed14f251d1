/* SPDX-License-Identifier: Apache-2.0 */
/* Customers: what is known of them beside what they say in conversations. Attributes and who said them, loyalty tier,
 * tags, notes, blocks, events of the app's back end, and the words that they are found by.
 *
 * Always true: what the app vouches for (its user's signed token, its back end) is never overwritten by a client or the
 * team; a custom attribute holds what its definition allows; what is kept of a customer in memory (his card) is read
 * from the store when it is asked for, and forgotten when it changes or a batch is not kept.
 * Desk thread only, but for what says otherwise. */
#pragma once

#include "desk/command.h"
#include "desk/rules/facts.h"
#include "store/principals.h"

struct customer_card;
struct desk;

enum {
        CUSTOMER_ATTRIBUTES = 100, /* defined for customers */
        TICKET_FIELDS = 50,        /* defined for tickets */
        CUSTOMER_KNOWN = 150,      /* attributes of one customer */
        CUSTOMER_TAGS = 50,        /* of one customer */
        CUSTOMER_NOTES = 1000,
        CUSTOMER_EVENTS = 5000,
        CUSTOMER_SCREENS = 100,
        CUSTOMER_TIERS = 20,
        CUSTOMER_NAME_BYTES = 64, /* of an attribute, a tag, a tier */
};

/* As in the store; a number never changes its meaning. */
enum attribute_scope { ATTRIBUTE_CUSTOMER = 1, ATTRIBUTE_TICKET = 2 };
enum attribute_kind {
        ATTRIBUTE_TEXT = 1,
        ATTRIBUTE_NUMBER = 2, /* a decimal of at most 15 digits */
        ATTRIBUTE_DATE = 3,   /* 2026-01-31 */
        ATTRIBUTE_BOOL = 4,   /* true, false */
        ATTRIBUTE_CHOICE = 5,
};
enum attribute_origin { ORIGIN_TOKEN = 1, ORIGIN_APP, ORIGIN_CLIENT, ORIGIN_AGENT, ORIGIN_OPERATOR };

static inline bool origin_is_verified(int64_t origin)
{
        return origin == ORIGIN_TOKEN || origin == ORIGIN_APP;
}

struct attribute {
        enum attribute_scope scope;
        enum attribute_kind kind;
        char name[CUSTOMER_NAME_BYTES + 1];
        char *choices; /* a JSON array; NULL but for a choice */
};

struct customers {
        struct attribute *attributes; /* by scope and name */
        size_t attribute_count;
        int64_t *blocked; /* row ids, ascending */
        size_t blocked_count;
        struct customer_card **cards; /* slots */
        size_t card_count, card_slots;
        bool are_attributes_stale, is_blocked_stale;
        struct event_budget { /* of an app's back end */
                int64_t app, at_ms;
                int32_t left;
        } budgets[64];
};

/* ---- life of the module ---- */

int customers_load(struct desk *desk); /* at start: 0 or a negative db_error */
void customers_done(struct desk *desk);
void customers_committed(struct desk *desk);
void customers_rolled_back(struct desk *desk);

/* ---- attributes (attributes.c) ---- */

/* The definition, lent until the end of the batch; NULL: none of that name. */
const struct attribute *attribute_find(struct desk *desk, enum attribute_scope scope, struct span name);
/* Whether the definition allows the value. 0, or -PROTOCOL_ERR_BAD_REQUEST with `fault` naming `field`. */
int attribute_check(const struct attribute *attribute, struct span value, const char *field, struct fault *fault);
/* Custom fields as a JSON object of texts: each is defined, and its value is allowed. 0 or -PROTOCOL_ERR_BAD_REQUEST
 * with `fault` naming the member. `json` may be changed meanwhile. */
int fields_check(struct desk *desk, enum attribute_scope scope, struct span json, struct fault *fault);
/* `json` (absent: none yet) with `name` set to `value` (absent: taken away), from `arena`; *out_json is absent when
 * nothing is left. 0 or a negative protocol error with `fault` filled. */
int fields_put(struct desk *desk, enum attribute_scope scope, struct span json, struct span name, struct span value,
               struct arena *arena, struct span *out_json, struct fault *fault);
/* The value of one custom field, copied into `arena`; absent when it has none. Pure; any thread. */
struct span fields_get(struct span json, struct span name, struct arena *arena);

/* ---- what conditions ask (cards.c) ---- */

/* Answers FACT_CUSTOMER_* of that customer; `name` of FACT_CUSTOMER_ATTRIBUTE. What is lent lives until the end of the
 * batch, and until the customer is changed. 0 or a negative protocol error. */
int customers_fact(struct desk *desk, int64_t customer, enum fact fact, struct span name, struct fact_value *out);
/* Reads what that fact asks of so many customers, as far as it is not in memory: cheaper than one by one. 0 or a
 * negative protocol error. */
int customers_prepare(struct desk *desk, enum fact fact, const int64_t *customers, size_t count);
/* Answers FACT_FIELD of a ticket whose custom fields are `json`; a text is copied into `room`. */
int fields_fact(struct desk *desk, struct span json, struct span name, char *room, size_t room_bytes,
                struct fact_value *out);
/* The value of an attribute or of name, email, tier; absent: not known. Lent as above. */
int customers_value(struct desk *desk, int64_t customer, struct span name, struct span *out_value);

/* ---- blocks (block.c) ---- */

/* What he writes reaches nobody: the ticket core closes his tickets at once. */
bool customers_is_blocked(struct desk *desk, int64_t customer);

/* ---- what the desk tells ---- */

/* Of a session that opens, or a request of an app for its user: what the token says of him beside name and address.
 * 0 or a negative protocol error (the store failed). */
int customers_described(struct desk *desk, const struct opening *opening, const struct principal_row *row);
/* His name, address or the app's id of him have changed: he is found by other words. The same. */
int customers_index(struct desk *desk, int64_t customer);
/* `from` is another name of `into` from now on: all that is known goes there. The same. */
int customers_joined(struct desk *desk, int64_t from, int64_t into);
/* A person is erased: all that is known of him goes. The same. */
int customers_erase(struct desk *desk, int64_t customer);

/* What is known of him has changed: his card is forgotten, his open tickets are looked at again. */
void customers_changed(struct desk *desk, int64_t customer);

/* ---- shared by the handlers ---- */

/* A customer that staff named, or the one he is an alias of. `caller` may see him. 0, -PROTOCOL_ERR_NOT_FOUND, or the
 * store failed. */
int customers_find(struct desk *desk, const struct caller *caller, struct principal_id named,
                   struct principal_row *out_row);
/* A row of what happened; `text` and `title` are absent when there are none. 0 or a negative protocol error. */
enum story_kind { STORY_EVENT = 1, STORY_SCREEN, STORY_NOTE, STORY_BLOCKED, STORY_UNBLOCKED, STORY_MERGED };
int story_add(struct desk *desk, int64_t customer, enum story_kind kind, int64_t author, struct span title);

/* The same on any connection, in its thread: DB_ROW, DB_OK (none, or out of reach), or a db_error. */
struct reach;
int customers_look(struct db *db, const struct caller *caller, struct principal_id named,
                   struct principal_row *out_row);
/* What the caller may read; the operator everything. 0 or a db_error. */
int customers_reach(struct db *db, const struct caller *caller, struct reach *out_reach);
/* Whether one of his conversations may be read. 1, 0 or a db_error. */
int customers_reached(struct db *db, const struct reach *reach, int64_t customer);
