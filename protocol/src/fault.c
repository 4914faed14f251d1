/* SPDX-License-Identifier: Apache-2.0 */
/* Fault: the path is built from the inside out while a failed decoder returns, so that success pays nothing for it. */
#include "protocol/reader.h"

void fault_clear(struct fault *fault)
{
        fault->code = 0;
        fault->field[0] = '\0';
        fault->expected[0] = '\0';
}

/* Copies as much as fits and never ends within a code point. */
static void copy_cut(char *out, size_t room, const char *text)
{
        size_t len = strlen(text);

        if (len >= room) {
                len = room - 1;
                while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
                        len--;
        }
        memcpy(out, text, len);
        out[len] = '\0';
}

int fault_set(struct fault *fault, int code, const char *field, const char *expected)
{
        if (fault && fault->code == 0) {
                fault->code = code;
                copy_cut(fault->field, sizeof(fault->field), field);
                copy_cut(fault->expected, sizeof(fault->expected), expected);
        }
        return -code;
}

static void put_in_front(struct fault *fault, const char *text, size_t len, bool dot)
{
        size_t old = strlen(fault->field);

        if (len + dot + old >= sizeof(fault->field))
                return;
        memmove(fault->field + len + dot, fault->field, old + 1);
        memcpy(fault->field, text, len);
        if (dot)
                fault->field[len] = '.';
}

void fault_at_member(struct fault *fault, const char *name, size_t len)
{
        char shown[FAULT_PATH_BYTES];
        char first = fault ? fault->field[0] : '\0';

        if (!fault)
                return;
        if (len > sizeof(shown) / 2) {
                len = sizeof(shown) / 2;
                while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
                        len--;
        }
        for (size_t i = 0; i < len; i++) /* a name from outside may hold anything; the path goes into logs */
                shown[i] = (unsigned char)name[i] < 0x20 || name[i] == 0x7f ? '?' : name[i];
        put_in_front(fault, shown, len, first != '\0' && first != '[');
}

void fault_at_item(struct fault *fault, size_t index)
{
        char text[24];
        size_t at = sizeof(text);

        if (!fault)
                return;
        text[--at] = ']';
        do {
                text[--at] = (char)('0' + index % 10);
                index /= 10;
        } while (index);
        text[--at] = '[';
        put_in_front(fault, text + at, sizeof(text) - at, fault->field[0] != '\0' && fault->field[0] != '[');
}
