/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the C++ binding: enumerations, errors, and what callbacks are given. All are plain values: they own
 * what they hold, may be copied, kept and moved to other threads. Each is the C struct of the same name in deskbell.h,
 * where its members are described; a number that does not compare or a text that is absent is 0 or "" here too.
 * Include deskbell.hpp. */
#ifndef DESKBELL_TYPES_HPP
#define DESKBELL_TYPES_HPP

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/* The C header has a struct and a function of one name, which gcc calls shadowing when it compiles C++. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include "deskbell/deskbell.h"
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace deskbell
{

class conversation;

/* ---- Errors -------------------------------------------------------------------------------------------------- */

enum class errc : int {
        ok = DESKBELL_OK,
        invalid = DESKBELL_E_INVALID,
        nomem = DESKBELL_E_NOMEM,
        locked = DESKBELL_E_LOCKED,
        store = DESKBELL_E_STORE,
        store_newer = DESKBELL_E_STORE_NEWER,
        outbox_full = DESKBELL_E_OUTBOX_FULL,
        too_long = DESKBELL_E_TOO_LONG,
        text = DESKBELL_E_TEXT,
        not_found = DESKBELL_E_NOT_FOUND,
        exists = DESKBELL_E_EXISTS,
        state = DESKBELL_E_STATE,
        offline = DESKBELL_E_OFFLINE,
        refused = DESKBELL_E_REFUSED,
        wrong_thread = DESKBELL_E_WRONG_THREAD,
        transport = DESKBELL_E_TRANSPORT,
        cancelled = DESKBELL_E_CANCELLED,
        other_user = DESKBELL_E_OTHER_USER,
        damaged = DESKBELL_E_DAMAGED,
        unsent = DESKBELL_E_UNSENT,
        form = DESKBELL_E_FORM,
        key = DESKBELL_E_KEY
};

/* One English sentence; lives for ever. */
inline const char *error_text(errc code) noexcept
{
        return deskbell_error_text(static_cast<int>(code));
}

/* "0.1.0": of the library that runs, which may be newer than this header. */
inline const char *version() noexcept
{
        return deskbell_version();
}

/* For the whole process, while no client is open; NULL = malloc of the C library. Its functions must not throw. */
inline void set_allocator(const deskbell_allocator *allocator);

/* What every function of the binding throws when the C function returns an error. A call that throws has changed
 * nothing. */
class error : public std::exception
{
      public:
        explicit error(errc code) noexcept : code_(code)
        {
        }
        errc code() const noexcept
        {
                return code_;
        }
        const char *what() const noexcept override
        {
                return error_text(code_);
        }

      private:
        errc code_;
};

inline void set_allocator(const deskbell_allocator *allocator)
{
        int rc = deskbell_set_allocator(allocator);
        if (rc < 0)
                throw error(static_cast<errc>(rc));
}

/* ---- Enumerations -------------------------------------------------------------------------------------------- */

enum class connection : int {
        disconnected = DESKBELL_DISCONNECTED,
        connecting = DESKBELL_CONNECTING,
        online = DESKBELL_ONLINE,
        waiting = DESKBELL_WAITING,
        delayed = DESKBELL_DELAYED,
        needs_token = DESKBELL_NEEDS_TOKEN,
        stopped = DESKBELL_STOPPED,
        paused = DESKBELL_PAUSED
};

enum class survey_state : int {
        other = DESKBELL_SURVEY_OTHER,
        waiting = DESKBELL_SURVEY_WAITING,
        answered = DESKBELL_SURVEY_ANSWERED,
        expired = DESKBELL_SURVEY_EXPIRED,
        withdrawn = DESKBELL_SURVEY_WITHDRAWN
};

enum class log : int { public_log = DESKBELL_PUBLIC, team = DESKBELL_TEAM };

/* A newer library may give kinds that are not named here: show them by their text. */
enum class kind : int {
        other = DESKBELL_KIND_OTHER,
        text = DESKBELL_KIND_TEXT,
        attachment = DESKBELL_KIND_ATTACHMENT,
        choices = DESKBELL_KIND_CHOICES,
        card = DESKBELL_KIND_CARD,
        form = DESKBELL_KIND_FORM,
        article = DESKBELL_KIND_ARTICLE,
        survey = DESKBELL_KIND_SURVEY,
        rating = DESKBELL_KIND_RATING,
        survey_end = DESKBELL_KIND_SURVEY_END,
        edit = DESKBELL_KIND_EDIT,
        erase = DESKBELL_KIND_ERASE,
        erased = DESKBELL_KIND_ERASED,
        revision = DESKBELL_KIND_REVISION
};

