/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a client: the C options out of ours, with a function of C's kind for each callback, clock and transport that
 * is set. Nothing that the application throws goes through them. Include deskbell.hpp. */
#ifndef DESKBELL_OPEN_HPP
#define DESKBELL_OPEN_HPP

#include "deskbell/deskbell_copies.hpp"

namespace deskbell
{

namespace detail
{

inline core &core_of(void *data) noexcept
{
        return *static_cast<core *>(data);
}

/* The callbacks the application set, and no others: the C library asks for a token where on_token is. */
inline void set_callbacks(deskbell_options &to, const callbacks &on)
{
        if (on.on_state)
                to.on_state = [](deskbell_client *, const deskbell_state *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_state(copy_of(*told)); });
                };
        if (on.on_entry)
                to.on_entry = [](deskbell_client *, const deskbell_entry *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_entry(copy_of(core_of(data), *told)); });
                };
        if (on.on_message)
                to.on_message = [](deskbell_client *, const deskbell_message *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_message(copy_of(core_of(data), *told)); });
                };
        if (on.on_conversation)
                to.on_conversation = [](deskbell_client *, const deskbell_conversation_info *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_conversation(copy_of(core_of(data), *told)); });
                };
        if (on.on_opened)
                to.on_opened = [](deskbell_client *, deskbell_conversation *which, std::int64_t seq, std::int64_t iseq,
                                  void *data) {
                        core &core = core_of(data);
                        core.give([&] { core.on.on_opened({core.name(which), seq, iseq}); });
                };
        if (on.on_typing)
                to.on_typing = [](deskbell_client *, deskbell_conversation *which, const char *author, int is_typing,
                                  void *data) {
                        core &core = core_of(data);
                        core.give([&] { core.on.on_typing({core.name(which), text_of(author), is_typing != 0}); });
                };
        if (on.on_unread)
                to.on_unread = [](deskbell_client *, std::int64_t total, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_unread(total); });
                };
        if (on.on_token)
                to.on_token = [](deskbell_client *, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_token(); });
                };
        if (on.on_notice)
                to.on_notice = [](deskbell_client *, deskbell_notice which, deskbell_conversation *where,
                                  const char *detail, void *data) {
                        core &core = core_of(data);
                        core.give([&] {
                                core.on.on_notice({static_cast<notice_kind>(which), core.name(where), text_of(detail)});
                        });
                };
        if (on.on_progress)
                to.on_progress = [](deskbell_client *, const deskbell_progress *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_progress(copy_of(core_of(data), *told)); });
                };
        if (on.on_presence)
                to.on_presence = [](deskbell_client *, const deskbell_presence *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_presence(copy_of(core_of(data), *told)); });
                };
        if (on.on_push_settled)
                to.on_push_settled = [](deskbell_client *, int is_caught_up, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_push_settled(is_caught_up != 0); });
                };
        if (on.on_device_answer)
                to.on_device_answer = [](deskbell_client *, const deskbell_device_answer *told, void *data) {
                        core_of(data).give([&] { core_of(data).on.on_device_answer(copy_of(core_of(data), *told)); });
                };
        if (on.on_log)
                to.on_log = [](deskbell_level how, const char *line, void *data) {
                        core_of(data).say(static_cast<level>(how), line);
                };
}

inline void set_clock(deskbell_options &to, const options &on)
{
        if (on.mono_ms)
                to.mono_ms = [](void *data) noexcept { return core_of(data).on.mono_ms(); };
        if (on.wall_ms)
                to.wall_ms = [](void *data) noexcept { return core_of(data).on.wall_ms(); };
        if (on.random)
                to.random = [](void *data, void *bytes, std::size_t len) noexcept {
                        core_of(data).on.random(bytes, len);
                };
}

template <class F> bool transport_call(core &core, F &&act) noexcept
{
        frame here(&core, frame::logging); /* C holds its lock */
        try {
                act(*core.on.transport);
                return true;
        } catch (...) {
                core.say(level::error, "a function of the transport threw an exception");
                return false;
        }
}

inline deskbell_transport transport_of(core &core) noexcept
{
        deskbell_transport to{};

        to.size = sizeof(to);
        to.data = &core;
        to.open = [](void *data, const char *url, const char *subprotocol, std::size_t max_message_bytes,
                     deskbell_link *raw) {
                bool is_open = false;
                bool is_well = transport_call(core_of(data), [&](transport &of) {
                        is_open = of.open(url, subprotocol, max_message_bytes, link(raw));
                });
                return is_well && is_open ? 0 : -1;
        };
        to.send = [](void *data, deskbell_link *raw, const char *bytes, std::size_t len) {
                transport_call(core_of(data), [&](transport &of) { of.send(link(raw), {bytes, len}); });
        };
        to.close = [](void *data, deskbell_link *raw, int code) {
                transport_call(core_of(data), [&](transport &of) { of.close(link(raw), code); });
        };
        to.resume = [](void *data, deskbell_link *raw) {
                transport_call(core_of(data), [&](transport &of) { of.resume(link(raw)); });
        };
        if (core.on.transport && core.on.transport->has_http()) {
                to.http = [](void *data, const deskbell_http_request *asked, deskbell_exchange *raw) {
                        bool is_asked = false;
                        bool is_well = transport_call(core_of(data), [&](transport &of) {
                                is_asked = of.http(copy_of(*asked), exchange(raw));
                        });
                        return is_well && is_asked ? 0 : -1;
                };
                to.http_cancel = [](void *data, deskbell_exchange *raw) {
                        transport_call(core_of(data), [&](transport &of) { of.http_cancel(exchange(raw)); });
                };
        }
        to.stop = [](void *data) { transport_call(core_of(data), [](transport &of) { of.stop(); }); };
        return to;
}

inline void core::open()
{
        deskbell_options to = DESKBELL_OPTIONS_INIT;
        deskbell_transport own = transport_of(*this);

        to.url = or_null(on.url);
        to.app = or_null(on.app);
        to.data_dir = or_null(on.data_dir);
        to.token = or_null(on.token);
        to.is_visitor = on.is_visitor;
        to.agent_token = or_null(on.agent_token);
        to.user = or_null(on.user);
        to.locale = or_null(on.locale);
        to.client_name = or_null(on.client_name);
        to.client_version = or_null(on.client_version);
        to.callbacks_by_dispatch = on.callbacks_by_dispatch;
        to.manual_ack = on.manual_ack;
        to.first_page = on.first_page;
        to.snapshot = on.snapshot;
        to.with_team_log = on.with_team_log;
        to.ca_file = or_null(on.ca_file);
        to.transport = on.transport ? &own : nullptr;
        to.claims_visitor = on.claims_visitor;
        to.cache_max_bytes = on.cache_max_bytes;
        to.cache_max_entries_per_conversation = on.cache_max_entries_per_conversation;
        std::vector<const char *> pins;
        for (const std::string &pin : on.tls_pins)
                pins.push_back(pin.c_str());
        to.tls_pins = pins.data();
        to.tls_pins_count = pins.size();
        to.proxy = or_null(on.proxy);
        to.store_key = on.store_key.empty() ? nullptr : on.store_key.data();
        to.store_key_len = on.store_key.size();
        to.answers = on.answers;
        to.data = this;
        set_clock(to, on);
        set_callbacks(to, on);
        check(deskbell_open(&to, &raw));
}

} // namespace detail
} // namespace deskbell

#endif
