/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys: what is asked comes typed, an answer leaves as a message that survives everything, and what is cached of the
 * survey says its present state, whoever changed it on whatever device. */
#include "stage.h"

#include "client-sdk/src/client_private.h"
#include "protocol/hot.h"

#define ASKED_AT   1700000000009
#define OPEN_UNTIL "1700300000000"
#define ASKED_START                                                                                                    \
        "\"offer\":\"off_000000000000a\",\"survey\":\"sur_000000000000b\",\"version\":3,\"metric\":\"csat\","
#define FURTHER                                                                                                        \
        "\"questions\":[{\"id\":\"why\",\"kind\":\"choices\",\"text\":\"What was it?\",\"choices\":["                  \
        "{\"id\":\"slow\",\"label\":\"Too slow\"},{\"id\":\"rude\",\"label\":\"Unkind\"}],\"to_score\":3},"            \
        "{\"id\":\"easy\",\"kind\":\"scale\",\"text\":\"How easy?\",\"min\":1,\"max\":7,\"low\":\"hard\","             \
        "\"high\":\"easy\",\"required\":true},{\"id\":\"more\",\"kind\":\"text\",\"text\":\"What else?\"},"            \
        "{\"id\":\"again\",\"kind\":\"choice\",\"text\":\"Again?\",\"from_score\":4,\"choices\":["                     \
        "{\"id\":\"y\",\"label\":\"Yes\"},{\"id\":\"n\",\"label\":\"No\"}]}],"
#define AROUND                                                                                                         \
        "\"comment\":\"Anything else?\",\"contact\":\"Please contact me\",\"thanks\":\"Thank you\","                   \
        "\"colour\":\"#aabbcc\",\"brand\":\"Acme\","
#define SCALE(style, min, max)                                                                                         \
        "\"style\":\"" style "\",\"min\":" #min ",\"max\":" #max ",\"low\":\"bad\",\"high\":\"good\","
#define STARS   SCALE("stars", 1, 5)
#define WAITING "\"state\":\"waiting\",\"until\":" OPEN_UNTIL
#define SURVEY(of)                                                                                                     \
        "\"kind\":\"survey\",\"text\":\"How did we do?\",\"fallback_text\":\"How did we do? (1-5)\",\"survey\":{" of "}"
#define ASKED      SURVEY(ASKED_START STARS FURTHER AROUND WAITING)
#define RATED(of)  "\"kind\":\"rating\",\"fallback_text\":\"words\",\"rated\":{\"seq\":2," of "}"
#define ENDED(how) "\"kind\":\"survey_end\",\"of\":2,\"survey_end\":{\"state\":\"" how "\"}"

static struct stage s;
static deskbell_conversation *conv;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static void say_entry(int seq, const char *author, const char *members)
{
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                  "\",\"seq\":%d,\"ts\":1700000000009,\"author\":\"%s\",\"cmid\":\"%032x\",%s}}",
                  seq, author, 0xf0000 + seq, members);
}

/* Entry 1 is a text, entry 2 the survey. */
static void ask_with(const char *survey)
{
        conv = stage_main(&s, 1);
        say_entry(2, "sys", survey);
}

static void ask(void)
{
        ask_with(ASKED);
        stage_drop_events(&s);
}

static int rate(int64_t number, struct deskbell_rating rating, struct cmid *out_cmid)
{
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};

        stage_begin(&s);
        int rc = stage_hand_rating(&s, conv, number, &rating, &options);
        assert_int_equal(0, stage_end(&s));
        if (out_cmid)
                *out_cmid = options.cmid;
        return rc;
}

