# SPDX-License-Identifier: Apache-2.0
"""What a schema is, told alike for every dialect: tables with their columns, key, references and indexes."""
import json
import os
import re
import sqlite3

STORE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "server", "store")
TYPES = {"integer": "integer", "bigint": "integer", "text": "text", "blob": "bytes", "bytea": "bytes", "": "any"}


def migrations(dialect):
    folder = os.path.join(STORE, "migrations", dialect)
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            yield name, file.read()


def shared():
    with open(os.path.join(STORE, "migrations", "schema.json"), encoding="utf-8") as file:
        return json.load(file)


def column(kind, is_required, default):
    """`integer, required, 0`: type, whether NULL is refused, default."""
    words = [TYPES[kind.lower()]] + (["required"] if is_required else [])
    if default is not None:
        words.append(re.sub(r"::\w+$", "", str(default)))
    return ", ".join(words)


def condition(text):
    """A WHERE clause without what each engine adds in its own way."""
    if not text:
        return None
    plain = re.sub(r"\s+", " ", re.sub(r"[()]", "", text)).strip().lower()
    listed = re.sub(r"= any array\[([^\]]*)\]", r"in \1", plain)  # as PostgreSQL keeps a list
    return re.sub(r"::\w+", "", listed)


def index(columns, is_unique, where):
    facts = {"columns": columns}
    if is_unique:
        facts["unique"] = True
    if where:
        facts["where"] = condition(where)
    return facts


def of_sqlite():
    db = sqlite3.connect(":memory:")
    for _, text in migrations("sqlite"):
        db.executescript(text)
    tables = {}
    rows = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    for (table,) in rows:
        columns = db.execute(f"PRAGMA table_info({table})").fetchall()
        facts = {"columns": {c[1]: column(c[2], c[3], c[4]) for c in columns},
                 "key": [c[1] for c in sorted((c for c in columns if c[5]), key=lambda c: c[5])],
                 "references": {c[3]: f"{c[2]}.{c[4]}" for c in db.execute(f"PRAGMA foreign_key_list({table})")},
                 "indexes": {}}
        for _, name, is_unique, origin, _ in db.execute(f"PRAGMA index_list({table})").fetchall():
            if origin == "pk":
                continue
            names = [c[2] for c in db.execute(f"PRAGMA index_info({name})")]
            text = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0] or ""
            where = re.search(r"\bWHERE\b(.*)", text, re.S)
            facts["indexes"][name] = index(names, is_unique, where and where.group(1))
        tables[table] = facts
    return tables


def views_of_sqlite():
    """The columns of each view, in their order: statements count them."""
    db = sqlite3.connect(":memory:")
    for _, text in migrations("sqlite"):
        db.executescript(text)
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    return {name: [column[1] for column in db.execute(f"PRAGMA table_info({name})")] for name in names}


def differences(expected, found):
    """Sentences, one a difference."""
    out = []
    for table in sorted(set(expected) | set(found)):
        if table not in found:
            out.append(f"table {table} is missing")
        elif table not in expected:
            out.append(f"table {table} is not described")
        else:
            for part in ("columns", "key", "references", "indexes"):
                a, b = expected[table].get(part, {}), found[table][part]
                if a != b:
                    if isinstance(a, dict):
                        names = sorted(k for k in set(a) | set(b) if a.get(k) != b.get(k))
                        out += [f"{table} {part} {k}: described as {a.get(k)}, is {b.get(k)}" for k in names]
                    else:
                        out.append(f"{table} {part}: described as {a}, is {b}")
    return out
