/* SPDX-License-Identifier: Apache-2.0 */
/* The native methods about a client: its life, its callbacks by dispatch, notifications. Core.java has made sure that
 * no call comes after the end. */
#include "bridge.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CMID_ROOM = 33 };

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void bridge_free(JNIEnv *env, struct bridge *bridge)
{
        for (int i = 0; i < 2; i++)
                if (bridge->wake[i] >= 0)
                        close(bridge->wake[i]);
        (*env)->DeleteGlobalRef(env, bridge->plug);
        (*env)->DeleteGlobalRef(env, bridge->core);
        free(bridge);
}

static jlong JNICALL create(JNIEnv *env, jclass unused, jobject core, jobject plug)
{
        struct bridge *bridge = malloc(sizeof(*bridge));

        (void)unused;
        if (!bridge)
                return 0;
        *bridge = (struct bridge){.wake = {-1, -1}};
        bridge->core = (*env)->NewGlobalRef(env, core);
        bridge->plug = plug ? (*env)->NewGlobalRef(env, plug) : NULL;
        if (!bridge->core || (plug && !bridge->plug) || pipe(bridge->wake) < 0 ||
            fcntl(bridge->wake[0], F_SETFD, FD_CLOEXEC) < 0 || fcntl(bridge->wake[1], F_SETFD, FD_CLOEXEC) < 0) {
                bridge_free(env, bridge);
                return 0;
        }
        return handle_of(bridge);
}

static void JNICALL destroy(JNIEnv *env, jclass unused, jlong handle)
{
        (void)unused;
        bridge_free(env, bridge_of(handle));
}

/* In the order of ClientBuilder.pack; the texts live as long as `in`. */
static void read_options(struct input *in, struct deskbell_options *options)
{
        options->url = input_text(in);
        options->app = input_text(in);
        options->data_dir = input_text(in);
        options->token = input_text(in);
        options->is_visitor = (int)input_number(in);
        options->agent_token = input_text(in);
        options->user = input_text(in);
        options->locale = input_text(in);
        options->client_name = input_text(in);
        options->client_version = input_text(in);
        options->callbacks_by_dispatch = (int)input_number(in);
        options->manual_ack = (int)input_number(in);
        options->first_page = (int)input_number(in);
        options->snapshot = (int)input_number(in);
        options->with_team_log = (int)input_number(in);
        options->ca_file = input_text(in);
        options->claims_visitor = (int)input_number(in);
        options->cache_max_bytes = input_number(in);
        options->cache_max_entries_per_conversation = (int)input_number(in);
}

enum { PINS_ROOM = 17 }; /* one more than allowed is seen and refused by the library */

/* `pins` has room for PINS_ROOM. */
static void read_security(struct input *in, const char **pins, struct deskbell_options *options)
{
        int64_t count = input_number(in);

        for (int64_t i = 0; i < count && !in->is_bad; i++)
                pins[i < PINS_ROOM ? i : PINS_ROOM - 1] = input_text(in);
        if (count > 0) {
                options->tls_pins = pins;
                options->tls_pins_count = count < PINS_ROOM ? (size_t)count : PINS_ROOM;
        }
        options->proxy = input_text(in);
        int64_t key_len = input_number(in);
        if (key_len > 0) {
                options->store_key_len = (size_t)key_len;
                options->store_key = input_raw(in, (size_t)key_len);
        }
}

/* The table of the library at `path`, which stays loaded; NULL path: none. False: it has none. */
static bool find_answers(const char *path, const struct deskbell_answers **out_answers)
{
        const struct deskbell_answers *(*table)(void) = NULL;
        void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;

        if (library)
                *(void **)&table = dlsym(library, "deskbell_answers");
        *out_answers = table ? table() : NULL;
        return table || !path;
}

