/* SPDX-License-Identifier: Apache-2.0 */
/* Seal: keys and values; see seal.h. What is always true: a nonce is random and never given by the application's own
 * randomness, which may be loaded dice; nothing of a value is given out before its tag was found right. */
#include "seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#include "platform.h"

enum { FORM = 1, SALT_BYTES = 16, NONCE_BYTES = 12, TAG_BYTES = 16, CHECK_BYTES = 8 };

struct seal {
        uint8_t data_key[SEAL_KEY_BYTES];
        EVP_CIPHER_CTX *closing, *opening; /* with the key for values */
};

int seal_derive(const uint8_t *secret, size_t secret_len, struct span salt, const char *purpose,
                uint8_t out_key[SEAL_KEY_BYTES])
{
        uint8_t mixed[SHA256_DIGEST_LENGTH], info[64];
        size_t len = strlen(purpose);
        unsigned int made = 0;
        const void *with = salt.len ? salt.at : "";

        if (len >= sizeof(info))
                return SEAL_NO_MEMORY;
        memcpy(info, purpose, len);
        info[len++] = 1; /* the first block is all that is wanted */
        bool is_made = HMAC(EVP_sha256(), with, (int)salt.len, secret, secret_len, mixed, &made) &&
                       HMAC(EVP_sha256(), mixed, sizeof(mixed), info, len, out_key, &made);
        OPENSSL_cleanse(mixed, sizeof(mixed));
        return is_made ? 0 : SEAL_NO_MEMORY;
}

/* ---- one box: AES-256-GCM with a nonce before and a tag behind --------------------------------------------------- */

static int close_box(EVP_CIPHER_CTX *cipher, struct span place, struct span plain, const uint8_t nonce[NONCE_BYTES],
                     uint8_t *out)
{
        int len = 0;
        bool is_closed = EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, nonce) == 1 &&
                         EVP_EncryptUpdate(cipher, NULL, &len, (const uint8_t *)place.at, (int)place.len) == 1 &&
                         (plain.len == 0 ||
                          EVP_EncryptUpdate(cipher, out, &len, (const uint8_t *)plain.at, (int)plain.len) == 1) &&
                         EVP_EncryptFinal_ex(cipher, out + plain.len, &len) == 1 &&
                         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + plain.len) == 1;

        return is_closed ? 0 : SEAL_NO_MEMORY;
}

/* `in` is `len` bytes and the tag. */
static int open_box(EVP_CIPHER_CTX *cipher, struct span place, const uint8_t nonce[NONCE_BYTES], const uint8_t *in,
                    size_t len, uint8_t *out)
{
        uint8_t tag[TAG_BYTES];
        int got = 0;

        memcpy(tag, in + len, sizeof(tag));
        bool is_open = EVP_DecryptInit_ex(cipher, NULL, NULL, NULL, nonce) == 1 &&
                       EVP_DecryptUpdate(cipher, NULL, &got, (const uint8_t *)place.at, (int)place.len) == 1 &&
                       (len == 0 || EVP_DecryptUpdate(cipher, out, &got, in, (int)len) == 1) &&
                       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
                       EVP_DecryptFinal_ex(cipher, out + len, &got) == 1;
        if (!is_open && len)
                OPENSSL_cleanse(out, len);
        return is_open ? 0 : SEAL_REFUSED;
}

static EVP_CIPHER_CTX *cipher_for(const uint8_t key[SEAL_KEY_BYTES], int closes)
{
        EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

        if (cipher && EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, NULL, closes) != 1) {
                EVP_CIPHER_CTX_free(cipher);
                return NULL;
        }
        return cipher;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

struct seal *seal_free(struct seal *seal)
{
        if (!seal)
                return NULL;
        EVP_CIPHER_CTX_free(seal->closing); /* overwrites what it knows of the key */
        EVP_CIPHER_CTX_free(seal->opening);
        platform_secret_free(seal, sizeof(*seal));
        return NULL;
}

/* Its data key is there: makes the rest. */
static struct seal *make_ready(struct seal *seal)
{
        uint8_t key[SEAL_KEY_BYTES];

        if (seal_derive(seal->data_key, sizeof(seal->data_key), (struct span){0}, "deskbell values 1", key) < 0)
                return seal_free(seal);
        seal->closing = cipher_for(key, 1);
        seal->opening = cipher_for(key, 0);
        OPENSSL_cleanse(key, sizeof(key));
        return seal->closing && seal->opening ? seal : seal_free(seal);
}

struct seal *seal_new(void)
{
        struct seal *seal = platform_secret_new(sizeof(struct seal));

        if (!seal || RAND_priv_bytes(seal->data_key, sizeof(seal->data_key)) != 1)
                return seal_free(seal);
        return make_ready(seal);
}

