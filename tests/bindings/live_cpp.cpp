/* SPDX-License-Identifier: Apache-2.0 */
/* The C++ binding in a conversation with a real server, both sides in this process. The rig (live.py) starts it:
 *     live_cpp URL APP TOKEN AGENT_TOKEN CONVERSATION FOLDER
 * and takes the server away and brings it back when a line on stdout asks for it. In the conversation lie, from 1: a
 * text, choices, a card, a form and an article of the agent. */
#include <poll.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "scene.hpp"

using namespace deskbell;

static struct {
        std::string url, app, token, agent_token, conversation, folder;
} world;

static void ask_rig(const char *what)
{
        std::string answer;

        std::cout << "rig: " << what << std::endl;
        CHECK(std::getline(std::cin, answer) && answer == "done");
}

static options of_customer(listener &seen, const std::string &device)
{
        options given;

        given.url = world.url;
        given.app = world.app;
        given.token = world.token;
        given.data_dir = world.folder + "/" + device;
        seen.listen(given);
        return given;
}

static options of_agent(listener &seen)
{
        options given;

        given.url = world.url;
        given.app = world.app;
        given.agent_token = world.agent_token;
        given.data_dir = world.folder + "/agent";
        given.client_name = "live_cpp";
        seen.listen(given);
        return given;
}

static void every_kind_is_copied_with_all_its_parts()
{
        listener seen;
        client phone(of_customer(seen, "phone"));
        phone.open_conversation();
        phone.connect();
        seen.wait("five entries", [](const told &t) { return t.entries.size() >= 5; });
        seen.wait("the unread total", [](const told &t) { return t.unread == 5; });
        seen.with([](told &t) {
                const auto &all = t.entries;
                CHECK(all[0].kind == kind::text && all[0].number == 1 && all[0].text == "welcome");
                CHECK(all[0].author.substr(0, 4) == "agt_" && all[0].name == "Kim" && !all[0].is_mine);
                CHECK(all[0].cmid.size() == 32 && all[0].version == 1 && all[0].ts_ms > 0);
                CHECK(all[0].epoch.size() == 16 && all[0].epoch == t.state.epoch);
                CHECK(all[0].conversation.id() == world.conversation);
                CHECK(all[1].kind == kind::choices && all[1].choices.size() == 2);
                CHECK(all[1].choices[1].id == "b" && all[1].choices[1].label == "Blue");
                CHECK(all[2].kind == kind::card && all[2].title == "A card" && all[2].link == "https://example.com/c");
                CHECK(all[3].kind == kind::form && all[3].form.size() == 1);
                CHECK(all[3].form[0].id == "mail" && all[3].form[0].label == "Your address");
                CHECK(all[3].form[0].input == "email" && all[3].form[0].required);
                CHECK(all[4].kind == kind::article && all[4].title == "An article");
                CHECK(all[4].hash != all[0].hash && t.state.principal.substr(0, 4) == "usr_");
        });
        auto known = phone.conversations();
        CHECK(known.size() == 1 && known[0].key == "main" && known[0].head == 5 && known[0].unread == 5);
        CHECK(known[0].id == world.conversation && known[0].last_ts_ms > 0);
}

static void fill_in_the_form(const conversation &main, const entry &form, listener &agent)
{
        send_options how;

        CHECK(form.kind == kind::form && form.number == 4);
        CHECK(deskbell::form_check(form.form, {{"mail", "nowhere"}}) == "mail");
        CHECK(deskbell::form_check(form.form, {{"mail", "ann@example.com"}}).empty());
        how.filled_seq = 4;
        how.filled = {{"mail", "nowhere"}};
        CHECK_THROWS(form, main.send("", how));
        how.filled = {{"mail", "ann@example.com"}};
        main.send("", how);
        entry answer = agent.wait_entry("Your address: ann@example.com");
        CHECK(answer.kind == kind::text && answer.filled_seq == 4 && answer.filled.size() == 1);
        CHECK(answer.filled[0].id == "mail" && answer.filled[0].value == "ann@example.com");
}

