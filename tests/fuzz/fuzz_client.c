/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of a client whose server is hostile: the session machine over a real cache. The input is a play. Its
 * first byte says who plays: 'c' a customer with a token, 'v' a visitor, 's' staff; a capital letter keeps the cache in
 * a file of the memory file system, so that the play can kill the client and go on. Then one step a line:
 *
 *   =METHOD JSON   the server answers with this result, the oldest open request of that method (or of any)
 *   !JSON          the server refuses the oldest open request with this error
 *   <BYTES         the server says these bytes
 *   tN             N milliseconds pass (at most an hour)
 *   xN             the connection ends with code N
 *   mTEXT nTEXT    the application sends a message, a note
 *   eN dN hN rN    it edits entry N, erases it, asks for the history before it, has read up to it
 *   sTEXT          it searches
 *   c              it calls a method by its name
 *   bN             it answers, as a bot, turn N of the conversation of the turn told last
 *   k              the client's process dies and is started again
 *
 * Promises: no crash; every turn can be kept; what the client sends is what a server reads strictly; numbers given to
 * the application rise by one within an epoch; a message has one outcome and never goes back; whoever asked is answered
 * once; a call's answer and an event are JSON objects; an answer of the device is told once and taken back once; the
 * client never asks to be woken at once for ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_client.h"

enum { STEPS_MAX = 400, GIVE = 1000, ROUNDS_MAX = 16, STAFF_CONV = 3 };

static char file_path[64];

void promise(bool kept, const char *what)
{
        if (!kept) {
                fprintf(stderr, "broken: %s\n", what);
                abort();
        }
}

static void roll(void *data, void *bytes, size_t len)
{
        struct play *play = data;

        for (size_t i = 0; i < len; i++) {
                play->dice = play->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                ((uint8_t *)bytes)[i] = (uint8_t)(play->dice >> 56);
        }
}

static void take_log(void *data, enum deskbell_level level, const char *line)
{
        (void)data;
        if (getenv("FUZZ_LOG"))
                fprintf(stderr, "log %d: %s\n", (int)level, line);
}

/* ---- what comes out ---- */

/* As a server would: strictly. */
static void take_frame(struct play *play, struct machine_frame *sent)
{
        struct arena arena;
        struct frame frame;
        struct fault fault = {0};
        struct reader reader;

        arena_init(&arena, NULL, 0);
        promise(sent->len <= PROTOCOL_CLIENT_FRAME_BYTES, "a server takes frames of this size");
        promise(frame_read(sent->bytes, sent->len, READER_STRICT, &arena, &frame, &fault) == 0, "a frame");
        promise(frame.kind == FRAME_REQUEST || frame.kind == FRAME_NOTIFICATION, "a request or notification");
        int method = protocol_method_find(frame.name);
        promise(method >= 0, "a method of the table");
        promise(protocol_methods[method].notification == (frame.kind == FRAME_NOTIFICATION), "with an id or without");
        void *params = arena_take(&arena, protocol_methods[method].params_bytes);
        promise(params != NULL, "memory");
        reader_init(&reader, (char *)frame.body.at, frame.body.len, READER_STRICT, &arena, &fault);
        if (protocol_methods[method].read_params(&reader, params) < 0) {
                fprintf(stderr, "%s: %s is not %s\n", protocol_methods[method].name, fault.field, fault.expected);
                promise(false, "params that a server takes");
        }
        if (frame.kind == FRAME_REQUEST) {
                promise(play->asked_count < ASKED_MAX, "a bound on open requests");
                play->asked[play->asked_count++] = (struct asked){frame.id, (enum protocol_method)method};
        }
        arena_done(&arena);
}

static void check_entry(struct play *play, const struct deskbell_entry *entry)
{
        int64_t *last = &play->last[entry->log == DESKBELL_TEAM];

        if (strcmp(play->epoch, entry->epoch) != 0)
                play->last[0] = play->last[1] = 0;
        snprintf(play->epoch, sizeof(play->epoch), "%s", entry->epoch);
        promise(*last == 0 || entry->number == *last + 1, "entries are given in order, without holes");
        *last = entry->number;
}

struct sent *sent_of(struct play *play, const char *cmid)
{
        for (size_t i = 0; i < play->sent_count; i++)
                if (strcmp(play->sent[i].cmid, cmid) == 0)
                        return &play->sent[i];
        return NULL;
}

static bool is_outcome(enum deskbell_message_state state)
{
        return state == DESKBELL_SENT || state == DESKBELL_FAILED || state == DESKBELL_EXPIRED;
}

