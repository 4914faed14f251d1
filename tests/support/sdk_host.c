/* SPDX-License-Identifier: Apache-2.0 */
/* A client made with the SDK that does what it is told, line by line, and writes down what it sees: one JSON line each
 * on stdout and in the history file. An invoke line is on disk before the operation begins, so that a process killed in
 * between leaves an operation whose outcome is unknown, never one that nobody announced. One thread: callbacks run in
 * deskbell_dispatch. Usage: see `usage`. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "protocol/hot.h"
#include "sdk_host.h"

static const char usage[] =
        "usage: sdk_host --url URL --app ID (--token T | --visitor | --agent-token T) --data DIR --history FILE --proc "
        "NAME\n"
        "                [--conv-key KEY,... | --conv ID,...]\n"
        "commands on stdin: send TEXT, note TEXT, edit SEQ VERSION TEXT, erase SEQ, read SEQ, away, here, quiesce, "
        "dump, "
        "quit, file PATH [CAPTION], pause CMID, resume CMID, cancel CMID, fetch ID SIZE SHA256 PATH, find WORDS, "
        "network, in N (the conversation that what follows is about), look, cache, cache team, background, foreground, "
        "offline, online, received CONV SEQ\n";

/* ---- writing down ------------------------------------------------------------------------------------------------ */

static int64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

json_t *line_new(const struct host *host, const char *kind, const char *op)
{
        return json_pack("{s:I, s:s, s:s, s:s}", "t_ns", (json_int_t)now_ns(), "proc", host->proc, "kind", kind, "op",
                         op);
}

void say(struct host *host, json_t *line, bool on_disk)
{
        char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
        size_t len = text ? strlen(text) : 0;

        json_decref(line);
        if (!text)
                abort();
        text[len++] = '\n';
        if (write(host->history_fd, text, len) != (ssize_t)len || (on_disk && fsync(host->history_fd) < 0)) {
                perror("sdk_host: history");
                exit(74);
        }
        if (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0)
                exit(74);
        free(text);
}

void set_text(json_t *line, const char *name, const char *value)
{
        if (value && *value)
                json_object_set_new(line, name, json_string(value));
}

void set_number(json_t *line, const char *name, int64_t value)
{
        json_object_set_new(line, name, json_integer((json_int_t)value));
}

static void set_hash(json_t *line, const uint8_t hash[16])
{
        char text[33];

        for (int i = 0; i < 16; i++)
                snprintf(text + 2 * i, 3, "%02x", hash[i]);
        json_object_set_new(line, "hash", json_string(text));
}

static void set_place(json_t *line, enum deskbell_log log, int64_t number)
{
        json_object_set_new(line, "log", json_string(log == DESKBELL_TEAM ? "team" : "public"));
        if (number > 0)
                set_number(line, log == DESKBELL_TEAM ? "iseq" : "seq", number);
}

void set_conv(json_t *line, const deskbell_conversation *conv)
{
        char id[18];

        deskbell_conversation_id(conv, id);
        set_text(line, "conv", id);
}

static void hash_text(const char *text, uint8_t out[16])
{
        struct protocol_content content = {.has_text = true, .text = span_of(text)};
        struct writer writer;

        writer_init(&writer, NULL, 0);
        content_store(&writer, &content);
        content_hash(PROTOCOL_ENTRY_TEXT, (struct span){writer.bytes, writer.len}, out);
        writer_done(&writer);
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct host *host = data;
        bool is_online = state->connection == DESKBELL_ONLINE;
        json_t *line;

        (void)client;
        if (state->epoch[0])
                snprintf(host->epoch, sizeof(host->epoch), "%s", state->epoch);
        if (host->has_reset && is_online) {
                line = line_new(host, "info", "reset");
                set_text(line, "epoch", host->epoch);
                say(host, line, false);
                host->has_reset = false;
        }
        if (is_online != host->is_online) {
                host->is_online = is_online;
                line = line_new(host, "info", is_online ? "connect" : "disconnect");
                set_text(line, "epoch", host->epoch);
                set_text(line, "why", state->why);
                if (is_online)
                        set_text(line, "principal", state->principal);
                say(host, line, false);
        }
        if (state->connection == DESKBELL_STOPPED || state->connection == DESKBELL_NEEDS_TOKEN) {
                line = line_new(host, "info", "stopped");
                set_text(line, "why", state->why);
                say(host, line, false);
        }
}

