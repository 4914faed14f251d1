/* SPDX-License-Identifier: Apache-2.0 */
/* libdeskbell for C++17 and later, header only: link the C library and include this.
 *
 *     deskbell::options options;
 *     options.url = "wss://support.example.com/v1/ws";
 *     options.app = "app_0000000000000";
 *     options.user = "u-1001";
 *     options.token = token;
 *     options.data_dir = "/home/me/.local/share/example";
 *     options.on_entry = [](const deskbell::entry &entry) { show(entry.author, entry.text); };
 *     deskbell::client client(std::move(options));
 *     deskbell::conversation conversation = client.open_conversation("main");
 *     client.connect();
 *     conversation.send("Hello");
 *
 * deskbell.h is the manual of what the functions do; here is only what is different.
 *
 * Errors are exceptions (deskbell::error), because what a call refuses is a program's own mistake or a device that
 * fails; what the network and the server do is never thrown but told by the callbacks.
 *
 * A client owns its C client and is movable, not copyable. Everything else is a value. A conversation may outlive its
 * client: its functions then throw `cancelled`.
 *
 * Ending. client::close and the destructor end the client from any thread, also inside a callback. When they return no
 * callback begins any more, and no function given to conversation::history, client::fetch or client::search is still
 * owed its call. Inside a callback
 * the running callback is the last one, and the file is let go a moment later: when dispatch returns, or, for callbacks
 * on the client's own thread, by a short thread that the process waits for when it ends. Outcomes that were not told
 * are told at the next opening. The functions of the options are destroyed when the file is let go. Ending a client
 * inside its on_log is possible, but a callback that runs meanwhile on another thread runs to its end.
 *
 * A callback that throws. With callbacks_by_dispatch the other callbacks that wait run too, then dispatch throws the
 * first exception. On the client's own thread a line at level::error goes to on_log and the client goes on. What the
 * callback was told counts as told. Nothing leaks.
 *
 * The functions for clock and randomness must not throw, nor call into the client. */
#ifndef DESKBELL_DESKBELL_HPP
#define DESKBELL_DESKBELL_HPP

#include <deque>

#include "deskbell/deskbell_answers.hpp"
#include "deskbell/deskbell_copies.hpp"

namespace deskbell
{

class client
{
      public:
        /* As deskbell_open: no connection yet. Callbacks other than on_log, and on_notice about the file, wait for
         * connect or open_conversation. */
        explicit client(options given) : core_(std::make_shared<detail::core>(std::move(given)))
        {
                core_->open();
        }
        client(client &&other) noexcept = default;
        client &operator=(client &&other) noexcept
        {
                if (this != &other) {
                        close();
                        core_ = std::move(other.core_);
                }
                return *this;
        }
        client(const client &) = delete;
        client &operator=(const client &) = delete;
        ~client()
        {
                close();
        }

        /* See "Ending" above. Twice is once. All other functions throw `cancelled` afterwards. */
        void close() noexcept
        {
                if (std::shared_ptr<detail::core> core = core_)
                        core->close();
        }

        void connect()
        {
                detail::call in(core_);
                detail::check(deskbell_connect(core_->raw));
        }
        void disconnect()
        {
                detail::call in(core_);
                detail::check(deskbell_disconnect(core_->raw));
        }
        void network_changed()
        {
                detail::call in(core_);
                detail::check(deskbell_network_changed(core_->raw));
        }
        void tick()
        {
                detail::call in(core_);
                deskbell_tick(core_->raw);
        }
        void set_token(std::string_view token)
        {
                detail::call in(core_);
                detail::check(deskbell_set_token(core_->raw, detail::c_text(token).c_str()));
        }

        /* With callbacks_by_dispatch: readable while callbacks wait. Do not read or close it. -1: not in this mode. */
        int fd() const
        {
                detail::call in(core_);
                return deskbell_fd(core_->raw);
        }

        /* Runs waiting callbacks on this thread, at most `max` (0 = all that wait now); how many ran. Throws `state`
         * without callbacks_by_dispatch, `wrong_thread` inside a callback, and what a callback threw. */
        int dispatch(int max = 0);

        conversation open_conversation(std::string_view key = "main")
        {
                detail::call in(core_);
                deskbell_conversation *made = nullptr;

                detail::check(deskbell_conversation_open(core_->raw, detail::c_text(key).c_str(), &made));
                return core_->name(made);
        }
        conversation open_conversation_id(std::string_view id)
        {
                detail::call in(core_);
                deskbell_conversation *made = nullptr;

                detail::check(deskbell_conversation_open_id(core_->raw, detail::c_text(id).c_str(), &made));
                return core_->name(made);
        }

