/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of libdeskbell_jni: one struct bridge for each Java client, and how C comes into the virtual machine.
 *
 * Always true: a bridge lives from Native.create to Native.destroy, which Core.java calls after deskbell_close, so what
 * C holds of it as `data` is good; an exception never stays pending when C goes on; a thread of the library that was
 * attached is detached when it ends. */
#ifndef DESKBELL_JNI_BRIDGE_H
#define DESKBELL_JNI_BRIDGE_H

#include "record.h"

#include <deskbell/deskbell.h>
#include <jni.h>

struct bridge {
        deskbell_client *client; /* atomic: a callback may come before deskbell_open has returned */
        jobject core;            /* global reference: com.deskbell.Core */
        jobject plug;            /* global reference: com.deskbell.Plug; NULL = no transport of the application's */
        int wake[2];             /* a pipe that is readable while sleepers in Native.await have to come back */
};

/* The first argument of Core.told; Teller.java has the same numbers. */
enum told {
        TOLD_STATE = 0,
        TOLD_ENTRY = 1,
        TOLD_MESSAGE = 2,
        TOLD_CONVERSATION = 3,
        TOLD_OPENED = 4,
        TOLD_TYPING = 5,
        TOLD_UNREAD = 6,
        TOLD_TOKEN = 7,
        TOLD_NOTICE = 8,
        TOLD_PROGRESS = 9,
        TOLD_PRESENCE = 10,
        TOLD_PUSH_SETTLED = 11,
        TOLD_DEVICE_ANSWER = 12
};

/* Methods of Core and Plug that C calls, found once in JNI_OnLoad. */
struct upcalls {
        jmethodID told, answered, progressed, logged, failed;
        jmethodID plug_open, plug_send, plug_close, plug_resume, plug_stop, plug_http, plug_http_cancel;
};

extern struct upcalls upcalls; /* load.c; only read after JNI_OnLoad */

/* This thread's environment; a thread of the library is attached as a daemon. NULL: the machine is going away. */
JNIEnv *jvm_env(void);

/* Hands a pending exception to Core.failed; nothing is pending afterwards. Whether there was one. */
bool jvm_give_thrown(JNIEnv *env, const struct bridge *bridge);

/* A text of ASCII, as ids and the library's own sentences are. */
jstring jvm_ascii(JNIEnv *env, const char *text);

static inline struct bridge *bridge_of(jlong handle)
{
        return (struct bridge *)(intptr_t)handle; /* NOLINT(performance-no-int-to-ptr): a handle of Java is a number */
}

static inline deskbell_client *client_of(jlong handle)
{
        return __atomic_load_n(&bridge_of(handle)->client, __ATOMIC_ACQUIRE);
}

static inline deskbell_conversation *conversation_of(jlong handle)
{
        return (deskbell_conversation *)(intptr_t)handle; /* NOLINT(performance-no-int-to-ptr) */
}

static inline jlong handle_of(const void *pointer)
{
        return (jlong)(intptr_t)pointer;
}

/* ---- callbacks (tell.c) and what they carry (pack.c) ---- */

/* What the natives of one text share: `call` gets the text (NULL = null). */
jint with_text(JNIEnv *env, jlong client, jbyteArray text, int (*call)(deskbell_client *client, const char *text));

/* Puts an id into out[0]; `rc` as it is. */
jint give_ascii(JNIEnv *env, int rc, const char *text, jobjectArray out);

/* A count of rows to come, each of at least one number, and memory for them, to be freed; NULL when there are none, or
 * no memory (in->is_bad). */
void *rows_of(struct input *in, size_t size, size_t *out_count);

/* Which of the callbacks the application has. */
struct wanted {
        bool listener, token, log;
};

void tell_set(struct deskbell_options *options, const struct wanted *wanted);

/* Something that is owed one answer: `data` of deskbell_history, _search and _file_fetch. The answer frees it. */
struct owed {
        struct bridge *bridge;
        jlong id;
};

struct owed *owed_new(struct bridge *bridge, jlong id); /* NULL: out of memory */

void tell_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count, int64_t head,
                  int more, void *data);
void tell_search(deskbell_client *client, int error, const struct deskbell_found *found, size_t count, const char *next,
                 int is_cut, void *data);
void tell_fetch_progress(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data);
void tell_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data);

void pack_state(struct record *record, const struct deskbell_state *state);
void pack_entry(struct record *record, const struct deskbell_entry *entry);
void pack_choices(struct record *record, const struct deskbell_choice *choices, size_t count);
void pack_survey(struct record *record, const struct deskbell_survey *survey); /* surveys.c; NULL = none */
void pack_message(struct record *record, const struct deskbell_message *message);
void pack_info(struct record *record, const struct deskbell_conversation_info *info);
void pack_progress(struct record *record, const struct deskbell_progress *progress);
void pack_presence(struct record *record, const struct deskbell_presence *presence);
void pack_device_answer(struct record *record, const struct deskbell_device_answer *answer);
void pack_found(struct record *record, const struct deskbell_found *found);
void pack_status(struct record *record, const struct deskbell_status *status);

/* ---- a transport of the application's (transport.c) ---- */

/* `out_table` is filled for bridge->plug. */
void transport_set(struct bridge *bridge, bool has_http, struct deskbell_transport *out_table);

/* ---- the native methods of com.deskbell.Native, a table a file ---- */

/* A row; jni.h has no const where it belongs. */
#define METHOD(name, type, function)                                                                                   \
        {                                                                                                              \
                (char *)(name), (char *)(type), (void *)(function)                                                     \
        }

/* surveys.c; in the table of messages.c */
jint JNICALL survey_answer(JNIEnv *env, jclass unused, jlong conversation, jbyteArray what, jobjectArray out);
jint JNICALL survey_check(JNIEnv *env, jclass unused, jbyteArray both, jobjectArray out);

extern const JNINativeMethod client_methods[], message_methods[], transport_methods[];
extern const int client_methods_count, message_methods_count, transport_methods_count;

#endif