/* A score or -1, the tick or -1, and the rest. */
#define RATING(SCORE, TICK, ...)                                                                                       \
        ((struct deskbell_rating){                                                                                     \
                .size = sizeof(struct deskbell_rating), .score = (SCORE), .wants_contact = (TICK), ##__VA_ARGS__})
#define SAID(...)                                                                                                      \
        .answers = (const struct deskbell_survey_said[])                                                               \
        {                                                                                                              \
                __VA_ARGS__                                                                                            \
        }
#define CHOSEN(...)                                                                                                    \
        .chosen = (const char *const[])                                                                                \
        {                                                                                                              \
                __VA_ARGS__                                                                                            \
        }

static int score(int value, struct cmid *out_cmid)
{
        struct deskbell_rating rating = RATING(value, -1);

        return rate(2, rating, out_cmid);
}

static void expect_param(json_t *frame, const char *name, const char *expected)
{
        char *text = json_dumps(json_object_get(json_object_get(frame, "params"), name), JSON_COMPACT);

        assert_non_null(text);
        assert_string_equal(expected, text);
        free(text);
}

static int64_t queued(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.queued;
}

/* The survey as it is given to who opens the conversation now; event_free() it. */
static struct event *present(void)
{
        struct event *event;

        stage_drop_events(&s);
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        machine_give(s.machine, 100);
        stage_end(&s);
        while ((event = stage_event(&s, EVENT_ENTRY))) {
                if (event->entry.number == 2)
                        return event;
                event_free(event);
        }
        fail_msg("entry 2 was not given");
        return NULL;
}

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static void a_survey_comes_whole(void **state)
{
        (void)state;
        ask_with(ASKED);
        struct event *event = NULL;
        while ((event = stage_event(&s, EVENT_ENTRY)) && event->entry.number != 2)
                event_free(event);
        assert_non_null(event);
        const struct deskbell_survey *survey = event->entry.survey;
        assert_int_equal(DESKBELL_KIND_SURVEY, event->entry.kind);
        assert_string_equal("How did we do?", event->entry.text);
        assert_non_null(survey);
        assert_string_equal("off_000000000000a", survey->offer);
        assert_string_equal("sur_000000000000b", survey->survey);
        assert_int_equal(3, survey->version);
        assert_string_equal("csat", survey->metric);
        assert_string_equal("stars", survey->style);
        assert_int_equal(1, survey->min);
        assert_int_equal(5, survey->max);
        assert_string_equal("bad", survey->low);
        assert_string_equal("good", survey->high);
        assert_string_equal("Anything else?", survey->comment);
        assert_string_equal("Please contact me", survey->contact);
        assert_string_equal("Thank you", survey->thanks);
        assert_string_equal("#aabbcc", survey->colour);
        assert_string_equal("Acme", survey->brand);
        assert_int_equal(DESKBELL_SURVEY_WAITING, survey->state);
        assert_int_equal(1700300000000, survey->until_ms);
        assert_int_equal(-1, survey->score);
        assert_string_equal("", survey->said);
        assert_int_equal(0, survey->answers_count);
        assert_int_equal(-1, survey->wants_contact);
        assert_int_equal(0, survey->is_locked);
        assert_int_equal(4, survey->questions_count);
        const struct deskbell_survey_question *why = &survey->questions[0], *easy = &survey->questions[1];
        assert_string_equal("why", why->id);
        assert_string_equal("choices", why->kind);
        assert_string_equal("What was it?", why->text);
        assert_int_equal(2, why->choices_count);
        assert_string_equal("rude", why->choices[1].id);
        assert_string_equal("Unkind", why->choices[1].label);
        assert_int_equal(0, why->from_score);
        assert_int_equal(3, why->to_score);
        assert_int_equal(0, why->required);
        assert_string_equal("scale", easy->kind);
        assert_int_equal(1, easy->min);
        assert_int_equal(7, easy->max);
        assert_string_equal("hard", easy->low);
        assert_string_equal("easy", easy->high);
        assert_int_equal(1, easy->required);
        assert_int_equal(10, easy->to_score);
        assert_string_equal("text", survey->questions[2].kind);
        assert_string_equal("choice", survey->questions[3].kind);
        assert_int_equal(4, survey->questions[3].from_score);
        event_free(event);
}

static void what_a_newer_server_asks_in_its_own_way_still_shows_the_question(void **state)
{
        (void)state;
        ask_with(SURVEY("\"offer\":\"off_000000000000a\",\"survey\":\"sur_000000000000b\",\"version\":1,"
                        "\"metric\":\"delight\",\"style\":\"slider\",\"min\":1,\"max\":5,\"state\":\"postponed\","
                        "\"until\":" OPEN_UNTIL ",\"music\":{\"loud\":true},\"questions\":["
                        "{\"id\":\"drawing\",\"kind\":\"picture\",\"text\":\"Draw it\"}]"));
        struct event *event = present();
        assert_string_equal("How did we do?", event->entry.text);
        assert_string_equal("other", event->entry.survey->metric);
        assert_string_equal("other", event->entry.survey->style);
        assert_string_equal("other", event->entry.survey->questions[0].kind);
        assert_int_equal(DESKBELL_SURVEY_OTHER, event->entry.survey->state);
        event_free(event);
        assert_int_equal(0, score(4, NULL));
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("4/5", stage_param(send, "fallback_text"));
        json_decref(send);
}

static void it_counts_as_unread_and_an_answer_does_not(void **state)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        (void)state;
        conv = stage_main(&s, 1);
        stage_begin(&s);
        machine_mark_read(s.machine, conv, 1);
        stage_end(&s);
        say_entry(2, "sys", ASKED);
        machine_status(s.machine, &status);
        assert_int_equal(1, status.unread);
        say_entry(3, USER, RATED("\"score\":4"));
        say_entry(4, "sys", ENDED("expired"));
        machine_status(s.machine, &status);
        assert_true(status.unread <= 1);
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

#define ALL_OF_IT                                                                                                      \
        "{\"seq\":2,\"score\":2,\"said\":\"Never again\",\"answers\":[{\"question\":\"why\",\"chosen\":"               \
        "[\"rude\",\"slow\"]},{\"question\":\"easy\",\"number\":3},{\"question\":\"more\",\"words\":\"no\"}],"         \
        "\"contact\":true}"

static int say_all(struct cmid *out_cmid)
{
        struct deskbell_rating rating =
                RATING(2, 1, .said = "Never again",
                       SAID({.question = "why", CHOSEN("rude", "slow"), .chosen_count = 2},
                            {.question = "easy", .number = 3}, {.question = "more", .words = "no"}),
                       .answers_count = 3);

        return rate(2, rating, out_cmid);
}

static void an_answer_leaves_as_a_rating_and_comes_back_typed(void **state)
{
        struct cmid cmid;

        (void)state;
        ask();
        assert_int_equal(0, say_all(&cmid));
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_QUEUED, told->message.state);
        assert_int_equal(DESKBELL_OP_SEND, told->message.operation);
        assert_int_equal(2, told->message.rated_seq);
        assert_string_equal("★★☆☆☆\nUnkind, Too slow\n3/7\nno\nNever again\n☑ Please contact me", told->message.text);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("rating", stage_param(send, "kind"));
        assert_string_equal("", stage_param(send, "text"));
        assert_string_equal(told->message.text, stage_param(send, "fallback_text"));
        expect_param(send, "rated", ALL_OF_IT);
        stage_acked(&s, send, 3);
        stage_expect_message(&s, &cmid, DESKBELL_SENT);
        char members[1024];
        snprintf(members, sizeof(members),
                 "\"kind\":\"rating\",\"fallback_text\":\"★★☆☆☆\\nUnkind, Too slow\\n3/7\\nno\\nNever again\\n"
                 "☑ Please contact me\",\"rated\":" ALL_OF_IT);
        say_entry(3, USER, members);
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_non_null(event);
        assert_int_equal(DESKBELL_KIND_RATING, event->entry.kind);
        assert_int_equal(2, event->entry.of);
        assert_true(event->entry.is_mine);
        assert_string_equal(told->message.text, event->entry.text);
        assert_memory_equal(told->message.hash, event->entry.hash, 16);
        const struct deskbell_survey *said = event->entry.survey;
        assert_int_equal(DESKBELL_SURVEY_ANSWERED, said->state);
        assert_int_equal(2, said->score);
        assert_string_equal("Never again", said->said);
        assert_int_equal(1, said->wants_contact);
        assert_int_equal(1, said->is_locked);
        assert_int_equal(3, said->answers_count);
        assert_int_equal(2, said->answers[0].chosen_count);
        assert_string_equal("slow", said->answers[0].chosen[1]);
        assert_int_equal(-1, said->answers[0].number);
        assert_int_equal(3, said->answers[1].number);
        assert_string_equal("", said->answers[1].words);
        assert_string_equal("no", said->answers[2].words);
        assert_string_equal("", said->offer); /* nothing that it does not say */
        assert_string_equal("", said->style);
        assert_int_equal(0, said->questions_count);
        event_free(told);
        event_free(event);
}

static void an_answer_in_words_is_drawn_like_its_scale(void **state)
{
        static const struct {
                const char *survey;
                int score;
                const char *words;
        } drawn[] = {
                {SURVEY(ASKED_START STARS WAITING), 5, "★★★★★"},
                {SURVEY(ASKED_START STARS WAITING), 1, "★☆☆☆☆"},
                {SURVEY(ASKED_START SCALE("emoji", 1, 5) WAITING), 1, "😠"},
                {SURVEY(ASKED_START SCALE("emoji", 1, 5) WAITING), 4, "🙂"},
                {SURVEY(ASKED_START SCALE("emoji", 1, 3) WAITING), 2, "😐"},
                {SURVEY(ASKED_START SCALE("emoji", 1, 3) WAITING), 3, "😀"},
                {SURVEY(ASKED_START SCALE("emoji", 1, 1) WAITING), 1, "1/1"},
                {SURVEY(ASKED_START SCALE("thumbs", 0, 1) WAITING), 1, "👍"},
                {SURVEY(ASKED_START SCALE("thumbs", 0, 1) WAITING), 0, "👎"},
                {SURVEY(ASKED_START SCALE("numbers", 0, 10) WAITING), 0, "0/10"},
                {SURVEY(ASKED_START SCALE("numbers", 0, 10) WAITING), 10, "10/10"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
                stage_done(&s);
                stage_init(&s, NULL);
                stage_open(&s);
                ask_with(drawn[i].survey);
                assert_int_equal(0, score(drawn[i].score, NULL));
                json_t *send = stage_take(&s, "message.send");
                assert_string_equal(drawn[i].words, stage_param(send, "fallback_text"));
                json_decref(send);
        }
}

static void what_is_said_in_words_is_cut_where_the_protocol_ends_it(void **state)
{
        char comment[2 * 2000 + 1];

        (void)state;
        ask();
        for (int i = 0; i < 2000; i++)
                memcpy(comment + (size_t)2 * (size_t)i, "é", 2);
        comment[4000] = '\0';
        struct deskbell_rating rating = RATING(5, -1, .said = comment);
        assert_int_equal(0, rate(2, rating, NULL));
        json_t *send = stage_take(&s, "message.send");
        const char *words = stage_param(send, "fallback_text");
        assert_int_equal(5 * 3 + 1 + 994 * 2, strlen(words)); /* 1,000 characters, none of them half */
        assert_string_equal("é", words + strlen(words) - 2);
        json_decref(send);
}

static void the_tick_can_be_taken_back(void **state)
{
        (void)state;
        ask();
        struct deskbell_rating rating = RATING(-1, 0);
        assert_int_equal(0, rate(2, rating, NULL));
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("☐ Please contact me", stage_param(send, "fallback_text"));
        expect_param(send, "rated", "{\"seq\":2,\"contact\":false}");
        json_decref(send);
}

static void what_does_not_fit_is_refused_and_nothing_is_queued(void **state)
{
        const struct deskbell_rating wrong[] = {
                RATING(-1, -1),                                                /* nothing is said */
                RATING(-1, -1, .said = ""),                                    /* nor here */
                RATING(0, -1),                                                 /* below the scale */
                RATING(6, -1),                                                 /* above it */
                RATING(3, -1, SAID({.question = "how"}), .answers_count = 1),  /* not asked */
                RATING(-1, -1, SAID({.question = "why"}), .answers_count = 1), /* nothing chosen */
                RATING(-1, -1, SAID({.question = "why", CHOSEN("cold"), .chosen_count = 1}),
                       .answers_count = 1), /* not offered */
                RATING(-1, -1, SAID({.question = "why", CHOSEN("slow", "slow"), .chosen_count = 2}),
                       .answers_count = 1),
                RATING(-1, -1, SAID({.question = "again", CHOSEN("y", "n"), .chosen_count = 2}),
                       .answers_count = 1), /* one of them */
                RATING(-1, -1, SAID({.question = "easy", .number = 8}), .answers_count = 1),
                RATING(-1, -1, SAID({.question = "easy", .number = 0}), .answers_count = 1),
                RATING(-1, -1, SAID({.question = "easy", .number = 2, .words = "two"}), .answers_count = 1),
                RATING(-1, -1, SAID({.question = "easy", CHOSEN("slow"), .chosen_count = 1}), .answers_count = 1),
                RATING(-1, -1, SAID({.question = "more", .number = 3}), .answers_count = 1),
                RATING(-1, -1, SAID({.question = "easy", .number = 2}, {.question = "easy", .number = 2}),
                       .answers_count = 2), /* twice */
        };

        (void)state;
        ask();
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                if (rate(2, wrong[i], NULL) != DESKBELL_E_FORM)
                        fail_msg("answer %zu was taken", i);
        assert_int_equal(0, queued());
        assert_true(stage_is_silent(&s));
}

static void a_comment_and_the_tick_are_taken_only_where_they_are_asked_for(void **state)
{
        (void)state;
        ask_with(SURVEY(ASKED_START STARS WAITING));
        struct deskbell_rating comment = RATING(3, -1, .said = "hm"), tick = RATING(3, 1);
        assert_int_equal(DESKBELL_E_FORM, rate(2, comment, NULL));
        assert_int_equal(DESKBELL_E_FORM, rate(2, tick, NULL));
        assert_int_equal(0, score(3, NULL));
}

static void only_surveys_are_answered_and_only_by_customers(void **state)
{
        (void)state;
        ask();
        struct deskbell_rating rating = RATING(3, -1);
        assert_int_equal(DESKBELL_E_INVALID, rate(1, rating, NULL));
        stage_done(&s);
        stage_init(&s, NULL);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open_id(s.machine, 3, &conv));
        stage_end(&s);
        assert_int_equal(DESKBELL_E_INVALID, rate(2, rating, NULL));
        assert_int_equal(0, queued());
}

/* ---- the present state ------------------------------------------------------------------------------------------- */

static void an_answer_changes_the_survey_on_every_device(void **state)
{
        (void)state;
        ask();
        say_entry(3, USER, RATED("\"score\":4")); /* on another device */
        struct event *event = present();
        assert_int_equal(DESKBELL_SNAPSHOT, event->entry.origin);
        assert_int_equal(DESKBELL_SURVEY_ANSWERED, event->entry.survey->state);
        assert_int_equal(4, event->entry.survey->score);
        assert_int_equal(0, event->entry.survey->is_locked);
        assert_string_equal("Thank you", event->entry.survey->thanks);
        assert_int_equal(4, event->entry.survey->questions_count);
        event_free(event);
        assert_int_equal(0, score(5, NULL)); /* it may be changed */
}

static void what_an_answer_does_not_say_stays_as_it_was(void **state)
{
        (void)state;
        ask();
        say_entry(3, USER, RATED("\"score\":4,\"contact\":true"));
        say_entry(4, USER,
                  RATED("\"answers\":[{\"question\":\"easy\",\"number\":6},{\"question\":\"more\",\"words\":\"a\"}]"));
        say_entry(5, USER, RATED("\"answers\":[{\"question\":\"easy\",\"number\":7}]"));
        say_entry(6, USER, RATED("\"said\":\"Fine\""));
        struct event *event = present();
        const struct deskbell_survey *survey = event->entry.survey;
        assert_int_equal(4, survey->score);
        assert_int_equal(1, survey->wants_contact);
        assert_int_equal(2, survey->answers_count);
        assert_string_equal("a", survey->answers[0].words);
        assert_int_equal(7, survey->answers[1].number);
        assert_string_equal("Fine", survey->said);
        assert_int_equal(1, survey->is_locked);
        event_free(event);
        assert_int_equal(DESKBELL_E_STATE, score(5, NULL));
        assert_true(stage_is_silent(&s));
}

static void a_survey_that_is_over_takes_no_answer(void **state)
{
        static const struct {
                const char *entry;
                enum deskbell_survey_state state;
        } ends[] = {{ENDED("expired"), DESKBELL_SURVEY_EXPIRED}, {ENDED("withdrawn"), DESKBELL_SURVEY_WITHDRAWN}};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                stage_done(&s);
                stage_init(&s, NULL);
                stage_open(&s);
                ask();
                say_entry(3, "sys", ends[i].entry);
                struct event *told = stage_event(&s, EVENT_ENTRY);
                assert_int_equal(DESKBELL_KIND_SURVEY_END, told->entry.kind);
                assert_int_equal(2, told->entry.of);
                assert_int_equal(ends[i].state, told->entry.survey->state);
                event_free(told);
                struct event *event = present();
                assert_int_equal(ends[i].state, event->entry.survey->state);
                assert_string_equal("How did we do?", event->entry.text);
                event_free(event);
                assert_int_equal(DESKBELL_E_STATE, score(4, NULL));
        }
        assert_int_equal(0, queued());
}

