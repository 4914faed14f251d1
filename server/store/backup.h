/* SPDX-License-Identifier: Apache-2.0 */
/* Backup: a folder with a copy of the store, maybe further files, and manifest.json, which names every file with its
 * size and SHA-256. The folder is believed only as far as the manifest holds. Blocking file work; any thread, but each
 * folder one at a time. Errors are db_error, *out_why a malloc'd sentence. */
#pragma once

#include "store/db.h"

#define BACKUP_STORE    "deskbell.db"
#define BACKUP_MANIFEST "manifest.json"

/* Writes the manifest of all files in the folder and below it, on disk with everything it names when it returns DB_OK.
 * Written last: a folder without it is no backup. Links and other things that are no files are refused. */
int backup_seal(const char *dir, int64_t made_ms, char **out_why);

/* DB_OK when each file named is there with its size and sum, and no other file is. DB_DAMAGED names the first that is
 * not. *out_bytes: sum of the sizes; may be NULL. */
int backup_verify(const char *dir, int64_t *out_bytes, char **out_why);

/* Copies every file of a verified backup into a data folder (files 0600, folders 0700). A store that lies there stays
 * as deskbell.db.before-restore (an older one of that name goes); the search index is removed, for it is built again.
 * The copy is checked and gets a new epoch before it takes its name, in one rename: whatever happens, the folder holds
 * the old store or the new one. The caller has locked the folder, and replays the erasure ledger afterwards (R5). */
int backup_restore(const char *backup_dir, const char *data_dir, uint8_t out_epoch[8], char **out_why);