enum class origin : int { snapshot = DESKBELL_SNAPSHOT, following = DESKBELL_FOLLOWING };

enum class message_state : int {
        queued = DESKBELL_QUEUED,
        sent = DESKBELL_SENT,
        delivered = DESKBELL_DELIVERED,
        read = DESKBELL_READ,
        failed = DESKBELL_FAILED,
        expired = DESKBELL_EXPIRED,
        uploading = DESKBELL_UPLOADING
};

enum class operation : int { send = DESKBELL_OP_SEND, edit = DESKBELL_OP_EDIT, erase = DESKBELL_OP_ERASE };

enum class notice_kind : int {
        reset = DESKBELL_NOTICE_RESET,
        store_set_aside = DESKBELL_NOTICE_STORE_SET_ASIDE,
        store_failing = DESKBELL_NOTICE_STORE_FAILING,
        conversation_refused = DESKBELL_NOTICE_CONVERSATION_REFUSED,
        conversation_erased = DESKBELL_NOTICE_CONVERSATION_ERASED,
        claim_refused = DESKBELL_NOTICE_CLAIM_REFUSED,
        outbox_rescued = DESKBELL_NOTICE_OUTBOX_RESCUED
};

enum class presence_of : int { team = DESKBELL_PRESENCE_TEAM, customer = DESKBELL_PRESENCE_CUSTOMER };

enum class availability : int { away = DESKBELL_AWAY, here = DESKBELL_HERE };

enum class push : int {
        fcm = DESKBELL_PUSH_FCM,
        apns = DESKBELL_PUSH_APNS,
        wns = DESKBELL_PUSH_WNS,
        hms = DESKBELL_PUSH_HMS,
        webpush = DESKBELL_PUSH_WEBPUSH,
        custom = DESKBELL_PUSH_CUSTOM
};

enum class level : int {
        error = DESKBELL_LOG_ERROR,
        warn = DESKBELL_LOG_WARN,
        info = DESKBELL_LOG_INFO,
        debug = DESKBELL_LOG_DEBUG
};

/* ---- Conversations ------------------------------------------------------------------------------------------- */

namespace detail
{
struct core;
}

struct conversation_info;
struct history_page;
struct history_options;
struct rating;
struct send_options;
struct file_source;
struct file_options;

/* A conversation of a client: a name for it, cheap to copy and to keep. Its functions throw error: besides those of the
 * C function of the same name, `state` when it names no conversation and `cancelled` once its client is closed. Any
 * thread, also inside callbacks, but not inside on_log. */
class conversation
{
      public:
        conversation() = default; /* names none */

        explicit operator bool() const noexcept
        {
                return raw_ != nullptr;
        }
        friend bool operator==(const conversation &a, const conversation &b) noexcept
        {
                return a.raw_ == b.raw_;
        }
        friend bool operator!=(const conversation &a, const conversation &b) noexcept
        {
                return a.raw_ != b.raw_;
        }

        std::string id() const; /* "cnv_...", "" while the server has not made it */
        void close() const;     /* no more entries of it; it may be opened again */

        /* All return the message's cmid. */
        std::string send(std::string_view text) const;
        std::string send(std::string_view text, const send_options &options) const;
        std::string edit(std::int64_t number, std::int64_t version, std::string_view text) const;
        std::string edit(std::int64_t number, std::int64_t version, std::string_view text,
                         const send_options &options) const;
        std::string erase(std::int64_t number) const;
        std::string erase(std::int64_t number, const send_options &options) const;

        /* 1-10 files; bytes given are copied. */
        std::string send_file(const std::vector<file_source> &files) const;
        std::string send_file(const std::vector<file_source> &files, const file_options &options) const;

        /* Answers survey `number`, or adds to its answer. */
        std::string survey_answer(std::int64_t number, const rating &answer) const;

        void mark_read(std::int64_t seq) const;
        void typing() const;
        void entry_done(log which, std::int64_t number) const;

