/* SPDX-License-Identifier: Apache-2.0 */
/* The table a database driver fills, for db.c, the drivers and their tests. Everybody else uses db.h. */
#pragma once

#include "store/db.h"

enum db_control {
        DB_BEGIN,
        DB_COMMIT,
        DB_ROLLBACK,
        DB_SAVEPOINT,
        DB_RELEASE,
        DB_ROLLBACK_TO, /* and forgets the savepoint */
        DB_SNAPSHOT_BEGIN,
        DB_SNAPSHOT_END,
};

enum db_checkpoint_kind {
        DB_CHECKPOINT_WORK,  /* as far as worth while */
        DB_CHECKPOINT_IDLE,  /* the same, with time to spare */
        DB_CHECKPOINT_EMPTY, /* all of it, and the log file is emptied */
};

struct db_migrations {
        const struct sql_migration *steps;
        int count;
};

struct db_driver {
        const char *name;
        struct db_migrations (*migrations)(void);

        /* *out_db begins with struct db, whose fields the driver has filled. */
        int (*open)(const char *path, enum db_mode mode, struct db **out_db, char **out_why);
        void (*close)(struct db *db);
        /* Ends the connection as the death of the process would: nothing further reaches the file. */
        void (*abandon)(struct db *db);

        struct db_stmt *(*stmt)(struct db *db, enum sql_id id);
        struct db_stmt *(*prepare)(struct db *db, const char *text);
        void (*bind_int)(struct db_stmt *stmt, int index, int64_t value);
        void (*bind_null)(struct db_stmt *stmt, int index);
        void (*bind_text)(struct db_stmt *stmt, int index, struct span text);
        void (*bind_blob)(struct db_stmt *stmt, int index, const void *bytes, size_t len);
        int (*step)(struct db_stmt *stmt);
        void (*reset)(struct db_stmt *stmt);
        int64_t (*column_int)(struct db_stmt *stmt, int column);
        struct span (*column_text)(struct db_stmt *stmt, int column);
        struct span (*column_blob)(struct db_stmt *stmt, int column);
        bool (*column_is_null)(struct db_stmt *stmt, int column);

        int64_t (*changes)(const struct db *db);
        int64_t (*last_id)(const struct db *db);
        const char *(*message)(const struct db *db);

        int (*control)(struct db *db, enum db_control what);
        int (*checkpoint)(struct db *db, enum db_checkpoint_kind kind);
        int (*exec)(struct db *db, const char *script); /* several statements, no parameters, rows dropped */
        /* DB_ROW: holds a store of ours; DB_OK: empty; DB_DAMAGED: holds somebody else's tables. */
        int (*probe)(struct db *db);
        /* The engine's own check: findings are said and counted into *count. */
        int (*check)(struct db *db, bool deep, void (*say)(void *data, const char *finding), void *data, int *count);
        int (*backup_begin)(struct db *db, const char *path, struct db_backup **out_backup);
        int (*backup_step)(struct db_backup *backup, int pages, int64_t *out_left, int64_t *out_total);
        void (*backup_end)(struct db_backup *backup);
};

/* First members of what a driver allocates. */
struct db {
        const struct db_driver *driver;
        enum db_mode mode;
        bool was_left_open; /* the last writer did not end in order */
        char *path;         /* owned */
};

struct db_stmt {
        const struct db_driver *driver;
};

struct db_backup {
        const struct db_driver *driver;
};

/* A statement that is not in store/sql: for migrations, tools and tests. NULL: out of memory. Lives until db_close. */
struct db_stmt *db_prepare(struct db *db, const char *text);
int db_exec(struct db *db, const char *script);

/* Ends the connection as kill -9 would. Returns NULL. */
struct db *db_abandon(struct db *db);

/* What db_migrate does, with the given list; `keep_copy`: copy the store beside itself before the first step. */
int db_migrate_list(struct db *db, struct db_migrations list, bool keep_copy, char **out_why);

/* *out_why = malloc'd sentence, when out_why is not NULL and it holds nothing yet. Returns `error`. */
__attribute__((format(printf, 3, 4))) int db_because(char **out_why, int error, const char *format, ...);
