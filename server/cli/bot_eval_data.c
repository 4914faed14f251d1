/* SPDX-License-Identifier: Apache-2.0 */
/* Bot eval, its data: reading labelled lines, choosing examples, spoiling texts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bot_eval.h"
#include "cli/cli.h"

enum { COLUMNS = 3 };

/* Labels that mean "no answer" in the sets that are about. */
static bool is_off_topic_label(const char *name)
{
        static const char *const names[] = {"", "-", "oos", "off_topic", "off-topic", "out_of_scope", "none"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(name, names[i]) == 0)
                        return true;
        return false;
}

/* The label's number, or -2: out of memory. */
static int label_number(struct eval_labels *labels, const char *name)
{
        if (is_off_topic_label(name))
                return EVAL_OFF_TOPIC;
        for (size_t i = 0; i < labels->count; i++)
                if (strcmp(labels->names[i], name) == 0)
                        return (int)i;
        char **grown = realloc(labels->names, (labels->count + 1) * sizeof(grown[0]));
        if (!grown)
                return -2;
        labels->names = grown;
        labels->names[labels->count] = strdup(name);
        return labels->names[labels->count] ? (int)labels->count++ : -2;
}

static bool keep(struct eval_lines *lines, enum eval_split split, int label, const char *text)
{
        if ((lines->count & (lines->count - 1)) == 0) {
                size_t room = lines->count ? 2 * lines->count : 1;
                struct eval_line *grown = realloc(lines->at, room * sizeof(grown[0]));
                if (!grown)
                        return false;
                lines->at = grown;
        }
        char *copy = strdup(text);
        if (!copy)
                return false;
        lines->at[lines->count++] = (struct eval_line){split, label, copy};
        return true;
}

/* Splits in place at tabs; the last part keeps what is left. */
static int split_columns(char *line, char *parts[COLUMNS])
{
        int count = 1;

        parts[0] = line;
        for (char *at = line; *at && count < COLUMNS; at++)
                if (*at == '\t') {
                        *at = 0;
                        parts[count++] = at + 1;
                }
        return count;
}

static int take_line(const char *path, size_t number, char *line, struct eval_labels *labels, struct eval_lines *out)
{
        char *parts[COLUMNS];
        int count = split_columns(line, parts);

        if (count < COLUMNS && labels)
                return cli_fail(EX_DATAERR, "%s:%zu: three columns are needed: split, label, text", path, number);
        const char *text = parts[count - 1];
        enum eval_split split = count < COLUMNS || strcmp(parts[0], "test") == 0 ? EVAL_TEST
                                : strcmp(parts[0], "train") == 0                 ? EVAL_TRAIN
                                                                                 : EVAL_OTHER;
        int label = labels ? label_number(labels, parts[1]) : EVAL_OFF_TOPIC;
        if (label < EVAL_OFF_TOPIC || !keep(out, labels ? split : EVAL_TEST, label, text))
                return cli_fail(EX_OSERR, "out of memory");
        return EX_OK;
}

static int read_lines(const char *path, struct eval_labels *labels, struct eval_lines *out)
{
        FILE *file = fopen(path, "re");
        char *line = NULL;
        size_t room = 0, number = 0;
        ssize_t len;
        int rc = EX_OK;

        if (!file)
                return cli_fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
        while (rc == EX_OK && (len = getline(&line, &room, file)) > 0) {
                number++;
                while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
                        line[--len] = 0;
                if (len > 0)
                        rc = take_line(path, number, line, labels, out);
        }
        if (rc == EX_OK && ferror(file))
                rc = cli_fail(EX_IOERR, "%s cannot be read", path);
        free(line);
        fclose(file);
        if (rc == EX_OK && out->count == 0)
                rc = cli_fail(EX_DATAERR, "%s has no lines", path);
        return rc;
}

int eval_read(const char *path, struct eval_labels *labels, struct eval_lines *out)
{
        return read_lines(path, labels, out);
}

