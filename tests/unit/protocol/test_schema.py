# SPDX-License-Identifier: Apache-2.0
"""The generator refuses a schema that breaks a rule, and the check against a released version finds every breach."""
import copy
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "protocol" / "generator"))
import compatible  # noqa: E402
import emit_c  # noqa: E402
import emit_docs  # noqa: E402
import emit_ts  # noqa: E402
import schema as schemas  # noqa: E402

SCHEMA = ROOT / "protocol" / "schema"


def spoiled(name, change):
    """The schema with one file changed by `change`, loaded."""
    with tempfile.TemporaryDirectory() as folder:
        copy_of = Path(folder) / "schema"
        shutil.copytree(SCHEMA, copy_of)
        path = copy_of / f"{name}.json"
        value = json.loads(path.read_text(encoding="utf-8"))
        change(value)
        path.write_text(json.dumps(value), encoding="utf-8")
        return schemas.load(copy_of)


def put(*path, value):
    def change(tree):
        for key in path[:-1]:
            tree = tree[key]
        tree[path[-1]] = value
    return change


def drop(*path):
    def change(tree):
        for key in path[:-1]:
            tree = tree[key]
        del tree[path[-1]]
    return change


SEND = ("methods", "message.send")
CHOICE = ("types", "choice", "fields")
INT = {"type": "int", "min": 0, "max": 9, "doc": "a number"}

