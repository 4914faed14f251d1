/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of this folder: X(METHOD, name) for handle_<name>, run by the desk, and for read_<name>, by a reader. */
#pragma once

/* What is asked: definitions and their versions. */
#define SURVEYS_HANDLERS(X)                                                                                            \
        X(SURVEY_ADD, survey_add)                                                                                      \
        X(SURVEY_SET, survey_set)                                                                                      \
        X(SURVEY_REMOVE, survey_remove)                                                                                \
        X(SURVEY_LIST, survey_list)                                                                                    \
        X(SURVEY_GET, survey_get)                                                                                      \
        X(SURVEY_PREVIEW, survey_preview)                                                                              \
        X(SURVEY_LINK, survey_link)                                                                                    \
        X(SURVEY_PAGE, survey_page)                                                                                    \
        X(SURVEY_REPLY, survey_reply)

#define SURVEYS_READERS(X)

/* The asking: offers and answers. */
#define OFFERS_HANDLERS(X)                                                                                             \
        X(SURVEY_OFFER, survey_offer)                                                                                  \
        X(SURVEY_WITHDRAW, survey_withdraw)

#define OFFERS_READERS(X)                                                                                              \
        X(SURVEY_OFFERS, survey_offers)                                                                                \
        X(SURVEY_ANSWERS, survey_answers)
