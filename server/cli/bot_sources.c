/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bot_sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

enum { SOURCE_MAX = 1 << 20, SOURCES_MAX = 200, JSON_MAX = 64 << 20 };

char *bot_read_file(const char *path, size_t most, size_t *out_len)
{
        struct stat info;
        FILE *file = fopen(path, "rb");
        char *text = NULL;
        if (!file || fstat(fileno(file), &info) < 0 || !S_ISREG(info.st_mode)) {
                cli_fail(EX_NOINPUT, "%s cannot be read: %s", path, errno ? strerror(errno) : "it is no file");
        } else if ((size_t)info.st_size > most) {
                cli_fail(EX_DATAERR, "%s is larger than %zu bytes", path, most);
        } else if (!(text = malloc((size_t)info.st_size + 1))) {
                cli_fail(EX_OSERR, "out of memory");
        } else {
                *out_len = fread(text, 1, (size_t)info.st_size, file);
                text[*out_len] = '\0';
        }
        if (file)
                fclose(file);
        return text;
}

static bool ends_with(const char *name, const char *end)
{
        size_t len = strlen(name), tail = strlen(end);
        return len > tail && strcmp(name + len - tail, end) == 0;
}

static int add_file(const char *path, void *data)
{
        struct bot_sources *sources = data;
        size_t len = 0;
        if (sources->count == SOURCES_MAX)
                return cli_fail(EX_DATAERR, "a bot is at most %d files", SOURCES_MAX);
        char *text = bot_read_file(path, SOURCE_MAX, &len), *name = text ? strdup(path) : NULL;
        if (!name) {
                free(text);
                return EX_NOINPUT;
        }
        sources->files[sources->count++] = (struct bot_file){name, {text, len}};
        return EX_OK;
}

static int is_source(const struct dirent *entry)
{
        return entry->d_name[0] != '.' && ends_with(entry->d_name, ".bot");
}

/* All .bot files of a folder by name: "shop.bot" before "shop.ko.bot", so that the structure is read first. */
static int by_stem(const struct dirent **a, const struct dirent **b)
{
        size_t left = strcspn((*a)->d_name, "."), right = strcspn((*b)->d_name, ".");
        int order = strncmp((*a)->d_name, (*b)->d_name, left < right ? left : right);
        if (order == 0 && left == right)
                return strlen((*a)->d_name) != strlen((*b)->d_name)
                               ? (strlen((*a)->d_name) < strlen((*b)->d_name) ? -1 : 1)
                               : strcmp((*a)->d_name, (*b)->d_name);
        return order ? order : left < right ? -1 : 1;
}

static int each_of_folder(const char *path, int (*each)(const char *path, void *data), void *data)
{
        struct dirent **entries = NULL;
        int count = scandir(path, &entries, is_source, by_stem), rc = EX_OK;
        if (count < 0)
                return cli_fail(EX_NOINPUT, "%s cannot be read: %s", path, strerror(errno));
        if (count == 0)
                rc = cli_fail(EX_NOINPUT, "%s holds no .bot file", path);
        for (int i = 0; i < count; i++) {
                char name[4096];
                snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
                if (rc == EX_OK)
                        rc = each(name, data);
                free(entries[i]);
        }
        free(entries);
        return rc;
}

int bot_each_file(const char *path, int (*each)(const char *path, void *data), void *data)
{
        struct stat info;
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
                return each_of_folder(path, each, data);
        return each(path, data);
}

void bot_sources_print_as(const char *word, const struct bot_problems *problems, size_t *shown)
{
        for (; *shown < problems->count; ++*shown) {
                const struct bot_problem *problem = &problems->list[*shown];
                if (problem->place.file)
                        fprintf(stderr, "%s:", problem->place.file);
                if (problem->place.file && problem->place.line)
                        fprintf(stderr, "%d:", problem->place.line);
                if (problem->place.file && problem->place.column)
                        fprintf(stderr, "%d:", problem->place.column);
                fprintf(stderr, "%s%s: %s%s%s\n", problem->place.file ? " " : "", problem->is_error ? "error" : word,
                        problem->what, problem->advice ? " " : "", problem->advice ? problem->advice : "");
        }
        if (problems->errors + problems->warnings > problems->count)
                fprintf(stderr, "... and %zu more\n", problems->errors + problems->warnings - problems->count);
}

void bot_sources_print(const struct bot_problems *problems, size_t *shown)
{
        bot_sources_print_as("warning", problems, shown);
}

