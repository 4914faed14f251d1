/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that the workspace defines, of customers and (custom fields) of tickets: what there is, and what each may
 * hold. The definitions are in memory, read again when they have changed. */
#include "desk/customers/attributes.h"

#include <jansson.h>
#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/reading.h"

enum { DIGITS = 15, CHOICES_BYTES = 50 * (CUSTOMER_NAME_BYTES + 4) };

/* Those that every customer has a place for. */
static const char *const built_in[] = {"name", "email", "phone", "company", "locale", "tier"};

/* ---- in memory ---- */

void attributes_forget(struct customers *customers)
{
        for (size_t i = 0; i < customers->attribute_count; i++)
                free(customers->attributes[i].choices);
        free(customers->attributes);
        customers->attributes = NULL;
        customers->attribute_count = 0;
}

static int take_row(struct customers *customers, struct db_stmt *stmt)
{
        struct attribute *more =
                realloc(customers->attributes, (customers->attribute_count + 1) * sizeof *customers->attributes);
        if (!more)
                return DB_NOMEM;
        customers->attributes = more;
        struct attribute *attribute = &more[customers->attribute_count];
        struct span name = db_text(stmt, 1), choices = db_text(stmt, 4);
        *attribute = (struct attribute){.scope = (enum attribute_scope)db_int(stmt, 0),
                                        .kind = (enum attribute_kind)db_int(stmt, 2)};
        if (name.len > CUSTOMER_NAME_BYTES)
                return DB_DAMAGED;
        memcpy(attribute->name, name.at, name.len);
        if (choices.at && !(attribute->choices = strndup(choices.at, choices.len)))
                return DB_NOMEM;
        customers->attribute_count++;
        return DB_OK;
}

int attributes_load(struct desk *desk)
{
        struct customers *customers = &desk->customers;
        attributes_forget(customers);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ATTRIBUTES_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                rc = take_row(customers, stmt);
                if (rc < 0) {
                        db_reset(stmt);
                        break;
                }
        }
        customers->are_attributes_stale = rc < 0;
        return rc;
}

const struct attribute *attribute_find(struct desk *desk, enum attribute_scope scope, struct span name)
{
        struct customers *customers = &desk->customers;
        if (customers->are_attributes_stale) {
                int rc = attributes_load(desk);
                if (rc < 0) {
                        desk_db_failed(desk, rc);
                        return NULL;
                }
        }
        for (size_t i = 0; i < customers->attribute_count; i++)
                if (customers->attributes[i].scope == scope && span_equal(span_of(customers->attributes[i].name), name))
                        return &customers->attributes[i];
        return NULL;
}

/* ---- values ---- */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_number(struct span value)
{
        size_t at = value.len > 0 && value.at[0] == '-' ? 1 : 0, digits = 0, points = 0;
        if (at == value.len || !is_digit(value.at[at]) || !is_digit(value.at[value.len - 1]))
                return false;
        for (; at < value.len; at++) {
                digits += is_digit(value.at[at]);
                points += value.at[at] == '.';
                if (!is_digit(value.at[at]) && value.at[at] != '.')
                        return false;
        }
        return digits <= DIGITS && points <= 1;
}

static int two_digits(const char *at)
{
        return (at[0] - '0') * 10 + at[1] - '0';
}

static bool is_date(struct span value)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        if (value.len != 10 || value.at[4] != '-' || value.at[7] != '-')
                return false;
        for (size_t i = 0; i < value.len; i++)
                if (i != 4 && i != 7 && !is_digit(value.at[i]))
                        return false;
        int year = two_digits(value.at) * 100 + two_digits(value.at + 2);
        int month = two_digits(value.at + 5), day = two_digits(value.at + 8);
        if (year < 1 || month < 1 || month > 12 || day < 1)
                return false;
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return day <= days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static bool is_choice(const struct attribute *attribute, struct span value)
{
        json_t *choices = json_loads(attribute->choices ? attribute->choices : "[]", 0, NULL), *choice;
        bool is_one = false;
        size_t i;
        json_array_foreach(choices, i, choice) {
                struct span text = {json_string_value(choice), json_string_length(choice)};
                is_one = is_one || span_equal(text, value);
        }
        json_decref(choices);
        return is_one;
}

