/* SPDX-License-Identifier: Apache-2.0 */
/* Db_fault: a driver that hands everything to another one and, at the calls it is told, fails, waits or dies. For
 * tests. Rules and counters are the process's own; any thread may set them. */
#pragma once

#include "store/db.h"

extern const struct db_driver db_fault;

enum db_fault_op {
        DB_FAULT_ANY, /* whichever comes */
        DB_FAULT_OPEN,
        DB_FAULT_STEP, /* and scripts */
        DB_FAULT_BEGIN,
        DB_FAULT_COMMIT,
        DB_FAULT_SAVEPOINT, /* set, release, roll back to */
        DB_FAULT_CHECKPOINT,
        DB_FAULT_BACKUP, /* begin and steps */
        DB_FAULT_OPS
};

enum db_fault_kind {
        DB_FAULT_FAIL,       /* answers `error`; the call does not reach the file */
        DB_FAULT_FAIL_AFTER, /* the call is made, then `error` is answered: a flush that said no, but did */
        DB_FAULT_DELAY,      /* waits `delay_ms`, then goes on */
        DB_FAULT_CUT, /* the process dies before the call: nothing further reaches the file, on any connection, and
                       * every call answers DB_UNKNOWN until db_fault_reset */
        DB_FAULT_CUT_AFTER, /* the call is made, then the process dies */
};

struct db_fault_rule {
        enum db_fault_op op;
        enum db_fault_kind kind;
        enum db_mode mode; /* calls of the writer, or of readers */
        uint64_t nth;      /* first call it is for, counted from 1 since db_fault_reset */
        uint64_t times;    /* calls from there on; 0 counts as 1, UINT64_MAX = for ever */
        int error;         /* negative db_error */
        uint32_t delay_ms;
};

enum { DB_FAULT_RULES = 8 };

/* Forgets rules, counts and a cut; what is opened from now on goes to `inner`. Connections that were open at a cut stay
 * dead and have to be closed. */
void db_fault_reset(const struct db_driver *inner);
/* Adds one of at most DB_FAULT_RULES; false: no room. */
bool db_fault_add(struct db_fault_rule rule);
uint64_t db_fault_calls(enum db_fault_op op, enum db_mode mode);
