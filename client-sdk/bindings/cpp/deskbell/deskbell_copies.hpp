/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of what C gives, which lives for a callback, into values that own what they hold. Include deskbell.hpp. */
#ifndef DESKBELL_COPIES_HPP
#define DESKBELL_COPIES_HPP

#include "deskbell/deskbell_core.hpp"

namespace deskbell
{
namespace detail
{

template <std::size_t N> std::array<std::uint8_t, N> bytes_of(const std::uint8_t (&from)[N])
{
        std::array<std::uint8_t, N> to;

        std::copy(from, from + N, to.begin());
        return to;
}

inline state copy_of(const deskbell_state &from)
{
        state to;

        to.connection = static_cast<connection>(from.connection);
        to.retry_in_ms = from.retry_in_ms;
        to.why = text_of(from.why);
        to.caught_up = from.caught_up != 0;
        to.principal = text_of(from.principal);
        to.name = text_of(from.name);
        to.epoch = text_of(from.epoch);
        return to;
}

inline std::vector<file> copy_of(const deskbell_file *from, std::size_t count)
{
        std::vector<file> to(count);

        for (std::size_t i = 0; i < count; i++)
                to[i] = {text_of(from[i].id), text_of(from[i].name), text_of(from[i].media),  from[i].size,
                         from[i].width,       from[i].height,        bytes_of(from[i].sha256)};
        return to;
}

inline survey_question copy_of(const deskbell_survey_question &from)
{
        survey_question to;

        to.id = text_of(from.id);
        to.kind = text_of(from.kind);
        to.text = text_of(from.text);
        for (std::size_t i = 0; i < from.choices_count; i++)
                to.choices.push_back({text_of(from.choices[i].id), text_of(from.choices[i].label)});
        to.min = from.min;
        to.max = from.max;
        to.low = text_of(from.low);
        to.high = text_of(from.high);
        to.required = from.required != 0;
        to.from_score = from.from_score;
        to.to_score = from.to_score;
        return to;
}

inline survey_said copy_of(const deskbell_survey_said &from)
{
        survey_said to;

        to.question = text_of(from.question);
        for (std::size_t i = 0; i < from.chosen_count; i++)
                to.chosen.push_back(text_of(from.chosen[i]));
        to.number = from.number;
        to.words = text_of(from.words);
        return to;
}

inline survey copy_of(const deskbell_survey &from)
{
        survey to;

        to.offer = text_of(from.offer);
        to.survey = text_of(from.survey);
        to.version = from.version;
        to.metric = text_of(from.metric);
        to.style = text_of(from.style);
        to.min = from.min;
        to.max = from.max;
        to.low = text_of(from.low);
        to.high = text_of(from.high);
        for (std::size_t i = 0; i < from.questions_count; i++)
                to.questions.push_back(copy_of(from.questions[i]));
        to.comment = text_of(from.comment);
        to.contact = text_of(from.contact);
        to.thanks = text_of(from.thanks);
        to.colour = text_of(from.colour);
        to.brand = text_of(from.brand);
        to.state = static_cast<survey_state>(from.state);
        to.until_ms = from.until_ms;
        to.score = from.score;
        to.said = text_of(from.said);
        for (std::size_t i = 0; i < from.answers_count; i++)
                to.answers.push_back(copy_of(from.answers[i]));
        to.wants_contact = from.wants_contact;
        to.is_locked = from.is_locked != 0;
        return to;
}

inline void copy_parts(entry &to, const deskbell_entry &from)
{
        for (std::size_t i = 0; i < from.choices_count; i++)
                to.choices.push_back({text_of(from.choices[i].id), text_of(from.choices[i].label)});
        for (std::size_t i = 0; i < from.form_count; i++)
                to.form.push_back({text_of(from.form[i].id), text_of(from.form[i].label), text_of(from.form[i].input),
                                   from.form[i].required != 0});
        to.title = text_of(from.title);
        to.link = text_of(from.link);
        to.pressed_seq = from.pressed_seq;
        to.pressed_id = text_of(from.pressed_id);
        to.files = copy_of(from.files, from.files_count);
        to.filled_seq = from.filled_seq;
        for (std::size_t i = 0; i < from.filled_count; i++)
                to.filled.push_back({text_of(from.filled[i].id), text_of(from.filled[i].value)});
        if (from.survey)
                to.survey = copy_of(*from.survey);
}

inline entry copy_of(core &core, const deskbell_entry &from)
{
        entry to;

        to.conversation = core.name(from.conversation);
        to.origin = static_cast<origin>(from.origin);
        to.log = static_cast<log>(from.log);
        to.number = from.number;
        to.at_seq = from.at_seq;
        to.epoch = text_of(from.epoch);
        to.ts_ms = from.ts_ms;
        to.author = text_of(from.author);
        to.name = text_of(from.name);
        to.is_mine = from.is_mine != 0;
        to.cmid = text_of(from.cmid);
        to.kind = static_cast<kind>(from.kind);
        to.version = from.version;
        to.of = from.of;
        to.reply_to = from.reply_to;
        to.text = text_of(from.text);
        copy_parts(to, from);
        to.hash = bytes_of(from.hash);
        return to;
}

inline message copy_of(core &core, const deskbell_message &from)
{
        message to;

        to.conversation = core.name(from.conversation);
        to.cmid = text_of(from.cmid);
        to.operation = static_cast<operation>(from.operation);
        to.state = static_cast<message_state>(from.state);
        to.is_again = from.is_again != 0;
        to.log = static_cast<log>(from.log);
        to.number = from.number;
        to.at_seq = from.at_seq;
        to.ts_ms = from.ts_ms;
        to.epoch = text_of(from.epoch);
        to.is_duplicate = from.is_duplicate != 0;
        to.tag = text_of(from.tag);
        to.text = text_of(from.text);
        to.of = from.of;
        to.hash = bytes_of(from.hash);
        to.files = copy_of(from.files, from.files_count);
        to.is_paused = from.is_paused != 0;
        to.pressed_seq = from.pressed_seq;
        to.filled_seq = from.filled_seq;
        to.rated_seq = from.rated_seq;
        return to;
}

inline progress copy_of(core &core, const deskbell_progress &from)
{
        return {core.name(from.conversation), text_of(from.cmid), from.file, from.files, from.sent, from.total};
}

inline presence copy_of(core &core, const deskbell_presence &from)
{
        return {static_cast<presence_of>(from.of), from.is_here != 0, core.name(from.conversation),
                text_of(from.customer), from.last_seen_ms};
}

inline device_answer copy_of(core &core, const deskbell_device_answer &from)
{
        return {core.name(from.conversation), text_of(from.cmid), text_of(from.text), text_of(from.rule),
                text_of(from.version),        from.ts_ms,         from.is_again != 0, from.is_taken_back != 0};
}

inline http_request copy_of(const deskbell_http_request &from)
{
        http_request to;

        to.method = text_of(from.method);
        to.url = text_of(from.url);
        for (std::size_t i = 0; i < from.headers_count; i++)
                to.headers.push_back(text_of(from.headers[i]));
        if (from.body_len)
                to.body.assign(static_cast<const char *>(from.body), from.body_len);
        to.max_answer_bytes = from.max_answer_bytes;
        return to;
}

inline found copy_of(const deskbell_found &from)
{
        found to;

        to.conversation = text_of(from.conversation);
        to.customer = text_of(from.customer);
        to.log = static_cast<log>(from.log);
        to.number = from.number;
        to.ts_ms = from.ts_ms;
        to.author = text_of(from.author);
        to.kind = text_of(from.kind);
        to.before = text_of(from.before);
        to.hit = text_of(from.hit);
        to.after = text_of(from.after);
        return to;
}

inline conversation_info copy_of(core &core, const deskbell_conversation_info &from)
{
        conversation_info to;

        to.conversation = core.name(from.conversation);
        to.id = text_of(from.id);
        to.key = text_of(from.key);
        to.customer = text_of(from.customer);
        to.customer_name = text_of(from.customer_name);
        to.has_left = from.has_left != 0;
        to.head = from.head;
        to.ihead = from.ihead;
        to.rev = from.rev;
        to.marks = {from.marks.customer_recv, from.marks.customer_read, from.marks.staff_recv, from.marks.staff_read};
        to.unread = from.unread;
        to.unanswered = from.unanswered;
        to.waiting_since_ms = from.waiting_since_ms;
        to.last_ts_ms = from.last_ts_ms;
        to.last_author = text_of(from.last_author);
        to.last_preview = text_of(from.last_preview);
        return to;
}

} // namespace detail
} // namespace deskbell

#endif
