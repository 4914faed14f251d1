/* SPDX-License-Identifier: Apache-2.0 */
/* What others wrote, as Pango markup. Everything that is not one of a few marks of Markdown is escaped: whatever the
 * text, the result is well formed markup that holds no element but those made here. Pure; any thread. */
#ifndef DESKBELL_GTK_MARKUP_H
#define DESKBELL_GTK_MARKUP_H

#include <glib.h>
#include <stdbool.h>

/* The Markdown subset: **bold**, *italic*, _italic_, ~~struck~~, `code`, ``` blocks, [text](link), "- " lists, "> "
 * quotes, "# " headings, and bare http and https addresses. `text` may be any bytes; the result is g_free'd. */
char *markup_of(const char *text);

/* The same text without its marks, on one line of at most `max_chars` characters: for quotes and titles. g_free. */
char *markup_preview(const char *text, int max_chars);

/* A name or title from outside: valid UTF-8, one line, without controls and without marks that turn the direction of
 * what stands around it. g_free. */
char *markup_clean_line(const char *text);

/* Whether a link may be opened: http or https with a host, or mailto, without spaces and controls, at most 2,000 bytes.
 */
bool markup_link_is_safe(const char *link);

/* 0, 1 or 2 letters that stand for a name. g_free. */
char *markup_initials(const char *name);

#endif