static void an_end_of_a_kind_that_is_not_known_changes_nothing(void **state)
{
        (void)state;
        ask();
        say_entry(3, "sys", ENDED("postponed"));
        struct event *event = present();
        assert_int_equal(DESKBELL_SURVEY_WAITING, event->entry.survey->state);
        event_free(event);
}

static void its_time_ends_by_the_servers_clock(void **state)
{
        (void)state;
        ask();
        s.wall_ms = 1700300000001;
        assert_int_equal(DESKBELL_E_STATE, score(4, NULL));
        s.wall_ms = 1700299999999;
        assert_int_equal(0, score(4, NULL));
}

static void a_late_reader_has_the_state_that_the_server_tells(void **state)
{
        (void)state;
        ask_with(SURVEY(ASKED_START STARS AROUND "\"state\":\"answered\",\"until\":" OPEN_UNTIL
                                                 ",\"score\":5,\"said\":\"Great\","
                                                 "\"wants_contact\":false,\"locked\":true"));
        struct event *event = present();
        assert_int_equal(DESKBELL_SURVEY_ANSWERED, event->entry.survey->state);
        assert_int_equal(5, event->entry.survey->score);
        assert_string_equal("Great", event->entry.survey->said);
        assert_int_equal(0, event->entry.survey->wants_contact);
        assert_int_equal(1, event->entry.survey->is_locked);
        event_free(event);
        assert_int_equal(DESKBELL_E_STATE, score(4, NULL));
}

