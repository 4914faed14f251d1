#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SQLite schema is what migrations/schema.json says. `--write` rewrites that file from the migrations."""
import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
import schema_facts


class Schema(unittest.TestCase):
    def test_the_migrations_make_what_is_described(self):
        self.assertEqual([], schema_facts.differences(schema_facts.shared(), schema_facts.of_sqlite()))

    def test_a_difference_would_be_seen(self):
        found = schema_facts.of_sqlite()
        found["entry"]["columns"]["body"] = "integer"
        del found["job"]
        found["entry"]["indexes"]["entry_cmid"]["where"] = "cmid is null"
        found["done"]["key"].reverse()
        self.assertEqual(4, len(schema_facts.differences(schema_facts.shared(), found)))

    def test_both_dialects_have_the_same_migrations(self):
        names = [[name for name, _ in schema_facts.migrations(dialect)] for dialect in ("sqlite", "postgres")]
        self.assertEqual(names[0], names[1])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        with open(os.path.join(schema_facts.STORE, "migrations", "schema.json"), "w", encoding="utf-8") as out:
            json.dump(schema_facts.of_sqlite(), out, indent=1)
            out.write("\n")
    else:
        unittest.main()
