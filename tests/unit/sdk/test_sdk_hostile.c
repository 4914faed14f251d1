/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile server: whatever it says, the client neither crashes nor breaks its own promises: numbers given to the
 * application rise by one within an epoch, and each message gets exactly one outcome. */
#include "stage.h"

#include <stdlib.h>
#include <time.h>

static struct stage s;
static deskbell_conversation *conv;
static uint64_t dice = 88172645463325252ULL;

static uint64_t roll(uint64_t bound)
{
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        return dice % bound;
}

static struct {
        char epoch[17];
        int64_t last, outcomes;
} seen;

static int64_t all_entries, all_outcomes, all_resets;

static void check_events(void)
{
        struct event *event;

        while ((event = event_list_pop(&s.events))) {
                if (event->kind == EVENT_ENTRY) {
                        if (strcmp(seen.epoch, event->entry.epoch) != 0)
                                seen.last = 0;
                        snprintf(seen.epoch, sizeof(seen.epoch), "%s", event->entry.epoch);
                        assert_true(seen.last == 0 || event->entry.number == seen.last + 1);
                        seen.last = event->entry.number;
                        all_entries++;
                } else if (event->kind == EVENT_NOTICE && event->notice.notice == DESKBELL_NOTICE_RESET) {
                        seen.last = 0;
                        all_resets++;
                } else if (event->kind == EVENT_MESSAGE && !event->message.is_again) {
                        seen.outcomes += event->message.state == DESKBELL_SENT ||
                                         event->message.state == DESKBELL_FAILED ||
                                         event->message.state == DESKBELL_EXPIRED;
                }
                event_free(event);
        }
}

static char *some_entry(void)
{
        char *entry = stage_entry((int64_t)roll(12) + 1, roll(2) ? AGENT : USER, "x");
        char *at = strstr(entry, "\"kind\":\"text\"");

        if (roll(3) == 0)
                memcpy(at, roll(2) ? "\"kind\":\"edit\"" : "\"kind\":\"what\"", 13);
        return entry;
}

/* Mostly of the right shape for what was asked, with numbers that need not make sense. */
static uint64_t shape_of(json_t *request)
{
        static const struct {
                const char *method;
                uint64_t shape;
        } shapes[] = {{"message.send", 0},
                      {"feed.read", 1},
                      {"entries.read", 5},
                      {"conversation.open", 3},
                      {"session.open", 4}};

        for (size_t i = 0; roll(8) && i < sizeof(shapes) / sizeof(shapes[0]); i++)
                if (strcmp(shapes[i].method, json_string_value(json_object_get(request, "method"))) == 0)
                        return shapes[i].shape;
        return roll(7);
}

static char *some_result(json_t *request)
{
        char *text = NULL, *entry = some_entry();
        long long number = (long long)roll(12);
        int rc = 0;

        switch (shape_of(request)) {
        case 0:
                rc = asprintf(&text, "{\"seq\":%lld,\"ts\":1}", number);
                break;
        case 1:
                rc = asprintf(&text,
                              "{\"rows\":[{\"conv\":\"" CONV
                              "\",\"rev\":%lld,\"key\":\"main\",\"head\":%lld}],\"rev\":%lld,\"more\":%s}",
                              number, number, number, roll(2) ? "true" : "false");
                break;
        case 2:
                rc = asprintf(&text, "{\"entries\":[%s],\"head\":%lld}", entry, number);
                break;
        case 3:
                rc = asprintf(&text, "{\"row\":{\"conv\":\"%s\",\"rev\":%lld,\"key\":\"main\",\"head\":%lld}}",
                              roll(4) ? CONV : OTHER_CONV, number, number);
                break;
        case 4:
                rc = asprintf(&text,
                              "{\"principal\":\"" USER
                              "\",\"epoch\":\"%s\",\"rev\":%lld,\"now\":1700000000000,\"protocol\":1,\"features\":[],"
                              "\"limits\":{\"in_flight\":%lld,\"frame_bytes\":65536,\"key_window_days\":%lld,\"retry_"
                              "days\":30,"
                              "\"heartbeat_ms\":25000,\"dead_ms\":35000}%s}",
                              roll(4) ? EPOCH : NEW_EPOCH, number, number + 1, number * 10 + 1,
                              roll(4) ? "" : ",\"reset\":\"ahead\"");
                break;
        case 5: {
                char *page = stage_entries(1, number);
                rc = asprintf(&text, "%s", page);
                free(page);
                break;
        }
        default:
                rc = asprintf(&text, "{}");
                break;
        }
        assert_true(rc >= 0);
        free(entry);
        return text;
}

