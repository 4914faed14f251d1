/* SPDX-License-Identifier: Apache-2.0 */
/* Note: what the desk or a reader tells a network thread. Handed over whole; freed by the network thread. */
#pragma once

#include "desk/command.h"

enum note_kind {
        NOTE_REPLY,   /* bytes for the connection `to`; ends one request */
        NOTE_OPENED,  /* the session `to` is open as `caller`; bytes are its answer */
        NOTE_REFUSED, /* session.open failed: bytes are the answer, then close with `close_code` */
        NOTE_WATCH,   /* `to` watches conversation `conv` from now on; bytes are the answer */
        NOTE_UNWATCH,
        NOTE_EVENT,       /* frame for the customer's connections (unless team) and everybody who watches `conv` */
        NOTE_FEED,        /* bytes: a staff feed row of `conv` at `rev`; `place` says whose it is */
        NOTE_MOVED,       /* bytes: a struct reach_move; `conv` belongs to others since `rev` */
        NOTE_AGENTS,      /* frame for the connections of the agent `customer`, 0 = of all agents of the workspace */
        NOTE_VIEW,        /* frame for the connections in bytes (an array of struct edge_ref) that are not slow */
        NOTE_VIEW_COUNTS, /* the same, for the slow too */
        NOTE_ATTENDANCE,  /* bytes: an array of struct attendance_change, for the agents who watch */
        NOTE_GIVEN,       /* `conv` belongs to `customer` from now on; bytes: its attendance_change, or nothing */
        NOTE_TEAM,        /* the team's word for customers: `is_here` */
        NOTE_CLOSE,       /* `to` has to go, with close_code */
        NOTE_FILE,        /* bytes: a struct file_grant, for the transfer of that number */
        NOTE_DRAIN,       /* everybody has to go, with close_code */
};

/* What has become of a customer's presence. */
struct attendance_change {
        int64_t customer; /* row id */
        uint64_t ext;
        int64_t seen_ms; /* wall, to the minute; 0 = not told */
        bool is_online;
};

struct desk_note {
        struct mailbox_item item; /* first */
        enum note_kind kind;
        struct edge_ref to;
        struct caller caller;    /* NOTE_OPENED */
        struct principal_id who; /* NOTE_OPENED */
        int64_t expires_ms;      /* NOTE_OPENED: of the token; 0 = none */
        uint64_t key_tag;        /* NOTE_OPENED */
        int64_t conv, customer;  /* row ids; customer 0 = staff only */
        uint64_t conv_ext;       /* NOTE_WATCH */
        int64_t workspace, rev;
        struct edge_ref except;    /* NOTE_EVENT: not to this one */
        struct edge_frame *frame;  /* NOTE_EVENT, NOTE_AGENTS: one reference, owned */
        struct reach *reach;       /* NOTE_OPENED of staff; malloc'd, owned until it is taken */
        struct reach_place *place; /* NOTE_FEED, the same; NULL = only for who may read all */
        int close_code;
        bool is_here; /* NOTE_TEAM */
        bool is_http; /* `to` is a request over HTTP */
        bool is_page; /* NOTE_REPLY: a reader's, which may be long */
        size_t len;
        char bytes[];
};

struct desk_note *note_new(enum note_kind kind, struct edge_ref to, struct span bytes); /* NULL: out of memory */
struct desk_note *note_free(struct desk_note *note);

static inline struct desk_note *note_of(struct mailbox_item *item)
{
        return (struct desk_note *)item;
}
