/* SPDX-License-Identifier: Apache-2.0 */
/* Background: an application that nobody looks at. What is under way is ended, at most LEAVE_MS long, then the
 * connection is closed and no timer runs until the application is in the foreground again, or a notification calls for
 * a look at the server. */
#include "machine_private.h"

enum { LEAVE_MS = 10000 };

static bool has_connection(const struct machine *machine)
{
        return machine->state == SESSION_CONNECTING || machine->state == SESSION_OPENING ||
               machine->state == SESSION_OPEN;
}

static void stop_typists(struct machine *machine)
{
        for (size_t i = 0; i < sizeof(machine->typists) / sizeof(machine->typists[0]); i++)
                if (machine->typists[i].conv)
                        marks_wrote(machine->typists[i].conv, machine->typists[i].who);
}

void machine_set_background(struct machine *machine, bool is_on)
{
        struct background *background = &machine->background;

        if (background->is_on == is_on)
                return;
        background->is_on = is_on;
        background->until_ms = is_on ? machine->now_ms + LEAVE_MS : 0;
        if (!is_on) {
                session_wake(machine);
                return;
        }
        stop_typists(machine);
        machine->marks_at_ms = 0;
        if (machine->has_marks && machine->state == SESSION_OPEN)
                sync_want_feed(machine); /* its answer shows that the marks, which have none, were received */
}

void background_stay(struct machine *machine, int64_t until_ms)
{
        if (machine->background.is_on && machine->background.until_ms < until_ms)
                machine->background.until_ms = until_ms;
}

/* Nothing more is to be expected of this connection. */
static bool is_quiet(const struct machine *machine)
{
        if (machine->push.is_settling)
                return false;
        if (machine->state == SESSION_OPEN)
                return machine->requests_in_flight == 0 && !machine->has_marks;
        return machine->state == SESSION_WAITING || !machine->out_first;
}

void background_check(struct machine *machine)
{
        struct background *background = &machine->background;

        background->is_closing = false;
        if (!background->is_on || machine->state == SESSION_PAUSED)
                return;
        if (!has_connection(machine) && machine->state != SESSION_WAITING) {
                if (!machine->push.is_settling)
                        background->until_ms = 0; /* nothing to be ended */
                return;
        }
        bool is_over = background->until_ms <= machine->now_ms;
        if (!is_over && !is_quiet(machine))
                return;
        if (!is_over && machine->turn_frames.first) {
                background->is_closing = true; /* they leave first */
                return;
        }
        session_pause(machine);
        background->until_ms = 0;
}

bool background_sleeps(const struct machine *machine)
{
        const struct background *background = &machine->background;

        return background->is_on && background->until_ms == 0 && !machine->push.is_settling;
}

int64_t background_next_ms(const struct machine *machine)
{
        const struct background *background = &machine->background;

        if (!background->is_on || background->until_ms == 0)
                return INT64_MAX;
        return background->is_closing ? machine->now_ms : background->until_ms;
}
