/* SPDX-License-Identifier: Apache-2.0 */
/* What was filled into a form, as the application hands it over: bounded here, once. Any thread, no lock. */
#include "client_private.h"

enum { ID_BYTES = 64 };

bool client_is_id(const char *id)
{
        size_t points;

        return id && client_is_line(id, ID_BYTES) && client_is_utf8(id, &points);
}

static int check_value(const struct deskbell_form_value *value)
{
        size_t points;

        if (!client_is_id(value->id) || !value->value)
                return DESKBELL_E_INVALID;
        if (!*value->value)
                return 0;
        int rc = client_check_text(value->value);
        if (rc == 0 && client_is_utf8(value->value, &points) && points > PROTOCOL_FALLBACK_POINTS)
                rc = DESKBELL_E_TOO_LONG;
        return rc;
}

int client_check_filled(const struct deskbell_send_options *options)
{
        bool has_values =
                options->filled && options->filled_count >= 1 && options->filled_count <= PROTOCOL_FORM_FIELDS;

        if (options->filled_seq == 0)
                return options->filled || options->filled_count ? DESKBELL_E_INVALID : 0;
        if (options->filled_seq < 0 || options->filled_seq > PROTOCOL_SAFE_INTEGER || options->pressed_seq ||
            options->log != DESKBELL_PUBLIC || !has_values)
                return DESKBELL_E_INVALID;
        for (size_t i = 0; i < options->filled_count; i++) {
                int rc = check_value(&options->filled[i]);
                if (rc < 0)
                        return rc;
        }
        return 0;
}
