/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of a test: see folder.h. */
#include "folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char all[40]; /* "" = none was asked for */
static pid_t owner;  /* a child that was forked leaves it to its parent */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
        (void)info;
        (void)kind;
        (void)place;
        return remove(path);
}

int stage_folder_remove(const char *folder)
{
        return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static void at_the_end(void)
{
        if (getpid() != owner)
                return;
        if (getenv("STAGE_KEEP"))
                fprintf(stderr, "kept %s\n", all);
        else if (stage_folder_remove(all) < 0)
                fprintf(stderr, "not all of %s could be removed\n", all);
}

static void make_all(void)
{
        snprintf(all, sizeof(all), "/tmp/deskbell-stage-XXXXXX");
        if (!mkdtemp(all) || atexit(at_the_end) != 0) {
                fprintf(stderr, "no folder for the tests under /tmp\n");
                abort();
        }
        owner = getpid();
}

char *stage_folder(char room[64])
{
        static int count;

        if (!all[0])
                make_all();
        snprintf(room, 64, "%s/%d-%d", all, (int)getpid(), count++);
        if (mkdir(room, 0700) < 0) {
                perror(room);
                abort();
        }
        return room;
}
