/* SPDX-License-Identifier: Apache-2.0 */
/* Mark: see mark.h. The file is two lines of text behind a heading, so that a person can read it too. */
#include "ops/mark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ops/files.h"

enum { MARK_BYTES = 128 };

static int print_mark(char text[MARK_BYTES], const uint8_t epoch[8], int64_t rev)
{
        const uint8_t *e = epoch;

        return snprintf(text, MARK_BYTES, "deskbell mark 1\nepoch %02x%02x%02x%02x%02x%02x%02x%02x\nrev %" PRId64 "\n",
                        e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7], rev);
}

int mark_write(const char *dir, const uint8_t epoch[8], int64_t rev)
{
        char text[MARK_BYTES];
        int len = print_mark(text, epoch, rev);

        return files_replace(dir, "mark", (struct span){text, (size_t)len});
}

int mark_read(const char *dir, uint8_t out_epoch[8], int64_t *out_rev)
{
        char text[MARK_BYTES], again[MARK_BYTES];
        uint64_t bits = 0;
        uint8_t epoch[8];
        int64_t rev;
        size_t len;

        int rc = files_read(dir, "mark", text, sizeof(text) - 1, &len);
        if (rc < 0)
                return rc == -EFBIG ? -EBADMSG : rc;
        text[len] = '\0';
        if (sscanf(text, "deskbell mark 1\nepoch %16" SCNx64 "\nrev %18" SCNd64, &bits, &rev) != 2)
                return -EBADMSG;
        for (int i = 0; i < 8; i++)
                epoch[i] = (uint8_t)(bits >> (56 - 8 * i));

        /* sscanf is generous; what would not be written like that is not ours. */
        if ((size_t)print_mark(again, epoch, rev) != len || memcmp(text, again, len) != 0)
                return -EBADMSG;
        memcpy(out_epoch, epoch, sizeof(epoch));
        *out_rev = rev;
        return 0;
}
