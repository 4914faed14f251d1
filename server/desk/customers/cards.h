/* SPDX-License-Identifier: Apache-2.0 */
/* Cards: what conditions and canned replies ask of a customer, read from the store when it is first asked for. Desk
 * thread only. */
#pragma once

#include "desk/customers/customers.h"

void card_forget(struct customers *customers, int64_t customer);
void cards_forget(struct customers *customers);
void cards_settle(struct customers *customers); /* between batches: forgets all when there are too many */