REFUSED = {
    "an unknown attribute of a method": ("methods", put(*SEND, "colour", value="red"), "unknown attribute 'colour'"),
    "an unknown attribute of a field": ("types", put(*CHOICE, "id", "colour", value=1), "unknown attribute 'colour'"),
    "an attribute of another type": ("types", put(*CHOICE, "id", "min", value=1), "unknown attribute 'min'"),
    "an unknown type": ("types", put(*CHOICE, "id", "type", value="string"), "unknown type 'string'"),
    "a field without documentation": ("types", drop(*CHOICE, "id", "doc"), "lacks 'doc'"),
    "an unknown limit": ("types", put(*CHOICE, "id", "max_bytes", value="@no_such"), "no limit 'no_such'"),
    "a text without bound": ("types", drop(*CHOICE, "id", "max_bytes"), "needs max_bytes or max_points"),
    "a reference to no type":
        ("types", put(*CHOICE, "x", value={"type": "object", "of": "y", "doc": "d"}), "no type 'y'"),
    "a type that contains itself": ("types", put(*CHOICE, "x", value={"type": "object", "of": "choice", "doc": "d"}),
                                    "contains itself"),
    "a C word as a name": ("types", put(*CHOICE, "default", value=INT), "is not a name"),
    "a name with capitals": ("types", put(*CHOICE, "newName", value=INT), "is not a name"),
    "two members that clash in C": ("types", put(*CHOICE, "has_id", value=INT), "clashes"),
    "a range upside down": ("types", put(*CHOICE, "x", value={**INT, "min": 10}), "min is above max"),
    "a number no reader keeps": ("types", put(*CHOICE, "x", value={**INT, "max": 2**53}), "whole number or @limit"),
    "an enum with a value twice": ("types", put(*CHOICE, "x", value={"type": "enum", "values": ["a", "a"], "doc": "d"}),
                                   "without repeats"),
    "an enum that says other": ("types", put(*CHOICE, "x", value={"type": "enum", "values": ["other"], "doc": "d"}),
                                "no value of an enum"),
    "an array of arrays": ("types", put(*CHOICE, "x", value={"type": "array", "max_items": 2, "doc": "d", "item": {
        "type": "array", "max_items": 2, "item": {"type": "cmid"}}}), "no arrays of array"),
    "optional said as false": ("types", put(*CHOICE, "id", "optional", value=False), "optional is true or left out"),
    "a required member of content": ("types", drop("types", "content", "fields", "text", "optional"), "are optional"),
    "a method that is neither keyed nor says why":
        ("methods", drop("methods", "feed.read", "why_unkeyed"), "why_unkeyed"),
    "a keyed method that says why not": ("methods", put(*SEND, "why_unkeyed", value="x"), "why_unkeyed"),
    "a keyed method without cmid": ("methods", drop(*SEND, "params", "cmid"), "needs a param cmid"),
    "a keyed method with optional cmid":
        ("methods", put(*SEND, "params", "cmid", "optional", value=True), "param cmid"),
    "a keyed method on a reader": ("methods", put(*SEND, "runs", value="read"), "runs on the desk"),
    "a remembered result of twenty KiB": ("methods", put("methods", "key.add", "result", "note", value={
        "type": "word", "max_bytes": 20480, "doc": "d"}), "16384 bytes at most"),
    "a notification with a result": ("methods", put("methods", "typing", "result", value={}), "a notification has no"),
    "a request without a result": ("methods", drop(*SEND, "result"), "a request has a result"),
    "an unknown caller": ("methods", put(*SEND, "who", value=["king"]), "unknown 'king'"),
    "an unknown error": ("methods", put(*SEND, "errors", value=["OOPS"]), "unknown 'OOPS'"),
    "an unknown thread": ("methods", put(*SEND, "runs", value="moon"), "runs is one of"),
    "a member that is also included": ("methods", put(*SEND, "params", "text", value=INT), "in what it includes"),
    "two structs of one name":
        ("types", put("types", "typing", value={"doc": "d", "fields": {"x": INT}}), "also made by"),
    "an event for nobody": ("events", put("events", "typing", "to", value=[]), "list without repeats of at least 1"),
    "an event with an unknown include":
        ("events", put("events", "entry", "include", value="nothing"), "no type 'nothing'"),
    "an entry in no log": ("entries", put("kinds", "text", "log", value=[]), "at least 1"),
    "an entry in an unknown log": ("entries", put("kinds", "text", "log", value=["secret"]), "unknown 'secret'"),
    "an entry that needs no member of content":
        ("entries", put("kinds", "text", "needs", value=["smell"]), "unknown 'smell'"),
    "an entry that needs and may the same": ("entries", put("kinds", "text", "may", value=["text"]), "overlap"),
    "an entry with the number of another": ("entries", put("kinds", "card", "number", value=1), "stands twice"),
    "a message without fallback": ("entries", put("kinds", "card", "needs", value=["card"]), "needs fallback_text"),
    "a kind without a row of its own": ("entries", drop("kinds", "text", "unread"), "lacks 'unread'"),
    "an error of no class": ("errors", lambda tree: tree["errors"][0].update({"class": "maybe"}), "permanent or retry"),
    "two errors with one code": ("errors", lambda tree: tree["errors"][5].update(code=1), "same code"),
    "a limit of zero": ("limits", put("limits", "depth", "value", value=0), "above 0"),
    "a limit that is no number": ("limits", put("limits", "depth", "value", value=1.5), "whole number"),
}


class TheGeneratorRefuses(unittest.TestCase):
    def test_every_breach_of_a_rule(self):
        for what, (name, change, reason) in REFUSED.items():
            with self.subTest(what):
                with self.assertRaises(schemas.SchemaError) as caught:
                    spoiled(name, change)
                self.assertIn(reason, str(caught.exception))

    def test_a_member_that_stands_twice_in_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.json"
            path.write_text('{"a": 1, "a": 2}', encoding="utf-8")
            with self.assertRaises(schemas.SchemaError):
                schemas.read_json(path)

    def test_nothing_in_the_schema_as_it_is(self):
        schema = schemas.load(SCHEMA)
        self.assertTrue(emit_c.header(schema) and emit_c.source(schema) and emit_ts.declarations(schema))
        for name, text in emit_docs.documents(schema).items():
            if name.endswith(".json"):
                json.loads(text)


KEPT = compatible.snapshot(schemas.load(SCHEMA))
NEW_FIELD = {"type": "int", "min": 0, "max": 9, "optional": True}


