/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers: uploads and downloads of one network thread. A transfer is one HTTP request on /v1/files/<id> or /f/...: a
 * reader says whether its caller may (file_look.h), the files threads move the bytes, and at most 256 KiB of one wait
 * in memory. It ends when the answer has left, or its connection, and all jobs have come back. Network thread only. */
#pragma once

#include "desk/file_look.h"
#include "files/file_store.h"
#include "session/net_private.h"

enum {
        TRANSFERS_MAX = 512,         /* of a thread */
        TRANSFERS_OF_ONE = 8,        /* of a principal, on a thread */
        TRANSFER_LOOK_MS = 30000,    /* a reader that has not answered by then will not */
        TRANSFER_AGAIN_MS = 2000,    /* a download asks so often whether its reader still may */
        UPLOAD_WAITING = 128 * 1024, /* bytes on their way to the disk; above it, reading waits */
        UPLOAD_RESUME = 64 * 1024,
        DOWNLOAD_PIECE = 32 * 1024,
        TRANSFER_HEADER = 256,
};

enum transfer_state {
        TRANSFER_LOOKING, /* a reader looks */
        TRANSFER_OPENING, /* upload: FILE_PUT_BEGIN is under way */
        TRANSFER_MOVING,
        TRANSFER_ENDING, /* upload: FILE_PUT_END is under way */
        TRANSFER_OVER,   /* answered or given up; waits for its jobs */
};

struct transfer {
        struct net *net;
        struct transfer *next;
        uint64_t number;
        struct edge_ref ref;
        struct edge_peer peer; /* its origin is `origin` */
        char origin[TRANSFER_HEADER];
        enum transfer_state state;
        bool is_put, is_by_link;
        bool has_answered;
        uint64_t since_ms, looked_ms; /* monotonic */
        int64_t app, budget;
        struct caller caller;
        struct file_link link;
        uint8_t file[FILE_ID_BYTES];
        struct file_row row; /* from the grant */
        uint32_t jobs;       /* that have not come back */

        /* upload */
        bool is_body_open, is_dead, is_paused;
        int64_t offset, length; /* Upload-Offset; Content-Length */
        uint64_t claim;
        size_t waiting;           /* bytes in jobs, held ones too */
        struct mailbox_list held; /* until the part is open */

        /* download */
        char range[TRANSFER_HEADER], if_range[TRANSFER_HEADER], if_none_match[TRANSFER_HEADER];
        bool is_head, has_begun, wants_piece;
        int status;
        int64_t from, left;     /* to be read next; to be sent yet */
        int64_t unread;         /* of `left`, not asked for yet */
        struct file_job *piece; /* read, not sent yet */
};

struct transfers {
        struct transfer *first;
        uint32_t count;
        uint64_t numbers;
};

/* ---- transfers.c ---- */

int transfers_init(struct net *net); /* 0, or -1: out of memory */
void transfers_done(struct net *net);

/* Whether that path is one of files. */
bool transfers_own(struct span path);
/* The edge's calls for such paths. */
enum edge_body transfers_request(struct net *net, const struct edge_request *request, void **out_user);
void transfers_request_ready(struct net *net, const struct edge_request *request);
void transfers_take_grant(struct net *net, const struct desk_note *note); /* NOTE_FILE */
void transfers_take_jobs(struct net *net);                                /* what the files threads gave back */
bool transfers_drained(struct net *net, struct edge_ref ref);             /* false: none of ours */
void transfers_second(struct net *net, uint64_t mono_ms);

/* For upload.c and download.c. */
void transfers_refuse(struct transfer *transfer, int error, const struct fault *fault, struct span headers);
void transfers_over(struct transfer *transfer); /* gone when its last job is back and its body has ended */
int transfers_look(struct transfer *transfer, struct opening *opening); /* takes it; 0 or a negative protocol error */
struct file_job *transfers_job(struct transfer *transfer, enum file_job_kind kind, size_t room);
int transfers_post(struct transfer *transfer, struct file_job *job); /* takes the job on 0 */

/* ---- upload.c ---- */

void upload_granted(struct transfer *transfer);
void upload_job_back(struct transfer *transfer, struct file_job *job);
bool upload_body(void *user, const char *bytes, size_t len);
void upload_body_end(void *user, bool complete);

/* ---- download.c ---- */

void download_granted(struct transfer *transfer);
void download_job_back(struct transfer *transfer, struct file_job *job);
void download_drained(struct transfer *transfer);
void download_end(struct transfer *transfer);