static void check_message(struct play *play, const struct deskbell_message *message)
{
        struct sent *sent = sent_of(play, message->cmid);

        promise(sent != NULL, "only what the application sent is told of");
        if (message->is_again)
                return;
        promise(message->state >= sent->state, "a message never goes back");
        promise(!is_outcome(message->state) || !sent->has_outcome, "a message has one outcome");
        promise(message->state == DESKBELL_QUEUED || is_outcome(message->state) || sent->has_outcome,
                "delivered and read follow sent");
        sent->has_outcome |= is_outcome(message->state);
        sent->state = message->state;
}

/* The outbox row to be noted as told, or 0. */
static int64_t take_event(struct play *play, struct event *event)
{
        int64_t told = 0;

        switch (event->kind) {
        case EVENT_ENTRY:
                check_entry(play, &event->entry);
                break;
        case EVENT_MESSAGE:
                check_message(play, &event->message);
                told = event->told_pos;
                break;
        case EVENT_NOTICE:
                if (event->notice.notice == DESKBELL_NOTICE_RESET)
                        play->last[0] = play->last[1] = 0;
                break;
        default:
                asks_event(play, event);
                break;
        }
        event_free(event);
        return told;
}

void begin(struct play *play)
{
        machine_begin(play->machine, play->mono_ms, play->wall_ms, true);
}

static void take_events(struct play *play)
{
        struct event *event;
        int64_t told;

        while ((event = event_list_pop(machine_events(play->machine)))) {
                if ((told = take_event(play, event))) {
                        begin(play);
                        machine_told(play->machine, told);
                        end(play);
                }
        }
}

static void obey(struct play *play)
{
        int code;
        enum machine_wish wish = machine_wish(play->machine, &code);

        if (wish == WISH_NOTHING)
                return;
        play->is_open = false;
        play->asked_count = 0;
        if (wish == WISH_OPEN) {
                begin(play);
                machine_link_opened(play->machine);
                play->is_open = true;
                end(play);
        }
}

void end(struct play *play)
{
        struct machine_frame *frame;

        if (machine_wants_to_give(play->machine))
                machine_give(play->machine, GIVE);
        promise(machine_end(play->machine) == 0, "the file can be written");
        obey(play);
        while ((frame = machine_frame_take(play->machine))) {
                take_frame(play, frame);
                free(frame);
        }
        take_events(play);
        asks_answer_here(play);
}

/* ---- what goes in ---- */

static void pass(struct play *play, int64_t ms)
{
        int rounds = 0;

        play->mono_ms += ms;
        play->wall_ms += ms;
        do {
                promise(rounds++ < ROUNDS_MAX, "the client comes to rest");
                begin(play);
                machine_time(play->machine);
                end(play);
        } while (machine_next_ms(play->machine) <= play->mono_ms);
}

static void say(struct play *play, const char *bytes, size_t len)
{
        char *copy = malloc(len ? len : 1); /* exactly as long, so that a sanitizer sees one step too far */

        promise(copy != NULL, "memory");
        memcpy(copy, bytes, len);
        if (play->is_open) {
                begin(play);
                machine_link_text(play->machine, copy, len);
                end(play);
        }
        free(copy);
}

static void answer(struct play *play, int method, const char *member, struct span body)
{
        size_t which = 0, room = body.len + 128;
        char *text = malloc(room);
        struct request_id id;

        promise(text != NULL, "memory");
        for (size_t i = 0; i < play->asked_count; i++)
                if (play->asked[i].method == (enum protocol_method)method) {
                        which = i;
                        break;
                }
        if (play->asked_count > 0) {
                id = play->asked[which].id;
                memmove(play->asked + which, play->asked + which + 1,
                        (--play->asked_count - which) * sizeof(*play->asked));
                int len = snprintf(text, room, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"%s\":", (int)id.len, id.raw, member);
                memcpy(text + len, body.at, body.len);
                text[(size_t)len + body.len] = '}';
                say(play, text, (size_t)len + body.len + 1);
        }
        free(text);
}

static void write_message(struct play *play, char step, struct span text, int64_t number)
{
        struct message_options options = {.cmid = machine_cmid(play->machine, play->wall_ms)};
        char copy[256];
        struct sent *sent = &play->sent[play->sent_count];
        struct handed *handed = NULL;
        int rc = 0;

        if (play->sent_count == SENT_MAX || text.len >= sizeof(copy))
                return;
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        options.log = step == 'n' ? DESKBELL_TEAM : DESKBELL_PUBLIC;
        cmid_write(sent->cmid, &options.cmid);
        sent->cmid[32] = '\0';
        sent->state = DESKBELL_QUEUED;
        sent->has_outcome = false;
        play->sent_count++; /* before its events come */
        if (step == 'e')
                rc = handed_edit(play->conv, number, 1, "changed", &options, &handed);
        else if (step == 'd')
                rc = handed_erase(play->conv, number, &options, &handed);
        else
                rc = handed_send(play->conv, copy, &options, &handed);
        if (rc < 0)
                play->sent_count--;
        begin(play);
        machine_take(play->machine, handed);
        end(play);
}

