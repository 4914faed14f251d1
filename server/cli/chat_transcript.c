/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown: messages in the order of the log, notes between them where they were written, what waits to be sent at
 * the end. An edit changes the message it means; receipts stand behind own messages. */
#include "chat.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void shown_done(struct shown *row)
{
        free(row->tag);
        free(row->name);
        free(row->text);
        free(row->more);
        free(row->unsent);
}

void transcript_clear(struct transcript *transcript)
{
        for (size_t i = 0; i < transcript->count; i++)
                shown_done(&transcript->rows[i]);
        free(transcript->rows);
        *transcript = (struct transcript){0};
}

static bool stands_before(const struct shown *a, const struct shown *b)
{
        if (a->at_seq != b->at_seq)
                return a->at_seq < b->at_seq;
        if (a->iseq != b->iseq)
                return a->iseq < b->iseq;
        return b->is_remark && !a->is_remark;
}

/* Takes the row's texts. The row's address holds until the next insertion. */
static struct shown *insert(struct transcript *transcript, const struct shown *row)
{
        if (transcript->count == transcript->room) {
                size_t room = transcript->room ? 2 * transcript->room : 64;
                struct shown *rows = realloc(transcript->rows, room * sizeof(*rows));
                if (!rows) {
                        fputs("deskbell chat: out of memory\n", stderr);
                        exit(71);
                }
                transcript->rows = rows;
                transcript->room = room;
        }
        size_t at = transcript->count++;
        for (; at > 0 && stands_before(row, &transcript->rows[at - 1]); at--)
                transcript->rows[at] = transcript->rows[at - 1];
        transcript->rows[at] = *row;
        return &transcript->rows[at];
}

static void remove_row(struct transcript *transcript, struct shown *row)
{
        size_t at = (size_t)(row - transcript->rows);

        shown_done(row);
        transcript->count--;
        memmove(row, row + 1, (transcript->count - at) * sizeof(*row));
}

static struct shown *find_of(struct transcript *transcript, const char *cmid, bool is_device)
{
        for (size_t i = transcript->count; *cmid && i > 0; i--)
                if (transcript->rows[i - 1].is_device == is_device && strcmp(transcript->rows[i - 1].cmid, cmid) == 0)
                        return &transcript->rows[i - 1];
        return NULL;
}

struct shown *transcript_find_cmid(struct transcript *transcript, const char *cmid)
{
        return find_of(transcript, cmid, false);
}

struct shown *transcript_find(struct transcript *transcript, enum deskbell_log log, int64_t number)
{
        for (size_t i = transcript->count; number > 0 && i > 0; i--)
                if (transcript->rows[i - 1].number == number && transcript->rows[i - 1].log == log)
                        return &transcript->rows[i - 1];
        return NULL;
}

int64_t transcript_oldest(const struct transcript *transcript, enum deskbell_log log)
{
        for (size_t i = 0; i < transcript->count; i++)
                if (transcript->rows[i].number > 0 && transcript->rows[i].log == log)
                        return transcript->rows[i].number;
        return 0;
}

/* States in the order in which a message goes through them. */
static int rank(enum deskbell_message_state state)
{
        return state == DESKBELL_UPLOADING ? 0 : (int)state;
}

static void set_text(char **slot, const char *text)
{
        free(*slot);
        *slot = chat_text_clean(text, true);
}

static void change(struct transcript *transcript, const struct deskbell_entry *entry)
{
        struct shown *row = transcript_find(transcript, entry->log, entry->of);

        if (!row)
                return;
        if (entry->kind == DESKBELL_KIND_ERASE) {
                row->is_erased = true;
                set_text(&row->text, "");
        } else if (!row->is_erased && entry->version > row->version) {
                row->version = entry->version;
                set_text(&row->text, entry->text);
        }
}

static char *text_of(const struct deskbell_entry *entry)
{
        size_t room = strlen(entry->text) + strlen(entry->title) + strlen(entry->link) + 64, len = 0;

        for (size_t i = 0; i < entry->choices_count; i++)
                room += strlen(entry->choices[i].label) + 24;
        bool is_survey = entry->kind == DESKBELL_KIND_SURVEY && entry->survey;
        char *form = is_survey ? chat_survey_text(entry->survey) : entry->form_count ? chat_form_text(entry) : NULL;
        room += form ? strlen(form) : 0;
        char *text = malloc(room);
        if (!text) {
                free(form);
                return chat_text_clean(entry->text, true);
        }
        len += (size_t)snprintf(text, room, "%s%s%s", entry->title, *entry->title ? "\n" : "", entry->text);
        if (*entry->link)
                len += (size_t)snprintf(text + len, room - len, "\n%s", entry->link);
        for (size_t i = 0; i < entry->choices_count; i++)
                len += (size_t)snprintf(text + len, room - len, "\n  [%zu] %s", i + 1, entry->choices[i].label);
        if (form)
                snprintf(text + len, room - len, "%s", form);
        free(form);
        char *clean = chat_text_clean(text, true);
        free(text);
        return clean;
}