static const char *kind_text(enum deskbell_kind kind)
{
        const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)kind);

        return info ? info->name : "other";
}

static void describe(json_t *line, const struct deskbell_entry *entry, const char *kind_name)
{
        uint8_t hash[16];

        set_place(line, entry->log, entry->number);
        set_text(line, "cmid", entry->cmid);
        set_text(line, kind_name, kind_text(entry->kind));
        set_text(line, "author", entry->author);
        set_number(line, "ts", entry->ts_ms);
        set_number(line, "version", entry->version);
        if (entry->of)
                set_number(line, "of", entry->of);
        if (entry->kind == DESKBELL_KIND_EDIT || entry->kind == DESKBELL_KIND_ERASE ||
            entry->kind == DESKBELL_KIND_ERASED || entry->kind == DESKBELL_KIND_REVISION) {
                hash_text(entry->text, hash);
                if (entry->text[0])
                        set_hash(line, hash);
        } else {
                set_hash(line, entry->hash);
        }
}

static json_t *describe_files(const struct deskbell_entry *entry)
{
        json_t *files = json_array();

        for (size_t i = 0; i < entry->files_count; i++) {
                const struct deskbell_file *file = &entry->files[i];
                char sha256[65];
                for (int k = 0; k < 32; k++)
                        snprintf(sha256 + 2 * k, 3, "%02x", file->sha256[k]);
                json_array_append_new(files, json_pack("{s:s, s:s, s:s, s:I, s:s, s:i, s:i}", "id", file->id, "name",
                                                       file->name, "media", file->media, "size", (json_int_t)file->size,
                                                       "sha256", sha256, "width", file->width, "height", file->height));
        }
        return files;
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct host *host = data;

        (void)client;
        json_t *line = line_new(host, "info", "deliver");
        set_text(line, "epoch", entry->epoch);
        set_conv(line, entry->conversation);
        describe(line, entry, "entry");
        if (entry->files_count)
                json_object_set_new(line, "files", describe_files(entry));
        say(host, line, false);
}

static void say_snapshot(struct host *host, deskbell_conversation *conv, enum deskbell_log log, int64_t number)
{
        json_t *line = line_new(host, "info", "snapshot");

        set_text(line, "epoch", host->epoch);
        set_conv(line, conv);
        set_place(line, log, number);
        say(host, line, false);
}

static void on_opened(deskbell_client *client, deskbell_conversation *conv, int64_t seq, int64_t iseq, void *data)
{
        struct host *host = data;
        char id[18];

        (void)client;
        deskbell_conversation_id(conv, id);
        if (seq > 0 && id[0])
                say_snapshot(host, conv, DESKBELL_PUBLIC, seq);
        if (iseq > 0 && id[0])
                say_snapshot(host, conv, DESKBELL_TEAM, iseq);
}

static const char *const state_names[] = {"", "queued", "sent", "delivered", "read", "failed", "expired"};

static int rank_of(const char *state)
{
        for (int i = 1; state && i < 7; i++)
                if (strcmp(state, state_names[i]) == 0)
                        return i + 1;
        return state ? 1 : 0; /* uploading comes first */
}

static void say_message_state(struct host *host, const struct deskbell_message *message, const char *state)
{
        json_t *line = line_new(host, "info", "state");
        /* Told again after a restart or after a reset: no change of what was known. */
        bool is_again = rank_of(state) <= rank_of(json_string_value(json_object_get(host->states, message->cmid)));

        set_text(line, "cmid", message->cmid);
        set_conv(line, message->conversation);
        set_text(line, "state", state);
        set_text(line, "epoch", message->epoch);
        if (is_again)
                json_object_set_new(line, "again", json_true());
        else
                json_object_set_new(host->states, message->cmid, json_string(state));
        say(host, line, false);
}