        /* `done` runs exactly once, where callbacks run; when the client is closed meanwhile, inside close(), with the
         * error `cancelled`. When this throws it never runs. */
        void history(const history_options &options, std::function<void(const history_page &page)> done) const;

        /* For C functions that have no counterpart here; belongs to the client. */
        deskbell_conversation *get() const noexcept
        {
                return raw_;
        }

      private:
        friend struct detail::core;
        conversation(std::shared_ptr<detail::core> core, deskbell_conversation *raw) noexcept
            : core_(std::move(core)), raw_(raw)
        {
        }
        std::shared_ptr<detail::core> core_;
        deskbell_conversation *raw_ = nullptr;
};

/* ---- What callbacks are given -------------------------------------------------------------------------------- */

struct state {
        enum connection connection = connection::disconnected;
        std::int64_t retry_in_ms = 0;
        std::string why;
        bool caught_up = false;
        std::string principal, name, epoch;
};

struct choice {
        std::string id, label;
};

struct form_field {
        std::string id, label, input;
        bool required = false;
};

/* What was filled into one field of a form. */
struct form_value {
        std::string id, value;
};

struct survey_question {
        std::string id, kind, text;
        std::vector<choice> choices;
        int min = 0, max = 0;
        std::string low, high;
        bool required = false;
        int from_score = 0, to_score = 10;
};

/* The answer to one further question: `chosen`, `words` or `number`. */
struct survey_said {
        std::string question;
        std::vector<std::string> chosen;
        int number = -1;
        std::string words;
};

struct survey {
        std::string offer, survey;
        std::int64_t version = 0;
        std::string metric, style;
        int min = 0, max = 0;
        std::string low, high;
        std::vector<survey_question> questions;
        std::string comment, contact, thanks, colour, brand;
        survey_state state = survey_state::other;
        std::int64_t until_ms = 0;
        int score = -1;
        std::string said;
        std::vector<survey_said> answers;
        int wants_contact = -1; /* -1 = not said */
        bool is_locked = false;
};

struct file {
        std::string id, name, media;
        std::int64_t size = -1;
        int width = 0, height = 0;
        std::array<std::uint8_t, 32> sha256{};
};

struct entry {
        class conversation conversation;
        enum origin origin = origin::snapshot;
        enum log log = log::public_log;
        std::int64_t number = 0, at_seq = 0;
        std::string epoch;
        std::int64_t ts_ms = 0;
        std::string author, name;
        bool is_mine = false;
        std::string cmid;
        enum kind kind = kind::other;
        std::int64_t version = 0, of = 0, reply_to = 0;
        std::string text;
        std::vector<choice> choices;
        std::vector<form_field> form;
        std::string title, link;
        std::int64_t pressed_seq = 0;
        std::string pressed_id;
        std::array<std::uint8_t, 16> hash{};
        std::vector<file> files;
        std::int64_t filled_seq = 0;
        std::vector<form_value> filled;
        std::optional<struct survey> survey; /* SURVEY, RATING, SURVEY_END */
};

struct message {
        class conversation conversation;
        std::string cmid;
        enum operation operation = operation::send;
        message_state state = message_state::queued;
        bool is_again = false;
        enum log log = log::public_log;
        std::int64_t number = 0, at_seq = 0, ts_ms = 0;
        std::string epoch;
        bool is_duplicate = false;
        std::string tag, text;
        std::int64_t of = 0;
        std::array<std::uint8_t, 16> hash{};
        std::vector<file> files;
        bool is_paused = false;
        std::int64_t pressed_seq = 0, filled_seq = 0, rated_seq = 0;
};

struct progress {
        class conversation conversation;
        std::string cmid;
        std::size_t file = 0, files = 0;
        std::int64_t sent = 0, total = 0;
};

struct presence {
        presence_of of = presence_of::team;
        bool is_here = false;
        class conversation conversation; /* names none for the team */
        std::string customer;
        std::int64_t last_seen_ms = 0;
};

/* What this device has found for a message of its own without a session: see struct deskbell_device_answer. */
struct device_answer {
        class conversation conversation;
        std::string cmid, text, rule, version;
        std::int64_t ts_ms = 0;
        bool is_again = false, is_taken_back = false;
};

struct marks {
        std::int64_t customer_recv = 0, customer_read = 0, staff_recv = 0, staff_read = 0;
};