/* How far the others are with an own message; it never goes back. */
static void mark(const struct transcript *transcript, struct shown *row)
{
        if (!row->is_mine || row->log != DESKBELL_PUBLIC || row->number == 0)
                return;
        if (row->number <= transcript->others_read)
                row->state = DESKBELL_READ;
        else if (row->number <= transcript->others_recv && rank(row->state) < DESKBELL_DELIVERED)
                row->state = DESKBELL_DELIVERED;
}

/* Right below its question, wherever that stands now. */
static void place_found(struct transcript *transcript, const char *cmid)
{
        struct shown *found = find_of(transcript, cmid, true), *question = find_of(transcript, cmid, false);
        if (!found || !question)
                return;

        struct shown row = *found;
        size_t from = (size_t)(found - transcript->rows),
               to = (size_t)(question - transcript->rows) + (question < found);
        row.at_seq = question->at_seq;
        row.iseq = question->iseq;
        if (from < to)
                memmove(found, found + 1, (to - from) * sizeof(row));
        else
                memmove(&transcript->rows[to + 1], &transcript->rows[to], (from - to) * sizeof(row));
        transcript->rows[to] = row;
}

void transcript_device_answer(struct transcript *transcript, const struct deskbell_device_answer *answer)
{
        struct shown *row = find_of(transcript, answer->cmid, true);
        struct shown fresh = {.is_device = true, .ts_ms = answer->ts_ms, .at_seq = INT64_MAX};

        if (row)
                remove_row(transcript, row);
        if (answer->is_taken_back)
                return;
        snprintf(fresh.cmid, sizeof(fresh.cmid), "%s", answer->cmid);
        fresh.text = chat_text_clean(answer->text, true);
        insert(transcript, &fresh);
        place_found(transcript, fresh.cmid);
}

void transcript_entry(struct transcript *transcript, const struct deskbell_entry *entry, const char *name)
{
        struct shown row = {
                .at_seq = entry->log == DESKBELL_TEAM ? entry->at_seq : entry->number,
                .iseq = entry->log == DESKBELL_TEAM ? entry->number : 0,
                .log = entry->log,
                .number = entry->number,
                .ts_ms = entry->ts_ms,
                .version = entry->version,
                .reply_to = entry->reply_to,
                .is_mine = entry->is_mine != 0,
                .is_erased = entry->kind == DESKBELL_KIND_ERASED,
        };
        struct shown *waiting = transcript_find_cmid(transcript, entry->cmid);

        if (entry->kind == DESKBELL_KIND_EDIT || entry->kind == DESKBELL_KIND_ERASE) {
                change(transcript, entry);
                return;
        }
        if (entry->kind == DESKBELL_KIND_REVISION || transcript_find(transcript, entry->log, entry->number))
                return;
        if (waiting) {
                row.state = waiting->state;
                row.more = waiting->more;
                waiting->more = NULL;
                remove_row(transcript, waiting);
        }
        if (row.is_mine && rank(row.state) < DESKBELL_SENT)
                row.state = DESKBELL_SENT;
        snprintf(row.cmid, sizeof(row.cmid), "%s", entry->cmid);
        row.name = chat_text_clean(name, false);
        row.text = text_of(entry);
        mark(transcript, insert(transcript, &row));
        place_found(transcript, entry->cmid);
}

/* This device's disk failed before the message was in the outbox: only what is shown still knows it. */
static bool is_nowhere(const struct deskbell_message *message)
{
        return message->state == DESKBELL_FAILED && strcmp(message->tag, "store") == 0;
}

