/* SPDX-License-Identifier: Apache-2.0 */
/* How `deskbell sla` shows what it was answered. One thread; on standard output. */
#pragma once

#include <jansson.h>

void sla_print_policy(const json_t *row);         /* a row of sla.list */
void sla_print_explanation(const json_t *result); /* the result of sla.explain */