static void a_customer_and_an_agent_talk()
{
        listener customer, agent;
        client phone(of_customer(customer, "phone")), desk(of_agent(agent));
        conversation main = phone.open_conversation(), side = desk.open_conversation_id(world.conversation);
        send_options how;

        phone.connect();
        desk.connect();
        customer.wait_online();
        agent.wait_online();
        std::string cmid = main.send("my lamp is broken");
        entry question = agent.wait_entry("my lamp is broken");
        CHECK(question.cmid == cmid && question.author.substr(0, 4) == "usr_" && question.conversation == side);
        customer.wait("delivered or read", [&](const told &t) { return t.count(message_state::sent) == 1; });
        side.mark_read(question.number);
        customer.wait("read", [](const told &t) { return t.count(message_state::read) == 1; });

        side.typing();
        customer.wait("the agent writes", [](const told &t) { return !t.typings.empty() && t.typings[0].is_typing; });
        how.reply_to = question.number;
        side.send("which one?", how);
        entry reply = customer.wait_entry("which one?");
        CHECK(reply.reply_to == question.number && reply.number == question.number + 1 && !reply.is_mine);
        how = send_options();
        how.log = deskbell::log::team;
        side.send("he is a good customer", how);
        entry note = agent.wait_entry("he is a good customer");
        CHECK(note.log == deskbell::log::team && note.number >= 1 && note.at_seq == reply.number);
        how = send_options();
        how.pressed_seq = 2;
        how.pressed_id = "b";
        main.send("Blue", how);
        CHECK(agent.wait_entry("Blue").pressed_id == "b" && agent.wait_entry("Blue").pressed_seq == 2);

        fill_in_the_form(main, customer.wait_entry("A form"), agent);
        side.edit(reply.number, reply.version, "which lamp?");
        entry change = customer.wait_entry("which lamp?");
        CHECK(change.kind == kind::edit && change.of == reply.number && change.version == 2);
        main.erase(question.number);
        agent.wait("the erasure", [&](const told &t) {
                return !t.entries.empty() && t.entries.back().kind == kind::erase &&
                       t.entries.back().of == question.number;
        });
        main.erase(reply.number); /* not his own */
        customer.wait("refused", [](const told &t) { return t.count(message_state::failed) == 1; });
        customer.with([&](told &t) {
                CHECK(t.messages.back().operation == operation::erase && !t.messages.back().tag.empty());
                CHECK(t.find("he is a good customer") == nullptr);
                cmid = t.messages.back().cmid;
        });
        CHECK(phone.status().failed == 1);
        phone.forget(cmid);
        CHECK(phone.status().failed == 0);
        CHECK_THROWS(state, desk.open_conversation());
}

static void what_is_written_offline_arrives_once_and_in_order()
{
        listener customer;
        client phone(of_customer(customer, "phone"));
        conversation main = phone.open_conversation();

        phone.connect();
        customer.wait_online();
        ask_rig("kill the server");
        customer.wait("the loss is told", [](const told &t) { return !t.is_online(); });
        for (int i = 0; i < 20; i++)
                main.send("in the tunnel " + std::to_string(i));
        CHECK(phone.status().queued == 20 && !phone.status().is_online);
        ask_rig("start the server");
        phone.network_changed();
        customer.wait("all are sent", [](const told &t) { return t.count(message_state::sent) == 20; });
        customer.wait("all came back", [](const told &t) { return t.find("in the tunnel 19") != nullptr; });
        customer.with([](told &t) {
                std::int64_t before = 0;
                for (int i = 0; i < 20; i++) {
                        const entry *found = t.find("in the tunnel " + std::to_string(i));
                        CHECK(found && found->number > before && found->is_mine);
                        before = found->number;
                }
        });
        CHECK(phone.status().queued == 0);
}

