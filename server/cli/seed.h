/* SPDX-License-Identifier: Apache-2.0 */
/* Seed: a desk with people and a past, for a demo and for trying: teams, agents, rules, hours, SLA, views, canned
 * replies, customers and their tickets. All of it is made by the same calls that people and programs make, with the
 * clock turned back and let go on. The same number gives the same desk. One thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct console;

enum {
        SEED_TEAMS = 3,
        SEED_AGENTS = 10,
        SEED_CUSTOMERS = 200,
        SEED_TICKETS = 2000,
        SEED_TICKETS_MOST = 2000000,
        SEED_DAYS = 60,
        SEED_DAYS_MOST = 3660
};

struct seed_agent {
        uint64_t id; /* outside id */
        int team;
};

struct seed {
        struct console *console;
        uint64_t app;   /* outside id */
        uint64_t dice;  /* state */
        int64_t now_ms; /* where the clock of the desk stands */
        int64_t end_ms; /* the true time at the beginning */
        char teams[SEED_TEAMS][24];
        char agent_ids[SEED_AGENTS][24];
        struct seed_agent agents[SEED_AGENTS];
        int entries; /* said so far */
        int customers, days;
};

/* Fills the store of a folder that nobody serves and that has no conversation yet, so that its past ends now. `tickets`
 * 1 to SEED_TICKETS_MOST, over so many days (1 to SEED_DAYS_MOST). There are SEED_CUSTOMERS customers, or as many as
 * leave six days between two tickets of one. EX_OK, or an exit code with the reason printed. */
int seed_folder(const char *dir, int tickets, int days, uint64_t number);

/* seed_desk.c: teams, agents and all that is set up. */
int seed_desk(struct seed *seed);

/* seed_rate.c: that customer answers the survey that waits in his conversation, if one does. */
struct desk_voice;
int seed_rate(struct seed *seed, const struct desk_voice *customer, const char *conv);
/* seed_recover.c: the team works on the case that is open there, if one is; and ends it. */
int seed_contact(struct seed *seed, const char *conv, bool *out_has_case);
int seed_resolve(struct seed *seed, const char *conv);
int seed_below(struct seed *seed, int bound); /* 0 <= x < bound */
extern const char *const seed_team_names[SEED_TEAMS];
