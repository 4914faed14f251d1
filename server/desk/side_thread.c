/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/side_thread.h"

#include <stdio.h>
#include <stdlib.h>

#include "desk/desk_private.h"

int side_thread_start(struct side_thread *side, struct desk *desk, size_t waiting_max, const char *what,
                      void *(*run)(void *data), void *data)
{
        char *path = NULL, *why = NULL;
        side->desk = desk;
        mailbox_init(&side->in, waiting_max, SIZE_MAX / 2, NULL, NULL);
        if (asprintf(&path, "%s/deskbell.db", desk->data_dir) < 0)
                return DB_NOMEM;
        int rc = db_open(desk->settings.driver, path, DB_READER, &side->db, &why);
        free(path);
        if (rc < 0)
                log_error(&desk->log, "a thread could not be started", "thread", what, "why", why);
        free(why);
        if (rc == DB_OK && pthread_create(&side->thread, NULL, run, data) != 0)
                rc = DB_NOMEM;
        if (rc == DB_OK)
                side->is_running = true;
        return rc;
}

bool side_thread_stop(struct side_thread *side)
{
        if (!side->is_running)
                return false;
        atomic_store(&side->is_stopping, true);
        mailbox_close(&side->in);
        pthread_join(side->thread, NULL);
        side->is_running = false;
        return true;
}

void side_thread_done(struct side_thread *side)
{
        db_close(side->db);
        mailbox_done(&side->in);
}
