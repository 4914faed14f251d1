/* SPDX-License-Identifier: Apache-2.0 */
/* The C++ binding without a server: what is refused, who owns what, and every way to end a client. */
#include <thread>

#include "scene.hpp"

using namespace deskbell;

static options offline(listener &seen, const std::string &dir = "")
{
        options given;

        given.url = "ws://127.0.0.1:9"; /* never connected */
        given.app = "app_0000000000009";
        given.token = "token";
        given.data_dir = dir;
        seen.listen(given);
        return given;
}

/* The message is queued when the call returns. */
static send_options on_disk()
{
        send_options how;

        how.wait_for_disk = true;
        return how;
}

static void what_the_c_function_refuses_is_thrown()
{
        listener seen;
        options wrong = offline(seen);

        wrong.app = "nonsense";
        CHECK_THROWS(invalid, client(std::move(wrong)));
        client one(offline(seen));
        conversation main = one.open_conversation();
        CHECK_THROWS(text, main.send(""));
        CHECK_THROWS(text, main.send(std::string("a\0b", 3)));
        CHECK_THROWS(text, main.send("\xff"));
        CHECK_THROWS(too_long, main.send(std::string(40001, 'a')));
        CHECK_THROWS(invalid, main.edit(0, 1, "x"));
        CHECK_THROWS(not_found, main.edit(7, 1, "x"));
        CHECK_THROWS(not_found, main.erase(7));
        CHECK_THROWS(not_found, one.retry(one.cmid_new()));
        CHECK_THROWS(not_found, one.forget(one.cmid_new()));
        CHECK_THROWS(invalid, one.open_conversation(std::string("a\0b", 3)));
        CHECK_THROWS(invalid, one.open_conversation_id("cnv_x"));
        CHECK_THROWS(state, main.entry_done(deskbell::log::public_log, 1));
        CHECK_THROWS(state, one.dispatch());
        CHECK_THROWS(invalid, one.set_token(""));
        CHECK_THROWS(invalid, main.history({}, nullptr));
        CHECK_THROWS(state, conversation().send("to nobody"));
        CHECK(one.fd() == -1);
        try {
                main.send("");
                CHECK(false);
        } catch (const error &thrown) {
                CHECK(std::string(thrown.what()) == deskbell_error_text(DESKBELL_E_TEXT));
        }
}

static void a_message_id_is_used_once_and_an_outbox_survives_its_client()
{
        folder dir;
        listener first, second;
        send_options how;
        {
                client one(offline(first, dir.path()));
                CHECK_THROWS(locked, client(offline(second, dir.path())));
                how.cmid = one.cmid_new();
                CHECK(one.open_conversation().send("kept", how) == how.cmid);
                CHECK_THROWS(exists, one.open_conversation().send("kept", how));
                CHECK(one.status().queued == 1);
        }
        client two(offline(second, dir.path()));
        conversation main = two.open_conversation();
        second.wait("the outbox is told again", [](const told &t) { return t.messages.size() == 1 && t.opens == 1; });
        second.with([&](told &t) {
                CHECK(t.messages[0].text == "kept" && t.messages[0].cmid == how.cmid && t.messages[0].is_again);
                CHECK(t.messages[0].state == message_state::queued && t.messages[0].conversation == main);
        });
        CHECK(two.owns(main));
}

static void an_answer_to_a_survey_is_checked_and_waits_in_the_outbox()
{
        struct survey asked;
        rating answer;

        asked.style = "stars";
        asked.min = 1;
        asked.max = 5;
        asked.comment = "More?";
        asked.questions.resize(1);
        asked.questions[0].id = "why";
        asked.questions[0].kind = "choices";
        asked.questions[0].choices = {{"slow", "Too slow"}, {"rude", "Unkind"}};
        CHECK(survey_check(asked, answer) == "");
        answer.score = 6;
        CHECK(survey_check(asked, answer) == "score");
        answer.score = 2;
        answer.wants_contact = 1;
        CHECK(survey_check(asked, answer) == "contact");
        answer.wants_contact = -1;
        answer.answers.push_back({"why", {}, 3, ""});
        CHECK(survey_check(asked, answer) == "why");
        answer.answers[0] = {"why", {"rude", "slow"}, -1, ""};
        CHECK(!survey_check(asked, answer));
        answer.said = std::string("a\0b", 3);
        CHECK_THROWS(text, survey_check(asked, answer));
        answer.said = "no";
        listener seen;
        client one(offline(seen));
        const std::string cmid = one.open_conversation().survey_answer(7, answer);
        seen.wait("it waits", [](const told &t) { return t.messages.size() == 1; });
        seen.with([&](told &t) {
                CHECK(t.messages[0].cmid == cmid && t.messages[0].rated_seq == 7);
                CHECK(t.messages[0].text == "2\nrude, slow\nno");
        });
        CHECK_THROWS(invalid, one.open_conversation().survey_answer(0, answer));
}

