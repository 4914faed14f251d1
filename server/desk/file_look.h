/* SPDX-License-Identifier: Apache-2.0 */
/* File look: a network thread asks a reader whether somebody may read or write a file; the answer is a note with a
 * grant. Not yours, unknown, not whole and gone are the same answer, by the same statement. */
#pragma once

#include "desk/command.h"
#include "files/link.h"
#include "protocol/reader.h"
#include "store/file_rows.h"

struct desk;
struct db;
struct desk_command;
struct writer;

/* COMMAND_FILE_LOOK: its params. The caller is in the command, but by a link it is in the link. */
struct file_look {
        uint8_t file[FILE_ID_BYTES];
        uint64_t transfer; /* the asker's, given back */
        bool is_put, is_by_link;
        struct file_link link;
};

/* NOTE_FILE: its bytes. */
struct file_grant {
        uint64_t transfer;
        int error; /* 0, or the protocol error (positive) */
        struct caller caller;
        struct file_row row;
};

/* On a reader's connection, in its snapshot. 0, or a negative protocol error. */
int file_look_run(struct desk *desk, struct db *db, const struct desk_command *command, struct file_row *out_row);

/* file.link. 0, or a negative protocol error. */
int file_link_make(struct desk *desk, struct db *db, const struct desk_command *command, struct writer *out);

/* upload.end: 0 = answered in `out`; 1 = a files thread has the command and hands it on to the desk; or a negative
 * protocol error. */
int upload_end_pass(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                    struct fault *fault);
