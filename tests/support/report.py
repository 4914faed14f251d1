#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the results that ctest wrote (JUnit XML) and says, over all of them: each test's seconds, the ten slowest, what
failed, and as last line "N passed, N failed", with ", N skipped" when there are any. Exit 1 when something failed or
when there is nothing at all.

A test that failed is tried once more, alone on the machine (scripts/test): NAME.again.xml beside NAME.xml says how that
went. One that passes then counts as passed and is listed, so that it is not forgotten. What a sanitizer reported is never
tried again.

    report.py build/release/results.suite.xml ...
    report.py --again build/release/results.suite.xml    the tests to try once more, as a regular expression of ctest
"""
import os
import re
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


SANITIZERS = re.compile(r"(Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error:")


def to_try_again(path):
    """At most five: a machine that was busy fails a few, what is broken fails many."""
    names = [case.get("name", "") for case in ElementTree.parse(path).getroot().iter("testcase")
             if outcome(case) == "failed" and not SANITIZERS.search(case.findtext("system-out") or "")]
    return "^(" + "|".join(map(re.escape, names)) + ")$" if 0 < len(names) <= 5 else ""


def tried_again(path):
    """Names that passed at the second try."""
    again = path.removesuffix(".xml") + ".again.xml"
    return {row[1] for row in read(again) if row[3] == "passed"} if os.path.exists(again) else set()


def reason(case, result):
    if result != "skipped":
        return ""
    output = case.findtext("system-out") or ""
    said = [l.strip() for l in output.splitlines() if l.strip().startswith("skipped")]
    return said[-1] if said else ""


def main(paths):
    rows, late = [], []
    for path in paths:
        passed = tried_again(path)
        for preset, name, seconds, result, why in read(path):
            if result == "failed" and name in passed:
                late.append(f"{preset}/{name}")
                result, why = "passed", "at the second try"
            rows.append((preset, name, seconds, result, why))
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
    if late:
        print("\npassed only at the second try, alone: " + ", ".join(late))
    line = f"{count['passed']} passed, {count['failed']} failed"
    print("\n" + line + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 0 if count["failed"] == 0 and count["passed"] > 0 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--again"]:
        print(to_try_again(sys.argv[2]))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
