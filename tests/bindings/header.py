# SPDX-License-Identifier: Apache-2.0
"""What the public header declares: functions, constants of each enumeration, members of each struct."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADER = os.path.join(ROOT, "client-sdk", "include", "deskbell", "deskbell.h")


class Header:
    def __init__(self, path=HEADER):
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", " ", f.read(), flags=re.S)
        self.functions = sorted(set(re.findall(r"DESKBELL_API\s[^;{]*?\b(deskbell_\w+)\s*\(", text)))
        self.enums = {name: {c: int(v) for c, v in re.findall(r"(DESKBELL_\w+)\s*=\s*(-?\d+)", body)}
                      for name, body in re.findall(r"\benum (deskbell_\w+)\s*\{(.*?)\}", text, flags=re.S)}
        self.structs = {}
        for name, body in re.findall(r"\bstruct (deskbell_\w+)\s*\{(.*?)\n\};", text, flags=re.S):
            self.structs[name] = [m for d in body.split(";") for m in members(d)]
        if len(self.functions) < 40 or len(self.enums) < 8 or len(self.structs) < 15:
            raise AssertionError("the header is not written as this reader expects")


def members(declaration):
    """The names that one declaration of a struct makes."""
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    if pointer:
        return [pointer.group(1)]
    return re.findall(r"(\w+)\s*(?:\[\w+\])?\s*(?=,|$)", declaration.strip())
