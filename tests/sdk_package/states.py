# SPDX-License-Identifier: Apache-2.0
"""docs/sdk-states.md and the tests of the SDK say the same: each row of each table names a test that exists and is run,
and each state of the public header is in some row."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "sdk-states.md"
HEADER = ROOT / "client-sdk" / "include" / "deskbell" / "deskbell.h"
TESTS = ROOT / "tests" / "unit" / "sdk"
ENUMS = ("deskbell_connection", "deskbell_message_state", "deskbell_survey_state")
LEAST_ROWS = 120


def known_tests():
    """Tests that are defined, and named a second time: in the list of those that are run."""
    names = set()
    for path in sorted(TESTS.glob("test_sdk_*.c")):
        text = path.read_text()
        for name in re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M):
            if len(re.findall(rf"\b{name}\b", text)) > 1:
                names.add(name)
    return names


def rows():
    """(line number, cells) of each row, without headings."""
    for number, line in enumerate(MANUAL.read_text().splitlines(), 1):
        if line.startswith("|") and not line.startswith("|---") and not line.startswith("| state |"):
            yield number, [cell.strip() for cell in line.strip("|").split("|")]


def enum_values(name):
    body = re.search(rf"enum {name} \{{(.*?)\}};", HEADER.read_text(), re.S).group(1)
    return re.findall(r"\b(DESKBELL_[A-Z_]+) =", body)


def faults():
    tests, mentioned, count = known_tests(), set(), 0
    for number, cells in rows():
        count += 1
        if len(cells) != 5 or not all(cells):
            yield f"line {number}: a row has state, event, new state, what is told, and a test"
            continue
        name = cells[4].strip("`")
        if name not in tests:
            yield f"line {number}: no test is called {name}"
        mentioned.update(re.findall(r"DESKBELL_[A-Z_]+", cells[0] + " " + cells[2]))
    if count < LEAST_ROWS:
        yield f"{count} rows, there were more than {LEAST_ROWS}"
    for enum in ENUMS:
        for value in enum_values(enum):
            if value not in mentioned:
                yield f"{value} of enum {enum} is in no row"


def main():
    found = list(faults())
    for fault in found:
        print(f"{MANUAL.relative_to(ROOT)}: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
