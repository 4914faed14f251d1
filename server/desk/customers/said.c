/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a customer by his app's token or back end, his client, or the team. Name, address and language stand
 * at his principal, everything else as rows of who said so; a row of those three marks one that the app does not vouch
 * for. */
#include "desk/customers/profile.h"

#include <jansson.h>
#include <stdio.h>

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"

enum { LINE_BYTES = PROTOCOL_LABEL_POINTS * 4, EMAIL_BYTES = 254, LOCALE_BYTES = 35 };

static const char EXPECTED_FREE[] = "one that the app does not vouch for";

/* ---- checking ---- */

static size_t points_of(struct span text)
{
        size_t points = 0;
        for (size_t i = 0; i < text.len; i++)
                points += ((uint8_t)text.at[i] & 0xc0) != 0x80;
        return points;
}

static bool is_line(struct span value, size_t most)
{
        for (size_t i = 0; i < value.len; i++)
                if ((uint8_t)value.at[i] < 0x20 || value.at[i] == 0x7f)
                        return false;
        return value.len > 0 && value.len <= most;
}

static int check_value(struct desk *desk, const struct protocol_attribute_said *one, const char *path,
                       struct fault *fault)
{
        char field[48];
        snprintf(field, sizeof field, "%s.value", path);
        bool is_mail = span_equal(one->name, SPAN("email")), is_locale = span_equal(one->name, SPAN("locale"));
        if (attribute_is_built_in(one->name)) {
                size_t most = is_mail ? EMAIL_BYTES : is_locale ? LOCALE_BYTES : LINE_BYTES;
                bool fits = !one->has_value ||
                            (is_line(one->value, most) && points_of(one->value) <= PROTOCOL_LABEL_POINTS) ||
                            (is_mail && is_line(one->value, most));
                return fits ? 0 : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "one line that is not too long");
        }
        const struct attribute *attribute = attribute_find(desk, ATTRIBUTE_CUSTOMER, one->name);
        if (!attribute && one->has_value) {
                snprintf(field, sizeof field, "%s.name", path);
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "the name of an attribute that is defined");
        }
        return one->has_value ? attribute_check(attribute, one->value, field, fault) : 0;
}

/* What a principal has a place for, as it stands there; NULL for everything else. */
static const char *place_of(const struct principal_row *row, struct span name)
{
        return span_equal(name, SPAN("name"))     ? row->name
               : span_equal(name, SPAN("email"))  ? row->email
               : span_equal(name, SPAN("locale")) ? row->locale
                                                  : NULL;
}

/* Whoever vouches wins, then the team, then the client. */
static int check_origin(struct desk *desk, const struct principal_row *row, const struct sayer *sayer, struct span name,
                        const char *path, struct fault *fault)
{
        if (origin_is_verified(sayer->origin))
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTE_GET);
        db_bind_int(stmt, 1, row->id);
        db_bind_text(stmt, 2, name);
        int rc = db_step(stmt);
        int64_t origin = rc == DB_ROW ? db_int(stmt, 1) : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        const char *place = place_of(row, name);
        if (origin == 0 && place && place[0] && row->external_id[0])
                origin = ORIGIN_TOKEN;
        bool is_taken = origin_is_verified(origin) || (sayer->origin == ORIGIN_CLIENT && origin > ORIGIN_CLIENT);
        return is_taken ? fault_set(fault, PROTOCOL_ERR_CONFLICT, path, EXPECTED_FREE) : 0;
}

static int check_one(struct desk *desk, const struct principal_row *row, const struct sayer *sayer,
                     const struct said *said, size_t which, struct fault *fault)
{
        char path[40], field[48];
        snprintf(path, sizeof path, "attributes[%zu]", which);
        snprintf(field, sizeof field, "%s.name", path);
        struct span name = said->at[which].name;
        if (!attribute_name_is_fine(name) || span_equal(name, SPAN("tier")))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "the name of an attribute");
        for (size_t other = 0; other < which; other++)
                if (span_equal(said->at[other].name, name))
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "none twice");
        int rc = check_value(desk, &said->at[which], path, fault);
        return rc < 0 ? rc : check_origin(desk, row, sayer, name, field, fault);
}

