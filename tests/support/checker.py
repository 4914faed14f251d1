#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks histories written by clients against the delivery invariants I1-I23 and I25.

Independent of the product: reads JSON lines, knows no protocol, shares no code. O(n log n) in the number of lines.
An invariant for which the histories hold no data is reported as "not exercised", never as passed.

    checker.py [--require I1,I2,...] FILE...

prints one line per violation ("I3: what (proc, ...) [file:line, ...]"), then which invariants were exercised. Exit 0 =
no violation and everything required was exercised, 1 = not so, 2 = a file cannot be read as a history.

What a line may say: history.py.
"""
import argparse
import sys

from checks_access import check_i14, check_i15, check_i16, check_i17, check_i18, check_i25
from checks_devices import check_i7, check_i12, check_i13, check_i19, check_i22, check_i23
from checks_log import (check_i1, check_i2, check_i3, check_i4, check_i5, check_i6, check_i8, check_i9, check_i10,
                        check_i11, check_i20, check_i21)
from history import INVARIANTS, BadHistory, History, Report, read_lines

CHECKS = [check_i1, check_i2, check_i3, check_i4, check_i5, check_i6, check_i7, check_i8, check_i9, check_i10,
          check_i11, check_i12, check_i13, check_i14, check_i15, check_i16, check_i17, check_i18, check_i19, check_i20,
          check_i21, check_i22, check_i23, check_i25]


def check(lines):
    """Takes history lines (dicts with t_ns, proc, kind, op, and src); returns a Report."""
    history, report = History(lines), Report()
    for one in CHECKS:
        one(history, report)
    return report


def check_files(paths):
    lines = [line for path in paths for line in read_lines(path)]
    return check(lines), len(lines)


def summary(report, count):
    done = [i for i in INVARIANTS if i in report.exercised]
    rest = [i for i in INVARIANTS if i not in report.exercised]
    text = f"{count} lines; exercised: {' '.join(done) or 'none'}"
    if rest:
        text += f"; not exercised: {' '.join(rest)}"
    return f"{text}; {len(report.violations)} violations"


def main(argv=None):
    parser = argparse.ArgumentParser(description="checks histories against the delivery invariants")
    parser.add_argument("--require", default="", help="comma-separated invariants that must have been exercised")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args(argv)
    required = [i for i in args.require.split(",") if i]
    unknown = [i for i in required if i not in INVARIANTS]
    if unknown:
        parser.error(f"unknown invariants: {', '.join(unknown)}")
    try:
        report, count = check_files(args.files)
    except (BadHistory, OSError) as e:
        print(f"checker: {e}", file=sys.stderr)
        return 2
    for _, text in report.violations:
        print(text)
    print(summary(report, count))
    missing = [i for i in required if i not in report.exercised]
    if missing:
        print(f"required and not exercised: {' '.join(missing)}")
    return 1 if report.violations or missing else 0


if __name__ == "__main__":
    sys.exit(main())
