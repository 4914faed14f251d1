/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation as a file. */
#ifndef DESKBELL_GTK_SAVE_H
#define DESKBELL_GTK_SAVE_H

#include "transcript.h"

/* Writes what is shown to `path`, readable for its owner only: one JSON object a line when the name ends in ".jsonl",
 * else lines of text. False: *error says why. */
bool save_transcript(struct transcript *transcript, const char *path, GError **error);

#endif
