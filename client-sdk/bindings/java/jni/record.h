/* SPDX-License-Identifier: Apache-2.0 */
/* Values between C and Java in one array of bytes, so that a callback costs one call and one local reference: numbers
 * are 8 bytes in the machine's order, a text is its length (-1 = NULL), its UTF-8 and, on the way to C, a zero byte.
 * What is written here Unpacker.java reads, and what Packer.java writes is read here, in the same order. Any thread. */
#ifndef DESKBELL_JNI_RECORD_H
#define DESKBELL_JNI_RECORD_H

#include <jni.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On its way to Java. Zeroed at the start; ended by record_take. */
struct record {
        char *bytes;
        size_t len, room;
        bool is_lost; /* there was no memory */
};

void record_number(struct record *record, int64_t number);
void record_text(struct record *record, const char *text); /* NULL is written as "" */
void record_raw(struct record *record, const void *bytes, size_t len);

/* Leaves an OutOfMemoryError pending, unless something is. */
void record_throw_nomem(JNIEnv *env);

/* The array of it, a local reference; NULL with an OutOfMemoryError pending. Frees the record in every case. */
jbyteArray record_take(JNIEnv *env, struct record *record);

/* On its way to C: what Packer.bytes gave. */
struct input {
        char *bytes; /* ended by a zero byte of its own */
        size_t len, at;
        bool is_bad; /* read beyond the end, or there was no memory: all that is read is 0 and NULL */
};

/* Copies the array; ended by input_done. */
void input_begin(JNIEnv *env, jbyteArray array, struct input *out_input);
int64_t input_number(struct input *input);
const char *input_text(struct input *input); /* lives until input_done; NULL = null */
const void *input_raw(struct input *input, size_t len);
void input_done(struct input *input); /* wipes the copy: a token or key may have been in it */

#endif
