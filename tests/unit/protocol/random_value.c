/* SPDX-License-Identifier: Apache-2.0 */
#include "random_value.h"

#include <stdlib.h>

enum { LONG_TEXT_BYTES = 300, MANY_ITEMS = 12 };

uint64_t random_next(struct random *random)
{
        uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);

        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        return x ^ (x >> 31);
}

uint64_t random_below(struct random *random, uint64_t limit)
{
        return random_next(random) % limit;
}

static void *take(struct arena *arena, size_t bytes)
{
        void *taken = arena_take(arena, bytes);

        if (!taken)
                abort();
        return taken;
}

static int64_t random_int(struct random *random, int64_t min, int64_t max)
{
        switch (random_below(random, 4)) {
        case 0:
                return min;
        case 1:
                return max;
        default:
                return min + (int64_t)random_below(random, (uint64_t)max - (uint64_t)min + 1);
        }
}

/* Pieces of one to six code points: plain, quoted, two to four bytes, breaks. */
static struct span random_text(struct random *random, const struct shape_field *field, struct arena *arena)
{
        static const char *const pieces[] = {"a",  "Z9 ", "\"", "\\", "/",  "é",   "ß", "한",
                                             "글", "語",  "€",  "😀",  "🇰🇷", "<b>", "{}"};
        static const char *const breaks[] = {"\n", "\t", "\\u0041"};
        size_t most =
                (size_t)field_limit(field)->max < LONG_TEXT_BYTES ? (size_t)field_limit(field)->max : LONG_TEXT_BYTES;
        size_t want = random_below(random, most + 1), len = 0, points = 0;
        char *text = take(arena, most + 16);

        if (field->type == SHAPE_URL) {
                memcpy(text, "https://", 8);
                len = points = 8;
        }
        for (;;) {
                bool may_break = field->type == SHAPE_TEXT && random_below(random, 4) == 0;
                const char *piece = may_break ? breaks[random_below(random, 3)] : pieces[random_below(random, 15)];
                size_t bytes = strlen(piece);

                if (field->type == SHAPE_URL && strchr(piece, ' '))
                        continue;
                if (len >= want && len >= (size_t)field_limit(field)->min && (field->type != SHAPE_URL || len > 8))
                        break;
                if (len + bytes > most || points + bytes > field_limit(field)->max_points) {
                        if (len >= (size_t)field_limit(field)->min && len > 0)
                                break;
                        continue;
                }
                memcpy(text + len, piece, bytes);
                len += bytes;
                points += bytes; /* too many, which is on the safe side */
        }
        return (struct span){text, len};
}

static struct principal_id random_principal(struct random *random)
{
        static const enum principal_role roles[] = {ROLE_CUSTOMER, ROLE_AGENT,  ROLE_BOT,     ROLE_APP,
                                                    ROLE_SYSTEM,   ROLE_ERASED, ROLE_OPERATOR};
        enum principal_role role = roles[random_below(random, 7)];

        return (struct principal_id){role, role <= ROLE_APP ? random_next(random) | 1 : 0};
}

static void random_bytes(struct random *random, uint8_t *out, size_t count)
{
        for (size_t i = 0; i < count; i++)
                out[i] = (uint8_t)random_next(random);
        out[0] |= 1;
}

static void random_field(struct random *random, const struct shape_field *field, struct arena *arena, bool full,
                         char *out)
{
        switch (field->type) {
        case SHAPE_INT:
                *(int64_t *)out = random_int(random, field_limit(field)->min, field_limit(field)->max);
                break;
        case SHAPE_BOOL:
                *(bool *)out = random_below(random, 2);
                break;
        case SHAPE_ID:
                *(uint64_t *)out = random_next(random) | 1;
                break;
        case SHAPE_PRINCIPAL:
                *(struct principal_id *)out = random_principal(random);
                break;
        case SHAPE_CMID:
                random_bytes(random, (uint8_t *)out, 16);
                break;
        case SHAPE_HEX:
                random_bytes(random, (uint8_t *)out, (size_t)field_limit(field)->max);
                break;
        case SHAPE_ENUM:
                *(int *)out = field->words[random_below(random, field->word_count)].number;
                break;
        case SHAPE_OBJECT:
                random_value(random, field->of, arena, full, out);
                break;
        default:
                *(struct span *)out = random_text(random, field, arena);
                break;
        }
}

