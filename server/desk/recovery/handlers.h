/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define RECOVERY_HANDLERS(X)                                                                                           \
        X(RECOVERY_OPEN, recovery_open)                                                                                \
        X(RECOVERY_ASSIGN, recovery_assign)                                                                            \
        X(RECOVERY_CONTACT, recovery_contact)                                                                          \
        X(RECOVERY_ACTION_ADD, recovery_action_add)                                                                    \
        X(RECOVERY_ACTION_DONE, recovery_action_done)                                                                  \
        X(RECOVERY_CAUSE, recovery_cause)                                                                              \
        X(RECOVERY_COMPENSATE, recovery_compensate)                                                                    \
        X(RECOVERY_RESOLVE, recovery_resolve)                                                                          \
        X(RECOVERY_REOPEN, recovery_reopen)                                                                            \
        X(RECOVERY_CAUSE_ADD, recovery_cause_add)                                                                      \
        X(RECOVERY_CAUSE_REMOVE, recovery_cause_remove)                                                                \
        X(RECOVERY_CAUSE_LIST, recovery_cause_list)                                                                    \
        X(RECOVERY_SETTINGS, recovery_settings)                                                                        \
        X(RECOVERY_SETTINGS_SET, recovery_settings_set)

#define RECOVERY_READERS(X)                                                                                            \
        X(RECOVERY_LIST, recovery_list)                                                                                \
        X(RECOVERY_GET, recovery_get)                                                                                  \
        X(RECOVERY_REPORT, recovery_report)
