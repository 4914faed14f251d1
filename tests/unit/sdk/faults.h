/* SPDX-License-Identifier: Apache-2.0 */
/* Faults: memory that runs out and a disk that fails, each at one chosen moment. Three sources of moments: the
 * library's allocator, SQLite's own, and what changes the disk (SQLite's file calls, and fsync, pwrite, rename, link,
 * ftruncate of the library's objects, which the linker sends here). Counting begins with faults_arm. */
#pragma once

enum fault_source { FAULT_NONE, FAULT_MEMORY, FAULT_SQLITE_MEMORY, FAULT_DISK };

void faults_init(void); /* once, before SQLite is used */
/* The moments `at` ... `at` + `width` - 1 of that source fail, counted from 1; at 0 = none, they are only counted. */
void faults_arm(enum fault_source source, long at, long width);
long faults_seen(void); /* moments since faults_arm */
long faults_held(void); /* blocks of the library's allocator that are not given back */
