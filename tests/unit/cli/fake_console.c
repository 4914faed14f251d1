/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "tests/unit/cli/fake_console.h"

struct console {
        int unused;
};

static struct console only;
static struct {
        char method[32];
        int code;
        bool is_used;
        json_t *result;
} answers[FAKE_CALLS];
static int answer_count;

struct fake_call fake_calls[FAKE_CALLS];
int fake_count, fake_open_code;
bool fake_is_remote;
char fake_dir[256];

void fake_answer(const char *method, int code, const char *result)
{
        snprintf(answers[answer_count].method, sizeof(answers[0].method), "%s", method);
        answers[answer_count].code = code;
        answers[answer_count].is_used = false;
        answers[answer_count].result = json_loads(result, 0, NULL);
        if (!answers[answer_count++].result)
                abort();
}

void fake_reset(void)
{
        for (int i = 0; i < fake_count; i++)
                json_decref(fake_calls[i].params);
        for (int i = 0; i < answer_count; i++)
                json_decref(answers[i].result);
        fake_count = answer_count = fake_open_code = 0;
        fake_is_remote = false;
}

int console_open(const char *dir, enum console_mode mode, struct console **out_console)
{
        (void)mode;
        snprintf(fake_dir, sizeof(fake_dir), "%s", dir);
        if (fake_open_code != EX_OK)
                return cli_fail(fake_open_code, "%s: refused by the test", dir);
        *out_console = &only;
        return EX_OK;
}

struct console *console_close(struct console *console)
{
        (void)console;
        return NULL;
}

bool console_is_remote(const struct console *console)
{
        (void)console;
        return fake_is_remote;
}

int console_do(struct console *console, const char *method, json_t *params, json_t **out_result)
{
        (void)console;
        if (fake_count == FAKE_CALLS)
                abort();
        snprintf(fake_calls[fake_count].method, sizeof(fake_calls[0].method), "%s", method);
        fake_calls[fake_count++].params = params;
        int found = -1; /* the first that was not given yet, else the last */
        for (int i = 0; i < answer_count && (found < 0 || answers[found].is_used); i++)
                if (strcmp(answers[i].method, method) == 0)
                        found = i;
        if (found >= 0) {
                answers[found].is_used = true;
                if (answers[found].code != EX_OK)
                        return cli_fail(answers[found].code, "%s: refused by the test", method);
                if (out_result)
                        *out_result = json_incref(answers[found].result);
                return EX_OK;
        }
        if (out_result)
                *out_result = json_object();
        return EX_OK;
}

int console_call(const char *dir, const char *method, json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        int rc = console_open(dir, CONSOLE_USE, &console);

        if (rc == EX_OK)
                return console_do(console, method, params, out_result);
        json_decref(params);
        return rc;
}
