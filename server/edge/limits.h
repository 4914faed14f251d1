/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: what one address (/64 for v6) may cost before it has proved itself: a bucket of tokens, refilled by the
 * minute, that unfinished and failed handshakes use up, and a bound on how many are unfinished at once. Pure: the time
 * is an argument. Memory is bounded; addresses for which there is no room share one bucket. One thread. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;

struct limits *limits_new(uint32_t per_minute, uint32_t pending_max); /* NULL: out of memory */
struct limits *limits_free(struct limits *limits);                    /* NULL is welcome */

/* The address as one number: v4 (plain or mapped) as it is, v6 by its first 64 bits. */
uint64_t limits_key(const struct sockaddr_in6 *address);

/* A connection has come: takes a token and a place. False: refuse it, nothing was taken. */
bool limits_enter(struct limits *limits, uint64_t key, uint64_t now_ms);
/* Once for each true of limits_enter: gives the place back and, when it has proved itself, the token too. */
void limits_leave(struct limits *limits, uint64_t key, bool has_proved, uint64_t now_ms);
/* Forgets addresses that have nothing pending and a full bucket. Cheap when called once a second. */
void limits_sweep(struct limits *limits, uint64_t now_ms);
size_t limits_count(const struct limits *limits); /* addresses remembered */
