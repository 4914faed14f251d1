/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define PEOPLE_HANDLERS(X)                                                                                             \
        X(TEAM_ADD, team_add)                                                                                          \
        X(TEAM_SET, team_set)                                                                                          \
        X(TEAM_REMOVE, team_remove)                                                                                    \
        X(TEAM_LIST, team_list)                                                                                        \
        X(TEAM_MEMBERS, team_members)                                                                                  \
        X(TEAM_MEMBER_ADD, team_member_add)                                                                            \
        X(TEAM_MEMBER_REMOVE, team_member_remove)                                                                      \
        X(ROLE_ADD, role_add)                                                                                          \
        X(ROLE_SET, role_set)                                                                                          \
        X(ROLE_REMOVE, role_remove)                                                                                    \
        X(ROLE_LIST, role_list)                                                                                        \
        X(AGENT_SET, agent_set)                                                                                        \
        X(STATUS_SET, status_set)                                                                                      \
        X(STATUS_LIST, status_list)                                                                                    \
        X(AWAY_SET, away_set)                                                                                          \
        X(AWAY_REMOVE, away_remove)                                                                                    \
        X(AWAY_LIST, away_list)
#define PEOPLE_READERS(X)                                                                                              \
        X(STATUS_HISTORY, status_history)                                                                              \
        X(AUDIT_LIST, audit_list)                                                                                      \
        X(FEED_READ, feed_read)                                                                                        \
        X(CONVERSATION_LIST, conversation_list)