        /* All conversations known, newest message first. */
        std::vector<conversation_info> conversations() const;

        bool owns(const conversation &conversation) const
        {
                detail::call in(core_);
                return conversation && deskbell_conversation_client(conversation.get()) == core_->raw;
        }

        std::string cmid_new()
        {
                detail::call in(core_);
                char cmid[33];

                deskbell_cmid_new(core_->raw, cmid);
                return cmid;
        }
        std::string retry(std::string_view cmid)
        {
                detail::call in(core_);
                char made[33];

                detail::check(deskbell_retry(core_->raw, detail::c_text(cmid).c_str(), made));
                return made;
        }
        void forget(std::string_view cmid)
        {
                detail::call in(core_);
                detail::check(deskbell_forget(core_->raw, detail::c_text(cmid).c_str()));
        }

        /* A message with files that is UPLOADING. */
        void upload_pause(std::string_view cmid)
        {
                detail::call in(core_);
                detail::check(deskbell_upload_pause(core_->raw, detail::c_text(cmid).c_str()));
        }
        void upload_resume(std::string_view cmid)
        {
                detail::call in(core_);
                detail::check(deskbell_upload_resume(core_->raw, detail::c_text(cmid).c_str()));
        }
        void upload_cancel(std::string_view cmid)
        {
                detail::call in(core_);
                detail::check(deskbell_upload_cancel(core_->raw, detail::c_text(cmid).c_str()));
        }

        /* Fetches a file of an entry; its number, for fetch_cancel. `done` as in conversation::history; `progress`,
         * which may be empty, runs before it. */
        std::int64_t fetch(const file &what, std::string_view path, std::function<void(const fetched &end)> done,
                           std::function<void(std::int64_t received, std::int64_t total)> progress = nullptr);
        void fetch_cancel(std::int64_t fetch)
        {
                detail::call in(core_);
                detail::check(deskbell_file_fetch_cancel(core_->raw, fetch));
        }

        /* `done` as in conversation::history. */
        void search(std::string_view query, const search_options &options,
                    std::function<void(const search_page &page)> done);

        void set_presence(availability now)
        {
                detail::call in(core_);
                detail::check(deskbell_set_presence(core_->raw, static_cast<deskbell_availability>(now)));
        }
        void set_background(bool is_background)
        {
                detail::call in(core_);
                detail::check(deskbell_set_background(core_->raw, is_background));
        }

        /* Notifications reach this device by that token; no_push: not any more. */
        void set_push(push service, std::string_view token)
        {
                detail::call in(core_);
                detail::check(deskbell_set_push(core_->raw, static_cast<deskbell_push>(service),
                                                detail::c_text(token).c_str()));
        }
        void no_push()
        {
                detail::call in(core_);
                detail::check(deskbell_set_push(core_->raw, DESKBELL_PUSH_CUSTOM, nullptr));
        }
        /* Whether it is news: then on_push_settled runs once. `conversation_id` "" and `seq` 0 = not known. */
        bool push_received(std::string_view conversation_id, std::int64_t seq)
        {
                detail::call in(core_);
                const std::string id = detail::c_text(conversation_id);
                int is_news = 0;

                detail::check(deskbell_push_received(core_->raw, detail::or_null(id), seq, &is_news));
                return is_news != 0;
        }

        /* Ends the client and removes all of its user from this device; whether the server knows. Throws `unsent` when
         * messages wait and `discard` is false, `wrong_thread` inside a callback: then the client lives on. `store`: it
         * is closed, but something could not be removed. */
        bool log_out(bool discard = false)
        {
                std::shared_ptr<detail::core> core = core_;

                if (!core)
                        throw error(errc::state);
                return core->log_out(discard);
        }

        /* The user's file opens with this key from now on: 32 bytes. */
        void change_store_key(const std::vector<std::uint8_t> &new_key)
        {
                detail::call in(core_);
                detail::check(deskbell_change_store_key(core_->raw, new_key.data(), new_key.size()));
        }

        struct status status() const;

        /* For C functions that have no counterpart here; belongs to this object. NULL: moved away. */
        deskbell_client *get() const noexcept
        {
                return core_ ? core_->raw : nullptr;
        }

