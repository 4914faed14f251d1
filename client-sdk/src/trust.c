/* SPDX-License-Identifier: Apache-2.0 */
/* Trust: the roots are one store for all connections of a client (those of the system are 700 kB), read by the first
 * connection and not on the application's thread. */
#include "trust.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deskbell/deskbell.h"

enum { PINS_MAX = 16, PIN_TEXT_BYTES = 44 };

static const char pin_begin[] = "sha256/";

struct trust {
        char *ca_file;
        pthread_mutex_t lock; /* the store's making */
        X509_STORE *store;
        size_t pins_count;
        unsigned char pins[PINS_MAX][SHA256_DIGEST_LENGTH];
};

static bool read_pin(const char *text, unsigned char out[SHA256_DIGEST_LENGTH])
{
        unsigned char room[PIN_TEXT_BYTES];

        if (!text || strncmp(text, pin_begin, strlen(pin_begin)) != 0)
                return false;
        text += strlen(pin_begin);
        if (strlen(text) != PIN_TEXT_BYTES || text[PIN_TEXT_BYTES - 1] != '=' || text[PIN_TEXT_BYTES - 2] == '=' ||
            EVP_DecodeBlock(room, (const unsigned char *)text, PIN_TEXT_BYTES) != SHA256_DIGEST_LENGTH + 1)
                return false;
        memcpy(out, room, SHA256_DIGEST_LENGTH);
        return true;
}

int trust_new(const char *ca_file, const char *const *pins, size_t pins_count, struct trust **out_trust)
{
        if (pins_count > PINS_MAX || (pins_count && !pins))
                return DESKBELL_E_INVALID;

        struct trust *trust = calloc(1, sizeof(*trust));
        if (!trust)
                return DESKBELL_E_NOMEM;
        pthread_mutex_init(&trust->lock, NULL);
        trust->pins_count = pins_count;
        for (size_t i = 0; i < pins_count; i++) {
                if (!read_pin(pins[i], trust->pins[i])) {
                        trust_free(trust);
                        return DESKBELL_E_INVALID;
                }
        }
        trust->ca_file = ca_file ? strdup(ca_file) : NULL;
        if (ca_file && !trust->ca_file) {
                trust_free(trust);
                return DESKBELL_E_NOMEM;
        }
        *out_trust = trust;
        return 0;
}

struct trust *trust_free(struct trust *trust)
{
        if (!trust)
                return NULL;
        X509_STORE_free(trust->store);
        pthread_mutex_destroy(&trust->lock);
        free(trust->ca_file);
        free(trust);
        return NULL;
}

static X509_STORE *roots_of(struct trust *trust)
{
        pthread_mutex_lock(&trust->lock);
        if (!trust->store && (trust->store = X509_STORE_new())) {
                if (trust->ca_file)
                        X509_STORE_load_locations(trust->store, trust->ca_file, NULL);
                else
                        X509_STORE_set_default_paths(trust->store);
                ERR_clear_error();
        }
        pthread_mutex_unlock(&trust->lock);
        return trust->store;
}

bool trust_set_up(struct trust *trust, SSL_CTX *tls)
{
        X509_STORE *roots = roots_of(trust);

        if (!roots || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1)
                return false;
        SSL_CTX_set1_cert_store(tls, roots);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        return true;
}

static bool name_host(X509_STORE_CTX *chain, const char *host)
{
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(chain);

        /* One of the two is asked for, never both: whoever made the connection may have set either. */
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
                return X509_VERIFY_PARAM_set1_host(param, NULL, 0) == 1;
        return X509_VERIFY_PARAM_set1_ip(param, NULL, 0) == 1 && X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static bool is_pinned(const struct trust *trust, X509 *certificate)
{
        unsigned char *key = NULL, hash[SHA256_DIGEST_LENGTH];
        int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
        bool is = false;

        if (len <= 0)
                return false;
        SHA256(key, (size_t)len, hash);
        OPENSSL_free(key);
        for (size_t i = 0; i < trust->pins_count && !is; i++)
                is = memcmp(hash, trust->pins[i], sizeof(hash)) == 0;
        return is;
}

static bool has_pin(const struct trust *trust, X509_STORE_CTX *chain)
{
        STACK_OF(X509) *certificates = X509_STORE_CTX_get0_chain(chain);
        bool has = trust->pins_count == 0;

        for (int i = 0; i < sk_X509_num(certificates) && !has; i++)
                has = is_pinned(trust, sk_X509_value(certificates, i));
        return has;
}

int trust_verify(const struct trust *trust, X509_STORE_CTX *chain, const char *host, struct trust_verdict *out_verdict)
{
        *out_verdict = (struct trust_verdict){0};
        if (!name_host(chain, host)) {
                X509_STORE_CTX_set_error(chain, X509_V_ERR_OUT_OF_MEM);
                snprintf(out_verdict->reason, sizeof(out_verdict->reason), "out of memory");
                return 0;
        }
        if (X509_verify_cert(chain) != 1) {
                snprintf(out_verdict->reason, sizeof(out_verdict->reason), "%s",
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain)));
                return 0;
        }
        if (has_pin(trust, chain))
                return 1;
        X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
        out_verdict->is_pin = true;
        snprintf(out_verdict->reason, sizeof(out_verdict->reason), "no certificate of the chain has a pinned key");
        return 0;
}