static history_page page_of(const conversation &main, const history_options &how)
{
        watched<std::vector<history_page>> pages;
        history_page page;

        main.history(how, [&](const history_page &got) { pages.with([&](auto &all) { all.push_back(got); }); });
        pages.wait("the page", [](const auto &all) { return !all.empty(); });
        pages.with([&](auto &all) { page = all[0]; });
        return page;
}

static void history_gives_pages_and_each_question_gets_one_answer()
{
        listener customer;
        client phone(of_customer(customer, "phone"));
        conversation main = phone.open_conversation();
        history_options how;

        phone.connect();
        customer.wait("caught up", [](const told &t) { return t.state.caught_up; });
        how.after = 0;
        how.limit = 5;
        history_page first = page_of(main, how);
        CHECK(first.error == errc::ok && first.entries.size() == 5 && first.more && first.head > 20);
        CHECK(first.entries[1].kind == kind::choices && first.entries[1].choices[0].label == "Red");
        how.from_server = true;
        history_page fresh = page_of(main, how);
        CHECK(fresh.entries.size() == 5 && fresh.entries[4].cmid == first.entries[4].cmid);
        how.limit = 0;
        CHECK_THROWS(invalid, main.history(how, [](const history_page &) { std::abort(); }));
        how.limit = 5;
        int answers = 0, cancelled = 0;
        for (int i = 0; i < 10; i++)
                main.history(how, [&](const history_page &got) {
                        answers++;
                        cancelled += got.error == errc::cancelled;
                });
        phone.close();
        CHECK(answers == 10 && cancelled <= 10);
        CHECK_THROWS(cancelled, main.history(how, [](const history_page &) { std::abort(); }));
}

static void questions_are_answered_before_a_client_destroyed_by_a_callback_is_gone()
{
        for (bool by_dispatch : {false, true}) {
                listener customer;
                options given = of_customer(customer, by_dispatch ? "tablet" : "watch");
                std::unique_ptr<client> phone;
                watched<int> answers;
                history_options how;

                how.from_server = true;
                given.callbacks_by_dispatch = by_dispatch;
                given.on_state = [&](const struct state &s) {
                        if (!s.caught_up || !phone)
                                return;
                        conversation main = phone->open_conversation();
                        for (int i = 0; i < 5; i++)
                                main.history(how, [&](const history_page &got) {
                                        answers.with([&](int &n) { n += got.error == errc::cancelled ? 1 : 100; });
                                });
                        phone.reset();
                        answers.with([](int &n) { CHECK(n == 5); });
                        answers.with([](int &n) { n += 1000; });
                };
                phone = std::make_unique<client>(std::move(given));
                client *raw = phone.get();
                raw->open_conversation();
                raw->connect();
                if (by_dispatch) {
                        for (pollfd fd{raw->fd(), POLLIN, 0}; phone && poll(&fd, 1, 60000) > 0;)
                                raw->dispatch();
                }
                answers.wait("the end", [](int n) { return n >= 1000; });
                CHECK(answers.with([](int &n) { return n; }) == 1005);
        }
}

static void an_outcome_that_a_destroyed_client_did_not_tell_is_told_by_the_next()
{
        listener customer, after;
        options given = of_customer(customer, "phone");
        std::unique_ptr<client> phone;
        std::vector<std::string> sent, told_of;

        given.callbacks_by_dispatch = true;
        given.on_message = [&](const message &m) {
                if (m.state != message_state::sent)
                        return;
                told_of.push_back(m.cmid);
                phone.reset();
        };
        phone = std::make_unique<client>(std::move(given));
        client *raw = phone.get();
        conversation main = raw->open_conversation();
        raw->connect();
        for (int i = 0; i < 5; i++)
                sent.push_back(main.send("told once " + std::to_string(i)));
        while (phone && raw->status().queued > 0) /* all answered before the first callback runs */
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        while (phone)
                raw->dispatch();
        CHECK(told_of.size() == 1 && told_of[0] == sent[0]);
        client again(of_customer(after, "phone"));
        again.open_conversation();
        after.wait("the others", [](const told &t) { return t.count(message_state::sent) >= 4 && t.opens == 1; });
        after.with([&](told &t) {
                for (const message &m : t.messages)
                        if (m.state == message_state::sent)
                                told_of.push_back(m.cmid);
        });
        CHECK(told_of == sent);
}

