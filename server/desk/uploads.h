/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: attachments as the desk knows them: rows of the store, from upload.begin to the message that carries them
 * and to their removal from the disk. A file leaves the disk only after the commit that lets it go, and what a crash
 * leaves behind is taken up again by a job. Desk thread only, but for what says otherwise. */
#pragma once

#include <stdatomic.h>

#include "files/file_store.h"
#include "files/link.h"
#include "protocol/reader.h"
#include "store/file_rows.h"

struct desk;
struct desk_command;
struct conversation;
struct entry_row;

enum { UPLOAD_LIFE_MS = 24 * 3600 * 1000 };

struct uploads {
        struct file_store *files;         /* lent; NULL: no server runs, files are removed by the desk itself */
        uint8_t link_key[LINK_KEY_BYTES]; /* never changes while the desk is open: any thread */
        bool has_gone;                    /* rows say that files have to go: looked at after the next commit */
        atomic_int leaving;               /* files that were asked to go and have not answered */
        bool knows_bytes;
        int64_t bytes; /* of all rows whose files are on the disk or promised; if knows_bytes */
};

/* Makes the folders and the key of links, removes parts without a row. 0 or a negative db_error; *out_why malloc'd. */
int uploads_open(struct desk *desk, char **out_why);
void uploads_committed(struct desk *desk);
void uploads_rolled_back(struct desk *desk);

/* message.send: whether its files may be carried by a message of the caller; then that this entry carries them. 0, or a
 * negative protocol error with `fault` filled. */
struct protocol_content;
int uploads_check(struct desk *desk, const struct desk_command *command, const struct protocol_content *content,
                  struct fault *fault);
int uploads_attach(struct desk *desk, const struct desk_command *command, const struct protocol_content *content,
                   const struct entry_row *entry);

/* upload.end of a file that is whole already. */
struct protocol_upload_end;
struct writer;
int uploads_say_whole(const struct file_row *row, const struct protocol_upload_end *params, struct writer *out,
                      struct fault *fault);

/* One upload; the files of an erased message; of an erased conversation; of an erased person. 0 or a negative protocol
 * error. */
int uploads_let_go(struct desk *desk, int64_t id);
int uploads_erase_at(struct desk *desk, int64_t conv, int log, int64_t seq);
int uploads_erase_conversation(struct desk *desk, int64_t conv);
int uploads_erase_owner(struct desk *desk, int64_t owner);
/* 1: files that were let go are still on the disk; they are asked to go again. 0, or a negative db_error. */
int uploads_are_leaving(struct desk *desk);
/* A file has left the disk. */
void uploads_removed(struct desk *desk, int64_t id);

/* Jobs. */
int uploads_sweep_run(struct desk *desk, int64_t subject, struct span body);
int uploads_unlink_run(struct desk *desk, int64_t subject, struct span body);
