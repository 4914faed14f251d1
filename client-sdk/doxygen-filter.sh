#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lets Doxygen read the header's plain comments: one on lines of its own belongs to what follows, one behind a
# declaration to that declaration. Rulers ("---- Errors ----") and the SPDX line belong to nothing.
exec sed -e '/SPDX-License-Identifier/d' -e '/^\/\* ----/b' \
        -e '2s|^/\* |/** @file deskbell.h\n * |' \
        -e 's|^\( *\)/\* |\1/** |' -e 's|^\(.*[;,{a-z0-9)] *\)/\* |\1/**< |' "$1"
