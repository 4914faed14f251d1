/* SPDX-License-Identifier: Apache-2.0 */
/* Tls: what lws leaves open: only TLS 1.2 and 1.3, only forward secrecy and AEAD, nothing kept between sessions; and a
 * new certificate is tried on the side before the old one goes. */
#include "edge/edge_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509err.h>
#include <stdio.h>

#define CIPHERS_12                                                                                                     \
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                     \
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

void tls_set_up(struct edge *edge, struct lws_context_creation_info *info)
{
        if (!edge->options.cert_path)
                return;
        info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info->ssl_cert_filepath = edge->options.cert_path;
        info->ssl_private_key_filepath = edge->options.key_path;
        info->ssl_cipher_list = CIPHERS_12;
        info->tls1_3_plus_cipher_list = CIPHERS_13;
        info->alpn = "http/1.1";
}

void tls_harden(struct edge *edge, SSL_CTX *ctx)
{
        edge->ssl_ctx = ctx;
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

static bool is_mismatch(unsigned long error)
{
        int reason = ERR_GET_REASON(error);
        return ERR_GET_LIB(error) == ERR_LIB_X509 &&
               (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH);
}

static int complain(const char *what, const char *path, char **out_why)
{
        char reason[160] = "";
        unsigned long error = ERR_peek_last_error();
        if (error)
                ERR_error_string_n(error, reason, sizeof(reason));
        ERR_clear_error();
        if (asprintf(out_why, "%s: %s (%s)", path, what, reason) < 0)
                *out_why = NULL;
        return -EINVAL;
}

int tls_check_pair(const char *cert_path, const char *key_path, char **out_why)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        if (!ctx)
                return complain("cannot set up TLS", cert_path, out_why);
        int rc = 0;
        if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1)
                rc = complain("is not a readable PEM certificate", cert_path, out_why);
        else if (SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1)
                rc = complain(is_mismatch(ERR_peek_last_error()) ? "does not belong to the certificate"
                                                                 : "is not a readable PEM private key",
                              key_path, out_why);
        else if (SSL_CTX_check_private_key(ctx) != 1)
                rc = complain("does not belong to the certificate", key_path, out_why);
        SSL_CTX_free(ctx);
        return rc;
}

int edge_reload_tls(struct edge *edge, char **out_why)
{
        *out_why = NULL;
        const struct edge_options *options = &edge->options;
        if (!edge->ssl_ctx)
                return 0;
        int rc = tls_check_pair(options->cert_path, options->key_path, out_why);
        if (rc < 0)
                return rc;
        if (lws_tls_cert_updated(edge->context, options->cert_path, options->key_path, NULL, 0, NULL, 0) != 0)
                return complain("was refused when it was loaded", options->cert_path, out_why);
        return 0;
}
