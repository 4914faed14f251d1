/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto thread: looks up what a login needs on a connection of its own, hashes the password, and hands the command
 * on to the desk, which decides again on what is true then. At most 8 wait. Guesses are counted by account and by
 * address before anything is hashed; both counts are the same for accounts that are not there. */
#include "desk/desk_private.h"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk/password.h"
#include "desk/side_thread.h"

enum {
        WAITING_MAX = 8,
        BUCKETS = 8192,     /* shared by what falls together: never more guesses than promised */
        ACCOUNT_BURST = 10, /* guesses at once; then one in so long */
        ACCOUNT_EVERY_MS = 30000,
        ADDRESS_BURST = 30,
        ADDRESS_EVERY_MS = 6000,
        BUSY_RETRY_MS = 1000,
};

struct bucket {
        uint32_t spent_milli; /* thousandths of a guess */
        uint64_t at_ms;       /* monotonic */
};

struct crypto {
        struct side_thread side;
        atomic_int waiting;
        uint8_t seed[16];
        struct bucket accounts[BUCKETS], addresses[BUCKETS];
        char nobodys[PASSWORD_ENCODED]; /* what is verified where there is no account */
        bool has_nobodys;
};

/* ---- guesses ---- */

static struct bucket *bucket_of(const struct crypto *crypto, struct bucket *buckets, const void *name, size_t len)
{
        uint8_t bytes[16 + 256], digest[SHA256_DIGEST_LENGTH];
        len = len < 256 ? len : 256;
        memcpy(bytes, crypto->seed, sizeof crypto->seed);
        memcpy(bytes + 16, name, len);
        SHA256(bytes, 16 + len, digest);
        return &buckets[(digest[0] | (size_t)digest[1] << 8) % BUCKETS];
}

/* 0: one guess was taken; else ms until there is one. */
static int64_t take_guess(struct bucket *bucket, uint32_t burst, uint32_t every_ms)
{
        uint64_t now_ms = clock_mono_ms(), back = (now_ms - bucket->at_ms) * 1000 / every_ms;
        bucket->spent_milli = back >= bucket->spent_milli ? 0 : bucket->spent_milli - (uint32_t)back;
        bucket->at_ms = now_ms;
        if (bucket->spent_milli + 1000 > burst * 1000)
                return (int64_t)(bucket->spent_milli + 1000 - burst * 1000) * every_ms / 1000 + 1;
        bucket->spent_milli += 1000;
        return 0;
}

static int64_t take_address(struct crypto *crypto, const struct in6_addr *address)
{
        bool is_v4 = IN6_IS_ADDR_V4MAPPED(address);
        return take_guess(bucket_of(crypto, crypto->addresses, address, is_v4 ? 16 : 8), ADDRESS_BURST,
                          ADDRESS_EVERY_MS);
}

static int64_t take_account(struct crypto *crypto, struct span email)
{
        return take_guess(bucket_of(crypto, crypto->accounts, email.at, email.len), ACCOUNT_BURST, ACCOUNT_EVERY_MS);
}

/* ---- the work ---- */

static int store_failed(const struct crypto *crypto, int rc)
{
        log_error(&crypto->side.desk->log, "a login could not be looked up", "code", rc, "why",
                  db_message(crypto->side.db));
        return -PROTOCOL_ERR_INTERNAL;
}

static int find_credential(struct crypto *crypto, struct span email, struct login *login,
                           char encoded[PASSWORD_ENCODED])
{
        struct db_stmt *stmt = db_stmt(crypto->side.db, SQL_CREDENTIAL_BY_EMAIL);
        db_bind_text(stmt, 1, email);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct span stored = db_text(stmt, 1);
        login->principal = db_int(stmt, 0);
        login->changed_ms = db_int(stmt, 2);
        if (stored.len < PASSWORD_ENCODED) {
                memcpy(encoded, stored.at, stored.len);
                encoded[stored.len] = 0;
        }
        db_reset(stmt);
        return DB_ROW;
}

static int check_password(struct crypto *crypto, struct desk_command *command, int64_t *out_retry_ms,
                          struct fault *fault)
{
        const struct protocol_login_password *params = command->params;
        char encoded[PASSWORD_ENCODED];
        *out_retry_ms = take_account(crypto, params->email);
        if (*out_retry_ms > 0)
                return -PROTOCOL_ERR_RATE_LIMITED;
        if (!crypto->has_nobodys)
                crypto->has_nobodys = password_hash(SPAN("nobody has this one"), crypto->nobodys) == 0;
        memcpy(encoded, crypto->nobodys, sizeof encoded);
        int rc = find_credential(crypto, params->email, command->login, encoded);
        if (rc < 0)
                return store_failed(crypto, rc);
        bool fits =
                password_fits(encoded, params->password); /* the same work whether there is such an account or not */
        if (rc == DB_ROW && fits)
                return 0;
        return fault_set(fault, PROTOCOL_ERR_TOKEN_INVALID, "password", "address and password of an agent");
}

