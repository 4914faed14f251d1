# SPDX-License-Identifier: Apache-2.0
"""Writes what every bot knows without its author (packs/always, packs/says) as one C file.

    embed_words.py PACKS OUT.c
"""
import pathlib
import sys


def c_text(text):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in text.encode())


def table(folder, name):
    languages = sorted(path.stem for path in folder.glob("*.txt"))
    for lang in languages:
        yield f"static const char {name}_{lang}[] ="
        for line in (folder / f"{lang}.txt").read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield f'        "{c_text(line.strip())}\\n"'
        yield "        ;"
    yield f"const struct bot_lines bot_{name}[] = {{"
    for lang in languages:
        yield f'        {{"{lang}", {{{name}_{lang}, sizeof({name}_{lang}) - 1}}}},'
    yield "        {0},\n};"


def main(packs, out):
    packs = pathlib.Path(packs)
    lines = ["/* Made by bots/packs/embed_words.py. */", '#include "lines.h"', ""]
    for name in ("always", "says"):
        lines += table(packs / name, name)
    pathlib.Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
