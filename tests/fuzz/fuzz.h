/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz: what every target offers. With clang libFuzzer drives it; with any other compiler fuzz_main.c does. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Takes any bytes; returns 0. A broken promise ends in abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
