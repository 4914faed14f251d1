/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without libFuzzer: every file of the corpus as it is, then random changes of them for FUZZ_SECONDS
 * (default 10). The seed is told, and FUZZ_SEED repeats a run; the input at hand is written beside the program, as
 * fuzz_x-last.bin, when the target aborts or a sanitizer ends it. Usage: fuzz_x FILE-OR-FOLDER... */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUT_BYTES = 70000, MOST_SEEDS = 4096, CHANGES_A_LOOK = 256 };

struct input {
        uint8_t *bytes;
        size_t len;
};

static struct input seeds[MOST_SEEDS];
static size_t seed_count;
static uint8_t current[INPUT_BYTES];
static size_t current_len;
static uint64_t state;
static char last_path[4096];

/* Of the sanitizers' run time, where there is one. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static uint64_t next_random(void)
{
        uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);

        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        return x ^ (x >> 31);
}

static size_t below(size_t limit)
{
        return limit ? (size_t)(next_random() % limit) : 0;
}

static void keep_current(void)
{
        int file = open(last_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        if (file >= 0) {
                ssize_t wrote = write(file, current, current_len);

                (void)wrote;
                close(file);
        }
}

static void on_signal(int number)
{
        keep_current();
        signal(number, SIG_DFL);
        raise(number);
}

static void watch_for_the_end(void)
{
        char program[sizeof(last_path) - 16];
        ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

        program[len > 0 ? len : 0] = '\0';
        snprintf(last_path, sizeof(last_path), "%s-last.bin", len > 0 ? program : "fuzz");
        signal(SIGABRT, on_signal);
        if (__sanitizer_set_death_callback)
                __sanitizer_set_death_callback(keep_current);
        else
                signal(SIGSEGV, on_signal);
}

/* A copy of exactly the size, so that a sanitizer sees one step too far. */
static void run_current(void)
{
        uint8_t *bytes = malloc(current_len ? current_len : 1);

        if (!bytes)
                exit(1);
        memcpy(bytes, current, current_len);
        LLVMFuzzerTestOneInput(bytes, current_len);
        free(bytes);
}

static void add_file(const char *path)
{
        FILE *file = fopen(path, "rb");

        if (!file) {
                perror(path);
                exit(1);
        }
        current_len = fread(current, 1, sizeof(current), file);
        fclose(file);
        if (seed_count < MOST_SEEDS) {
                seeds[seed_count].bytes = malloc(current_len ? current_len : 1);
                if (!seeds[seed_count].bytes)
                        exit(1);
                memcpy(seeds[seed_count].bytes, current, current_len);
                seeds[seed_count++].len = current_len;
        }
        run_current();
}

static void add_path(const char *path)
{
        struct stat about;
        struct dirent *entry;
        DIR *folder;

        if (stat(path, &about) < 0) {
                perror(path);
                exit(1);
        }
        if (!S_ISDIR(about.st_mode)) {
                add_file(path);
                return;
        }
        folder = opendir(path);
        while (folder && (entry = readdir(folder))) {
                char name[4096];

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
                add_path(name);
        }
        if (folder)
                closedir(folder);
}

static void put_in(size_t at, const uint8_t *bytes, size_t len)
{
        if (current_len + len > sizeof(current))
                return;
        memmove(current + at + len, current + at, current_len - at);
        memcpy(current + at, bytes, len);
        current_len += len;
}

/* A piece of another seed, put in or laid over. */
static void mix_in(size_t at)
{
        const struct input *other = &seeds[below(seed_count)];
        size_t from = below(other->len), len = below(other->len - from + 1);

        if (len > 200 && below(4))
                len = below(200);
        if (below(2)) {
                put_in(at, other->bytes + from, len);
                return;
        }
        if (len > current_len - at)
                len = current_len - at;
        memcpy(current + at, other->bytes + from, len);
}

static void change(void)
{
        static const char special[] = "{}[],:\"\\/.u0-1e+tfn \n\x7f\x80\xc2\xed\xf4\xff";
        size_t at = below(current_len + 1), len;

        switch (below(6)) {
        case 0:
                if (at < current_len)
                        current[at] ^= (uint8_t)(1 << below(8));
                break;
        case 1:
                if (at < current_len)
                        current[at] = (uint8_t)special[below(sizeof(special))];
                break;
        case 2:
                put_in(at, (const uint8_t *)special + below(sizeof(special)), 1);
                break;
        case 3:
                len = below(current_len - at + 1);
                len = below(3) ? (len > 4 ? 4 : len) : len;
                memmove(current + at, current + at + len, current_len - at - len);
                current_len -= len;
                break;
        case 4:
                mix_in(at);
                break;
        default:
                len = below(current_len - at + 1);
                if (len < 64)
                        put_in(at, current + at, len); /* twice the same */
                break;
        }
}

static void change_seeds(double seconds)
{
        time_t end = time(NULL) + (time_t)seconds;
        uint64_t runs = 0;

        while (time(NULL) < end) {
                for (int i = 0; i < CHANGES_A_LOOK; i++, runs++) {
                        const struct input *seed = &seeds[below(seed_count)];

                        memcpy(current, seed->bytes, seed->len);
                        current_len = seed->len;
                        for (size_t steps = 1 + below(8); steps; steps--)
                                change();
                        run_current();
                }
        }
        printf("%llu changed inputs\n", (unsigned long long)runs);
}

int main(int count, char **paths)
{
        const char *seconds = getenv("FUZZ_SECONDS"), *seed = getenv("FUZZ_SEED");

        watch_for_the_end();
        for (int i = 1; i < count; i++)
                add_path(paths[i]);
        if (!seed_count) {
                fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", paths[0]);
                return 2;
        }
        state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
        printf("%zu seeds, FUZZ_SEED=%llu\n", seed_count, (unsigned long long)state);
        fflush(stdout);
        change_seeds(seconds ? atof(seconds) : 10);
        for (size_t i = 0; i < seed_count; i++)
                free(seeds[i].bytes);
        return 0;
}
