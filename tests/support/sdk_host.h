/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of sdk_host share: the client that is driven, and how a line is written down. One thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "deskbell/deskbell.h"

enum { HOST_CONVS_MAX = 16 };

/* A conversation that was named on the command line. */
struct host_conv {
        deskbell_conversation *handle;
        struct deskbell_marks marks; /* as written down last */
};

struct host {
        struct deskbell_options options;
        const char *history_path, *proc;
        const char *conv_ids, *conv_keys; /* "A,B,C" */
        deskbell_client *client;
        deskbell_conversation *conv; /* the one of `convs` that commands are about */
        struct host_conv convs[HOST_CONVS_MAX];
        int convs_count;
        int history_fd;
        json_t *states;   /* cmid -> last state written by this device, over all its runs */
        json_t *attached; /* cmid -> when a message with files was handed over, t_ns */
        char epoch[17];
        bool is_online, has_reset, wants_quiet, is_ending, is_dumping;
        json_t *dump; /* entries of the dump so far */
        int64_t dump_began_ns;
        enum deskbell_log dump_log;
        bool is_cache_dump; /* what is in the cache, not what the server has */
};

json_t *line_new(const struct host *host, const char *kind, const char *op);
void say(struct host *host, json_t *line, bool on_disk);          /* takes the line */
void set_text(json_t *line, const char *name, const char *value); /* nothing when there is none */
void set_number(json_t *line, const char *name, int64_t value);
void set_conv(json_t *line, const deskbell_conversation *conv);
void hash_text(const char *text, uint8_t out[16]); /* as that of a message */
void set_hash(json_t *line, const uint8_t hash[16]);
void set_place(json_t *line, enum deskbell_log log, int64_t number);      /* number 0 = it has none yet */
json_t *invoke_line(struct host *host, const char *op, const char *cmid); /* about host->conv */
void refused(struct host *host, const char *op, const char *cmid, int error);

/* sdk_host_told.c: all callbacks but those of a command. */
void host_listen(struct deskbell_options *options);
void describe(json_t *line, const struct deskbell_entry *entry, const char *kind_name); /* its parts, by their names */

/* sdk_host_files.c. False: not one of them. */
bool host_obey_files(struct host *host, char *line);

/* Begins a dump of host->conv: all entries of a log, ended by a line "final" or a failed "dump". */
void host_dump(struct host *host, enum deskbell_log log, bool from_cache);

/* sdk_host_device.c: opens what the command line names; a code of deskbell.h. */
int host_open_convs(struct host *host);
struct host_conv *host_conv_of(struct host *host, const deskbell_conversation *conv); /* NULL: not one of them */

/* Commands about the device rather than its messages. False: not one of them. */
bool host_obey_device(struct host *host, const char *line);
void host_on_push_settled(deskbell_client *client, int is_caught_up, void *data);
