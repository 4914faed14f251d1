/* SPDX-License-Identifier: Apache-2.0 */
/* Zone: what the clocks on the wall show, out of the bytes of a TZif file (RFC 8536, versions 2 to 4) and the rule at
 * its end for the years that the table does not reach. Pure; a zone never changes and may be read by any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/span.h"

struct zone;

enum { ZONE_BYTES_MAX = 65536 };
#define ZONE_SECOND_MAX INT64_C(1000000000000) /* instants are looked at from -ZONE_SECOND_MAX to it */

/* A stretch of time with one offset: from_s <= t < to_s, seconds since 1970 UTC. */
struct zone_stretch {
        int64_t from_s, to_s;
        int32_t offset_s; /* local time minus UTC */
};

/* 0, -EINVAL (not a TZif file of version 2 or later, damaged, or with leap seconds) or -ENOMEM. Nothing of `bytes` is
 * kept. */
int zone_parse(struct span bytes, struct zone **out_zone);
struct zone *zone_free(struct zone *zone); /* NULL is welcome; returns NULL */

/* The stretch that an instant is in; `zone` NULL is UTC. An instant beyond ZONE_SECOND_MAX counts as the last one. */
struct zone_stretch zone_at(const struct zone *zone, int64_t utc_s);

/* The instant at which the clocks show that local time. Shown twice (clocks were put back): the first. Never shown
 * (they were put forward): as long after the jump as it is within what was left out. */
int64_t zone_from_local(const struct zone *zone, int64_t local_s);

/* Whether that may be the name of a zone: Area/Place, letters, digits, _ + - and no empty or dotted part. */
bool zone_name_is_fine(struct span name);
