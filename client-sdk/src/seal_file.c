/* SPDX-License-Identifier: Apache-2.0 */
/* Seal: whole files, in chunks that can be opened each by itself. A key seals one file only; the nonce of a chunk is
 * its number, and each is bound to the length of the whole, so that none can be changed, moved, left out or added. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seal.h"

enum { CHUNK = 65536, TAG_BYTES = 16, NONCE_BYTES = 12, BOUND_BYTES = 16 };

static const char aside_name[16] = "deskbell aside 1";

/* A file that is worked on. */
struct sealing {
        EVP_CIPHER_CTX *cipher;
        uint8_t bound[BOUND_BYTES];
        uint8_t *box; /* a chunk and its tag */
};

static void put_number(uint8_t *out, uint64_t number)
{
        for (int i = 0; i < 8; i++)
                out[i] = (uint8_t)(number >> (56 - 8 * i));
}

static uint64_t get_number(const uint8_t *in)
{
        uint64_t number = 0;

        for (int i = 0; i < 8; i++)
                number = number << 8 | in[i];
        return number;
}

static bool begin(struct sealing *sealing, const uint8_t key[SEAL_KEY_BYTES], int64_t size, int closes)
{
        memcpy(sealing->bound, "chunk 1\0", 8);
        put_number(sealing->bound + 8, (uint64_t)size);
        sealing->box = malloc(CHUNK + TAG_BYTES);
        sealing->cipher = EVP_CIPHER_CTX_new();
        return sealing->box && sealing->cipher &&
               EVP_CipherInit_ex(sealing->cipher, EVP_aes_256_gcm(), NULL, key, NULL, closes) == 1;
}

static void end(struct sealing *sealing)
{
        EVP_CIPHER_CTX_free(sealing->cipher);
        free(sealing->box);
}

/* Closing or opening chunk number `number`, of `len` bytes, from `in` to `out`, up to the tag. */
static bool turn_over(struct sealing *sealing, uint64_t number, const uint8_t *in, size_t len, uint8_t *out)
{
        uint8_t nonce[NONCE_BYTES] = {0};
        int got = 0;

        put_number(nonce + NONCE_BYTES - 8, number);
        return EVP_CipherInit_ex(sealing->cipher, NULL, NULL, NULL, nonce, -1) == 1 &&
               EVP_CipherUpdate(sealing->cipher, NULL, &got, sealing->bound, BOUND_BYTES) == 1 &&
               EVP_CipherUpdate(sealing->cipher, out, &got, in, (int)len) == 1;
}

static int put_chunk(struct sealing *sealing, int fd, uint64_t number, const uint8_t *bytes, size_t len)
{
        size_t have = 0, all = len + TAG_BYTES;
        int got = 0;

        if (!turn_over(sealing, number, bytes, len, sealing->box) ||
            EVP_EncryptFinal_ex(sealing->cipher, sealing->box + len, &got) != 1 ||
            EVP_CIPHER_CTX_ctrl(sealing->cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealing->box + len) != 1)
                return SEAL_NO_MEMORY;
        while (have < all) {
                ssize_t wrote = write(fd, sealing->box + have, all - have);
                if (wrote < 0 && errno != EINTR)
                        return SEAL_BROKEN;
                have += wrote > 0 ? (size_t)wrote : 0;
        }
        return 0;
}

static bool read_whole(int fd, void *out, size_t len, int64_t offset)
{
        size_t have = 0;

        while (have < len) {
                ssize_t got = pread(fd, (uint8_t *)out + have, len - have, offset + (int64_t)have);
                if (got == 0 || (got < 0 && errno != EINTR))
                        return false;
                have += got > 0 ? (size_t)got : 0;
        }
        return true;
}

int seal_file_key(uint8_t out_key[SEAL_KEY_BYTES])
{
        return RAND_priv_bytes(out_key, SEAL_KEY_BYTES) == 1 ? 0 : SEAL_NO_MEMORY;
}

int64_t seal_file_size(int64_t plain_bytes)
{
        return plain_bytes + (plain_bytes + CHUNK - 1) / CHUNK * TAG_BYTES;
}