static EVP_CIPHER_CTX *wrapper(const uint8_t key[SEAL_KEY_BYTES], const uint8_t salt[SALT_BYTES], int closes)
{
        uint8_t made[SEAL_KEY_BYTES];
        EVP_CIPHER_CTX *cipher = NULL;

        if (seal_derive(key, SEAL_KEY_BYTES, (struct span){(const char *)salt, SALT_BYTES}, "deskbell wrap 1", made) ==
            0)
                cipher = cipher_for(made, closes);
        OPENSSL_cleanse(made, sizeof(made));
        return cipher;
}

/* Tells a changed byte from a wrong key. */
static void make_check(const uint8_t wrapped[SEAL_WRAPPED_BYTES], uint8_t out[CHECK_BYTES])
{
        uint8_t hash[SHA256_DIGEST_LENGTH];

        SHA256(wrapped, SEAL_WRAPPED_BYTES - CHECK_BYTES, hash);
        memcpy(out, hash, CHECK_BYTES);
}

int seal_wrap(const struct seal *seal, const uint8_t key[SEAL_KEY_BYTES], uint8_t out_wrapped[SEAL_WRAPPED_BYTES])
{
        uint8_t whole[SEAL_WRAPPED_BYTES] = {FORM};
        uint8_t *salt = whole + 1, *nonce = salt + SALT_BYTES, *box = nonce + NONCE_BYTES;

        if (RAND_bytes(salt, SALT_BYTES + NONCE_BYTES) != 1)
                return SEAL_NO_MEMORY;
        EVP_CIPHER_CTX *cipher = wrapper(key, salt, 1);
        int rc = cipher ? close_box(cipher, (struct span){(const char *)whole, 1 + SALT_BYTES},
                                    (struct span){(const char *)seal->data_key, SEAL_KEY_BYTES}, nonce, box)
                        : SEAL_NO_MEMORY;
        EVP_CIPHER_CTX_free(cipher);
        if (rc < 0)
                return rc;
        make_check(whole, whole + SEAL_WRAPPED_BYTES - CHECK_BYTES);
        memcpy(out_wrapped, whole, sizeof(whole));
        return 0;
}

int seal_unwrap(const uint8_t key[SEAL_KEY_BYTES], const uint8_t wrapped[SEAL_WRAPPED_BYTES], struct seal **out_seal)
{
        const uint8_t *salt = wrapped + 1, *nonce = salt + SALT_BYTES, *box = nonce + NONCE_BYTES;
        uint8_t check[CHECK_BYTES];

        make_check(wrapped, check);
        if (wrapped[0] != FORM || memcmp(check, wrapped + SEAL_WRAPPED_BYTES - CHECK_BYTES, CHECK_BYTES) != 0)
                return SEAL_BROKEN;
        struct seal *seal = platform_secret_new(sizeof(struct seal));
        EVP_CIPHER_CTX *cipher = seal ? wrapper(key, salt, 0) : NULL;
        int rc = cipher ? open_box(cipher, (struct span){(const char *)wrapped, 1 + SALT_BYTES}, nonce, box,
                                   SEAL_KEY_BYTES, seal->data_key)
                        : SEAL_NO_MEMORY;
        EVP_CIPHER_CTX_free(cipher);
        if (rc < 0) {
                seal_free(seal);
                return rc;
        }
        seal = make_ready(seal);
        if (!seal)
                return SEAL_NO_MEMORY;
        *out_seal = seal;
        return 0;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

enum { PLACE_ROOM = 512 };

/* The form is bound like the place. */
static bool add_form(uint8_t form, struct span place, uint8_t room[PLACE_ROOM + 1], struct span *out)
{
        if (place.len > PLACE_ROOM)
                return false;
        room[0] = form;
        memcpy(room + 1, place.at, place.len);
        *out = (struct span){(const char *)room, place.len + 1};
        return true;
}

int seal_close(struct seal *seal, struct span place, uint8_t form, struct span plain, uint8_t *out)
{
        uint8_t room[PLACE_ROOM + 1];
        struct span bound;

        if (!add_form(form, place, room, &bound) || RAND_bytes(out + 1, NONCE_BYTES) != 1)
                return SEAL_NO_MEMORY;
        out[0] = form;
        return close_box(seal->closing, bound, plain, out + 1, out + 1 + NONCE_BYTES);
}

int seal_open(struct seal *seal, struct span place, struct span sealed, uint8_t *out_form, uint8_t *out)
{
        const uint8_t *in = (const uint8_t *)sealed.at;
        uint8_t room[PLACE_ROOM + 1];
        struct span bound;

        if (sealed.len < SEAL_EXTRA_BYTES || !add_form(in[0], place, room, &bound))
                return SEAL_REFUSED;
        int rc = open_box(seal->opening, bound, in + 1, in + 1 + NONCE_BYTES, sealed.len - SEAL_EXTRA_BYTES, out);
        if (rc == 0)
                *out_form = in[0];
        return rc;
}
