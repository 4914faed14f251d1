/* SPDX-License-Identifier: Apache-2.0 */
/* People: teams, what each agent may do, can do and is doing, and which conversations he may read (docs/desk.md).
 *
 * All of it is in memory, and in the store. What an administrator changes is read again after the commit; status
 * changes within the batch, and is read again when the batch is not kept. A team or a profile, once lent, stays where
 * it is until the desk is freed; a removed one is marked. Desk thread only, but for what says otherwise. */
#pragma once

#include "desk/command.h"

struct conversation;
struct db;
struct desk;
struct edge_frame;
struct reach;

enum {
        PEOPLE_TEAMS = 200,
        PEOPLE_AGENTS = 1000,
        PEOPLE_ROLES = 50, /* beside the built-in ones */
        PEOPLE_TEAMS_OF_AGENT = 32,
        PEOPLE_SKILLS = 32, /* of an agent */
        PEOPLE_LANGUAGES = 10,
        PEOPLE_INVITED = 20,     /* to one conversation */
        PEOPLE_CAPACITY = 5,     /* of an agent who was never told */
        PEOPLE_GRACE_MS = 60000, /* without a connection, before an agent counts as offline */
};

enum people_manner { PEOPLE_LEAST_LOADED = 1, PEOPLE_ROUND_ROBIN = 2, PEOPLE_STICKY = 3 };

/* In the store; a number never changes its meaning. */
enum agent_status { AGENT_ONLINE = 1, AGENT_BUSY = 2, AGENT_AWAY = 3, AGENT_OFFLINE = 4 };

struct team {
        int64_t id;   /* row id */
        uint64_t ext; /* tea_... */
        char name[321];
        enum people_manner manner;
        int64_t sticky_ms;        /* PEOPLE_STICKY: how long the last agent is asked first */
        int64_t accept_ms;        /* to accept an offer; 0 = tickets are assigned without asking */
        int64_t schedule;         /* row id; 0 = always open */
        int64_t requeue_ms;       /* offline_requeue: grace after its agent went away or offline */
        bool wants_consent;       /* the customer confirms that a ticket is solved */
        bool offline_requeue;     /* open tickets of an agent who is gone go back to the queue */
        bool must_speak_language; /* the ticket's language is demanded, not only preferred */
        bool is_removed;
};

struct agent_profile {
        int64_t id;   /* row id of the principal */
        uint64_t ext; /* agt_... */
        int64_t role; /* row id of a custom role, or enum people_role */
        uint32_t permissions;
        int32_t capacity, wake_cap; /* weight of tickets at once; how far over it when silent ones wake */
        int64_t schedule;           /* row id; 0 = none */
        uint64_t reach_rev;         /* the change number at which what he may read was last changed; 0 = never */
        char languages[PEOPLE_LANGUAGES][36];
        char skills[PEOPLE_SKILLS][65];
        int64_t teams[PEOPLE_TEAMS_OF_AGENT]; /* row ids, ascending */
        uint8_t language_count, skill_count, team_count;
        enum agent_status status; /* as others see it */
        enum agent_status chosen; /* what he said; status is AGENT_OFFLINE instead while he is not connected */
        char reason[65];          /* of AGENT_AWAY; "" = none */
        int64_t since_ms;         /* wall; of status */
        uint64_t gone_ms;         /* monotonic; his last connection went; 0 = connected, or told as offline */
        int64_t away_before_ms;   /* spent away for `reason` in the 24 h before since_ms; -1 = not looked up yet */
        uint32_t connections;
        int32_t load;        /* weight of his open tickets; routing keeps it */
        bool is_gone;        /* revoked */
        bool is_untold;      /* agents have to hear of his status */
        bool is_reach_moved; /* in this batch: what he may read has changed */
        bool is_closing;     /* in this batch: what he may do has changed, his connections have to come again */
};

/* agent_profile.role in the store; custom roles have larger row ids. */
enum people_role { PEOPLE_ROLE_AGENT = 1, PEOPLE_ROLE_SUPERVISOR = 2, PEOPLE_ROLE_ADMIN = 3, PEOPLE_ROLE_CUSTOM = 100 };

/* 0 or a negative db_error. Reads all tables; at start and after a commit that changed them. */
int people_load(struct desk *desk);
void people_done(struct desk *desk);
void people_committed(struct desk *desk);
void people_rolled_back(struct desk *desk);
/* A handler has changed a team, a role, a profile, an agent: all is read again after the commit. */
void people_changed(struct desk *desk);

/* ---- teams ---- */

/* Lent; NULL: no such team, or it was removed. */
const struct team *people_team(const struct desk *desk, int64_t id);
const struct team *people_team_ext(const struct desk *desk, uint64_t ext);
const struct team *people_team_named(const struct desk *desk, struct span name); /* exact */
/* Those that were not removed, by row id. False from `each` ends it. */
void people_each_team(const struct desk *desk, bool (*each)(void *data, const struct team *team), void *data);

/* ---- agents ---- */

