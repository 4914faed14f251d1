/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket as it stands in the store. Each function works on the connection it is given, in that connection's thread.
 */
#pragma once

#include "desk/directory.h"
#include "desk/tickets/tickets.h"
#include "store/db.h"

/* Reads one row of a running statement of tickets.sql into a new ticket. NULL: out of memory. */
struct ticket *ticket_row_read(struct db_stmt *stmt);
/* One that may be closed. DB_ROW with *out_ticket to be freed, DB_OK (none), or a db_error. */
int ticket_row_by_id(struct db *db, int64_t id, struct ticket **out_ticket);
int ticket_row_by_ext(struct db *db, int64_t workspace, uint64_t ext, struct ticket **out_ticket);
int ticket_row_newest(struct db *db, int64_t conv, struct ticket **out_ticket);
int ticket_row_insert(struct db *db, int64_t workspace, struct ticket *ticket, int64_t now_ms); /* sets id */
int ticket_row_save(struct db *db, const struct ticket *ticket);

/* What lists show of the newest ticket of that conversation; spans are lent by `arena` and the directory. 1, 0: it has
 * none, or a db_error. Any thread that has its own connection and directory. */
int ticket_brief_read(struct db *db, int64_t conv, struct directory *directory, struct arena *arena,
                      struct protocol_ticket_brief *out_brief);

struct ticket *ticket_free(struct ticket *ticket); /* NULL is welcome; returns NULL. Not what the parts keep at it. */
