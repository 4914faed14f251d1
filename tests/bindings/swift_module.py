#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The module CDeskbell, as clang understands it: a C and an Objective-C program that import it, and nothing else, compile;
each initialiser of the header is there as a function; what the header has not is not there either. Swift itself is not
run.

usage: swift_module.py FOLDER   (for the module's cache)
"""
import os
import re
import shutil
import subprocess
import sys

from header import ROOT

MODULE = os.path.join(ROOT, "client-sdk", "bindings", "swift", "CDeskbell")
INCLUDE = os.path.join(ROOT, "client-sdk", "include")
IMPORTS = {"c": "#pragma clang module import CDeskbell\n", "objective-c": "@import CDeskbell;\n"}


def compiles(folder, language, body, imported=True):
    """(whether, what the compiler said)."""
    suffix = {"c": "c", "objective-c": "m"}[language]
    path = os.path.join(folder, f"import.{suffix}")
    with open(path, "w", encoding="utf-8") as f:
        f.write((IMPORTS[language] if imported else "") + body)
    done = subprocess.run(["clang", "-x", language, "-fmodules", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                           f"-fmodules-cache-path={os.path.join(folder, 'cache')}",
                           f"-fmodule-map-file={os.path.join(MODULE, 'module.modulemap')}", f"-I{INCLUDE}", path],
                          capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def program(initialised):
    """Uses each struct's initialiser, a callback, and the errors."""
    lines = ["static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)",
             "{ (void)client; *(long long *)data = entry->number; }", "int main(void)", "{", "deskbell_client *client = 0;"]
    for name in initialised:
        lines.append(f"struct deskbell_{name} {name} = deskbell_{name}_init();")
        lines.append(f"if ({name}.size != sizeof({name})) return 1;")
    lines += ["options.on_entry = on_entry;", "options.token = \"t\";",
              "int rc = deskbell_open(&options, &client);", "if (rc == DESKBELL_E_LOCKED || rc < 0) return 2;",
              "return deskbell_close(client) == DESKBELL_OK ? 0 : 3;", "}"]
    return "\n".join(lines) + "\n"


def main(folder):
    if not shutil.which("clang"):
        print("skipped: no clang, the module map is not tested")
        return 77
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(INCLUDE, "deskbell", "deskbell.h"), encoding="utf-8") as f:
        initialised = [n.lower() for n in re.findall(r"#define DESKBELL_([A-Z_]+)_INIT\b", f.read())]
    failed = 0
    for language in IMPORTS:
        ok, said = compiles(folder, language, program(initialised))
        if not ok:
            print(f"{language}: the program does not compile:\n{said}")
        unknown, _ = compiles(folder, language, "int main(void) { return deskbell_nowhere(); }\n")
        if unknown:
            print(f"{language}: a function that is nowhere was found")
        alone, _ = compiles(folder, language, program(initialised), imported=False)
        if alone:
            print(f"{language}: the program compiles without the module: it proves nothing")
        failed += (not ok) + unknown + alone
    print(f"{len(initialised)} initialisers, {len(IMPORTS)} languages, {failed} failed")
    return 1 if failed or not initialised else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
