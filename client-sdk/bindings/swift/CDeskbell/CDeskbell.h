/* SPDX-License-Identifier: Apache-2.0 */
/* What the module CDeskbell shows: deskbell.h, and its initialisers as functions, since Swift sees no macro that is a
 * braced list. deskbell.h is the manual. */
#ifndef CDESKBELL_H
#define CDESKBELL_H

#include <deskbell/deskbell.h>

#define CDESKBELL_INITIALISER(name, value)                                                                             \
        static inline struct deskbell_##name deskbell_##name##_init(void)                                              \
        {                                                                                                              \
                struct deskbell_##name fresh = value;                                                                  \
                return fresh;                                                                                          \
        }

CDESKBELL_INITIALISER(options, DESKBELL_OPTIONS_INIT)
CDESKBELL_INITIALISER(send_options, DESKBELL_SEND_OPTIONS_INIT)
CDESKBELL_INITIALISER(file_options, DESKBELL_FILE_OPTIONS_INIT)
CDESKBELL_INITIALISER(history_options, DESKBELL_HISTORY_OPTIONS_INIT)
CDESKBELL_INITIALISER(search_options, DESKBELL_SEARCH_OPTIONS_INIT)
CDESKBELL_INITIALISER(status, DESKBELL_STATUS_INIT)
CDESKBELL_INITIALISER(rating, DESKBELL_RATING_INIT)

#undef CDESKBELL_INITIALISER

#endif
