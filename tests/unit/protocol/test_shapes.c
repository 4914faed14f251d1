/* SPDX-License-Identifier: Apache-2.0 */
/* Every struct of the protocol, by its tables: what is written can be read again, and one value outside each bound is
 * refused with the path of its member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol_shapes.h"
#include "random_value.h"

enum { ROUNDS = 60 };

/* Decodes a copy of `text`; the value lives in the arena. */
static int decode(const struct shape *shape, const char *text, size_t len, enum reader_mode mode, struct arena *arena,
                  struct fault *fault, void **out_value)
{
        char *bytes = arena_take(arena, len + 1);
        void *value = arena_take(arena, shape->bytes);
        struct reader reader;

        memcpy(bytes, text, len);
        memset(value, 0xee, shape->bytes);
        reader_init(&reader, bytes, len, mode, arena, fault);
        *out_value = value;
        return shape_read(&reader, shape, value);
}

static void round_trip(struct random *random, const struct shape *shape, bool full, enum reader_mode mode)
{
        struct writer writer, again;
        struct fault fault = {0};
        struct arena arena;
        void *value, *back;

        arena_init(&arena, NULL, 0);
        writer_init(&writer, NULL, 0);
        writer_init(&again, NULL, 0);
        value = arena_take(&arena, shape->bytes);
        random_value(random, shape, &arena, full, value);
        shape_write(&writer, shape, value);
        if (decode(shape, writer.bytes, writer.len, mode, &arena, &fault, &back) < 0)
                fail_msg("%s: %s: expected %s in %.*s", shape->name, fault.field, fault.expected, (int)writer.len,
                         writer.bytes);
        if (value_difference(shape, value, back))
                fail_msg("%s: %s differs in %.*s", shape->name, value_difference(shape, value, back), (int)writer.len,
                         writer.bytes);
        shape_write(&again, shape, back);
        assert_int_equal(writer.len, again.len);
        assert_memory_equal(writer.bytes, again.bytes, writer.len);
        writer_done(&again);
        writer_done(&writer);
        arena_done(&arena);
}

static void every_struct_survives_the_wire(void **state)
{
        struct random random = {42};

        (void)state;
        for (size_t i = 0; i < protocol_shape_count; i++) {
                for (int round = 0; round < ROUNDS; round++)
                        round_trip(&random, protocol_shapes[i], round % 3 == 0,
                                   round % 2 ? READER_STRICT : READER_TOLERANT);
        }
}

static void what_is_written_is_json_for_others_too(void **state)
{
        struct random random = {43};

        (void)state;
        for (size_t i = 0; i < protocol_shape_count; i++) {
                struct writer writer;
                struct arena arena;
                json_t *json;
                void *value;

                arena_init(&arena, NULL, 0);
                writer_init(&writer, NULL, 0);
                value = arena_take(&arena, protocol_shapes[i]->bytes);
                random_value(&random, protocol_shapes[i], &arena, true, value);
                shape_write(&writer, protocol_shapes[i], value);
                json = json_loadb(writer.bytes, writer.len, JSON_REJECT_DUPLICATES, NULL);
                assert_true(json_is_object(json));
                json_decref(json);
                writer_done(&writer);
                arena_done(&arena);
        }
}

/* ---- refusals ---- */

/* A valid full value of a shape as a tree that can be spoiled. */
static json_t *sample(const struct shape *shape, struct random *random)
{
        struct writer writer;
        struct arena arena;
        json_t *json;
        void *value;

        arena_init(&arena, NULL, 0);
        writer_init(&writer, NULL, 0);
        value = arena_take(&arena, shape->bytes);
        random_value(random, shape, &arena, true, value);
        shape_write(&writer, shape, value);
        json = json_loadb(writer.bytes, writer.len, 0, NULL);
        assert_non_null(json);
        writer_done(&writer);
        arena_done(&arena);
        return json;
}

static int decode_tree(const struct shape *shape, const json_t *json, enum reader_mode mode, struct fault *fault)
{
        char *text = json_dumps(json, JSON_COMPACT);
        struct arena arena;
        void *value;
        int rc;

        arena_init(&arena, NULL, 0);
        rc = decode(shape, text, strlen(text), mode, &arena, fault, &value);
        arena_done(&arena);
        free(text);
        return rc;
}

static int checked; /* refusals seen, so that a table without bounds is noticed */

