/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed: e^-x and ln x with integers, so that every build answers with the same bytes. */
#include "model.h"

enum {
        LN2 = 2839,    /* ln 2 with MODEL_ONE */
        LOG2_E = 5909, /* 1 / ln 2 with MODEL_ONE */
};

/* 65536 * 2^(-i/16) and 65536 * 2^(-i/256). */
static const uint32_t coarse[16] = {65536, 62757, 60097, 57549, 55109, 52773, 50535, 48393,
                                    46341, 44376, 42495, 40693, 38968, 37316, 35734, 34219};
static const uint32_t fine[16] = {65536, 65359, 65182, 65006, 64830, 64655, 64480, 64306,
                                  64132, 63958, 63785, 63613, 63441, 63269, 63098, 62928};

uint32_t fixed_exp(int64_t x)
{
        uint64_t halvings = (uint64_t)(x * LOG2_E / MODEL_ONE) * 256 / MODEL_ONE; /* in 1/256 */

        if (halvings >= 16 * 256)
                return 0;
        uint64_t value = (uint64_t)coarse[halvings / 16 % 16] * fine[halvings % 16] >> 16;
        return (uint32_t)(value >> (halvings / 256));
}

int32_t fixed_ln(uint64_t x)
{
        int32_t doublings = 0;

        while (x >= 2 * 65536) {
                x >>= 1;
                doublings++;
        }
        while (x < 65536) {
                x <<= 1;
                doublings--;
        }
        /* Each squaring tells one more binary digit of log2. */
        int32_t log2 = doublings * MODEL_ONE;
        for (int32_t digit = MODEL_ONE / 2; digit; digit /= 2) {
                x = x * x >> 16;
                if (x >= 2 * 65536) {
                        x >>= 1;
                        log2 += digit;
                }
        }
        return (int32_t)((int64_t)log2 * LN2 / MODEL_ONE);
}
