# SPDX-License-Identifier: Apache-2.0
"""The binary interface of the shared library against the one kept in client-sdk/abi: `abi.py check|renew`.

check fails when anything of the kept interface went or changed, also a struct that only grew at its end: that may be right,
and then renew says so. Functions that were added pass and are named: renew keeps them from then on. renew writes
client-sdk/abi/libdeskbell.abi from the library that is installed in the build.

Environment: DESKBELL_BUILD (the build folder), DESKBELL_SANITIZE.
"""
import os
import re
import shutil
import subprocess
import sys

import package

KEPT = os.path.join(package.ROOT, "client-sdk", "abi", "libdeskbell.abi")
OWN_ERRORS, BREAKS = 3, 8  # bits of abidiff's exit code; 4 is for any change


def library():
    return os.path.join(package.lib_folder(), "libdeskbell.so")


def dump(path):
    """The interface as text: the functions, and the types of the header; what is behind its handles is left out."""
    package.run("abidw", "--headers-dir", os.path.join(package.PREFIX, "include", "deskbell"),
                "--exported-interfaces-only", "--drop-private-types", "--no-corpus-path", "--no-comp-dir-path",
                "--no-show-locs", "--out-file", path, library())
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:  # where it was built is nobody's business
        f.write(re.sub(r" path='[^']*/([^'/]+)'", r" path='\1'", text))


def renew():
    dump(KEPT)
    print(f"wrote {KEPT}")


def compare(kept, now):
    """(what changed, whether that is more than functions that came to it)."""
    done = subprocess.run(["abidiff", "--no-show-locs", kept, now], capture_output=True, text=True, check=False)
    if done.returncode & OWN_ERRORS:
        raise package.Failed(done.stdout + done.stderr)
    counts = [int(n) for n in re.findall(r"(\d+) (?:Removed|Changed)", done.stdout)]
    return done.stdout if done.returncode else "", any(counts) or bool(done.returncode & BREAKS)


def notices_changes(now):
    """A function that went and a struct member that moved have to be found, or the comparison is worth nothing."""
    with open(now, encoding="utf-8") as f:
        text = f.read()
    struct = re.search(r"<class-decl name='deskbell_status' .*?</class-decl>", text, re.S).group(0)
    moved = re.sub(r" size-in-bits='\d+'", " size-in-bits='8192'", struct, count=1)
    moved = moved.replace("offset-in-bits='64'", "offset-in-bits='8128'", 1)
    for other in (text.replace("deskbell_typing", "deskbell_gone"), text.replace(struct, moved)):
        path = os.path.join(package.FOLDER, "other.abi")
        with open(path, "w", encoding="utf-8") as f:
            f.write(other)
        package.need(other != text and compare(path, now)[1], "a broken interface was not noticed")


def check():
    if not shutil.which("abidiff"):
        print("skipped: abidiff is not installed")
        sys.exit(package.SKIPPED)
    if package.SANITIZE:
        print("skipped: the symbols of a sanitizer are not the interface")
        sys.exit(package.SKIPPED)
    now = os.path.join(package.FOLDER, "now.abi")
    dump(now)
    notices_changes(now)
    changes, is_broken = compare(KEPT, now)
    print(changes[-6000:] or "the binary interface is the kept one")
    if is_broken:
        raise package.Failed("programs built before may not run with this library. If that is wanted: "
                             "DESKBELL_BUILD=... abi.py renew, and say so in the commit")
    if changes:
        print("functions were added only; keep them: DESKBELL_BUILD=... abi.py renew")


if __name__ == "__main__":
    try:
        {"check": check, "renew": renew}[sys.argv[1]]()
    except package.Failed as e:
        print(f"FAILED: {e}")
        sys.exit(1)
