/* SPDX-License-Identifier: Apache-2.0 */
/* Disposition: a file's name in a header (RFC 6266, 8187). The name is whatever a stranger has sent: every byte but
 * letters, digits and a few marks is written as %XX, so that nothing of it can end the header; what would make a path
 * of it, or would turn the direction of what is shown, becomes '_'. Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum { DISPOSITION_ROOM = 64 + 3 * 1024 };

/* Writes "attachment; filename*=UTF-8''..." (or "inline; ..."), terminated, cut at a whole character where the room
 * ends; returns its length. */
size_t disposition_write(char out[DISPOSITION_ROOM], struct span name, bool is_inline);
