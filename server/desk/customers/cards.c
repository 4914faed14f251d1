/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/customers/cards.h"

#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"

enum { CARDS_MAX = 65536, CARD_SLOTS = 8192 };

struct known {
        struct span name, value;
};

struct customer_card {
        int64_t customer;
        struct customer_card *next;
        struct arena arena;
        struct span name, email, locale, external_id, tier; /* absent = not known */
        struct span *tags;
        struct known *known;
        uint32_t tag_count, known_count;
        bool is_verified;
};

static size_t slot_of(int64_t customer)
{
        return ((uint64_t)customer * 0x9e3779b97f4a7c15u >> 20) & (CARD_SLOTS - 1);
}

static void card_free(struct customer_card *card)
{
        arena_done(&card->arena);
        free(card);
}

void card_forget(struct customers *customers, int64_t customer)
{
        if (!customers->cards)
                return;
        struct customer_card **link = &customers->cards[slot_of(customer)];
        while (*link && (*link)->customer != customer)
                link = &(*link)->next;
        struct customer_card *card = *link;
        if (!card)
                return;
        *link = card->next;
        customers->card_count--;
        card_free(card);
}

void cards_forget(struct customers *customers)
{
        for (size_t i = 0; customers->cards && customers->card_count > 0 && i < CARD_SLOTS; i++) {
                while (customers->cards[i]) {
                        struct customer_card *card = customers->cards[i];
                        customers->cards[i] = card->next;
                        customers->card_count--;
                        card_free(card);
                }
        }
}

void cards_settle(struct customers *customers)
{
        if (customers->card_count > CARDS_MAX)
                cards_forget(customers);
}

/* ---- reading one ---- */

static bool copy_span(struct customer_card *card, struct span text, struct span *out)
{
        if (!text.at || text.len == 0)
                return true;
        char *copy = arena_take(&card->arena, text.len);
        if (!copy)
                return false;
        memcpy(copy, text.at, text.len);
        *out = (struct span){copy, text.len};
        return true;
}

static int read_principal(struct desk *desk, struct customer_card *card)
{
        struct principal_row row;
        int rc = principals_load(desk->db, card->customer, &row);
        if (rc != DB_ROW)
                return rc;
        card->is_verified = row.external_id[0] != 0;
        bool is_kept = copy_span(card, span_of(row.name), &card->name) &&
                       copy_span(card, span_of(row.email), &card->email) &&
                       copy_span(card, span_of(row.locale), &card->locale) &&
                       copy_span(card, span_of(row.external_id), &card->external_id);
        return is_kept ? DB_OK : DB_NOMEM;
}

static int read_tier(struct desk *desk, struct customer_card *card)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, card->customer);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                rc = copy_span(card, db_text(stmt, 0), &card->tier) ? DB_OK : DB_NOMEM;
                db_reset(stmt);
        }
        return rc;
}

