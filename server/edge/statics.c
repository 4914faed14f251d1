/* SPDX-License-Identifier: Apache-2.0 */
/* Statics: files served from memory, sorted by path, each with a strong ETag made of its content. */
#include "edge/edge_private.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
        const struct statics_entry *left = a, *right = b;
        return strcmp(left->file.path, right->file.path);
}

static void make_etag(struct span bytes, char out[36])
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        SHA256((const uint8_t *)bytes.at, bytes.len, digest);
        out[0] = '"';
        for (int i = 0; i < 16; i++)
                snprintf(out + 1 + 2 * i, 3, "%02x", digest[i]);
        out[33] = '"';
        out[34] = '\0';
}

void statics_free(struct edge *edge)
{
        free(edge->statics);
        edge->statics = NULL;
        edge->statics_count = 0;
}

void edge_set_static(struct edge *edge, const struct edge_static *files, size_t count)
{
        statics_free(edge);
        if (count == 0)
                return;
        edge->statics = calloc(count, sizeof(*edge->statics));
        if (!edge->statics)
                return;
        for (size_t i = 0; i < count; i++) {
                edge->statics[i].file = files[i];
                make_etag(files[i].bytes, edge->statics[i].etag);
        }
        edge->statics_count = count;
        qsort(edge->statics, count, sizeof(*edge->statics), compare);
}

static int compare_path(struct span path, const char *name)
{
        size_t len = strlen(name), common = path.len < len ? path.len : len;
        int order = memcmp(path.at, name, common);
        return order ? order : (path.len > len) - (path.len < len);
}

const struct statics_entry *statics_find(const struct edge *edge, struct span path)
{
        size_t low = 0, high = edge->statics_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = compare_path(path, edge->statics[middle].file.path);
                if (order == 0)
                        return &edge->statics[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}