/* Lent; NULL: no such agent. A revoked one is found by its row id, so that old tickets can name it. */
struct agent_profile *people_agent(const struct desk *desk, int64_t id);
struct agent_profile *people_agent_ext(const struct desk *desk, uint64_t ext); /* not revoked */
/* Not revoked, by row id; team 0 = all. False from `each` ends it. */
void people_each_agent(const struct desk *desk, int64_t team, bool (*each)(void *data, struct agent_profile *agent),
                       void *data);
bool people_is_member(const struct agent_profile *agent, int64_t team);
bool people_has_skill(const struct agent_profile *agent, struct span skill);
bool people_speaks(const struct agent_profile *agent, struct span language); /* "ko" of a ticket fits his "ko-KR" */

/* Whether routing may give him something now: online, connected, and inside his hours when he has a schedule. */
bool people_is_available(const struct desk *desk, const struct agent_profile *agent);

/* His status from now on, with an entry in its history; `reason` is of AGENT_AWAY. `by`: row id of who says so; 0 = the
 * server. Tells routing and the other agents. 0 or a negative protocol error (the store failed). */
int people_set_status(struct desk *desk, struct agent_profile *agent, enum agent_status status, struct span reason,
                      int64_t by);

/* sessions.c: a connection of an agent came or went. */
void people_connected(struct desk *desk, int64_t agent);
void people_disconnected(struct desk *desk, int64_t agent);
/* In a batch, in a transaction: agents who were not connected for PEOPLE_GRACE_MS are offline, those who are back are
 * what they were. */
bool people_are_due(const struct desk *desk);
void people_run_due(struct desk *desk);
uint64_t
people_due_ms(const struct desk *desk); /* monotonic ms of people_run_due or people_commit; UINT64_MAX = never */
void people_commit(struct desk *desk);  /* after the commit: tells agents whose status changed */
/* Before a commit, before the conversations are written: 0 or a negative db_error. */
int people_flush(struct desk *desk);
/* While the conversations are written, of each: its reach as its ticket has it, and what it has left by that. The same.
 */
int people_flush_conversation(struct desk *desk, struct conversation *conversation, int64_t rev);

/* Sends a frame (an event) to the connections of one agent, or (0) of all agents, after the commit. Keeps its own
 * reference. */
void people_tell(struct desk *desk, int64_t agent, struct edge_frame *frame);

/* ---- trust ---- */

/* 0, or -PROTOCOL_ERR_FORBIDDEN. The operator may everything, a customer and a bot nothing but PROTOCOL_MAY_ANYTHING.
 */
int people_authorize(const struct desk *desk, const struct caller *caller, enum protocol_permission permission);
bool people_may(const struct agent_profile *agent, enum protocol_permission permission);
/* Whether the caller may make or change that agent (NULL = a new one, with the first role): nobody who may more than
 * he. 0 or -PROTOCOL_ERR_FORBIDDEN with the field. */
int people_may_manage(const struct desk *desk, const struct caller *caller, const struct agent_profile *agent,
                      struct fault *fault);
/* The same for a reader, from its own view of the store. A read that fails is -PROTOCOL_ERR_INTERNAL. */
int people_authorize_read(struct db *db, const struct caller *caller, enum protocol_permission permission);

/* Whether the caller may read a conversation (row id; 0 = do not ask for invitations) whose newest ticket belongs to
 * that team and assignee (0 = none). The workspace is the caller's own. */
bool people_may_read(struct desk *desk, const struct caller *caller, int64_t team, int64_t assignee, int64_t conv);
/* The same of an agent, without invitations: what a view counts for him. */
bool people_reaches(const struct agent_profile *agent, int64_t team, int64_t assignee);

/* The conversation belongs to that team and agent from now on (0 = none). It follows its newest ticket by itself, once
 * a batch; the ticket core may say it earlier. Agents whose reach it leaves hear `left` after the commit. */
void people_belongs(struct desk *desk, struct conversation *conversation, int64_t team, int64_t assignee);
/* The agent may read the conversation whoever it belongs to, until people_uninvite. Repeats are welcome.
 * -PROTOCOL_ERR_TOO_MANY above PEOPLE_INVITED. */
int people_invite(struct desk *desk, struct conversation *conversation, int64_t agent, int64_t by);
int people_uninvite(struct desk *desk, struct conversation *conversation, int64_t agent);

/* What the caller reaches; everything of the workspace for who is no agent. */
struct reach people_reach_of(const struct desk *desk, const struct caller *caller);
/* Who is invited: a count, or a negative protocol error. */
int people_invited(struct desk *desk, const struct conversation *conversation, int64_t out_agents[PEOPLE_INVITED]);

/* ---- audit (audit.c) ---- */

/* A row of the audit trail: who did what to which object. `prefix` and `ext` name it ("tea", 0 = no object); `detail`
 * says old and new where that makes sense, without secrets and without text of customers. 0 or a negative protocol
 * error (the store failed). */
int admin_audit(struct desk *desk, const struct caller *caller, const char *action, const char *prefix, uint64_t ext,
                struct span detail);