static std::string read_file(const std::string &path)
{
        std::ifstream from(path, std::ios::binary);

        return {std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
}

static void a_file_goes_up_and_comes_down_whole()
{
        listener customer, agent;
        client phone(of_customer(customer, "phone")), desk(of_agent(agent));
        conversation main = phone.open_conversation();
        const std::string path = world.folder + "/photo.bin", target = world.folder + "/fetched.bin";
        std::string content(300000, 'x');
        file_options how;
        watched<std::vector<fetched>> ends;
        std::int64_t last = 0;

        for (std::size_t i = 0; i < content.size(); i++)
                content[i] = static_cast<char>(i * 2654435761u >> 13);
        std::ofstream(path, std::ios::binary) << content;
        desk.open_conversation_id(world.conversation);
        phone.connect();
        desk.connect();
        how.text = "two files";
        std::string cmid = main.send_file({{path, {}, "", ""}, {"", "small", "note.txt", "text/plain"}}, how);
        customer.wait("sent", [](const told &t) { return t.count(message_state::sent) == 1; });
        customer.with([&](told &t) {
                CHECK(t.messages[0].state == message_state::uploading && t.messages[0].files.size() == 2);
                CHECK(!t.progresses.empty() && t.progresses[0].cmid == cmid && t.progresses[0].files == 2);
        });
        entry got = agent.wait_entry("two files");
        CHECK(got.kind == kind::attachment && got.files.size() == 2 && got.files[0].name == "photo.bin");
        CHECK(got.files[0].size == 300000 && got.files[1].name == "note.txt" && got.files[1].size == 5);
        CHECK(got.files[0].id.size() == 32 && got.files[0].sha256 != got.files[1].sha256);
        std::int64_t number = desk.fetch(
                got.files[0], target, [&](const fetched &end) { ends.with([&](auto &all) { all.push_back(end); }); },
                [&](std::int64_t, std::int64_t total) { last = total; });
        ends.wait("fetched", [](const auto &all) { return all.size() == 1; });
        CHECK(ends.with([](auto &all) { return all[0].error; }) == errc::ok);
        CHECK(last == 300000 && read_file(target) == content);
        CHECK_THROWS(not_found, desk.fetch_cancel(number));
        file nobodys = got.files[0];
        nobodys.id = std::string(32, '0');
        desk.fetch(nobodys, target + "2", [&](const fetched &end) { ends.with([&](auto &a) { a.push_back(end); }); });
        ends.wait("refused", [](const auto &all) { return all.size() == 2; });
        CHECK(ends.with([](auto &all) { return all[1].error; }) == errc::not_found);
}

static void an_upload_is_paused_and_cancelled()
{
        listener customer;
        client phone(of_customer(customer, "phone"));
        std::string cmid = phone.open_conversation().send_file({{"", "some bytes", "x.bin", ""}});

        phone.upload_pause(cmid);
        customer.wait("paused", [](const told &t) { return !t.messages.empty() && t.messages.back().is_paused; });
        phone.upload_resume(cmid);
        customer.wait("not paused", [](const told &t) { return !t.messages.back().is_paused; });
        phone.upload_cancel(cmid);
        customer.wait("cancelled", [](const told &t) { return t.messages.back().tag == "cancelled"; });
        CHECK_THROWS(not_found, phone.upload_cancel(cmid));
}

static void a_word_is_found()
{
        listener agent;
        client desk(of_agent(agent));
        watched<std::vector<search_page>> pages;
        search_options how;
        std::size_t asked = 0;

        how.limit = 5;
        CHECK_THROWS(offline, desk.search("welcome", how, [](const search_page &) { std::abort(); }));
        desk.connect();
        agent.wait_online();
        do { /* the index follows about a second later */
                asked++;
                desk.search("welcome", how,
                            [&](const search_page &page) { pages.with([&](auto &all) { all.push_back(page); }); });
                pages.wait("the page", [&](const auto &all) { return all.size() == asked; });
        } while (pages.with([](auto &all) { return all.back().found.empty(); }) && asked < 10000);
        found hit = pages.with([](auto &all) { return all.back().found[0]; });
        CHECK(hit.conversation == world.conversation && hit.number == 1 && hit.hit == "welcome");
        CHECK(hit.kind == "text" && hit.author.substr(0, 4) == "agt_" && !hit.customer.empty() && hit.ts_ms > 0);
}

static void who_is_there_is_told_to_both_sides()
{
        listener customer, agent;
        client phone(of_customer(customer, "phone")), desk(of_agent(agent));

        phone.open_conversation();
        desk.open_conversation_id(world.conversation);
        phone.connect();
        desk.connect();
        desk.set_presence(availability::here);
        customer.wait("the team is there", [](const told &t) {
                return !t.presences.empty() && t.presences.back().is_here &&
                       t.presences.back().of == presence_of::team && !t.presences.back().conversation;
        });
        agent.wait("the customer is there", [](const told &t) {
                return !t.presences.empty() && t.presences.back().is_here &&
                       t.presences.back().conversation.id() == world.conversation;
        });
        CHECK_THROWS(state, phone.set_presence(availability::here));
}

static void the_background_pauses_and_a_push_is_news_until_it_is_there()
{
        listener customer;
        client phone(of_customer(customer, "phone"));

        phone.open_conversation();
        phone.set_push(push::fcm, "a-token-of-the-platform");
        phone.connect();
        customer.wait("caught up", [](const told &t) { return t.state.caught_up; });
        phone.set_background(true);
        customer.wait("paused", [](const told &t) { return t.state.connection == connection::paused; });
        CHECK(!phone.push_received(world.conversation, 1));
        CHECK(phone.push_received(world.conversation, 10000000));
        customer.wait("settled", [](const told &t) { return t.settled == 1; });
        phone.no_push();
}

static void a_log_out_removes_what_was_here()
{
        listener customer;
        client phone(of_customer(customer, "borrowed"));

        phone.open_conversation().send("never sent");
        phone.set_push(push::custom, "a-token-of-the-platform");
        CHECK_THROWS(unsent, phone.log_out());
        CHECK(phone.status().queued == 1);
        CHECK(!phone.log_out(true));
        CHECK_THROWS(cancelled, phone.status());
        for (const auto &left : std::filesystem::directory_iterator(world.folder + "/borrowed"))
                CHECK(left.path().extension() != ".deskbell");
}

enum { WRITERS = 4, EACH = 250 };

static void a_thousand_messages_of_four_threads_arrive_once_and_in_order()
{
        listener customer, agent;
        client phone(of_customer(customer, "phone")), desk(of_agent(agent));
        conversation main = phone.open_conversation();
        std::vector<std::thread> writers;

        writers.reserve(WRITERS);
        desk.open_conversation_id(world.conversation);
        phone.connect();
        desk.connect();
        customer.wait("caught up", [](const told &t) { return t.state.caught_up; });
        agent.wait("caught up", [](const told &t) { return t.state.caught_up; });
        for (int w = 0; w < WRITERS; w++)
                writers.emplace_back([&main, w] {
                        for (int i = 0; i < EACH;) {
                                try {
                                        main.send("load " + std::to_string(w) + " " + std::to_string(i));
                                        i++;
                                } catch (const error &full) {
                                        if (full.code() != errc::outbox_full)
                                                std::abort();
                                        std::this_thread::yield();
                                }
                        }
                });
        for (std::thread &writer : writers)
                writer.join();
        customer.wait("all are sent", [](const told &t) { return t.count(message_state::sent) == WRITERS * EACH; });
        for (listener *side : {&customer, &agent}) {
                side->wait("all are given", [](const told &t) {
                        int found = 0;
                        for (const entry &e : t.entries)
                                found += e.text.rfind("load ", 0) == 0;
                        return found >= WRITERS * EACH;
                });
                side->with([](told &t) {
                        int next[WRITERS] = {0};
                        std::int64_t number = 0;
                        for (const entry &e : t.entries) {
                                if (e.log == deskbell::log::team)
                                        continue;
                                CHECK(!number || e.number == number + 1);
                                number = e.number;
                                if (e.text.rfind("load ", 0) != 0)
                                        continue;
                                int w = e.text[5] - '0';
                                CHECK(std::stoi(e.text.substr(7)) == next[w]++);
                        }
                        for (int count : next)
                                CHECK(count == EACH);
                });
        }
}

static void a_client_without_a_token_asks_for_one()
{
        listener seen;
        options given = of_customer(seen, "tokenless");
        client *raw = nullptr;

        given.token.clear();
        given.user = "ann";
        given.callbacks_by_dispatch = true;
        int asked = 0;
        given.on_token = [&] {
                asked++;
                raw->set_token(world.token);
        };
        client phone(std::move(given));
        raw = &phone;
        phone.connect();
        for (pollfd fd{phone.fd(), POLLIN, 0}; !seen.with([](told &t) { return t.is_online(); });) {
                CHECK(poll(&fd, 1, 60000) > 0);
                phone.dispatch();
        }
        CHECK(asked == 1);
}

static void entries_not_done_are_given_again_to_a_kiosk()
{
        for (int run = 0; run < 2; run++) {
                listener seen;
                options given = of_customer(seen, "kiosk");
                given.manual_ack = true;
                given.first_page = -1;
                client kiosk(std::move(given));
                conversation main = kiosk.open_conversation();
                kiosk.connect();
                seen.wait("entries", [](const told &t) { return t.entries.size() >= 3; });
                CHECK(seen.with([](told &t) { return t.entries[0].number; }) == (run ? 3 : 1));
                CHECK(seen.with([](told &t) { return t.entries[0].origin; }) == origin::following);
                main.entry_done(deskbell::log::public_log, 2);
        }
}

#define T(name)                                                                                                        \
        {                                                                                                              \
#name, name                                                                                            \
        }

int main(int argc, char **argv)
{
        if (argc < 7)
                return 64;
        world = {argv[1], argv[2], argv[3], argv[4], argv[5], argv[6]};
        return run_tests(
                {
                        T(every_kind_is_copied_with_all_its_parts),
                        T(a_customer_and_an_agent_talk),
                        T(what_is_written_offline_arrives_once_and_in_order),
                        T(history_gives_pages_and_each_question_gets_one_answer),
                        T(questions_are_answered_before_a_client_destroyed_by_a_callback_is_gone),
                        T(an_outcome_that_a_destroyed_client_did_not_tell_is_told_by_the_next),
                        T(a_client_without_a_token_asks_for_one),
                        T(entries_not_done_are_given_again_to_a_kiosk),
                        T(a_file_goes_up_and_comes_down_whole),
                        T(an_upload_is_paused_and_cancelled),
                        T(a_word_is_found),
                        T(who_is_there_is_told_to_both_sides),
                        T(the_background_pauses_and_a_push_is_news_until_it_is_there),
                        T(a_log_out_removes_what_was_here),
                        T(a_thousand_messages_of_four_threads_arrive_once_and_in_order),
                },
                argv[7]);
}
