/* SPDX-License-Identifier: Apache-2.0 */
/* Records and inputs: see record.h. An input is written by this package's own Java side; it is bounded all the same, so
 * that a library and a jar of different versions fail instead of reading beyond the array. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD_FIRST_BYTES = 512, RECORD_MAX_BYTES = 1 << 30 };

static char *room_for(struct record *record, size_t more)
{
        if (record->is_lost || more > RECORD_MAX_BYTES - record->len) {
                record->is_lost = true;
                return NULL;
        }
        if (record->room - record->len < more) {
                size_t room = record->room ? record->room : RECORD_FIRST_BYTES;
                while (room - record->len < more)
                        room *= 2;
                char *larger = realloc(record->bytes, room);
                if (!larger) {
                        record->is_lost = true;
                        return NULL;
                }
                record->bytes = larger;
                record->room = room;
        }
        char *at = record->bytes + record->len;
        record->len += more;
        return at;
}

void record_raw(struct record *record, const void *bytes, size_t len)
{
        char *at = len ? room_for(record, len) : NULL;

        if (at)
                memcpy(at, bytes, len);
}

void record_number(struct record *record, int64_t number)
{
        record_raw(record, &number, sizeof(number));
}

void record_text(struct record *record, const char *text)
{
        size_t len = text ? strlen(text) : 0;

        record_number(record, (int64_t)len);
        record_raw(record, text, len);
}

void record_throw_nomem(JNIEnv *env)
{
        if ((*env)->ExceptionCheck(env))
                return;
        jclass kind = (*env)->FindClass(env, "java/lang/OutOfMemoryError");
        if (!kind)
                return; /* then something else is pending */
        (*env)->ThrowNew(env, kind, "deskbell");
        (*env)->DeleteLocalRef(env, kind);
}

jbyteArray record_take(JNIEnv *env, struct record *record)
{
        jbyteArray array = record->is_lost ? NULL : (*env)->NewByteArray(env, (jsize)record->len);

        if (array)
                (*env)->SetByteArrayRegion(env, array, 0, (jsize)record->len, (const jbyte *)record->bytes);
        else
                record_throw_nomem(env);
        free(record->bytes);
        *record = (struct record){0};
        return array;
}

void input_begin(JNIEnv *env, jbyteArray array, struct input *out_input)
{
        size_t len = (size_t)(*env)->GetArrayLength(env, array);

        *out_input = (struct input){.bytes = malloc(len + 1), .len = len};
        if (!out_input->bytes) {
                out_input->is_bad = true;
                return;
        }
        (*env)->GetByteArrayRegion(env, array, 0, (jsize)len, (jbyte *)out_input->bytes);
        out_input->bytes[len] = '\0';
}

const void *input_raw(struct input *input, size_t len)
{
        if (input->is_bad || len > input->len - input->at) {
                input->is_bad = true;
                return NULL;
        }
        const void *at = input->bytes + input->at;
        input->at += len;
        return at;
}

int64_t input_number(struct input *input)
{
        int64_t number = 0;
        const void *at = input_raw(input, sizeof(number));

        if (at)
                memcpy(&number, at, sizeof(number));
        return number;
}

const char *input_text(struct input *input)
{
        int64_t len = input_number(input);

        if (len < 0 || input->is_bad)
                return NULL;
        if (len > INT32_MAX) {
                input->is_bad = true;
                return NULL;
        }
        return input_raw(input, (size_t)len + 1);
}

void input_done(struct input *input)
{
        if (input->bytes)
                memset(input->bytes, 0, input->len);
        __asm__ volatile("" : : "r"(input->bytes) : "memory"); /* so that the compiler keeps the memset */
        free(input->bytes);
        *input = (struct input){.is_bad = true};
}
