#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sqlgen.py accepts and what it refuses."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import schema_facts


class Sqlgen(unittest.TestCase):
    def run_with(self, **files):
        """Return code, words said, and the generated C of statement files given by name."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, text in files.items():
                paths.append(os.path.join(folder, name + ".sql"))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([sys.executable, os.path.join(schema_facts.STORE, "sqlgen.py"), "--out", folder,
                                   "--migrations", os.path.join(schema_facts.STORE, "migrations"), *paths],
                                  capture_output=True, text=True, check=False)
            texts = ""
            for name in ("sql_generated.h", "sql_generated.c"):
                if os.path.exists(os.path.join(folder, name)):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        texts += file.read()
            return done.returncode, done.stderr, texts

    def refuses(self, words, **files):
        code, said, texts = self.run_with(**files)
        self.assertEqual((1, ""), (code, texts))
        self.assertIn(words, said)

    def test_statements_are_numbered_and_named(self):
        code, _, text = self.run_with(a="-- about this file\n-- :one\nSELECT 1\n\n-- :two\n-- no text of the statement\nSELECT $1, $2\n")
        self.assertEqual(0, code)
        self.assertIn("SQL_ONE,\n        SQL_TWO,\n        SQL_COUNT", text)
        self.assertIn('"SELECT $1, $2\\n"', text)
        self.assertIn("[SQL_TWO] = 2,", text)
        self.assertNotIn("no text of the statement", text)

    def test_quotes_and_backslashes_reach_c_as_they_are(self):
        code, _, text = self.run_with(a="-- :one\nSELECT '\"\\n', '; ? -- $9'\n")
        self.assertEqual(0, code)
        self.assertIn('SELECT \'\\"\\\\n\', \'; ? -- $9\'', text)

    def test_two_statements_of_one_name(self):
        self.refuses("already defined", a="-- :one\nSELECT 1\n", b="-- :one\nSELECT 2\n")

    def test_a_gap_in_the_parameters(self):
        self.refuses("gap", a="-- :one\nSELECT $1, $3\n")
        self.refuses("gap", a="-- :one\nSELECT $2\n")

    def test_text_before_the_first_name(self):
        self.refuses("before the first", a="SELECT 1\n")

    def test_an_empty_statement(self):
        self.refuses("empty", a="-- :one\n-- :two\nSELECT 1\n")

    def test_two_statements_under_one_name(self):
        self.refuses("more than one", a="-- :one\nSELECT 1; SELECT 2\n")

    def test_other_parameters(self):
        self.refuses("'?'", a="-- :one\nSELECT ?1\n")

    def test_names_that_are_no_names(self):
        self.refuses("not a name", a="-- :One\nSELECT 1\n")

    def test_comments_within_a_line(self):
        self.refuses("comment", a="-- :one\nSELECT 1 -- one\n")

    def test_nothing_at_all(self):
        self.refuses("no statement", a="-- nothing\n")


if __name__ == "__main__":
    unittest.main()