static jint JNICALL open_client(JNIEnv *env, jclass unused, jlong handle, jbyteArray packed)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct bridge *bridge = bridge_of(handle);
        struct deskbell_transport transport;
        deskbell_client *client = NULL;
        const char *pins[PINS_ROOM] = {0};
        struct wanted wanted;
        struct input in;

        (void)unused;
        input_begin(env, packed, &in);
        read_options(&in, &options);
        read_security(&in, pins, &options);
        if (!find_answers(input_text(&in), &options.answers)) {
                input_done(&in);
                return DESKBELL_E_INVALID;
        }
        wanted.listener = input_number(&in) != 0;
        wanted.token = input_number(&in) != 0;
        wanted.log = input_number(&in) != 0;
        bool has_http = input_number(&in) != 0;
        options.data = bridge;
        tell_set(&options, &wanted);
        if (bridge->plug) {
                transport_set(bridge, has_http, &transport);
                options.transport = &transport;
        }
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_open(&options, &client);
        if (rc == 0)
                __atomic_store_n(&bridge->client, client, __ATOMIC_RELEASE);
        input_done(&in);
        return rc;
}

static jint JNICALL close_client(JNIEnv *env, jclass unused, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_close(client_of(handle));
}

static jint JNICALL mute(JNIEnv *env, jclass unused, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_mute(client_of(handle));
}

static jint JNICALL connect_client(JNIEnv *env, jclass unused, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_connect(client_of(handle));
}

static jint JNICALL disconnect(JNIEnv *env, jclass unused, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_disconnect(client_of(handle));
}

static jint JNICALL network_changed(JNIEnv *env, jclass unused, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_network_changed(client_of(handle));
}

static jint JNICALL set_background(JNIEnv *env, jclass unused, jlong handle, jboolean is_background)
{
        (void)env;
        (void)unused;
        return deskbell_set_background(client_of(handle), is_background);
}

jint with_text(JNIEnv *env, jlong client, jbyteArray text, int (*call)(deskbell_client *client, const char *text))
{
        struct input in;

        input_begin(env, text, &in);
        const char *given = input_text(&in);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : call(client_of(client), given);
        input_done(&in);
        return rc;
}

static jint JNICALL set_token(JNIEnv *env, jclass unused, jlong handle, jbyteArray token)
{
        (void)unused;
        return with_text(env, handle, token, deskbell_set_token);
}

static jint JNICALL change_store_key(JNIEnv *env, jclass unused, jlong handle, jbyteArray new_key)
{
        struct input in;

        (void)unused;
        input_begin(env, new_key, &in);
        int rc = in.is_bad ? DESKBELL_E_NOMEM
                           : deskbell_change_store_key(client_of(handle), (const uint8_t *)in.bytes, in.len);
        input_done(&in);
        return rc;
}

static void give_flag(JNIEnv *env, jbooleanArray out, int flag)
{
        jboolean value = flag != 0;

        (*env)->SetBooleanArrayRegion(env, out, 0, 1, &value);
}

static jint JNICALL log_out(JNIEnv *env, jclass unused, jlong handle, jboolean discard, jbooleanArray out_was_told)
{
        int was_told = 0;

        (void)unused;
        int rc = deskbell_log_out(client_of(handle), discard, &was_told);
        give_flag(env, out_was_told, was_told);
        return rc;
}

/* ---- callbacks by dispatch --------------------------------------------------------------------------------------- */

static jint JNICALL fd_of(JNIEnv *env, jclass unused, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_fd(client_of(handle));
}

static jint JNICALL dispatch(JNIEnv *env, jclass unused, jlong handle, jint max)
{
        (void)env;
        (void)unused;
        return deskbell_dispatch(client_of(handle), max);
}

/* 1: callbacks wait; 0: the time is over, or Native.wake. */
static jint JNICALL await(JNIEnv *env, jclass unused, jlong handle, jint timeout_ms)
{
        const struct bridge *bridge = bridge_of(handle);
        int fd = deskbell_fd(client_of(handle));
        struct pollfd both[] = {{.fd = fd, .events = POLLIN}, {.fd = bridge->wake[0], .events = POLLIN}};

        (void)env;
        (void)unused;
        if (fd < 0)
                return DESKBELL_E_STATE;
        while (poll(both, 2, timeout_ms) < 0)
                if (errno != EINTR)
                        return DESKBELL_E_NOMEM;
        return !both[1].revents && both[0].revents ? 1 : 0;
}

