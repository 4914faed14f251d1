/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of people/ share. Desk thread only, but for the permission texts. */
#pragma once

#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/people/reach.h"

enum { AWAY_REASONS = 50, PERMISSIONS_TEXT = 512, TOLD_EVERY_MS = 500, TOLD_AT_ONCE = 100, UNINVITED = 64 };

struct role {
        int64_t id;
        uint64_t ext;
        char name[321];
        uint32_t permissions;
};

struct away_reason {
        char reason[65];
        int64_t minutes; /* 0 = no bound */
};

struct uninvited {
        int64_t conv, agent;
};

struct people {
        struct team **teams; /* by row id */
        struct agent_profile **agents;
        size_t team_count, agent_count;
        struct role roles[PEOPLE_ROLES];
        size_t role_count;
        struct away_reason reasons[AWAY_REASONS];
        size_t reason_count;
        struct uninvited uninvited[UNINVITED]; /* in this batch */
        size_t uninvited_count;
        bool are_changed;     /* in this batch: read again after the commit */
        bool is_status_moved; /* in this batch: read again when it is not kept */
        bool is_closing;      /* in this batch, somebody */
        bool has_come;        /* an agent is connected whose status does not say so yet */
        bool has_untold;      /* somebody's is_untold */
        uint64_t gone_due_ms; /* monotonic; UINT64_MAX = nobody has gone */
        uint64_t told_ms;     /* monotonic; of the last event `status` */
};

/* roles.c: names with a space between. Unknown ones count for nothing. */
uint32_t permissions_read(struct span text);
struct span permissions_write(uint32_t permissions, char out[PERMISSIONS_TEXT]);
/* What a role allows; 0 = nothing, also when there is no such role. `custom`: text of a custom role, absent = none. */
uint32_t permissions_of_role(int64_t role, struct span custom);
/* Its row id, and what it allows; 0 = there is none. */
int64_t people_role_ext(const struct desk *desk, uint64_t ext, uint32_t *out_permissions);
uint64_t people_role_name(const struct desk *desk, int64_t role, struct span *out_name); /* its outside id */
/* Whether the caller has all of them himself. */
bool people_has_all(const struct desk *desk, const struct caller *caller, uint32_t permissions);

/* people.c */
/* A schedule that a handler was told: its row id. 0 or -PROTOCOL_ERR_NOT_FOUND with the field. */
int people_find_schedule(struct desk *desk, uint64_t ext, int64_t *out_schedule, struct fault *fault);
/* What the agent may do changes from `was` to `is` (permissions), or his teams do (both the same): his connections are
 * closed with the commit and come back, and read all again when he reaches something else. 0 or a negative protocol
 * error. */
int people_rights_moved(struct desk *desk, struct agent_profile *agent, uint32_t was, uint32_t is);
/* His row is there to be changed. 0 or a negative protocol error. */
int people_make_profile(struct desk *desk, const struct agent_profile *agent);
/* A count of one statement with the workspace as its parameter; negative protocol error. */
int64_t people_count(struct desk *desk, enum sql_id id);

/* In memory, at once. */
void people_join(struct agent_profile *agent, int64_t team);
void people_part(struct agent_profile *agent, int64_t team);

/* status.c */
void people_status_loaded(struct desk *desk); /* all was read: who has to be looked at */
