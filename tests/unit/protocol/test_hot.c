/* SPDX-License-Identifier: Apache-2.0 */
/* The hot outputs are byte for byte what the generated encoders write; contents have one stored form and one hash; and
 * the kinds of entries need and refuse what their table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "protocol/hot.h"
#include "protocol_shapes.h"
#include "random_value.h"

enum { ROUNDS = 2000 };

static void same_bytes(const struct writer *expected, const struct writer *got)
{
        assert_false(expected->failed || got->failed);
        if (expected->len != got->len || memcmp(expected->bytes, got->bytes, got->len) != 0)
                fail_msg("expected %.*s\ngot      %.*s", (int)expected->len, expected->bytes, (int)got->len,
                         got->bytes);
}

/* The same entry as a struct of the protocol and as a head with its stored content. */
static struct entry_head head_of(const struct protocol_entry *entry, struct span stored)
{
        return (struct entry_head){
                .conv = entry->conv,
                .team = entry->has_iseq,
                .number = entry->has_iseq ? entry->iseq : entry->seq,
                .at_seq = entry->at_seq,
                .ts = entry->ts,
                .author = entry->author,
                .name = entry->has_name ? entry->name : (struct span){0},
                .cmid = entry->has_cmid ? &entry->cmid : NULL,
                .kind = (int)entry->kind,
                .version = entry->has_edited ? entry->edited : 1,
                .content = stored,
        };
}

static void random_entry(struct random *random, struct arena *arena, struct protocol_entry *out)
{
        random_value(random, &protocol_shape_entry, arena, false, out);
        out->has_iseq = out->has_at_seq = random_below(random, 2);
        out->has_seq = !out->has_iseq;
        if (out->has_edited && out->edited < 2)
                out->has_edited = false;
        if (random_below(random, 20) == 0)
                memset(&out->content, 0, sizeof(out->content));
}

static void the_entry_event_is_what_the_encoder_writes(void **state)
{
        struct random random = {7};

        (void)state;
        for (int i = 0; i < ROUNDS; i++) {
                struct protocol_event_entry event = {0};
                struct writer expected, got, stored;
                struct entry_head head;
                struct arena arena;
                char room[64]; /* small, so that it has to grow */

                arena_init(&arena, NULL, 0);
                writer_init(&expected, NULL, 0);
                writer_init(&got, room, sizeof(room));
                writer_init(&stored, NULL, 0);
                random_entry(&random, &arena, &event.entry);
                content_store(&stored, &event.entry.content);
                frame_call_begin(&expected, NULL, SPAN("entry"));
                protocol_event_entry_write(&expected, &event);
                frame_end(&expected);
                head = head_of(&event.entry, (struct span){stored.bytes, stored.len});
                hot_entry_event(&got, &head);
                same_bytes(&expected, &got);
                writer_done(&stored);
                writer_done(&got);
                writer_done(&expected);
                arena_done(&arena);
        }
}

static void the_send_result_is_what_the_encoder_writes(void **state)
{
        static const struct request_id id = {3, "\"a\""};

        (void)state;
        for (int bits = 0; bits < 8; bits++) {
                bool team = bits & 1, dup = bits & 2;
                struct protocol_message_send_result result = {.has_conv = bits & 4,
                                                              .conv = 77,
                                                              .has_seq = !team,
                                                              .seq = 5,
                                                              .has_iseq = team,
                                                              .iseq = 5,
                                                              .has_at_seq = team,
                                                              .at_seq = PROTOCOL_SAFE_INTEGER,
                                                              .ts = 1790000000123,
                                                              .has_dup = dup,
                                                              .dup = dup};
                struct writer expected, got;

                writer_init(&expected, NULL, 0);
                writer_init(&got, NULL, 0);
                frame_result_begin(&expected, &id);
                protocol_message_send_result_write(&expected, &result);
                frame_end(&expected);
                hot_send_result(&got, &id, bits & 4 ? 77 : 0, team, 5, PROTOCOL_SAFE_INTEGER, 1790000000123, dup);
                same_bytes(&expected, &got);
                writer_done(&expected);
                writer_done(&got);
        }
}

static void the_heartbeat_is_what_the_encoder_writes(void **state)
{
        struct protocol_event_heartbeat beat = {.rev = PROTOCOL_SAFE_INTEGER, .now = 0};
        struct writer expected, got;

        (void)state;
        writer_init(&expected, NULL, 0);
        writer_init(&got, NULL, 0);
        frame_call_begin(&expected, NULL, SPAN("heartbeat"));
        protocol_event_heartbeat_write(&expected, &beat);
        frame_end(&expected);
        hot_heartbeat(&got, beat.rev, beat.now);
        same_bytes(&expected, &got);
        writer_done(&expected);
        writer_done(&got);
}

/* ---- content ---- */

static void hash_of_text(int kind, const char *json, uint8_t out_hash[16])
{
        struct protocol_content content;
        struct fault fault = {0};
        struct reader reader;
        struct writer writer;
        struct arena arena;
        char bytes[512];

        strcpy(bytes, json);
        arena_init(&arena, NULL, 0);
        reader_init(&reader, bytes, strlen(bytes), READER_STRICT, &arena, &fault);
        assert_int_equal(0, protocol_content_read(&reader, &content));
        writer_init(&writer, NULL, 0);
        content_store(&writer, &content);
        content_hash(kind, (struct span){writer.bytes, writer.len}, out_hash);
        writer_done(&writer);
        arena_done(&arena);
}

