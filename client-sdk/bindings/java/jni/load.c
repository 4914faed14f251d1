/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: methods are registered and looked up once; threads of the library are attached when they first come here. */
#include "bridge.h"

#include <pthread.h>

struct upcalls upcalls;

static JavaVM *machine;
static pthread_key_t attached; /* of a thread that jvm_env attached: detaches it when it ends */

static void detach(void *unused)
{
        (void)unused;
        (*machine)->DetachCurrentThread(machine);
}

JNIEnv *jvm_env(void)
{
        JavaVMAttachArgs args = {.version = JNI_VERSION_1_6, .name = (char *)(uintptr_t) "deskbell"};
        void *env = NULL;

        if ((*machine)->GetEnv(machine, &env, JNI_VERSION_1_6) == JNI_OK)
                return env;
        if ((*machine)->AttachCurrentThreadAsDaemon(machine, (void *)&env, &args) != JNI_OK)
                return NULL;
        pthread_setspecific(attached, machine);
        return env;
}

bool jvm_give_thrown(JNIEnv *env, const struct bridge *bridge)
{
        jthrowable thrown = (*env)->ExceptionOccurred(env);

        if (!thrown)
                return false;
        (*env)->ExceptionClear(env);
        (*env)->CallVoidMethod(env, bridge->core, upcalls.failed, thrown);
        if ((*env)->ExceptionCheck(env))
                (*env)->ExceptionClear(env); /* no memory even for that */
        (*env)->DeleteLocalRef(env, thrown);
        return true;
}

jstring jvm_ascii(JNIEnv *env, const char *text)
{
        return (*env)->NewStringUTF(env, text);
}

static bool find_methods(JNIEnv *env)
{
        static const struct {
                jmethodID *out;
                const char *name, *type;
                bool of_plug;
        } rows[] = {
                {&upcalls.told, "told", "(I[B)V", false},
                {&upcalls.answered, "answered", "(J[B)V", false},
                {&upcalls.progressed, "progressed", "(JJJ)V", false},
                {&upcalls.logged, "logged", "(I[B)V", false},
                {&upcalls.failed, "failed", "(Ljava/lang/Throwable;)V", false},
                {&upcalls.plug_open, "open", "(J[B)Z", true},
                {&upcalls.plug_send, "send", "(J[B)V", true},
                {&upcalls.plug_close, "close", "(JI)V", true},
                {&upcalls.plug_resume, "resume", "(J)V", true},
                {&upcalls.plug_stop, "stop", "()V", true},
                {&upcalls.plug_http, "http", "(J[B)Z", true},
                {&upcalls.plug_http_cancel, "httpCancel", "(J)V", true},
        };
        jclass core = (*env)->FindClass(env, "com/deskbell/Core");
        jclass plug = core ? (*env)->FindClass(env, "com/deskbell/Plug") : NULL;
        if (!plug)
                return false;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                *rows[i].out = (*env)->GetMethodID(env, rows[i].of_plug ? plug : core, rows[i].name, rows[i].type);
                if (!*rows[i].out)
                        return false;
        }
        (*env)->DeleteLocalRef(env, plug);
        (*env)->DeleteLocalRef(env, core);
        return true;
}

static bool register_methods(JNIEnv *env)
{
        jclass kind = (*env)->FindClass(env, "com/deskbell/Native");

        if (!kind)
                return false;
        bool is_done = (*env)->RegisterNatives(env, kind, client_methods, client_methods_count) == 0 &&
                       (*env)->RegisterNatives(env, kind, message_methods, message_methods_count) == 0 &&
                       (*env)->RegisterNatives(env, kind, transport_methods, transport_methods_count) == 0;
        if (is_done)
                (*env)->DeleteLocalRef(env, kind);
        return is_done;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *unused)
{
        void *env = NULL;

        (void)unused;
        machine = vm;
        if ((*vm)->GetEnv(vm, &env, JNI_VERSION_1_6) != JNI_OK || pthread_key_create(&attached, detach) != 0)
                return JNI_ERR;
        if (!find_methods(env) || !register_methods(env)) {
                pthread_key_delete(attached);
                return JNI_ERR; /* the exception says which */
        }
        return JNI_VERSION_1_6;
}

JNIEXPORT void JNICALL JNI_OnUnload(JavaVM *vm, void *unused)
{
        (void)vm;
        (void)unused;
        pthread_key_delete(attached);
}
