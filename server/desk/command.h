/* SPDX-License-Identifier: Apache-2.0 */
/* Command: one thing the desk or a reader is asked to do. Made on a network thread (or by the operator's socket),
 * handed over whole, freed by who executed it. */
#pragma once

#include "edge/edge.h"
#include "ops/mailbox.h"
#include "protocol/frame.h"
#include "protocol/hot.h"

enum command_kind {
        COMMAND_METHOD, /* a request or notification of a client, or of the operator */
        COMMAND_CLOSED, /* the connection `from` is gone */
        COMMAND_DRAIN,  /* tell every connection to leave */
        COMMAND_IDLE,   /* the session `from`, of an agent, has been silent for long, or (not is_idle) speaks again */
        COMMAND_FILE_LOOK,      /* to a reader: whether somebody may have a file (file_look.h) */
        COMMAND_FILE_GONE,      /* a file has left the disk; `memory` holds its row id */
        COMMAND_OUTBOUND,       /* what came of tries of webhooks */
        COMMAND_BOT_TURN,       /* a bot.act of a bot that has no connection */
        COMMAND_BOT_FAILED,     /* such a bot has no answer; bot_origin says why */
        COMMAND_BOT_PROMISED,   /* a webhook bot will answer later */
        COMMAND_BOT_UNREADABLE, /* a built-in bot's version cannot be loaded; bot_origin names it */
        COMMAND_BOT_LEARNED,    /* to the builder: such a version; and back to the desk, with what became of it */
};

/* Who asks, as the session proved it. */
struct caller {
        int64_t principal;      /* row id; 0 = the operator, or nobody yet */
        int64_t workspace, app; /* row ids; app is 0 for staff */
        enum principal_role role;
        bool via_app; /* an app's back end writes for it: only in conversations of `app` */
};

/* What a session.open, or an HTTP request, has proved before it reaches the desk. */
struct opening {
        enum {
                OPENING_USER,
                OPENING_NEW_VISITOR,
                OPENING_VISITOR,
                OPENING_STAFF,
                OPENING_BOT, /* a bot key: `bot` */
                OPENING_APP, /* an app key that acts for `act_as`, or for the user `subject` */
        } how;
        int64_t workspace, app;       /* row ids, from the key ring */
        uint64_t key_tag;             /* of the signing key; 0 = none */
        int64_t issued_s, expires_ms; /* user token; 0 = does not apply */
        uint8_t secret_hash[32];      /* visitor's secret or staff token, SHA-256 */
        char secret[48];              /* new visitor: the secret to tell */
        char http_token[48];          /* session.open: the Bearer token to tell; "" = none */
        int64_t bot;                  /* row id */
        bool has_claim;               /* OPENING_USER: the visitor of this secret is claimed */
        bool is_claim_refused;        /* set by the desk */
        uint8_t claim_hash[32];
        struct principal_id act_as;
        char subject[129], name[801], email[255], locale[36];
        char tier[65], attrs[4097]; /* what the user token says beside; "" = nothing */
};

/* A login on its way: what the crypto thread has found out for the desk. */
struct login {
        struct in6_addr address; /* of the peer: its guesses are counted */
        int64_t principal;       /* row id */
        int64_t changed_ms;      /* of the password that fits */
        char encoded[160];       /* accept_invite: the new password as it is stored */
};

/* Where a bot's turn comes from. */
struct bot_origin {
        uint64_t conv;              /* outside id */
        int64_t turn, bot, version; /* bot: row id; version: row id, 0 = none */
        char version_name[17];      /* first digits of its hash; "" = none */
        const char *why;            /* static: of a failure */
        int outcome;                /* COMMAND_BOT_LEARNED: enum bot_relearn_outcome */
        uint64_t took_ms;           /* the same */
};

struct desk_command {
        struct mailbox_item item; /* first */
        enum command_kind kind;
        struct edge_ref from;
        enum protocol_method method;
        struct request_id id;
        struct caller caller;
        void *params;        /* the method's struct; of COMMAND_OUTBOUND: results */
        size_t result_count; /* COMMAND_OUTBOUND */
        struct arena arena;
        size_t bytes;            /* for the bounds of the queue */
        struct span stored;      /* message.send, message.edit: content in stored form */
        uint8_t hash[16];        /* of what the command says, for A4 and A6 */
        struct opening *opening; /* session.open, and HTTP without an http_token; malloc'd, owned */
        struct span act_as;      /* of an app key: whom it writes for */
        struct login *login;     /* login.password, login.accept_invite; malloc'd, owned */
        struct file_job *ended;  /* upload.end: what a files thread has found; owned */
        struct bot_draft *draft; /* bot.draft: what the builder has made of it; owned */
        void (*done)(void *data, struct span response); /* operator */
        void *done_data;
        struct bot_origin bot_origin; /* COMMAND_BOT_... */
        bool is_answered;
        bool is_idle; /* COMMAND_IDLE */
        bool is_http; /* `from` is a request over HTTP: the answer goes there */
        char memory[];
};

/* A command with `room` bytes of its own (the arena starts there). NULL: out of memory. */
struct desk_command *command_new(enum command_kind kind, size_t room);
struct desk_command *command_free(struct desk_command *command); /* NULL is welcome; returns NULL */

static inline struct desk_command *command_of(struct mailbox_item *item)
{
        return (struct desk_command *)item;
}

/* Makes the command of a request: copies `body`, decodes it strictly, checks content and hashes it. 0, or a negative
 * protocol error with `fault` filled. `role` decides who may send which kind. */
int command_decode(enum protocol_method method, const struct request_id *id, struct span body, enum principal_role role,
                   struct desk_command **out_command, struct fault *fault);
