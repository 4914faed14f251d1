/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/customers/people_known.h"

#include <openssl/sha.h>
#include <stdio.h>

struct client known_agent(struct room *room, const char *name)
{
        struct client agent = room_agent(room, name, 0);
        crew_give_role(room, &agent, SUPERVISOR);
        return room_agent(room, name, 1);
}

struct client known_visitor(struct room *room, const char *secret)
{
        struct opening opening = {.how = OPENING_NEW_VISITOR, .workspace = room->desk->workspace, .app = room->app_row};
        struct client client;
        snprintf(opening.secret, sizeof opening.secret, "%s", secret);
        SHA256((const uint8_t *)secret, strlen(secret), opening.secret_hash);
        if (!room_enter(room, &opening, 7, NULL, &client, NULL))
                fail_msg("a visitor was not let in");
        return client;
}

struct client known_by_app(const struct client *customer)
{
        struct client app = *customer;
        app.caller.via_app = true;
        return app;
}

struct client known_user(struct room *room, const char *subject, const char *name, const char *tier, const char *attrs)
{
        struct opening opening = room_user(room, subject);
        struct client client;
        snprintf(opening.name, sizeof opening.name, "%s", name ? name : "");
        snprintf(opening.tier, sizeof opening.tier, "%s", tier ? tier : "");
        snprintf(opening.attrs, sizeof opening.attrs, "%s", attrs ? attrs : "");
        if (!room_enter(room, &opening, 0, NULL, &client, NULL))
                fail_msg("%s was not let in", subject);
        return client;
}

json_t *known_get(struct room *room, const struct client *customer)
{
        json_t *answer = room_operate(room, "customer.get", "{\"customer\":\"%s\"}", customer->id);
        json_t *result = json_incref(json_object_get(answer, "result"));
        if (!result)
                fail_msg("no customer %s: %s", customer->id, words(answer, "error.data.tag"));
        json_decref(answer);
        return result;
}

const char *known_value(const json_t *result, const char *name)
{
        static char text[1200];
        json_t *row;
        size_t i;
        json_array_foreach(json_object_get(result, "attributes"), i, row) {
                if (strcmp(words(row, "name"), name) != 0)
                        continue;
                snprintf(text, sizeof text, "%s %s", words(row, "value"), words(row, "origin"));
                return text;
        }
        return NULL;
}

json_t *known_set(struct room *room, const struct client *customer, const char *more)
{
        return room_operate(room, "customer.set", "{\"cmid\":\"%s\",\"customer\":\"%s\"%s}", room_cmid(room),
                            customer->id, more);
}
