/* SPDX-License-Identifier: Apache-2.0 */
/* Sandbox: what the server gives up about itself, in layers. A layer that this machine cannot give is named in a
 * warning and in health, and the server runs without it. Order in `serve`:
 *
 *      sandbox_early()                     first thing
 *      ... listeners bound, TLS files read ...
 *      sandbox_drop_root(data, ...)        before the store is opened
 *      sandbox_enter(paths)                before the first thread is made
 *
 * One thread, before others exist; sandbox_report from any thread afterwards. */
#pragma once

#include <stdbool.h>

/* umask 077, no new privileges, no core, not dumpable, SIGPIPE ignored, soft limit of descriptors raised to the hard
 * one. */
void sandbox_early(void);

/* Started as root: becomes the owner of `dir` for good. A folder of root's own leaves the user as it is but without
 * capabilities, which is warned of. Until sandbox_enter low ports may still be bound and files of others (a private
 * key) read. Not root: does nothing. 0, or a negative errno with *out_why malloc'd. */
int sandbox_drop_root(const char *dir, char **out_why);

/* For a root that makes a fresh folder: gives `dir` to the owner of the folder it lies in, or when that is root, to the
 * user `deskbell` or else `nobody`; leaves it to root when that user could not reach it. Not root: does nothing. */
int sandbox_give_away(const char *dir);

struct sandbox_paths {
        const char *const *read_write; /* folders; NULL-terminated */
        const char *const *read_only;  /* files or folders; NULL-terminated; NULL members end it */
        const int *connect_ports;      /* TCP ports that may be connected to; 0-terminated; NULL = any */
};

/* A file that will be read again later and that sandbox_enter shall leave in reach, besides its paths. At most 8; the
 * text is borrowed until sandbox_enter. */
void sandbox_keep_readable(const char *path);

/* The last capabilities go; then Landlock and seccomp, for the whole process. Of a file in `read_only` the folder it
 * lies in stays readable, so that it is found again after it was replaced by a rename. */
void sandbox_enter(const struct sandbox_paths *paths);

/* Says each layer once: "core", "privileges", "user", "files", "landlock", "seccomp". `detail` is one line. */
void sandbox_report(void (*say)(void *data, const char *layer, bool is_active, const char *detail), void *data);
