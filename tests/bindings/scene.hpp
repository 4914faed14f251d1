/* SPDX-License-Identifier: Apache-2.0 */
/* Scene: what the C++ binding's tests share. A test is a function; what it finds wrong is thrown, so that everything it
 * made is destroyed. Waiting is for events, with a limit that sanitizers may need. */
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "deskbell/deskbell.hpp"

#define CHECK(claim)                                                                                                   \
        do {                                                                                                           \
                if (!(claim))                                                                                          \
                        throw std::runtime_error(std::string(__FILE__ ":") + std::to_string(__LINE__) + ": " #claim);  \
        } while (0)

/* The call must throw that error. */
#define CHECK_THROWS(wanted, call)                                                                                     \
        do {                                                                                                           \
                deskbell::errc thrown_code = deskbell::errc::ok;                                                       \
                try {                                                                                                  \
                        call;                                                                                          \
                } catch (const deskbell::error &thrown_error) {                                                        \
                        thrown_code = thrown_error.code();                                                             \
                }                                                                                                      \
                CHECK(thrown_code == deskbell::errc::wanted);                                                          \
        } while (0)

/* Values that callbacks on other threads change and a test waits for. */
template <class T> class watched
{
      public:
        template <class F> auto with(F act)
        {
                std::lock_guard<std::mutex> hold(lock_);
                changed_.notify_all();
                return act(value_);
        }
        template <class F> void wait(const char *what, F is_so)
        {
                std::unique_lock<std::mutex> hold(lock_);
                if (!changed_.wait_for(hold, std::chrono::seconds(60), [&] { return is_so(value_); }))
                        throw std::runtime_error(std::string("after 60 s still not: ") + what);
        }

      private:
        std::mutex lock_;
        std::condition_variable changed_;
        T value_{};
};

/* All that a client was told. */
struct told {
        std::vector<deskbell::entry> entries;
        std::vector<deskbell::message> messages;
        std::vector<deskbell::conversation_info> infos;
        std::vector<deskbell::notice> notices;
        std::vector<deskbell::typing> typings;
        std::vector<std::string> lines;
        deskbell::state state;
        deskbell::opened opened;
        std::int64_t unread = -1;
        std::vector<deskbell::progress> progresses;
        std::vector<deskbell::presence> presences;
        int tokens = 0, opens = 0, settled = 0;

        int count(deskbell::message_state wanted) const
        {
                int found = 0;
                for (const auto &message : messages)
                        found += message.state == wanted;
                return found;
        }
        const deskbell::entry *find(std::string_view text) const
        {
                for (const auto &entry : entries)
                        if (entry.text == text)
                                return &entry;
                return nullptr;
        }
        bool is_online() const
        {
                return state.connection == deskbell::connection::online;
        }
};

class listener : public watched<told>
{
      public:
        void listen(deskbell::options &options)
        {
                options.on_state = [this](const deskbell::state &s) { with([&](told &t) { t.state = s; }); };
                options.on_entry = [this](const deskbell::entry &e) { with([&](told &t) { t.entries.push_back(e); }); };
                options.on_message = [this](const deskbell::message &m) {
                        with([&](told &t) { t.messages.push_back(m); });
                };
                options.on_conversation = [this](const deskbell::conversation_info &i) {
                        with([&](told &t) { t.infos.push_back(i); });
                };
                options.on_opened = [this](const deskbell::opened &o) {
                        with([&](told &t) {
                                t.opened = o;
                                t.opens++;
                        });
                };
                options.on_typing = [this](const deskbell::typing &y) {
                        with([&](told &t) { t.typings.push_back(y); });
                };
                options.on_unread = [this](std::int64_t n) { with([&](told &t) { t.unread = n; }); };
                options.on_notice = [this](const deskbell::notice &n) {
                        with([&](told &t) { t.notices.push_back(n); });
                };
                options.on_progress = [this](const deskbell::progress &p) {
                        with([&](told &t) { t.progresses.push_back(p); });
                };
                options.on_presence = [this](const deskbell::presence &p) {
                        with([&](told &t) { t.presences.push_back(p); });
                };
                options.on_push_settled = [this](bool) { with([](told &t) { t.settled++; }); };
                options.on_log = [this](deskbell::level, std::string_view line) {
                        with([&](told &t) { t.lines.emplace_back(line); });
                };
        }
        void wait_online()
        {
                wait("online", [](const told &t) { return t.is_online(); });
        }
        deskbell::entry wait_entry(std::string_view text)
        {
                deskbell::entry found;
                wait("the entry", [&](const told &t) { return t.find(text) != nullptr; });
                with([&](told &t) { found = *t.find(text); });
                return found;
        }
};

/* An empty folder that goes with the scene. */
class folder
{
      public:
        folder()
        {
                std::string path = (std::filesystem::temp_directory_path() / "deskbell-cpp-XXXXXX").string();
                if (!mkdtemp(path.data()))
                        throw std::runtime_error("no temporary folder");
                path_ = path;
        }
        ~folder()
        {
                std::error_code ignored;
                std::filesystem::remove_all(path_, ignored);
        }
        folder(const folder &) = delete;
        folder &operator=(const folder &) = delete;
        const std::string &path() const
        {
                return path_;
        }

      private:
        std::string path_;
};

struct named_test {
        const char *name;
        void (*run)();
};

/* Runs all, or those that the command line names; the exit code. */
inline int run_tests(const std::vector<named_test> &tests, const char *only = nullptr)
{
        int failed = 0;

        for (const named_test &test : tests) {
                if (only && std::string(only).find(test.name) == std::string::npos)
                        continue;
                try {
                        test.run();
                        std::printf("ok   %s\n", test.name);
                } catch (const std::exception &wrong) {
                        std::printf("FAIL %s: %s\n", test.name, wrong.what());
                        failed++;
                }
                std::fflush(stdout);
        }
        return failed ? 1 : 0;
}