static const char *operation_text(enum deskbell_operation operation)
{
        return operation == DESKBELL_OP_SEND ? "send" : operation == DESKBELL_OP_EDIT ? "edit" : "erase";
}

static void say_outcome(struct host *host, const struct deskbell_message *message, const char *kind)
{
        json_t *line = line_new(host, kind, operation_text(message->operation));

        set_text(line, "cmid", message->cmid);
        set_conv(line, message->conversation);
        set_text(line, "tag", message->tag);
        if (message->number > 0) {
                set_text(line, "epoch", message->epoch);
                set_place(line, message->log, message->number);
                set_number(line, "ts", message->ts_ms);
                json_object_set_new(line, "dup", json_boolean(message->is_duplicate));
        }
        say(host, line, false);
}

/* A message with files is sent when its last file is on the server: then it takes its place in the outbox. We hear of
 * it afterwards, perhaps in another life, so the line says from when on it may have been. */
static void say_files_sent(struct host *host, const struct deskbell_message *message)
{
        json_t *line = line_new(host, "invoke", "send");

        set_text(line, "cmid", message->cmid);
        set_text(line, "epoch", host->epoch);
        set_conv(line, message->conversation);
        set_place(line, message->log, 0);
        set_hash(line, message->hash);
        set_number(line, "since_ns", json_integer_value(json_object_get(host->attached, message->cmid)));
        say(host, line, true);
}

static void on_progress(deskbell_client *client, const struct deskbell_progress *progress, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, "info", "progress");

        (void)client;
        set_text(line, "cmid", progress->cmid);
        set_number(line, "sent", progress->sent);
        set_number(line, "total", progress->total);
        say(host, line, false);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct host *host = data;

        (void)client;
        const char *before = json_string_value(json_object_get(host->states, message->cmid));
        bool was_uploading = message->files_count && (!before || strcmp(before, "uploading") == 0);
        if (message->state == DESKBELL_UPLOADING) {
                say_message_state(host, message, "uploading");
                return;
        }
        if (was_uploading) {
                say_files_sent(host, message);
                if (message->state != DESKBELL_QUEUED && message->state != DESKBELL_FAILED)
                        say_message_state(host, message, "queued");
        }
        /* It was queued even when the process that queued it was killed before it could say so. */
        if (!was_uploading && !before && message->state != DESKBELL_QUEUED)
                say_message_state(host, message, "queued");
        say_message_state(host, message, state_names[message->state]);
        if (message->state == DESKBELL_SENT)
                say_outcome(host, message, "ok");
        if (message->state == DESKBELL_FAILED && !message->is_again)
                say_outcome(host, message, "fail");
}

static void say_mark(struct host *host, const struct deskbell_conversation_info *info, const char *side, int64_t recv,
                     int64_t read)
{
        json_t *line = line_new(host, "info", "mark");

        set_text(line, "epoch", host->epoch);
        set_text(line, "conv", info->id);
        set_text(line, "side", side);
        set_number(line, "recv", recv);
        set_number(line, "read", read);
        say(host, line, false);
}

static void on_conversation(deskbell_client *client, const struct deskbell_conversation_info *info, void *data)
{
        struct host *host = data;
        struct host_conv *one = host_conv_of(host, info->conversation);
        const struct deskbell_marks *marks = &info->marks, *before = one ? &one->marks : NULL;

        (void)client;
        if (!one || !info->id[0] || host->has_reset) /* until the new epoch is told */
                return;
        if (marks->customer_recv != before->customer_recv || marks->customer_read != before->customer_read)
                say_mark(host, info, "customer", marks->customer_recv, marks->customer_read);
        if (marks->staff_recv != before->staff_recv || marks->staff_read != before->staff_read)
                say_mark(host, info, "staff", marks->staff_recv, marks->staff_read);
        one->marks = *marks;
}