/* ---- the play ---- */

static void start(struct play *play)
{
        struct cache *cache = NULL;
        char *aside = NULL;

        promise(cache_open(play->path, play->wall_ms, &cache, &aside) == 0 && !aside, "the cache is ours");
        promise(machine_new(&play->settings, cache, play->mono_ms, play->wall_ms, &play->machine) == 0, "a machine");
        play->is_open = false;
        play->asked_count = 0;
        play->last[0] = play->last[1] = 0;
        asks_start(play);
        begin(play);
        int rc = play->settings.is_staff ? machine_conv_open_id(play->machine, STAFF_CONV, &play->conv)
                                         : machine_conv_open(play->machine, SPAN("main"), &play->conv);
        promise(rc == 0, "a conversation");
        machine_connect(play->machine);
        end(play);
}

static void kill_client(struct play *play)
{
        if (!play->path)
                return;
        asks_end(play); /* their memory; nothing of them is in the file */
        machine_free(play->machine);
        start(play);
}

static int64_t number_of(struct span text, int64_t most)
{
        int64_t number = 0;

        for (size_t i = 0; i < text.len && text.at[i] >= '0' && text.at[i] <= '9' && number < most; i++)
                number = 10 * number + (text.at[i] - '0');
        return number < most ? number : most;
}

static void link_ends(struct play *play, int code)
{
        if (!play->is_open)
                return;
        play->is_open = false;
        play->asked_count = 0;
        begin(play);
        machine_link_closed(play->machine, code);
        end(play);
}

static void step(struct play *play, char what, struct span rest)
{
        const char *space = rest.at ? memchr(rest.at, ' ', rest.len) : NULL;
        size_t name = space ? (size_t)(space - rest.at) : 0;
        int64_t number = number_of(rest, 1000000);

        switch (what) {
        case '=':
                answer(play, protocol_method_find((struct span){rest.at, name}), "result",
                       (struct span){rest.at + name, rest.len - name});
                break;
        case '!':
                answer(play, -1, "error", rest);
                break;
        case '<':
                say(play, rest.at, rest.len);
                break;
        case 't':
                pass(play, number_of(rest, 3600000));
                break;
        case 'x':
                link_ends(play, (int)number);
                break;
        case 'm':
        case 'n':
        case 'e':
        case 'd':
                write_message(play, what, rest, number);
                break;
        case 'h':
        case 's':
        case 'c':
        case 'b':
                asks_step(play, what, rest, number);
                break;
        case 'r':
                begin(play);
                machine_mark_read(play->machine, play->conv, number);
                end(play);
                break;
        case 'k':
                kill_client(play);
                break;
        default:
                break;
        }
}

static void forget_file(void)
{
        static const char *const tails[] = {"", "-wal", "-shm", "-journal", ".lock"};
        char path[96];

        for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
                snprintf(path, sizeof(path), "%s%s", file_path, tails[i]);
                unlink(path);
        }
}

static void cast(struct play *play, uint8_t who)
{
        play->settings = (struct machine_settings){
                .app = 9,
                .is_visitor = (who | 0x20) == 'v',
                .is_staff = (who | 0x20) == 's',
                .token = (who | 0x20) == 'v' ? NULL : "token-1",
                .client_name = "fuzz",
                .client_version = "1",
                .with_team_log = true,
                .has_answers = (who | 0x20) != 's',
                .first_page = 50,
                .snapshot = 50,
                .random = roll,
                .log = take_log,
                .data = play,
        };
        play->mono_ms = 1000;
        play->wall_ms = INT64_C(1790000000000);
        if (who & 0x20)
                return;
        snprintf(file_path, sizeof(file_path), "/dev/shm/deskbell-fuzz-%d", (int)getpid());
        forget_file();
        play->path = file_path;
}

static void check_end(struct play *play)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        int64_t open = 0;

        for (size_t i = 0; i < play->sent_count; i++)
                open += !play->sent[i].has_outcome;
        machine_status(play->machine, &status);
        promise(status.queued >= open, "what has no outcome is in the outbox");
        asks_end(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct play play = {0};
        const char *at = (const char *)data, *last = at + size;

        if (size == 0)
                return 0;
        cast(&play, data[0]);
        start(&play);
        at++;
        for (int steps = 0; at < last && steps < STEPS_MAX; steps++) {
                const char *end_of_line = memchr(at, '\n', (size_t)(last - at));

                if (!end_of_line)
                        end_of_line = last;
                if (at < end_of_line)
                        step(&play, *at, (struct span){at + 1, (size_t)(end_of_line - at) - 1});
                at = end_of_line + 1;
        }
        check_end(&play);
        machine_free(play.machine);
        if (play.path)
                forget_file();
        return 0;
}