static void equal_contents_have_one_hash_however_they_were_written(void **state)
{
        uint8_t a[16], b[16], c[16], d[16];

        (void)state;
        hash_of_text(1, "{\"text\":\"h\\u0069\",\"reply_to\":4}", a);
        hash_of_text(1, " { \"reply_to\" : 4 , \"text\" : \"hi\" } ", b);
        hash_of_text(1, "{\"text\":\"hi\",\"reply_to\":5}", c);
        hash_of_text(3, "{\"text\":\"hi\",\"reply_to\":4}", d);
        assert_memory_equal(a, b, 16);
        assert_memory_not_equal(a, c, 16);
        assert_memory_not_equal(a, d, 16);
}

static void the_hash_is_sha256_of_kind_and_stored_form(void **state)
{
        /* printf '\001{"text":"hi"}' | sha256sum */
        static const uint8_t expected[16] = {0x55, 0xcd, 0x90, 0xa9, 0x85, 0x8f, 0xd8, 0xb8,
                                             0xeb, 0x3c, 0xd8, 0x30, 0xc5, 0x43, 0x28, 0x1b};
        uint8_t hash[16];

        (void)state;
        content_hash(1, SPAN("{\"text\":\"hi\"}"), hash);
        assert_memory_equal(expected, hash, 16);
}

static int check_content(enum protocol_entry_kind kind, bool team, enum principal_role from, const char *json,
                         struct fault *fault)
{
        struct protocol_content content;
        struct reader reader;
        struct arena arena;
        char bytes[512];
        int rc;

        strcpy(bytes, json);
        arena_init(&arena, NULL, 0);
        memset(fault, 0, sizeof(*fault));
        reader_init(&reader, bytes, strlen(bytes), READER_STRICT, &arena, fault);
        assert_int_equal(0, protocol_content_read(&reader, &content));
        rc = protocol_content_check(kind, team, from, &content, fault);
        arena_done(&arena);
        return rc;
}

static void a_kind_carries_what_its_table_says(void **state)
{
        static const char choices[] =
                "{\"text\":\"Which?\",\"fallback_text\":\"A or B?\",\"choices\":[{\"id\":\"a\",\"label\":\"A\"}]}";
        struct fault fault;

        (void)state;
        assert_int_equal(0, check_content(PROTOCOL_ENTRY_TEXT, false, ROLE_CUSTOMER, "{\"text\":\"hi\"}", &fault));
        assert_int_equal(0, check_content(PROTOCOL_ENTRY_CHOICES, false, ROLE_BOT, choices, &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         check_content(PROTOCOL_ENTRY_TEXT, false, ROLE_CUSTOMER, "{}", &fault));
        assert_string_equal("text", fault.field);
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         check_content(PROTOCOL_ENTRY_TEXT, false, ROLE_CUSTOMER,
                                       "{\"text\":\"hi\",\"fallback_text\":\"hi\"}", &fault));
        assert_string_equal("fallback_text", fault.field);
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         check_content(PROTOCOL_ENTRY_CHOICES, false, ROLE_AGENT,
                                       "{\"text\":\"Which?\",\"fallback_text\":\"?\"}", &fault));
        assert_string_equal("choices", fault.field);
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         check_content(PROTOCOL_ENTRY_OTHER, false, ROLE_AGENT, "{\"text\":\"hi\"}", &fault));
        assert_string_equal("kind", fault.field);
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         check_content((enum protocol_entry_kind)200, false, ROLE_AGENT, "{}", &fault));
}

static void a_kind_comes_from_those_and_stands_there_as_its_table_says(void **state)
{
        struct fault fault;

        (void)state;
        for (int kind = 0; kind < 256; kind++) {
                const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)kind);
                struct protocol_content nothing = {0};

                if (!info)
                        continue;
                for (int role = ROLE_NONE; role <= ROLE_OPERATOR; role++) {
                        bool may = role == ROLE_SYSTEM || (role == ROLE_CUSTOMER && info->from_customer) ||
                                   (role == ROLE_AGENT && info->from_agent) || (role == ROLE_BOT && info->from_bot);
                        int rc;

                        memset(&fault, 0, sizeof(fault));
                        rc = protocol_content_check((enum protocol_entry_kind)kind, !info->public_log,
                                                    (enum principal_role)role, &nothing, &fault);
                        assert_int_equal(!may, rc == -PROTOCOL_ERR_FORBIDDEN);
                }
                memset(&fault, 0, sizeof(fault));
                protocol_content_check((enum protocol_entry_kind)kind, true, ROLE_SYSTEM, &nothing, &fault);
                assert_int_equal(!info->team_log, strcmp(fault.field, "log") == 0);
        }
        assert_int_equal(-PROTOCOL_ERR_FORBIDDEN,
                         check_content(PROTOCOL_ENTRY_CHOICES, false, ROLE_CUSTOMER, "{}", &fault));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         check_content(PROTOCOL_ENTRY_CHOICES, true, ROLE_AGENT, "{}", &fault));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_entry_event_is_what_the_encoder_writes),
                cmocka_unit_test(the_send_result_is_what_the_encoder_writes),
                cmocka_unit_test(the_heartbeat_is_what_the_encoder_writes),
                cmocka_unit_test(equal_contents_have_one_hash_however_they_were_written),
                cmocka_unit_test(the_hash_is_sha256_of_kind_and_stored_form),
                cmocka_unit_test(a_kind_carries_what_its_table_says),
                cmocka_unit_test(a_kind_comes_from_those_and_stands_there_as_its_table_says),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