static void an_answer_to_what_is_no_survey_changes_nothing(void **state)
{
        (void)state;
        conv = stage_main(&s, 2); /* entry 2 is a text */
        say_entry(3, USER, RATED("\"score\":4"));
        say_entry(4, USER, "\"kind\":\"rating\",\"fallback_text\":\"w\",\"rated\":{\"seq\":999,\"score\":1}");
        say_entry(5, USER, "\"kind\":\"rating\",\"fallback_text\":\"w\",\"rated\":{\"seq\":5,\"score\":1}");
        struct event *event = present();
        assert_int_equal(DESKBELL_KIND_TEXT, event->entry.kind);
        assert_null(event->entry.survey);
        event_free(event);
}

static void of_an_erased_survey_nothing_is_left(void **state)
{
        (void)state;
        ask();
        say_entry(3, USER, RATED("\"score\":1,\"said\":\"secret\""));
        say_entry(4, "sys", "\"kind\":\"erase\",\"of\":2");
        struct event *event = present();
        assert_int_equal(DESKBELL_KIND_ERASED, event->entry.kind);
        assert_null(event->entry.survey);
        event_free(event);
        assert_int_equal(DESKBELL_E_INVALID, score(4, NULL));
}

/* ---- the way of an answer ---------------------------------------------------------------------------------------- */

