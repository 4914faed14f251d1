/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define HOURS_HANDLERS(X)                                                                                              \
        X(SCHEDULE_ADD, schedule_add)                                                                                  \
        X(SCHEDULE_SET, schedule_set)                                                                                  \
        X(SCHEDULE_LIST, schedule_list)                                                                                \
        X(SCHEDULE_SHOW, schedule_show)                                                                                \
        X(SCHEDULE_REMOVE, schedule_remove)                                                                            \
        X(SCHEDULE_TEST, schedule_test)                                                                                \
        X(SLA_ADD, sla_add)                                                                                            \
        X(SLA_SET, sla_set)                                                                                            \
        X(SLA_LIST, sla_list)                                                                                          \
        X(SLA_ORDER, sla_order)                                                                                        \
        X(SLA_REMOVE, sla_remove)                                                                                      \
        X(SLA_EXPLAIN, sla_explain)
#define HOURS_READERS(X)
