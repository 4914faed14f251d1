/* SPDX-License-Identifier: Apache-2.0 */
/* Shop: a small bot to talk to in tests. */
#pragma once

#include "bots/trial.h"

/* Of these files, which must be right; aborts otherwise. Free with bot_version_free. */
struct bot_version *shop_build(const char *const *files, size_t count);

/* A shop with three answers, a return flow with a call, two hand-offs; in English and Korean. */
struct bot_version *shop_open(void);
