/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of a test. All of one process lie in one folder of their own under /tmp, which goes when the process ends as
 * it should; one that crashes leaves it. With STAGE_KEEP in the environment it stays, and its name is printed. */
#pragma once

/* A fresh, empty folder; the test fails when there is none. Returns `room`. */
char *stage_folder(char room[64]);

/* Removes what stage_folder gave, with all that is in it. 0, or -1: not all of it went. */
int stage_folder_remove(const char *folder);