static void on_notice(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conv,
                      const char *detail, void *data)
{
        struct host *host = data;
        json_t *line;

        (void)client;
        (void)conv;
        if (notice == DESKBELL_NOTICE_RESET) {
                host->has_reset = true; /* said with the new epoch, which the next state tells */
                return;
        }
        line = line_new(host, "info", "notice");
        set_number(line, "notice", notice);
        set_text(line, "detail", detail);
        say(host, line, false);
}

static void on_presence(deskbell_client *client, const struct deskbell_presence *presence, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, "info", "presence");

        (void)client;
        if (presence->conversation)
                set_conv(line, presence->conversation);
        set_text(line, "customer", presence->customer);
        json_object_set_new(line, "here", json_boolean(presence->is_here));
        if (presence->last_seen_ms > 0)
                set_number(line, "last_seen", presence->last_seen_ms);
        say(host, line, false);
}

static void on_log(enum deskbell_level level, const char *line, void *data)
{
        static const char *const names[] = {"error", "warn", "info", "debug"};

        (void)data;
        fprintf(stderr, "sdk_host: %s: %s\n", names[level], line);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static json_t *invoke_line(struct host *host, const char *op, const char *cmid)
{
        json_t *line = line_new(host, "invoke", op);

        set_text(line, "cmid", cmid);
        set_text(line, "epoch", host->epoch);
        set_conv(line, host->conv);
        return line;
}

static void refused(struct host *host, const char *op, const char *cmid, int error)
{
        json_t *line = line_new(host, "fail", op);

        set_text(line, "cmid", cmid);
        set_text(line, "tag", deskbell_error_text(error));
        set_conv(line, host->conv);
        say(host, line, false);
}

static void command_send(struct host *host, const char *text, enum deskbell_log log)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        uint8_t hash[16];
        char cmid[33];

        deskbell_cmid_new(host->client, cmid);
        options.cmid = cmid;
        options.log = log;
        hash_text(text, hash);
        json_t *line = invoke_line(host, "send", cmid);
        set_place(line, log, 0);
        set_hash(line, hash);
        say(host, line, true);
        int rc = deskbell_send(host->conv, text, &options, NULL);
        if (rc < 0)
                refused(host, "send", cmid, rc);
}

static void command_edit(struct host *host, const char *arguments)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        long long number, version;
        uint8_t hash[16];
        char cmid[33];
        int at = 0;

        if (sscanf(arguments, "%lld %lld %n", &number, &version, &at) < 2 || !at)
                return;
        deskbell_cmid_new(host->client, cmid);
        options.cmid = cmid;
        hash_text(arguments + at, hash);
        json_t *line = invoke_line(host, "edit", cmid);
        set_number(line, "of", number);
        set_number(line, "version", version);
        set_hash(line, hash);
        say(host, line, true);
        int rc = deskbell_edit(host->conv, number, version, arguments + at, &options, NULL);
        if (rc < 0)
                refused(host, "edit", cmid, rc);
}

static void command_erase(struct host *host, const char *arguments)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        char cmid[33];
        int64_t number = atoll(arguments);

        deskbell_cmid_new(host->client, cmid);
        options.cmid = cmid;
        json_t *line = invoke_line(host, "erase", cmid);
        set_number(line, "of", number);
        say(host, line, true);
        int rc = deskbell_erase(host->conv, number, &options, NULL);
        if (rc < 0)
                refused(host, "erase", cmid, rc);
}

static void command_file(struct host *host, char *arguments)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        struct deskbell_file_source source = {.path = arguments};
        char *space = strchr(arguments, ' '), cmid[33];

        if (space)
                *space = '\0';
        deskbell_cmid_new(host->client, cmid);
        options.files = &source;
        options.files_count = 1;
        options.text = space ? space + 1 : NULL;
        options.cmid = cmid;
        json_t *line = invoke_line(host, "attach", cmid);
        json_object_set(host->attached, cmid, json_object_get(line, "t_ns"));
        say(host, line, true);
        int rc = deskbell_send_file(host->conv, &options, NULL);
        if (rc < 0)
                refused(host, "upload", cmid, rc);
}

static void on_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, error ? "fail" : "info", "fetched");

        (void)client;
        (void)fetch;
        set_text(line, "path", path);
        if (error)
                set_text(line, "tag", deskbell_error_text(error));
        say(host, line, false);
}

