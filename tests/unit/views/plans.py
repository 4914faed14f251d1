#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of closed tickets costs one walk along an index: no table is scanned for it and nothing is sorted. The plans of
the statements of views.sql, on the tables as the migrations make them."""
import re
import sqlite3
import sys
from pathlib import Path

STORE = Path(sys.argv[1]) / "server/store"
INDEXES = {"closed_all": "ticket_closed", "closed_of_team": "ticket_closed_team",
           "closed_of_assignee": "ticket_closed_assignee", "closed_of_customer": "ticket_closed_customer"}


def statements():
    name, found = None, {}
    for line in (STORE / "sql/views.sql").read_text(encoding="utf-8").splitlines():
        if line.startswith("-- :"):
            name = line[4:].strip()
            found[name] = ""
        elif name and not line.startswith("--"):
            found[name] += line + "\n"
    return found


def main():
    db = sqlite3.connect(":memory:")
    for path in sorted((STORE / "migrations/sqlite").glob("*.sql")):
        db.executescript(path.read_text(encoding="utf-8"))
    found = statements()
    for name, index in INDEXES.items():
        text = re.sub(r"\$(\d)", r"?\1", found[name])
        plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + text, (1, 2, 3, 50))]
        print(name)
        for step in plan:
            print("   ", step)
        own = [step for step in plan if step.startswith("SEARCH t USING")]
        assert len(own) == 1, plan
        assert re.search(rf"INDEX {index} \(", own[0]), own
        assert "closed_ms<" in own[0], own  # the page begins in the index, not behind a walk
        assert not any(step.startswith("SCAN") or "TEMP B-TREE" in step for step in plan), plan
        for step in plan:
            assert step in own or "USING INTEGER PRIMARY KEY" in step, step


main()
