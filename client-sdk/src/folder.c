/* SPDX-License-Identifier: Apache-2.0 */
/* Folder: see folder.h. */
#include "folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform.h"

bool folder_sync(const char *folder)
{
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool is_done = fd >= 0 && platform_flush(fd) == 0;

        if (fd >= 0)
                close(fd);
        return is_done;
}

bool folder_sync_of(const char *path)
{
        char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;

        if (slash)
                slash[slash == folder] = '\0';
        bool is_done = folder && folder_sync(slash ? folder : ".");
        free(folder);
        return is_done;
}