static void a_file_under_a_key_opens_under_that_key_only()
{
        folder dir;
        listener told;
        const std::vector<std::uint8_t> key(32, 7), other(32, 8);
        auto with = [&](const std::vector<std::uint8_t> &store_key) {
                options how = offline(told, dir.path());
                how.store_key = store_key;
                return how;
        };
        {
                client one(with(key));
                one.open_conversation().send("between us");
        }
        CHECK_THROWS(key, client(with({})));
        CHECK_THROWS(key, client(with(other)));
        CHECK_THROWS(invalid, client(with({1, 2, 3})));
        {
                client one(with(key));
                CHECK_THROWS(invalid, one.change_store_key({1, 2, 3}));
                one.change_store_key(other);
        }
        CHECK_THROWS(key, client(with(key)));
        client two(with(other));
        CHECK(two.status().queued == 1);
}

static void who_waits_for_the_disk_finds_the_message_queued_when_the_call_returns()
{
        folder dir;
        listener seen;
        options given = offline(seen, dir.path());

        given.callbacks_by_dispatch = true;
        client one(std::move(given));
        conversation main = one.open_conversation();
        std::string first = main.send("on disk", on_disk());
        one.dispatch();
        seen.with([&](told &t) {
                CHECK(t.messages.size() == 1 && t.messages[0].cmid == first);
                CHECK(t.messages[0].state == message_state::queued);
        });
        file_options with;
        with.wait_for_disk = true;
        file_source source;
        source.bytes = "abc";
        std::string second = main.send_file({source}, with);
        one.dispatch();
        seen.with([&](told &t) {
                CHECK(t.messages.size() == 2 && t.messages[1].cmid == second);
                CHECK(t.messages[1].state == message_state::uploading);
        });
}

static void a_client_moves_and_what_it_left_behind_is_empty()
{
        listener seen;
        client one(offline(seen));
        conversation main = one.open_conversation();
        client two(std::move(one));

        CHECK(two.owns(main));
        CHECK_THROWS(state, one.connect()); /* NOLINT(bugprone-use-after-move): that is what is tested */
        CHECK(one.get() == nullptr);        /* NOLINT(bugprone-use-after-move) */
        one = client(offline(seen));
        CHECK(one.get() != nullptr && one.get() != two.get());
        CHECK(!one.owns(main));
        one = std::move(two);
        CHECK(one.owns(main));
}

static void a_call_after_the_end_throws_cancelled()
{
        listener seen;
        client one(offline(seen));
        conversation main = one.open_conversation();

        one.close();
        one.close();
        CHECK_THROWS(cancelled, one.connect());
        CHECK_THROWS(cancelled, one.status());
        CHECK_THROWS(cancelled, main.send("late"));
        CHECK_THROWS(cancelled, main.id());
        CHECK_THROWS(cancelled, main.history({}, [](const history_page &) {}));
}

/* True when the functions of the options were destroyed. */
static std::weak_ptr<int> sentinel(options &given)
{
        auto alive = std::make_shared<int>(1);
        auto inner = std::move(given.on_state);

        given.on_state = [inner, alive](const state &s) { inner(s); };
        return alive;
}

static void a_conversation_kept_by_a_callback_does_not_keep_the_client()
{
        listener seen;
        options given = offline(seen);
        auto kept = std::make_shared<conversation>();
        std::weak_ptr<conversation> watch = kept;

        given.on_opened = [kept](const opened &) {};
        {
                client one(std::move(given));
                *kept = one.open_conversation();
                kept.reset();
                CHECK(!watch.expired());
        }
        CHECK(watch.expired());
}