static int read_tags(struct desk *desk, struct customer_card *card)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_TAGS_OF);
        db_bind_int(stmt, 1, card->customer);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW && card->tag_count < CUSTOMER_TAGS) {
                if (!card->tags)
                        card->tags = arena_take(&card->arena, CUSTOMER_TAGS * sizeof *card->tags);
                if (!card->tags || !copy_span(card, db_text(stmt, 0), &card->tags[card->tag_count])) {
                        rc = DB_NOMEM;
                        break;
                }
                card->tag_count++;
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int read_known(struct desk *desk, struct customer_card *card)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTE_COUNT);
        db_bind_int(stmt, 1, card->customer);
        int rc = db_step(stmt);
        int64_t count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        if (rc < 0 || count == 0)
                return rc < 0 ? rc : DB_OK;
        card->known = arena_take(&card->arena, (size_t)count * sizeof *card->known);
        if (!card->known)
                return DB_NOMEM;
        stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTES_OF);
        db_bind_int(stmt, 1, card->customer);
        while ((rc = db_step(stmt)) == DB_ROW && card->known_count < count) {
                struct known *known = &card->known[card->known_count];
                if (!copy_span(card, db_text(stmt, 0), &known->name) ||
                    !copy_span(card, db_text(stmt, 1), &known->value)) {
                        rc = DB_NOMEM;
                        break;
                }
                card->known_count++;
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int read_card(struct desk *desk, int64_t customer, struct customer_card **out_card)
{
        struct customer_card *card = calloc(1, sizeof *card);
        if (!card)
                return DB_NOMEM;
        card->customer = customer;
        arena_init(&card->arena, NULL, 0);
        int rc = read_principal(desk, card);
        if (rc >= 0)
                rc = read_tier(desk, card);
        if (rc >= 0)
                rc = read_tags(desk, card);
        if (rc >= 0)
                rc = read_known(desk, card);
        if (rc < 0)
                card_free(card);
        else
                *out_card = card;
        return rc;
}

/* NULL: the store failed, or out of memory; the batch hears of it. */
static const struct customer_card *card_of(struct desk *desk, int64_t customer)
{
        struct customers *customers = &desk->customers;
        if (!customers->cards) {
                customers->cards = calloc(CARD_SLOTS, sizeof *customers->cards);
                if (!customers->cards)
                        return NULL;
        }
        struct customer_card *card = customers->cards[slot_of(customer)];
        while (card && card->customer != customer)
                card = card->next;
        if (card)
                return card;
        int rc = read_card(desk, customer, &card);
        if (rc < 0) {
                desk_db_failed(desk, rc);
                return NULL;
        }
        card->next = customers->cards[slot_of(customer)];
        customers->cards[slot_of(customer)] = card;
        customers->card_count++;
        return card;
}

/* ---- answering ---- */

static int64_t whole_part(struct span value)
{
        int64_t number = 0;
        size_t at = value.len > 0 && value.at[0] == '-' ? 1 : 0;
        for (size_t i = at; i < value.len && value.at[i] >= '0' && value.at[i] <= '9'; i++)
                number = number * 10 + (value.at[i] - '0');
        return at ? -number : number;
}

/* A value as its definition reads it; a number by its whole part. */
static void answer_value(const struct attribute *attribute, struct span value, struct fact_value *out)
{
        out->is_set = value.at != NULL;
        out->type = FACT_AS_TEXT;
        out->text = value;
        if (!attribute || !value.at)
                return;
        if (attribute->kind == ATTRIBUTE_NUMBER) {
                out->type = FACT_AS_NUMBER;
                out->number = whole_part(value);
        } else if (attribute->kind == ATTRIBUTE_BOOL) {
                out->type = FACT_AS_BOOL;
                out->number = span_equal(value, SPAN("true"));
        }
}

static struct span known_value(const struct customer_card *card, struct span name)
{
        for (uint32_t i = 0; i < card->known_count; i++)
                if (span_equal(card->known[i].name, name))
                        return card->known[i].value;
        return (struct span){0};
}

static void answer_text(struct span text, struct fact_value *out)
{
        out->is_set = text.at != NULL;
        out->text = text;
}

int customers_fact(struct desk *desk, int64_t customer, enum fact fact, struct span name, struct fact_value *out)
{
        const struct customer_card *card = card_of(desk, customer);
        if (!card)
                return -PROTOCOL_ERR_INTERNAL;
        switch (fact) {
        case FACT_CUSTOMER_NAME:
                answer_text(card->name, out);
                break;
        case FACT_CUSTOMER_EMAIL:
                answer_text(card->email, out);
                break;
        case FACT_CUSTOMER_TIER:
                answer_text(card->tier, out);
                break;
        case FACT_CUSTOMER_TAG:
                out->is_set = card->tag_count > 0;
                out->items = card->tags;
                out->count = card->tag_count;
                break;
        case FACT_CUSTOMER_VERIFIED:
                out->is_set = true;
                out->number = card->is_verified;
                break;
        case FACT_CUSTOMER_ATTRIBUTE:
                answer_value(attribute_find(desk, ATTRIBUTE_CUSTOMER, name), known_value(card, name), out);
                break;
        default:
                break;
        }
        return 0;
}

int fields_fact(struct desk *desk, struct span json, struct span name, char *room, size_t room_bytes,
                struct fact_value *out)
{
        struct arena arena;
        char first[1024];
        arena_init(&arena, first, sizeof first);
        struct span value = fields_get(json, name, &arena);
        if (value.at && value.len <= room_bytes)
                memcpy(room, value.at, value.len);
        else
                value = (struct span){0};
        arena_done(&arena);
        answer_value(attribute_find(desk, ATTRIBUTE_TICKET, name),
                     value.at ? (struct span){room, value.len} : (struct span){0}, out);
        return 0;
}

int customers_value(struct desk *desk, int64_t customer, struct span name, struct span *out_value)
{
        const struct customer_card *card = card_of(desk, customer);
        if (!card)
                return -PROTOCOL_ERR_INTERNAL;
        *out_value = span_equal(name, SPAN("name"))     ? card->name
                     : span_equal(name, SPAN("email"))  ? card->email
                     : span_equal(name, SPAN("locale")) ? card->locale
                     : span_equal(name, SPAN("id"))     ? card->external_id
                     : span_equal(name, SPAN("tier"))   ? card->tier
                                                        : known_value(card, name);
        return 0;
}
