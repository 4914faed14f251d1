/* SPDX-License-Identifier: Apache-2.0 */
/* Log: see log.h. A line is built on the stack; a value that does not fit is cut, fields behind it are left out and
 * "cut":true says so, so that every line is one whole JSON object. Level and sink are the only state. */
#include "ops/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ops/clock.h"

static atomic_int lowest_level = LOG_INFO;

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*sink_call)(void *data, const char *line, size_t len); /* under sink_lock */
static void *sink_data;                                             /* under sink_lock */
static atomic_bool has_sink;

static const char *const level_words[] = {"debug", "info", "warn", "error"};

/* Room that stays free behind the fields: ,"cut":true} and the line feed. */
enum { TAIL_BYTES = 16 };

struct line {
        char *at, *end;
        bool is_cut;
};

void log_set_level(enum log_level level)
{
        atomic_store_explicit(&lowest_level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
        return (enum log_level)atomic_load_explicit(&lowest_level, memory_order_relaxed);
}

int log_level_read(struct span word, enum log_level *out_level)
{
        for (size_t i = 0; i < sizeof(level_words) / sizeof(level_words[0]); i++)
                if (span_equal(word, span_of(level_words[i]))) {
                        *out_level = (enum log_level)i;
                        return 0;
                }
        return -1;
}

const char *log_level_word(enum log_level level)
{
        return level_words[level];
}

void log_set_sink(void (*sink)(void *data, const char *line, size_t len), void *data)
{
        pthread_mutex_lock(&sink_lock);
        sink_call = sink;
        sink_data = data;
        atomic_store(&has_sink, sink != NULL);
        pthread_mutex_unlock(&sink_lock);
}

void log_context(struct log *log, const char *key, struct log_value value)
{
        if (log->context_count < LOG_CONTEXT_FIELDS)
                log->context[log->context_count++] = (struct log_field){key, value};
}

/* All or nothing. */
static bool put(struct line *line, const char *bytes, size_t len)
{
        if ((size_t)(line->end - line->at) < len)
                return false;
        memcpy(line->at, bytes, len);
        line->at += len;
        return true;
}

/* Reads one code point of UTF-8; what is none counts as one byte of U+FFFD. */
static uint32_t next_point(const unsigned char **at, const unsigned char *end)
{
        const unsigned char *p = *at;
        static const uint32_t lowest[] = {0, 0x80, 0x800, 0x10000};
        int more = *p < 0x80 ? 0 : (*p & 0xe0) == 0xc0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : (*p & 0xf8) == 0xf0 ? 3 : -1;
        uint32_t point = more <= 0 ? *p : *p & (0x3fu >> more);

        (*at)++;
        if (more == 0)
                return point;
        if (more < 0 || end - p <= more)
                return 0xfffd;
        for (int i = 1; i <= more; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0xfffd;
                point = point << 6 | (p[i] & 0x3f);
        }
        if (point < lowest[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
                return 0xfffd;
        *at = p + more + 1;
        return point;
}

static bool put_point(struct line *line, uint32_t point)
{
        char text[16];
        int len;

        if (point == '"' || point == '\\')
                len = snprintf(text, sizeof(text), "\\%c", (char)point);
        else if (point >= 0x20 && point < 0x7f)
                len = snprintf(text, sizeof(text), "%c", (char)point);
        else if (point < 0x10000)
                len = snprintf(text, sizeof(text), "\\u%04x", (unsigned)point);
        else
                len = snprintf(text, sizeof(text), "\\u%04x\\u%04x", (unsigned)(0xd800 + ((point - 0x10000) >> 10)),
                               (unsigned)(0xdc00 + ((point - 0x10000) & 0x3ff)));
        return put(line, text, (size_t)len);
}

/* Quoted; cut inside when there is no room, and closed all the same. */
static bool put_text(struct line *line, struct span text)
{
        if (line->end - line->at < 2)
                return false;
        *line->at++ = '"';
        line->end--; /* for the closing quote */

        const unsigned char *at = (const unsigned char *)text.at;
        const unsigned char *end = at + text.len;
        while (at < end && !line->is_cut)
                line->is_cut = !put_point(line, next_point(&at, end));

        line->end++;
        *line->at++ = '"';
        return true;
}

static bool put_value(struct line *line, const struct log_value *value)
{
        char text[40];
        int len = 0;

        switch (value->type) {
        case LOG_IS_TEXT:
                return value->text.at ? put_text(line, value->text) : put(line, "null", 4);
        case LOG_IS_INT:
                len = snprintf(text, sizeof(text), "%lld", (long long)value->i);
                break;
        case LOG_IS_UINT:
                len = snprintf(text, sizeof(text), "%llu", (unsigned long long)value->u);
                break;
        case LOG_IS_BOOL:
                len = snprintf(text, sizeof(text), "%s", value->u ? "true" : "false");
                break;
        case LOG_IS_DOUBLE:
                /* JSON knows no infinity and no NaN. */
                if (value->d != value->d || value->d - value->d != 0)
                        return put(line, "null", 4);
                len = snprintf(text, sizeof(text), "%.9g", value->d);
                break;
        }
        return put(line, text, (size_t)len);
}

static void put_field(struct line *line, const char *key, const struct log_value *value)
{
        struct line before = *line;

        if (line->is_cut)
                return;
        if (!put(line, ",", 1) || !put_text(line, span_of(key)) || line->is_cut || !put(line, ":", 1) ||
            !put_value(line, value)) {
                *line = before;
                line->is_cut = true;
        }
}

static void put_head(struct line *line, enum log_level level, int64_t wall_ms)
{
        time_t seconds = (time_t)(wall_ms / 1000);
        struct tm tm;
        char head[96];

        gmtime_r(&seconds, &tm);
        int len = snprintf(head, sizeof(head), "{\"ts\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\",\"level\":\"%s\"",
                           tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                           (int)(wall_ms % 1000), level_words[level]);
        put(line, head, (size_t)len);
}

size_t log_format(char *out, const struct log *log, enum log_level level, int64_t wall_ms, const char *what,
                  const struct log_field *fields, size_t count)
{
        struct line line = {.at = out, .end = out + LOG_LINE_BYTES - TAIL_BYTES};
        struct log_value text;

        put_head(&line, level, wall_ms);
        if (log && log->area) {
                text = log_of_text(log->area);
                put_field(&line, "area", &text);
        }
        text = log_of_text(what);
        put_field(&line, "what", &text);
        for (unsigned i = 0; log && i < log->context_count; i++)
                put_field(&line, log->context[i].key, &log->context[i].value);
        for (size_t i = 0; i < count; i++)
                put_field(&line, fields[i].key, &fields[i].value);

        line.end = out + LOG_LINE_BYTES;
        if (line.is_cut)
                put(&line, ",\"cut\":true", 11);
        put(&line, "}", 1);
        return (size_t)(line.at - out);
}

static void give_to_sink(const char *line, size_t len)
{
        pthread_mutex_lock(&sink_lock);
        if (sink_call)
                sink_call(sink_data, line, len);
        pthread_mutex_unlock(&sink_lock);
}

void log_write(const struct log *log, enum log_level level, const char *what, const struct log_field *fields,
               size_t count)
{
        char line[LOG_LINE_BYTES + 1];

        if (level < log_get_level())
                return;
        size_t len = log_format(line, log, level, clock_wall_ms(), what, fields, count);
        line[len++] = '\n';
        if (atomic_load(&has_sink)) {
                give_to_sink(line, len);
                return;
        }
        /* A log that cannot be written is lost: there is nobody to tell. */
        ssize_t written = write(STDERR_FILENO, line, len);
        (void)written;
}
