/* SPDX-License-Identifier: Apache-2.0 */
/* Files: small files of the data folder, written so that after a power cut the old or the new content is there. All are
 * made 0600. Blocking; never on a network thread. Results are 0 or a negative errno. */
#pragma once

#include "protocol/span.h"

/* Writes dir/name through dir/name.new, fsync, rename, fsync of the folder. */
int files_replace(const char *dir, const char *name, struct span bytes);

/* Reads at most `room` bytes of dir/name (dir NULL: name is the path). -EFBIG: it holds more. */
int files_read(const char *dir, const char *name, char *out_bytes, size_t room, size_t *out_len);

int files_sync_dir(const char *dir);

/* malloc'd "dir/name", or NULL. */
char *files_path(const char *dir, const char *name);