static void open_in_a_file(void)
{
        static char room[64], path[96];

        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(room));
        stage_init(&s, path);
        stage_open(&s);
}

static json_t *sent_after_login(const char *more)
{
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, more);
        stage_feed(&s, 1, "");
        return stage_find(&s, "message.send");
}

static void expect_cmid(json_t *send, const struct cmid *cmid)
{
        char text[33];

        assert_non_null(send);
        cmid_write(text, cmid);
        text[32] = '\0';
        assert_string_equal(text, stage_param(send, "cmid"));
}

static void an_answer_given_offline_survives_the_process_and_is_sent_once(void **state)
{
        struct cmid cmid;

        (void)state;
        open_in_a_file();
        ask();
        stage_link_closes(&s, 1006);
        assert_int_equal(0, say_all(&cmid));
        stage_kill(&s);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(2, told->message.rated_seq);
        assert_true(told->message.is_again);
        event_free(told);
        json_t *send = sent_after_login("");
        expect_cmid(send, &cmid);
        assert_string_equal("rating", stage_param(send, "kind"));
        expect_param(send, "rated", ALL_OF_IT);
        stage_acked(&s, send, 3);
        stage_expect_message(&s, &cmid, DESKBELL_SENT);
        assert_null(stage_find(&s, "message.send"));
        assert_int_equal(0, queued());
}

