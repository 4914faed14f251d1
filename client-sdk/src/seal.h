/* SPDX-License-Identifier: Apache-2.0 */
/* Seal: what lies on the device under a key that the application gives. A store has a random key of its own (the data
 * key), which is kept only wrapped by the application's; every value is sealed with AES-256-GCM under a key made from
 * the data key and bound to its place, so that it cannot be changed, moved or exchanged for another. Copies of bytes
 * have a random key each and are sealed in chunks, so that any piece of them can be read.
 *
 * No SQLite here and no state of the process. A `struct seal` is for one thread at a time; its data key lies in memory
 * that is not swapped out or dumped where the system allows that, and is overwritten at the end. Why it is like this:
 * docs/decisions/0006-store-encryption.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

struct seal;

enum {
        SEAL_KEY_BYTES = 32,
        SEAL_EXTRA_BYTES = 1 + 12 + 16,                 /* form, nonce, tag: so much longer is a sealed value */
        SEAL_WRAPPED_BYTES = 1 + 16 + 12 + 32 + 16 + 8, /* form, salt, nonce, key, tag, check */
        SEAL_ASIDE_BYTES = 16 + 16 + 8,                 /* before the chunks of a file set aside */
};

/* What the functions below return beside 0. */
enum {
        SEAL_NO_MEMORY = -1, /* or no randomness */
        SEAL_REFUSED = -2,   /* under another key, of another place, or changed */
        SEAL_BROKEN = -3, /* unwrap: not a wrapped key any more, whatever the key; files: cannot be read or written */
};

/* A new data key. NULL: no memory or no randomness. */
struct seal *seal_new(void);
struct seal *seal_free(struct seal *seal); /* NULL is welcome; always returns NULL */

/* The data key as it is kept, under the application's key; each time other bytes. */
int seal_wrap(const struct seal *seal, const uint8_t key[SEAL_KEY_BYTES], uint8_t out_wrapped[SEAL_WRAPPED_BYTES]);
int seal_unwrap(const uint8_t key[SEAL_KEY_BYTES], const uint8_t wrapped[SEAL_WRAPPED_BYTES], struct seal **out_seal);

/* `place` says what the value is and where it stands; `form` (any but 0) comes back with it. `out` has room for
 * plain.len + SEAL_EXTRA_BYTES. */
int seal_close(struct seal *seal, struct span place, uint8_t form, struct span plain, uint8_t *out);
/* `out` has room for sealed.len - SEAL_EXTRA_BYTES. */
int seal_open(struct seal *seal, struct span place, struct span sealed, uint8_t *out_form, uint8_t *out);

/* ---- seal_file.c: whole files ---- */

int seal_file_key(uint8_t out_key[SEAL_KEY_BYTES]); /* a fresh one; 0 or SEAL_NO_MEMORY */
int64_t seal_file_size(int64_t plain_bytes);        /* what they take when sealed */
/* Appends to `fd` what is `len` bytes in memory, or the first `size` bytes of `from`. Not synced. */
int seal_file_write(int fd, const uint8_t key[SEAL_KEY_BYTES], const void *bytes, size_t len);
int seal_file_copy(int fd, const uint8_t key[SEAL_KEY_BYTES], int from, int64_t size);
/* Bytes [offset, offset + len) of a file of `size` plain bytes, whose chunks begin at `begin` in `fd`. */
int seal_file_read(int fd, const uint8_t key[SEAL_KEY_BYTES], int64_t begin, int64_t size, int64_t offset, void *out,
                   size_t len);

/* The beginning of a file that was set aside and is sealed whole: a name, a salt and the plain length. */
int seal_aside_begin(const uint8_t store_key[SEAL_KEY_BYTES], int64_t size, uint8_t out_head[SEAL_ASIDE_BYTES],
                     uint8_t out_key[SEAL_KEY_BYTES]);
/* False: it does not begin like one. */
bool seal_aside_look(const uint8_t store_key[SEAL_KEY_BYTES], const uint8_t head[SEAL_ASIDE_BYTES], int64_t *out_size,
                     uint8_t out_key[SEAL_KEY_BYTES]);

/* ---- for the files of this module ---- */

/* HKDF with SHA-256 (RFC 5869), 32 bytes of it. */
int seal_derive(const uint8_t *secret, size_t secret_len, struct span salt, const char *purpose,
                uint8_t out_key[SEAL_KEY_BYTES]);