      private:
        std::shared_ptr<detail::core> core_;
};

/* ---- the client's functions ---------------------------------------------------------------------------------- */

inline int client::dispatch(int max)
{
        std::shared_ptr<detail::core> core = core_; /* a callback may destroy *this */
        std::exception_ptr thrown;
        bool is_last = false;
        int ran;
        {
                detail::call in(core);
                bool is_outermost = !detail::frame::is_inside(core.get(), detail::frame::dispatching);
                {
                        detail::frame here(core.get(), detail::frame::dispatching);
                        ran = deskbell_dispatch(core->raw, max);
                }
                if (is_outermost) {
                        std::lock_guard<std::mutex> hold(core->lock);
                        std::swap(thrown, core->thrown);
                        is_last = core->closes_after_dispatch;
                }
        }
        if (is_last)
                core->close_now();
        if (thrown)
                std::rethrow_exception(thrown);
        detail::check(ran);
        return ran;
}

inline std::vector<conversation_info> client::conversations() const
{
        struct walk {
                detail::core *core;
                std::vector<conversation_info> found;
                std::exception_ptr thrown;
        } walk{core_.get(), {}, nullptr};
        detail::call in(core_);

        int rc = deskbell_conversations(
                core_->raw,
                [](const deskbell_conversation_info *info, void *data) {
                        auto *walked = static_cast<struct walk *>(data);
                        try {
                                walked->found.push_back(detail::copy_of(*walked->core, *info));
                                return 0;
                        } catch (...) {
                                walked->thrown = std::current_exception();
                                return 1;
                        }
                },
                &walk);
        if (walk.thrown)
                std::rethrow_exception(walk.thrown);
        detail::check(rc);
        return std::move(walk.found);
}

inline struct status client::status() const
{
        struct deskbell_status from = DESKBELL_STATUS_INIT;
        struct status to;
        detail::call in(core_);

        detail::check(deskbell_status(core_->raw, &from));
        to.queued = from.queued;
        to.queued_bytes = from.queued_bytes;
        to.failed = from.failed;
        to.unread = from.unread;
        to.is_online = from.is_online != 0;
        to.is_caught_up = from.is_caught_up != 0;
        to.callbacks_waiting = from.callbacks_waiting;
        return to;
}

/* ---- the conversation's functions ---------------------------------------------------------------------------- */

namespace detail
{

inline deskbell_send_options send_options_of(const send_options &from)
{
        deskbell_send_options to = DESKBELL_SEND_OPTIONS_INIT;

        to.log = static_cast<deskbell_log>(from.log);
        to.reply_to = from.reply_to;
        to.pressed_seq = from.pressed_seq;
        to.pressed_id = or_null(from.pressed_id);
        to.cmid = or_null(from.cmid);
        to.wait_for_disk = from.wait_for_disk;
        return to;
}

/* Borrows what it is made of. */
inline std::vector<deskbell_form_value> values_of(const std::vector<form_value> &from)
{
        std::vector<deskbell_form_value> to;

        for (const form_value &value : from) {
                if (value.id.find('\0') != std::string::npos)
                        throw error(errc::invalid);
                if (value.value.find('\0') != std::string::npos)
                        throw error(errc::text);
                to.push_back({value.id.c_str(), value.value.c_str()});
        }
        return to;
}

} // namespace detail

/* The id of the first that does not fit; "" when `filled` answers the form. */
inline std::string form_check(const std::vector<form_field> &form, const std::vector<form_value> &filled)
{
        std::vector<deskbell_form_field> fields;
        const std::vector<deskbell_form_value> values = detail::values_of(filled);
        const char *wrong = nullptr;

        for (const form_field &field : form)
                fields.push_back({field.id.c_str(), field.label.c_str(), field.input.c_str(), field.required});
        int rc = deskbell_form_check(fields.data(), fields.size(), values.data(), values.size(), &wrong);
        if (rc == DESKBELL_E_FORM)
                return wrong;
        detail::check(rc);
        return std::string();
}

namespace detail
{

/* An answer to a survey as C takes it; borrows what it is made of. */
class c_rating
{
      public:
        explicit c_rating(const rating &from)
        {
                for (const survey_said &said : from.answers) {
                        chosen_.emplace_back();
                        for (const std::string &id : said.chosen)
                                chosen_.back().push_back(whole(id, errc::invalid));
                        answers_.push_back({whole(said.question, errc::invalid), chosen_.back().data(),
                                            said.chosen.size(), said.number, whole(said.words, errc::text)});
                }
                raw.score = from.score;
                raw.said = whole(from.said, errc::text);
                raw.answers = answers_.data();
                raw.answers_count = answers_.size();
                raw.wants_contact = from.wants_contact;
                raw.cmid = or_null(from.cmid);
                raw.wait_for_disk = from.wait_for_disk;
        }
        c_rating(const c_rating &) = delete;
        c_rating &operator=(const c_rating &) = delete;