static void on_fetching(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, "info", "fetching");

        (void)client;
        (void)fetch;
        set_number(line, "received", received);
        set_number(line, "total", total);
        say(host, line, false);
}

static void command_fetch(struct host *host, const char *arguments)
{
        struct deskbell_file file = {0};
        char id[33], sha256[65], path[1024];
        long long size;

        if (sscanf(arguments, "%32s %lld %64s %1023s", id, &size, sha256, path) != 4)
                return;
        file.id = id;
        file.size = size;
        for (int i = 0; i < 32; i++)
                if (sscanf(sha256 + 2 * i, "%2hhx", &file.sha256[i]) != 1)
                        return;
        int rc = deskbell_file_fetch(host->client, &file, path, on_fetching, on_fetched, host, NULL);
        if (rc < 0)
                on_fetched(host->client, 0, rc, path, host);
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, error ? "fail" : "info", "found"), *rows = json_array();

        (void)client;
        (void)next;
        (void)is_cut;
        for (size_t i = 0; i < count; i++)
                json_array_append_new(rows, json_pack("{s:s, s:I, s:s}", "conv", found[i].conversation, "number",
                                                      (json_int_t)found[i].number, "hit", found[i].hit));
        json_object_set_new(line, "rows", rows);
        say(host, line, false);
}

/* pause, resume, cancel */
static void command_upload(struct host *host, const char *what, const char *cmid)
{
        int rc = *what == 'p'   ? deskbell_upload_pause(host->client, cmid)
                 : *what == 'r' ? deskbell_upload_resume(host->client, cmid)
                                : deskbell_upload_cancel(host->client, cmid);

        if (rc < 0)
                refused(host, "upload", cmid, rc);
}

static void command_find(struct host *host, const char *words)
{
        if (deskbell_search(host->client, words, NULL, on_found, host) < 0)
                on_found(host->client, DESKBELL_E_OFFLINE, NULL, 0, "", 0, host);
}

static bool obey_files(struct host *host, char *line)
{
        if (strncmp(line, "file ", 5) == 0)
                command_file(host, line + 5);
        else if (strncmp(line, "fetch ", 6) == 0)
                command_fetch(host, line + 6);
        else if (strncmp(line, "pause ", 6) == 0)
                command_upload(host, line, line + 6);
        else if (strncmp(line, "resume ", 7) == 0 || strncmp(line, "cancel ", 7) == 0)
                command_upload(host, line, line + 7);
        else if (strncmp(line, "find ", 5) == 0)
                command_find(host, line + 5);
        else if (strcmp(line, "network") == 0)
                deskbell_network_changed(host->client);
        else
                return false;
        return true;
}

static void on_dump(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                    int64_t head, int more, void *data);

static void dump_from(struct host *host, int64_t after)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        options.after = after;
        options.limit = 200;
        options.log = host->dump_log;
        options.from_server = !host->is_cache_dump;
        if (deskbell_history(host->conv, &options, on_dump, host) < 0)
                on_dump(host->client, DESKBELL_E_OFFLINE, NULL, 0, 0, 0, host);
}

static void on_dump(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                    int64_t head, int more, void *data)
{
        struct host *host = data;
        int64_t last = 0;
        json_t *line;

        (void)client;
        for (size_t i = 0; i < count; i++) {
                json_t *row = json_object();
                describe(row, &entries[i], "kind");
                json_array_append_new(host->dump, row);
                last = entries[i].number;
        }
        if (!error && more && count) {
                dump_from(host, last);
                return;
        }
        line = line_new(host, error ? "fail" : "info", error ? "dump" : "final");
        set_text(line, "epoch", host->epoch);
        set_conv(line, host->conv);
        set_place(line, host->dump_log, 0);
        set_number(line, "head", head);
        set_number(line, "first", 1);
        set_number(line, "began_ns", host->dump_began_ns);
        json_object_set_new(line, "entries", host->dump);
        if (error)
                set_text(line, "tag", deskbell_error_text(error));
        host->dump = NULL;
        host->is_dumping = false;
        say(host, line, false);
}

