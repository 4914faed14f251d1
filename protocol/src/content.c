/* SPDX-License-Identifier: Apache-2.0 */
/* Content: what of a message is stored and hashed (hot.h). The stored form is the generated encoder's: members in the
 * order of the schema, whatever order they came in, so that equal contents have equal hashes.
 *
 * OpenSSL's low-level SHA-256 on purpose: it cannot fail and takes no memory. The EVP calls (and SHA256(), which is
 * made of them) look the algorithm up each time, which costs more than hashing a message. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "protocol/hot.h"

void content_store(struct writer *writer, const struct protocol_content *content)
{
        protocol_content_write(writer, content);
}

void content_hash(int kind, struct span stored, uint8_t out_hash[16])
{
        unsigned char first = (unsigned char)kind, digest[SHA256_DIGEST_LENGTH];
        SHA256_CTX context;

        SHA256_Init(&context);
        SHA256_Update(&context, &first, 1);
        SHA256_Update(&context, stored.at, stored.len);
        SHA256_Final(digest, &context);
        memcpy(out_hash, digest, 16);
}
