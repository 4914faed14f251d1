/* SPDX-License-Identifier: Apache-2.0 */
/* A transport of the application's: C's table of functions calls Plug.java, which calls the application; what links and
 * exchanges are told goes the other way. Plug.java sees to it that C is told of none that is over. */
#include "bridge.h"

#include <stdlib.h>

/* `record` may be NULL and is freed. False without an environment or memory. */
static bool begin(struct record *record, JNIEnv **out_env, jbyteArray *out_array, const struct bridge *bridge)
{
        JNIEnv *env = jvm_env();

        if (!env) {
                free(record->bytes);
                return false;
        }
        jbyteArray array = record_take(env, record);
        if (!array) {
                jvm_give_thrown(env, bridge);
                return false;
        }
        *out_env = env;
        *out_array = array;
        return true;
}

/* Whether the boolean method `id` said yes. */
static bool ask(const struct bridge *bridge, jmethodID id, const void *about, struct record *record)
{
        JNIEnv *env;
        jbyteArray array;

        if (!begin(record, &env, &array, bridge))
                return false;
        jboolean yes = (*env)->CallBooleanMethod(env, bridge->plug, id, handle_of(about), array);
        bool is_yes = !jvm_give_thrown(env, bridge) && yes;
        (*env)->DeleteLocalRef(env, array);
        return is_yes;
}

static int on_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        struct record record = {0};

        record_text(&record, url);
        record_text(&record, subprotocol);
        record_number(&record, (int64_t)max_message_bytes);
        return ask(data, upcalls.plug_open, link, &record) ? 0 : -1;
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        const struct bridge *bridge = data;
        struct record record = {0};
        JNIEnv *env;
        jbyteArray array;

        record_raw(&record, bytes, len);
        if (!begin(&record, &env, &array, bridge))
                return;
        (*env)->CallVoidMethod(env, bridge->plug, upcalls.plug_send, handle_of(link), array);
        jvm_give_thrown(env, bridge);
        (*env)->DeleteLocalRef(env, array);
}

static void on_close(void *data, deskbell_link *link, int code)
{
        const struct bridge *bridge = data;
        JNIEnv *env = jvm_env();

        if (!env)
                return;
        (*env)->CallVoidMethod(env, bridge->plug, upcalls.plug_close, handle_of(link), (jint)code);
        jvm_give_thrown(env, bridge);
}

static void call_about(const struct bridge *bridge, jmethodID id, const void *about)
{
        JNIEnv *env = jvm_env();

        if (!env)
                return;
        (*env)->CallVoidMethod(env, bridge->plug, id, handle_of(about));
        jvm_give_thrown(env, bridge);
}

static void on_resume(void *data, deskbell_link *link)
{
        call_about(data, upcalls.plug_resume, link);
}

static void on_stop(void *data)
{
        const struct bridge *bridge = data;
        JNIEnv *env = jvm_env();

        if (!env)
                return;
        (*env)->CallVoidMethod(env, bridge->plug, upcalls.plug_stop);
        jvm_give_thrown(env, bridge);
}

static int on_http(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange)
{
        struct record record = {0};

        record_text(&record, request->method);
        record_text(&record, request->url);
        record_number(&record, (int64_t)request->headers_count);
        for (size_t i = 0; i < request->headers_count; i++)
                record_text(&record, request->headers[i]);
        record_number(&record, (int64_t)request->body_len);
        record_raw(&record, request->body, request->body_len);
        record_number(&record, (int64_t)request->max_answer_bytes);
        return ask(data, upcalls.plug_http, exchange, &record) ? 0 : -1;
}

static void on_http_cancel(void *data, deskbell_exchange *exchange)
{
        call_about(data, upcalls.plug_http_cancel, exchange);
}

void transport_set(struct bridge *bridge, bool has_http, struct deskbell_transport *out_table)
{
        *out_table = (struct deskbell_transport){.size = sizeof(*out_table),
                                                 .data = bridge,
                                                 .open = on_open,
                                                 .send = on_send,
                                                 .close = on_close,
                                                 .resume = on_resume,
                                                 .stop = on_stop,
                                                 .http = has_http ? on_http : NULL,
                                                 .http_cancel = has_http ? on_http_cancel : NULL};
}

/* ---- native methods ---------------------------------------------------------------------------------------------- */

static deskbell_link *link_of(jlong handle)
{
        return (deskbell_link *)(intptr_t)handle; /* NOLINT(performance-no-int-to-ptr) */
}

static void JNICALL link_opened(JNIEnv *env, jclass unused, jlong link)
{
        (void)env;
        (void)unused;
        deskbell_link_opened(link_of(link));
}

static jboolean JNICALL link_text(JNIEnv *env, jclass unused, jlong link, jbyteArray message)
{
        struct input in;
        jboolean is_full = JNI_FALSE;

        (void)unused;
        input_begin(env, message, &in);
        if (!in.is_bad)
                is_full = deskbell_link_text(link_of(link), in.bytes, in.len) != 0;
        else
                record_throw_nomem(env);
        input_done(&in);
        return is_full;
}

static void JNICALL link_closed(JNIEnv *env, jclass unused, jlong link, jint code)
{
        (void)env;
        (void)unused;
        deskbell_link_closed(link_of(link), code);
}

static void JNICALL link_failed(JNIEnv *env, jclass unused, jlong link, jbyteArray why_and_detail, jlong retry_after_ms)
{
        struct input in;

        (void)unused;
        input_begin(env, why_and_detail, &in);
        const char *why = input_text(&in);
        const char *detail = input_text(&in);
        deskbell_link_failed(link_of(link), why ? why : "network", detail, retry_after_ms);
        input_done(&in);
}

static void JNICALL http_done(JNIEnv *env, jclass unused, jlong exchange, jbyteArray head, jbyteArray body)
{
        deskbell_exchange *to = (deskbell_exchange *)(intptr_t)exchange; /* NOLINT(performance-no-int-to-ptr) */
        struct deskbell_http_answer answer = {.size = sizeof(answer)};
        struct input in, bytes;

        (void)unused;
        input_begin(env, head, &in);
        input_begin(env, body, &bytes);
        answer.status = (int)input_number(&in);
        size_t count = (size_t)input_number(&in);
        const char **headers = count <= in.len ? calloc(count + 1, sizeof(*headers)) : NULL;
        for (size_t i = 0; headers && i < count; i++)
                headers[i] = input_text(&in);
        answer.headers = headers;
        answer.headers_count = count;
        answer.body = bytes.bytes;
        answer.body_len = bytes.len;
        deskbell_http_done(to, headers && !in.is_bad && !bytes.is_bad ? &answer : NULL);
        free(headers);
        input_done(&bytes);
        input_done(&in);
}

const JNINativeMethod transport_methods[] = {
        METHOD("linkOpened", "(J)V", link_opened),  METHOD("linkText", "(J[B)Z", link_text),
        METHOD("linkClosed", "(JI)V", link_closed), METHOD("linkFailed", "(J[BJ)V", link_failed),
        METHOD("httpDone", "(J[B[B)V", http_done),
};
const int transport_methods_count = sizeof(transport_methods) / sizeof(transport_methods[0]);
