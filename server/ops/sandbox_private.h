/* SPDX-License-Identifier: Apache-2.0 */
/* What the layers of the sandbox share. */
#pragma once

#include "ops/sandbox.h"

/* Leak and thread checkers need ptrace, their symboliser exec: such builds do without the layers that forbid it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_CHECKED_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_IS_CHECKED_BUILD 1
#endif
#endif
#ifndef SANDBOX_IS_CHECKED_BUILD
#define SANDBOX_IS_CHECKED_BUILD 0
#endif

/* Each returns whether the layer is active; *out_detail is a literal. */
/* `kept`: further files to be read, NULL-terminated, may be NULL. */
bool sandbox_landlock(const struct sandbox_paths *paths, const char *const *kept, const char **out_detail);
bool sandbox_seccomp(const char **out_detail);
