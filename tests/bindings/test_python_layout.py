#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ctypes structures lie in memory as the compiler lays out the header's: every size and every offset is compared
with what a C program prints, and the initialisers with the defaults of the package.

usage: test_python_layout.py C-COMPILER
"""
import ctypes
import os
import subprocess
import sys
import tempfile

from header import HEADER
from python_path import deskbell

from deskbell import _native

INCLUDE = os.path.dirname(os.path.dirname(HEADER))


def program():
    rows = ["#include <stddef.h>", "#include <stdio.h>", '#include "deskbell/deskbell.h"', "int main(void)", "{"]
    for name, struct in _native.STRUCTS.items():
        rows.append(f'printf("{name} . %zu\\n", sizeof(struct {name}));')
        for field, _ in struct._fields_:
            rows.append(f'printf("{name} {field} %zu %zu\\n", offsetof(struct {name}, {field}), '
                        f"sizeof(((struct {name} *)0)->{field}));")
    rows += ["struct deskbell_options o = DESKBELL_OPTIONS_INIT;",
             'printf("init %d %d %d\\n", o.first_page, o.snapshot, o.with_team_log);',
             "struct deskbell_history_options h = DESKBELL_HISTORY_OPTIONS_INIT;",
             'printf("history %d %lld\\n", h.limit, (long long)h.after);',
             "struct deskbell_search_options s = DESKBELL_SEARCH_OPTIONS_INIT;", 'printf("search %d\\n", s.limit);',
             "return 0;", "}"]
    return "\n".join(rows)


def what_c_says(compiler):
    with tempfile.TemporaryDirectory() as folder:
        source, binary = os.path.join(folder, "layout.c"), os.path.join(folder, "layout")
        with open(source, "w", encoding="utf-8") as f:
            f.write(program())
        subprocess.run([compiler, "-std=c11", "-I", INCLUDE, "-o", binary, source], check=True)
        return subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines()


def what_python_says():
    rows = []
    for name, struct in _native.STRUCTS.items():
        rows.append(f"{name} . {ctypes.sizeof(struct)}")
        rows += [f"{name} {f} {getattr(struct, f).offset} {getattr(struct, f).size}" for f, _ in struct._fields_]
    options = deskbell.Options()
    history = deskbell.Conversation.history.__kwdefaults__
    rows += [f"init {options.first_page} {options.snapshot} {int(options.with_team_log)}",
             f"history {history['limit']} {history['after']}",
             f"search {deskbell.Client.search.__kwdefaults__['limit']}"]
    return rows


c, python = what_c_says(sys.argv[1]), what_python_says()
wrong = [(a, b) for a, b in zip(c, python) if a != b]
for a, b in wrong:
    print(f"C: {a}   Python: {b}")
print(f"{len(c)} sizes, offsets and defaults compared, {len(wrong)} differ")
sys.exit(1 if wrong or len(c) != len(python) or len(c) < 150 else 0)
