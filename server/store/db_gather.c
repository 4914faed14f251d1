/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering: many transactions of a writer become one of the engine's, which reaches the disk as a whole. For what
 * makes a new store and would otherwise wait for the disk after each step; nobody is promised anything by its commits.
 * While it lasts the connection's driver is a copy of its own with other begins and ends. One connection at a time. */
#include "store/db_private.h"

enum { GATHERED = 4000 }; /* commits */

static struct {
        const struct db_driver *inner;
        struct db_driver driver;
        int count;    /* commits that wait */
        bool is_open; /* a transaction of the engine's */
        bool is_lost; /* it was rolled back, and others with it */
} gathering;

static int commit_all(struct db *db)
{
        bool was_open = gathering.is_open;

        gathering.count = 0;
        gathering.is_open = false;
        int rc = was_open ? gathering.inner->control(db, DB_COMMIT) : DB_OK;
        return rc == DB_OK ? gathering.inner->checkpoint(db, DB_CHECKPOINT_WORK) : rc; /* so that the log stays small */
}

static int control(struct db *db, enum db_control what)
{
        switch (what) {
        case DB_BEGIN:
                if (gathering.is_lost)
                        return DB_UNKNOWN;
                if (gathering.is_open)
                        return DB_OK;
                gathering.is_open = true;
                return gathering.inner->control(db, what);
        case DB_COMMIT:
                return ++gathering.count < GATHERED ? DB_OK : commit_all(db);
        case DB_ROLLBACK:
                gathering.is_lost = gathering.count > 0;
                gathering.is_open = false;
                return gathering.inner->control(db, what);
        default:
                return gathering.inner->control(db, what);
        }
}

static int checkpoint(struct db *db, enum db_checkpoint_kind kind)
{
        return gathering.is_open ? DB_OK : gathering.inner->checkpoint(db, kind);
}

void db_gather_begin(struct db *db)
{
        gathering.inner = db->driver;
        gathering.driver = *db->driver;
        gathering.driver.control = control;
        gathering.driver.checkpoint = checkpoint;
        gathering.count = 0;
        gathering.is_open = gathering.is_lost = false;
        db->driver = &gathering.driver;
}

int db_gather_end(struct db *db)
{
        if (db->driver != &gathering.driver)
                return DB_OK;
        int rc = gathering.is_lost ? DB_UNKNOWN : commit_all(db);
        db->driver = gathering.inner;
        return rc;
}