void host_dump(struct host *host, enum deskbell_log log, bool from_cache)
{
        if (host->is_dumping)
                return;
        host->is_dumping = true;
        host->dump_log = log;
        host->is_cache_dump = from_cache;
        host->dump = json_array();
        host->dump_began_ns = now_ns();
        dump_from(host, 0);
}

static void obey(struct host *host, char *line)
{
        if (obey_files(host, line) || host_obey_device(host, line))
                return;
        if (strncmp(line, "send ", 5) == 0)
                command_send(host, line + 5, DESKBELL_PUBLIC);
        else if (strncmp(line, "note ", 5) == 0)
                command_send(host, line + 5, DESKBELL_TEAM);
        else if (strncmp(line, "edit ", 5) == 0)
                command_edit(host, line + 5);
        else if (strncmp(line, "erase ", 6) == 0)
                command_erase(host, line + 6);
        else if (strncmp(line, "read ", 5) == 0)
                deskbell_mark_read(host->conv, atoll(line + 5));
        else if (strcmp(line, "away") == 0)
                deskbell_set_presence(host->client, DESKBELL_AWAY);
        else if (strcmp(line, "here") == 0)
                deskbell_set_presence(host->client, DESKBELL_HERE);
        else if (strcmp(line, "dump") == 0)
                host_dump(host, DESKBELL_PUBLIC, false);
        else if (strcmp(line, "quit") == 0)
                host->is_ending = true;
        else if (strcmp(line, "quiesce") == 0)
                host->wants_quiet = true;
        else
                fprintf(stderr, "sdk_host: unknown command: %s\n", line);
        if (host->wants_quiet)
                deskbell_network_changed(host->client); /* asks the server once more what there is */
}

static void check_quiet(struct host *host)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        if (!host->wants_quiet || deskbell_status(host->client, &status) < 0)
                return;
        if (status.queued || !status.is_caught_up || status.callbacks_waiting)
                return;
        host->wants_quiet = false;
        json_t *line = line_new(host, "info", "quiet");
        set_text(line, "epoch", host->epoch);
        set_number(line, "outbox", 0);
        say(host, line, false);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* The histories of this device's runs (NAME.RUN.jsonl beside our file), in the order of the runs; globfree what is
 * found. */
static void find_runs(const struct host *host, glob_t *out_found)
{
        static const char *const runs[] = {"[0-9]", "[0-9][0-9]", "[0-9][0-9][0-9]", "[0-9][0-9][0-9][0-9]"};
        const char *slash = strrchr(host->history_path, '/');
        int dir_len = slash ? (int)(slash - host->history_path) + 1 : 0;
        char pattern[1024];

        for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
                snprintf(pattern, sizeof(pattern), "%.*s%s.%s.jsonl", dir_len, host->history_path, host->proc, runs[i]);
                glob(pattern, i ? GLOB_APPEND : 0, NULL, out_found);
        }
}

/* What earlier runs of this device wrote tells which states are told again. */
static void recall_states(struct host *host)
{
        char *text = NULL;
        size_t room = 0;
        glob_t found = {0};

        host->states = json_object();
        host->attached = json_object();
        find_runs(host, &found);
        for (size_t i = 0; i < found.gl_pathc; i++) {
                FILE *file = fopen(found.gl_pathv[i], "re");
                while (file && getline(&text, &room, file) > 0) {
                        json_t *line = json_loads(text, 0, NULL);
                        const char *op = json_string_value(json_object_get(line, "op"));
                        if (op && strcmp(op, "attach") == 0)
                                json_object_set(host->attached, json_string_value(json_object_get(line, "cmid")),
                                                json_object_get(line, "t_ns"));
                        if (op && strcmp(op, "state") == 0)
                                json_object_set(host->states, json_string_value(json_object_get(line, "cmid")),
                                                json_object_get(line, "state"));
                        json_decref(line);
                }
                if (file)
                        fclose(file);
        }
        free(text);
        globfree(&found);
}

