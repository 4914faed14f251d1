/* SPDX-License-Identifier: Apache-2.0 */
/* sdk_host: what the SDK tells, written down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/hot.h"
#include "sdk_host.h"

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

void describe(json_t *line, const struct deskbell_entry *entry, const char *kind_name)
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

void host_listen(struct deskbell_options *options)
{
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
}
