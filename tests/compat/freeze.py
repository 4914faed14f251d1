#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps what a version that is released must stay compatible with: its public header, the file of a user as its library
leaves it, and what its clients say on the wire. To be run once, on the commit that is released, after a build:

    DESKBELL_BUILD=build/release tests/compat/freeze.py

Writes tests/compat/VERSION/ and names that commit in tests/compat/PREVIOUS. A version that is out is never written
again.
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("DESKBELL_BUILD", os.path.join(ROOT, "build", "release")))
HEADER = os.path.join(ROOT, "client-sdk", "include", "deskbell", "deskbell.h")


def version_of(header):
    with open(header, encoding="utf-8") as file:
        return ".".join(re.findall(r"#define DESKBELL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", file.read()))


def main():
    version = version_of(HEADER)
    folder = os.path.join(HERE, version)
    if os.path.exists(folder):
        sys.exit(f"{folder} is there: {version} was released")
    os.makedirs(os.path.join(folder, "include", "deskbell"))
    shutil.copy(HEADER, os.path.join(folder, "include", "deskbell"))
    shutil.copytree(os.path.join(ROOT, "tests", "wire", "transcripts"), os.path.join(folder, "wire"))
    library = os.path.join(BUILD, "client-sdk", "libdeskbell.so.0")
    subprocess.run([sys.executable, os.path.join(HERE, "make_store.py"), os.path.join(folder, "store.sql")], check=True,
                   env={**os.environ, "DESKBELL_LIBRARY": library})
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    with open(os.path.join(HERE, "PREVIOUS"), "w", encoding="utf-8") as file:
        file.write(f"{revision.strip()} {version}\n")
    print(f"kept {version} in {folder}")


if __name__ == "__main__":
    main()