int eval_read_off_topic(const char *path, struct eval_lines *out)
{
        return read_lines(path, NULL, out);
}

void eval_lines_done(struct eval_lines *lines)
{
        for (size_t i = 0; i < lines->count; i++)
                free(lines->at[i].text);
        free(lines->at);
        *lines = (struct eval_lines){0};
}

void eval_labels_done(struct eval_labels *labels)
{
        for (size_t i = 0; i < labels->count; i++)
                free(labels->names[i]);
        free(labels->names);
        *labels = (struct eval_labels){0};
}

/* ---- choosing ---- */

static uint32_t next_number(uint64_t *state)
{
        *state = *state * 6364136223846793005ull + 1442695040888963407ull;
        return (uint32_t)(*state >> 33);
}

static bool has_split(const struct eval_lines *lines, enum eval_split split)
{
        for (size_t i = 0; i < lines->count; i++)
                if (lines->at[i].split == split)
                        return true;
        return false;
}

size_t eval_choose(const struct eval_lines *lines, const struct eval_labels *labels, size_t per_label, uint64_t seed,
                   const bool *is_barred, bool *out_is_chosen)
{
        size_t *order = calloc(lines->count + 1, sizeof(order[0])),
               *taken = calloc(labels->count + 1, sizeof(taken[0]));
        bool is_marked = has_split(lines, EVAL_TRAIN);
        uint64_t state = seed * 2654435761u + 97;
        size_t count = 0;

        for (size_t i = 0; order && i < lines->count; i++) {
                size_t other = next_number(&state) % (i + 1);
                order[i] = order[other];
                order[other] = i;
                out_is_chosen[i] = false;
        }
        for (size_t n = 0; order && taken && n < lines->count; n++) {
                const struct eval_line *line = &lines->at[order[n]];
                if (line->label < 0 || (is_barred && is_barred[order[n]]) || (is_marked && line->split != EVAL_TRAIN) ||
                    (per_label && taken[line->label] == per_label))
                        continue;
                taken[line->label]++;
                out_is_chosen[order[n]] = true;
                count++;
        }
        free(order);
        free(taken);
        return count;
}

/* ---- spoiling ---- */

char *eval_without_spaces(const char *text)
{
        char *out = strdup(text);
        size_t len = 0;

        for (size_t i = 0; out && text[i]; i++)
                if (text[i] != ' ')
                        out[len++] = text[i];
        if (out)
                out[len] = 0;
        return out;
}

/* Bytes of the point that starts here; any byte that is no UTF-8 counts as one. */
static size_t point_bytes(const char *text)
{
        size_t len = 1;

        while (((uint8_t)text[0] & 0x80) && ((uint8_t)text[len] & 0xc0) == 0x80)
                len++;
        return len;
}

char *eval_with_typo(const char *text, uint64_t *random)
{
        size_t points = 0, at = 0, len = strlen(text);
        char *out = malloc(len + 8);

        if (!out)
                return NULL;
        for (size_t i = 0; i < len; i += point_bytes(text + i))
                points++;
        for (size_t skipped = points ? next_number(random) % points : 0; skipped; skipped--)
                at += point_bytes(text + at);
        size_t first = at < len ? point_bytes(text + at) : 0;
        size_t second = at + first < len ? point_bytes(text + at + first) : 0;
        memcpy(out, text, at);
        char *to = out + at;
        switch (next_number(random) % 3) {
        case 0: /* dropped */
                break;
        case 1: /* doubled */
                memcpy(to, text + at, first);
                memcpy(to + first, text + at, first);
                to += 2 * first;
                break;
        default: /* swapped with the next */
                memcpy(to, text + at + first, second);
                memcpy(to + second, text + at, first);
                to += first + second;
                first += second;
        }
        memcpy(to, text + at + first, len - at - first + 1);
        return out;
}
