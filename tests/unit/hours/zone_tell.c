/* SPDX-License-Identifier: Apache-2.0 */
/* For zones.py: reads "ZONE SECONDS" lines, writes the offset, and the instant at which that zone's clocks show those
 * seconds as local time. A zone that is refused is "-". */
#include <stdio.h>
#include <stdlib.h>

#include "desk/hours/zone.h"
#include "desk/hours/zone_file.h"

static struct zone *load(const char *name)
{
        struct zone *zone = NULL;
        char *bytes = NULL;
        size_t len = 0;
        if (zone_file_read(span_of(name), &bytes, &len) == 0)
                zone_parse((struct span){bytes, len}, &zone);
        free(bytes);
        return zone;
}

int main(void)
{
        char name[80], loaded[80] = "";
        long long at_s;
        struct zone *zone = NULL;
        while (scanf("%79s %lld", name, &at_s) == 2) { /* NOLINT(cert-err34-c): written by our own test */
                if (strcmp(name, loaded) != 0) {
                        zone_free(zone);
                        zone = load(name);
                        memcpy(loaded, name, sizeof name);
                }
                if (!zone)
                        puts("-");
                else
                        printf("%d %lld\n", zone_at(zone, at_s).offset_s, (long long)zone_from_local(zone, at_s));
        }
        zone_free(zone);
        return 0;
}