struct conversation_info {
        class conversation conversation;
        std::string id, key, customer, customer_name;
        bool has_left = false;
        std::int64_t head = 0, ihead = 0, rev = 0;
        struct marks marks;
        std::int64_t unread = 0, unanswered = 0, waiting_since_ms = 0, last_ts_ms = 0;
        std::string last_author, last_preview;
};

struct opened {
        class conversation conversation;
        std::int64_t seq = 0, iseq = 0;
};

struct typing {
        class conversation conversation;
        std::string author;
        bool is_typing = false;
};

struct notice {
        notice_kind kind = notice_kind::reset;
        class conversation conversation; /* may name none */
        std::string detail;
};

struct history_page {
        errc error = errc::ok; /* not ok: no entries */
        std::vector<entry> entries;
        std::int64_t head = 0;
        bool more = false;
};

/* An entry that a search found. */
struct found {
        std::string conversation, customer; /* ids */
        enum log log = log::public_log;
        std::int64_t number = 0, ts_ms = 0;
        std::string author, kind;
        std::string before, hit, after;
};

struct search_page {
        errc error = errc::ok; /* not ok: nothing was found */
        std::vector<deskbell::found> found;
        std::string next; /* "" on the last page */
        bool is_cut = false;
};

/* The end of a fetch: error ok and the whole file at `path`, or what deskbell_fetch_done_fn says. */
struct fetched {
        std::int64_t fetch = 0;
        errc error = errc::ok;
        std::string path;
};

struct status {
        std::int64_t queued = 0, queued_bytes = 0, failed = 0, unread = 0;
        bool is_online = false, is_caught_up = false;
        int callbacks_waiting = 0;
};

/* ---- What calls are given ------------------------------------------------------------------------------------ */

/* An answer to a survey, or more of one. */
struct rating {
        int score = -1;   /* -1 = not said */
        std::string said; /* "" = no comment */
        std::vector<survey_said> answers;
        int wants_contact = -1; /* 1, 0; -1 = not said */
        std::string cmid;       /* "" = made here */
        bool wait_for_disk = false;
};

struct send_options {
        enum log log = log::public_log;
        std::int64_t reply_to = 0;
        std::int64_t pressed_seq = 0;
        std::string pressed_id;
        std::string cmid; /* of client::cmid_new; "" = made there */
        std::int64_t filled_seq = 0;
        std::vector<form_value> filled; /* with these the text may be "": it is made from them */
        bool wait_for_disk = false;     /* return when it is on this device's disk, or throw `store` */
};

struct history_options {
        enum log log = log::public_log;
        std::int64_t before = 0; /* the last ones below this number; 0 = not this way */
        std::int64_t after = -1; /* the first ones above this number; -1 = not this way */
        int limit = 50;
        bool from_server = false;
};

/* A local path, or bytes when `path` is "". Name and media "" = as deskbell.h says. */
struct file_source {
        std::string path;
        std::string_view bytes;
        std::string name, media;
};

struct file_options {
        std::string text; /* caption; "" = none */
        enum log log = log::public_log;
        std::int64_t reply_to = 0;
        std::string cmid;
        bool wait_for_disk = false;
};

struct search_options {
        int limit = 20;
        std::string before; /* `next` of the page before; "" = the first page */
};

/* ---- A transport of the application's own -------------------------------------------------------------------- */

/* One connection, as a transport sees it. Any thread, from transport::open until closed() or failed() was called. */
class link
{
      public:
        explicit link(deskbell_link *raw) noexcept : raw_(raw)
        {
        }
        void opened() const noexcept
        {
                deskbell_link_opened(raw_);
        }
        /* True: stop reading until transport::resume; this message was taken all the same. */
        bool text(std::string_view message) const noexcept
        {
                return deskbell_link_text(raw_, message.data(), message.size()) != 0;
        }
        void closed(int code) const noexcept
        {
                deskbell_link_closed(raw_, code);
        }
        /* Instead of closed: `why` and `detail` as deskbell_link_failed takes them; -1 = no time was told. */
        void failed(const std::string &why, const std::string &detail = "",
                    std::int64_t retry_after_ms = -1) const noexcept
        {
                deskbell_link_failed(raw_, why.c_str(), detail.c_str(), retry_after_ms);
        }
        friend bool operator==(link a, link b) noexcept
        {
                return a.raw_ == b.raw_;
        }

