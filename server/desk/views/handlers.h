/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define VIEWS_HANDLERS(X)                                                                                              \
        X(VIEW_ADD, view_add)                                                                                          \
        X(VIEW_SET, view_set)                                                                                          \
        X(VIEW_REMOVE, view_remove)                                                                                    \
        X(VIEW_LIST, view_list)                                                                                        \
        X(VIEW_OPEN, view_open)                                                                                        \
        X(VIEW_CLOSE, view_close)                                                                                      \
        X(TICKET_LIST, ticket_list)
#define VIEWS_READERS(X) X(TICKET_CLOSED, ticket_closed)