int attribute_check(const struct attribute *attribute, struct span value, const char *field, struct fault *fault)
{
        const char *expected = NULL;
        switch (attribute->kind) {
        case ATTRIBUTE_TEXT:
                break;
        case ATTRIBUTE_NUMBER:
                expected = is_number(value) ? NULL : "a decimal of at most 15 digits, as 12.50";
                break;
        case ATTRIBUTE_DATE:
                expected = is_date(value) ? NULL : "a date, as 2026-01-31";
                break;
        case ATTRIBUTE_BOOL:
                expected = span_equal(value, SPAN("true")) || span_equal(value, SPAN("false")) ? NULL : "true or false";
                break;
        case ATTRIBUTE_CHOICE:
                expected = is_choice(attribute, value) ? NULL : "one of the attribute's choices";
                break;
        }
        return expected ? fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, expected) : 0;
}

/* ---- a JSON object of them ---- */

static int check_member(struct desk *desk, enum attribute_scope scope, const char *name, const json_t *value,
                        struct fault *fault)
{
        const struct attribute *attribute = attribute_find(desk, scope, span_of(name));
        if (!attribute)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, name, "the name of an attribute that is defined");
        if (!json_is_string(value))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, name, "a text");
        struct span text = {json_string_value(value), json_string_length(value)};
        return attribute_check(attribute, text, name, fault);
}

int fields_check(struct desk *desk, enum attribute_scope scope, struct span json, struct fault *fault)
{
        json_t *object = json_loadb(json.at, json.len, JSON_REJECT_DUPLICATES, NULL), *value;
        const char *name;
        int rc = json_is_object(object)
                         ? 0
                         : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "fields", "an object of names and texts");
        if (rc == 0) {
                json_object_foreach(object, name, value) {
                        rc = check_member(desk, scope, name, value, fault);
                        if (rc < 0)
                                break;
                }
        }
        json_decref(object);
        return rc;
}

static struct span copy_into(struct arena *arena, const char *text, size_t len)
{
        char *copy = arena_take(arena, len + 1);
        if (copy)
                memcpy(copy, text, len);
        return (struct span){copy, copy ? len : 0};
}

static json_t *load_object(struct span json)
{
        json_t *object = json.at ? json_loadb(json.at, json.len, 0, NULL) : NULL;
        if (json_is_object(object))
                return object;
        json_decref(object);
        return json_object();
}

int fields_put(struct desk *desk, enum attribute_scope scope, struct span json, struct span name, struct span value,
               struct arena *arena, struct span *out_json, struct fault *fault)
{
        const struct attribute *attribute = attribute_find(desk, scope, name);
        if (!attribute && value.at)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "name", "the name of an attribute that is defined");
        int rc = value.at ? attribute_check(attribute, value, "value", fault) : 0;
        if (rc < 0)
                return rc;
        char key[CUSTOMER_NAME_BYTES + 1] = {0};
        if (name.len > CUSTOMER_NAME_BYTES)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "name", "the name of an attribute that is defined");
        memcpy(key, name.at, name.len);
        json_t *object = load_object(json);
        if (value.at)
                json_object_set_new(object, key, json_stringn(value.at, value.len));
        else
                json_object_del(object, key);
        char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
        *out_json = (struct span){0};
        if (text && json_object_size(object) > 0)
                *out_json = copy_into(arena, text, strlen(text));
        rc = text && (out_json->at || json_object_size(object) == 0) ? 0 : -PROTOCOL_ERR_INTERNAL;
        free(text);
        json_decref(object);
        return rc;
}

struct span fields_get(struct span json, struct span name, struct arena *arena)
{
        json_t *object = load_object(json), *value;
        struct span found = {0};
        const char *key;
        json_object_foreach(object, key, value) {
                if (span_equal(span_of(key), name) && json_is_string(value))
                        found = copy_into(arena, json_string_value(value), json_string_length(value));
        }
        json_decref(object);
        return found;
}

/* ---- attribute.add, .remove, .list ---- */

bool attribute_name_is_fine(struct span name)
{
        for (size_t i = 0; i < name.len; i++) {
                char c = name.at[i];
                if (!((c >= 'a' && c <= 'z') || (i > 0 && (is_digit(c) || c == '_'))))
                        return false;
        }
        return name.len > 0 && name.len <= CUSTOMER_NAME_BYTES;
}

bool attribute_is_built_in(struct span name)
{
        for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
                if (span_equal(name, span_of(built_in[i])))
                        return true;
        return false;
}

