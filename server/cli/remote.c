/* SPDX-License-Identifier: Apache-2.0 */
/* Remote: see remote.h. */
#include "cli/remote.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

enum { ANSWER_BYTES = 262144, URL_BYTES = 1024, TIMEOUT_S = 30 };

struct answer {
        char *bytes;
        size_t len;
};

static size_t take(char *bytes, size_t one, size_t count, void *data)
{
        struct answer *answer = data;
        size_t len = one * count;
        if (answer->len + len > ANSWER_BYTES)
                return 0;
        memcpy(answer->bytes + answer->len, bytes, len);
        answer->len += len;
        return len;
}

/* "ws://host:port/v1/ws" is the server "http://host:port". */
static int make_url(const char *said, const char *method, char out[URL_BYTES])
{
        static const char *const schemes[][2] = {
                {"http://", "http://"}, {"https://", "https://"}, {"ws://", "http://"}, {"wss://", "https://"}};
        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
                size_t len = strlen(schemes[i][0]);
                if (strncmp(said, schemes[i][0], len) != 0)
                        continue;
                int host = (int)strcspn(said + len, "/?#");
                if (host == 0 || memchr(said + len, '@', (size_t)host))
                        break;
                int written = snprintf(out, URL_BYTES, "%s%.*s/v1/%s", schemes[i][1], host, said + len, method);
                if (written < URL_BYTES)
                        return EX_OK;
        }
        return cli_fail(EX_USAGE, "%s: expected a URL such as https://desk.example", said);
}

static int judge(const char *url, const struct answer *answer, json_t **out_result)
{
        json_error_t error;
        json_t *body = json_loadb(answer->bytes, answer->len, JSON_REJECT_DUPLICATES, &error);
        json_t *refusal = json_object_get(body, "error");
        if (json_is_object(body) && !refusal) {
                *out_result = body;
                return EX_OK;
        }
        json_t *data = json_object_get(refusal, "data");
        int code = !refusal ? EX_UNAVAILABLE : strcmp(cli_text(data, "class"), "retry") == 0 ? EX_TEMPFAIL : EX_NOPERM;
        const char *expected = cli_text(data, "expected");
        cli_fail(code, "%s: %s%s%s", url, refusal ? cli_text(refusal, "message") : "this is no deskbell server",
                 *expected ? "; expected " : "", expected);
        json_decref(body);
        return code;
}

int remote_call(const char *url, const char *method, json_t *params, json_t **out_result)
{
        char full[URL_BYTES], why[CURL_ERROR_SIZE] = "";
        struct answer answer = {malloc(ANSWER_BYTES), 0};
        char *body = json_dumps(params, JSON_COMPACT);
        struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
        CURL *curl = curl_easy_init();
        int rc = make_url(url, method, full);
        json_decref(params);
        if (rc == EX_OK && (!answer.bytes || !body || !headers || !curl))
                rc = cli_fail(EX_OSERR, "out of memory");
        if (rc == EX_OK) {
                curl_easy_setopt(curl, CURLOPT_URL, full);
                curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
                curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
                curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
                curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
                curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
                curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
                CURLcode code = curl_easy_perform(curl);
                rc = code == CURLE_OK ? judge(url, &answer, out_result)
                                      : cli_fail(EX_UNAVAILABLE, "%s: %s", url, *why ? why : curl_easy_strerror(code));
        }
        if (curl)
                curl_easy_cleanup(curl);
        curl_slist_free_all(headers);
        if (body)
                explicit_bzero(body, strlen(body));
        free(body);
        if (answer.bytes)
                explicit_bzero(answer.bytes, answer.len);
        free(answer.bytes);
        return rc;
}

int remote_ask_secret(const char *prompt, char *out, size_t room)
{
        struct termios shown, hidden;
        bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
        if (is_terminal) {
                hidden = shown;
                hidden.c_lflag &= ~(tcflag_t)ECHO;
                fprintf(stderr, "%s: ", prompt);
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        }
        bool got = fgets(out, (int)room, stdin) != NULL;
        if (is_terminal) {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
                fputc('\n', stderr);
        }
        if (!got)
                return cli_fail(EX_NOINPUT, "%s: nothing came", prompt);
        out[strcspn(out, "\r\n")] = '\0';
        return *out ? EX_OK : cli_fail(EX_NOINPUT, "%s: it is empty", prompt);
}