/* The canonical form as JSON text. */
static int read_json(struct bot_sources *sources, const char *path)
{
        json_error_t error;
        size_t len = 0;
        char *text = bot_read_file(path, JSON_MAX, &len);
        if (!text)
                return EX_NOINPUT;
        sources->bot = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        free(text);
        if (!sources->bot)
                return cli_fail(EX_DATAERR, "%s:%d:%d: %s", path, error.line, error.column, error.text);
        return EX_OK;
}

static int read_sources(struct bot_sources *sources, char *const *paths)
{
        int rc = EX_OK;
        if (paths[0] && !paths[1] && ends_with(paths[0], ".json"))
                return read_json(sources, paths[0]);
        for (size_t i = 0; rc == EX_OK && paths[i]; i++)
                rc = bot_each_file(paths[i], add_file, sources);
        if (rc == EX_OK)
                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): bot_sources_done frees what the files hold */
                sources->bot = bot_source_read(sources->files, sources->count, sources->problems, &sources->places);
        return rc;
}

int bot_sources_read(struct bot_sources *sources, char *const *paths)
{
        size_t shown = 0;
        *sources = (struct bot_sources){.problems = bot_problems_new()};
        sources->files = calloc(SOURCES_MAX, sizeof(*sources->files));
        if (!sources->problems || !sources->files)
                return cli_fail(EX_OSERR, "out of memory");
        int rc = read_sources(sources, paths);
        if (rc == EX_OK && sources->bot)
                bot_check(sources->bot, sources->places, sources->files, sources->problems);
        bot_sources_print(sources->problems, &shown);
        if (rc == EX_OK && sources->problems->errors > 0)
                rc = EX_DATAERR;
        return rc == EX_OK && !sources->bot ? cli_fail(EX_OSERR, "out of memory") : rc;
}

void bot_sources_done(struct bot_sources *sources)
{
        for (size_t i = 0; sources->files && i < sources->count; i++) {
                free((char *)sources->files[i].name);
                free((char *)sources->files[i].text.at);
        }
        free(sources->files);
        bot_problems_free(sources->problems);
        json_decref(sources->bot);
        json_decref(sources->places);
        *sources = (struct bot_sources){0};
}

static int load_version(const char *path, struct bot_version **out_version)
{
        size_t len = 0;
        const char *wrong = NULL;
        char *blob = bot_read_file(path, BOT_VERSION_BLOB, &len);
        if (!blob)
                return EX_NOINPUT;
        *out_version = bot_version_load((struct span){blob, len}, &wrong);
        free(blob);
        return *out_version ? EX_OK : cli_fail(EX_DATAERR, "%s: %s", path, wrong);
}

int bot_version_of(char *const *paths, struct bot_version **out_version, struct bot_build_report *out_report)
{
        struct bot_sources sources;
        struct writer blob;
        const char *wrong = NULL;
        if (out_report)
                *out_report = (struct bot_build_report){0};
        if (paths[0] && !paths[1] && ends_with(paths[0], ".botv"))
                return load_version(paths[0], out_version);
        int rc = bot_sources_read(&sources, paths);
        writer_init(&blob, NULL, 0);
        if (rc == EX_OK && bot_version_build(sources.bot, sources.problems, &blob, out_report) < 0)
                rc = cli_fail(EX_OSERR, "the bot could not be built");
        if (rc == EX_OK) {
                *out_version = bot_version_load((struct span){blob.bytes, blob.len}, &wrong);
                rc = *out_version ? EX_OK : cli_fail(EX_SOFTWARE, "%s", wrong);
        }
        writer_done(&blob);
        bot_sources_done(&sources);
        return rc;
}

int bot_object_of(char *const *paths, json_t **out_bot)
{
        struct bot_version *version = NULL;
        struct bot_sources sources;
        if (paths[0] && !paths[1] && ends_with(paths[0], ".botv")) {
                int loaded = load_version(paths[0], &version);
                *out_bot = loaded == EX_OK ? json_incref((json_t *)bot_version_bot(version)) : NULL;
                bot_version_free(version);
                return loaded;
        }
        int rc = bot_sources_read(&sources, paths);
        char *text = rc == EX_OK ? bot_canonical(sources.bot) : NULL;
        json_t *bot = text ? json_loads(text, 0, NULL) : NULL;
        if (rc == EX_OK && !bot)
                rc = cli_fail(EX_OSERR, "out of memory");
        *out_bot = bot;
        free(text);
        bot_sources_done(&sources);
        return rc;
}
