# SPDX-License-Identifier: Apache-2.0
"""Writes the packs as one C file: the off-topic lines by language, and the word classes as a sorted table of every
form of every word.

    embed.py PACKS OUT.c
"""
import pathlib
import sys

VOWELS = "aeiou"


def forms(word):
    """The word and what English makes of it by rule."""
    made = {word}
    if len(word) < 3 or not word.isalpha():
        return made
    if word.endswith("y") and word[-2] not in VOWELS:
        made |= {word[:-1] + "ies", word[:-1] + "ied", word + "ing"}
    elif word.endswith(("s", "x", "z", "ch", "sh")):
        made |= {word + "es", word + "ed", word + "ing"}
    elif word.endswith("e"):
        made |= {word + "s", word + "d", word[:-1] + "ing"}
    else:
        made |= {word + "s", word + "ed", word + "ing"}
        if word[-1] not in VOWELS + "wxy" and word[-2] in VOWELS and word[-3] not in VOWELS:
            made |= {word + word[-1] + "ed", word + word[-1] + "ing"}
    return made


def read_classes(path):
    """(name, words) of every line `name: word word`; a word with `=` before it stands as it is."""
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, _, words = line.partition(":")
            yield name.strip(), words.split()


def class_rows(folder):
    table, names = {}, []
    for path in sorted(folder.glob("*.txt")):
        for name, words in read_classes(path):
            if name not in names:
                names.append(name)
            number = names.index(name) + 1
            for word in words:
                for form in ({word[1:]} if word.startswith("=") else forms(word)):
                    kept = table.setdefault(form, [])
                    if number not in kept:
                        kept.append(number)
    return [(word, number) for word in sorted(table) for number in table[word]]


def c_text(text):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in text.encode())


def main(packs, out):
    packs = pathlib.Path(packs)
    lines = ["/* Made by bots/packs/embed.py. */", '#include "packs.h"', ""]
    languages = []
    for path in sorted((packs / "offtopic").glob("*.txt")):
        languages.append(path.stem)
        lines.append(f"static const char off_topic_{path.stem}[] =")
        kept = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        lines += [f'        "{c_text(line)}\\n"' for line in kept]
        lines[-1] += ";"
    lines += ["", "const struct bot_pack bot_packs[] = {"]
    lines += [f'        {{"{name}", off_topic_{name}, sizeof(off_topic_{name}) - 1}},' for name in languages]
    lines += ["};", f"const size_t bot_packs_count = {len(languages)};", ""]
    rows = class_rows(packs / "words")
    lines.append("const struct bot_class_row bot_class_rows[] = {")
    lines += [f'        {{"{c_text(word)}", {number}}},' for word, number in rows]
    lines += ["};", f"const size_t bot_class_rows_count = {len(rows)};", ""]
    pathlib.Path(out).write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