static void a_client_may_be_destroyed_by_its_own_thread()
{
        folder dir;
        listener seen;
        watched<int> calls;
        options given = offline(seen, dir.path());
        std::unique_ptr<client> one;
        std::weak_ptr<int> functions = sentinel(given);
        std::thread::id here = std::this_thread::get_id();

        given.on_message = [&](const message &) {
                calls.with([&](int &n) { n++; });
                CHECK(std::this_thread::get_id() != here);
                one.reset();
        };
        one = std::make_unique<client>(std::move(given));
        {
                client *raw = one.get();
                conversation main = raw->open_conversation();
                seen.wait("opened", [](const told &t) { return t.opens == 1; });
                main.send("first");
        }
        calls.wait("the callback ran", [](int n) { return n == 1; });
        /* The file is let go a moment later: the next client waits for that. */
        for (auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);;) {
                try {
                        client two(offline(seen, dir.path()));
                        CHECK(two.status().queued == 1);
                        break;
                } catch (const error &locked) {
                        CHECK(locked.code() == errc::locked && std::chrono::steady_clock::now() < until);
                        std::this_thread::yield();
                }
        }
        CHECK(calls.with([](int &n) { return n; }) == 1);
}

static void a_client_may_be_destroyed_inside_dispatch_and_is_gone_when_it_returns()
{
        folder dir;
        listener seen;
        int calls = 0;
        options given = offline(seen, dir.path());
        std::weak_ptr<int> functions = sentinel(given);
        std::unique_ptr<client> one;

        given.callbacks_by_dispatch = true;
        given.on_message = [&](const message &m) {
                calls++;
                one.reset();
                CHECK(m.text == "first"); /* what it was given is whole */
                CHECK_THROWS(cancelled, m.conversation.send("too late"));
        };
        one = std::make_unique<client>(std::move(given));
        conversation main = one->open_conversation();
        main.send("first", on_disk());
        main.send("second", on_disk());
        client *raw = one.get();
        for (int i = 0; i < 100 && !calls; i++)
                raw->dispatch(1);
        CHECK(calls == 1 && functions.expired());
        client two(offline(seen, dir.path())); /* would throw `locked` */
        CHECK(two.status().queued == 2);
}

static void a_callback_that_throws_is_told_by_dispatch_and_the_others_run()
{
        listener seen;
        options given = offline(seen);
        int calls = 0;

        given.callbacks_by_dispatch = true;
        given.on_message = [&](const message &m) {
                calls++;
                throw std::runtime_error(m.text);
        };
        client one(std::move(given));
        conversation main = one.open_conversation();
        main.send("first", on_disk());
        main.send("second", on_disk());
        std::string thrown;
        for (int i = 0; i < 100 && calls < 2; i++) {
                try {
                        one.dispatch();
                } catch (const std::runtime_error &what) {
                        if (thrown.empty())
                                thrown = what.what();
                }
        }
        CHECK(calls == 2 && thrown == "first");
        main.send("third");
        CHECK(one.status().queued == 3);
        CHECK_THROWS(wrong_thread, [&] { throw error(errc::wrong_thread); }());
}

static void a_callback_that_throws_on_the_clients_thread_is_logged_without_its_text()
{
        listener seen;
        options given = offline(seen);

        given.on_message = [](const message &) { throw std::runtime_error("secret"); };
        client one(std::move(given));
        one.open_conversation().send("secret");
        seen.wait("the line", [](const told &t) {
                for (const auto &line : t.lines)
                        if (line.find("threw an exception") != std::string::npos)
                                return true;
                return false;
        });
        seen.with([](told &t) {
                for (const auto &line : t.lines)
                        CHECK(line.find("secret") == std::string::npos);
        });
        CHECK(one.open_conversation().send("it goes on").size() == 32);
}

static void dispatch_inside_a_callback_and_calls_inside_on_log_are_refused()
{
        listener seen;
        options given = offline(seen);
        client *raw = nullptr;
        errc inside = errc::ok;
        watched<errc> in_log;

        in_log.with([](errc &code) { code = errc::ok; });
        given.callbacks_by_dispatch = true;
        given.on_message = [&](const message &) {
                try {
                        raw->dispatch();
                } catch (const error &thrown) {
                        inside = thrown.code();
                        throw;
                }
        };
        given.on_log = [&](level, std::string_view) {
                try {
                        raw->status();
                } catch (const error &thrown) {
                        in_log.with([&](errc &code) { code = thrown.code(); });
                }
        };
        client one(std::move(given));
        raw = &one;
        one.open_conversation().send("x", on_disk());
        for (int i = 0; i < 100 && inside == errc::ok; i++) {
                try {
                        one.dispatch();
                } catch (const error &thrown) {
                        CHECK(thrown.code() == errc::wrong_thread);
                }
        }
        CHECK(inside == errc::wrong_thread);
        one.connect(); /* the transport's failure is logged */
        in_log.wait("a line was logged", [](errc code) { return code == errc::wrong_thread; });
}

