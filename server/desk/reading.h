/* SPDX-License-Identifier: Apache-2.0 */
/* What a method that a reader answers gets: one consistent view of what is committed, in the thread of that reader. */
#pragma once

#include "desk/command.h"
#include "desk/customers/handlers.h"
#include "desk/directory.h"
#include "desk/hours/handlers.h"
#include "desk/people/handlers.h"
#include "desk/recovery/handlers.h"
#include "desk/reports/handlers.h"
#include "desk/routing/handlers.h"
#include "desk/rules/handlers.h"
#include "desk/surveys/handlers.h"
#include "desk/tickets/handlers.h"
#include "desk/tools/handlers.h"
#include "desk/views/handlers.h"

struct db;
struct desk;

struct reading {
        struct desk *desk; /* only what other threads may use */
        struct db *db;     /* the reader's connection, within a snapshot */
        struct directory *directory;
        struct desk_command *command; /* caller, params; its arena lives as long as the answer */
        struct writer *out;           /* gets the result, a whole object */
        struct fault *fault;
};

/* The same in the desk's thread, on a store that no reader serves: what the operator asks then. A negative protocol
 * error, PROTOCOL_ERR_UNKNOWN_METHOD when no part of the desk reads by that method. */
int reading_here(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault);

/* A read that failed: logged. Returns -PROTOCOL_ERR_INTERNAL. */
int reading_failed(const struct reading *reading, int db_rc);

/* The reads of the desk's parts. */
#define PART_READERS(X)                                                                                                \
        TICKETS_READERS(X)                                                                                             \
        PEOPLE_READERS(X)                                                                                              \
        CUSTOMERS_READERS(X)                                                                                           \
        HOURS_READERS(X)                                                                                               \
        RULES_READERS(X)                                                                                               \
        ROUTING_READERS(X)                                                                                             \
        VIEWS_READERS(X)                                                                                               \
        WORK_READERS(X)                                                                                                \
        SURVEYS_READERS(X)                                                                                             \
        OFFERS_READERS(X)                                                                                              \
        RECOVERY_READERS(X)                                                                                            \
        REPORTS_READERS(X)
#define DECLARE_READ(method, name) int read_##name(const struct reading *reading);
PART_READERS(DECLARE_READ)
#undef DECLARE_READ
