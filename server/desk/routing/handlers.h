/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define ROUTING_HANDLERS(X)                                                                                            \
        X(OFFER_ACCEPT, offer_accept)                                                                                  \
        X(OFFER_DECLINE, offer_decline)                                                                                \
        X(OFFER_LIST, offer_list)                                                                                      \
        X(QUEUE_LIST, queue_list)                                                                                      \
        X(ROUTING_GET, routing_get)                                                                                    \
        X(ROUTING_SET, routing_set)
#define ROUTING_READERS(X)
