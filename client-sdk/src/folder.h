/* SPDX-License-Identifier: Apache-2.0 */
/* Folder: writing folders through to the disk. Any thread. */
#pragma once

#include <stdbool.h>

bool folder_sync(const char *folder);
bool folder_sync_of(const char *path); /* the one that `path` stands in: its name is there after a power cut, too */
