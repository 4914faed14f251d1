/* SPDX-License-Identifier: Apache-2.0 */
/* Zone: see zone.h. The first block of the file is for readers of 32 bits and is stepped over; the second holds the
 * table, the last line the rule for what comes after it. Everything in the file is checked before it is believed. */
#include "desk/hours/zone.h"

#include <errno.h>
#include <stdlib.h>

#include "desk/hours/zone_rule.h"

enum {
        HEADER_BYTES = 44,
        CHANGES_MAX = 4096,
        TYPES_MAX = 256,
        OFFSET_MIN = -89999, /* RFC 8536 */
        OFFSET_MAX = 93599,
};
#define EARLIEST (-(INT64_C(1) << 59)) /* where tables begin that name a beginning of time */

struct zone {
        size_t change_count;
        int32_t first_offset_s; /* before all changes */
        struct zone_rule rule;
        bool has_rule;
        struct change {
                int64_t at_s;
                int32_t offset_s; /* from there on */
        } changes[];
};

struct header {
        char version;
        size_t utc_flags, standard_flags, leaps, changes, types, chars;
};

static uint32_t read_32(const unsigned char *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_64(const unsigned char *at)
{
        return (int64_t)((uint64_t)read_32(at) << 32 | read_32(at + 4));
}

static bool read_header(struct span bytes, struct header *out)
{
        const unsigned char *at = (const unsigned char *)bytes.at;
        if (bytes.len < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
                return false;
        *out = (struct header){(char)at[4],      read_32(at + 20), read_32(at + 24), read_32(at + 28),
                               read_32(at + 32), read_32(at + 36), read_32(at + 40)};
        return out->version >= '2' && out->version <= '4' && out->changes <= CHANGES_MAX && out->types >= 1 &&
               out->types <= TYPES_MAX && out->chars <= ZONE_BYTES_MAX && out->leaps <= CHANGES_MAX &&
               (out->utc_flags == 0 || out->utc_flags == out->types) &&
               (out->standard_flags == 0 || out->standard_flags == out->types);
}

static size_t body_bytes(const struct header *header, size_t time_bytes)
{
        return header->changes * (time_bytes + 1) + header->types * 6 + header->chars +
               header->leaps * (time_bytes + 4) + header->standard_flags + header->utc_flags;
}

/* Steps over `count` bytes. */
static bool skip(struct span *bytes, size_t count)
{
        if (bytes->len < count)
                return false;
        bytes->at += count;
        bytes->len -= count;
        return true;
}

static bool read_offsets(const unsigned char *types, size_t count, int32_t offsets[TYPES_MAX])
{
        for (size_t i = 0; i < count; i++) {
                offsets[i] = (int32_t)read_32(types + i * 6);
                if (offsets[i] < OFFSET_MIN || offsets[i] > OFFSET_MAX)
                        return false;
        }
        return true;
}

static bool read_changes(const struct header *header, const unsigned char *body, struct zone *zone)
{
        int32_t offsets[TYPES_MAX];
        const unsigned char *which = body + header->changes * 8;
        if (!read_offsets(which + header->changes, header->types, offsets))
                return false;
        zone->first_offset_s = offsets[0];
        zone->change_count = header->changes;
        for (size_t i = 0; i < header->changes; i++) {
                struct change *change = &zone->changes[i];
                change->at_s = read_64(body + i * 8);
                if (which[i] >= header->types || change->at_s < EARLIEST || change->at_s > ZONE_SECOND_MAX ||
                    (i > 0 && change->at_s <= change[-1].at_s))
                        return false;
                change->offset_s = offsets[which[i]];
        }
        return true;
}

/* "\nRULE\n", and nothing may stand between the two: then the last change holds for ever. */
static bool read_footer(struct span text, struct zone *zone)
{
        if (text.len < 2 || text.at[0] != '\n' || text.at[text.len - 1] != '\n')
                return false;
        zone->has_rule = text.len > 2;
        return !zone->has_rule || zone_rule_parse((struct span){text.at + 1, text.len - 2}, &zone->rule);
}

int zone_parse(struct span bytes, struct zone **out_zone)
{
        struct header header;
        if (bytes.len > ZONE_BYTES_MAX || !read_header(bytes, &header) ||
            !skip(&bytes, HEADER_BYTES + body_bytes(&header, 4)) || !read_header(bytes, &header) || header.leaps != 0 ||
            !skip(&bytes, HEADER_BYTES))
                return -EINVAL;
        const unsigned char *body = (const unsigned char *)bytes.at;
        if (!skip(&bytes, body_bytes(&header, 8)))
                return -EINVAL;
        struct zone *zone = calloc(1, sizeof *zone + header.changes * sizeof zone->changes[0]);
        if (!zone)
                return -ENOMEM;
        if (!read_changes(&header, body, zone) || !read_footer(bytes, zone)) {
                free(zone);
                return -EINVAL;
        }
        *out_zone = zone;
        return 0;
}

struct zone *zone_free(struct zone *zone)
{
        free(zone);
        return NULL;
}

/* How many changes have been by then. */
static size_t changes_until(const struct zone *zone, int64_t utc_s)
{
        size_t low = 0, high = zone->change_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (zone->changes[middle].at_s <= utc_s)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct zone_stretch clip(struct zone_stretch stretch)
{
        if (stretch.from_s < -ZONE_SECOND_MAX)
                stretch.from_s = -ZONE_SECOND_MAX;
        if (stretch.to_s > ZONE_SECOND_MAX + 1)
                stretch.to_s = ZONE_SECOND_MAX + 1;
        return stretch;
}

struct zone_stretch zone_at(const struct zone *zone, int64_t utc_s)
{
        struct zone_stretch all = {INT64_MIN, INT64_MAX, 0};
        if (utc_s < -ZONE_SECOND_MAX)
                utc_s = -ZONE_SECOND_MAX;
        if (utc_s > ZONE_SECOND_MAX)
                utc_s = ZONE_SECOND_MAX;
        if (!zone)
                return clip(all);
        size_t past = changes_until(zone, utc_s);
        if (past == zone->change_count && zone->has_rule) {
                struct zone_stretch ruled = zone_rule_at(&zone->rule, utc_s);
                int64_t last_s = past ? zone->changes[past - 1].at_s : INT64_MIN;
                if (ruled.from_s < last_s)
                        ruled.from_s = last_s;
                return clip(ruled);
        }
        all.offset_s = past ? zone->changes[past - 1].offset_s : zone->first_offset_s;
        if (past)
                all.from_s = zone->changes[past - 1].at_s;
        if (past < zone->change_count)
                all.to_s = zone->changes[past].at_s;
        return clip(all);
}

/* Looks through the stretches from a day before: an offset is never more than 26 hours. */
int64_t zone_from_local(const struct zone *zone, int64_t local_s)
{
        enum { DAYS_2_S = 2 * 86400 };
        struct zone_stretch stretch = zone_at(zone, local_s - DAYS_2_S);
        while (local_s - stretch.offset_s >= stretch.to_s && stretch.to_s <= ZONE_SECOND_MAX) {
                struct zone_stretch next = zone_at(zone, stretch.to_s);
                if (local_s - next.offset_s < next.from_s) /* left out: by the clock before the jump */
                        return local_s - stretch.offset_s;
                stretch = next;
        }
        return local_s - stretch.offset_s;
}

bool zone_name_is_fine(struct span name)
{
        size_t part = 0;
        if (name.len == 0 || name.len > 64)
                return false;
        for (size_t i = 0; i <= name.len; i++) {
                char c = i < name.len ? name.at[i] : '/';
                if (c == '/' && part == 0)
                        return false;
                bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                if (c != '/' && !is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '+' && c != '-')
                        return false;
                part = c == '/' ? 0 : part + 1;
        }
        return true;
}
