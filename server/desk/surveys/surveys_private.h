/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Desk thread only. */
#pragma once

#include "desk/surveys/survey_defs.h"
#include "desk/surveys/surveys.h"

struct surveys {
        struct survey_defs *defs; /* survey_defs.c */
        int64_t next_ms;          /* when time does something to an offer; INT64_MAX = never */
};
