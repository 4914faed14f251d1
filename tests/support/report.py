#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the results that ctest wrote (JUnit XML) and says, over all of them: each test's seconds, the ten slowest, what
failed, and as last line "N passed, N failed", with ", N skipped" when there are any. Exit 1 when something failed or
when there is nothing at all.

    report.py build/release/results.suite.xml ...
"""
import os
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """passed, failed or skipped. What ctest could not start, or does not know, has failed."""
    status = case.get("status", "")
    if case.find("failure") is not None or case.find("error") is not None or status == "fail":
        return "failed"
    if case.find("skipped") is not None or status in ("notrun", "disabled"):
        message = " ".join(s.get("message", "") for s in case.findall("skipped"))
        return "skipped" if status == "disabled" or "SKIP_" in message or "Skip" in message else "failed"
    return "passed" if status in ("run", "") else "failed"


def read(path):
    """[(preset, name, seconds, outcome, reason)]; a file that cannot be read is one failure."""
    preset = os.path.basename(os.path.dirname(os.path.abspath(path)))
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as e:
        return [(preset, os.path.basename(path), 0.0, "failed", f"unreadable results: {e}")]
    rows = []
    for case in root.iter("testcase"):
        result = outcome(case)
        rows.append((preset, case.get("name", "?"), float(case.get("time") or 0), result, reason(case, result)))
    return rows


def reason(case, result):
    if result != "skipped":
        return ""
    output = case.findtext("system-out") or ""
    said = [l.strip() for l in output.splitlines() if l.strip().startswith("skipped")]
    return said[-1] if said else ""


def main(paths):
    rows = [row for path in paths for row in read(path)]
    for preset, name, seconds, result, why in sorted(rows):
        print(f"{seconds:9.2f} s  {result:7s}  {preset}/{name}" + (f"  ({why})" if why else ""))
    print("\nthe ten slowest:")
    for preset, name, seconds, _, _ in sorted(rows, key=lambda r: -r[2])[:10]:
        print(f"{seconds:9.2f} s  {preset}/{name}")
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for row in rows:
        count[row[3]] += 1
    if count["failed"]:
        print("\nfailed:")
        for preset, name, _, result, why in rows:
            if result == "failed":
                print(f"  {preset}/{name}" + (f"  ({why})" if why else ""))
    line = f"{count['passed']} passed, {count['failed']} failed"
    print("\n" + line + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 0 if count["failed"] == 0 and count["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
