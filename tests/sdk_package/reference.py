# SPDX-License-Identifier: Apache-2.0
"""The header as a manual: `reference.py doxygen|contracts`.

doxygen     the reference is made without a warning, and every public function is in it with its text.
contracts   every public function has a comment of its own or shares that of the one above it; one that returns an error
            code names its errors, or says that it always succeeds; every error it names exists.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SDK = os.path.join(ROOT, "client-sdk")
HEADERS = [os.path.join(SDK, "include", "deskbell", name) for name in ("deskbell.h", "bot.h", "desk.h")]
SKIPPED = 77
DECLARATION = re.compile(r"((?:/\*(?:[^*]|\*(?!/))*\*/\s*)?)DESKBELL_API ([^;(]*?)\b(deskbell_\w+)\(([^;]*)\);")


class Failed(Exception):
    """The header does not say what a caller has to know."""


def need(condition, text):
    if not condition:
        raise Failed(text)


def read_header():
    text = ""
    for path in HEADERS:
        with open(path, encoding="utf-8") as f:
            text += f.read()
    return text


def contracts():
    """[(function, returned type, comment)]; a function without a comment has that of the one above it."""
    found, comment, end, header = [], "", 0, read_header()
    for match in DECLARATION.finditer(header):
        before, returns, name, _ = match.groups()
        own = " ".join(re.sub(r"\n \*", " ", before).split())
        if own or header[end:match.start()].strip(" ") != "\n":
            comment = own
        end = match.end()
        found.append((name, returns.strip(), comment))
    return found


def error_names():
    return set(re.findall(r"^\s+DESKBELL_E_(\w+) = -\d+", read_header(), re.M))


def named_errors(functions, name):
    """The errors that a function's comment names, also by "as deskbell_x"."""
    comment = functions[name]
    at = comment.find("Errors:")
    if at < 0:
        return set()
    text = comment[at:]
    names = set(re.findall(r"\b(" + "|".join(sorted(error_names(), key=len, reverse=True)) + r")\b", text))
    for other in re.findall(r"^Errors: as (deskbell_\w+)", text):
        need(other in functions, f"{name}: there is no {other}")
        if other != name:
            names |= named_errors(functions, other)
    return names


def test_contracts():
    rows = contracts()
    functions = {name: comment for name, _, comment in rows}
    need(len(rows) > 30, "the header was not understood")
    for name, returns, comment in rows:
        need(comment, f"{name} has no comment")
        if returns != "int" or name in ("deskbell_fd", "deskbell_link_text"):
            continue  # these two return no error code
        need("Errors:" in comment or "Always DESKBELL_OK" in comment or "DESKBELL_E_" in comment,
             f"{name} does not name its errors")
        for word in re.findall(r"\b[A-Z_]{4,}\b", comment[comment.find("Errors:"):] if "Errors:" in comment else ""):
            known = error_names() | set(re.findall(r"\bDESKBELL_(?:E_)?(\w+)\b", read_header()))
            need(word in known or word.startswith("DESKBELL") or word in ("NULL", "UTF"), f"{name} names {word}")
    print(f"{len(rows)} functions, {sum(bool(named_errors(functions, n)) for n in functions)} name their errors")


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def test_doxygen():
    if not shutil.which("doxygen"):
        print("skipped: doxygen is not installed")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(SDK, "Doxyfile"), encoding="utf-8") as f:
            settings = f.read() + f"\nOUTPUT_DIRECTORY = {folder}\nGENERATE_XML = YES\n"
        done = subprocess.run(["doxygen", "-"], input=settings, capture_output=True, text=True, cwd=SDK, check=False)
        need(done.returncode == 0 and not done.stderr.strip(), f"doxygen: {done.stderr[-3000:]}")
        described = {}
        for name in ("deskbell_8h.xml", "bot_8h.xml", "desk_8h.xml"):
            for member in ET.parse(os.path.join(folder, "xml", name)).iter("memberdef"):
                if member.get("kind") == "function":
                    described[member.findtext("name")] = text_of(member.find("briefdescription")) + text_of(
                        member.find("detaileddescription"))
    for name, _, comment in contracts():
        need(name in described, f"{name} is not in the reference")
    own = {n for before, _, n, _ in DECLARATION.findall(read_header()) if before}
    for name in own:
        need(described[name], f"the reference says nothing of {name}")
    print(f"{len(described)} functions in the reference")


if __name__ == "__main__":
    try:
        {"doxygen": test_doxygen, "contracts": test_contracts}[sys.argv[1]]()
    except Failed as e:
        print(f"FAILED: {e}")
        sys.exit(1)
