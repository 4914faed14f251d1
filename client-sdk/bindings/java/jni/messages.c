/* SPDX-License-Identifier: Apache-2.0 */
/* The native methods about conversations: finding them, writing into them, pages, search. */
#include "bridge.h"

#include <stdlib.h>

enum { CMID_ROOM = 33, CONVERSATION_ID_ROOM = 18, MOST = 1000000 };

void *rows_of(struct input *in, size_t size, size_t *out_count)
{
        int64_t count = input_number(in);

        *out_count = 0;
        if (count <= 0 || in->is_bad)
                return NULL;
        void *rows = count <= MOST ? calloc((size_t)count, size) : NULL;
        if (rows)
                *out_count = (size_t)count;
        else
                in->is_bad = true;
        return rows;
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

typedef int open_fn(deskbell_client *client, const char *name, deskbell_conversation **out);

static jint open_by(JNIEnv *env, jlong handle, jbyteArray name, jlongArray out, open_fn *call)
{
        deskbell_conversation *conversation = NULL;
        struct input in;

        input_begin(env, name, &in);
        const char *given = input_text(&in);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : call(client_of(handle), given, &conversation);
        input_done(&in);
        jlong raw = handle_of(conversation);
        (*env)->SetLongArrayRegion(env, out, 0, 1, &raw);
        return rc;
}

static jint JNICALL open_key(JNIEnv *env, jclass unused, jlong handle, jbyteArray key, jlongArray out)
{
        (void)unused;
        return open_by(env, handle, key, out, deskbell_conversation_open);
}

static jint JNICALL open_id(JNIEnv *env, jclass unused, jlong handle, jbyteArray id, jlongArray out)
{
        (void)unused;
        return open_by(env, handle, id, out, deskbell_conversation_open_id);
}

static jint JNICALL close_conversation(JNIEnv *env, jclass unused, jlong conversation)
{
        (void)env;
        (void)unused;
        return deskbell_conversation_close(conversation_of(conversation));
}

struct listing {
        struct record record;
        int count;
};

static int add_info(const struct deskbell_conversation_info *info, void *data)
{
        struct listing *listing = data;

        pack_info(&listing->record, info);
        listing->count++;
        return 0;
}

/* How many, and their record. */
static jint JNICALL conversations(JNIEnv *env, jclass unused, jlong handle, jobjectArray out)
{
        struct listing listing = {{0}, 0};

        (void)unused;
        int rc = deskbell_conversations(client_of(handle), add_info, &listing);
        if (rc < 0) {
                free(listing.record.bytes);
                return rc;
        }
        jbyteArray array = record_take(env, &listing.record);
        if (array)
                (*env)->SetObjectArrayElement(env, out, 0, array);
        return listing.count;
}

static jboolean JNICALL is_of(JNIEnv *env, jclass unused, jlong conversation, jlong handle)
{
        (void)env;
        (void)unused;
        return deskbell_conversation_client(conversation_of(conversation)) == client_of(handle);
}

static jstring JNICALL id_of(JNIEnv *env, jclass unused, jlong conversation)
{
        char id[CONVERSATION_ID_ROOM] = "";

        (void)unused;
        deskbell_conversation_id(conversation_of(conversation), id);
        return jvm_ascii(env, id);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static struct deskbell_form_value *read_values(struct input *in, size_t *out_count)
{
        struct deskbell_form_value *values = rows_of(in, sizeof(*values), out_count);

        for (size_t i = 0; i < *out_count; i++) {
                values[i].id = input_text(in);
                values[i].value = input_text(in);
        }
        return values;
}

/* In the order of SendOptions.pack; out->filled is the caller's to free. */
static void read_send_options(struct input *in, struct deskbell_send_options *out)
{
        *out = (struct deskbell_send_options)DESKBELL_SEND_OPTIONS_INIT;
        out->log = (enum deskbell_log)input_number(in);
        out->reply_to = input_number(in);
        out->pressed_seq = input_number(in);
        out->pressed_id = input_text(in);
        out->cmid = input_text(in);
        out->filled_seq = input_number(in);
        out->filled = read_values(in, &out->filled_count);
        out->wait_for_disk = (int)input_number(in);
}

static jint JNICALL send_text(JNIEnv *env, jclass unused, jlong conversation, jbyteArray what, jobjectArray out)
{
        struct deskbell_send_options options;
        char cmid[CMID_ROOM] = "";
        struct input in;

        (void)unused;
        input_begin(env, what, &in);
        const char *text = input_text(&in);
        read_send_options(&in, &options);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_send(conversation_of(conversation), text, &options, cmid);
        free((void *)options.filled);
        input_done(&in);
        return give_ascii(env, rc, cmid, out);
}

static jint JNICALL edit(JNIEnv *env, jclass unused, jlong conversation, jbyteArray what, jobjectArray out)
{
        struct deskbell_send_options options;
        char cmid[CMID_ROOM] = "";
        struct input in;

        (void)unused;
        input_begin(env, what, &in);
        int64_t number = input_number(&in), version = input_number(&in);
        const char *text = input_text(&in);
        read_send_options(&in, &options);
        int rc = in.is_bad ? DESKBELL_E_NOMEM
                           : deskbell_edit(conversation_of(conversation), number, version, text, &options, cmid);
        free((void *)options.filled);
        input_done(&in);
        return give_ascii(env, rc, cmid, out);
}

static jint JNICALL erase(JNIEnv *env, jclass unused, jlong conversation, jbyteArray what, jobjectArray out)
{
        struct deskbell_send_options options;
        char cmid[CMID_ROOM] = "";
        struct input in;

        (void)unused;
        input_begin(env, what, &in);
        int64_t number = input_number(&in);
        read_send_options(&in, &options);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_erase(conversation_of(conversation), number, &options, cmid);
        free((void *)options.filled);
        input_done(&in);
        return give_ascii(env, rc, cmid, out);
}

/* `given` is a byte[] or a direct ByteBuffer; an array's bytes are put back by return_bytes. */
static bool take_bytes(JNIEnv *env, jobject given, struct deskbell_file_source *source)
{
        source->bytes = (*env)->GetDirectBufferAddress(env, given);
        if (source->bytes) {
                source->bytes_len = (size_t)(*env)->GetDirectBufferCapacity(env, given);
                return true;
        }
        source->bytes = (*env)->GetByteArrayElements(env, given, NULL);
        source->bytes_len = (size_t)(*env)->GetArrayLength(env, given);
        return source->bytes != NULL;
}

static void return_bytes(JNIEnv *env, jobject given, const struct deskbell_file_source *source)
{
        if (given && source->bytes && !(*env)->GetDirectBufferAddress(env, given))
                (*env)->ReleaseByteArrayElements(env, given, (jbyte *)(uintptr_t)source->bytes, JNI_ABORT);
}

/* Each file's path, name and media from `in`, its bytes from the array of that place. */
static bool read_files(JNIEnv *env, struct input *in, jobjectArray all, struct deskbell_file_source *files,
                       size_t count)
{
        for (size_t i = 0; i < count; i++) {
                files[i].path = input_text(in);
                files[i].name = input_text(in);
                files[i].media = input_text(in);
                jobject given = (*env)->GetObjectArrayElement(env, all, (jsize)i);
                bool is_taken = !given || take_bytes(env, given, &files[i]);
                (*env)->DeleteLocalRef(env, given);
                if (!is_taken)
                        return false;
        }
        return true;
}

static void return_files(JNIEnv *env, jobjectArray all, struct deskbell_file_source *files, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                jobject given = (*env)->GetObjectArrayElement(env, all, (jsize)i);
                return_bytes(env, given, &files[i]);
                (*env)->DeleteLocalRef(env, given);
        }
        free(files);
}

static jint JNICALL send_file(JNIEnv *env, jclass unused, jlong conversation, jbyteArray what, jobjectArray bytes,
                              jobjectArray out)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        char cmid[CMID_ROOM] = "";
        struct input in;
        int rc = DESKBELL_E_NOMEM;

        (void)unused;
        input_begin(env, what, &in);
        struct deskbell_file_source *files = rows_of(&in, sizeof(*files), &options.files_count);
        bool are_read = read_files(env, &in, bytes, files, options.files_count);
        options.files = files;
        options.text = input_text(&in);
        options.log = (enum deskbell_log)input_number(&in);
        options.reply_to = input_number(&in);
        options.cmid = input_text(&in);
        options.wait_for_disk = (int)input_number(&in);
        if (are_read && !in.is_bad)
                rc = deskbell_send_file(conversation_of(conversation), &options, cmid);
        return_files(env, bytes, files, options.files_count);
        input_done(&in);
        return give_ascii(env, rc, cmid, out);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static jint JNICALL mark_read(JNIEnv *env, jclass unused, jlong conversation, jlong seq)
{
        (void)env;
        (void)unused;
        return deskbell_mark_read(conversation_of(conversation), seq);
}

static jint JNICALL typing(JNIEnv *env, jclass unused, jlong conversation)
{
        (void)env;
        (void)unused;
        return deskbell_typing(conversation_of(conversation));
}

static jint JNICALL entry_done(JNIEnv *env, jclass unused, jlong conversation, jint log, jlong number)
{
        (void)env;
        (void)unused;
        return deskbell_entry_done(conversation_of(conversation), (enum deskbell_log)log, number);
}

static jint JNICALL history(JNIEnv *env, jclass unused, jlong conversation, jlong handle, jbyteArray how, jlong id)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;
        struct input in;
        int rc = DESKBELL_E_NOMEM;

        (void)unused;
        input_begin(env, how, &in);
        options.log = (enum deskbell_log)input_number(&in);
        options.before = input_number(&in);
        options.after = input_number(&in);
        options.limit = (int)input_number(&in);
        options.from_server = (int)input_number(&in);
        struct owed *owed = owed_new(bridge_of(handle), id);
        if (owed && !in.is_bad)
                rc = deskbell_history(conversation_of(conversation), &options, tell_history, owed);
        if (rc < 0)
                free(owed);
        input_done(&in);
        return rc;
}

