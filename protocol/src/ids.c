/* SPDX-License-Identifier: Apache-2.0 */
/* Ids: see ids.h. */
#include "protocol/ids.h"

enum { ID_DIGITS = 13, RANDOM_BITS = 22 };

static const char crockford[32] = "0123456789abcdefghjkmnpqrstvwxyz";

static const struct {
        const char *word;
        enum principal_role role;
} prefixes[] = {{"usr", ROLE_CUSTOMER}, {"agt", ROLE_AGENT}, {"bot", ROLE_BOT}, {"app", ROLE_APP}},
  words[] = {{"sys", ROLE_SYSTEM}, {"gone", ROLE_ERASED}, {"opr", ROLE_OPERATOR}};

uint64_t id_make(uint64_t now_ms, uint32_t random_bits)
{
        uint64_t id = now_ms << RANDOM_BITS | (random_bits & ((1u << RANDOM_BITS) - 1));

        return id ? id : 1;
}

void id_write(char out[ID_TEXT_BYTES], const char *prefix, uint64_t id)
{
        memcpy(out, prefix, 3);
        out[3] = '_';
        for (int i = ID_TEXT_BYTES - 1; i > 3; i--) {
                out[i] = crockford[id & 31];
                id >>= 5;
        }
}

/* Value of a canonical digit, or 32 and more. i, l, o and u are no digits; upper case is not canonical. */
static unsigned digit_value(char digit)
{
        static const unsigned char values[26] = {10, 11, 12, 13, 14, 15, 16, 17, 99, 18, 19, 99, 20,
                                                 21, 99, 22, 23, 24, 25, 26, 99, 27, 28, 29, 30, 31};

        if (digit >= '0' && digit <= '9')
                return (unsigned)(digit - '0');
        return digit >= 'a' && digit <= 'z' ? values[digit - 'a'] : 99;
}

static int digits_read(const char *digits, uint64_t *out_id)
{
        uint64_t id = 0;

        if (digit_value(digits[0]) > 15)
                return -1; /* 13 digits are 65 bits: the first bit has to be 0 */
        for (int i = 0; i < ID_DIGITS; i++) {
                unsigned value = digit_value(digits[i]);

                if (value > 31)
                        return -1;
                id = id << 5 | value;
        }
        if (!id)
                return -1;
        *out_id = id;
        return 0;
}

int id_read(struct span text, const char *prefix, uint64_t *out_id)
{
        if (text.len != ID_TEXT_BYTES || memcmp(text.at, prefix, 3) != 0 || text.at[3] != '_')
                return -1;
        return digits_read(text.at + 4, out_id);
}

size_t principal_write(char out[ID_TEXT_BYTES], struct principal_id who)
{
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
                if (prefixes[i].role == who.role) {
                        id_write(out, prefixes[i].word, who.id);
                        return ID_TEXT_BYTES;
                }
        }
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (words[i].role == who.role) {
                        size_t len = strlen(words[i].word);

                        memcpy(out, words[i].word, len);
                        return len;
                }
        }
        return 0;
}

int principal_read(struct span text, struct principal_id *out_who)
{
        uint64_t id;

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
                if (id_read(text, prefixes[i].word, &id) == 0) {
                        *out_who = (struct principal_id){prefixes[i].role, id};
                        return 0;
                }
        }
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (span_equal(text, span_of(words[i].word))) {
                        *out_who = (struct principal_id){words[i].role, 0};
                        return 0;
                }
        }
        return -1;
}

void cmid_write(char out[CMID_TEXT_BYTES], const struct cmid *cmid)
{
        static const char hex[16] = "0123456789abcdef";

        for (size_t i = 0; i < sizeof(cmid->bytes); i++) {
                out[2 * i] = hex[cmid->bytes[i] >> 4];
                out[2 * i + 1] = hex[cmid->bytes[i] & 15];
        }
}

static unsigned hex_value(char digit)
{
        if (digit >= '0' && digit <= '9')
                return (unsigned)(digit - '0');
        return digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10 : 99;
}

int cmid_read(struct span text, struct cmid *out_cmid)
{
        struct cmid cmid;
        unsigned any = 0;

        if (text.len != CMID_TEXT_BYTES)
                return -1;
        for (size_t i = 0; i < sizeof(cmid.bytes); i++) {
                unsigned high = hex_value(text.at[2 * i]), low = hex_value(text.at[2 * i + 1]);

                if (high > 15 || low > 15)
                        return -1;
                cmid.bytes[i] = (uint8_t)(high << 4 | low);
                any |= cmid.bytes[i];
        }
        if (!any)
                return -1;
        *out_cmid = cmid;
        return 0;
}

struct cmid cmid_make(uint64_t now_ms, const uint8_t random[10])
{
        struct cmid cmid;

        for (int i = 0; i < 6; i++)
                cmid.bytes[i] = (uint8_t)(now_ms >> (40 - 8 * i));
        memcpy(cmid.bytes + 6, random, 10);
        cmid.bytes[6] = (uint8_t)(0x70 | (cmid.bytes[6] & 0x0f)); /* version 7 */
        cmid.bytes[8] = (uint8_t)(0x80 | (cmid.bytes[8] & 0x3f)); /* variant of RFC 9562 */
        return cmid;
}
