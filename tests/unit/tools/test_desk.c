/* SPDX-License-Identifier: Apache-2.0 */
/* Working beside each other: drafts, who looks and types, mentions, invitations. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *draft(struct room *room, const struct client *who, const char *conv, int version, const char *text)
{
        char more[256] = "";
        if (text)
                snprintf(more, sizeof more, ",\"text\":\"%s\"", text);
        return room_ask(room, who, "draft.set", "{\"conv\":\"%s\",\"version\":%d%s}", conv, version, more);
}

static void expect_draft(struct room *room, const struct client *who, const char *conv, int version, const char *text)
{
        json_t *answer = room_ask(room, who, "draft.get", "{\"conv\":\"%s\"}", conv);
        const char *kept = words(answer, "result.text");
        assert_int_equal(version, number(answer, "result.version"));
        assert_string_equal(text ? text : "(none)", kept ? kept : "(none)");
        json_decref(answer);
}

static void the_highest_version_of_a_draft_wins_and_the_other_device_hears_of_it(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), phone = room_agent(room, "Eve", 1),
                      max = room_agent(room, "Max", 0);
        char *conv = crew_conversation(room, "ann", "hi");
        expect_draft(room, &eve, conv, 0, NULL);
        room_forget(room);
        take_result(draft(room, &eve, conv, 5, "dear"));
        const struct room_note *told = room_told(room, NOTE_AGENTS, "draft", 0);
        assert_int_equal(1, room_count(room, NOTE_AGENTS, "draft"));
        assert_int_equal(eve.caller.principal, told->customer);
        assert_string_equal("dear", words(told->json, "text"));
        expect_draft(room, &phone, conv, 5, "dear");
        json_t *late = draft(room, &phone, conv, 4, "older");
        assert_int_equal(5, number(late, "result.version"));
        json_decref(late);
        expect_draft(room, &eve, conv, 5, "dear");
        expect_draft(room, &max, conv, 0, NULL);
        take_result(draft(room, &phone, conv, 6, NULL));
        expect_draft(room, &eve, conv, 6, NULL);
        free(conv);
}

static void a_draft_is_gone_when_it_is_sent_and_a_late_one_does_not_bring_it_back(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        char *conv = crew_conversation(room, "ann", "hi");
        take_result(draft(room, &eve, conv, 7, "dear ann"));
        take_result(room_ask(room, &eve, "draft.set", "{\"conv\":\"%s\",\"log\":\"team\",\"version\":1,\"text\":\"n\"}",
                             conv));
        take_seq(room_send(room, &eve, conv, NULL, "dear ann"));
        expect_draft(room, &eve, conv, 8, NULL);
        take_result(draft(room, &eve, conv, 7, "dear ann"));
        expect_draft(room, &eve, conv, 8, NULL);
        json_t *answer = room_ask(room, &eve, "draft.get", "{\"conv\":\"%s\",\"log\":\"team\"}", conv);
        assert_string_equal("n", words(answer, "result.text")); /* the note was not sent */
        json_decref(answer);
        free(conv);
}

static void look(struct room *room, const struct client *who, const char *conv, bool on)
{
        room_notify(room, who, "viewing", "{\"conv\":\"%s\",\"on\":%s}", conv, on ? "true" : "false");
}

/* Names of those who look, as last told; with a star who types. */
static const char *viewers(struct room *room)
{
        static char text[128];
        size_t count = room_count(room, NOTE_EVENT, "viewers"), i;
        text[0] = 0;
        if (count == 0)
                return "(nothing told)";
        const struct room_note *note = room_told(room, NOTE_EVENT, "viewers", count - 1);
        json_t *row;
        assert_int_equal(0, note->customer); /* never to the customer */
        json_array_foreach(json_object_get(note->json, "agents"), i, row)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", i ? " " : "", words(row, "name"),
                         number(row, "typing") == 1 ? "*" : "");
        return text;
}

static void who_looks_at_a_conversation_is_told_and_goes_with_the_connection(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), phone = room_agent(room, "Eve", 1),
                      max = room_agent(room, "Max", 0);
        char *conv = crew_conversation(room, "ann", "hi"), *other = crew_conversation(room, "bob", "hi");
        room_forget(room);
        look(room, &eve, conv, true);
        assert_string_equal("Eve", viewers(room));
        look(room, &max, conv, true);
        look(room, &phone, conv, true);
        look(room, &max, other, true);
        look(room, &eve, conv, true);
        assert_string_equal("Eve Max", viewers(room));
        room_notify(room, &max, "typing", "{\"conv\":\"%s\"}", conv);
        assert_string_equal("Eve Max*", viewers(room));
        take_result(draft(room, &eve, conv, 1, "I think"));
        assert_string_equal("Eve* Max*", viewers(room));
        room_leave(room, &eve);
        assert_string_equal("Max* Eve*", viewers(room)); /* her phone still looks */
        room_leave(room, &phone);
        assert_string_equal("Max*", viewers(room));
        look(room, &max, conv, false);
        assert_string_equal("", viewers(room));
        room_forget(room);
        look(room, &max, "cnv_0000000000001", true);
        assert_int_equal(0, room_count(room, NOTE_EVENT, "viewers"));
        free(conv), free(other);
}