static jint JNICALL search(JNIEnv *env, jclass unused, jlong handle, jbyteArray how, jlong id)
{
        struct deskbell_search_options options = DESKBELL_SEARCH_OPTIONS_INIT;
        struct input in;
        int rc = DESKBELL_E_NOMEM;

        (void)unused;
        input_begin(env, how, &in);
        const char *query = input_text(&in);
        options.limit = (int)input_number(&in);
        options.before = input_text(&in);
        struct owed *owed = owed_new(bridge_of(handle), id);
        if (owed && !in.is_bad)
                rc = deskbell_search(client_of(handle), query, &options, tell_search, owed);
        if (rc < 0)
                free(owed);
        input_done(&in);
        return rc;
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

static struct deskbell_form_field *read_form(struct input *in, size_t *out_count)
{
        struct deskbell_form_field *form = rows_of(in, sizeof(*form), out_count);

        for (size_t i = 0; i < *out_count; i++) {
                form[i].id = input_text(in);
                form[i].label = input_text(in);
                form[i].input = input_text(in);
                form[i].required = (int)input_number(in);
        }
        return form;
}

/* out[0]: a record of the id of the first that does not fit. */
static jint JNICALL form_check(JNIEnv *env, jclass unused, jbyteArray both, jobjectArray out)
{
        size_t form_count, values_count;
        const char *wrong = NULL;
        struct record record = {0};
        struct input in;

        (void)unused;
        input_begin(env, both, &in);
        struct deskbell_form_field *form = read_form(&in, &form_count);
        struct deskbell_form_value *values = read_values(&in, &values_count);
        int rc = in.is_bad ? DESKBELL_E_NOMEM : deskbell_form_check(form, form_count, values, values_count, &wrong);
        if (rc == DESKBELL_E_FORM) {
                record_text(&record, wrong);
                jbyteArray array = record_take(env, &record);
                if (array)
                        (*env)->SetObjectArrayElement(env, out, 0, array);
        }
        free(values);
        free(form);
        input_done(&in);
        return rc;
}

const JNINativeMethod message_methods[] = {
        METHOD("conversationOpen", "(J[B[J)I", open_key),
        METHOD("conversationOpenId", "(J[B[J)I", open_id),
        METHOD("conversationClose", "(J)I", close_conversation),
        METHOD("conversations", "(J[[B)I", conversations),
        METHOD("conversationIsOf", "(JJ)Z", is_of),
        METHOD("conversationId", "(J)Ljava/lang/String;", id_of),
        METHOD("send", "(J[B[Ljava/lang/String;)I", send_text),
        METHOD("edit", "(J[B[Ljava/lang/String;)I", edit),
        METHOD("erase", "(J[B[Ljava/lang/String;)I", erase),
        METHOD("sendFile", "(J[B[Ljava/lang/Object;[Ljava/lang/String;)I", send_file),
        METHOD("markRead", "(JJ)I", mark_read),
        METHOD("typing", "(J)I", typing),
        METHOD("entryDone", "(JIJ)I", entry_done),
        METHOD("history", "(JJ[BJ)I", history),
        METHOD("search", "(J[BJ)I", search),
        METHOD("formCheck", "([B[[B)I", form_check),
        METHOD("surveyAnswer", "(J[B[Ljava/lang/String;)I", survey_answer),
        METHOD("surveyCheck", "([B[[B)I", survey_check),
};
const int message_methods_count = sizeof(message_methods) / sizeof(message_methods[0]);