def breaches(change):
    new = copy.deepcopy(KEPT)
    change(new)
    return compatible.breaches(KEPT, new)


PARAMS = ("methods", "message.send", "params", "fields")

ALLOWED = {
    "an optional param": put(*PARAMS, "mood", value=NEW_FIELD),
    "an optional field of a result": put("methods", "message.send", "result", "fields", "mood", value=NEW_FIELD),
    "an optional field of a type": put("types", "entry", "fields", "mood", value=NEW_FIELD),
    "a value at the end of an enum":
        lambda tree: tree["types"]["form_field"]["fields"]["input"]["values"].append("phone"),
    "an event": put("events", "thunder", value={}),
    "a method": put("methods", "message.pin", value={}),
    "a kind": put("entries", "poem", value={}),
    "an error": put("errors", "too_sad", value={}),
    "a close code": put("closes", "too_sad", value=4999),
    "a limit": put("limits", "poems", value=3),
    "another caller": lambda tree: tree["methods"]["feed.read"]["who"].append("app"),
    "another error of a method": lambda tree: tree["methods"]["feed.read"]["errors"].append("LOCKED"),
    "another sender of a kind": lambda tree: tree["entries"]["card"]["from"].append("customer"),
    "a member that a kind may carry": lambda tree: tree["entries"]["card"]["may"].append("text"),
    "a method over HTTP too": put("methods", "session.renew", "http", value=True),
}

FORBIDDEN = {
    "a required param": put(*PARAMS, "mood", value={"type": "int", "min": 0, "max": 9}),
    "a param taken away": drop(*PARAMS, "after"),
    "a param made required": drop(*PARAMS, "after", "optional"),
    "a param of another type": put(*PARAMS, "key", value={"type": "cmid", "optional": True}),
    "a narrower param": put(*PARAMS, "key", "max_bytes", value=8),
    "an included type dropped": put("methods", "message.send", "params", "include", value=None),
    "a field of a type taken away": drop("types", "entry", "fields", "ts"),
    "an item of another type": put("types", "filled", "fields", "values", "item", value={"type": "cmid"}),
    "a value of an enum taken away": lambda tree: tree["types"]["form_field"]["fields"]["input"]["values"].pop(),
    "a value put before others": lambda tree: tree["types"]["form_field"]["fields"]["input"]["values"].insert(0, "x"),
    "a method taken away": drop("methods", "feed.read"),
    "a method keyed otherwise": put("methods", "message.send", "keyed", value="done"),
    "a method that becomes a notification": put("methods", "feed.read", "kind", value="notification"),
    "a method no longer over HTTP": put("methods", "message.send", "http", value=False),
    "a caller sent away": lambda tree: tree["methods"]["feed.read"]["who"].remove("bot"),
    "an event taken away": drop("events", "heartbeat"),
    "an event kept from customers": put("events", "entry", "to", value=["staff"]),
    "a kind taken away": drop("entries", "card"),
    "a kind with another number": put("entries", "card", "number", value=99),
    "a kind that needs more": lambda tree: tree["entries"]["card"]["needs"].append("text"),
    "a kind that counts otherwise": put("entries", "edit", "unread", value=True),
    "an error of another class": put("errors", "rate_limited", "class", value="permanent"),
    "an error of another code": put("errors", "rate_limited", "code", value=99),
    "a close code taken away": drop("closes", "drain"),
    "a limit changed": put("limits", "text_bytes", value=100),
    "a limit taken away": drop("limits", "text_bytes"),
}


class AReleasedVersionKeepsItsPromise(unittest.TestCase):
    def test_nothing_changed_breaks_nothing(self):
        self.assertEqual([], breaches(lambda tree: None))

    def test_additions_are_allowed(self):
        for what, change in ALLOWED.items():
            with self.subTest(what):
                self.assertEqual([], breaches(change))

    def test_everything_else_is_found(self):
        for what, change in FORBIDDEN.items():
            with self.subTest(what):
                self.assertEqual(1, len(breaches(change)))


if __name__ == "__main__":
    unittest.main()