static int check_tier(struct desk *desk, const struct principal_row *row, const struct sayer *sayer, struct span tier,
                      struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, row->id);
        int rc = db_step(stmt);
        int64_t origin = rc == DB_ROW ? db_int(stmt, 1) : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (!origin_is_verified(sayer->origin) && origin_is_verified(origin))
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "tier", EXPECTED_FREE);
        if (tier.len == 0)
                return 0;
        stmt = db_stmt(desk->db, SQL_TIER_FIND);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, tier);
        rc = db_step(stmt);
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW ? 0 : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "tier", "one of the workspace's tiers");
}

static int check_room(struct desk *desk, int64_t customer, size_t more)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTE_COUNT);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        int64_t count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return count + (int64_t)more > CUSTOMER_KNOWN ? -PROTOCOL_ERR_TOO_MANY : 0;
}

int said_check(struct desk *desk, const struct principal_row *row, const struct sayer *sayer, const struct said *said,
               struct fault *fault)
{
        for (size_t i = 0; i < said->count; i++) {
                int rc = check_one(desk, row, sayer, said, i, fault);
                if (rc < 0)
                        return rc;
        }
        int rc = said->has_tier ? check_tier(desk, row, sayer, said->tier, fault) : 0;
        return rc < 0 || said->count == 0 ? rc : check_room(desk, row->id, said->count);
}

/* ---- writing ---- */

static int put_row(struct desk *desk, int64_t customer, const struct sayer *sayer, struct span name, struct span value)
{
        struct db_stmt *stmt = db_stmt(desk->db, value.at ? SQL_CUSTOMER_ATTRIBUTE_PUT : SQL_CUSTOMER_ATTRIBUTE_DELETE);
        db_bind_int(stmt, 1, customer);
        db_bind_text(stmt, 2, name);
        if (value.at) {
                db_bind_text(stmt, 3, value);
                db_bind_int(stmt, 4, sayer->origin);
                db_bind_int(stmt, 5, sayer->author);
                db_bind_int(stmt, 6, desk->now_ms);
        }
        return db_run(stmt);
}

static void set_place(char *to, size_t room, struct span value)
{
        size_t len = value.len < room ? value.len : room - 1;
        if (len > 0)
                memcpy(to, value.at, len);
        to[len] = 0;
}

/* True when the principal has a place for it. */
static bool take_place(struct principal_row *row, struct span name, struct span value)
{
        if (span_equal(name, SPAN("name")))
                set_place(row->name, sizeof row->name, value);
        else if (span_equal(name, SPAN("email")))
                set_place(row->email, sizeof row->email, value);
        else if (span_equal(name, SPAN("locale")))
                set_place(row->locale, sizeof row->locale, value);
        else
                return false;
        return true;
}

static int write_tier(struct desk *desk, int64_t customer, const struct sayer *sayer, struct span tier)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_MAKE);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, desk->workspace);
        int rc = db_run(stmt);
        if (rc < 0)
                return rc;
        stmt = db_stmt(desk->db, SQL_PROFILE_TIER);
        db_bind_int(stmt, 1, customer);
        db_bind_text(stmt, 2, tier.len > 0 ? tier : (struct span){0});
        db_bind_int(stmt, 3, tier.len > 0 ? sayer->origin : 0);
        return db_run(stmt);
}

/* The directory of every thread shows a new name. */
static int write_places(struct desk *desk, const struct principal_row *row)
{
        int rc = principals_describe(desk->db, row);
        if (rc < 0)
                return rc;
        desk->names_changed = true;
        return directory_put(desk->directory, row) ? DB_OK : DB_NOMEM;
}

