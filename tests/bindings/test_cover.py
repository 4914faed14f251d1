#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each binding has all that the public header has: every function, every constant with its value, every member of every
struct. A function, constant or member that is added to the header fails here until the bindings have it.

usage: test_cover.py cpp|python|java
"""
import glob
import os
import re
import sys

from header import HEADER, ROOT, Header

FOLDER = os.path.join(ROOT, "client-sdk", "bindings")
#: Members that a binding expresses otherwise: sizes, counts of a list, and the pointer that names our own object.
IMPLIED = {"size", "data", "choices_count", "form_count", "files_count", "headers_count", "body_len", "bytes_len"}
#: What a language leaves out, and why.
LEFT_OUT = {"cpp": {"deskbell_allocator"},  # the C struct is handed on as it is
            "python": {"deskbell_set_allocator", "deskbell_allocator"},  # malloc that calls the interpreter
            "java": {"deskbell_set_allocator", "deskbell_allocator"}}    # the same


def read(*patterns):
    text = ""
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(FOLDER, pattern))):
            with open(path, encoding="utf-8") as f:
                text += re.sub(r"/\*.*?\*/", " ", f.read(), flags=re.S)
    return text


def missing_words(header, text):
    """Functions, constants and members that the text does not mention as a word."""
    words = set(re.findall(r"\w+", text))
    gone = [f"function {f}" for f in header.functions if f not in words]
    gone += [f"constant {c}" for e in header.enums.values() for c in e if c not in words]
    for name, fields in header.structs.items():
        gone += [f"member {name}.{m}" for m in fields if m not in words and m not in IMPLIED]
    return gone


def check_cpp(header):
    return missing_words(header, read("cpp/deskbell/*.hpp"))


def prefix_of(constants):
    names = list(constants)
    cut = os.path.commonprefix(names)
    return cut[:cut.rfind("_") + 1]


def check_python(header):
    from python_path import deskbell  # pylint: disable=import-outside-toplevel,unused-import
    from deskbell import _native, types  # pylint: disable=import-outside-toplevel
    gone = [f"function {f}" for f in header.functions if f not in _native.FUNCTIONS]
    used = read("python/deskbell/client.py", "python/deskbell/transport.py", "python/deskbell/_core.py",
                "python/deskbell/types.py", "python/deskbell/__init__.py", "python/deskbell/_native.py")
    gone += [f"call of {f}" for f in header.functions if not re.search(rf"(lib|found)\.{f}\b", used)]
    for name, constants in header.enums.items():
        kind = types.ENUMS.get(name)
        values = {int(m) for m in kind} if kind else set()
        gone += [f"constant {c}" for c, v in constants.items() if v not in values]
        names = {m.name: int(m) for m in kind or ()}
        gone += [f"name of {c}" for c, v in constants.items()
                 if not any(c.endswith("_" + n) and names[n] == v for n in names)]
    for name, fields in header.structs.items():
        struct = _native.STRUCTS.get(name)
        have = [f for f, _ in struct._fields_] if struct else []
        if have != fields:
            gone.append(f"struct {name}: {[f for f in fields if f not in have] or 'other order'}")
    copies = set(re.findall(r"\w+", read("python/deskbell/_copies.py", "python/deskbell/client.py",
                                         "python/deskbell/transport.py", "python/deskbell/_core.py")))
    for name, fields in header.structs.items():
        gone += [f"use of {name}.{f}" for f in fields if f not in copies and f not in IMPLIED]
    return gone


def check_java(header):
    return missing_words(header, read("java/src/deskbell/*.java", "java/jni/*.c", "java/jni/*.h"))


def check_the_check(header):
    """A header with one thing more is not covered."""
    for name in ("function", "constant", "member"):
        more = Header(HEADER)
        if name == "function":
            more.functions.append("deskbell_nowhere")
        elif name == "constant":
            more.enums["deskbell_kind"]["DESKBELL_KIND_NOWHERE"] = 99
        else:
            more.structs["deskbell_entry"].append("nowhere")
        if not CHECKS[sys.argv[1]](more):
            sys.exit(f"a {name} that is nowhere was not missed")
    if not header.functions:
        sys.exit("no functions")


CHECKS = {"cpp": check_cpp, "python": check_python, "java": check_java}
if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
    sys.exit(__doc__)
told = Header()
told.functions = [f for f in told.functions if f not in LEFT_OUT.get(sys.argv[1], ())]
told.structs = {s: m for s, m in told.structs.items() if s not in LEFT_OUT.get(sys.argv[1], ())}
check_the_check(told)
lacks = CHECKS[sys.argv[1]](told)
for what in lacks:
    print(f"the {sys.argv[1]} binding lacks {what}")
print(f"{len(told.functions)} functions, {sum(map(len, told.enums.values()))} constants, {len(told.structs)} structs: "
      f"{len(lacks)} missing")
sys.exit(1 if lacks else 0)
