# SPDX-License-Identifier: Apache-2.0
"""Writes the files of ready-made bots (packs/NAME/*.bot) as one C file, for `deskbell bot new` and the demo.

    embed_pack.py PACKS OUT.c NAME...
"""
import pathlib
import sys

from embed_words import c_text


def pack(folder):
    for path in sorted(folder.glob("*.bot")):
        yield f'        {{"{folder.name}", "{path.name}",'
        for line in path.read_text(encoding="utf-8").splitlines():
            yield f'         "{c_text(line)}\\n"'
        yield "        },"


def main(packs, out, *names):
    lines = ["/* Made by bots/packs/embed_pack.py. */", '#include "bots/pack.h"', "",
             "const struct bot_pack_file bot_pack_files[] = {"]
    for name in names:
        lines += pack(pathlib.Path(packs) / name)
    lines += ["        {0},", "};"]
    pathlib.Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
