/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define TICKETS_HANDLERS(X)                                                                                            \
        X(TICKET_GET, ticket_get)                                                                                      \
        X(TICKET_SET, ticket_set)                                                                                      \
        X(TICKET_ASSIGN, ticket_assign)                                                                                \
        X(TICKET_MOVE, ticket_move)                                                                                    \
        X(TICKET_MERGE, ticket_merge)                                                                                  \
        X(TICKET_SPLIT, ticket_split)                                                                                  \
        X(TICKET_LABELS, ticket_labels)                                                                                \
        X(TICKET_LABEL_SET, ticket_label_set)                                                                          \
        X(TICKET_SETTINGS, ticket_settings)                                                                            \
        X(TICKET_SETTINGS_SET, ticket_settings_set)
#define TICKETS_READERS(X)
