/* SPDX-License-Identifier: Apache-2.0 */
/* Customers of a room, as the team and the app's back end see them. */
#pragma once

#include "unit/people/crew.h"

#define SUPERVISOR "rol_0000000000002"

/* A supervisor: he may block and merge. */
struct client known_agent(struct room *room, const char *name);
struct client known_visitor(struct room *room, const char *secret);
/* The same customer as the app's back end acts for him. */
struct client known_by_app(const struct client *customer);
/* A user whose token says so; attrs and tier may be NULL. */
struct client known_user(struct room *room, const char *subject, const char *name, const char *tier, const char *attrs);

/* customer.get as the operator sees it: the result, the caller's. */
json_t *known_get(struct room *room, const struct client *customer);
/* "value origin" of an attribute in such a result; NULL: not known. Lent until the next call. */
const char *known_value(const json_t *result, const char *name);
/* customer.set by the operator; `more` stands behind the customer. The whole response. */
json_t *known_set(struct room *room, const struct client *customer, const char *more);