/* `json` is refused in both modes, at `path`. */
static void refused_at(const struct shape *shape, const json_t *json, const char *path)
{
        static const enum reader_mode modes[] = {READER_STRICT, READER_TOLERANT};

        for (int i = 0; i < 2; i++) {
                struct fault fault = {0};
                int rc = decode_tree(shape, json, modes[i], &fault);

                if (rc != -PROTOCOL_ERR_BAD_REQUEST || strcmp(fault.field, path) != 0 || !fault.expected[0])
                        fail_msg("%s.%s: got %d at '%s', expected '%s'", shape->name, path, rc, fault.field,
                                 fault.expected);
                checked++;
        }
}

/* Puts `bad` (taken over) in the place of a member and expects the refusal. */
static void refuses_value(const struct shape *shape, const json_t *good, const struct shape_field *field, json_t *bad)
{
        json_t *json = json_copy((json_t *)good);
        const char *name = field->name;

        assert_non_null(bad);
        json_object_set_new(json, name, bad);
        refused_at(shape, json, name);
        json_decref(json);
}

static json_t *repeated(const char *piece, size_t count)
{
        size_t len = strlen(piece);
        char *text = malloc(len * count + 1);
        json_t *json;

        for (size_t i = 0; i < count; i++)
                memcpy(text + i * len, piece, len);
        text[len * count] = '\0';
        json = json_string(text);
        free(text);
        return json;
}

static void refuses_texts(const struct shape *shape, const json_t *good, const struct shape_field *field)
{
        static const char *const no_words[] = {"a\nb", "a\tb", "\x7f", "\xc2\x85"};
        static const char *const no_urls[] = {"ftp://a.b",   "javascript:alert(1)", "//a.b",  "https://", "HTTPS://a.b",
                                              "https://a b", "data:text/html,x",    "mailto:"};

        refuses_value(shape, good, field, json_integer(5));
        refuses_value(shape, good, field, json_null());
        refuses_value(shape, good, field, json_string("a\x01"));
        refuses_value(shape, good, field, json_string("a\r\n"));
        refuses_value(shape, good, field, repeated("a", (size_t)field_limit(field)->max + 1));
        if ((int64_t)field_limit(field)->max_points * 2 + 2 <= field_limit(field)->max)
                refuses_value(shape, good, field, repeated("é", field_limit(field)->max_points + 1));
        if (field_limit(field)->min > 0)
                refuses_value(shape, good, field, repeated("a", (size_t)field_limit(field)->min - 1));
        if (field->type != SHAPE_TEXT) {
                for (size_t i = 0; i < 4; i++)
                        refuses_value(shape, good, field, json_string(no_words[i]));
        }
        if (field->type == SHAPE_URL) {
                for (size_t i = 0; i < 8; i++)
                        refuses_value(shape, good, field, json_string(no_urls[i]));
        }
}

static void refuses_forms(const struct shape *shape, const json_t *good, const struct shape_field *field)
{
        static const char *const nothing[] = {"",
                                              "xyz_0000000000001",
                                              "0",
                                              "00000000000000000000000000000000",
                                              "0123456789ABCDEF0123456789ABCDEF",
                                              "cnv_0000000000000"};
        size_t count = field->type == SHAPE_HEX ? 3 : 6; /* zeros are fine there when they are long enough */

        for (size_t i = 0; i < count; i++)
                refuses_value(shape, good, field, json_string(nothing[i]));
        refuses_value(shape, good, field, json_integer(1));
        if (field->type == SHAPE_HEX)
                refuses_value(shape, good, field, repeated("G", (size_t)field_limit(field)->max * 2));
}

static void refuses_array(const struct shape *shape, const json_t *good, const struct shape_field *field)
{
        json_t *items = json_object_get(good, field->name), *many = json_array(), *json = json_copy((json_t *)good);
        char path[64];

        refuses_value(shape, good, field, json_object());
        for (int64_t i = 0; i <= field_limit(field)->max; i++)
                json_array_append(many, json_array_get(items, 0));
        refuses_value(shape, good, field, many);
        if (field_limit(field)->min > 0)
                refuses_value(shape, good, field, json_array());
        json_object_set_new(json, field->name, json_pack("[O, n]", json_array_get(items, 0)));
        snprintf(path, sizeof(path), "%s[1]", field->name);
        refused_at(shape, json, path);
        json_decref(json);
}