static bool take_argument(struct host *host, const char *name, const char *value)
{
        const struct {
                const char *name;
                const char **out;
        } known[] = {
                {"--url", &host->options.url},
                {"--app", &host->options.app},
                {"--token", &host->options.token},
                {"--agent-token", &host->options.agent_token},
                {"--data", &host->options.data_dir},
                {"--history", &host->history_path},
                {"--proc", &host->proc},
                {"--conv-key", &host->conv_keys},
                {"--conv", &host->conv_ids},
        };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (strcmp(name, known[i].name) == 0 && value) {
                        *known[i].out = value;
                        return true;
                }
        }
        return false;
}

static bool read_arguments(struct host *host, int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--visitor") == 0)
                        host->options.is_visitor = 1;
                else if (take_argument(host, argv[i], argv[i + 1]))
                        i++;
                else
                        return false;
        }
        return host->history_path && host->proc && host->options.data_dir;
}

static int begin(struct host *host)
{
        struct deskbell_options *options = &host->options;

        options->callbacks_by_dispatch = 1;
        options->first_page = -1; /* the whole log: the checker compares it with the server's */
        options->snapshot = 0;
        options->client_name = "sdk_host";
        options->data = host;
        options->on_state = on_state;
        options->on_entry = on_entry;
        options->on_message = on_message;
        options->on_opened = on_opened;
        options->on_conversation = on_conversation;
        options->on_notice = on_notice;
        options->on_progress = on_progress;
        options->on_presence = on_presence;
        options->on_push_settled = host_on_push_settled;
        options->on_log = on_log;
        int rc = deskbell_open(options, &host->client);
        return rc == 0 ? host_open_convs(host) : rc; /* an agent without conversations only connects */
}

struct lines {
        char *bytes;
        size_t len, room;
};

/* False at the end of input. */
static bool read_commands(struct host *host, struct lines *lines)
{
        if (lines->room - lines->len < 65536) {
                lines->room = lines->len + 131072;
                lines->bytes = realloc(lines->bytes, lines->room);
                if (!lines->bytes)
                        abort();
        }
        ssize_t got = read(STDIN_FILENO, lines->bytes + lines->len, lines->room - lines->len - 1);
        if (got < 0 && errno == EINTR)
                return true;
        if (got <= 0)
                return false;
        lines->len += (size_t)got;
        for (char *end; (end = memchr(lines->bytes, '\n', lines->len));) {
                size_t whole = (size_t)(end - lines->bytes) + 1;
                *end = '\0';
                obey(host, lines->bytes);
                lines->len -= whole;
                memmove(lines->bytes, end + 1, lines->len);
        }
        return true;
}

static void serve(struct host *host)
{
        struct lines lines = {0};
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = deskbell_fd(host->client), .events = POLLIN}};

        while (!host->is_ending) {
                if (poll(fds, 2, host->wants_quiet ? 20 : -1) < 0 && errno != EINTR)
                        break;
                if (fds[1].revents)
                        deskbell_dispatch(host->client, 0);
                if (fds[0].revents && !read_commands(host, &lines))
                        break;
                check_quiet(host);
        }
        free(lines.bytes);
}

int main(int argc, char **argv)
{
        struct host host = {.options = DESKBELL_OPTIONS_INIT};

        if (!read_arguments(&host, argc, argv)) {
                fputs(usage, stderr);
                return 64;
        }
        signal(SIGPIPE, SIG_IGN);
        recall_states(&host);
        host.history_fd = open(host.history_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (host.history_fd < 0) {
                perror(host.history_path);
                return 73;
        }
        int rc = begin(&host);
        if (rc < 0) {
                fprintf(stderr, "sdk_host: %s\n", deskbell_error_text(rc));
                if (host.client)
                        deskbell_close(host.client);
                return rc == DESKBELL_E_LOCKED ? 75 : 70;
        }
        deskbell_connect(host.client);
        serve(&host);
        deskbell_close(host.client);
        json_decref(host.dump);
        json_decref(host.states);
        json_decref(host.attached);
        close(host.history_fd);
        return 0;
}
