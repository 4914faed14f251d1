# SPDX-License-Identifier: Apache-2.0
"""Whether a schema keeps what a released one promised: within a version only optional params, result fields, events,
kinds, values and errors are added. Sentences of documentation may change; numbers, names and types may not."""
import json


def bare(field):
    """A field without its documentation."""
    out = {key: value for key, value in field.items() if key not in ("doc", "c_enum")}
    if "item" in out:
        out["item"] = bare(out["item"])
    return out


def fields(owner):
    return {"include": owner["include"], "fields": {name: bare(field) for name, field in owner["fields"].items()}}


def snapshot(schema):
    methods = {}
    for name, spec in schema.methods.items():
        methods[name] = {key: spec[key] for key in ("since", "kind", "who", "keyed", "http")}
        methods[name]["needs"] = spec.get("needs")
        methods[name].update(errors=spec.get("errors", []), params=fields(spec["call"]),
                             result=fields(spec["answer"]) if spec["answer"] else None)
    return {
        "limits": {name: limit["value"] for name, limit in schema.limits.items()},
        "types": {name: fields(spec) for name, spec in schema.types.items()},
        "methods": methods,
        "events": {name: {"since": spec["since"], "to": spec["to"], "params": fields(spec["body"])}
                   for name, spec in schema.events.items()},
        "entries": {name: {key: value for key, value in spec.items() if key != "doc"}
                    for name, spec in schema.entries.items()},
        "errors": {row["tag"]: {key: row[key] for key in ("code", "class", "http")} for row in schema.errors},
        "closes": {row["tag"]: row["code"] for row in schema.closes},
    }


def snapshot_text(schema):
    return json.dumps(snapshot(schema), indent=1, ensure_ascii=False) + "\n"


class Comparison:
    def __init__(self):
        self.found = []

    def say(self, where, what):
        self.found.append(f"{where}: {what}")

    def gone(self, where, old, new):
        """Names of `old` that are still there; the others are told."""
        for name in old:
            if name in new:
                yield name
            else:
                self.say(f"{where}.{name}", "was released and is gone")

    def same(self, where, old, new, keys):
        for key in keys:
            if old[key] != new[key]:
                self.say(where, f"{key} was {old[key]!r} and is {new[key]!r}")

    def grows(self, where, old, new):
        lost = [item for item in old if item not in new]
        if lost:
            self.say(where, f"lost {', '.join(map(str, lost))}")

    def field(self, where, old, new):
        if old.get("type") != new.get("type"):
            self.say(where, f"type was {old.get('type')} and is {new.get('type')}")
            return
        for key in sorted(set(old) | set(new)):
            if key == "item":
                self.field(f"{where}[]", old["item"], new["item"])
            elif key == "values" and isinstance(old["values"], list) and isinstance(new["values"], list):
                if new["values"][:len(old["values"])] != old["values"]:
                    self.say(where, "values may only be added at the end")
            elif old.get(key) != new.get(key):
                self.say(where, f"{key} was {old.get(key)!r} and is {new.get(key)!r}")

    def owner(self, where, old, new):
        self.same(where, old, new, ["include"])
        for name in self.gone(where, old["fields"], new["fields"]):
            self.field(f"{where}.{name}", old["fields"][name], new["fields"][name])
        for name, field in new["fields"].items():
            if name not in old["fields"] and not field.get("optional"):
                self.say(f"{where}.{name}", "is new and has to be optional")

    def method(self, where, old, new):
        self.same(where, old, new, ["since", "kind", "keyed"])
        if old["http"] and not new["http"]:
            self.say(where, "could be called over HTTP")
        self.grows(f"{where}.who", old["who"], new["who"])
        self.owner(where, old["params"], new["params"])
        if (old["result"] is None) != (new["result"] is None):
            self.say(where, "had or had not a result")
        elif old["result"]:
            self.owner(f"{where}.result", old["result"], new["result"])

    def entry(self, where, old, new):
        self.same(where, old, new, ["number", "unread", "needs"])
        for key in ("log", "from", "may"):
            self.grows(f"{where}.{key}", old[key], new[key])


def breaches(old, new):
    """Sentences about what `new` breaks of `old`; empty when nothing."""
    compare = Comparison()
    for name in compare.gone("limits", old["limits"], new["limits"]):
        compare.same(f"limits.{name}", old["limits"], new["limits"], [name])
    for name in compare.gone("types", old["types"], new["types"]):
        compare.owner(f"types.{name}", old["types"][name], new["types"][name])
    for name in compare.gone("methods", old["methods"], new["methods"]):
        compare.method(f"methods.{name}", old["methods"][name], new["methods"][name])
    for name in compare.gone("events", old["events"], new["events"]):
        compare.same(f"events.{name}", old["events"][name], new["events"][name], ["since"])
        compare.grows(f"events.{name}.to", old["events"][name]["to"], new["events"][name]["to"])
        compare.owner(f"events.{name}", old["events"][name]["params"], new["events"][name]["params"])
    for name in compare.gone("entries", old["entries"], new["entries"]):
        compare.entry(f"entries.{name}", old["entries"][name], new["entries"][name])
    for tag in compare.gone("errors", old["errors"], new["errors"]):
        compare.same(f"errors.{tag}", old["errors"][tag], new["errors"][tag], ["code", "class", "http"])
    for tag in compare.gone("closes", old["closes"], new["closes"]):
        compare.same("closes", old["closes"], new["closes"], [tag])
    return compare.found
