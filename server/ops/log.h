/* SPDX-License-Identifier: Apache-2.0 */
/* Log: one JSON object a line on standard error, at most 1 KiB, written with one write(2). Everything but printable
 * ASCII is escaped, so that no value can forge a line or reach a terminal. Never give it message text, tokens, names or
 * addresses of mail: there is no field for them. Any thread.
 *
 *      log_info(&log, "listening", "host", host, "port", port);
 *
 * Behind the sentence stand up to eight pairs of a literal key and a value: integers of any width, bool, double,
 * char * (NULL becomes null) and struct span. */
#pragma once

#include "protocol/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum { LOG_LINE_BYTES = 1024, LOG_CONTEXT_FIELDS = 4 };

struct log_value {
        enum { LOG_IS_INT, LOG_IS_UINT, LOG_IS_BOOL, LOG_IS_DOUBLE, LOG_IS_TEXT } type;
        union {
                int64_t i;
                uint64_t u;
                double d;
                struct span text; /* borrowed */
        };
};

struct log_field {
        const char *key; /* literal */
        struct log_value value;
};

/* Context that is said with every line; a plain value, copied to narrow it. `area` is a literal. */
struct log {
        const char *area;
        unsigned context_count;
        struct log_field context[LOG_CONTEXT_FIELDS];
};

/* Lines below this level are not written. Default LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "debug", "info", "warn", "error"; -1: none of them. */
int log_level_read(struct span word, enum log_level *out_level);
const char *log_level_word(enum log_level level);

/* Lines go to `sink` instead (with their line feed); NULL: standard error again. For tests. */
void log_set_sink(void (*sink)(void *data, const char *line, size_t len), void *data);

/* Adds a pair to the context; a text is borrowed for the life of `log`. What does not fit is left out. */
void log_context(struct log *log, const char *key, struct log_value value);

/* `log` may be NULL. */
void log_write(const struct log *log, enum log_level level, const char *what, const struct log_field *fields,
               size_t count);

/* What a line would be, without its line feed: bytes written to `out`, which has room for LOG_LINE_BYTES. */
size_t log_format(char *out, const struct log *log, enum log_level level, int64_t wall_ms, const char *what,
                  const struct log_field *fields, size_t count);

static inline struct log_value log_of_int(int64_t value)
{
        return (struct log_value){.type = LOG_IS_INT, .i = value};
}

static inline struct log_value log_of_uint(uint64_t value)
{
        return (struct log_value){.type = LOG_IS_UINT, .u = value};
}

static inline struct log_value log_of_bool(bool value)
{
        return (struct log_value){.type = LOG_IS_BOOL, .u = value};
}

static inline struct log_value log_of_double(double value)
{
        return (struct log_value){.type = LOG_IS_DOUBLE, .d = value};
}

static inline struct log_value log_of_text(const char *value)
{
        return (struct log_value){.type = LOG_IS_TEXT, .text = span_of(value)};
}

static inline struct log_value log_of_span(struct span value)
{
        return (struct log_value){.type = LOG_IS_TEXT, .text = value};
}

/* clang-format off */
#define LOG_VALUE(v)                                                                                                   \
        _Generic((v),                                                                                                  \
                bool: log_of_bool, float: log_of_double, double: log_of_double,                                        \
                char *: log_of_text, const char *: log_of_text, struct span: log_of_span,                              \
                unsigned char: log_of_uint, unsigned short: log_of_uint, unsigned: log_of_uint,                        \
                unsigned long: log_of_uint, unsigned long long: log_of_uint,                                           \
                default: log_of_int)(v)

#define LOG_PAIRS_1(w)
#define LOG_PAIRS_3(w, k, v)                                 { "" k, LOG_VALUE(v) }
#define LOG_PAIRS_5(w, k, v, ...)                            { "" k, LOG_VALUE(v) }, LOG_PAIRS_3(w, __VA_ARGS__)
#define LOG_PAIRS_7(w, k, v, ...)                            { "" k, LOG_VALUE(v) }, LOG_PAIRS_5(w, __VA_ARGS__)
#define LOG_PAIRS_9(w, k, v, ...)                            { "" k, LOG_VALUE(v) }, LOG_PAIRS_7(w, __VA_ARGS__)
#define LOG_PAIRS_11(w, k, v, ...)                           { "" k, LOG_VALUE(v) }, LOG_PAIRS_9(w, __VA_ARGS__)
#define LOG_PAIRS_13(w, k, v, ...)                           { "" k, LOG_VALUE(v) }, LOG_PAIRS_11(w, __VA_ARGS__)
#define LOG_PAIRS_15(w, k, v, ...)                           { "" k, LOG_VALUE(v) }, LOG_PAIRS_13(w, __VA_ARGS__)
#define LOG_PAIRS_17(w, k, v, ...)                           { "" k, LOG_VALUE(v) }, LOG_PAIRS_15(w, __VA_ARGS__)
#define LOG_NTH(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, n, ...) n
#define LOG_COUNT(...)                                                                                                 \
        LOG_NTH(__VA_ARGS__, 17, KEY_WITHOUT_VALUE, 15, KEY_WITHOUT_VALUE, 13, KEY_WITHOUT_VALUE, 11,                  \
                KEY_WITHOUT_VALUE, 9, KEY_WITHOUT_VALUE, 7, KEY_WITHOUT_VALUE, 5, KEY_WITHOUT_VALUE, 3,                \
                KEY_WITHOUT_VALUE, 1, 0)
#define LOG_JOIN_(a, b) a##b
#define LOG_JOIN(a, b)  LOG_JOIN_(a, b)
#define LOG_WHAT_(w, ...) w
#define LOG_AT(log, level, ...)                                                                                        \
        do {                                                                                                           \
                if ((level) >= log_get_level())                                                                        \
                        log_write((log), (level), LOG_WHAT_(__VA_ARGS__, 0),                                           \
                                  (const struct log_field[LOG_COUNT(__VA_ARGS__) / 2 + 1]){                            \
                                          LOG_JOIN(LOG_PAIRS_, LOG_COUNT(__VA_ARGS__))(__VA_ARGS__) },                 \
                                  LOG_COUNT(__VA_ARGS__) / 2);                                                         \
        } while (0)
#define log_debug(log, ...) LOG_AT(log, LOG_DEBUG, __VA_ARGS__)
#define log_info(log, ...)  LOG_AT(log, LOG_INFO, __VA_ARGS__)
#define log_warn(log, ...)  LOG_AT(log, LOG_WARN, __VA_ARGS__)
#define log_error(log, ...) LOG_AT(log, LOG_ERROR, __VA_ARGS__)
/* clang-format on */