void transcript_message(struct transcript *transcript, const struct deskbell_message *message)
{
        struct shown *row = transcript_find_cmid(transcript, message->cmid);

        if (row && row->retried[0] && is_nowhere(message)) { /* it is what it was before: that is told next */
                memcpy(row->cmid, row->retried, sizeof(row->cmid));
                row->retried[0] = '\0';
                return;
        }
        if (!row) {
                struct shown fresh = {.at_seq = INT64_MAX, .is_mine = true, .log = message->log, .version = 1};
                if (message->operation != DESKBELL_OP_SEND ||
                    (message->state != DESKBELL_QUEUED && message->state != DESKBELL_FAILED &&
                     message->state != DESKBELL_EXPIRED && message->state != DESKBELL_UPLOADING))
                        return;
                snprintf(fresh.cmid, sizeof(fresh.cmid), "%s", message->cmid);
                fresh.ts_ms = message->ts_ms;
                fresh.name = chat_text_clean("me", false);
                fresh.text = chat_text_clean(message->text, true);
                row = insert(transcript, &fresh);
        }
        /* Its entry and the marks of the others may have come before the news of it. */
        bool has_place = row->number > 0;
        if (!has_place || rank(message->state) > rank(row->state))
                row->state = message->state;
        set_text(&row->tag, message->tag);
        free(row->unsent);
        row->unsent = is_nowhere(message) && !message->files_count ? strdup(message->text) : NULL;
}

void transcript_marks(struct transcript *transcript, int64_t others_recv, int64_t others_read)
{
        transcript->others_recv = others_recv;
        transcript->others_read = others_read;
        for (size_t i = 0; i < transcript->count; i++)
                mark(transcript, &transcript->rows[i]);
}

/* Behind the newest of what has a place now, notes among it; what comes later stands behind the remark. */
static struct shown *insert_remark(struct transcript *transcript, const char *text)
{
        struct shown row = {.is_remark = true};

        for (size_t i = 0; i < transcript->count; i++) {
                if (transcript->rows[i].number > 0) {
                        row.at_seq = transcript->rows[i].at_seq;
                        row.iseq = transcript->rows[i].iseq;
                }
        }
        row.text = chat_text_clean(text, true);
        return insert(transcript, &row);
}

void transcript_remark(struct transcript *transcript, const char *text)
{
        insert_remark(transcript, text);
}

void transcript_listing(struct transcript *transcript, const char *text, bool is_asked)
{
        struct shown *row = transcript->rows, *end = row + transcript->count;

        while (row < end && !row->is_listing)
                row++;
        if (row < end && is_asked)
                remove_row(transcript, row);
        else if (row < end)
                set_text(&row->text, text);
        if (is_asked)
                insert_remark(transcript, text)->is_listing = true;
}

void transcript_hit(struct transcript *transcript, const char *before, const char *hit, const char *after)
{
        struct shown *row = insert_remark(transcript, "");
        char *parts[] = {chat_text_clean(before, false), chat_text_clean(hit, false), chat_text_clean(after, false)};

        if (asprintf(&row->more, "%s%s%s", parts[0], parts[1], parts[2]) >= 0) {
                free(row->text);
                row->text = row->more;
                row->hit_at = strlen(parts[0]);
                row->hit_len = strlen(parts[1]);
        }
        row->more = NULL;
        for (int i = 0; i < 3; i++)
                free(parts[i]);
}

void shown_set_more(struct shown *row, const char *text)
{
        set_text(&row->more, text);
}

