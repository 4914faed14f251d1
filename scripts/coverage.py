#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up what gcc's gcov counted for client-sdk/src. A line that is compiled into several programs was run when one of
them ran it. Used by scripts/coverage."""
import argparse
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = os.path.join(ROOT, "client-sdk", "src")


def notes_of(build):
    """The .gcno files of the SDK's sources. Those of programs that never ran have no counts, and count as not run."""
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".c.gcno") and os.path.exists(os.path.join(SOURCES, name[:-len(".gcno")])):
                yield os.path.join(folder, name)


def count(build):
    """file -> line -> how often."""
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for note in notes_of(build):
        done = subprocess.run(["gcov", "--json-format", "--stdout", note], capture_output=True, check=True,
                              cwd=os.path.dirname(note))
        for row in done.stdout.splitlines():
            for file in json.loads(row)["files"]:
                path = os.path.realpath(os.path.join(ROOT, file["file"]))
                if os.path.dirname(path) != SOURCES or not path.endswith(".c"):
                    continue
                for line in file["lines"]:
                    counts[os.path.basename(path)][line["line_number"]] += line["count"]
    return counts


def show(lines, name):
    with open(os.path.join(SOURCES, name), encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if number in lines and not lines[number]:
                print(f"{number:5}  {text.rstrip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--bar", type=float, default=0)
    parser.add_argument("--show")
    args = parser.parse_args()
    counts = count(os.path.abspath(args.build))
    if not counts:
        sys.exit(f"no counts below {args.build}: build and run the tests first")
    if args.show:
        show(counts.get(args.show, {}), args.show)
        return
    run = total = 0
    for name, lines in sorted(counts.items()):
        done = sum(n > 0 for n in lines.values())
        run, total = run + done, total + len(lines)
        print(f"{name:24} {done:5} of {len(lines):5}  {100 * done / len(lines):5.1f} %")
    percent = 100 * run / total
    print(f"{'client-sdk/src':24} {run:5} of {total:5}  {percent:5.1f} %, the bar is {args.bar:.0f} %")
    if percent < args.bar:
        sys.exit(1)


if __name__ == "__main__":
    main()
