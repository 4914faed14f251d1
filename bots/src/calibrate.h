/* SPDX-License-Identifier: Apache-2.0 */
/* Calibrate: what its files share: the rows that were held back and asked, and what came of it. */
#pragma once

#include "train.h"

/* One held-back row, asked. */
struct calibrate_asked {
        int32_t share, fit; /* of the first candidate, MODEL_ONE */
        uint16_t probability, score;
        uint8_t place; /* of the right answer among the candidates, from 1; 0: not there, or off topic */
        bool is_off_topic;
};

/* Fills the model's floor and the thresholds of every wish. Puts `asked` into another order. False: out of memory. */
bool calibrate_thresholds(struct calibrate_asked *asked, uint32_t count, struct bot_ranker *model);