        deskbell_rating raw = DESKBELL_RATING_INIT;

      private:
        static const char *whole(const std::string &text, errc wrong)
        {
                if (text.find('\0') != std::string::npos)
                        throw error(wrong);
                return text.c_str();
        }
        std::deque<std::vector<const char *>> chosen_;
        std::vector<deskbell_survey_said> answers_;
};

/* What an answer is checked against; borrows. */
class c_survey
{
      public:
        explicit c_survey(const survey &from)
        {
                for (const survey_question &question : from.questions) {
                        choices_.emplace_back();
                        for (const choice &one : question.choices)
                                choices_.back().push_back({one.id.c_str(), one.label.c_str()});
                        questions_.push_back({question.id.c_str(), question.kind.c_str(), question.text.c_str(),
                                              choices_.back().data(), question.choices.size(), question.min,
                                              question.max, question.low.c_str(), question.high.c_str(),
                                              question.required, question.from_score, question.to_score});
                }
                raw.style = from.style.c_str();
                raw.min = from.min;
                raw.max = from.max;
                raw.questions = questions_.data();
                raw.questions_count = questions_.size();
                raw.comment = from.comment.c_str();
                raw.contact = from.contact.c_str();
        }
        c_survey(const c_survey &) = delete;
        c_survey &operator=(const c_survey &) = delete;

        deskbell_survey raw{};

