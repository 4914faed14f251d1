/* SPDX-License-Identifier: Apache-2.0 */
/* Served: a stage whose server plays by the rules of the protocol, with one conversation ("main", CONV), its log, its
 * uploads and one file that can be fetched. Everything the client asks for is answered by served_round; what the server
 * has accepted can be compared with what the client was told. Nothing here comes from the library's allocator. */
#pragma once

#include "stage.h"

enum { SERVED_FILE_BYTES = 3000 };

#define SERVED_FILE  "00000000000000000000000000000f11" /* can be fetched */
#define SERVED_TOKEN "token-2"                          /* the only good one */

struct served {
        struct stage *stage;
        json_t *log;       /* entry number i + 1, as it reads now */
        json_t *changes;   /* cmid -> seq of edits and erasures */
        const char *epoch; /* of the store */
        int64_t rev, heard_ms;
        int asked;               /* requests, since the test set it to 0 */
        char upload[33], *bytes; /* the last upload */
        size_t bytes_len, bytes_room;
        int uploads;
};

void served_init(struct served *served, struct stage *stage);
void served_done(struct served *served);
void served_write_before(struct served *served, const char *text);     /* by an agent, before there is a client */
void served_write(struct served *served, const char *text);            /* likewise; told live each second time */
int64_t served_ask(struct served *served);                             /* a survey, told live; its number */
void served_edit(struct served *served, int64_t of, const char *text); /* likewise, of such an entry */
void served_erase(struct served *served, int64_t of);
void served_lose_last(struct served *served, const char *epoch); /* a restored store */
json_t *served_by_cmid(struct served *served, const char *cmid); /* borrowed; NULL = never accepted */
/* Answers what waits: wishes, frames, jobs. How much that was. */
int served_round(struct served *served);
void served_heartbeat(struct served *served); /* when it is due */
const char *served_file(void);                /* bytes of SERVED_FILE */
