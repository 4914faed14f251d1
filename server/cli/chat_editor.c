/* SPDX-License-Identifier: Apache-2.0 */
/* The line being written: UTF-8, the usual keys, what was sent before by arrow up, and pasting without surprises. */
#include "chat.h"

#include <stdlib.h>
#include <string.h>

static size_t before(const struct editor *editor, size_t at)
{
        while (at > 0 && ((unsigned char)editor->text[--at] & 0xc0) == 0x80)
                ;
        return at;
}

static size_t behind(const struct editor *editor, size_t at)
{
        if (at < editor->len)
                at++;
        while (at < editor->len && ((unsigned char)editor->text[at] & 0xc0) == 0x80)
                at++;
        return at;
}

static void insert(struct editor *editor, char byte)
{
        if (editor->len >= EDITOR_BYTES)
                return;
        memmove(editor->text + editor->cursor + 1, editor->text + editor->cursor, editor->len - editor->cursor + 1);
        editor->text[editor->cursor++] = byte;
        editor->len++;
}

static void cut(struct editor *editor, size_t from, size_t to)
{
        memmove(editor->text + from, editor->text + to, editor->len - to + 1);
        editor->len -= to - from;
        if (editor->cursor > to)
                editor->cursor -= to - from;
        else if (editor->cursor > from)
                editor->cursor = from;
}

static void cut_word(struct editor *editor)
{
        size_t from = editor->cursor;

        while (from > 0 && editor->text[from - 1] == ' ')
                from--;
        while (from > 0 && editor->text[from - 1] != ' ')
                from--;
        cut(editor, from, editor->cursor);
}

void editor_clear(struct editor *editor)
{
        editor->text[0] = '\0';
        editor->len = editor->cursor = 0;
        editor->memory_at = editor->memory_count;
}

void editor_remember(struct editor *editor)
{
        char *copy = strdup(editor->text);

        if (!copy)
                return;
        if (editor->memory_count == EDITOR_MEMORY) {
                free(editor->memory[0]);
                memmove(editor->memory, editor->memory + 1, (EDITOR_MEMORY - 1) * sizeof(editor->memory[0]));
                editor->memory_count--;
        }
        editor->memory[editor->memory_count++] = copy;
}

void editor_done(struct editor *editor)
{
        while (editor->memory_count)
                free(editor->memory[--editor->memory_count]);
}

static enum editor_event recall(struct editor *editor, int step)
{
        int at = editor->memory_at + step;

        if (at < 0 || at > editor->memory_count)
                return EDITOR_NOTHING;
        editor_clear(editor);
        editor->memory_at = at;
        if (at < editor->memory_count) {
                size_t len = strlen(editor->memory[at]);
                memcpy(editor->text, editor->memory[at], len + 1);
                editor->len = editor->cursor = len;
        }
        return EDITOR_CHANGED;
}

/* A whole escape sequence, without the escape itself. */
static enum editor_event on_sequence(struct editor *editor, const char *keys)
{
        if (strcmp(keys, "[D") == 0 || strcmp(keys, "OD") == 0)
                editor->cursor = before(editor, editor->cursor);
        else if (strcmp(keys, "[C") == 0 || strcmp(keys, "OC") == 0)
                editor->cursor = behind(editor, editor->cursor);
        else if (strcmp(keys, "[H") == 0 || strcmp(keys, "[1~") == 0 || strcmp(keys, "OH") == 0)
                editor->cursor = 0;
        else if (strcmp(keys, "[F") == 0 || strcmp(keys, "[4~") == 0 || strcmp(keys, "OF") == 0)
                editor->cursor = editor->len;
        else if (strcmp(keys, "[3~") == 0)
                cut(editor, editor->cursor, behind(editor, editor->cursor));
        else if (strcmp(keys, "[A") == 0 || strcmp(keys, "OA") == 0)
                return recall(editor, -1);
        else if (strcmp(keys, "[B") == 0 || strcmp(keys, "OB") == 0)
                return recall(editor, 1);
        else if (strcmp(keys, "[5~") == 0)
                return EDITOR_PAGE_UP;
        else if (strcmp(keys, "[6~") == 0)
                return EDITOR_PAGE_DOWN;
        else if (strcmp(keys, "[200~") == 0)
                editor->is_pasting = true;
        else if (strcmp(keys, "[201~") == 0)
                editor->is_pasting = false;
        else
                return EDITOR_NOTHING;
        return EDITOR_CHANGED;
}

static bool is_sequence_whole(const struct editor *editor)
{
        char last = editor->pending[editor->pending_len - 1];

        if (editor->pending_len == 2)
                return last != '[' && last != 'O';
        if (editor->pending_len < 2)
                return false;
        return (last >= 0x40 && last <= 0x7e) || editor->pending_len == sizeof(editor->pending) - 1;
}

static enum editor_event on_control(struct editor *editor, char byte)
{
        switch (byte) {
        case 0x01:
                editor->cursor = 0;
                return EDITOR_CHANGED;
        case 0x05:
                editor->cursor = editor->len;
                return EDITOR_CHANGED;
        case 0x08:
        case 0x7f:
                cut(editor, before(editor, editor->cursor), editor->cursor);
                return EDITOR_CHANGED;
        case 0x0b:
                cut(editor, editor->cursor, editor->len);
                return EDITOR_CHANGED;
        case 0x15:
                cut(editor, 0, editor->cursor);
                return EDITOR_CHANGED;
        case 0x17:
                cut_word(editor);
                return EDITOR_CHANGED;
        case 0x0c:
                return EDITOR_REDRAW;
        case 0x1a:
                return EDITOR_SUSPEND;
        case 0x03:
                if (editor->len == 0)
                        return EDITOR_QUIT;
                editor_clear(editor);
                return EDITOR_CHANGED;
        case 0x04:
                return editor->len == 0 ? EDITOR_QUIT : EDITOR_NOTHING;
        default:
                return EDITOR_NOTHING;
        }
}

enum editor_event editor_feed(struct editor *editor, char byte)
{
        if (editor->pending_len > 0) {
                editor->pending[editor->pending_len++] = byte;
                if (!is_sequence_whole(editor))
                        return EDITOR_NOTHING;
                editor->pending[editor->pending_len] = '\0';
                editor->pending_len = 0;
                return on_sequence(editor, editor->pending + 1);
        }
        if (byte == 0x1b) {
                editor->pending[editor->pending_len++] = byte;
                return EDITOR_NOTHING;
        }
        if (byte == '\r' && !editor->is_pasting)
                return EDITOR_SUBMIT;
        if (byte == '\r' || byte == '\n') {
                insert(editor, '\n');
                return EDITOR_CHANGED;
        }
        if (byte == '\t') {
                insert(editor, ' ');
                return EDITOR_CHANGED;
        }
        if ((unsigned char)byte < 0x20 || byte == 0x7f)
                return on_control(editor, byte);
        insert(editor, byte);
        return EDITOR_CHANGED;
}
