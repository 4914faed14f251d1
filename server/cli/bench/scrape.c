/* SPDX-License-Identifier: Apache-2.0 */
/* Scrape: a GET over a socket and a reading of Prometheus' text lines that knows only `name value`; labelled lines are
 * passed over. */
#include "scrape.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 256 * 1024, NAME_BYTES = 128 };

static int scrape_connect(const char *address)
{
        char host[48];
        const char *colon = strrchr(address, ':');
        struct sockaddr_in to = {.sin_family = AF_INET};
        if (!colon || (size_t)(colon - address) >= sizeof(host))
                return -1;
        memcpy(host, address, (size_t)(colon - address));
        host[colon - address] = '\0';
        to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
        int fd = inet_pton(AF_INET, host, &to.sin_addr) == 1 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
        struct timeval patience = {.tv_sec = 2};
        if (fd >= 0) {
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        }
        if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
                close(fd);
                return -1;
        }
        return fd;
}

char *scrape_read(const char *address)
{
        char request[160], *answer = malloc(ANSWER_BYTES);
        int fd = scrape_connect(address), len = 0;
        if (fd >= 0 && answer) {
                int asked = snprintf(request, sizeof(request),
                                     "GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address);
                ssize_t n = send(fd, request, (size_t)asked, MSG_NOSIGNAL);
                while (n > 0 && len < ANSWER_BYTES - 1) {
                        n = recv(fd, answer + len, (size_t)(ANSWER_BYTES - 1 - len), 0);
                        len += n > 0 ? (int)n : 0;
                }
        }
        if (fd >= 0)
                close(fd);
        if (len > 12 && strncmp(answer + 9, "200", 3) == 0) {
                answer[len] = '\0';
                return answer;
        }
        free(answer);
        return NULL;
}

/* Value of the line "name value"; `otherwise` when there is none. */
static double value_of(const char *text, const char *name, double otherwise)
{
        size_t len = strlen(name);
        for (const char *at = text; (at = strstr(at, name)); at += len)
                if (at > text && at[-1] == '\n' && at[len] == ' ')
                        return strtod(at + len, NULL);
        return otherwise;
}

static double grown(const char *before, const char *after, const char *name)
{
        return value_of(after, name, 0) - value_of(before, name, 0);
}

/* `name` is that of a sample line; histograms are told by their _count. */
static void means_add(json_t *means, const char *before, const char *after, const char *name)
{
        char sum[NAME_BYTES + 8], base[NAME_BYTES];
        size_t len = strlen(name);
        if (len > 6 && strcmp(name + len - 6, "_total") == 0) {
                double count = grown(before, after, name);
                if (count > 0)
                        json_object_set_new(means, name, json_pack("{s:I}", "count", (json_int_t)count));
                return;
        }
        if (len <= 6 || strcmp(name + len - 6, "_count") != 0)
                return;
        snprintf(base, sizeof(base), "%.*s", (int)(len - 6), name);
        snprintf(sum, sizeof(sum), "%s_sum", base);
        double count = grown(before, after, name);
        if (count > 0)
                json_object_set_new(
                        means, base,
                        json_pack("{s:I, s:f}", "count", (json_int_t)count, "mean", grown(before, after, sum) / count));
}

json_t *scrape_means(const char *before, const char *after)
{
        if (!before || !after)
                return NULL;
        json_t *means = json_object();
        for (const char *line = strchr(after, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
                char name[NAME_BYTES];
                size_t len = strcspn(line + 1, " {\n");
                if (line[1] == '#' || len == 0 || len >= sizeof(name) || line[1 + len] != ' ')
                        continue;
                memcpy(name, line + 1, len);
                name[len] = '\0';
                means_add(means, before, after, name);
        }
        return means;
}
