/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/customers/cards.h"

#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"

enum { CARDS_MAX = 131072, FIRST_SLOTS = 1024, AT_ONCE = 16 /* customers of one query */ };

/* What is read of a customer by itself. */
enum part { PART_WHO, PART_TIER, PART_TAGS, PART_KNOWN, PARTS };

/* Of PART_WHO. */
enum { WHO_NAME, WHO_EMAIL, WHO_LOCALE, WHO_EXTERNAL_ID, WHO_TEXTS };

/* Texts in one block; absent ones are not known. PART_KNOWN: names, each before its value. */
struct texts {
        struct span *all; /* NULL = none */
        uint32_t count;
        bool is_read;
};

struct customer_card {
        int64_t customer;
        struct customer_card *next;
        struct texts parts[PARTS];
};

static size_t slot_of(const struct customers *customers, int64_t customer)
{
        return ((uint64_t)customer * 0x9e3779b97f4a7c15u >> 20) & (customers->card_slots - 1);
}

static void card_free(struct customer_card *card)
{
        for (int i = 0; i < PARTS; i++)
                free(card->parts[i].all);
        free(card);
}

void card_forget(struct customers *customers, int64_t customer)
{
        if (!customers->cards)
                return;
        struct customer_card **link = &customers->cards[slot_of(customers, customer)];
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
        for (size_t i = 0; customers->cards && customers->card_count > 0 && i < customers->card_slots; i++) {
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

/* ---- finding ---- */

/* Without memory for more the table only gets slower; false: there is none. */
static bool grow_slots(struct customers *customers)
{
        size_t count = customers->cards ? customers->card_slots * 2 : FIRST_SLOTS;
        struct customers bigger = {.card_slots = count, .cards = calloc(count, sizeof *customers->cards)};
        if (!bigger.cards)
                return customers->cards != NULL;
        for (size_t i = 0; i < customers->card_slots && customers->cards; i++) {
                struct customer_card *next;
                for (struct customer_card *card = customers->cards[i]; card; card = next) {
                        struct customer_card **slot = &bigger.cards[slot_of(&bigger, card->customer)];
                        next = card->next;
                        card->next = *slot;
                        *slot = card;
                }
        }
        free(customers->cards);
        customers->cards = bigger.cards;
        customers->card_slots = count;
        return true;
}

/* His card, made when there is none. NULL: out of memory. */
static struct customer_card *card_for(struct customers *customers, int64_t customer)
{
        struct customer_card *card = customers->cards ? customers->cards[slot_of(customers, customer)] : NULL;
        while (card && card->customer != customer)
                card = card->next;
        if (card)
                return card;
        if ((!customers->cards || customers->card_count >= customers->card_slots) && !grow_slots(customers))
                return NULL;
        card = calloc(1, sizeof *card);
        if (!card)
                return NULL;
        struct customer_card **slot = &customers->cards[slot_of(customers, customer)];
        card->customer = customer;
        card->next = *slot;
        *slot = card;
        customers->card_count++;
        return card;
}

/* ---- reading ---- */

/* The statement of each part: rows of (customer, text, ...) in the order of customers. */
static const struct {
        enum sql_id statement;
        int texts; /* of a row */
} readings[PARTS] = {
        [PART_WHO] = {SQL_CARDS_WHO, WHO_TEXTS},
        [PART_TIER] = {SQL_CARDS_TIER, 1},
        [PART_TAGS] = {SQL_CARDS_TAGS, 1},
        [PART_KNOWN] = {SQL_CARDS_KNOWN, 2},
};

/* What was read of one customer so far. */
struct gathered {
        struct customer_card *card; /* NULL: nothing */
        struct writer bytes;
        struct span *texts; /* `at` is an offset, one more; NULL = absent */
        size_t count, room;
};

static int gather(struct gathered *gathered, struct db_stmt *stmt, int texts)
{
        if (gathered->count + (size_t)texts > gathered->room) {
                size_t room = gathered->room * 2 + 32;
                struct span *more = realloc(gathered->texts, room * sizeof *more);
                if (!more)
                        return DB_NOMEM;
                gathered->texts = more;
                gathered->room = room;
        }
        for (int i = 0; i < texts; i++) {
                struct span text = db_text(stmt, 1 + i);
                struct span *kept = &gathered->texts[gathered->count++];
                *kept = (struct span){0};
                if (!text.at || text.len == 0)
                        continue;
                *kept = (struct span){NULL, text.len};
                writer_raw(&gathered->bytes, text);
        }
        return gathered->bytes.failed ? DB_NOMEM : DB_OK;
}

/* Becomes the part of its card, in one block. */
static int pack(struct gathered *gathered, enum part part)
{
        struct customer_card *card = gathered->card;
        if (!card)
                return DB_OK;
        size_t bytes = gathered->count * sizeof(struct span);
        char *block = malloc(bytes + gathered->bytes.len);
        if (!block)
                return DB_NOMEM;
        struct span *all = (struct span *)(void *)block;
        char *at = block + bytes;
        if (gathered->bytes.len > 0)
                memcpy(at, gathered->bytes.bytes, gathered->bytes.len);
        for (size_t i = 0; i < gathered->count; i++) {
                all[i] = gathered->texts[i];
                all[i].at = all[i].len > 0 ? at : NULL;
                at += all[i].len;
        }
        free(card->parts[part].all);
        card->parts[part].all = all;
        card->parts[part].count = (uint32_t)gathered->count;
        gathered->card = NULL;
        gathered->count = 0;
        gathered->bytes.len = 0;
        return DB_OK;
}

static int read_rows(struct db_stmt *stmt, enum part part, struct customer_card *const *cards, size_t count,
                     struct gathered *gathered)
{
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                int64_t customer = db_int(stmt, 0);
                if (gathered->card && gathered->card->customer != customer && (rc = pack(gathered, part)) < 0)
                        return rc;
                for (size_t i = 0; i < count && !gathered->card; i++)
                        gathered->card = cards[i]->customer == customer ? cards[i] : NULL;
                if (gathered->card && (rc = gather(gathered, stmt, readings[part].texts)) < 0)
                        return rc;
        }
        return rc < 0 ? rc : pack(gathered, part);
}

/* That part of at most AT_ONCE cards. 0 or a db_error. */
static int read_part(struct desk *desk, enum part part, struct customer_card *const *cards, size_t count)
{
        struct gathered gathered = {0};
        char first[1024];
        struct db_stmt *stmt = db_stmt(desk->db, readings[part].statement);
        writer_init(&gathered.bytes, first, sizeof first);
        for (size_t i = 0; i < AT_ONCE; i++)
                db_bind_int(stmt, (int)i + 1, cards[i < count ? i : 0]->customer);
        int rc = read_rows(stmt, part, cards, count, &gathered);
        db_reset(stmt);
        writer_done(&gathered.bytes);
        free(gathered.texts);
        for (size_t i = 0; rc >= 0 && i < count; i++)
                cards[i]->parts[part].is_read = true;
        return rc;
}

static enum part part_of(enum fact fact)
{
        switch (fact) {
        case FACT_CUSTOMER_TIER:
                return PART_TIER;
        case FACT_CUSTOMER_TAG:
                return PART_TAGS;
        case FACT_CUSTOMER_ATTRIBUTE:
                return PART_KNOWN;
        default:
                return PART_WHO;
        }
}

int customers_prepare(struct desk *desk, enum fact fact, const int64_t *customers, size_t count)
{
        enum part part = part_of(fact);
        struct customer_card *cards[AT_ONCE];
        size_t wanted = 0;
        int rc = DB_OK;
        for (size_t i = 0; rc >= 0 && i < count; i++) {
                struct customer_card *card = card_for(&desk->customers, customers[i]);
                if (!card)
                        rc = DB_NOMEM;
                else if (!card->parts[part].is_read)
                        cards[wanted++] = card;
                if (rc >= 0 && (wanted == AT_ONCE || (wanted > 0 && i + 1 == count))) {
                        rc = read_part(desk, part, cards, wanted);
                        wanted = 0;
                }
        }
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* NULL: the store failed, or out of memory; the batch hears of it. */
static const struct texts *part_for(struct desk *desk, int64_t customer, enum part part)
{
        struct customer_card *card = card_for(&desk->customers, customer);
        int rc = !card ? DB_NOMEM : card->parts[part].is_read ? DB_OK : read_part(desk, part, &card, 1);
        if (rc >= 0)
                return &card->parts[part];
        desk_db_failed(desk, rc);
        return NULL;
}

static struct span text_at(const struct texts *texts, uint32_t at)
{
        return at < texts->count ? texts->all[at] : (struct span){0};
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

static struct span known_value(const struct texts *known, struct span name)
{
        for (uint32_t i = 0; i + 1 < known->count; i += 2)
                if (span_equal(known->all[i], name))
                        return known->all[i + 1];
        return (struct span){0};
}

static void answer_text(struct span text, struct fact_value *out)
{
        out->is_set = text.at != NULL;
        out->text = text;
}

int customers_fact(struct desk *desk, int64_t customer, enum fact fact, struct span name, struct fact_value *out)
{
        const struct texts *texts = part_for(desk, customer, part_of(fact));
        if (!texts)
                return -PROTOCOL_ERR_INTERNAL;
        switch (fact) {
        case FACT_CUSTOMER_NAME:
                answer_text(text_at(texts, WHO_NAME), out);
                break;
        case FACT_CUSTOMER_EMAIL:
                answer_text(text_at(texts, WHO_EMAIL), out);
                break;
        case FACT_CUSTOMER_TIER:
                answer_text(text_at(texts, 0), out);
                break;
        case FACT_CUSTOMER_TAG:
                out->is_set = texts->count > 0;
                out->items = texts->all;
                out->count = texts->count;
                break;
        case FACT_CUSTOMER_VERIFIED:
                out->is_set = true;
                out->number = text_at(texts, WHO_EXTERNAL_ID).at != NULL;
                break;
        case FACT_CUSTOMER_ATTRIBUTE:
                answer_value(attribute_find(desk, ATTRIBUTE_CUSTOMER, name), known_value(texts, name), out);
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
        static const char *const words[WHO_TEXTS] = {
                [WHO_NAME] = "name", [WHO_EMAIL] = "email", [WHO_LOCALE] = "locale", [WHO_EXTERNAL_ID] = "id"};
        uint32_t at = 0;
        while (at < WHO_TEXTS && !span_equal(name, span_of(words[at])))
                at++;
        bool is_tier = span_equal(name, SPAN("tier"));
        const struct texts *texts = part_for(desk, customer,
                                             at < WHO_TEXTS ? PART_WHO
                                             : is_tier      ? PART_TIER
                                                            : PART_KNOWN);
        if (!texts)
                return -PROTOCOL_ERR_INTERNAL;
        *out_value = at < WHO_TEXTS ? text_at(texts, at) : is_tier ? text_at(texts, 0) : known_value(texts, name);
        return 0;
}
