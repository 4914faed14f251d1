/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for a test, removed with everything in it. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline char *tmpdir_make(void)
{
        char *path = strdup("/tmp/deskbell-test-XXXXXX");

        return path ? mkdtemp(path) : NULL;
}

static inline int tmpdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static inline void tmpdir_drop(char *path)
{
        nftw(path, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(path);
}
