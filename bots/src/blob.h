/* SPDX-License-Identifier: Apache-2.0 */
/* Blob: a model as bytes, little-endian, with a SHA-256 at the end; read as if a stranger had made it. */
#pragma once

#include "model.h"

void blob_write(const struct bot_ranker *model, struct writer *out); /* out->failed: out of memory */

/* Fills `out` (empty before; model_done after, always). 0 or -enum bot_ranker_error. */
int blob_read(struct span blob, struct bot_ranker *out);
