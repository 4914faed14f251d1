/* SPDX-License-Identifier: Apache-2.0 */
/* Who is calling: a user token is verified against the key ring, a visitor's secret and a staff token are hashed for
 * the desk to look up. Nothing here believes what the client says of itself. */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "session/net_private.h"

/* Tokens that the operator makes begin with this; user tokens never do (a JWS begins with '{' in base64url, "eyJ"). */
static const char STAFF_PREFIX[] = "dbs_";

static void hash_secret(struct span secret, uint8_t out[32])
{
        SHA256((const uint8_t *)secret.at, secret.len, out);
}

/* A token names its app in `aud`, but what is in it is not believed before the signature is checked: the app whose key
 * of that kid verifies it with that app as audience is the one. */
static int verify(struct net *net, struct span token, struct jwt_claims *claims, const struct keyring_app **out_app,
                  const struct keyring_key **out_key)
{
        char kid[65];
        if (jwt_peek_kid(token, kid) < 0)
                return -PROTOCOL_ERR_TOKEN_INVALID;
        int verdict = JWT_INVALID;
        for (size_t i = 0; verdict == JWT_INVALID; i++) {
                const struct keyring_app *app = keyring_app_at(net->keyring, i);
                if (!app)
                        break;
                const struct keyring_key *key = keyring_key(app, kid);
                if (!key)
                        continue;
                char audience[ID_TEXT_BYTES];
                id_write(audience, "app", app->ext);
                verdict = jwt_verify(key->key, token, (struct span){audience, sizeof audience}, clock_wall_ms() / 1000,
                                     claims);
                *out_app = app;
                *out_key = key;
        }
        return verdict == JWT_OK        ? 0
               : verdict == JWT_EXPIRED ? -PROTOCOL_ERR_TOKEN_EXPIRED
                                        : -PROTOCOL_ERR_TOKEN_INVALID;
}

static int prove_user(struct net *net, struct span token, struct opening *opening)
{
        struct jwt_claims claims;
        const struct keyring_app *app = NULL;
        const struct keyring_key *key = NULL;
        int rc = verify(net, token, &claims, &app, &key);
        if (rc < 0)
                return rc;
        opening->how = OPENING_USER;
        opening->workspace = app->workspace;
        opening->app = app->id;
        opening->key_tag = key->tag;
        opening->issued_s = claims.issued_s;
        opening->expires_ms = claims.expires_s * 1000;
        snprintf(opening->subject, sizeof opening->subject, "%s", claims.subject);
        snprintf(opening->name, sizeof opening->name, "%s", claims.name);
        snprintf(opening->email, sizeof opening->email, "%s", claims.email);
        snprintf(opening->locale, sizeof opening->locale, "%s", claims.locale);
        snprintf(opening->tier, sizeof opening->tier, "%s", claims.tier);
        snprintf(opening->attrs, sizeof opening->attrs, "%s", claims.attrs ? claims.attrs : "");
        free(claims.attrs);
        return 0;
}

/* 32 random bytes as base64url without padding: 43 characters. */
static void make_secret(char out[48])
{
        uint8_t bytes[32];
        char text[48];
        random_bytes(bytes, sizeof bytes);
        int len = EVP_EncodeBlock((uint8_t *)text, bytes, sizeof bytes);
        size_t kept = 0;
        for (int i = 0; i < len && text[i] != '='; i++)
                out[kept++] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
        out[kept] = 0;
}

static int prove_visitor(struct net *net, const struct protocol_visitor *visitor, struct opening *opening)
{
        const struct keyring_app *app = keyring_app(net->keyring, visitor->app);
        if (!app)
                return -PROTOCOL_ERR_TOKEN_INVALID;
        opening->workspace = app->workspace;
        opening->app = app->id;
        opening->how = visitor->has_secret ? OPENING_VISITOR : OPENING_NEW_VISITOR;
        if (!visitor->has_secret)
                make_secret(opening->secret);
        hash_secret(visitor->has_secret ? visitor->secret : span_of(opening->secret), opening->secret_hash);
        return 0;
}

static bool begins(struct span token, const char prefix[4])
{
        return token.len > 4 && memcmp(token.at, prefix, 4) == 0;
}

/* "dba_": an app's back end, "dbb_": a bot. */
static int prove_access(struct net *net, struct span token, struct opening *opening)
{
        uint8_t hash[32];
        bool for_bot = begins(token, "dbb_");
        hash_secret(token, hash);
        const struct keyring_access *access = keyring_find_access(net->keyring, hash);
        if (!access || for_bot != (access->bot != 0))
                return -PROTOCOL_ERR_TOKEN_INVALID;
        opening->how = for_bot ? OPENING_BOT : OPENING_APP;
        opening->workspace = access->workspace;
        opening->app = access->app;
        opening->bot = access->bot;
        opening->key_tag = access->tag;
        return 0;
}

static int prove_token(struct net *net, struct span token, struct opening *opening)
{
        if (begins(token, "dba_") || begins(token, "dbb_"))
                return prove_access(net, token, opening);
        if (!begins(token, STAFF_PREFIX))
                return prove_user(net, token, opening);
        opening->how = OPENING_STAFF;
        hash_secret(token, opening->secret_hash);
        return 0;
}

int proof_bearer(struct net *net, struct span token, struct opening **out_opening)
{
        struct opening *opening = calloc(1, sizeof *opening);
        if (!opening)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = prove_token(net, token, opening);
        if (rc == 0)
                *out_opening = opening;
        else
                free(opening);
        return rc;
}

int proof_make(struct net *net, const struct protocol_session_open *params, struct opening **out_opening)
{
        if (params->has_token == params->has_visitor)
                return -PROTOCOL_ERR_BAD_REQUEST;
        struct opening *opening = calloc(1, sizeof *opening);
        if (!opening)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = 0;
        if (params->has_visitor) {
                rc = prove_visitor(net, &params->visitor, opening);
        } else {
                rc = prove_token(net, params->token, opening);
                if (rc == 0 && opening->how == OPENING_APP)
                        rc = -PROTOCOL_ERR_TOKEN_INVALID; /* back ends have no sessions */
        }
        if (rc == 0 && params->has_claim) {
                opening->has_claim = true;
                hash_secret(params->claim, opening->claim_hash);
                if (opening->how != OPENING_USER)
                        rc = -PROTOCOL_ERR_BAD_REQUEST;
        }
        if (rc < 0) {
                free(opening);
                return rc;
        }
        if (params->has_locale && !opening->locale[0])
                snprintf(opening->locale, sizeof opening->locale, "%.*s", (int)params->locale.len, params->locale.at);
        *out_opening = opening;
        return 0;
}

void proof_hash_subject(const char *subject, uint8_t out[8])
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        SHA256((const uint8_t *)subject, strlen(subject), digest);
        memcpy(out, digest, 8);
}

int proof_renew(struct net *net, const struct session *session, struct span token, int64_t *out_expires_ms)
{
        struct jwt_claims claims;
        const struct keyring_app *app = NULL;
        const struct keyring_key *key = NULL;
        int rc = verify(net, token, &claims, &app, &key);
        if (rc < 0)
                return rc;
        free(claims.attrs);
        uint8_t subject_hash[8];
        proof_hash_subject(claims.subject, subject_hash);
        if (app->id != session->caller.app || memcmp(subject_hash, session->subject_hash, sizeof subject_hash) != 0)
                return -PROTOCOL_ERR_TOKEN_INVALID; /* only for the same principal */
        *out_expires_ms = claims.expires_s * 1000;
        return 0;
}
