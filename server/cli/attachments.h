/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments for the operator's commands: their files beside the rows of a store: copied into a backup, set right
 * after a restore, checked, handed out with a person's data. Blocking. */
#pragma once

#include "store/db.h"
#include "store/file_rows.h"

/* Calls `each` with every whole file of the store, a few at a time, so that no read is long. 0, a db_error, or the
 * first answer of `each` that is not 0. */
int attachments_each(struct db *db, int (*each)(void *data, const struct file_row *row), void *data);

/* Puts the files that the copied store in `to` knows into to/files: a second name where that is possible, else a copy.
 * One that was erased meanwhile is left out. EX_OK, or an exit code after saying why. */
int attachments_back_up(const char *data, const char *to, int64_t *out_count, int64_t *out_bytes);

/* After a restore: files that the restored store does not know are moved to DIR/files.before-restore (an older one
 * goes). EX_OK, or an exit code after saying why. */
int attachments_after_restore(const char *data, int64_t *out_moved);

/* Says what does not fit: a file that is missing or has another size (`deep`: another SHA-256), a file without a row
 * that is older than a day. *out_count grows. EX_OK, or an exit code after saying why. */
int attachments_check(struct db *db, const char *data, bool deep, void (*say)(void *data, const char *finding),
                      void *say_data, int *out_count);

/* Copies one file to `to` (made, 0600). 0 or a negative errno. */
int attachments_copy(const char *data, const uint8_t file[16], const char *to);

/* Bytes of all attachments in the folder. */
int64_t attachments_bytes(const char *data);