int seal_file_write(int fd, const uint8_t key[SEAL_KEY_BYTES], const void *bytes, size_t len)
{
        struct sealing sealing = {0};
        int rc = begin(&sealing, key, (int64_t)len, 1) ? 0 : SEAL_NO_MEMORY;

        for (size_t at = 0; rc == 0 && at < len; at += CHUNK)
                rc = put_chunk(&sealing, fd, at / CHUNK, (const uint8_t *)bytes + at,
                               len - at < CHUNK ? len - at : CHUNK);
        end(&sealing);
        return rc;
}

int seal_file_copy(int fd, const uint8_t key[SEAL_KEY_BYTES], int from, int64_t size)
{
        struct sealing sealing = {0};
        uint8_t *plain = malloc(CHUNK);
        int rc = begin(&sealing, key, size, 1) && plain ? 0 : SEAL_NO_MEMORY;

        for (int64_t at = 0; rc == 0 && at < size; at += CHUNK) {
                size_t len = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
                rc = read_whole(from, plain, len, at) ? 0 : SEAL_BROKEN;
                if (rc == 0)
                        rc = put_chunk(&sealing, fd, (uint64_t)(at / CHUNK), plain, len);
        }
        if (plain)
                OPENSSL_cleanse(plain, CHUNK);
        free(plain);
        end(&sealing);
        return rc;
}

/* Opens a chunk of `len` bytes within the box. */
static int get_chunk(struct sealing *sealing, int fd, int64_t begins, uint64_t number, size_t len)
{
        uint8_t tag[TAG_BYTES];
        int got = 0;

        if (!read_whole(fd, sealing->box, len + TAG_BYTES, begins + (int64_t)number * (CHUNK + TAG_BYTES)))
                return SEAL_BROKEN;
        memcpy(tag, sealing->box + len, TAG_BYTES);
        bool is_open = turn_over(sealing, number, sealing->box, len, sealing->box) &&
                       EVP_CIPHER_CTX_ctrl(sealing->cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
                       EVP_DecryptFinal_ex(sealing->cipher, sealing->box + len, &got) == 1;
        return is_open ? 0 : SEAL_REFUSED;
}

int seal_file_read(int fd, const uint8_t key[SEAL_KEY_BYTES], int64_t begins, int64_t size, int64_t offset, void *out,
                   size_t len)
{
        struct sealing sealing = {0};
        int rc = begin(&sealing, key, size, 0) ? 0 : SEAL_NO_MEMORY;

        while (rc == 0 && len) {
                int64_t number = offset / CHUNK;
                size_t within = (size_t)(offset % CHUNK);
                size_t chunk = size - number * CHUNK < CHUNK ? (size_t)(size - number * CHUNK) : CHUNK;
                size_t part = chunk - within < len ? chunk - within : len;
                rc = offset < size ? get_chunk(&sealing, fd, begins, (uint64_t)number, chunk) : SEAL_BROKEN;
                if (rc < 0)
                        break;
                memcpy(out, sealing.box + within, part);
                out = (uint8_t *)out + part;
                offset += (int64_t)part;
                len -= part;
        }
        if (sealing.box)
                OPENSSL_cleanse(sealing.box, CHUNK);
        end(&sealing);
        return rc;
}

int seal_aside_begin(const uint8_t store_key[SEAL_KEY_BYTES], int64_t size, uint8_t out_head[SEAL_ASIDE_BYTES],
                     uint8_t out_key[SEAL_KEY_BYTES])
{
        memcpy(out_head, aside_name, sizeof(aside_name));
        if (RAND_bytes(out_head + 16, 16) != 1)
                return SEAL_NO_MEMORY;
        put_number(out_head + 32, (uint64_t)size);
        return seal_derive(store_key, SEAL_KEY_BYTES, (struct span){(const char *)out_head + 16, 16},
                           "deskbell aside 1", out_key);
}

bool seal_aside_look(const uint8_t store_key[SEAL_KEY_BYTES], const uint8_t head[SEAL_ASIDE_BYTES], int64_t *out_size,
                     uint8_t out_key[SEAL_KEY_BYTES])
{
        if (memcmp(head, aside_name, sizeof(aside_name)) != 0)
                return false;
        *out_size = (int64_t)get_number(head + 32);
        return seal_derive(store_key, SEAL_KEY_BYTES, (struct span){(const char *)head + 16, 16}, "deskbell aside 1",
                           out_key) == 0;
}
