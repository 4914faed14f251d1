/* SPDX-License-Identifier: Apache-2.0 */
/* Zone file: see zone_file.h. A name has been checked before it becomes part of a path. */
#include "desk/hours/zone_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder(void)
{
#ifndef NDEBUG
        const char *said = getenv("DESKBELL_TEST_ZONEINFO");
        if (said)
                return said;
#endif
        return "/usr/share/zoneinfo";
}

static ssize_t read_whole(int fd, char *bytes, size_t room)
{
        size_t len = 0;
        while (len < room) {
                ssize_t n = read(fd, bytes + len, room - len);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        break;
                len += n > 0 ? (size_t)n : 0;
        }
        return (ssize_t)len;
}

static int read_path(const char *path, char **out_bytes, size_t *out_len)
{
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
        char *bytes = NULL;
        ssize_t len = -ENOENT;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
                bytes = malloc(ZONE_BYTES_MAX + 1);
                len = bytes ? read_whole(fd, bytes, ZONE_BYTES_MAX + 1) : -ENOMEM;
        }
        close(fd);
        if (len < 0) {
                free(bytes);
                return (int)len;
        }
        *out_bytes = bytes;
        *out_len = (size_t)len;
        return 0;
}

int zone_file_read(struct span name, char **out_bytes, size_t *out_len)
{
        char path[512], *bytes = NULL;
        struct zone *zone = NULL;
        size_t len = 0;
        if (!zone_name_is_fine(name))
                return -ENOENT;
        int wanted = snprintf(path, sizeof path, "%s/%.*s", folder(), (int)name.len, name.at);
        if (wanted < 0 || (size_t)wanted >= sizeof path)
                return -ENOENT;
        int rc = read_path(path, &bytes, &len);
        if (rc < 0)
                return rc;
        rc = zone_parse((struct span){bytes, len}, &zone);
        zone_free(zone);
        if (rc < 0) {
                free(bytes);
                return rc == -EINVAL ? -ENOENT : rc;
        }
        *out_bytes = bytes;
        *out_len = len;
        return 0;
}

/* The first word of +VERSION, or what stands behind "# version " in tzdata.zi. */
static bool read_version(const char *file, const char *before, char out[ZONE_VERSION_BYTES])
{
        char path[512], line[64], *bytes = NULL;
        snprintf(path, sizeof path, "%s/%s", folder(), file);
        FILE *stream = fopen(path, "re");
        if (stream) {
                bytes = fgets(line, sizeof line, stream);
                fclose(stream);
        }
        if (!bytes || strncmp(bytes, before, strlen(before)) != 0)
                return false;
        bytes += strlen(before);
        size_t len = 0;
        while (len < ZONE_VERSION_BYTES - 1 && bytes[len] > ' ' && bytes[len] < 0x7f)
                len++;
        memcpy(out, bytes, len);
        out[len] = '\0';
        return len > 0;
}

void zone_file_version(char out[ZONE_VERSION_BYTES])
{
        if (!read_version("+VERSION", "", out) && !read_version("tzdata.zi", "# version ", out))
                memcpy(out, "unknown", sizeof "unknown");
}