static int check_invite(struct crypto *crypto, struct desk_command *command, struct fault *fault)
{
        const struct protocol_login_accept_invite *params = command->params;
        uint8_t hash[32];
        const char *wrong = password_fault(params->password);
        if (wrong)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "password", wrong);
        SHA256((const uint8_t *)params->invite.at, params->invite.len, hash);
        struct db_stmt *stmt = db_stmt(crypto->side.db, SQL_PRINCIPAL_BY_INVITE);
        db_bind_blob(stmt, 1, hash, sizeof hash);
        int rc = db_step(stmt);
        if (rc < 0)
                return store_failed(crypto, rc);
        bool is_good = rc == DB_ROW && db_int(stmt, 1) > clock_wall_ms();
        db_reset(stmt);
        if (!is_good)
                return fault_set(fault, PROTOCOL_ERR_TOKEN_INVALID, "invite", "an invitation that was not used yet");
        return password_hash(params->password, command->login->encoded) < 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

static void refuse(struct crypto *crypto, struct desk_command *command, int error, int64_t retry_ms,
                   const struct fault *fault)
{
        struct desk *desk = crypto->side.desk;
        char first[512], room[INET6_ADDRSTRLEN];
        struct writer out;
        writer_init(&out, first, sizeof first);
        bool permanent = protocol_error_info((enum protocol_error)error)->permanent;
        frame_error(&out, &command->id, (enum protocol_error)error,
                    permanent      ? -1
                    : retry_ms > 0 ? retry_ms
                                   : BUSY_RETRY_MS,
                    fault);
        struct desk_note *note =
                note_new(NOTE_REPLY, command->from, (struct span){out.bytes, out.failed ? 0 : out.len});
        writer_done(&out);
        const char *address = inet_ntop(AF_INET6, &command->login->address, room, sizeof room);
        denied_say(protocol_methods[command->method].name, error, (struct principal_id){0}, span_of(address));
        if (!note)
                return;
        note->is_http = command->is_http;
        if (command->from.thread >= desk->sink_count ||
            mailbox_force(desk->sinks[command->from.thread], &note->item, sizeof *note + note->len) < 0)
                note_free(note);
}

static void run_one(struct crypto *crypto, struct desk_command *command)
{
        struct fault fault = {0};
        int64_t retry_ms = take_address(crypto, &command->login->address);
        int rc = retry_ms > 0                                   ? -PROTOCOL_ERR_RATE_LIMITED
                 : command->method == PROTOCOL_M_LOGIN_PASSWORD ? check_password(crypto, command, &retry_ms, &fault)
                                                                : check_invite(crypto, command, &fault);
        if (rc == 0)
                rc = desk_post(crypto->side.desk, command);
        if (rc == 0)
                return; /* the desk's now */
        refuse(crypto, command, -rc, retry_ms, &fault);
        command_free(command);
}

static void *crypto_main(void *data)
{
        struct crypto *crypto = data;
        for (;;) {
                struct mailbox_item *item = mailbox_wait(&crypto->side.in, -1);
                if (!item)
                        return NULL; /* closed */
                while (item) {
                        struct desk_command *command = command_of(item);
                        item = item->next;
                        command->item.next = NULL;
                        if (atomic_load(&crypto->side.is_stopping))
                                command_free(command);
                        else
                                run_one(crypto, command);
                        atomic_fetch_sub(&crypto->waiting, 1);
                }
        }
}

/* ---- life ---- */

int crypto_start(struct desk *desk)
{
        struct crypto *crypto = calloc(1, sizeof *crypto);
        if (!crypto)
                return DB_NOMEM;
        random_bytes(crypto->seed, sizeof crypto->seed);
        desk->crypto = crypto;
        return side_thread_start(&crypto->side, desk, WAITING_MAX + 1, "crypto", crypto_main, crypto);
}

void crypto_stop(struct desk *desk)
{
        if (desk->crypto)
                side_thread_stop(&desk->crypto->side);
}

void crypto_free(struct desk *desk)
{
        struct crypto *crypto = desk->crypto;
        if (!crypto)
                return;
        struct mailbox_item *item = mailbox_take(&crypto->side.in);
        while (item) {
                struct mailbox_item *next = item->next;
                command_free(command_of(item));
                item = next;
        }
        side_thread_done(&crypto->side);
        free(crypto);
        desk->crypto = NULL;
}

int desk_post_login(struct desk *desk, struct desk_command *command)
{
        struct crypto *crypto = desk->crypto;
        if (!crypto)
                return -PROTOCOL_ERR_UNAVAILABLE;
        if (atomic_fetch_add(&crypto->waiting, 1) > WAITING_MAX ||
            mailbox_push(&crypto->side.in, &command->item, command->bytes) < 0) {
                atomic_fetch_sub(&crypto->waiting, 1);
                return -PROTOCOL_ERR_OVERLOADED;
        }
        return 0;
}
