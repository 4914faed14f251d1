/* SPDX-License-Identifier: Apache-2.0 */
/* libdeskbell-answers: answers questions on the device while there is no connection, with the version of the bot that
 * the app's operator lets go to devices. Optional: a library of its own, plugged into libdeskbell by an option.
 *
 *     options.answers = deskbell_answers();
 *     options.on_device_answer = show_device_answer;
 *
 * It says only what the bot is sure of and what stands for itself: no dialogues, no choices, nothing that depends on
 * the customer, the hour or the server, and nothing to a wish for a person. */
#ifndef DESKBELL_ANSWERS_H
#define DESKBELL_ANSWERS_H

#include <deskbell/deskbell.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The table for deskbell_options.answers. Static, for any number of clients, on any thread. */
DESKBELL_API const struct deskbell_answers *deskbell_answers(void);

#ifdef __cplusplus
}
#endif

#endif