/* A transport that refuses, or that throws. */
class refusing : public transport
{
      public:
        bool open(std::string_view url, std::string_view, std::size_t, link) override
        {
                opened.with([&](std::vector<std::string> &all) { all.emplace_back(url); });
                if (throws)
                        throw std::runtime_error("no");
                return false;
        }
        void send(link, std::string_view) override
        {
        }
        void close(link, int) override
        {
        }
        void resume(link) override
        {
        }
        void stop() override
        {
                is_stopped = true;
        }
        watched<std::vector<std::string>> opened;
        std::atomic<bool> is_stopped{false};
        bool throws = false;
};

static void a_transport_and_a_clock_of_the_applications_own_are_used()
{
        for (bool throws : {false, true}) {
                listener seen;
                options given = offline(seen);
                auto plug = std::make_shared<refusing>();
                auto now = std::make_shared<std::atomic<std::int64_t>>(1000);
                plug->throws = throws;
                given.url = "ws://example.invalid:1";
                given.transport = plug;
                given.mono_ms = [now] { return now->load(); };
                given.wall_ms = [now] { return 1700000000000 + now->load(); };
                given.random = [](void *bytes, std::size_t len) { std::memset(bytes, 0x5a, len); };
                {
                        client one(std::move(given));
                        CHECK(one.cmid_new().substr(20) == "5a5a5a5a5a5a");
                        one.connect();
                        seen.wait("waiting", [](const told &t) { return t.state.connection == connection::waiting; });
                        std::int64_t pause = seen.with([](told &t) { return t.state.retry_in_ms; });
                        CHECK(pause > 0 && seen.with([](told &t) { return t.state.why; }) == "network");
                        *now += pause + 1;
                        one.tick();
                        plug->opened.wait("tried again", [](const auto &all) { return all.size() == 2; });
                        CHECK(!plug->is_stopped);
                }
                CHECK(plug->is_stopped && plug.use_count() == 1);
                CHECK(plug->opened.with([](auto &all) { return all[0]; }) == "ws://example.invalid:1/v1/ws");
        }
}

/* Writes on and on, also when the outbox is full; what ended it. */
static errc write_until_refused(conversation &main, watched<int> &sent)
{
        for (;;) {
                try {
                        main.send("x", on_disk());
                        sent.with([](int &n) { n++; });
                } catch (const error &thrown) {
                        if (thrown.code() != errc::outbox_full)
                                return thrown.code();
                        std::this_thread::yield();
                }
        }
}

static void a_second_thread_may_call_while_another_ends_the_client()
{
        for (int round = 0; round < 20; round++) {
                listener seen;
                client one(offline(seen));
                conversation main = one.open_conversation();
                watched<int> sent;
                errc ended{};
                std::thread writer([&] { ended = write_until_refused(main, sent); });
                sent.wait("it writes", [](int n) { return n > 3; });
                one.close();
                writer.join();
                CHECK(ended == errc::cancelled);
                int count = sent.with([](int &n) { return n; });
                CHECK(seen.with([](told &t) { return t.count(message_state::queued); }) <= count);
        }
}

#define T(name)                                                                                                        \
        {                                                                                                              \
#name, name                                                                                            \
        }

int main(int, char **argv)
{
        return run_tests(
                {
                        T(what_the_c_function_refuses_is_thrown),
                        T(a_message_id_is_used_once_and_an_outbox_survives_its_client),
                        T(an_answer_to_a_survey_is_checked_and_waits_in_the_outbox),
                        T(a_file_under_a_key_opens_under_that_key_only),
                        T(who_waits_for_the_disk_finds_the_message_queued_when_the_call_returns),
                        T(a_client_moves_and_what_it_left_behind_is_empty),
                        T(a_call_after_the_end_throws_cancelled),
                        T(a_conversation_kept_by_a_callback_does_not_keep_the_client),
                        T(a_client_may_be_destroyed_by_its_own_thread),
                        T(a_client_may_be_destroyed_inside_dispatch_and_is_gone_when_it_returns),
                        T(a_callback_that_throws_is_told_by_dispatch_and_the_others_run),
                        T(a_callback_that_throws_on_the_clients_thread_is_logged_without_its_text),
                        T(dispatch_inside_a_callback_and_calls_inside_on_log_are_refused),
                        T(a_transport_and_a_clock_of_the_applications_own_are_used),
                        T(a_second_thread_may_call_while_another_ends_the_client),
                },
                argv[1]);
}