static void refuses_wrong_values(const struct shape *shape, const json_t *good, const struct shape_field *field)
{
        switch (field->type) {
        case SHAPE_INT:
                refuses_value(shape, good, field, json_integer(field_limit(field)->min - 1));
                refuses_value(shape, good, field, json_integer(field_limit(field)->max + 1));
                refuses_value(shape, good, field, json_real(1.5));
                refuses_value(shape, good, field, json_string("1"));
                refuses_value(shape, good, field, json_true());
                break;
        case SHAPE_BOOL:
                refuses_value(shape, good, field, json_integer(1));
                refuses_value(shape, good, field, json_string("true"));
                refuses_value(shape, good, field, json_null());
                break;
        case SHAPE_TEXT:
        case SHAPE_WORD:
        case SHAPE_URL:
                refuses_texts(shape, good, field);
                break;
        case SHAPE_ENUM:
                refuses_value(shape, good, field, json_integer(1));
                break;
        case SHAPE_OBJECT:
                refuses_value(shape, good, field, json_array());
                refuses_value(shape, good, field, json_null());
                break;
        case SHAPE_ARRAY:
                refuses_array(shape, good, field);
                break;
        default:
                refuses_forms(shape, good, field);
                break;
        }
}

static void refuses_its_lack(const struct shape *shape, const json_t *good, const struct shape_field *field)
{
        json_t *json = json_copy((json_t *)good);
        struct fault fault = {0};

        json_object_del(json, field->name);
        if (field->optional)
                assert_int_equal(0, decode_tree(shape, json, READER_STRICT, &fault));
        else
                refused_at(shape, json, field->name);
        json_decref(json);
}

static void every_bound_of_every_member_is_kept(void **state)
{
        struct random random = {44};

        (void)state;
        for (size_t i = 0; i < protocol_shape_count; i++) {
                const struct shape *whole = protocol_shapes[i];
                json_t *good = sample(whole, &random);

                for (const struct shape *shape = whole; shape; shape = shape->include) {
                        for (size_t at = 0; at < shape->count; at++) {
                                refuses_wrong_values(whole, good, &shape->fields[at]);
                                refuses_its_lack(whole, good, &shape->fields[at]);
                        }
                }
                json_decref(good);
        }
        assert_true(checked > 1000);
}

static void unknown_members_pass_only_the_tolerant(void **state)
{
        struct random random = {45};

        (void)state;
        for (size_t i = 0; i < protocol_shape_count; i++) {
                json_t *json = sample(protocol_shapes[i], &random);
                struct fault fault = {0};

                json_object_set_new(json, "zzz_new", json_pack("{s:[i, n, {s:s}]}", "a", 1, "b", "\"]}"));
                assert_int_equal(0, decode_tree(protocol_shapes[i], json, READER_TOLERANT, &fault));
                assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                                 decode_tree(protocol_shapes[i], json, READER_STRICT, &fault));
                assert_string_equal("zzz_new", fault.field);
                json_decref(json);
        }
}

static void unknown_values_of_enums_are_other_to_the_tolerant(void **state)
{
        static const char entry[] = "{\"conv\":\"cnv_0000000000001\",\"seq\":1,\"ts\":0,\"author\":\"sys\","
                                    "\"kind\":\"hologram\",\"fallback_text\":\"a picture\"}";
        struct fault fault = {0};
        struct arena arena;
        void *value;

        (void)state;
        arena_init(&arena, NULL, 0);
        assert_int_equal(0,
                         decode(&protocol_shape_entry, entry, strlen(entry), READER_TOLERANT, &arena, &fault, &value));
        assert_int_equal(PROTOCOL_ENTRY_OTHER, ((struct protocol_entry *)value)->kind);
        assert_true(span_equal(SPAN("a picture"), ((struct protocol_entry *)value)->content.fallback_text));
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         decode(&protocol_shape_entry, entry, strlen(entry), READER_STRICT, &arena, &fault, &value));
        assert_string_equal("kind", fault.field);
        arena_done(&arena);
}

static void paths_lead_through_arrays_and_objects(void **state)
{
        static const struct {
                const char *text, *path;
        } cases[] = {
                {"{\"choices\":[{\"id\":\"a\",\"label\":\"A\"},{\"id\":\"b\",\"label\":7}]}", "choices[1].label"},
                {"{\"filled\":{\"seq\":1,\"values\":[{\"id\":\"a\"}]}}", "filled.values[0].value"},
                {"{\"filled\":{\"seq\":0}}", "filled.seq"},
                {"{\"mentions\":[\"agt_0000000000001\",\"nobody\"]}", "mentions[1]"},
                {"{\"card\":{\"title\":\"t\",\"color\":\"red\"}}", "card.color"},
                {"{\"choices\":[[]]}", "choices[0]"},
                {"{\"text\":\"a\",\"text\":\"b\"}", "text"},
                {"{\"te\\u0078t\":\"a\",\"text\":\"b\"}", "text"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct fault fault = {0};
                struct arena arena;
                void *value;

                arena_init(&arena, NULL, 0);
                assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                                 decode(&protocol_shape_content, cases[i].text, strlen(cases[i].text), READER_STRICT,
                                        &arena, &fault, &value));
                assert_string_equal(cases[i].path, fault.field);
                arena_done(&arena);
        }
}

