/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define WORK_HANDLERS(X)                                                                                               \
        X(CANNED_ADD, canned_add)                                                                                      \
        X(CANNED_SET, canned_set)                                                                                      \
        X(CANNED_REMOVE, canned_remove)                                                                                \
        X(CANNED_RENDER, canned_render)                                                                                \
        X(CANNED_USED, canned_used)                                                                                    \
        X(MACRO_ADD, macro_add)                                                                                        \
        X(MACRO_SET, macro_set)                                                                                        \
        X(MACRO_REMOVE, macro_remove)                                                                                  \
        X(MACRO_RUN, macro_run)                                                                                        \
        X(TICKET_BULK, ticket_bulk)                                                                                    \
        X(DRAFT_SET, draft_set)                                                                                        \
        X(DRAFT_GET, draft_get)                                                                                        \
        X(VIEWING, viewing)                                                                                            \
        X(CONVERSATION_INVITE, conversation_invite)                                                                    \
        X(MENTION_SEEN, mention_seen)

#define WORK_READERS(X)                                                                                                \
        X(CANNED_LIST, canned_list)                                                                                    \
        X(CANNED_GET, canned_get)                                                                                      \
        X(MACRO_LIST, macro_list)                                                                                      \
        X(MENTION_LIST, mention_list)
