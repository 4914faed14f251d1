/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of a user token: what security.md allows, each with its bounds. A claim that we do not know is ignored; one
 * that we know and that is out of its bounds refuses the token. */
#include "jwt_private.h"

#include <stdlib.h>

#include "protocol_generated.h"
#include "utf8.h"

enum { SKEW_S = 60, LIFE_S = 24 * 3600, ATTRS_BYTES = 4096 };

/* A whole number from 1 up; floats, texts and negative ones are refused. */
static bool get_time(const json_t *claims, const char *name, int64_t *out)
{
        const json_t *value = json_object_get(claims, name);
        int64_t number = json_integer_value(value);

        if (!json_is_integer(value) || number < 1 || number > PROTOCOL_SAFE_INTEGER)
                return false;
        *out = number;
        return true;
}

static bool has_control(const char *text)
{
        for (; *text; text++) {
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        return true;
        }
        return false;
}

/* One line of at most `most` bytes into out, which has room for them. Absent: "" when it may be. */
static bool get_line(const json_t *claims, const char *name, bool optional, size_t most, char *out)
{
        const json_t *value = json_object_get(claims, name);
        size_t len = json_string_length(value);

        out[0] = '\0';
        if (!value)
                return optional;
        if (!json_is_string(value) || len > most || (!optional && len == 0) || has_control(json_string_value(value)))
                return false;
        memcpy(out, json_string_value(value), len + 1);
        return true;
}

static bool says(const json_t *claims, const char *name, struct span wanted)
{
        const json_t *value = json_object_get(claims, name);

        return json_is_string(value) &&
               span_equal((struct span){json_string_value(value), json_string_length(value)}, wanted);
}

static bool is_flat(json_t *attrs)
{
        const char *name;
        json_t *value;

        if (!json_is_object(attrs))
                return false;
        json_object_foreach(attrs, name, value) {
                if (json_is_object(value) || json_is_array(value))
                        return false;
        }
        return true;
}

/* `*out` is NULL when absent. */
static bool get_attrs(const json_t *claims, char **out)
{
        json_t *attrs = json_object_get(claims, "attrs");

        *out = NULL;
        if (!attrs)
                return true;
        if (!is_flat(attrs))
                return false;
        *out = json_dumps(attrs, JSON_COMPACT);
        if (*out && strlen(*out) <= ATTRS_BYTES)
                return true;
        free(*out);
        *out = NULL;
        return false;
}

static enum jwt_verdict judge_times(const json_t *claims, int64_t now_s, struct jwt_claims *out)
{
        int64_t not_before = 0;

        if (!get_time(claims, "exp", &out->expires_s) || !get_time(claims, "iat", &out->issued_s))
                return JWT_INVALID;
        if (json_object_get(claims, "nbf") && !get_time(claims, "nbf", &not_before))
                return JWT_INVALID;
        if (out->issued_s > now_s + SKEW_S || not_before > now_s + SKEW_S)
                return JWT_INVALID;
        if (out->expires_s <= out->issued_s || out->expires_s - out->issued_s > LIFE_S)
                return JWT_INVALID;
        return out->expires_s + SKEW_S <= now_s ? JWT_EXPIRED : JWT_OK;
}

static bool get_person(const json_t *claims, struct jwt_claims *out)
{
        if (!get_line(claims, "sub", false, sizeof(out->subject) - 1, out->subject) ||
            !get_line(claims, "name", true, sizeof(out->name) - 1, out->name) ||
            !get_line(claims, "email", true, sizeof(out->email) - 1, out->email) ||
            !get_line(claims, "locale", true, sizeof(out->locale) - 1, out->locale) ||
            !get_line(claims, "tier", true, sizeof(out->tier) - 1, out->tier))
                return false;
        return utf8_count(out->name, strlen(out->name)) <= PROTOCOL_LABEL_POINTS;
}

enum jwt_verdict jwt_claims_read(const json_t *claims, struct span audience, int64_t now_s,
                                 struct jwt_claims *out_claims)
{
        struct jwt_claims read = {0};
        enum jwt_verdict verdict;

        if (!says(claims, "aud", audience) || !says(claims, "use", SPAN("chat")) || !get_person(claims, &read))
                return JWT_INVALID;
        verdict = judge_times(claims, now_s, &read);
        if (verdict != JWT_OK)
                return verdict;
        if (!get_attrs(claims, &read.attrs))
                return JWT_INVALID;
        *out_claims = read;
        return JWT_OK;
}
