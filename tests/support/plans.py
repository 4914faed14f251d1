# SPDX-License-Identifier: Apache-2.0
"""What SQLite makes of the product's statements, on the tables as the migrations make them."""
import re
import sqlite3
from pathlib import Path


class Plans:
    def __init__(self, source, name):
        """Of the statements in server/store/sql/NAME.sql below the folder `source`."""
        store = Path(source) / "server/store"
        self.statements, statement = {}, None
        for line in (store / f"sql/{name}.sql").read_text(encoding="utf-8").splitlines():
            if line.startswith("-- :"):
                statement = line[4:].strip()
                self.statements[statement] = ""
            elif statement and not line.startswith("--"):
                self.statements[statement] += line + "\n"
        self.db = sqlite3.connect(":memory:")
        for path in sorted((store / "migrations/sqlite").glob("*.sql")):
            self.db.executescript(path.read_text(encoding="utf-8"))

    def of(self, statement):
        """The steps of its plan; prints them."""
        text = re.sub(r"\$(\d+)", r"?\1", self.statements[statement])
        plan = [row[3] for row in self.db.execute("EXPLAIN QUERY PLAN " + text, [1] * len(set(re.findall(r"\?\d+", text))))]
        print(statement, *plan, sep="\n    ")
        return plan

    def walk_of(self, statement, table):
        """The plan, and its one step over that table (or its short name); nothing is scanned and nothing is sorted."""
        plan = self.of(statement)
        own = [step for step in plan if step.startswith(f"SEARCH {table} USING")]
        assert len(own) == 1, plan
        assert not any(step.startswith("SCAN") or "TEMP B-TREE" in step for step in plan), plan
        return plan, own[0]