      private:
        std::deque<std::vector<deskbell_choice>> choices_;
        std::vector<deskbell_survey_question> questions_;
};

} // namespace detail

/* What does not fit first: "score", "said", "contact", the id of a question, "" when nothing is said. Nothing when
 * `answer` answers the survey. */
inline std::optional<std::string> survey_check(const survey &asked, const rating &answer)
{
        const detail::c_survey survey(asked);
        const detail::c_rating rating(answer);
        const char *wrong = nullptr;

        int rc = deskbell_survey_check(&survey.raw, &rating.raw, &wrong);
        if (rc == DESKBELL_E_FORM)
                return std::string(wrong);
        detail::check(rc);
        return std::nullopt;
}

inline std::string conversation::survey_answer(std::int64_t number, const rating &answer) const
{
        detail::call in(core_);
        const detail::c_rating rating(answer);
        char cmid[33];

        detail::check(deskbell_survey_answer(raw_, number, &rating.raw, cmid));
        return cmid;
}

inline std::string conversation::id() const
{
        detail::call in(core_);
        char id[18];

        deskbell_conversation_id(raw_, id);
        return id;
}

inline void conversation::close() const
{
        detail::call in(core_);
        detail::check(deskbell_conversation_close(raw_));
}

inline std::string conversation::send(std::string_view text, const send_options &options) const
{
        detail::call in(core_);
        deskbell_send_options how = detail::send_options_of(options);
        const std::vector<deskbell_form_value> filled = detail::values_of(options.filled);
        const std::string words = detail::c_text(text, errc::text);
        bool is_made = words.empty() && !filled.empty();
        char cmid[33];

        how.filled_seq = options.filled_seq;
        how.filled = filled.empty() ? nullptr : filled.data();
        how.filled_count = filled.size();
        detail::check(deskbell_send(raw_, is_made ? nullptr : words.c_str(), &how, cmid));
        return cmid;
}

inline std::string conversation::send(std::string_view text) const
{
        return send(text, send_options());
}

inline std::string conversation::edit(std::int64_t number, std::int64_t version, std::string_view text,
                                      const send_options &options) const
{
        detail::call in(core_);
        const deskbell_send_options how = detail::send_options_of(options);
        char cmid[33];

        detail::check(deskbell_edit(raw_, number, version, detail::c_text(text, errc::text).c_str(), &how, cmid));
        return cmid;
}

inline std::string conversation::edit(std::int64_t number, std::int64_t version, std::string_view text) const
{
        return edit(number, version, text, send_options());
}

inline std::string conversation::erase(std::int64_t number, const send_options &options) const
{
        detail::call in(core_);
        const deskbell_send_options how = detail::send_options_of(options);
        char cmid[33];

        detail::check(deskbell_erase(raw_, number, &how, cmid));
        return cmid;
}

inline std::string conversation::erase(std::int64_t number) const
{
        return erase(number, send_options());
}

inline std::string conversation::send_file(const std::vector<file_source> &files, const file_options &options) const
{
        detail::call in(core_);
        deskbell_file_options how = DESKBELL_FILE_OPTIONS_INIT;
        std::vector<deskbell_file_source> sources;
        char cmid[33];

        for (const file_source &from : files) {
                deskbell_file_source to{};
                to.path = detail::or_null(from.path);
                to.bytes = to.path ? nullptr : from.bytes.data();
                to.bytes_len = to.path ? 0 : from.bytes.size();
                to.name = detail::or_null(from.name);
                to.media = detail::or_null(from.media);
                sources.push_back(to);
        }
        how.files = sources.data();
        how.files_count = sources.size();
        how.text = detail::or_null(options.text);
        how.log = static_cast<deskbell_log>(options.log);
        how.reply_to = options.reply_to;
        how.cmid = detail::or_null(options.cmid);
        how.wait_for_disk = options.wait_for_disk;
        detail::check(deskbell_send_file(raw_, &how, cmid));
        return cmid;
}

inline std::string conversation::send_file(const std::vector<file_source> &files) const
{
        return send_file(files, file_options());
}

inline void conversation::mark_read(std::int64_t seq) const
{
        detail::call in(core_);
        detail::check(deskbell_mark_read(raw_, seq));
}

inline void conversation::typing() const
{
        detail::call in(core_);
        detail::check(deskbell_typing(raw_));
}

inline void conversation::entry_done(log which, std::int64_t number) const
{
        detail::call in(core_);
        detail::check(deskbell_entry_done(raw_, static_cast<deskbell_log>(which), number));
}

inline void conversation::history(const history_options &options,
                                  std::function<void(const history_page &page)> done) const
{
        if (!done)
                throw error(errc::invalid);
        detail::call in(core_);
        deskbell_history_options how = DESKBELL_HISTORY_OPTIONS_INIT;

        how.log = static_cast<deskbell_log>(options.log);
        how.before = options.before;
        how.after = options.after;
        how.limit = options.limit;
        how.from_server = options.from_server;
        core_->owe(std::make_shared<detail::owed_page<history_page>>(core_.get(), std::move(done)),
                   [&](detail::owed *debt) { return deskbell_history(raw_, &how, detail::on_history, debt); });
}

inline void client::search(std::string_view query, const search_options &options,
                           std::function<void(const search_page &page)> done)
{
        if (!done)
                throw error(errc::invalid);
        detail::call in(core_);
        deskbell_search_options how = DESKBELL_SEARCH_OPTIONS_INIT;
        const std::string words = detail::c_text(query, errc::text);

        how.limit = options.limit;
        how.before = detail::or_null(options.before);
        core_->owe(std::make_shared<detail::owed_page<search_page>>(core_.get(), std::move(done)),
                   [&](detail::owed *debt) {
                           return deskbell_search(core_->raw, words.c_str(), &how, detail::on_search, debt);
                   });
}

inline std::int64_t client::fetch(const file &what, std::string_view path, std::function<void(const fetched &end)> done,
                                  std::function<void(std::int64_t received, std::int64_t total)> progress)
{
        if (!done)
                throw error(errc::invalid);
        detail::call in(core_);
        deskbell_file raw{};
        const std::string where = detail::c_text(path), id = detail::c_text(what.id);
        auto debt = std::make_shared<detail::owed_fetch>(core_.get(), std::move(done));
        std::int64_t number = 0;

        debt->progress = std::move(progress);
        raw.id = id.c_str();
        raw.name = what.name.c_str();
        raw.media = what.media.c_str();
        raw.size = what.size;
        raw.width = what.width;
        raw.height = what.height;
        std::copy(what.sha256.begin(), what.sha256.end(), raw.sha256);
        core_->owe(debt, [&](detail::owed *owed) {
                return deskbell_file_fetch(core_->raw, &raw, where.c_str(), detail::on_fetch_progress,
                                           detail::on_fetched, owed, &number);
        });
        return number;
}

} // namespace deskbell

#include "deskbell/deskbell_open.hpp"

#endif