static void a_hostile_member_name_cannot_harm_the_path(void **state)
{
        struct fault fault = {0};
        struct arena arena;
        char text[4096];
        void *value;
        size_t len;

        (void)state;
        arena_init(&arena, NULL, 0);
        len = (size_t)snprintf(text, sizeof(text), "{\"%s%0*d\":1}", "\\u001b\\n한", 3000, 0);
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST,
                         decode(&protocol_shape_content, text, len, READER_STRICT, &arena, &fault, &value));
        assert_memory_equal("??한000", fault.field, strlen("??한000"));
        assert_true(strlen(fault.field) < 64);
        arena_done(&arena);
}

static void nothing_may_stand_behind_the_value(void **state)
{
        struct fault fault = {0};
        struct arena arena;
        void *value;

        (void)state;
        arena_init(&arena, NULL, 0);
        assert_int_equal(0, decode(&protocol_shape_content, " {} \n", 5, READER_STRICT, &arena, &fault, &value));
        assert_int_equal(-PROTOCOL_ERR_PARSE,
                         decode(&protocol_shape_content, "{} {}", 5, READER_STRICT, &arena, &fault, &value));
        assert_int_equal(-PROTOCOL_ERR_PARSE,
                         decode(&protocol_shape_content, "", 0, READER_STRICT, &arena, &fault, &value));
        assert_int_equal(-PROTOCOL_ERR_PARSE,
                         decode(&protocol_shape_content, "{", 1, READER_STRICT, &arena, &fault, &value));
        arena_done(&arena);
}

/* ---- tables ---- */

static void every_method_and_event_is_found_by_its_name(void **state)
{
        (void)state;
        for (int i = 0; i < PROTOCOL_METHODS; i++) {
                struct span name = span_of(protocol_methods[i].name);

                assert_int_equal(i, protocol_method_find(name));
                int cut =
                        protocol_method_find((struct span){name.at, name.len - 1}); /* none, or a method of that name */
                assert_true(cut == -1 || strlen(protocol_methods[cut].name) == name.len - 1);
                assert_true(protocol_methods[i].params_bytes > 0 && protocol_methods[i].read_params);
                assert_true((protocol_methods[i].keyed != PROTOCOL_KEYED_NO) <=
                            (protocol_methods[i].cmid_offset != SIZE_MAX));
        }
        for (int i = 0; i < PROTOCOL_EVENTS; i++)
                assert_int_equal(i, protocol_event_find(span_of(protocol_events[i].name)));
        assert_int_equal(-1, protocol_method_find(SPAN("")));
        assert_int_equal(-1, protocol_method_find(SPAN("message.sent")));
        assert_int_equal(-1, protocol_event_find(SPAN("message.send")));
}

static void every_error_has_its_row(void **state)
{
        (void)state;
        for (int i = 1; i < PROTOCOL_ERRORS; i++) {
                const struct protocol_error_info *info = protocol_error_info((enum protocol_error)i);

                assert_true(info->tag && info->text && info->http >= 400);
                assert_int_equal(i, protocol_error_find(info->code));
        }
        assert_string_equal("internal", protocol_error_info((enum protocol_error) - 3)->tag);
        assert_string_equal("internal", protocol_error_info((enum protocol_error)9999)->tag);
        assert_int_equal(PROTOCOL_ERR_INTERNAL, protocol_error_find(424242));
        assert_string_equal("slow_reader", protocol_close_tag(PROTOCOL_CLOSE_SLOW_READER));
        assert_null(protocol_close_tag(4999));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_struct_survives_the_wire),
                cmocka_unit_test(what_is_written_is_json_for_others_too),
                cmocka_unit_test(every_bound_of_every_member_is_kept),
                cmocka_unit_test(unknown_members_pass_only_the_tolerant),
                cmocka_unit_test(unknown_values_of_enums_are_other_to_the_tolerant),
                cmocka_unit_test(paths_lead_through_arrays_and_objects),
                cmocka_unit_test(a_hostile_member_name_cannot_harm_the_path),
                cmocka_unit_test(nothing_may_stand_behind_the_value),
                cmocka_unit_test(every_method_and_event_is_found_by_its_name),
                cmocka_unit_test(every_error_has_its_row),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
