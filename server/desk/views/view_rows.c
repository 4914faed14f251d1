/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket as a row of a list, and its place as text: its key in decimal, a dot, its id. */
#include <stdio.h>

#include "desk/tickets/ticket_private.h"
#include "desk/views/views_private.h"

void view_place_write(char out[VIEW_PLACE + 1], struct order_item item)
{
        char id[ID_TEXT_BYTES];
        id_write(id, "tkt", (uint64_t)item.id);
        snprintf(out, VIEW_PLACE + 1, "%lld.%.*s", (long long)item.key, ID_TEXT_BYTES, id);
}

int view_place_read(struct span text, struct order_item *out_item)
{
        const char *dot = text.len <= VIEW_PLACE ? memchr(text.at, '.', text.len) : NULL;
        uint64_t ext;
        if (!dot || dot == text.at)
                return -1;
        bool is_negative = text.at[0] == '-';
        uint64_t key = 0;
        for (const char *at = text.at + is_negative; at < dot; at++) {
                if (*at < '0' || *at > '9' || key > ((uint64_t)INT64_MAX - (uint64_t)(*at - '0')) / 10)
                        return -1;
                key = key * 10 + (uint64_t)(*at - '0');
        }
        if (id_read((struct span){dot + 1, text.len - (size_t)(dot + 1 - text.at)}, "tkt", &ext) < 0)
                return -1;
        *out_item = (struct order_item){is_negative ? -(int64_t)key : (int64_t)key, (int64_t)ext};
        return 0;
}

size_t view_brief_bytes(const struct protocol_ticket_brief *ticket, struct span customer_name)
{
        enum { FIXED = 640 };
        return FIXED +
               2 * (ticket->subject.len + ticket->team_name.len + ticket->assignee_name.len + customer_name.len);
}

void view_row_fill(struct desk *desk, const struct ticket *ticket, struct order_item item, char place[VIEW_PLACE + 1],
                   struct protocol_view_ticket *out_row)
{
        const struct principal *customer = directory_find(desk->directory, ticket->customer);
        view_place_write(place, item);
        *out_row = (struct protocol_view_ticket){.conv = ticket->conv_ext,
                                                 .at = span_of(place),
                                                 .issued = ticket->issued_ms,
                                                 .activity = ticket->last_ms,
                                                 .has_waiting_since = ticket->customer_ms > 0,
                                                 .waiting_since = ticket->customer_ms};
        ticket_brief_fill(desk, ticket, &out_row->ticket);
        if (!customer)
                return;
        out_row->customer = (struct principal_id){customer->role, customer->ext};
        out_row->has_customer_name = customer->name != NULL;
        if (customer->name)
                out_row->customer_name = span_of(customer->name);
}
