/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks of a client: each makes a record of what it is told and calls Core once. They run on the client's
 * thread, or on a Java thread inside deskbell_dispatch and deskbell_close. No local reference outlives its callback. */
#include "bridge.h"

#include <stdlib.h>
#include <string.h>

static struct bridge *begin(deskbell_client *client, void *data)
{
        struct bridge *bridge = data;

        __atomic_store_n(&bridge->client, client, __ATOMIC_RELEASE);
        return bridge;
}

/* Frees the record in every case. */
static void tell(struct bridge *bridge, enum told what, struct record *record)
{
        JNIEnv *env = jvm_env();

        if (!env) {
                free(record->bytes);
                return;
        }
        jbyteArray array = record_take(env, record);
        if (array) {
                (*env)->CallVoidMethod(env, bridge->core, upcalls.told, (jint)what, array);
                jvm_give_thrown(env, bridge);
                (*env)->DeleteLocalRef(env, array);
        } else {
                jvm_give_thrown(env, bridge);
        }
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct record record = {0};

        pack_state(&record, state);
        tell(begin(client, data), TOLD_STATE, &record);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct record record = {0};

        pack_entry(&record, entry);
        tell(begin(client, data), TOLD_ENTRY, &record);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct record record = {0};

        pack_message(&record, message);
        tell(begin(client, data), TOLD_MESSAGE, &record);
}

static void on_conversation(deskbell_client *client, const struct deskbell_conversation_info *info, void *data)
{
        struct record record = {0};

        pack_info(&record, info);
        tell(begin(client, data), TOLD_CONVERSATION, &record);
}

static void on_opened(deskbell_client *client, deskbell_conversation *conversation, int64_t seq, int64_t iseq,
                      void *data)
{
        struct record record = {0};

        record_number(&record, handle_of(conversation));
        record_number(&record, seq);
        record_number(&record, iseq);
        tell(begin(client, data), TOLD_OPENED, &record);
}

static void on_typing(deskbell_client *client, deskbell_conversation *conversation, const char *author, int is_typing,
                      void *data)
{
        struct record record = {0};

        record_number(&record, handle_of(conversation));
        record_text(&record, author);
        record_number(&record, is_typing);
        tell(begin(client, data), TOLD_TYPING, &record);
}

static void on_unread(deskbell_client *client, int64_t total, void *data)
{
        struct record record = {0};

        record_number(&record, total);
        tell(begin(client, data), TOLD_UNREAD, &record);
}

static void on_token(deskbell_client *client, void *data)
{
        struct record record = {0};

        tell(begin(client, data), TOLD_TOKEN, &record);
}

static void on_notice(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conversation,
                      const char *detail, void *data)
{
        struct record record = {0};

        record_number(&record, notice);
        record_number(&record, handle_of(conversation));
        record_text(&record, detail);
        tell(begin(client, data), TOLD_NOTICE, &record);
}

static void on_progress(deskbell_client *client, const struct deskbell_progress *progress, void *data)
{
        struct record record = {0};

        pack_progress(&record, progress);
        tell(begin(client, data), TOLD_PROGRESS, &record);
}

static void on_presence(deskbell_client *client, const struct deskbell_presence *presence, void *data)
{
        struct record record = {0};

        pack_presence(&record, presence);
        tell(begin(client, data), TOLD_PRESENCE, &record);
}

static void on_push_settled(deskbell_client *client, int is_caught_up, void *data)
{
        struct record record = {0};

        record_number(&record, is_caught_up);
        tell(begin(client, data), TOLD_PUSH_SETTLED, &record);
}

static void on_device_answer(deskbell_client *client, const struct deskbell_device_answer *found, void *data)
{
        struct record record = {0};

        pack_device_answer(&record, found);
        tell(begin(client, data), TOLD_DEVICE_ANSWER, &record);
}

static void on_log(enum deskbell_level level, const char *line, void *data)
{
        const struct bridge *bridge = data;
        struct record record = {0};
        JNIEnv *env = jvm_env();

        if (!env)
                return;
        record_raw(&record, line, strlen(line));
        jbyteArray array = record_take(env, &record);
        if (!array) {
                (*env)->ExceptionClear(env); /* a line less; with the lock held nobody can be told */
                return;
        }
        (*env)->CallVoidMethod(env, bridge->core, upcalls.logged, (jint)level, array);
        if ((*env)->ExceptionCheck(env))
                (*env)->ExceptionClear(env);
        (*env)->DeleteLocalRef(env, array);
}

void tell_set(struct deskbell_options *options, const struct wanted *wanted)
{
        if (wanted->listener) {
                options->on_state = on_state;
                options->on_entry = on_entry;
                options->on_message = on_message;
                options->on_conversation = on_conversation;
                options->on_opened = on_opened;
                options->on_typing = on_typing;
                options->on_unread = on_unread;
                options->on_notice = on_notice;
                options->on_progress = on_progress;
                options->on_presence = on_presence;
                options->on_push_settled = on_push_settled;
                options->on_device_answer = on_device_answer;
        }
        if (wanted->token)
                options->on_token = on_token;
        if (wanted->log)
                options->on_log = on_log;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

struct owed *owed_new(struct bridge *bridge, jlong id)
{
        struct owed *owed = malloc(sizeof(*owed));

        if (owed)
                *owed = (struct owed){bridge, id};
        return owed;
}

/* Frees both. Without memory for the array Core.java cancels what is owed when the client is closed. */
static void answer(struct owed *owed, struct record *record)
{
        JNIEnv *env = jvm_env();
        jbyteArray array = env ? record_take(env, record) : NULL;

        if (array)
                (*env)->CallVoidMethod(env, owed->bridge->core, upcalls.answered, owed->id, array);
        if (env)
                jvm_give_thrown(env, owed->bridge);
        else
                free(record->bytes);
        if (array)
                (*env)->DeleteLocalRef(env, array);
        free(owed);
}

void tell_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count, int64_t head,
                  int more, void *data)
{
        struct record record = {0};

        (void)client;
        record_number(&record, error);
        record_number(&record, (int64_t)count);
        for (const struct deskbell_entry *entry = entries; entry < entries + count; entry++)
                pack_entry(&record, entry);
        record_number(&record, head);
        record_number(&record, more);
        answer(data, &record);
}

void tell_search(deskbell_client *client, int error, const struct deskbell_found *found, size_t count, const char *next,
                 int is_cut, void *data)
{
        struct record record = {0};

        (void)client;
        record_number(&record, error);
        record_number(&record, (int64_t)count);
        for (const struct deskbell_found *one = found; one < found + count; one++)
                pack_found(&record, one);
        record_text(&record, next);
        record_number(&record, is_cut);
        answer(data, &record);
}

void tell_fetch_progress(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data)
{
        const struct owed *owed = data;
        JNIEnv *env = jvm_env();

        (void)client;
        (void)fetch;
        if (!env)
                return;
        (*env)->CallVoidMethod(env, owed->bridge->core, upcalls.progressed, owed->id, (jlong)received, (jlong)total);
        jvm_give_thrown(env, owed->bridge);
}

void tell_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        struct record record = {0};

        (void)client;
        record_number(&record, fetch);
        record_number(&record, error);
        record_text(&record, path);
        answer(data, &record);
}
