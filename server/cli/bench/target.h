/* SPDX-License-Identifier: Apache-2.0 */
/* Target: what is driven, and who may log in there. A process of our own (server or floor) in a temporary folder, or a
 * server that runs elsewhere. Main thread. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "error.h"

struct target_options {
        const char *program; /* deskbell */
        const char *floor;   /* path of the floor program; NULL = a server */
        bool floor_no_store;
        const char *url;        /* drive this instead of starting one; NULL = start */
        const char *keys_path;  /* with url: output of `deskbell init --json` */
        const char *data;       /* with url: folder of that server, to add agents */
        pid_t pid;              /* with url: its process, 0 = not known */
        const char *parent_dir; /* where the temporary folder is made */
        bool is_kept;           /* leave the folder when all is over */
        int server_cpu;         /* -1 = not pinned */
        uint32_t agents;        /* how many agents have to exist */
        uint32_t max_conns, in_flight;
        uint32_t output_bytes; /* cap of the server's buffered output a connection; 0 = its default */
};

struct target {
        bool is_plain;            /* a floor: tokens and ids mean nothing to it */
        char address[64];         /* HOST:PORT */
        char dir[256];            /* the temporary folder; "" = none */
        char metrics_address[64]; /* HOST:PORT of /metrics; "" = none */
        pid_t pid;                /* 0 = not known */
        bool is_child;
        int out; /* the child's standard output, -1 = none */
        bool is_kept;
        char app[32], kid[65];
        uint8_t secret[256];
        size_t secret_len;
        char **agent_tokens;
        uint32_t agent_count;
};

/* Starts (or finds) it; when it returns 0 the target answers on target->address. Fill `target` with zeros before; call
 * target_stop in every case. */
int target_start(const struct target_options *options, struct target *target, struct bench_error *error);

/* Ends our child (SIGTERM, 15 s, SIGKILL), removes the folder (after a failure of a server of ours it is left, and the
 * error says where), frees. -1 with `error` filled when the child ended with
 * anything but 0. May be called twice. */
int target_stop(struct target *target, struct bench_error *error);

/* Malloc'd user token of customer `number`; NULL: out of memory. */
char *target_customer_token(const struct target *target, const char *prefix, uint32_t number);
