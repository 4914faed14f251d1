# SPDX-License-Identifier: Apache-2.0
"""Reads and checks the schema of the protocol (protocol/schema/*.json).

What comes out of load() is whole: every "@name" is a number, every reference is known to exist, and every rule of the
design that can be read off the schema holds. Anything else ends in SchemaError with the place and the reason.
"""
import json
import re
from pathlib import Path

C_WORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool
true false""".split())
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}\Z")
DOTTED = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?\Z")
UPPER = re.compile(r"[A-Z][A-Z0-9_]*\Z")
TAG = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")

# Attributes of a field by type: those it must have, those it may have ("doc" and "optional" aside).
ATTRIBUTES = {
    "int": ({"min", "max"}, set()),
    "bool": (set(), set()),
    "text": (set(), {"min_bytes", "max_bytes", "max_points"}),
    "word": (set(), {"min_bytes", "max_bytes", "max_points"}),
    "url": ({"max_bytes"}, {"min_bytes"}),
    "id": ({"prefix"}, set()),
    "principal": (set(), set()),
    "cmid": (set(), set()),
    "hex": ({"bytes"}, set()),
    "enum": ({"values"}, set()),
    "object": ({"of"}, set()),
    "array": ({"item", "max_items"}, {"min_items"}),
}
WHO = ["customer", "agent", "bot", "app", "anyone", "operator"]
FROM = ["customer", "agent", "bot", "server"]
LOGS = ["public", "team"]
KEYED = ["no", "log", "done"]
RUNS = ["net", "desk", "read"]
SAFE_INTEGER = 2**53 - 1
DONE_RESULT_BYTES = 16384  # what is remembered of a keyed method, at most; most answers have less than 100
INCLUDE_LEVELS = 4  # as in shape.c


class SchemaError(Exception):
    pass


def fail(where, why):
    raise SchemaError(f"{where}: {why}")


def c_name(name):
    return name.replace(".", "_")


def no_twice(pairs):
    seen = {}
    for key, value in pairs:
        if key in seen:
            fail(key, "stands twice in one object")
        seen[key] = value
    return seen


def read_json(path):
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=no_twice)
    except ValueError as error:
        fail(path, error)


def check_keys(where, value, must, may=frozenset()):
    if not isinstance(value, dict):
        fail(where, "has to be an object")
    for key in must:
        if key not in value:
            fail(where, f"lacks '{key}'")
    for key in value:
        if key not in must and key not in may:
            fail(where, f"unknown attribute '{key}'")
    if "doc" in value and not (isinstance(value["doc"], str) and value["doc"].strip()):
        fail(where, "doc has to be a sentence")


def check_name(where, name, pattern=NAME):
    if not pattern.match(name) or name in C_WORDS:
        fail(where, f"'{name}' is not a name")


def check_list(where, value, allowed, least=0):
    if not isinstance(value, list) or len(value) < least or len(set(value)) != len(value):
        fail(where, "has to be a list without repeats" + (f" of at least {least}" if least else ""))
    for item in value:
        if item not in allowed:
            fail(where, f"unknown '{item}'")


class Schema:
    """limits, types, methods, events, entries, errors, closes: dictionaries in the order of the files."""

    def __init__(self, folder):
        files = {name: read_json(Path(folder) / f"{name}.json")
                 for name in ("limits", "types", "methods", "events", "entries", "errors", "permissions")}
        for path in sorted(Path(folder).glob("desk/*.json")):
            self.add_part(files, path)
        self.load_limits(files["limits"])
        self.load_permissions(files["permissions"])
        self.load_errors(files["errors"])
        self.load_types(files["types"])
        self.load_methods(files["methods"])
        self.load_events(files["events"])
        self.load_entries(files["entries"])
        self.resolve_all()
        self.check_all()

    # ---- reading -----------------------------------------------------------------------------------------------
    @staticmethod
    def add_part(files, path):
        """The desk's nouns have a file each: its types, methods and events stand behind those of the base files."""
        part = read_json(path)
        check_keys(path.name, part, {"doc"}, {"types", "methods", "events"})
        for section in ("types", "methods", "events"):
            for name, spec in part.get(section, {}).items():
                if name in files[section][section]:
                    fail(f"{path.name}: {section}.{name}", "stands in another file too")
                files[section][section][name] = spec

    def load_permissions(self, file):
        check_keys("permissions.json", file, {"doc", "permissions"})
        self.permissions = file["permissions"]
        for name, doc in self.permissions.items():
            check_name(f"permissions.{name}", name)
            if not (isinstance(doc, str) and doc.strip()):
                fail(f"permissions.{name}", "needs a sentence")
        if len(self.permissions) > 31:
            fail("permissions.json", "at most 31 permissions")

    def load_limits(self, file):
        check_keys("limits.json", file, {"doc", "limits"})
        self.limits = {}
        for name, limit in file["limits"].items():
            where = f"limits.{name}"
            check_name(where, name)
            check_keys(where, limit, {"value", "doc"})
            if type(limit["value"]) is not int or not 0 < limit["value"] <= SAFE_INTEGER:
                fail(where, "value has to be a whole number above 0")
            self.limits[name] = limit

    def load_errors(self, file):
        check_keys("errors.json", file, {"doc", "errors", "closes"})
        self.errors, self.closes = file["errors"], file["closes"]
        for group, must in ((self.errors, {"name", "code", "tag", "class", "http", "text"}),
                            (self.closes, {"name", "code", "tag", "client"})):
            for key in ("name", "code", "tag"):
                values = [row.get(key) for row in group]
                if len(set(values)) != len(values):
                    fail("errors.json", f"two rows with the same {key}")
            for row in group:
                where = f"errors.{row.get('name')}"
                check_keys(where, row, must)
                check_name(where, row["name"], UPPER)
                check_name(where, row["tag"], TAG)
        for row in self.errors:
            where = f"errors.{row['name']}"
            if row["class"] not in ("permanent", "retry"):
                fail(where, "class is permanent or retry")
            if not 400 <= row["http"] <= 599:
                fail(where, "http is a status of 400-599")
            if not (-32768 <= row["code"] <= -32000 or 0 < row["code"] < 10000):
                fail(where, "code is one of JSON-RPC's or 1-9999")
        for row in self.closes:
            if not 4000 <= row["code"] <= 4999:
                fail(f"closes.{row['name']}", "code is 4000-4999")

    def load_types(self, file):
        check_keys("types.json", file, {"doc", "types"})
        self.types = {}
        for name, spec in file["types"].items():
            where = f"types.{name}"
            check_name(where, name)
            check_keys(where, spec, {"doc", "fields"}, {"include"})
            self.types[name] = {"doc": spec["doc"], "include": spec.get("include"), "fields": spec["fields"]}

    def load_methods(self, file):
        check_keys("methods.json", file, {"doc", "methods"})
        self.methods = {}
        for name, spec in file["methods"].items():
            where = f"methods.{name}"
            check_name(where, name, DOTTED)
            check_keys(where, spec, {"since", "kind", "who", "keyed", "runs", "http", "doc", "params"},
                       {"why_unkeyed", "result", "errors", "include", "needs"})
            self.check_method(where, spec)
            self.methods[name] = dict(spec)

    def check_method(self, where, spec):
        if type(spec["since"]) is not int or spec["since"] < 1:
            fail(where, "since is a version from 1")
        if spec["kind"] not in ("request", "notification"):
            fail(where, "kind is request or notification")
        check_list(f"{where}.who", spec["who"], WHO, 1)
        if spec["keyed"] not in KEYED:
            fail(where, f"keyed is one of {KEYED}")
        if (spec["keyed"] == "no") != ("why_unkeyed" in spec):
            fail(where, "keyed log or done, or else why_unkeyed: exactly one of them")
        if spec["runs"] not in RUNS:
            fail(where, f"runs is one of {RUNS}")
        if spec["keyed"] != "no" and spec["runs"] != "desk":
            fail(where, "what is keyed runs on the desk")
        if "needs" in spec and (spec["needs"] not in self.permissions or "agent" not in spec["who"]):
            fail(where, "needs is a permission of agents")
        if type(spec["http"]) is not bool:
            fail(where, "http is true or false")
        check_list(f"{where}.errors", spec.get("errors", []), [row["name"] for row in self.errors])
        if spec["kind"] == "notification":
            if "result" in spec or "errors" in spec or spec["http"] or spec["keyed"] != "no":
                fail(where, "a notification has no result, no errors, no HTTP form and no key")
        elif "result" not in spec or "errors" not in spec:
            fail(where, "a request has a result and a list of errors")
        if spec["keyed"] != "no":
            key = spec["params"].get("cmid")
            if not key or key.get("type") != "cmid" or key.get("optional"):
                fail(where, "what is keyed needs a param cmid of type cmid that is not optional")

    def load_events(self, file):
        check_keys("events.json", file, {"doc", "events"})
        self.events = {}
        for name, spec in file["events"].items():
            where = f"events.{name}"
            check_name(where, name, DOTTED)
            check_keys(where, spec, {"since", "to", "doc", "params"}, {"include"})
            check_list(f"{where}.to", spec["to"], ["customer", "staff"], 1)
            self.events[name] = dict(spec)

    def load_entries(self, file):
        check_keys("entries.json", file, {"doc", "kinds"})
        self.entries = {}
        content = self.types.get("content")
        if not content:
            fail("entries.json", "types.json has no type 'content'")
        for name, spec in file["kinds"].items():
            where = f"entries.{name}"
            check_name(where, name)
            check_keys(where, spec, {"number", "log", "unread", "from", "needs", "may", "doc"})
            if type(spec["number"]) is not int or not 1 <= spec["number"] <= 255:
                fail(where, "number is 1-255")
            if type(spec["unread"]) is not bool:
                fail(where, "unread is true or false")
            check_list(f"{where}.log", spec["log"], LOGS, 1)
            check_list(f"{where}.from", spec["from"], FROM, 1)
            check_list(f"{where}.needs", spec["needs"], content["fields"])
            check_list(f"{where}.may", spec["may"], content["fields"])
            if set(spec["needs"]) & set(spec["may"]):
                fail(where, "needs and may overlap")
            if "server" not in spec["from"] and name != "text" and "fallback_text" not in spec["needs"]:
                fail(where, "every kind but text needs fallback_text")
            self.entries[name] = spec
        numbers = [spec["number"] for spec in self.entries.values()]
        if len(set(numbers)) != len(numbers):
            fail("entries.json", "a number stands twice")

    # ---- resolving ---------------------------------------------------------------------------------------------
    def resolve_all(self):
        for where, owner in self.owners():
            for name, field in owner["fields"].items():
                check_name(where, name)
                owner["fields"][name] = self.resolve_field(f"{where}.{name}", field, False)

    def owners(self):
        """Every (place, {include, fields}) of the schema; makes those of methods and events on first use."""
        for name, spec in self.types.items():
            yield f"types.{name}", spec
        for name, spec in self.methods.items():
            if "call" not in spec:
                spec["call"] = {"include": spec.get("include"), "fields": spec["params"]}
                spec["answer"] = {"include": None, "fields": spec["result"]} if "result" in spec else None
            yield f"methods.{name}", spec["call"]
            if spec["answer"]:
                yield f"methods.{name}.result", spec["answer"]
        for name, spec in self.events.items():
            if "body" not in spec:
                spec["body"] = {"include": spec.get("include"), "fields": spec["params"]}
            yield f"events.{name}", spec["body"]

    def number(self, where, value):
        if isinstance(value, str) and value.startswith("@"):
            if value[1:] not in self.limits:
                fail(where, f"no limit '{value[1:]}'")
            return self.limits[value[1:]]["value"]
        if type(value) is not int or abs(value) > SAFE_INTEGER:
            fail(where, "has to be a whole number or @limit")
        return value

    def resolve_field(self, where, field, is_item):
        kind = field.get("type") if isinstance(field, dict) else None
        if kind not in ATTRIBUTES:
            fail(where, f"unknown type '{kind}'")
        must, may = ATTRIBUTES[kind]
        check_keys(where, field, must | ({"type"} if is_item else {"type", "doc"}),
                   may if is_item else may | {"optional"})
        out = dict(field)
        if "optional" in field and field["optional"] is not True:
            fail(where, "optional is true or left out")
        for key in ("min", "max", "min_bytes", "max_bytes", "max_points", "bytes", "min_items", "max_items"):
            if key in out:
                out[key] = self.number(f"{where}.{key}", out[key])
        getattr(self, f"check_{kind}", lambda *_: None)(where, out)
        return out

    def check_int(self, where, field):
        if field["min"] > field["max"]:
            fail(where, "min is above max")

    def check_text(self, where, field):
        if "max_bytes" not in field and "max_points" not in field:
            fail(where, "needs max_bytes or max_points")
        field.setdefault("min_bytes", 0)
        field.setdefault("max_bytes", 4 * field.get("max_points", 0))
        field.setdefault("max_points", field["max_bytes"])
        if not 0 <= field["min_bytes"] <= field["max_bytes"]:
            fail(where, "min_bytes is above max_bytes")

    check_word = check_text
    check_url = check_text

    def check_id(self, where, field):
        if not re.match(r"[a-z]{3}\Z", field["prefix"]):
            fail(where, "prefix is three letters")

    def check_hex(self, where, field):
        if not 1 <= field["bytes"] <= 64:
            fail(where, "bytes is 1-64")

    def check_enum(self, where, field):
        if field["values"] == "@entries":
            return
        values = field["values"]
        if not isinstance(values, list) or not values or len(set(values)) != len(values):
            fail(where, "values is @entries or a list without repeats")
        for value in values:
            if not re.match(r"[A-Za-z][A-Za-z0-9_]{0,31}\Z", value) or value.lower() == "other":
                fail(where, f"'{value}' is no value of an enum")

    def check_object(self, where, field):
        if field["of"] not in self.types:
            fail(where, f"no type '{field['of']}'")

    def check_array(self, where, field):
        field.setdefault("min_items", 0)
        if not 0 <= field["min_items"] <= field["max_items"]:
            fail(where, "min_items is above max_items")
        field["item"] = self.resolve_field(f"{where}[]", field["item"], True)
        if field["item"]["type"] in ("array", "hex", "bool"):
            fail(where, f"no arrays of {field['item']['type']}")

    # ---- rules over the whole ----------------------------------------------------------------------------------
    def check_all(self):
        for where, owner in self.owners():
            if owner["include"] and owner["include"] not in self.types:
                fail(where, f"no type '{owner['include']}'")
        self.order = self.type_order()
        structs = {}
        for where, owner in self.owners():
            self.check_members(where, owner)
            self.check_depth(where, owner)
        for struct, where in self.struct_names():
            if struct in structs:
                fail(where, f"struct protocol_{struct} is also made by {structs[struct]}")
            structs[struct] = where
        for name, field in self.types["content"]["fields"].items():
            if not field.get("optional"):
                fail(f"types.content.{name}", "members of content are optional; the kinds say what they need")
        for name, spec in self.methods.items():
            if spec["keyed"] == "done" and self.size(spec["answer"]) > DONE_RESULT_BYTES:
                fail(f"methods.{name}", f"a remembered result may be {DONE_RESULT_BYTES} bytes at most")
        self.check_enums()

    def struct_names(self):
        for name in self.types:
            yield name, f"types.{name}"
        for name, spec in self.methods.items():
            yield c_name(name), f"methods.{name}"
            if spec["answer"]:
                yield f"{c_name(name)}_result", f"methods.{name}.result"
        for name in self.events:
            yield f"event_{c_name(name)}", f"events.{name}"

    def type_order(self):
        """Types so that each stands behind those it embeds; a circle is an error."""
        order, state = [], {}

        def visit(name, trail):
            if state.get(name) == "done":
                return
            if state.get(name) == "open":
                fail(f"types.{name}", "contains itself: " + " > ".join(trail + [name]))
            state[name] = "open"
            spec = self.types[name]
            parts = [spec["include"]] if spec["include"] else []
            for field in spec["fields"].values():
                field = field.get("item", field)
                if field["type"] == "object":
                    parts.append(field["of"])
            for part in parts:
                visit(part, trail + [name])
            state[name] = "done"
            order.append(name)

        for name in self.types:
            visit(name, [])
        return order

    def flat(self, owner):
        """All members as they stand on the wire: its own, then those included."""
        fields = dict(owner["fields"])
        if owner["include"]:
            for name, field in self.flat(self.types[owner["include"]]).items():
                if name in fields:
                    fail(name, "stands in the struct and in what it includes")
                fields[name] = field
        return fields

    def check_members(self, where, owner):
        try:
            count = len(self.flat(owner))
        except SchemaError as error:
            fail(where, error)
        if len(owner["fields"]) > 64 or count > self.limits["keys"]["value"]:
            fail(where, "too many members")
        if self.include_levels(owner) > INCLUDE_LEVELS:
            fail(where, f"includes more than {INCLUDE_LEVELS} levels deep")
        for name in owner["fields"]:
            for other in owner["fields"]:
                if other in (f"has_{name}", f"{name}_count"):
                    fail(where, f"'{other}' clashes with what is made for '{name}'")

    def include_levels(self, owner):
        return 1 + (self.include_levels(self.types[owner["include"]]) if owner["include"] else 0)

    def depth(self, owner):
        deepest = 0
        for field in self.flat(owner).values():
            extra = 0
            if field["type"] == "array":
                extra, field = 1, field["item"]
            if field["type"] == "object":
                extra += self.depth(self.types[field["of"]])
            deepest = max(deepest, extra)
        return deepest + 1

    def check_depth(self, where, owner):
        if self.depth(owner) + 1 > self.limits["depth"]["value"]:
            fail(where, "nests deeper than the limit allows")

    def size(self, owner):
        """Upper bound of the bytes of an object on the wire."""
        return 2 + sum(len(name) + 4 + self.field_size(field) for name, field in self.flat(owner).items())

    def field_size(self, field):
        kind = field["type"]
        if kind == "array":
            return 2 + field["max_items"] * (1 + self.field_size(field["item"]))
        if kind == "object":
            return self.size(self.types[field["of"]])
        if kind == "text":
            return 2 + 6 * field["max_bytes"]
        if kind in ("word", "url"):
            return 2 + 2 * field["max_bytes"]
        if kind == "hex":
            return 2 + 2 * field["bytes"]
        if kind == "enum":
            return 2 + max(len(value) for value in self.values(field))
        return {"int": 20, "bool": 5, "id": 19, "principal": 19, "cmid": 34}[kind]

    def values(self, field):
        return list(self.entries) if field["values"] == "@entries" else field["values"]

    def enum_owner(self, where):
        parts = where.split(".")
        if parts[0] == "events":
            return "event_" + "_".join(parts[1:])
        if parts[0] == "methods" and parts[-1] == "result":
            parts = parts[:-1]
        return "_".join(parts[1:])

    def check_enums(self):
        """self.enums: C name -> values, for every enum that is not @entries."""
        self.enums = {}
        for where, owner in self.owners():
            for name, field in owner["fields"].items():
                for part in (field, field.get("item", {})):
                    if part.get("type") != "enum":
                        continue
                    if part["values"] == "@entries":
                        part["c_enum"] = "entry_kind"
                        continue
                    enum = f"{self.enum_owner(where)}_{name}"
                    part["c_enum"] = enum
                    if self.enums.setdefault(enum, part["values"]) != part["values"]:
                        fail(f"{where}.{name}", f"enum protocol_{enum} is made twice with other values")


def load(folder):
    return Schema(folder)
