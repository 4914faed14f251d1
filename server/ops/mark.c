/* SPDX-License-Identifier: Apache-2.0 */
/* Mark: see mark.h. The file is two lines of text behind a heading, so that a person can read it too. */
#include "ops/mark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly what print_mark writes, or nothing. */
static int parse_mark(const char *text, size_t len, uint8_t epoch[8], int64_t *out_rev)
{
        static const char head[] = "deskbell mark 1\nepoch ", middle[] = "\nrev ";
        enum { HEAD = sizeof(head) - 1, MIDDLE = sizeof(middle) - 1, REV = HEAD + 16 + MIDDLE };
        char again[MARK_BYTES];

        if (len < REV || memcmp(text, head, HEAD) != 0 || memcmp(text + HEAD + 16, middle, MIDDLE) != 0)
                return -EBADMSG;
        for (int i = 0; i < 8; i++) {
                int high = hex_digit(text[HEAD + 2 * i]), low = hex_digit(text[HEAD + 2 * i + 1]);
                if (high < 0 || low < 0)
                        return -EBADMSG;
                epoch[i] = (uint8_t)(high << 4 | low);
        }
        int64_t rev = strtoll(text + REV, NULL, 10);
        if (rev < 0 || (size_t)print_mark(again, epoch, rev) != len || memcmp(text, again, len) != 0)
                return -EBADMSG;
        *out_rev = rev;
        return 0;
}

int mark_read(const char *dir, uint8_t out_epoch[8], int64_t *out_rev)
{
        char text[MARK_BYTES];
        uint8_t epoch[8];
        size_t len;

        int rc = files_read(dir, "mark", text, sizeof(text) - 1, &len);
        if (rc < 0)
                return rc == -EFBIG ? -EBADMSG : rc;
        text[len] = '\0';
        rc = parse_mark(text, len, epoch, out_rev);
        if (rc == 0)
                memcpy(out_epoch, epoch, sizeof(epoch));
        return rc;
}