static void JNICALL wake(JNIEnv *env, jclass unused, jlong handle, jboolean is_on)
{
        const struct bridge *bridge = bridge_of(handle);
        char byte = 0;

        (void)env;
        (void)unused;
        while ((is_on ? write(bridge->wake[1], &byte, 1) : read(bridge->wake[0], &byte, 1)) < 0 && errno == EINTR)
                continue;
}

/* ---- notifications, presence, status ----------------------------------------------------------------------------- */

static jint JNICALL set_push(JNIEnv *env, jclass unused, jlong handle, jint service, jbyteArray token)
{
        struct input in;

        (void)unused;
        input_begin(env, token, &in);
        const char *given = input_text(&in);
        int rc =
                in.is_bad ? DESKBELL_E_NOMEM : deskbell_set_push(client_of(handle), (enum deskbell_push)service, given);
        input_done(&in);
        return rc;
}

static jint JNICALL push_received(JNIEnv *env, jclass unused, jlong handle, jbyteArray conversation, jlong seq,
                                  jbooleanArray out_is_news)
{
        struct input in;
        int is_news = 0;

        (void)unused;
        input_begin(env, conversation, &in);
        const char *given = input_text(&in);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_push_received(client_of(handle), given, seq, &is_news);
        input_done(&in);
        give_flag(env, out_is_news, is_news);
        return rc;
}

static jint JNICALL set_presence(JNIEnv *env, jclass unused, jlong handle, jint availability)
{
        (void)env;
        (void)unused;
        return deskbell_set_presence(client_of(handle), (enum deskbell_availability)availability);
}

static jint JNICALL status_of(JNIEnv *env, jclass unused, jlong handle, jobjectArray out)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        struct record record = {0};

        (void)unused;
        int rc = deskbell_status(client_of(handle), &status);
        if (rc < 0)
                return rc;
        pack_status(&record, &status);
        jbyteArray array = record_take(env, &record);
        if (array)
                (*env)->SetObjectArrayElement(env, out, 0, array);
        return 0;
}

/* ---- messages by cmid, files ------------------------------------------------------------------------------------- */

jint give_ascii(JNIEnv *env, int rc, const char *text, jobjectArray out)
{
        jstring string = rc < 0 ? NULL : jvm_ascii(env, text);

        if (string)
                (*env)->SetObjectArrayElement(env, out, 0, string);
        return rc;
}

static jstring JNICALL cmid_new(JNIEnv *env, jclass unused, jlong handle)
{
        char cmid[CMID_ROOM] = "";

        (void)unused;
        deskbell_cmid_new(client_of(handle), cmid);
        return jvm_ascii(env, cmid);
}

static jint JNICALL retry(JNIEnv *env, jclass unused, jlong handle, jbyteArray cmid, jobjectArray out)
{
        char made[CMID_ROOM] = "";
        struct input in;

        (void)unused;
        input_begin(env, cmid, &in);
        const char *given = input_text(&in);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_retry(client_of(handle), given, made);
        input_done(&in);
        return give_ascii(env, rc, made, out);
}

static jint JNICALL forget(JNIEnv *env, jclass unused, jlong handle, jbyteArray cmid)
{
        (void)unused;
        return with_text(env, handle, cmid, deskbell_forget);
}

static jint JNICALL upload_pause(JNIEnv *env, jclass unused, jlong handle, jbyteArray cmid)
{
        (void)unused;
        return with_text(env, handle, cmid, deskbell_upload_pause);
}

static jint JNICALL upload_resume(JNIEnv *env, jclass unused, jlong handle, jbyteArray cmid)
{
        (void)unused;
        return with_text(env, handle, cmid, deskbell_upload_resume);
}

static jint JNICALL upload_cancel(JNIEnv *env, jclass unused, jlong handle, jbyteArray cmid)
{
        (void)unused;
        return with_text(env, handle, cmid, deskbell_upload_cancel);
}

