/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share of the definitions of attributes. Desk thread, but for what says otherwise. */
#pragma once

#include "desk/customers/customers.h"

struct reading;

int attributes_load(struct desk *desk); /* 0 or a negative db_error */
void attributes_forget(struct customers *customers);
bool attribute_name_is_fine(struct span name); /* pure */
bool attribute_is_built_in(struct span name);  /* of customers; pure */

/* A copy in the command's arena; any thread. Absent stays absent. */
struct span reading_copy(const struct reading *reading, struct span text);
