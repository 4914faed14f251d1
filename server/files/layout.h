/* SPDX-License-Identifier: Apache-2.0 */
/* Layout: where attachments lie in the data folder. A whole file is DIR/files/<2 hex>/<32 hex>, one that is still
 * arriving DIR/files/part/<32 hex>. Names are made from the server's own 128-bit ids alone: nothing a client says gets
 * into a path. Any thread. */
#pragma once

#include "protocol/span.h"

enum { FILE_ID_BYTES = 16, FILE_ID_TEXT = 32, FILE_SUM_BYTES = 32 };

void file_id_write(char out_text[FILE_ID_TEXT], const uint8_t id[FILE_ID_BYTES]);
/* 0, or -1: not 32 lower-case hex digits. */
int file_id_read(struct span text, uint8_t out_id[FILE_ID_BYTES]);

/* malloc'd; NULL: out of memory. */
char *layout_whole(const char *data_dir, const uint8_t id[FILE_ID_BYTES]);
char *layout_whole_folder(const char *data_dir, const uint8_t id[FILE_ID_BYTES]);
char *layout_part(const char *data_dir, const uint8_t id[FILE_ID_BYTES]);
char *layout_part_folder(const char *data_dir);

/* Makes DIR/files and DIR/files/part (0700), on disk when it returns 0. Else a negative errno. */
int layout_make(const char *data_dir);

/* Bytes of the upload that are here: of its part, or of the whole file. 0 when there is neither; else a negative errno.
 * Not flushed, for the desk asks: what a power cut takes back of them, the next PUT is told by its 412. */
int64_t layout_offset(const char *data_dir, const uint8_t id[FILE_ID_BYTES]);

/* Calls `keep` with the id of each part, puts those it wants to keep on disk and removes the others, with whatever else
 * lies in that folder. Returns how many were removed, or a negative errno, or what `keep` answered below 0. For a
 * start, before anybody writes. */
int layout_sweep_parts(const char *data_dir, int (*keep)(void *data, const uint8_t id[FILE_ID_BYTES]), void *data);

/* Calls `found` with id, size and modification time (ms since 1970) of each whole file, in no order. 0, a negative
 * errno, or the first answer of `found` that is not 0. */
int layout_walk(const char *data_dir,
                int (*found)(void *data, const uint8_t id[FILE_ID_BYTES], int64_t size, int64_t changed_ms),
                void *data);
