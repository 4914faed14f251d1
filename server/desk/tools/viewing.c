/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks at which conversation, so that two agents do not answer at once. In memory only; an agent looks as long as
 * one of his connections says so and lasts. Told to the staff who watch the conversation; never stored, at most once.
 */
#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/tools/work_private.h"

struct viewing {
        int64_t conv, agent; /* row ids */
        uint64_t conv_ext;
        struct edge_ref ref;
        uint64_t typed_ms; /* monotonic; 0 = not yet */
};

void work_done(struct desk *desk)
{
        free(desk->work.viewings);
        desk->work = (struct work){0};
}

static bool is_same_ref(struct edge_ref a, struct edge_ref b)
{
        return a.thread == b.thread && a.slot == b.slot && a.generation == b.generation;
}

/* ---- telling ---- */

/* Each agent once, whatever his connections. */
static size_t viewers_of(struct desk *desk, int64_t conv, struct protocol_viewer out[VIEWERS_TOLD])
{
        const struct work *work = &desk->work;
        uint64_t now_ms = clock_mono_ms();
        int64_t agents[VIEWERS_TOLD];
        size_t count = 0;
        for (size_t i = 0; i < work->viewing_count; i++) {
                const struct viewing *viewing = &work->viewings[i];
                size_t at = 0;
                if (viewing->conv != conv)
                        continue;
                while (at < count && agents[at] != viewing->agent)
                        at++;
                if (at == VIEWERS_TOLD)
                        continue;
                bool is_typing = viewing->typed_ms != 0 && now_ms - viewing->typed_ms < PROTOCOL_TYPING_LIFE_MS;
                if (at == count) {
                        const struct principal *who = directory_find(desk->directory, viewing->agent);
                        agents[count++] = viewing->agent;
                        out[at] = (struct protocol_viewer){.agent = directory_author(desk->directory, viewing->agent),
                                                           .has_name = who && who->name,
                                                           .name = span_of(who ? who->name : NULL)};
                }
                out[at].has_typing = out[at].typing = out[at].typing || is_typing;
        }
        return count;
}

static void tell(struct desk *desk, const struct conversation *conversation)
{
        struct protocol_viewer viewers[VIEWERS_TOLD];
        struct protocol_event_viewers event = {.conv = conversation->row.ext, .agents = viewers};
        event.agents_count = viewers_of(desk, conversation->row.id, viewers);
        char first[2048];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("viewers"));
        protocol_event_viewers_write(&writer, &event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (!frame)
                return; /* a push is a hint (R3) */
        desk_broadcast(desk, conversation, true, frame);
        edge_frame_unref(frame);
}

/* ---- what is known ---- */

static struct viewing *find(struct work *work, int64_t conv, struct edge_ref ref, size_t *out_of_connection)
{
        struct viewing *found = NULL;
        *out_of_connection = 0;
        for (size_t i = 0; i < work->viewing_count; i++) {
                if (!is_same_ref(work->viewings[i].ref, ref))
                        continue;
                ++*out_of_connection;
                if (work->viewings[i].conv == conv)
                        found = &work->viewings[i];
        }
        return found;
}

static struct viewing *add(struct work *work)
{
        if (work->viewing_count == VIEWINGS_MAX)
                return NULL;
        if (work->viewing_count == work->viewing_room) {
                size_t room = work->viewing_room ? work->viewing_room * 2 : 64;
                struct viewing *more = realloc(work->viewings, room * sizeof *more);
                if (!more)
                        return NULL;
                work->viewings = more;
                work->viewing_room = room;
        }
        return &work->viewings[work->viewing_count++];
}

static void drop(struct work *work, struct viewing *viewing)
{
        size_t behind = (size_t)(work->viewings + work->viewing_count - viewing) - 1;
        memmove(viewing, viewing + 1, behind * sizeof *viewing);
        work->viewing_count--;
}

/* A notification: what names an unknown conversation is passed over. */
int handle_viewing(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)out;
        (void)fault;
        const struct protocol_viewing *params = command->params;
        struct work *work = &desk->work;
        struct conversation *conversation = NULL;
        size_t of_connection;
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0)
                return rc;
        struct viewing *viewing = find(work, conversation->row.id, command->from, &of_connection);
        if (!viewing && params->on && sessions_find(desk, command->from)) {
                if (of_connection >= VIEWINGS_OF_CONNECTION || !(viewing = add(work)))
                        return -PROTOCOL_ERR_TOO_MANY;
                *viewing = (struct viewing){.conv = conversation->row.id,
                                            .agent = command->caller.principal,
                                            .conv_ext = conversation->row.ext,
                                            .ref = command->from};
        } else if (viewing && !params->on) {
                drop(work, viewing);
        }
        tell(desk, conversation); /* a repeat asks who is there */
        return 0;
}

void work_types(struct desk *desk, struct conversation *conversation, int64_t agent)
{
        struct work *work = &desk->work;
        uint64_t now_ms = clock_mono_ms();
        bool is_news = false;
        for (size_t i = 0; i < work->viewing_count; i++) {
                struct viewing *viewing = &work->viewings[i];
                if (viewing->conv != conversation->row.id || viewing->agent != agent)
                        continue;
                is_news = is_news || viewing->typed_ms == 0 || now_ms - viewing->typed_ms >= PROTOCOL_TYPING_EVERY_MS;
                viewing->typed_ms = now_ms;
        }
        if (is_news)
                tell(desk, conversation);
}

void work_connection_gone(struct desk *desk, struct edge_ref ref)
{
        struct work *work = &desk->work;
        for (size_t i = work->viewing_count; i-- > 0;) {
                struct viewing gone = work->viewings[i];
                struct conversation *conversation = NULL;
                if (!is_same_ref(gone.ref, ref))
                        continue;
                drop(work, &work->viewings[i]);
                if (conversation_find(desk, gone.conv_ext, &conversation) == 0)
                        tell(desk, conversation);
        }
}
