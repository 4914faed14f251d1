# SPDX-License-Identifier: Apache-2.0
"""Writes protocol.d.ts: the same types for the console and the widget. Types only, nothing that exists at run time."""
from schema import c_name

PRIMITIVES = {"int": "number", "bool": "boolean", "text": "string", "word": "string", "url": "string", "id": "string",
              "principal": "string", "cmid": "string", "hex": "string"}


def pascal(name):
    return "".join(part.capitalize() for part in c_name(name).split("_"))


def union(values):
    return " | ".join(f'"{value}"' for value in values)


def ts_type(field):
    kind = field["type"]
    if kind == "enum":
        return "EntryKind" if field["values"] == "@entries" else union(field["values"])
    if kind == "object":
        return pascal(field["of"])
    if kind == "array":
        inner = ts_type(field["item"])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    return PRIMITIVES[kind]


def interface(name, owner, doc):
    extends = f" extends {pascal(owner['include'])}" if owner["include"] else ""
    lines = [f"/** {doc} */", f"export interface {name}{extends} {{"]
    for member, field in owner["fields"].items():
        lines.append(f"  /** {field['doc']} */")
        lines.append(f"  {member}{'?' if field.get('optional') else ''}: {ts_type(field)};")
    return lines + ["}", ""]


def declarations(schema):
    lines = ["// SPDX-License-Identifier: Apache-2.0",
             "// Made from protocol/schema by protocol/generator; do not edit.", "",
             f"export type EntryKind = {union(schema.entries)};",
             f"export type ErrorTag = {union(row['tag'] for row in schema.errors)};",
             f"export type CloseTag = {union(row['tag'] for row in schema.closes)};", ""]
    for name, spec in schema.types.items():
        lines += interface(pascal(name), spec, spec["doc"])
    for name, spec in schema.methods.items():
        lines += interface(f"{pascal(name)}Params", spec["call"], f"Params of {name}.")
        if spec["answer"]:
            lines += interface(f"{pascal(name)}Result", spec["answer"], f"Result of {name}.")
    for name, spec in schema.events.items():
        lines += interface(f"{pascal(name)}Event", spec["body"], f"Params of the event {name}.")
    lines += ["export interface Methods {"]
    for name, spec in schema.methods.items():
        if spec["answer"]:
            lines.append(f'  "{name}": {{ params: {pascal(name)}Params; result: {pascal(name)}Result }};')
    lines += ["}", "", "export interface Notifications {"]
    lines += [f'  "{name}": {pascal(name)}Params;' for name, spec in schema.methods.items() if not spec["answer"]]
    lines += ["}", "", "export interface Events {"]
    lines += [f'  "{name}": {pascal(name)}Event;' for name in schema.events]
    lines += ["}", "", "/** The numbers of limits.json. */", "export interface Limits {"]
    for name, limit in schema.limits.items():
        lines += [f"  /** {limit['doc']} */", f"  {name}: {limit['value']};"]
    lines += ["}", "", "/** The error member of a response. */", "export interface ProtocolError {", "  code: number;",
              "  message: string;", '  data?: { tag: ErrorTag; class: "permanent" | "retry"; retry_after_ms?: number; '
              "field?: string; expected?: string };", "}"]
    return "\n".join(lines) + "\n"
