/* SPDX-License-Identifier: Apache-2.0 */
/* What a status is called: for agents and for customers, in each language, as the workspace has named it or as
 * life.json does. */
#include "desk/tickets/ticket_private.h"

#include <stdio.h>

#include "desk/people/people.h"

enum { LABELS_MAX = TICKET_STATUSES * TICKET_LANGUAGES, LABEL_BYTES = 60 * 4 + 1 };

size_t ticket_language_of(const char *lang)
{
        for (size_t i = 0; i < TICKET_LANGUAGES; i++)
                if (lang && strncmp(lang, ticket_languages[i], 2) == 0 && (!lang[2] || lang[2] == '-'))
                        return i;
        return 0;
}

struct span ticket_customer_label(struct desk *desk, enum ticket_status status, const char *lang)
{
        static char room[LABEL_BYTES]; /* desk thread only */
        size_t language = ticket_language_of(lang);
        struct span found = span_of(ticket_customer_texts[ticket_customer_labels[status]][language]);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_LABEL_FIND);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, status);
        db_bind_text(stmt, 3, span_of(ticket_languages[language]));
        int rc = db_step(stmt);
        if (rc < 0)
                desk_db_failed(desk, rc);
        struct span own = rc == DB_ROW ? db_text(stmt, 1) : (struct span){0};
        if (own.at && own.len > 0 && own.len < sizeof room) {
                memcpy(room, own.at, own.len);
                found = (struct span){room, own.len};
        }
        db_reset(stmt);
        return found;
}

static struct span keep(struct desk_command *command, struct span text)
{
        char *copy = text.len > 0 ? arena_take(&command->arena, text.len) : NULL;
        if (copy)
                memcpy(copy, text.at, text.len);
        return (struct span){copy, copy ? text.len : 0};
}

/* One of the workspace takes the place of the built-in one. */
static void put_own(struct desk_command *command, struct db_stmt *stmt, struct protocol_ticket_labels_result *result)
{
        enum protocol_ticket_label_status status = (enum protocol_ticket_label_status)db_int(stmt, 0);
        struct span lang = db_text(stmt, 1);
        for (size_t i = 0; i < result->labels_count; i++) {
                struct protocol_ticket_label *label = &result->labels[i];
                if (label->status != status || !span_equal(label->lang, lang))
                        continue;
                if (!db_is_null(stmt, 2))
                        label->label = keep(command, db_text(stmt, 2));
                if (!db_is_null(stmt, 3))
                        label->customer = keep(command, db_text(stmt, 3));
        }
}

int handle_ticket_labels(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        struct protocol_ticket_labels_result result = {0};
        result.labels = arena_take(&command->arena, LABELS_MAX * sizeof *result.labels);
        if (!result.labels)
                return -PROTOCOL_ERR_INTERNAL;
        for (int status = TICKET_NEW; status < TICKET_STATUSES; status++)
                for (size_t i = 0; i < TICKET_LANGUAGES; i++)
                        result.labels[result.labels_count++] = (struct protocol_ticket_label){
                                .status = (enum protocol_ticket_label_status)status,
                                .lang = span_of(ticket_languages[i]),
                                .label = span_of(ticket_labels[status][i]),
                                .customer = span_of(ticket_customer_texts[ticket_customer_labels[status]][i])};
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_LABELS_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW)
                put_own(command, stmt, &result);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_ticket_labels_result_write(out, &result);
        return 0;
}

int handle_ticket_label_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_label_set *params = command->params;
        if (!params->has_label && !params->has_customer)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "label", "label or customer, or both");
        bool is_known = false;
        for (size_t i = 0; i < TICKET_LANGUAGES; i++)
                is_known |= span_equal(params->lang, span_of(ticket_languages[i]));
        if (!is_known)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "lang", "en, ko, zh or ja");
        char old_label[LABEL_BYTES] = "", old_customer[LABEL_BYTES] = "";
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_LABEL_FIND);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)params->status);
        db_bind_text(stmt, 3, params->lang);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_ROW) {
                struct span text = db_text(stmt, 0);
                snprintf(old_label, sizeof old_label, "%.*s", (int)text.len, text.at ? text.at : "");
                text = db_text(stmt, 1);
                snprintf(old_customer, sizeof old_customer, "%.*s", (int)text.len, text.at ? text.at : "");
        }
        db_reset(stmt);
        struct span label = params->has_label ? params->label : span_of(old_label);
        struct span customer = params->has_customer ? params->customer : span_of(old_customer);
        stmt = db_stmt(desk->db, SQL_TICKET_LABEL_PUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)params->status);
        db_bind_text(stmt, 3, params->lang);
        db_bind_text(stmt, 4, label.len > 0 ? label : (struct span){0});
        db_bind_text(stmt, 5, customer.len > 0 ? customer : (struct span){0});
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_ticket_label_set_result result = {0};
        protocol_ticket_label_set_result_write(out, &result);
        return admin_audit(desk, &command->caller, "ticket.label_set", "", 0,
                           span_of(ticket_status_names[params->status]));
}
