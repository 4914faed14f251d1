/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between the C++ objects and the C client: the core lives from the opening of a client until nobody names
 * it any more, so that a call after the end is an error and never a dangling pointer.
 *
 * Always true: the C client is closed only when no call of ours is inside it; no user code runs after the owner's
 * close() or destructor returned; no exception crosses the C library. Include deskbell.hpp. */
#ifndef DESKBELL_CORE_HPP
#define DESKBELL_CORE_HPP

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include "deskbell/deskbell_types.hpp"

namespace deskbell
{
namespace detail
{

/* What this thread is inside of, innermost first. */
struct frame {
        enum what { callback, logging, dispatching };

        frame(const core *of, what why) noexcept : who(of), is(why), outer(innermost())
        {
                innermost() = this;
        }
        ~frame()
        {
                innermost() = outer;
        }
        frame(const frame &) = delete;
        frame &operator=(const frame &) = delete;

        static frame *&innermost() noexcept
        {
                static thread_local frame *now = nullptr;
                return now;
        }
        static bool is_inside(const core *of, what why) noexcept
        {
                for (const frame *at = innermost(); at; at = at->outer)
                        if (at->who == of && at->is == why)
                                return true;
                return false;
        }

        const core *who;
        what is;
        frame *outer;
};

inline void check(int rc)
{
        if (rc < 0)
                throw error(static_cast<errc>(rc));
}

/* A zero-terminated copy; a zero inside would hide the rest from the C library. */
inline std::string c_text(std::string_view text, errc refusal = errc::invalid)
{
        if (text.find('\0') != std::string_view::npos)
                throw error(refusal);
        return std::string(text);
}

inline std::string text_of(const char *text)
{
        return text ? std::string(text) : std::string();
}

inline const char *or_null(const std::string &text)
{
        if (text.find('\0') != std::string::npos)
                throw error(errc::invalid);
        return text.empty() ? nullptr : text.c_str();
}

/* Threads that end clients which a callback on the client's own thread destroyed. The process waits for them. */
class reaper
{
      public:
        ~reaper()
        {
                for (worker &each : workers_)
                        each.thread.join();
        }

        template <class Work> void post(Work work)
        {
                std::lock_guard<std::mutex> hold(lock_);
                for (auto at = workers_.begin(); at != workers_.end();) {
                        if (*at->is_done) {
                                at->thread.join();
                                at = workers_.erase(at);
                        } else {
                                ++at;
                        }
                }
                auto is_done = std::make_shared<std::atomic<bool>>(false);
                workers_.push_back({std::thread(), is_done});
                try {
                        workers_.back().thread = std::thread([work, is_done]() mutable {
                                work();
                                *is_done = true;
                        });
                } catch (...) {
                        workers_.pop_back();
                        throw;
                }
        }

        static reaper &get()
        {
                static reaper only;
                return only;
        }

      private:
        struct worker {
                std::thread thread;
                std::shared_ptr<std::atomic<bool>> is_done;
        };
        std::mutex lock_;
        std::list<worker> workers_;
};

/* A function that is owed exactly one call; C knows it as `data`. The core holds it until C has called. */
class owed
{
      public:
        explicit owed(core *to) noexcept : owner(to)
        {
        }
        virtual ~owed() = default;
        virtual void cancel() = 0; /* the call, with the error `cancelled` */

        core *const owner;
        bool is_settled = false; /* the core's lock: it had its call from us, and C's is dropped */
};

template <class Page> class owed_page : public owed
{
      public:
        owed_page(core *to, std::function<void(const Page &)> &&what) : owed(to), done(std::move(what))
        {
        }
        void cancel() override
        {
                Page page;
                page.error = errc::cancelled;
                done(page);
        }
        std::function<void(const Page &)> done;
};

struct owed_fetch : owed_page<fetched> {
        using owed_page::owed_page;
        std::function<void(std::int64_t received, std::int64_t total)> progress;
};

struct core : std::enable_shared_from_this<core> {
        explicit core(options &&given) : on(std::move(given)), by_dispatch(on.callbacks_by_dispatch)
        {
        }

        options on; /* emptied when the client is closed: its functions may name conversations, which name us */
        const bool by_dispatch;
        deskbell_client *raw = nullptr;
        std::atomic<bool> is_silent{false}; /* destroyed inside a callback: nothing more is told */

        std::mutex lock;
        std::condition_variable changed;
        int calls = 0; /* that are inside the C client now */
        bool is_closing = false, is_closed = false, closes_after_dispatch = false;
        std::map<owed *, std::shared_ptr<owed>> debts;
        std::shared_ptr<core> keep; /* ourselves, while the end is still to come and no owner is left */
        std::exception_ptr thrown;  /* by a callback inside dispatch: dispatch throws it on */

        void enter()
        {
                if (frame::is_inside(this, frame::logging))
                        throw error(errc::wrong_thread);
                std::lock_guard<std::mutex> hold(lock);
                if (is_closing)
                        throw error(errc::cancelled);
                calls++;
        }

        void leave() noexcept
        {
                std::lock_guard<std::mutex> hold(lock);
                if (--calls == 0 && is_closing)
                        changed.notify_all();
        }

