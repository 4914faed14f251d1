/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Desk thread only. */
#pragma once

#include "desk/tools/work.h"
#include "store/entries.h"

/* drafts.c: what he was writing there was sent. 0 or a negative protocol error (the store failed). */
int draft_sent(struct desk *desk, const struct conversation *conversation, int64_t agent, enum entry_log log);
