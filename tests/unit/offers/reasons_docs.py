#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/surveys.md explains each reason why a customer is not asked, in the words and in the order of the gate's table."""
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
ROW = re.compile(r'X\([A-Z_]+,\s*"([a-z_]+)",\s*"([^"]+)"\)')


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Reasons(unittest.TestCase):
    def test_the_manual_has_the_table_of_the_gate(self):
        gate = ROW.findall(read("server", "desk", "surveys", "offer_gate.h"))
        manual = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|$", read("docs", "surveys.md"), re.MULTILINE)
        told = [(word, text) for word, text in manual if word in dict(gate)]
        self.assertGreater(len(gate), 10)
        self.assertEqual([word for word, _ in gate], [word for word, _ in told])
        for (word, text), (_, said) in zip(gate, told):
            self.assertTrue(said.startswith(text), f"{word}: {said!r} is not {text!r}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
