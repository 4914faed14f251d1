/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define CUSTOMERS_HANDLERS(X)                                                                                          \
        X(ATTRIBUTE_ADD, attribute_add)                                                                                \
        X(ATTRIBUTE_REMOVE, attribute_remove)                                                                          \
        X(TIER_SET, tier_set)                                                                                          \
        X(CUSTOMER_SET, customer_set)                                                                                  \
        X(CUSTOMER_DESCRIBE, customer_describe)                                                                        \
        X(CUSTOMER_SCREEN, customer_screen)                                                                            \
        X(CUSTOMER_EVENT, customer_event)                                                                              \
        X(CUSTOMER_NOTE, customer_note)                                                                                \
        X(CUSTOMER_BLOCK, customer_block)                                                                              \
        X(CUSTOMER_UNBLOCK, customer_unblock)                                                                          \
        X(CUSTOMER_MERGE, customer_merge)

#define CUSTOMERS_READERS(X)                                                                                           \
        X(ATTRIBUTE_LIST, attribute_list)                                                                              \
        X(TIER_LIST, tier_list)                                                                                        \
        X(CUSTOMER_GET, customer_get)                                                                                  \
        X(CUSTOMER_LIST, customer_list)                                                                                \
        X(TIMELINE_READ, timeline_read)
