/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define RULES_HANDLERS(X)                                                                                              \
        X(RULE_ADD, rule_add)                                                                                          \
        X(RULE_SET, rule_set)                                                                                          \
        X(RULE_ORDER, rule_order)                                                                                      \
        X(RULE_REMOVE, rule_remove)                                                                                    \
        X(RULE_LIST, rule_list)                                                                                        \
        X(RULE_TEST, rule_test)
#define RULES_READERS(X)
