/* SPDX-License-Identifier: Apache-2.0 */
/* Random dialogues of 200 turns: whatever customers do, the bot keeps its bounds, does not speak after a hand-off,
 * never gives the same answer three times in a row without offering a person, and the same events give the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shop.h"

enum { TURNS = 200 };

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % sides;
}

static const char *some_message(char room[64])
{
        static const char *const messages[] = {"when are you open",
                                               "I want to return an item",
                                               "KR-2041987",
                                               "no",
                                               "yes",
                                               "stop",
                                               "start over",
                                               "talk a lot",
                                               "run in circles",
                                               "refund policy",
                                               "반품하고 싶어요",
                                               "영업 시간이 어떻게 되나요",
                                               "qwzx",
                                               "",
                                               "   ",
                                               "1",
                                               "phone",
                                               "what is my gold bonus",
                                               "\xff\xfe\x80",
                                               "a@b.example",
                                               "🙂🙂🙂",
                                               "can I speak with someone?"};
        uint32_t which = dice(sizeof(messages) / sizeof(messages[0]) + 6);
        if (which < sizeof(messages) / sizeof(messages[0]) - (dice(8) != 0))
                return messages[which];
        size_t len = dice(60);
        for (size_t i = 0; i < len; i++)
                room[i] = (char)(1 + dice(255));
        room[len] = '\0';
        return room;
}

static void one_turn(struct trial *trial)
{
        char room[64], number[8];
        json_t *result;
        int rc;
        switch (dice(10)) {
        case 0:
        case 1:
        case 2:
                snprintf(number, sizeof(number), "%u", dice(5));
                rc = trial_taps(trial, span_of(number));
                break;
        case 3:
                result = dice(2) ? json_pack("{s:s,s:i}", "status", dice(2) ? "shipped" : "lost", "age_days",
                                             (int)dice(60))
                                 : NULL;
                rc = trial_call(trial, result);
                json_decref(result);
                break;
        case 4:
                json_object_set_new(trial->facts, "open", json_boolean(dice(2)));
                json_object_set_new(trial->facts, "plan", json_string(dice(2) ? "gold" : "free"));
                rc = 1;
                break;
        default:
                rc = trial_says(trial, span_of(some_message(room)));
                break;
        }
        assert_true(rc >= 0);
        if (rc > 0)
                bot_turn_done(&trial->turn);
}

struct seen {
        bool was_over;
        char last[96];
        int times;
};

static bool offers_person(const json_t *actions)
{
        json_t *action, *option;
        size_t i, j;
        json_array_foreach(actions, i, action) {
                json_array_foreach(json_object_get(action, "options"), j, option) {
                        if (strcmp(json_string_value(json_object_get(option, "id")), "person") == 0)
                                return true;
                }
        }
        return false;
}

static void check_turn(const struct trial *trial, struct seen *seen)
{
        json_t *action;
        size_t i;
        const char *rule = "";
        assert_true(strlen(trial->state ? trial->state : "") <= BOT_STATE_BYTES);
        assert_true(json_array_size(trial->turn.actions) <= BOT_TURN_ACTIONS);
        if (seen->was_over)
                assert_int_equal(json_array_size(trial->turn.actions), 0);
        json_array_foreach(trial->turn.actions, i, action) {
                const char *word = json_string_value(json_object_get(action, "do"));
                const char *its = json_string_value(json_object_get(action, "rule"));
                assert_non_null(word);
                assert_false(seen->was_over);
                seen->was_over =
                        strcmp(word, "handoff") == 0 || strcmp(word, "ticket") == 0 || strcmp(word, "close") == 0;
                rule = its && strncmp(its, "faq ", 4) == 0 && strcmp(word, "say") == 0 ? its : rule;
        }
        if (!rule[0]) {
                seen->times =
                        json_array_size(trial->turn.actions) > 0 ? 0 : seen->times; /* something else in between */
                return;
        }
        seen->times = strcmp(rule, seen->last) == 0 ? seen->times + 1 : 1;
        snprintf(seen->last, sizeof(seen->last), "%s", rule);
        if (offers_person(trial->turn.actions) || json_object_get(trial->turn.state, "flow"))
                seen->times = 0;
        assert_true(seen->times < 3);
}

/* One dialogue; the states and actions of all turns as one text. */
static char *dialogue(const struct bot_version *shop, uint64_t from)
{
        struct trial trial;
        struct seen seen = {.was_over = false};
        struct writer log;
        seed = from;
        writer_init(&log, NULL, 0);
        assert_int_equal(trial_init(&trial, shop, dice(2) ? "en" : "ko", 1795222800000), 0);
        for (int turn = 0; turn < TURNS; turn++) {
                one_turn(&trial);
                check_turn(&trial, &seen);
                char *actions = json_dumps(trial.turn.actions, JSON_SORT_KEYS | JSON_ENCODE_ANY);
                writer_raw(&log, span_of(actions ? actions : "-"));
                writer_raw(&log, span_of(trial.state ? trial.state : "-"));
                free(actions);
                if (seen.was_over && dice(20) == 0) {
                        trial_done(&trial);
                        assert_int_equal(trial_init(&trial, shop, NULL, 1795222800000), 0);
                        seen = (struct seen){.was_over = false};
                }
        }
        trial_done(&trial);
        writer_char(&log, '\0');
        assert_false(log.failed);
        char *text = strdup(log.bytes);
        writer_done(&log);
        return text;
}

static void dialogues_keep_their_bounds_and_replay_to_the_same_bytes(void **state)
{
        struct bot_version *shop = shop_open();
        const char *count_text = getenv("DESKBELL_LONG");
        int count = count_text ? 500 : 25;
        (void)state;
        for (int i = 1; i <= count; i++) {
                char *first = dialogue(shop, (uint64_t)i), *second = dialogue(shop, (uint64_t)i);
                assert_string_equal(first, second);
                free(first);
                free(second);
        }
        bot_version_free(shop);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dialogues_keep_their_bounds_and_replay_to_the_same_bytes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