int said_write(struct desk *desk, struct principal_row *row, const struct sayer *sayer, const struct said *said)
{
        bool has_places = false;
        int rc = DB_OK;
        for (size_t i = 0; rc >= 0 && i < said->count; i++) {
                struct span value = said->at[i].has_value ? said->at[i].value : (struct span){0};
                bool is_place = take_place(row, said->at[i].name, value);
                has_places = has_places || is_place;
                rc = put_row(desk, row->id, sayer, said->at[i].name, value);
        }
        if (rc >= 0 && said->has_tier)
                rc = write_tier(desk, row->id, sayer, said->tier);
        if (rc >= 0 && has_places)
                rc = write_places(desk, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = said->count > 0 ? customers_index(desk, row->id) : 0;
        if (rc == 0)
                customers_changed(desk, row->id);
        return rc;
}

/* ---- what a user token says ---- */

static int drop_guesses(struct desk *desk, const struct opening *opening, int64_t customer)
{
        const char *const names[] = {opening->name[0] ? "name" : NULL, opening->email[0] ? "email" : NULL};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                int rc = names[i] ? put_row(desk, customer, NULL, span_of(names[i]), (struct span){0}) : DB_OK;
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

static int put_claim(struct desk *desk, int64_t customer, const char *name, const json_t *value)
{
        const struct sayer token = {.origin = ORIGIN_TOKEN};
        char number[40] = "";
        struct span text = {json_string_value(value), json_string_length(value)}, key = span_of(name);
        if (json_is_integer(value))
                snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value))
                snprintf(number, sizeof number, "%.15g", json_real_value(value));
        else if (json_is_boolean(value))
                snprintf(number, sizeof number, "%s", json_is_true(value) ? "true" : "false");
        if (number[0])
                text = span_of(number);
        const struct attribute *attribute = attribute_find(desk, ATTRIBUTE_CUSTOMER, key);
        bool is_place = span_equal(key, SPAN("name")) || span_equal(key, SPAN("email")) ||
                        span_equal(key, SPAN("locale")) || span_equal(key, SPAN("tier"));
        bool is_fine = attribute_name_is_fine(key) && !is_place && text.at && text.len > 0 && points_of(text) <= 1000 &&
                       (!attribute || attribute_check(attribute, text, name, NULL) == 0);
        return is_fine ? put_row(desk, customer, &token, key, text) : DB_OK;
}

/* All that an earlier token said goes; a claim that does not fit its definition is passed over. */
static int put_claims(struct desk *desk, int64_t customer, struct span attrs)
{
        enum { CLAIMS_MAX = 40 };
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTES_OF_ORIGIN);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, ORIGIN_TOKEN);
        int rc = db_run(stmt), count = 0;
        json_t *claims = json_loadb(attrs.at, attrs.len, 0, NULL), *value;
        const char *name;
        json_object_foreach(claims, name, value) {
                if (rc < 0 || count++ == CLAIMS_MAX)
                        break;
                rc = put_claim(desk, customer, name, value);
        }
        json_decref(claims);
        if (rc < 0)
                return rc;
        stmt = db_stmt(desk->db, SQL_CUSTOMER_TOKEN_ATTRS_PUT);
        db_bind_int(stmt, 1, customer);
        db_bind_text(stmt, 2, attrs);
        return db_run(stmt);
}

/* 1: it says the same as the token before; 0: it does not. */
static int knows_claims(struct desk *desk, int64_t customer, struct span attrs)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_TOKEN_ATTRS);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        bool is_same = rc == DB_ROW && span_equal(db_text(stmt, 0), attrs);
        db_reset(stmt);
        return rc < 0 ? rc : is_same;
}

static int knows_tier(struct desk *desk, int64_t customer, struct span tier)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        bool is_same = rc == DB_ROW && span_equal(db_text(stmt, 0), tier) && db_int(stmt, 1) == ORIGIN_TOKEN;
        db_reset(stmt);
        return rc < 0 ? rc : is_same;
}

int customers_described(struct desk *desk, const struct opening *opening, const struct principal_row *row)
{
        if (opening->how != OPENING_USER)
                return 0;
        const struct sayer token = {.origin = ORIGIN_TOKEN};
        struct span attrs = span_of(opening->attrs), tier = span_of(opening->tier);
        bool is_changed = false;
        int rc = drop_guesses(desk, opening, row->id);
        if (rc >= 0 && attrs.len > 0 && (rc = knows_claims(desk, row->id, attrs)) == 0) {
                rc = put_claims(desk, row->id, attrs);
                is_changed = true;
        }
        if (rc >= 0 && tier.len > 0 && (rc = knows_tier(desk, row->id, tier)) == 0) {
                rc = write_tier(desk, row->id, &token, tier);
                is_changed = true;
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (!is_changed)
                return 0;
        rc = attrs.len > 0 ? customers_index(desk, row->id) : 0;
        customers_changed(desk, row->id);
        return rc;
}
