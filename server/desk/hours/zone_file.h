/* SPDX-License-Identifier: Apache-2.0 */
/* Zone file: the zones of the system, from /usr/share/zoneinfo, or from the folder that DESKBELL_TEST_ZONEINFO names in
 * builds for tests (without NDEBUG). Any thread. */
#pragma once

#include <stddef.h>

#include "desk/hours/zone.h"

/* Reads the file of the zone. *out_bytes is the caller's, to be freed. 0; -ENOENT no such zone, or no file that
 * zone_parse takes; -ENOMEM; another negative errno: it cannot be read. */
int zone_file_read(struct span name, char **out_bytes, size_t *out_len);

enum { ZONE_VERSION_BYTES = 16 };
/* The release of the time zone database, such as "2025b"; "unknown" when the system does not say. */
void zone_file_version(char out[ZONE_VERSION_BYTES]);
