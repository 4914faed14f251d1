/* SPDX-License-Identifier: Apache-2.0 */
/* Real: e^x and ln x for training, of nothing but sums, products and quotients in a fixed order, so that every machine
 * and every C library learns the same bytes; a library's own exp differs between processors in the last bit. Good to
 * about 1e-15 of the value. */
#include <math.h>

#include "train.h"

static const double ln2_high = 0x1.62e42fefa0000p-1; /* its product with a whole number up to 2^11 is exact */
static const double ln2_low = 0x1.cf79abc9e3b39p-40;
static const double log2_e = 0x1.71547652b82fep+0;
static const double root_half = 0x1.6a09e667f3bcdp-1;

enum { EXP_MOST = 700, EXP_TERMS = 14, LOG_TERMS = 23 };

double real_exp(double x)
{
        static const double over[EXP_TERMS + 1] = {1,      1. / 1, 1. / 2,  1. / 3,  1. / 4,  1. / 5,  1. / 6, 1. / 7,
                                                   1. / 8, 1. / 9, 1. / 10, 1. / 11, 1. / 12, 1. / 13, 1. / 14};
        double sum = 1;

        if (x < -EXP_MOST)
                return 0;
        if (x > EXP_MOST)
                x = EXP_MOST;
        double halvings = floor(x * log2_e + 0.5);
        double rest = (x - halvings * ln2_high) - halvings * ln2_low;
        for (int i = EXP_TERMS; i > 0; i--)
                sum = 1 + sum * (rest * over[i]);
        return ldexp(sum, (int)halvings);
}

double real_log(double x)
{
        int doublings = 0;
        double part = frexp(x, &doublings), sum = 0;

        if (part < root_half) {
                part *= 2;
                doublings--;
        }
        double ratio = (part - 1) / (part + 1), square = ratio * ratio;
        for (int i = LOG_TERMS; i > 0; i -= 2)
                sum = sum * square + 1.0 / i;
        return doublings * ln2_high + (doublings * ln2_low + 2 * ratio * sum);
}
