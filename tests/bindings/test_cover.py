#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each binding has all that the public header has: every function, every constant with its value, every member of every
struct. A function, constant or member that is added to the header fails here until the bindings have it.

usage: test_cover.py cpp|python|java|swift
"""
import glob
import os
import re
import sys

from header import HEADER, ROOT, Header

FOLDER = os.path.join(ROOT, "client-sdk", "bindings")
#: Members that a binding expresses otherwise: sizes, counts of a list, and the pointer that names our own object.
IMPLIED = {"size", "data", "choices_count", "form_count", "files_count", "filled_count", "chosen_count", "questions_count",
           "answers_count", "headers_count", "body_len", "bytes_len",
           "store_key_len", "new_key_len", "tls_pins_count"}
#: What a language leaves out, and why.
LEFT_OUT = {"cpp": {"deskbell_allocator", "deskbell_answers"},  # the C structs are handed on as they are
            "python": {"deskbell_set_allocator", "deskbell_allocator",  # malloc that calls the interpreter
                       "deskbell_answers"},  # a library's own table, handed on as it is
            "java": {"deskbell_set_allocator", "deskbell_allocator", "deskbell_answers",  # the same
                     "deskbell_tick"},  # goes with a clock of one's own
            "swift": {"deskbell_set_allocator", "deskbell_allocator", "deskbell_answers", "deskbell_tick"}}  # as Java
#: Members that a language leaves out.
LEFT_OUT_MEMBERS = {"java": {"mono_ms", "wall_ms", "random"},  # a clock of one's own is for tests, which are in C
                    "swift": {"mono_ms", "wall_ms", "random"}}

#: Java: the enumeration for each of the header's.
JAVA_ENUMS = {"deskbell_error": "ErrorCode", "deskbell_connection": "Connection", "deskbell_log": "EntryLog",
              "deskbell_kind": "Kind", "deskbell_origin": "Origin", "deskbell_message_state": "MessageState",
              "deskbell_operation": "Operation", "deskbell_notice": "NoticeKind", "deskbell_level": "Level",
              "deskbell_presence_of": "PresenceOf", "deskbell_availability": "Availability",
              "deskbell_push": "PushService", "deskbell_survey_state": "SurveyState"}
#: Java: the class for each struct, whose members are its getters, its setters or the functions of an interface.
JAVA_CLASSES = {"deskbell_state": "State", "deskbell_choice": "Choice", "deskbell_form_field": "FormField",
                "deskbell_form_value": "FormValue", "deskbell_file": "Attachment", "deskbell_entry": "Entry",
                "deskbell_message": "Message", "deskbell_progress": "Progress", "deskbell_presence": "Presence",
                "deskbell_marks": "Marks", "deskbell_conversation_info": "ConversationInfo",
                "deskbell_http_request": "HttpRequest", "deskbell_http_answer": "Exchange",
                "deskbell_transport": "Transport", "deskbell_options": "ClientBuilder",
                "deskbell_send_options": "SendOptions", "deskbell_file_source": "FileSource",
                "deskbell_file_options": "FileOptions", "deskbell_history_options": "HistoryOptions",
                "deskbell_device_answer": "DeviceAnswer", "deskbell_search_options": "SearchOptions", "deskbell_status": "Status", "deskbell_found": "Found",
                "deskbell_survey_question": "SurveyQuestion", "deskbell_survey_said": "SurveySaid",
                "deskbell_survey": "Survey", "deskbell_rating": "Rating"}
#: Java: members that are called otherwise.
JAVA_NAMES = {"pressed_seq": "pressed", "pressed_id": "pressed", "filled_seq": "filled", "path": "ofPath",
              "bytes": "ofBytes", "files": "file", "on_log": "log", "on_token": "tokenSource", "status": "done",
              "headers": "done", "body": "done"}
JAVA_IMPLIED = {"tls_pins_count", "store_key_len"}


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


def camel(name):
    return re.sub(r"_(\w)", lambda m: m.group(1).upper(), name)


def java_class(name):
    return read(f"java/src/main/java/com/deskbell/{name}.java")


def java_functions(name):
    """Public functions of a class; of an interface all are."""
    return set(re.findall(r"(\w+)\([^()]*\)\s*(?:\{|;)", java_class(name)))


def java_lacks_member(class_name, member, functions):
    stem = camel(re.sub(r"^(is|has)_", "", member))
    upper = stem[0].upper() + stem[1:]
    names = {stem, camel(member), JAVA_NAMES.get(member), "get" + upper, "is" + upper, "has" + upper}
    return None if names & functions else f"{class_name}.get{upper}, or a setter {stem}"


def check_java(header):
    native, c = java_class("Native"), read("java/jni/*.c")
    calls = read("java/src/main/java/com/deskbell/*.java")
    gone = [f"call of {f} in jni/*.c" for f in header.functions if not re.search(rf"\b{f}\b", c)]
    for name in re.findall(r'METHOD\("(\w+)"', c):
        is_used = re.search(rf"Native(\.|::){name}\b|\b{name}\(\)", calls)
        if not re.search(rf"native \S+ {name}\(", native) or not is_used:
            gone.append(f"use of Native.{name}")
    for name, constants in header.enums.items():
        rows = dict(re.findall(r"\b([A-Z_]+)\((-?\d+)\)", java_class(JAVA_ENUMS.get(name, "?"))))
        where = JAVA_ENUMS.get(name, "an enum for " + name)
        gone += [f"constant {c} = {v} in {where}.java" for c, v in constants.items()
                 if not any(c.endswith("_" + n) and int(rows[n]) == v for n in rows)]
    listener = java_functions("Listener")
    for name, fields in header.structs.items():
        if name not in JAVA_CLASSES:
            gone.append(f"a class for struct {name}: name it in JAVA_CLASSES")
            continue
        functions = java_functions(JAVA_CLASSES[name])
        functions |= listener if name == "deskbell_options" else set()
        for field in (f for f in fields if f not in IMPLIED | JAVA_IMPLIED | LEFT_OUT_MEMBERS["java"]):
            lack = java_lacks_member(JAVA_CLASSES[name], field, functions)
            gone += [f"member {name}.{field}: {lack}"] if lack else []
            gone += [f"use of {name}.{field} in jni/*.c"] if not re.search(rf"(->|\.){field}\b", c) else []
    return gone


def swift_module_names():
    """Functions that the module CDeskbell adds to the header."""
    return {f"deskbell_{name}_init" for name in re.findall(r"INITIALISER\((\w+), D", read("swift/CDeskbell/CDeskbell.h"))}


def swift_copies(header):
    """Members of a C struct that its copy does not read, and such that it reads though they are not there."""
    used = {}
    parts = re.split(r"\bfrom: deskbell_(\w+)\)", read("swift/Sources/Deskbell/Copies.swift"))
    for name, part in zip(parts[1::2], parts[2::2]):
        part = part.split("from: UnsafePointer", maxsplit=1)[0]
        used.setdefault(f"deskbell_{name}", set()).update(re.findall(r"\bfrom\.(\w+)", part))
    gone = [f"copy of {name}.{m}" for name in used for m in header.structs[name] if m not in used[name] | {"size"}]
    return gone + [f"a {name}.{m} in C" for name in used for m in sorted(used[name] - set(header.structs[name]))]


def check_swift(header):
    """No Swift compiler looks at these sources: what they name in C has to be there, besides being all that is."""
    text = re.sub(r"//.*", " ", read("swift/Sources/Deskbell/*.swift"))
    gone = [lack for lack in missing_words(header, text)
            if not re.fullmatch(rf"member deskbell_options\.({'|'.join(sorted(LEFT_OUT_MEMBERS['swift']))})", lack)]
    there = Header()
    names = {*there.functions, *there.structs, *there.enums, *swift_module_names()}
    names |= {c for e in there.enums.values() for c in e} | {m for s in there.structs.values() for m in s}
    names |= {f"DESKBELL_VERSION_{part}" for part in ("MAJOR", "MINOR", "PATCH")}
    text = re.sub(r'"[^"\n]*"', " ", text)
    gone += [f"a {name} in C: nothing there is called that" for name in sorted(set(re.findall(r"\b[A-Za-z]\w*_\w+", text)))
             if name not in names]
    gone += swift_copies(header)
    gone += [f"the mark of not being compiled: {os.path.basename(path)}"
             for path in glob.glob(os.path.join(FOLDER, "swift", "Sources", "Deskbell", "*.swift"))
             if not open(path, encoding="utf-8").readline().startswith("// Not compiled: ")]
    return gone


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


CHECKS = {"cpp": check_cpp, "python": check_python, "java": check_java, "swift": check_swift}
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
