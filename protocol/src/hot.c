/* SPDX-License-Identifier: Apache-2.0 */
/* Hot: see hot.h. Each output reserves its room once and then only copies. */
#include "protocol/hot.h"

enum {
        INT_BYTES = 20,
        ENTRY_BYTES = 512, /* everything of an entry but its name and its content */
        RESULT_BYTES = 320,
        HEARTBEAT_BYTES = 128,
};

/* `out` has room: the caller has reserved it. Returns what is behind. */
static char *put(char *out, struct span text)
{
        memcpy(out, text.at, text.len);
        return out + text.len;
}

static char *put_int(char *out, int64_t value)
{
        char digits[INT_BYTES];
        size_t at = sizeof(digits);
        uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

        do {
                digits[--at] = (char)('0' + left % 10);
                left /= 10;
        } while (left);
        if (value < 0)
                digits[--at] = '-';
        return put(out, (struct span){digits + at, sizeof(digits) - at});
}

static char *put_member_int(char *out, struct span start, int64_t value)
{
        return put_int(put(out, start), value);
}

static char *put_id(char *out, const char *prefix, uint64_t id)
{
        *out++ = '"';
        id_write(out, prefix, id);
        out[ID_TEXT_BYTES] = '"';
        return out + ID_TEXT_BYTES + 1;
}

static char *put_position(char *out, bool team, int64_t number, int64_t at_seq)
{
        out = put_member_int(out, team ? SPAN(",\"iseq\":") : SPAN(",\"seq\":"), number);
        return team ? put_member_int(out, SPAN(",\"at_seq\":"), at_seq) : out;
}

static char *put_author(char *out, struct principal_id author)
{
        out = put(out, SPAN(",\"author\":\""));
        out += principal_write(out, author);
        *out++ = '"';
        return out;
}

static char *put_key(char *out, const struct cmid *cmid)
{
        out = put(out, SPAN(",\"cmid\":\""));
        cmid_write(out, cmid);
        out[CMID_TEXT_BYTES] = '"';
        return out + CMID_TEXT_BYTES + 1;
}

static char *put_kind(char *out, int kind)
{
        const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)kind);

        out = put(out, SPAN(",\"kind\":\""));
        out = put(out, span_of(info ? info->name : "other"));
        *out++ = '"';
        return out;
}

/* The members of a stored content behind a comma, without its braces. */
static char *put_content(char *out, struct span content)
{
        if (content.len > 2) {
                *out++ = ',';
                out = put(out, (struct span){content.at + 1, content.len - 2});
        }
        return out;
}

static void took(struct writer *writer, const char *out)
{
        writer->len = (size_t)(out - writer->bytes);
}

void hot_entry_write(struct writer *writer, const struct entry_head *entry)
{
        char *out;

        if (!writer_reserve(writer, ENTRY_BYTES + entry->content.len))
                return;
        out = put(writer->bytes + writer->len, SPAN("{\"conv\":"));
        out = put_id(out, "cnv", entry->conv);
        out = put_position(out, entry->team, entry->number, entry->at_seq);
        out = put_member_int(out, SPAN(",\"ts\":"), entry->ts);
        out = put_author(out, entry->author);
        if (entry->name.at) {
                out = put(out, SPAN(",\"name\":"));
                took(writer, out);
                writer_string(writer, entry->name);
                if (!writer_reserve(writer, ENTRY_BYTES + entry->content.len))
                        return;
                out = writer->bytes + writer->len;
        }
        if (entry->cmid)
                out = put_key(out, entry->cmid);
        out = put_kind(out, entry->kind);
        if (entry->version > 1)
                out = put_member_int(out, SPAN(",\"edited\":"), entry->version);
        out = put_content(out, entry->content);
        *out++ = '}';
        took(writer, out);
}

void hot_entry_event(struct writer *writer, const struct entry_head *entry)
{
        writer_raw(writer, SPAN("{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":"));
        hot_entry_write(writer, entry);
        writer_char(writer, '}');
}

static char *put_result_start(char *out, const struct request_id *id)
{
        bool has_id = id && id->len;

        out = put(out, SPAN("{\"jsonrpc\":\"2.0\",\"id\":"));
        out = put(out, has_id ? (struct span){id->raw, id->len} : SPAN("null"));
        return put(out, SPAN(",\"result\":{"));
}

void hot_send_result(struct writer *writer, const struct request_id *id, uint64_t conv_or_0, bool team, int64_t number,
                     int64_t at_seq, int64_t ts, bool dup)
{
        char *out, *start;

        if (!writer_reserve(writer, RESULT_BYTES))
                return;
        out = put_result_start(writer->bytes + writer->len, id);
        if (conv_or_0)
                out = put_id(put(out, SPAN("\"conv\":")), "cnv", conv_or_0);
        start = out;
        out = put_position(out, team, number, at_seq);
        out = put_member_int(out, SPAN(",\"ts\":"), ts);
        if (dup)
                out = put(out, SPAN(",\"dup\":true"));
        if (!conv_or_0) { /* the comma before the first member */
                memmove(start, start + 1, (size_t)(out - start - 1));
                out--;
        }
        took(writer, put(out, SPAN("}}")));
}

void hot_heartbeat(struct writer *writer, int64_t rev, int64_t now_ms)
{
        char *out;

        if (!writer_reserve(writer, HEARTBEAT_BYTES))
                return;
        out = put(writer->bytes + writer->len, SPAN("{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{"));
        out = put_member_int(out, SPAN("\"rev\":"), rev);
        out = put_member_int(out, SPAN(",\"now\":"), now_ms);
        took(writer, put(out, SPAN("}}")));
}
