/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/note.h"

#include <stdlib.h>

struct desk_note *note_new(enum note_kind kind, struct edge_ref to, struct span bytes)
{
        struct desk_note *note = malloc(sizeof *note + bytes.len);
        if (!note)
                return NULL;
        memset(note, 0, sizeof *note);
        note->kind = kind;
        note->to = to;
        note->len = bytes.len;
        if (bytes.len > 0)
                memcpy(note->bytes, bytes.at, bytes.len);
        return note;
}

struct desk_note *note_free(struct desk_note *note)
{
        if (!note)
                return NULL;
        if (note->frame)
                edge_frame_unref(note->frame);
        free(note->reach);
        free(note->place);
        free(note);
        return NULL;
}