static void an_answer_whose_ack_was_lost_is_offered_again_and_counts_once(void **state)
{
        struct cmid cmid;

        (void)state;
        ask();
        assert_int_equal(0, score(4, &cmid));
        json_decref(stage_take(&s, "message.send"));
        stage_drop_events(&s);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 30000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        json_t *send = stage_find(&s, "message.send");
        expect_cmid(send, &cmid);
        stage_answer(&s, send, "{\"seq\":3,\"ts\":5,\"dup\":true}");
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        while (told && told->message.state != DESKBELL_SENT) {
                event_free(told);
                told = stage_event(&s, EVENT_MESSAGE);
        }
        assert_non_null(told);
        assert_true(told->message.is_duplicate);
        assert_int_equal(3, told->message.number);
        event_free(told);
        assert_int_equal(0, queued());
}

static void an_answer_that_comes_too_late_is_told_as_locked(void **state)
{
        struct cmid cmid;

        (void)state;
        ask();
        assert_int_equal(0, score(4, &cmid));
        stage_drop_events(&s);
        stage_refuse(&s, stage_take(&s, "message.send"), "locked", true, -1);
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_FAILED, told->message.state);
        assert_string_equal("locked", told->message.tag);
        assert_int_equal(2, told->message.rated_seq);
        event_free(told);
        struct event *event = present();
        assert_int_equal(DESKBELL_SURVEY_WAITING, event->entry.survey->state); /* it said nothing */
        event_free(event);
        stage_begin(&s);
        assert_int_equal(0, machine_forget(s.machine, &cmid));
        stage_end(&s);
}

static void an_answer_that_failed_is_retried_as_it_was(void **state)
{
        struct cmid cmid, again;

        (void)state;
        ask();
        assert_int_equal(0, say_all(&cmid));
        stage_refuse(&s, stage_take(&s, "message.send"), "forbidden", true, -1);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &again));
        stage_end(&s);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("rating", stage_param(send, "kind"));
        expect_param(send, "rated", ALL_OF_IT);
        json_decref(send);
}

static void answers_of_one_device_keep_their_order(void **state)
{
        struct cmid first, second;

        (void)state;
        ask();
        assert_int_equal(0, score(4, &first));
        struct deskbell_rating more = RATING(-1, -1, .said = "and thanks");
        assert_int_equal(0, rate(2, more, &second));
        json_t *send = stage_take(&s, "message.send");
        expect_cmid(send, &first);
        json_decref(send);
        send = stage_take(&s, "message.send");
        expect_cmid(send, &second);
        char text[33];
        cmid_write(text, &first);
        text[32] = '\0';
        assert_string_equal(text, stage_param(send, "after"));
        expect_param(send, "rated", "{\"seq\":2,\"said\":\"and thanks\"}");
        json_decref(send);
}

