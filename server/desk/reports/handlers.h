/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

#define REPORTS_HANDLERS(X)                                                                                            \
        X(REPORT_TARGET_SET, report_target_set)                                                                        \
        X(REPORT_REBUILD, report_rebuild)

#define REPORTS_READERS(X)                                                                                             \
        X(REPORT_METRICS, report_metrics)                                                                              \
        X(REPORT_QUERY, report_query)                                                                                  \
        X(REPORT_OVERVIEW, report_overview)                                                                            \
        X(REPORT_LIST, report_list)                                                                                    \
        X(REPORT_WORDS, report_words)                                                                                  \
        X(REPORT_TARGET_LIST, report_target_list)                                                                      \
        X(REPORT_EXPORT, report_export)                                                                                \
        X(REPORT_CHECK, report_check)