static int begin_fetch(jlong handle, struct input *in, jlong id, bool has_progress, int64_t *out_fetch)
{
        struct deskbell_file file = {.id = input_text(in), .name = input_text(in), .media = input_text(in)};

        file.size = input_number(in);
        file.width = (int)input_number(in);
        file.height = (int)input_number(in);
        const void *sha256 = input_raw(in, sizeof(file.sha256));
        const char *path = input_text(in);
        struct owed *owed = owed_new(bridge_of(handle), id);
        if (!sha256 || !owed) {
                free(owed);
                return DESKBELL_E_NOMEM;
        }
        memcpy(file.sha256, sha256, sizeof(file.sha256));
        int rc = deskbell_file_fetch(client_of(handle), &file, path, has_progress ? tell_fetch_progress : NULL,
                                     tell_fetched, owed, out_fetch);
        if (rc < 0)
                free(owed);
        return rc;
}

static jint JNICALL fetch_file(JNIEnv *env, jclass unused, jlong handle, jbyteArray what, jlong id,
                               jboolean has_progress, jlongArray out)
{
        struct input in;
        int64_t fetch = 0;

        (void)unused;
        input_begin(env, what, &in);
        int rc = begin_fetch(handle, &in, id, has_progress, &fetch);
        input_done(&in);
        jlong number = fetch;
        (*env)->SetLongArrayRegion(env, out, 0, 1, &number);
        return rc;
}

static jint JNICALL cancel_fetch(JNIEnv *env, jclass unused, jlong handle, jlong fetch)
{
        (void)env;
        (void)unused;
        return deskbell_file_fetch_cancel(client_of(handle), fetch);
}

/* ---- the library ------------------------------------------------------------------------------------------------- */

static jstring JNICALL version(JNIEnv *env, jclass unused)
{
        (void)unused;
        return jvm_ascii(env, deskbell_version());
}

static jstring JNICALL error_text(JNIEnv *env, jclass unused, jint error)
{
        (void)unused;
        return jvm_ascii(env, deskbell_error_text(error));
}

const JNINativeMethod client_methods[] = {
        METHOD("version", "()Ljava/lang/String;", version),
        METHOD("errorText", "(I)Ljava/lang/String;", error_text),
        METHOD("create", "(Lcom/deskbell/Core;Lcom/deskbell/Plug;)J", create),
        METHOD("destroy", "(J)V", destroy),
        METHOD("open", "(J[B)I", open_client),
        METHOD("close", "(J)I", close_client),
        METHOD("mute", "(J)I", mute),
        METHOD("connect", "(J)I", connect_client),
        METHOD("disconnect", "(J)I", disconnect),
        METHOD("networkChanged", "(J)I", network_changed),
        METHOD("setBackground", "(JZ)I", set_background),
        METHOD("setToken", "(J[B)I", set_token),
        METHOD("changeStoreKey", "(J[B)I", change_store_key),
        METHOD("logOut", "(JZ[Z)I", log_out),
        METHOD("fd", "(J)I", fd_of),
        METHOD("dispatch", "(JI)I", dispatch),
        METHOD("await", "(JI)I", await),
        METHOD("wake", "(JZ)V", wake),
        METHOD("setPush", "(JI[B)I", set_push),
        METHOD("pushReceived", "(J[BJ[Z)I", push_received),
        METHOD("setPresence", "(JI)I", set_presence),
        METHOD("status", "(J[[B)I", status_of),
        METHOD("cmidNew", "(J)Ljava/lang/String;", cmid_new),
        METHOD("retry", "(J[B[Ljava/lang/String;)I", retry),
        METHOD("forget", "(J[B)I", forget),
        METHOD("uploadPause", "(J[B)I", upload_pause),
        METHOD("uploadResume", "(J[B)I", upload_resume),
        METHOD("uploadCancel", "(J[B)I", upload_cancel),
        METHOD("fetchFile", "(J[BJZ[J)I", fetch_file),
        METHOD("cancelFetch", "(JJ)I", cancel_fetch),
};
const int client_methods_count = sizeof(client_methods) / sizeof(client_methods[0]);
