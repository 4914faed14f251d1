/* SPDX-License-Identifier: Apache-2.0 */
/* Bot hours: see bot_hours.h. Nothing is kept: each turn is told what holds when it is asked. */
#include "desk/bot_hours.h"

#include <stdio.h>

#include "desk/desk_private.h"
#include "desk/hours/calendar.h"
#include "desk/hours/civil.h"
#include "desk/hours/hours.h"
#include "desk/people/people.h"
#include "desk/routing/routing.h"
#include "desk/rules/facts.h"
#include "desk/rules/rules.h"
#include "desk/tickets/tickets.h"

enum { MOMENT_BYTES = 64, DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

/* ---- which team ---- */

/* Rules are looked at when people get it: the conversation is asked about as it will be then. 0 = none says a team. */
static int64_t team_by_rules(struct desk *desk, const struct ticket *ticket, const struct conversation *conversation)
{
        struct conversation handed = *conversation;
        struct fact_scene scene = {.desk = desk, .ticket = ticket, .conversation = &handed, .now_ms = clock_wall_ms()};
        struct rules_plan plan;
        handed.row.owner = OWNER_PEOPLE;
        return rules_make_plan(desk, &scene, NULL, NULL, &plan) < 0 ? 0 : plan.team;
}

/* NULL: nobody in particular. */
static const struct team *team_for(struct desk *desk, const struct conversation *conversation)
{
        const struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        const struct team *team = ticket && ticket->team ? people_team(desk, ticket->team) : NULL;
        if (!team && ticket)
                team = people_team(desk, team_by_rules(desk, ticket, conversation));
        return team ? team : people_team(desk, routing_default_team(desk));
}

/* ---- what is said of it ---- */

static void look_at_schedule(struct desk *desk, int64_t schedule, struct bot_hours *out)
{
        int64_t now_ms = clock_wall_ms(), opens_ms;
        out->is_open = hours_is_open(desk, schedule, now_ms);
        if (out->is_open)
                return;
        opens_ms = hours_next_open(desk, schedule, now_ms);
        if (opens_ms == CALENDAR_NEVER)
                return;
        out->opens_ms = opens_ms;
        out->opens_offset = hours_offset_s(desk, schedule, opens_ms);
}

struct bot_hours bot_hours_of(struct desk *desk, struct conversation *conversation)
{
        const struct team *team = team_for(desk, conversation);
        struct bot_hours hours = {.is_online = desk->attendance.agents_here > 0};
        if (team)
                hours.is_online = routing_is_staffed(desk, team->id);
        if (team && hours_schedule(desk, team->schedule))
                look_at_schedule(desk, team->schedule, &hours);
        else /* nobody said when: as long as somebody is there who could take it */
                hours.is_open = hours.is_online;
        int64_t wait_s = team && hours.is_open ? routing_wait_s(desk, team->id) : 0;
        hours.wait_s = wait_s > 0 ? wait_s : 0;
        return hours;
}

/* ---- as facts ---- */

/* RFC 3339 to the minute, by the schedule's clocks. */
static void write_moment(const struct bot_hours *hours, char out[MOMENT_BYTES])
{
        int32_t minutes = hours->opens_offset / MINUTE_S, ahead = minutes < 0 ? -minutes : minutes;
        int64_t local_s = civil_floor_div(hours->opens_ms, 1000) + (int64_t)minutes * MINUTE_S;
        int64_t day = civil_floor_div(local_s, DAY_S), of_day = local_s - day * DAY_S;
        struct civil date = civil_from_days(day);
        snprintf(out, MOMENT_BYTES, "%04lld-%02d-%02dT%02d:%02d%c%02d:%02d", (long long)date.year, date.month, date.day,
                 (int)(of_day / HOUR_S), (int)(of_day % HOUR_S / MINUTE_S), minutes < 0 ? '-' : '+', ahead / 60,
                 ahead % 60);
}

json_t *bot_hours_facts(const struct bot_hours *hours, json_t *facts)
{
        char moment[MOMENT_BYTES];
        json_t *out = json_pack("{s:b, s:b}", "open", hours->is_open, "online", hours->is_online);
        json_object_del(facts, "opens");
        json_object_del(facts, "wait");
        if (hours->opens_ms > 0) {
                write_moment(hours, moment);
                json_object_set_new(out, "opens", json_string(moment));
        }
        if (hours->wait_s > 0)
                json_object_set_new(out, "wait", json_integer(hours->wait_s));
        bool is_made = out && (!facts || json_object_update_missing(out, facts) == 0);
        json_decref(facts);
        if (!is_made) {
                json_decref(out);
                return NULL;
        }
        return out;
}