static int check_added(struct desk *desk, const struct protocol_attribute_add *params, enum attribute_scope scope,
                       struct fault *fault)
{
        bool is_choice_kind = params->kind == PROTOCOL_ATTRIBUTE_ADD_KIND_CHOICE;
        if (!attribute_name_is_fine(params->name))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "name", "a-z, 0-9 and _, a letter first");
        if (is_choice_kind != params->has_choices)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "choices",
                                 is_choice_kind ? "what it may be" : "nothing: only a choice has them");
        for (size_t i = 0; params->has_choices && i < params->choices_count; i++)
                for (size_t other = 0; other < i; other++)
                        if (span_equal(params->choices[i], params->choices[other]))
                                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "choices", "none twice");
        if (attribute_find(desk, scope, params->name) ||
            (scope == ATTRIBUTE_CUSTOMER && attribute_is_built_in(params->name)))
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "one that is not there yet");
        size_t count = 0;
        for (size_t i = 0; i < desk->customers.attribute_count; i++)
                count += desk->customers.attributes[i].scope == scope;
        size_t most = scope == ATTRIBUTE_CUSTOMER ? CUSTOMER_ATTRIBUTES : TICKET_FIELDS;
        return count >= most ? -PROTOCOL_ERR_TOO_MANY : 0;
}

static void write_choices(struct writer *writer, const struct protocol_attribute_add *params)
{
        writer_char(writer, '[');
        for (size_t i = 0; i < params->choices_count; i++) {
                if (i > 0)
                        writer_char(writer, ',');
                writer_string(writer, params->choices[i]);
        }
        writer_char(writer, ']');
}

int handle_attribute_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_attribute_add *params = command->params;
        enum attribute_scope scope = (enum attribute_scope)params->scope;
        int rc = check_added(desk, params, scope, fault);
        if (rc < 0)
                return rc;
        struct writer choices;
        char first[CHOICES_BYTES];
        writer_init(&choices, first, sizeof first);
        if (params->has_choices)
                write_choices(&choices, params);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ATTRIBUTE_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, scope);
        db_bind_text(stmt, 3, params->name);
        db_bind_int(stmt, 4, params->kind);
        db_bind_text(stmt, 5, params->has_label ? params->label : (struct span){0});
        db_bind_text(stmt, 6, params->has_choices ? (struct span){choices.bytes, choices.len} : (struct span){0});
        db_bind_int(stmt, 7, desk->now_ms);
        rc = choices.failed ? DB_NOMEM : db_run(stmt);
        writer_done(&choices);
        desk->customers.are_attributes_stale = true;
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_attribute_add_result result = {0};
        protocol_attribute_add_result_write(out, &result);
        return admin_audit(desk, &command->caller, "attribute.add", "atr", 0, params->name);
}

int handle_attribute_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_attribute_remove *params = command->params;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ATTRIBUTE_DELETE);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, params->scope);
        db_bind_text(stmt, 3, params->name);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        desk->customers.are_attributes_stale = true;
        struct protocol_attribute_remove_result result = {0};
        protocol_attribute_remove_result_write(out, &result);
        return admin_audit(desk, &command->caller, "attribute.remove", "atr", 0, params->name);
}

struct span reading_copy(const struct reading *reading, struct span text)
{
        return text.at ? copy_into(&reading->command->arena, text.at, text.len) : text;
}

/* Stored choices into a row. */
static void read_choices(const struct reading *reading, struct span json, struct protocol_attribute_row *row)
{
        json_t *choices = json_loadb(json.at, json.len, 0, NULL), *choice;
        size_t i;
        row->choices = arena_take(&reading->command->arena, json_array_size(choices) * sizeof *row->choices);
        row->has_choices = row->choices != NULL;
        json_array_foreach(choices, i, choice) {
                struct span text = {json_string_value(choice), json_string_length(choice)};
                if (row->choices)
                        row->choices[row->choices_count++] = reading_copy(reading, text);
        }
        json_decref(choices);
}

int read_attribute_list(const struct reading *reading)
{
        const struct protocol_attribute_list *params = reading->command->params;
        struct protocol_attribute_list_result result = {0};
        enum { MOST = CUSTOMER_ATTRIBUTES + TICKET_FIELDS };
        result.attributes = arena_take(&reading->command->arena, MOST * sizeof *result.attributes);
        if (!result.attributes)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_ATTRIBUTES_ALL);
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        int rc = DB_OK;
        while (result.attributes_count < MOST && (rc = db_step(stmt)) == DB_ROW) {
                if (params->has_scope && db_int(stmt, 0) != (int64_t)params->scope)
                        continue;
                struct protocol_attribute_row *row = &result.attributes[result.attributes_count++];
                row->scope = (enum protocol_attribute_row_scope)db_int(stmt, 0);
                row->name = reading_copy(reading, db_text(stmt, 1));
                row->kind = (enum protocol_attribute_row_kind)db_int(stmt, 2);
                row->label = reading_copy(reading, db_text(stmt, 3));
                row->has_label = row->label.at != NULL;
                if (!db_is_null(stmt, 4))
                        read_choices(reading, db_text(stmt, 4), row);
        }
        db_reset(stmt);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_attribute_list_result_write(reading->out, &result);
        return 0;
}