static void answer_something(void)
{
        json_t *request = json_incref(json_array_get(s.frames, roll(json_array_size(s.frames))));
        char *result = some_result(request);

        if (roll(8) == 0)
                stage_refuse(&s, request, roll(2) ? "internal" : "predecessor_unknown", roll(3) == 0, (int)roll(3) - 1);
        else
                stage_answer(&s, request, "%s", result);
        free(result);
}

static void say_something(void)
{
        char *entry = some_entry();

        switch (roll(5)) {
        case 0:
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
                break;
        case 1:
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":%lld,\"now\":1}}",
                          (long long)roll(50));
                break;
        case 2:
                stage_say(&s,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"marks\",\"params\":{\"conv\":\"" CONV
                          "\",\"marks\":{\"customer_recv\":%lld,"
                          "\"customer_read\":%lld,\"staff_recv\":%lld,\"staff_read\":%lld}}}",
                          (long long)roll(99), (long long)roll(99), (long long)roll(99), (long long)roll(99));
                break;
        case 3:
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{\"conv\":\"" CONV
                              "\",\"author\":\"" AGENT "\"}}");
                break;
        default:
                entry[roll(strlen(entry))] = (char)(roll(94) + 33);
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
                break;
        }
        free(entry);
}

static void one_step(int64_t *sent)
{
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};

        if (s.wish == WISH_OPEN) {
                stage_link_opens(&s);
                return;
        }
        switch (roll(8)) {
        case 0:
                stage_begin(&s);
                *sent += stage_hand_send(&s, conv, "x", &options) == 0;
                stage_end(&s);
                break;
        case 1:
                stage_pass(&s, (int64_t)roll(roll(4) ? 1000 : 30000));
                break;
        case 2:
                if (roll(20) == 0)
                        stage_link_closes(&s, roll(2) ? 1006 : 4012);
                break;
        case 3:
                say_something();
                break;
        default:
                if (json_array_size(s.frames))
                        answer_something();
                else
                        say_something();
                break;
        }
}

static void whatever_a_server_says_the_promises_hold(void **state)
{
        int rounds = getenv("FUZZ_ROUNDS") ? atoi(getenv("FUZZ_ROUNDS")) : 40;

        (void)state;
        for (int round = 0; round < rounds; round++) {
                struct deskbell_status status = DESKBELL_STATUS_INIT;
                int64_t sent = 0;

                memset(&seen, 0, sizeof(seen));
                stage_init(&s, NULL);
                stage_open(&s);
                stage_begin(&s);
                assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
                stage_end(&s);
                stage_connect(&s);
                for (int step = 0; step < 1000; step++) {
                        one_step(&sent);
                        check_events();
                }
                machine_status(s.machine, &status);
                all_outcomes += seen.outcomes;
                assert_true(seen.outcomes <= sent);
                assert_true(seen.outcomes + status.queued >= sent);
                stage_done(&s);
        }
        print_message("%lld entries given, %lld outcomes, %lld resets\n", (long long)all_entries,
                      (long long)all_outcomes, (long long)all_resets);
        assert_true(all_entries > 100 && all_outcomes > 100 &&
                    all_resets > 10); /* it was not all refused at the door */
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_a_server_says_the_promises_hold)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