      private:
        deskbell_link *raw_;
};

struct http_request {
        std::string method, url;
        std::vector<std::string> headers; /* "Name: value" */
        std::string body;
        std::size_t max_answer_bytes = 0;
};

/* One HTTP request under way: done() once, from any thread. */
class exchange
{
      public:
        explicit exchange(deskbell_exchange *raw) noexcept : raw_(raw)
        {
        }
        void done(int status, const std::vector<std::string> &headers, std::string_view body) const
        {
                std::vector<const char *> rows;
                deskbell_http_answer answer{};

                rows.reserve(headers.size());
                for (const std::string &header : headers)
                        rows.push_back(header.c_str());
                answer.size = sizeof(answer);
                answer.status = status;
                answer.headers = rows.data();
                answer.headers_count = rows.size();
                answer.body = body.data();
                answer.body_len = body.size();
                deskbell_http_done(raw_, &answer);
        }
        friend bool operator==(exchange a, exchange b) noexcept
        {
                return a.raw_ == b.raw_;
        }

      private:
        deskbell_exchange *raw_;
};

/* As struct deskbell_transport, whose rules hold. An exception out of open() is a connection that failed at once; out
 * of the others it is logged and dropped. None may call into the client: that throws `wrong_thread`. */
class transport
{
      public:
        virtual ~transport() = default;
        virtual bool open(std::string_view url, std::string_view subprotocol, std::size_t max_message_bytes,
                          link link) = 0;
        virtual void send(link link, std::string_view message) = 0;
        virtual void close(link link, int code) = 0;
        virtual void resume(link link) = 0;
        virtual void stop() = 0; /* ends all threads; afterwards no function of a link or exchange is called */

        /* Without it send_file and fetch throw `state`. */
        virtual bool has_http() const noexcept
        {
                return false;
        }
        /* True: done() is owed, exactly once. Must not wait. */
        virtual bool http(const http_request &, exchange)
        {
                return false;
        }
        virtual void http_cancel(exchange)
        {
        }
};

/* ---- Options ------------------------------------------------------------------------------------------------- */

/* The callbacks of a client. They run one at a time, in order, with no lock held: on the client's own thread, or inside
 * client::dispatch. A callback may destroy the client. One that throws: see client. */
struct callbacks {
        std::function<void(const state &state)> on_state;
        std::function<void(const entry &entry)> on_entry;
        std::function<void(const message &message)> on_message;
        std::function<void(const conversation_info &info)> on_conversation;
        std::function<void(const opened &opened)> on_opened;
        std::function<void(const typing &typing)> on_typing;
        std::function<void(std::int64_t total)> on_unread;
        std::function<void()> on_token;
        std::function<void(const notice &notice)> on_notice;
        std::function<void(const progress &progress)> on_progress;
        std::function<void(const presence &presence)> on_presence;
        std::function<void(bool is_caught_up)> on_push_settled;
        std::function<void(const device_answer &answer)> on_device_answer;
        /* Any thread, with a lock held: every call into the client throws `wrong_thread`. Not told texts, tokens,
         * names. What it throws is dropped. */
        std::function<void(level level, std::string_view line)> on_log;
};

/* As struct deskbell_options, where the members are described; "" = none. */
struct options : callbacks {
        std::string url, app;
        std::string data_dir; /* "" = in memory, for tests */
        std::string token;
        bool is_visitor = false;
        std::string agent_token, user, locale, client_name, client_version;
        bool callbacks_by_dispatch = false;
        bool manual_ack = false;
        int first_page = 50, snapshot = 50;
        bool with_team_log = true;
        std::string ca_file;
        std::shared_ptr<class transport> transport; /* empty = libwebsockets */
        std::function<std::int64_t()> mono_ms, wall_ms;
        std::function<void(void *bytes, std::size_t len)> random;
        bool claims_visitor = false;
        std::int64_t cache_max_bytes = 0;
        int cache_max_entries_per_conversation = 0;
        std::vector<std::string> tls_pins; /* "sha256/..." */
        std::string proxy;
        std::vector<std::uint8_t> store_key; /* 32 bytes, or empty; the client does not keep it */
        /* C's table, as it is: deskbell_answers() of deskbell/answers.h. */
        const struct deskbell_answers *answers = nullptr;
};

} // namespace deskbell

#endif