static void a_survey_that_is_not_in_the_cache_is_checked_by_the_server(void **state)
{
        (void)state;
        conv = stage_main(&s, 1);
        struct deskbell_rating rating =
                RATING(9, 1, SAID({.question = "odd", CHOSEN("a"), .chosen_count = 1}), .answers_count = 1);
        assert_int_equal(0, rate(7, rating, NULL));
        stage_drop_events(&s);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("9\na\n☑ ☎", stage_param(send, "fallback_text"));
        stage_refuse(&s, send, "bad_request", true, -1);
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_FAILED, told->message.state);
        assert_string_equal("bad_request", told->message.tag);
        assert_int_equal(7, told->message.rated_seq);
        event_free(told);
}

static void a_survey_that_an_older_library_cached_is_checked_by_the_server(void **state)
{
        (void)state;
        ask_with("\"kind\":\"poll_of_tomorrow\",\"fallback_text\":\"How did we do?\""); /* as it kept what it did not
                                                                                           know */
        assert_int_equal(0, score(9, NULL));
        json_t *send = stage_take(&s, "message.send");
        expect_param(send, "rated", "{\"seq\":2,\"score\":9}");
        json_decref(send);
}

static void an_answer_whose_bytes_the_disk_has_changed_is_known_as_such(void **state)
{
        struct cached_message copy = {.op = DESKBELL_OP_SEND, .content = SPAN("{\"rated\":{\"seq\":2,\"score\":4}}")};

        (void)state;
        content_hash(PROTOCOL_ENTRY_RATING, copy.content, copy.hash);
        assert_true(cache_message_is_whole(&copy));
        copy.content = SPAN("{\"rated\":{\"seq\":2,\"score\":5}}");
        assert_false(cache_message_is_whole(&copy));
}

static void staff_see_what_was_asked_and_said(void **state)
{
        (void)state;
        stage_done(&s);
        stage_init(&s, NULL);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open_id(s.machine, 3, &conv));
        stage_end(&s);
        stage_answer(&s, stage_asked(&s, "conversation.watch"),
                     "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"head\":0}}");
        json_t *read;
        while ((read = stage_find(&s, "entries.read")))
                stage_answer(&s, read, "{\"head\":0,\"entries\":[]}");
        say_entry(1, USER, "\"kind\":\"text\",\"text\":\"hello\"");
        say_entry(2, "sys", ASKED);
        say_entry(3, USER, RATED("\"score\":4"));
        int seen = 0;
        for (struct event *event; (event = stage_event(&s, EVENT_ENTRY)); event_free(event)) {
                seen += event->entry.kind == DESKBELL_KIND_SURVEY && event->entry.survey->max == 5;
                seen += event->entry.kind == DESKBELL_KIND_RATING && event->entry.survey->score == 4;
        }
        assert_int_equal(2, seen);
}

/* ---- deskbell_survey_check --------------------------------------------------------------------------------------- */

static const struct deskbell_choice pair[] = {{"a", "A"}, {"b", "B"}};
static const struct deskbell_survey_question asked[] = {
        {.id = "pick", .kind = "choice", .text = "?", .choices = pair, .choices_count = 2}};
static const struct deskbell_survey plain = {
        .style = "stars", .min = 1, .max = 5, .questions = asked, .questions_count = 1, .comment = "?", .contact = ""};

static void check_names(const char *expected, const struct deskbell_rating *rating)
{
        const char *field = NULL;

        assert_int_equal(DESKBELL_E_FORM, deskbell_survey_check(&plain, rating, &field));
        assert_string_equal(expected, field);
        assert_int_equal(DESKBELL_E_FORM, deskbell_survey_check(&plain, rating, NULL));
}

static void a_check_names_the_first_that_does_not_fit(void **state)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;
        const struct deskbell_survey_said odd = {.question = "odd"},
                                          good = {.question = "pick", CHOSEN("b"), .chosen_count = 1};
        const char *field = "untouched";

        (void)state;
        check_names("", &rating);
        rating.answers = &odd;
        rating.answers_count = 1;
        check_names("odd", &rating);
        rating.wants_contact = 0;
        check_names("contact", &rating);
        rating.score = 0;
        check_names("score", &rating);
        rating.score = 1;
        rating.wants_contact = -1;
        rating.answers = &good;
        rating.said = "well";
        assert_int_equal(0, deskbell_survey_check(&plain, &rating, &field));
        assert_string_equal("untouched", field);
        struct deskbell_survey silent = plain;
        silent.comment = "";
        assert_int_equal(DESKBELL_E_FORM, deskbell_survey_check(&silent, &rating, &field));
        assert_string_equal("said", field);
}

static void what_the_application_hands_over_is_bounded(void **state)
{
        char long_id[66], long_comment[2002];
        struct deskbell_rating rating = RATING(3, -1);
        struct deskbell_survey_said said[6] = {{.question = "pick", CHOSEN("a"), .chosen_count = 1}};

        (void)state;
        memset(long_id, 'i', 65);
        long_id[65] = '\0';
        memset(long_comment, 'c', 2001);
        long_comment[2001] = '\0';
        assert_int_equal(0, deskbell_survey_check(&plain, &rating, NULL));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_survey_check(NULL, &rating, NULL));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_survey_check(&plain, NULL, NULL));
