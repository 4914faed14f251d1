/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: work with local files and HTTP that the machine wants done and does not do itself. A job goes out of the
 * machine whole, is worked on by somebody else (transfer.c), and comes back whole with its outcome. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { JOB_PIECE_BYTES = 256 * 1024 };

enum job_kind {
        JOB_HASH,   /* of the file at `path`: size, mtime_ns and sha256 come back */
        JOB_PUT,    /* `len` bytes of `path` from `offset` to the server's `file`; the new offset comes back */
        JOB_GET,    /* the next piece of the server's `file`, appended to `path`; the new offset comes back */
        JOB_SEAL,   /* `path` has size and sha256: written through and renamed to `target`; else removed */
        JOB_UNLINK, /* removes `path`; does not come back */
        JOB_ABORT,  /* the job with this id is not wanted any more; neither comes back, or the other one did already */
};

enum job_outcome {
        JOB_OK,        /* of PUT and GET: an answer came, `status` tells which */
        JOB_MISSING,   /* there is no such local file, or it cannot be read */
        JOB_CHANGED,   /* the local file is not what it was: size, time of change, or hash */
        JOB_DISK,      /* the local disk failed */
        JOB_NO_ANSWER, /* the network failed */
        JOB_NO_MEMORY,
};

struct job {
        struct job *next;
        int64_t id; /* unique in the life of a machine */
        enum job_kind kind;
        char *path, *target; /* owned; target: SEAL only */
        char file[33];       /* PUT, GET: 32 hex digits */
        char token[65];      /* PUT, GET: for the Authorization header */
        int64_t size;        /* of the file; HASH: -1 = whatever it is */
        int64_t mtime_ns;    /* HASH, PUT: as it was when queued */
        bool has_secret; /* HASH, PUT: `path` is a copy that is sealed under `secret` (seal.h); size is the plain one */
        uint8_t secret[32];
        int64_t offset, len;
        uint8_t sha256[32];

        enum job_outcome outcome;
        int status;             /* of the HTTP answer */
        int64_t retry_after_ms; /* asked for by the server; -1 = not */
        int64_t told_offset;    /* PUT: what the server has now; -1 = not told */
};

struct job *job_new(enum job_kind kind, const char *path); /* NULL: out of memory */
struct job *job_free(struct job *job);                     /* NULL is welcome; always returns NULL */
