/* SPDX-License-Identifier: Apache-2.0 */
/* A user's file with something in every table, in words that are found again by a search through bytes. Include after
 * cmocka's headers. */
#pragma once

#include "client-sdk/src/cache.h"

#define WORD "canary" /* in all that says something about people or content, and in nothing else */

enum { STORE_ENTRIES = 40, STORE_MESSAGES = 5, STORE_COPY_BYTES = 70000 };

extern const uint8_t store_key[32], store_other_key[32];

void store_fill(struct cache *cache, const char *path); /* in a turn of its own, with a copy of bytes in PATH.files */
/* All of it is there as it was filled in; the copy is sealed when the file is. */
void store_check(struct cache *cache);
/* How many of the files in `folder` and its folders hold WORD; the last one's name is printed. */
int store_leaks(const char *folder);
void store_make_plain(const char *path); /* filled and closed */
