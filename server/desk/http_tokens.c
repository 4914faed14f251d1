/* SPDX-License-Identifier: Apache-2.0 */
/* Http tokens: a hash table by SHA-256, and a queue of those whose session has ended, oldest first. */
#include "desk/http_tokens.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

#include "ops/random.h"

enum { SLOTS = 4096, ENDED_MAX = 100000 }; /* slots: a power of two */

struct token {
        uint8_t hash[32];
        struct http_bearer bearer;
        uint64_t until_ms;                       /* monotonic; 0 = its session lives */
        struct token *hash_next, *older, *newer; /* the queue holds only those that have ended */
};

struct http_tokens {
        pthread_mutex_t lock;
        struct token *slots[SLOTS];
        struct token *oldest, *newest;
        size_t ended;
};

struct http_tokens *http_tokens_new(void)
{
        struct http_tokens *tokens = calloc(1, sizeof *tokens);
        if (tokens)
                pthread_mutex_init(&tokens->lock, NULL);
        return tokens;
}

struct http_tokens *http_tokens_free(struct http_tokens *tokens)
{
        if (!tokens)
                return NULL;
        for (size_t i = 0; i < SLOTS; i++) {
                while (tokens->slots[i]) {
                        struct token *token = tokens->slots[i];
                        tokens->slots[i] = token->hash_next;
                        free(token);
                }
        }
        pthread_mutex_destroy(&tokens->lock);
        free(tokens);
        return NULL;
}

void http_token_hash(struct span text, uint8_t out_hash[32])
{
        SHA256((const uint8_t *)text.at, text.len, out_hash);
}

void http_token_make(char out_text[HTTP_TOKEN_TEXT])
{
        uint8_t bytes[32];
        char base64[48];
        random_bytes(bytes, sizeof bytes);
        EVP_EncodeBlock((uint8_t *)base64, bytes, sizeof bytes); /* 43 characters and one of padding */
        memcpy(out_text, "dbh_", 4);
        for (size_t i = 0; i < 43; i++)
                out_text[4 + i] = base64[i] == '+' ? '-' : base64[i] == '/' ? '_' : base64[i];
        out_text[47] = 0;
}

static struct token **slot_of(struct http_tokens *tokens, const uint8_t hash[32])
{
        return &tokens->slots[(hash[0] | (size_t)hash[1] << 8) & (SLOTS - 1)];
}

static struct token **link_of(struct http_tokens *tokens, const uint8_t hash[32])
{
        struct token **link = slot_of(tokens, hash);
        while (*link && memcmp((*link)->hash, hash, 32) != 0)
                link = &(*link)->hash_next;
        return link;
}

static void drop(struct http_tokens *tokens, struct token **link)
{
        struct token *token = *link;
        assert(token);
        *link = token->hash_next;
        if (token->until_ms != 0) {
                *(token->older ? &token->older->newer : &tokens->oldest) = token->newer;
                *(token->newer ? &token->newer->older : &tokens->newest) = token->older;
                tokens->ended--;
        }
        free(token);
}

static void sweep(struct http_tokens *tokens, uint64_t mono_ms)
{
        while (tokens->oldest && (tokens->oldest->until_ms <= mono_ms || tokens->ended > ENDED_MAX))
                drop(tokens, link_of(tokens, tokens->oldest->hash));
}

int http_tokens_put(struct http_tokens *tokens, struct span text, const struct http_bearer *bearer)
{
        struct token *token = calloc(1, sizeof *token);
        if (!token)
                return -1;
        http_token_hash(text, token->hash);
        token->bearer = *bearer;
        pthread_mutex_lock(&tokens->lock);
        struct token **slot = slot_of(tokens, token->hash);
        token->hash_next = *slot;
        *slot = token;
        pthread_mutex_unlock(&tokens->lock);
        return 0;
}

bool http_tokens_find(struct http_tokens *tokens, struct span text, uint64_t mono_ms, struct http_bearer *out_bearer)
{
        uint8_t hash[32];
        http_token_hash(text, hash);
        pthread_mutex_lock(&tokens->lock);
        sweep(tokens, mono_ms);
        const struct token *token = *link_of(tokens, hash);
        if (token)
                *out_bearer = token->bearer;
        pthread_mutex_unlock(&tokens->lock);
        return token != NULL;
}

void http_tokens_end(struct http_tokens *tokens, const uint8_t hash[32], uint64_t mono_ms, bool at_once)
{
        pthread_mutex_lock(&tokens->lock);
        struct token **link = link_of(tokens, hash);
        struct token *token = *link;
        if (token && at_once) {
                drop(tokens, link);
        } else if (token && token->until_ms == 0) {
                token->until_ms = mono_ms + HTTP_TOKEN_KEPT_MS;
                token->older = tokens->newest;
                *(tokens->newest ? &tokens->newest->newer : &tokens->oldest) = token;
                tokens->newest = token;
                tokens->ended++;
        }
        sweep(tokens, mono_ms);
        pthread_mutex_unlock(&tokens->lock);
}

void http_tokens_drop_principal(struct http_tokens *tokens, int64_t principal)
{
        pthread_mutex_lock(&tokens->lock);
        for (size_t i = 0; i < SLOTS; i++) {
                struct token **link = &tokens->slots[i];
                while (*link) {
                        if ((*link)->bearer.caller.principal == principal)
                                drop(tokens, link);
                        else
                                link = &(*link)->hash_next;
                }
        }
        pthread_mutex_unlock(&tokens->lock);
}