#define WRONG(expected, change)                                                                                        \
        do {                                                                                                           \
                struct deskbell_rating before = rating;                                                                \
                change;                                                                                                \
                assert_int_equal(expected, deskbell_survey_check(&plain, &rating, NULL));                              \
                rating = before;                                                                                       \
        } while (0)
        WRONG(DESKBELL_E_INVALID, rating.size = 4);
        WRONG(DESKBELL_E_INVALID, rating.score = 11);
        WRONG(DESKBELL_E_INVALID, rating.score = -2);
        WRONG(DESKBELL_E_INVALID, rating.wants_contact = 2);
        WRONG(DESKBELL_E_INVALID, rating.wait_for_disk = 2);
        WRONG(DESKBELL_E_INVALID, rating.answers_count = 1);
        rating.answers = said;
        WRONG(DESKBELL_E_INVALID, rating.answers_count = 6);
        rating.answers_count = 1;
        assert_int_equal(0, deskbell_survey_check(&plain, &rating, NULL));
        WRONG(DESKBELL_E_INVALID, said[0].question = NULL);
        WRONG(DESKBELL_E_INVALID, said[0].question = "");
        WRONG(DESKBELL_E_INVALID, said[0].question = long_id);
        WRONG(DESKBELL_E_INVALID, said[0].question = "a\nb");
        said[0].question = "pick";
        WRONG(DESKBELL_E_INVALID, said[0].chosen = NULL);
        WRONG(DESKBELL_E_INVALID, said[0].chosen = (const char *const[]){"\xff"});
        said[0] = (struct deskbell_survey_said){.question = "pick", CHOSEN("a"), .chosen_count = 11};
        assert_int_equal(DESKBELL_E_INVALID, deskbell_survey_check(&plain, &rating, NULL));
        said[0] = (struct deskbell_survey_said){.question = "pick", .number = 11};
        assert_int_equal(DESKBELL_E_INVALID, deskbell_survey_check(&plain, &rating, NULL));
        said[0] = (struct deskbell_survey_said){.question = "pick", .words = long_comment};
        assert_int_equal(DESKBELL_E_TOO_LONG, deskbell_survey_check(&plain, &rating, NULL));
        said[0].words = "\x01";
        assert_int_equal(DESKBELL_E_TEXT, deskbell_survey_check(&plain, &rating, NULL));
        rating.answers_count = 0;
        WRONG(DESKBELL_E_TOO_LONG, rating.said = long_comment);
        WRONG(DESKBELL_E_TEXT, rating.said = "\xff");
        long_comment[2000] = '\0';
        WRONG(0, rating.said = long_comment);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_survey_comes_whole),
                TEST(what_a_newer_server_asks_in_its_own_way_still_shows_the_question),
                TEST(it_counts_as_unread_and_an_answer_does_not),
                TEST(an_answer_leaves_as_a_rating_and_comes_back_typed),
                TEST(an_answer_in_words_is_drawn_like_its_scale),
                TEST(what_is_said_in_words_is_cut_where_the_protocol_ends_it),
                TEST(the_tick_can_be_taken_back),
                TEST(what_does_not_fit_is_refused_and_nothing_is_queued),
                TEST(a_comment_and_the_tick_are_taken_only_where_they_are_asked_for),
                TEST(only_surveys_are_answered_and_only_by_customers),
                TEST(an_answer_changes_the_survey_on_every_device),
                TEST(what_an_answer_does_not_say_stays_as_it_was),
                TEST(a_survey_that_is_over_takes_no_answer),
                TEST(an_end_of_a_kind_that_is_not_known_changes_nothing),
                TEST(its_time_ends_by_the_servers_clock),
                TEST(a_late_reader_has_the_state_that_the_server_tells),
                TEST(an_answer_to_what_is_no_survey_changes_nothing),
                TEST(of_an_erased_survey_nothing_is_left),
                TEST(an_answer_given_offline_survives_the_process_and_is_sent_once),
                TEST(an_answer_whose_ack_was_lost_is_offered_again_and_counts_once),
                TEST(an_answer_that_comes_too_late_is_told_as_locked),
                TEST(an_answer_that_failed_is_retried_as_it_was),
                TEST(answers_of_one_device_keep_their_order),
                TEST(a_survey_that_is_not_in_the_cache_is_checked_by_the_server),
                TEST(a_survey_that_an_older_library_cached_is_checked_by_the_server),
                TEST(an_answer_whose_bytes_the_disk_has_changed_is_known_as_such),
                TEST(staff_see_what_was_asked_and_said),
                TEST(a_check_names_the_first_that_does_not_fit),
                TEST(what_the_application_hands_over_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