        /* Runs what the application gave; nothing that it throws goes further. */
        template <class F> void give(F &&run) noexcept
        {
                if (is_silent)
                        return;
                frame here(this, frame::callback);
                try {
                        run();
                } catch (...) {
                        note_thrown(std::current_exception());
                }
        }

        void note_thrown(std::exception_ptr what) noexcept
        {
                bool is_first = false;

                if (frame::is_inside(this, frame::dispatching)) {
                        std::lock_guard<std::mutex> hold(lock);
                        is_first = !thrown;
                        if (is_first)
                                thrown = std::move(what);
                }
                if (!is_first)
                        say(level::error, "a callback of the application threw an exception");
        }

        void say(level how, std::string_view line) noexcept
        {
                frame here(this, frame::logging);
                try {
                        if (on.on_log && !is_silent)
                                on.on_log(how, line);
                } catch (...) { /* nobody is left to be told */
                }
        }

        class conversation name(deskbell_conversation *conversation)
        {
                return conversation ? deskbell::conversation(shared_from_this(), conversation)
                                    : deskbell::conversation();
        }

        void open();

        bool is_in_callback() const noexcept
        {
                return frame::is_inside(this, frame::callback) || frame::is_inside(this, frame::logging);
        }

        /* The end, wherever it is asked for. Does not wait inside a callback; else returns when it is over. */
        void close() noexcept
        {
                bool is_here = is_in_callback();
                std::unique_lock<std::mutex> hold(lock);

                if (!is_here)
                        changed.wait(hold, [this] { return is_closed || !is_closing; });
                if (is_closing)
                        return;
                is_closing = true;
                if (!is_here) {
                        hold.unlock();
                        close_now();
                        return;
                }
                is_silent = true;
                keep = shared_from_this();
                deskbell_mute(raw);
                closes_after_dispatch = frame::is_inside(this, frame::dispatching);
                bool is_deferred = closes_after_dispatch;
                hold.unlock();
                cancel_debts();
                if (!is_deferred)
                        close_elsewhere();
        }

        void close_now() noexcept
        {
                {
                        std::unique_lock<std::mutex> hold(lock);
                        changed.wait(hold, [this] { return calls == 0; });
                }
                deskbell_close(raw);
                let_go();
        }

        /* The end that also removes everything; when it throws other than `store` the client lives on. */
        bool log_out(bool discard)
        {
                int was_told = 0, rc;

                if (is_in_callback())
                        throw error(errc::wrong_thread);
                {
                        std::unique_lock<std::mutex> hold(lock);
                        if (is_closing)
                                throw error(errc::cancelled);
                        is_closing = true;
                        changed.wait(hold, [this] { return calls == 0; });
                }
                rc = deskbell_log_out(raw, discard, &was_told);
                if (rc == DESKBELL_OK || rc == DESKBELL_E_STORE) {
                        let_go();
                } else {
                        std::lock_guard<std::mutex> hold(lock);
                        is_closing = false;
                        changed.notify_all();
                }
                check(rc);
                return was_told != 0;
        }

        /* Notes what is owed before C can call; `start` calls the C function with it as `data`. */
        template <class Start> void owe(const std::shared_ptr<owed> &debt, Start start)
        {
                {
                        std::lock_guard<std::mutex> hold(lock);
                        debts[debt.get()] = debt;
                }
                int rc = start(debt.get());
                if (rc < 0)
                        settle(debt.get());
                check(rc);
        }

        /* C calls: what it owed, or empty when that had its call. */
        std::shared_ptr<owed> settle(owed *debt)
        {
                std::lock_guard<std::mutex> hold(lock);
                auto at = debts.find(debt);
                std::shared_ptr<owed> found = std::move(at->second);
                debts.erase(at);
                return found->is_settled ? nullptr : found;
        }

      private:
        void let_go() noexcept
        {
                on = options();
                std::shared_ptr<core> last = std::move(keep); /* may be the last: goes after the lock */
                std::lock_guard<std::mutex> hold(lock);
                is_closed = true;
                changed.notify_all();
        }

        /* When no thread can be had the client stays open, mute, until the process ends: nothing is lost by that. */
        void close_elsewhere() noexcept
        {
                try {
                        reaper::get().post([self = shared_from_this()] { self->close_now(); });
                } catch (...) {
                        if (!frame::is_inside(this, frame::logging))
                                deskbell_disconnect(raw);
                }
        }

        /* Each gets its one call before close() returns. C calls again, to no effect, in the thread that closes. */
        void cancel_debts() noexcept
        {
                for (;;) {
                        std::shared_ptr<owed> next;
                        {
                                std::lock_guard<std::mutex> hold(lock);
                                for (auto &each : debts)
                                        if (!each.second->is_settled)
                                                next = each.second;
                                if (!next)
                                        return;
                                next->is_settled = true;
                        }
                        try {
                                next->cancel();
                        } catch (...) {
                                note_thrown(std::current_exception());
                        }
                }
        }
};

/* A call into the C client: it stays open meanwhile. */
class call
{
      public:
        explicit call(const std::shared_ptr<core> &of) : core_(of)
        {
                if (!core_)
                        throw error(errc::state);
                core_->enter();
        }
        ~call()
        {
                core_->leave();
        }
        call(const call &) = delete;
        call &operator=(const call &) = delete;

      private:
        std::shared_ptr<core> core_;
};

} // namespace detail
} // namespace deskbell

#endif
