/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/webhook_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/secrets.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "protocol/webhook.h"

enum { BODY_BYTES = 1024 * 1024, SECRET_FILE_BYTES = 256 };

/* From the file, else from the environment: an argument could be read by every user of the machine. */
static int read_secret(const char *file, uint8_t *out_secret)
{
        char text[SECRET_FILE_BYTES];
        const char *from_environment = getenv("DESKBELL_WEBHOOK_SECRET");
        size_t len = 0;

        if (file) {
                int rc = files_read(NULL, file, text, sizeof(text), &len);
                if (rc < 0)
                        return cli_fail(EX_NOINPUT, "%s: %s", file, strerror(-rc)), -1;
        } else if (from_environment) {
                len = strnlen(from_environment, sizeof(text));
                memcpy(text, from_environment, len);
        }
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
                len--;
        int secret_len = webhook_secret_read((struct span){text, len}, out_secret);
        secret_forget(text, sizeof(text));
        if (secret_len < 0)
                cli_fail(EX_USAGE, "a secret (whsec_...) is needed in --secret-file or $DESKBELL_WEBHOOK_SECRET");
        return secret_len;
}

static int read_body(const char *file, char **out_body, size_t *out_len)
{
        FILE *in = file && strcmp(file, "-") != 0 ? fopen(file, "rbe") : stdin;
        char *body = malloc(BODY_BYTES);
        if (!in || !body) {
                free(body);
                if (in && in != stdin)
                        fclose(in);
                return cli_fail(EX_NOINPUT, "%s cannot be read", file ? file : "standard input");
        }
        *out_len = fread(body, 1, BODY_BYTES, in);
        bool is_whole = !ferror(in) && feof(in);
        if (in != stdin)
                fclose(in);
        if (!is_whole) {
                free(body);
                return cli_fail(EX_DATAERR, "the body cannot be read, or is longer than 1 MiB");
        }
        *out_body = body;
        return EX_OK;
}

int webhook_run_verify(int argc, char **argv)
{
        const char *id = NULL, *timestamp = NULL, *signature = NULL, *body_file = NULL, *secret_file = NULL;
        const struct cli_option options[] = {
                {.name = "id", .value = "TEXT", .text = &id, .help = "header webhook-id"},
                {.name = "timestamp", .value = "SECONDS", .text = &timestamp, .help = "header webhook-timestamp"},
                {.name = "signature", .value = "TEXT", .text = &signature, .help = "header webhook-signature"},
                {.name = "body", .value = "FILE", .text = &body_file, .help = "the raw body; default standard input"},
                {.name = "secret-file",
                 .value = "FILE",
                 .text = &secret_file,
                 .help = "the secret; default $DESKBELL_WEBHOOK_SECRET"},
        };
        const struct cli_page page = {
                .usage = "webhook verify --id TEXT --timestamp SECONDS --signature TEXT [options]",
                .about = "Checks a webhook as a receiver does: the signature over id, time and body, and that it is "
                         "not\n"
                         "older or newer than five minutes. Ends with 0 when it is good.",
                .examples = "  deskbell webhook verify --id evt_... --timestamp 1700000000 --signature v1,... "
                            "--secret-file s < body\n",
                CLI_OPTIONS(options),
        };
        uint8_t secret[WEBHOOK_SECRET_MAX];
        char *body = NULL;
        size_t len = 0;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!id || !timestamp || !signature)
                return cli_fail(EX_USAGE, "--id, --timestamp and --signature are needed");

        int secret_len = read_secret(secret_file, secret);
        if (secret_len < 0)
                return EX_USAGE;
        int rc = read_body(body_file, &body, &len);
        if (rc == EX_OK) {
                enum webhook_verdict verdict =
                        webhook_verify(secret, (size_t)secret_len, span_of(id), span_of(timestamp), span_of(signature),
                                       (struct span){body, len}, clock_wall_ms() / 1000);
                if (verdict == WEBHOOK_GOOD)
                        printf("%s\n", webhook_verdict_text(verdict));
                rc = verdict == WEBHOOK_GOOD ? cli_finish() : cli_fail(EX_DATAERR, "%s", webhook_verdict_text(verdict));
        }
        secret_forget(secret, sizeof(secret));
        free(body);
        return rc;
}