void transcript_progress(struct transcript *transcript, const char *cmid, int percent, size_t file, size_t files)
{
        struct shown *row = transcript_find_cmid(transcript, cmid);

        if (!row)
                return;
        row->percent = percent;
        row->file = file;
        row->files = files;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static const char *receipt(const struct shown *row)
{
        switch (row->state) {
        case DESKBELL_QUEUED:
                return " (queued)";
        case DESKBELL_SENT:
                return " \xe2\x9c\x93";
        case DESKBELL_DELIVERED:
                return " \xe2\x9c\x93\xe2\x9c\x93";
        case DESKBELL_READ:
                return " \xe2\x9c\x93\xe2\x9c\x93 read";
        case DESKBELL_UPLOADING:
                return row->is_paused ? " (paused)" : " (uploading)";
        case DESKBELL_FAILED:
                return " (failed)";
        case DESKBELL_EXPIRED:
                return " (expired)";
        default:
                return "";
        }
}

/* The whole row as one text; malloc'd. */
static char *compose(const struct shown *row)
{
        char when[16] = "     ", number[32] = "", *text = NULL;
        time_t seconds = (time_t)(row->ts_ms / 1000);
        struct tm local;

        if (row->is_remark)
                return asprintf(&text, "-- %s", row->text) < 0 ? NULL : text;
        if (row->is_device)
                return asprintf(&text, "      %s\n      (" CHAT_ON_DEVICE ")", row->text) < 0 ? NULL : text;
        if (row->ts_ms && localtime_r(&seconds, &local))
                strftime(when, sizeof(when), "%H:%M", &local);
        if (row->number)
                snprintf(number, sizeof(number), "#%lld ", (long long)row->number);
        char reply[32] = "";
        if (row->reply_to)
                snprintf(reply, sizeof(reply), "(re #%lld) ", (long long)row->reply_to);
        const char *body = row->is_erased ? "(erased)" : row->text;
        const char *more = row->more && !row->is_erased ? row->more : "";
        char progress[48] = "";
        if (row->state == DESKBELL_UPLOADING && row->files > 1)
                snprintf(progress, sizeof(progress), " %zu of %zu, %d %%", row->file, row->files, row->percent);
        else if (row->state == DESKBELL_UPLOADING)
                snprintf(progress, sizeof(progress), " %d %%", row->percent);
        if (asprintf(&text, "%s %s%s%s: %s%s%s%s%s%s%s%s%s", when, number, row->log == DESKBELL_TEAM ? "[note] " : "",
                     row->name, reply, body, row->version > 1 && !row->is_erased ? " (edited)" : "",
                     row->is_mine ? receipt(row) : "", progress,
                     row->state == DESKBELL_FAILED && row->tag && *row->tag ? " " : "",
                     row->state == DESKBELL_FAILED && row->tag ? row->tag : "", *more ? "\n" : "", more) < 0)
                return NULL;
        return text;
}

static int count_lines(const char *text, int columns)
{
        int lines = 0;
        size_t skip;

        do {
                size_t len = chat_text_wrap(text, columns, &skip);
                text += len + skip;
                lines++;
        } while (*text);
        return lines;
}

static const char *style_of(const struct shown *row)
{
        if (row->is_remark || row->is_device)
                return "2";
        if (row->state == DESKBELL_FAILED || row->state == DESKBELL_EXPIRED)
                return "31";
        if (row->log == DESKBELL_TEAM)
                return "33";
        return row->is_mine ? "36" : "";
}

/* One screen line, with what of the hit is in it. */
static void draw_line(struct screen *screen, const char *text, size_t len, const char *hit, const struct shown *row)
{
        const char *end = text + len, *from = hit && hit > text ? hit : text;
        const char *to = hit ? hit + row->hit_len : text;

        from = from < end ? from : end;
        to = to < from ? from : to < end ? to : end;
        screen_raw(screen, text, (size_t)(from - text));
        if (to > from) {
                screen_style(screen, "1;7");
                screen_raw(screen, from, (size_t)(to - from));
                screen_style(screen, style_of(row));
        }
        screen_raw(screen, to, (size_t)(end - to));
}

/* Draws those screen lines of `text` that fall into 1..bottom, its first line being at `top`. */
static void draw_text(struct screen *screen, const char *text, const struct shown *row, int top, int bottom)
{
        size_t skip;
        /* A hit stands in a remark, behind its two dashes. */
        const char *hit = row->hit_len ? text + 3 + row->hit_at : NULL;

        screen_style(screen, style_of(row));
        for (int line = top; line <= bottom; line++) {
                size_t len = chat_text_wrap(text, screen->columns, &skip);
                if (line >= 1) {
                        screen_move(screen, line, 1);
                        draw_line(screen, text, len, hit, row);
                }
                text += len + skip;
                if (!*text)
                        break;
        }
        screen_style(screen, "");
}

static int total_lines(const struct transcript *transcript, int columns)
{
        int total = 0;

        for (size_t i = 0; i < transcript->count; i++) {
                char *text = compose(&transcript->rows[i]);
                total += text ? count_lines(text, columns) : 0;
                free(text);
        }
        return total;
}

int transcript_draw(const struct transcript *transcript, struct screen *screen, int lines, int scroll)
{
        if (scroll > 0) {
                int most = total_lines(transcript, screen->columns) - lines;
                scroll = scroll > most ? most : scroll;
                scroll = scroll < 0 ? 0 : scroll;
        }
        int below = lines + scroll; /* screen line of the last line of all */
        for (int line = 1; line <= lines; line++) {
                screen_move(screen, line, 1);
                screen_text(screen, "\x1b[2K");
        }
        for (size_t i = transcript->count; i > 0 && below >= 1; i--) {
                char *text = compose(&transcript->rows[i - 1]);
                if (!text)
                        continue;
                int top = below - count_lines(text, screen->columns) + 1;
                if (top <= lines)
                        draw_text(screen, text, &transcript->rows[i - 1], top, below < lines ? below : lines);
                below = top - 1;
                free(text);
        }
        return scroll;
}