static void random_array(struct random *random, const struct shape_field *field, struct arena *arena, bool full,
                         char *base)
{
        size_t most = (size_t)(field_limit(field)->max < MANY_ITEMS ? field_limit(field)->max : MANY_ITEMS);
        size_t count =
                (size_t)field_limit(field)->min + random_below(random, most - (size_t)field_limit(field)->min + 1);
        char *items;

        if (full && count == 0)
                count = 1;
        items = count ? take(arena, count * field->item->bytes) : NULL;
        for (size_t i = 0; i < count; i++)
                random_field(random, field->item, arena, full, items + i * field->item->bytes);
        memcpy(base + field->offset, &items, sizeof(items));
        memcpy(base + field->count_offset, &count, sizeof(count));
}

void random_value(struct random *random, const struct shape *shape, struct arena *arena, bool full, void *out)
{
        char *base = out;

        memset(out, 0, shape->bytes);
        for (; shape; base += shape->include_offset, shape = shape->include) {
                for (size_t i = 0; i < shape->count; i++) {
                        const struct shape_field *field = &shape->fields[i];

                        if (field->optional) {
                                if (!full && random_below(random, 2))
                                        continue;
                                *(bool *)(base + field->has_offset) = true;
                        }
                        if (field->type == SHAPE_ARRAY)
                                random_array(random, field, arena, full, base);
                        else
                                random_field(random, field, arena, full, base + field->offset);
                }
        }
}

static bool is_same(const struct shape_field *field, const char *a, const char *b)
{
        switch (field->type) {
        case SHAPE_INT:
        case SHAPE_ID:
                return memcmp(a, b, 8) == 0;
        case SHAPE_BOOL:
                return *(const bool *)a == *(const bool *)b;
        case SHAPE_PRINCIPAL:
                return ((const struct principal_id *)a)->role == ((const struct principal_id *)b)->role &&
                       ((const struct principal_id *)a)->id == ((const struct principal_id *)b)->id;
        case SHAPE_CMID:
                return memcmp(a, b, 16) == 0;
        case SHAPE_HEX:
                return memcmp(a, b, (size_t)field_limit(field)->max) == 0;
        case SHAPE_ENUM:
                return *(const int *)a == *(const int *)b;
        case SHAPE_OBJECT:
                return !value_difference(field->of, a, b);
        default:
                return span_equal(*(const struct span *)a, *(const struct span *)b);
        }
}

static bool is_same_array(const struct shape_field *field, const char *a, const char *b)
{
        const char *items_a, *items_b;
        size_t count_a, count_b;

        memcpy(&items_a, a + field->offset, sizeof(items_a));
        memcpy(&items_b, b + field->offset, sizeof(items_b));
        memcpy(&count_a, a + field->count_offset, sizeof(count_a));
        memcpy(&count_b, b + field->count_offset, sizeof(count_b));
        if (count_a != count_b)
                return false;
        for (size_t i = 0; i < count_a; i++) {
                if (!is_same(field->item, items_a + i * field->item->bytes, items_b + i * field->item->bytes))
                        return false;
        }
        return true;
}

const char *value_difference(const struct shape *shape, const void *a, const void *b)
{
        const char *base_a = a, *base_b = b;

        for (; shape; base_a += shape->include_offset, base_b += shape->include_offset, shape = shape->include) {
                for (size_t i = 0; i < shape->count; i++) {
                        const struct shape_field *field = &shape->fields[i];

                        if (field->optional) {
                                bool has = *(const bool *)(base_a + field->has_offset);

                                if (has != *(const bool *)(base_b + field->has_offset))
                                        return field->name;
                                if (!has)
                                        continue;
                        }
                        if (field->type == SHAPE_ARRAY
                                    ? !is_same_array(field, base_a, base_b)
                                    : !is_same(field, base_a + field->offset, base_b + field->offset))
                                return field->name;
                }
        }
        return NULL;
}