static json_int_t unseen(struct room *room, const struct client *who)
{
        json_t *answer = room_read(room, who, "mention.list", "{}");
        json_int_t count = number(answer, "result.unseen");
        assert_int_equal(count, json_array_size(json_object_get(json_object_get(answer, "result"), "mentions")));
        json_decref(answer);
        return count;
}

static void mention(struct room *room, const struct client *by, const char *conv, const struct client *whom)
{
        take_result(room_ask(room, by, "message.send",
                             "{\"cmid\":\"%s\",\"conv\":\"%s\",\"log\":\"team\",\"kind\":\"text\",\"text\":\"look\","
                             "\"mentions\":[\"%s\"]}",
                             room_cmid(room), conv, whom->id));
}

static void a_mention_stands_until_it_was_seen(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), max = room_agent(room, "Max", 0);
        char *conv = crew_conversation(room, "ann", "hi"), *other = crew_conversation(room, "bob", "hi");
        room_forget(room);
        mention(room, &eve, conv, &max);
        assert_int_equal(max.caller.principal, room_told(room, NOTE_AGENTS, "mention", 0)->customer);
        mention(room, &eve, conv, &max);
        mention(room, &eve, other, &max);
        mention(room, &eve, conv, &eve); /* oneself is no news */
        assert_int_equal(3, unseen(room, &max));
        assert_int_equal(0, unseen(room, &eve));
        take_result(room_ask(room, &max, "mention.seen", "{\"conv\":\"%s\"}", conv));
        assert_int_equal(1, unseen(room, &max));
        take_result(room_ask(room, &eve, "mention.seen", "{\"until\":1000}"));
        assert_int_equal(1, unseen(room, &max));
        take_result(room_ask(room, &max, "mention.seen", "{\"until\":1000}"));
        assert_int_equal(0, unseen(room, &max));
        take_error(room_ask(room, &max, "mention.seen", "{}"), "bad_request");
        free(conv), free(other);
}

static void an_invitation_gives_reach_and_a_mention_does_not(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), max = room_agent(room, "Max", 0);
        char role[32], *conv = crew_conversation(room, "ann", "hi");
        crew_role(room, "narrow", CREW_WORK, role);
        crew_give_role(room, &max, role);
        max = room_agent(room, "Max", 1);
        crew_assign(room, conv, NULL, &eve);
        mention(room, &eve, conv, &max);
        assert_int_equal(0, unseen(room, &max));
        take_error(room_read(room, &max, "entries.read", "{\"conv\":\"%s\"}", conv), "not_found");
        take_error(room_ask(room, &max, "conversation.invite", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"agent\":\"%s\"}",
                            room_cmid(room), conv, eve.id),
                   "not_found");
        take_error(room_ask(room, &eve, "conversation.invite", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"agent\":\"%s\"}",
                            room_cmid(room), conv, eve.id),
                   "bad_request");
        take_result(room_ask(room, &eve, "conversation.invite",
                             "{\"cmid\":\"%s\",\"conv\":\"%s\",\"agent\":\"%s\",\"note\":\"your field\"}",
                             room_cmid(room), conv, max.id));
        take_result(room_read(room, &max, "entries.read", "{\"conv\":\"%s\"}", conv));
        json_t *list = room_read(room, &max, "mention.list", "{}");
        json_t *row = json_array_get(json_object_get(json_object_get(list, "result"), "mentions"), 0);
        assert_int_equal(1, number(row, "invited"));
        assert_string_equal(eve.id, words(row, "by"));
        json_decref(list);
        assert_int_equal(
                1,
                room_sql(room, "SELECT count(*) FROM entry WHERE log = 1 AND body LIKE '%Invited Max: your field%'"));
        room_check(room);
        free(conv);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(the_highest_version_of_a_draft_wins_and_the_other_device_hears_of_it),
                ROW(a_draft_is_gone_when_it_is_sent_and_a_late_one_does_not_bring_it_back),
                ROW(who_looks_at_a_conversation_is_told_and_goes_with_the_connection),
                ROW(a_mention_stands_until_it_was_seen),
                ROW(an_invitation_gives_reach_and_a_mention_does_not),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
