# SPDX-License-Identifier: Apache-2.0
"""Writes the documents that are committed: protocol.md for people, openrpc.json and asyncapi.json for tools."""
import json

import emit_c
from schema import SAFE_INTEGER

INTRO = """# The protocol

*Made from `protocol/schema` by `protocol/generator`; do not edit. `cmake --build build/debug --target
protocol_docs` writes it again.*

A client opens a WebSocket at `/v1/ws` with the subprotocol `deskbell.v1`. Every text message is one JSON-RPC
2.0 request, response or notification; arrays of them are refused. Methods marked *HTTP* also answer `POST
/v1/<method>` with the params as the body: status 200 and the result, or the status of the error and
`{"error": ...}`.

- An `id` is a string of at most 32 bytes or a whole number up to 2^53-1. A call without `id` is a
  notification; only the methods marked so may be called that way.
- A request is answered once: with a `result`, or with `{"code", "message", "data": {"tag", "class",
  "retry_after_ms"?, "field"?, "expected"?}}`. `class` is all a client acts on: `permanent` will never succeed
  as it is, `retry` may succeed after `retry_after_ms`. No answer means that the outcome is unknown: send the
  same request with the same `cmid` again.
- The server refuses an unknown member of params by its path. A client ignores members and values that it does
  not know; of an entry of unknown kind it shows `fallback_text`.
- Times are milliseconds since 1970, UTC. An id is three letters, `_` and 13 digits of Crockford's base 32,
  lower case. A principal is such an id (`usr_` customer, `agt_` agent, `bot_` bot, `app_` back end), or `sys`
  (the server), `opr` (the operator) or `gone` (an erased person). A `cmid` is 16 bytes in the layout of a
  UUID of version 7, as 32 lower-case hex digits, made before the first try and never used again.
- A `text` may have tabs and line breaks (`\\n`) but no other control character; a `word` is one line.
"""


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(cell(item) for item in row) + " |" for row in rows] + [""]


def type_words(field):
    kind = field["type"]
    if kind == "object":
        return f"[{field['of']}](#{field['of']})"
    if kind == "array":
        return f"array of {type_words(field['item'])}"
    if kind == "enum":
        return "[entry kind](#entries)" if field["values"] == "@entries" else "enum"
    return kind


def bound_words(schema, field):
    kind = field["type"]
    if kind in ("object", "bool", "principal", "cmid"):
        return ""
    if kind == "enum" and field["values"] == "@entries":
        return ""
    return emit_c.expected_text(schema, field)


def members(schema, owner):
    rows = []
    for name, field in owner["fields"].items():
        optional = "optional; " if field.get("optional") else ""
        bounds = bound_words(schema, field)
        rows.append((f"`{name}`", type_words(field), f"{optional}{field['doc']}" + (f" ({bounds})" if bounds else "")))
    lines = table(("member", "type", "meaning"), rows) if rows else []
    if owner["include"]:
        also = "and the" if rows else "The"
        lines += [f"{also} members of [{owner['include']}](#{owner['include']}), flat.", ""]
    return lines or ["*No members.*", ""]


def method_lines(schema, name, spec):
    keyed = {"no": f"not keyed: {spec.get('why_unkeyed')}", "log": "keyed by `cmid` for as long as the message exists",
             "done": "keyed by `cmid` for 24 h"}[spec["keyed"]]
    facts = ["notification" if spec["kind"] == "notification" else "request", "by " + ", ".join(spec["who"]), keyed]
    if "needs" in spec:
        facts.append(f"an agent needs `{spec['needs']}`")
    if spec["http"]:
        facts.append("HTTP")
    lines = [f"### {name}", "", spec["doc"], "",
             "*" + "; ".join(facts) + f"; since {spec['since']}.*", "", "Params:", ""]
    lines += members(schema, spec["call"])
    if spec["answer"]:
        lines += ["Result:", ""] + members(schema, spec["answer"])
        tags = {row["name"]: row["tag"] for row in schema.errors}
        if spec["errors"]:
            lines += ["Errors of its own: " + ", ".join(f"`{tags[error]}`" for error in spec["errors"]) + ".", ""]
    return lines


def entry_rows(schema):
    for name, spec in schema.entries.items():
        yield (f"`{name}`", spec["number"], ", ".join(spec["log"]), "yes" if spec["unread"] else "no",
               ", ".join(spec["from"]), " ".join(f"`{item}`" for item in spec["needs"]),
               " ".join(f"`{item}`" for item in spec["may"]), spec["doc"])


def markdown(schema):
    lines = INTRO.splitlines() + ["", "## Methods", ""]
    for name, spec in schema.methods.items():
        lines += method_lines(schema, name, spec)
    lines += ["## Events", "", "Notifications from the server.", ""]
    for name, spec in schema.events.items():
        lines += [f"### event {name}", "", spec["doc"], "", f"*To {', '.join(spec['to'])}; since {spec['since']}.*", ""]
        lines += members(schema, spec["body"])
    lines += ["## Entries", "",
              "What can stand in a conversation's logs, and the members of [content](#content) that each "
              "kind needs and may carry. Any other member is refused.", ""]
    lines += table(("kind", "number", "log", "unread", "from", "needs", "may", "meaning"), entry_rows(schema))
    lines += ["## Types", ""]
    for name, spec in schema.types.items():
        lines += [f"### {name}", "", spec["doc"], ""] + members(schema, spec)
    lines += ["## Errors", ""]
    lines += table(("code", "tag", "class", "HTTP", "text"),
                   [(row["code"], f"`{row['tag']}`", row["class"], row["http"], row["text"]) for row in schema.errors])
    lines += ["## Close codes", "", 
              "Before such a close the server sends `session.closing`; the reason is the tag.", ""]
    lines += table(("code", "tag", "the client"), 
                   [(row["code"], f"`{row['tag']}`", row["client"]) for row in schema.closes])
    lines += ["## Limits", ""]
    lines += table(("name", "value", "meaning"),
                   [(f"`{name}`", limit["value"], limit["doc"]) for name, limit in schema.limits.items()])
    return "\n".join(lines).rstrip("\n") + "\n"


# ---- JSON Schema ----
PATTERNS = {"principal": "^((usr|agt|bot|app)_[0-9a-hjkmnp-tv-z]{13}|sys|opr|gone)$", "cmid": "^[0-9a-f]{32}$"}


def json_schema(schema, field):
    kind = field["type"]
    if kind == "int":
        return {"type": "integer", "minimum": field["min"], "maximum": field["max"]}
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "object":
        return {"$ref": f"#/components/schemas/{field['of']}"}
    if kind == "array":
        return {"type": "array", "items": json_schema(schema, field["item"]), "minItems": field["min_items"],
                "maxItems": field["max_items"]}
    if kind == "enum":
        return {"type": "string", "enum": schema.values(field)}
    out = {"type": "string"}
    if kind in ("text", "word", "url"):
        out.update(minLength=min(1, field["min_bytes"]), maxLength=field["max_points"])
    elif kind == "id":
        out["pattern"] = f"^{field['prefix']}_[0-9a-hjkmnp-tv-z]{{13}}$"
    elif kind == "hex":
        out["pattern"] = f"^[0-9a-f]{{{2 * field['bytes']}}}$"
    else:
        out["pattern"] = PATTERNS[kind]
    if kind == "url":
        out["format"] = "uri"
    return out


def object_schema(schema, owner, doc=None):
    fields = schema.flat(owner)
    out = {"type": "object"}
    if doc:
        out["description"] = doc
    out["properties"] = {name: {**json_schema(schema, field), "description": field["doc"]}
                         if field["type"] != "object" else json_schema(schema, field) for name, field in fields.items()}
    required = [name for name, field in fields.items() if not field.get("optional")]
    if required:
        out["required"] = required
    return out


def dump(value):
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def components(schema):
    return {name: object_schema(schema, spec, spec["doc"]) for name, spec in schema.types.items()}


def openrpc(schema):
    errors = {row["name"]: {"code": row["code"], "message": row["text"],
                            "data": {"tag": row["tag"], "class": row["class"]}}
              for row in schema.errors}
    methods = []
    for name, spec in schema.methods.items():
        method = {"name": name, "description": spec["doc"], "paramStructure": "by-name",
                  "params": [{"name": member, "description": field["doc"], "required": not field.get("optional"),
                              "schema": json_schema(schema, field)}
                             for member, field in schema.flat(spec["call"]).items()]}
        if spec["answer"]:
            method["result"] = {"name": "result", "schema": object_schema(schema, spec["answer"])}
            method["errors"] = [{"$ref": f"#/components/errors/{error}"} for error in spec["errors"]]
        methods.append(method)
    return dump({"openrpc": "1.2.6", "info": {"title": "Deskbell", "version": "1",
                                              "description": "Methods that a client calls; see protocol.md."},
                 "methods": methods, "components": {"schemas": components(schema), "errors": errors}})


def envelope(schema, name, owner, has_id):
    properties = {"jsonrpc": {"const": "2.0"}, "method": {"const": name}, "params": object_schema(schema, owner)}
    required = ["jsonrpc", "method"]
    if has_id:
        properties["id"] = {"oneOf": [{"type": "string", "maxLength": 32},
                                      {"type": "integer", "minimum": -SAFE_INTEGER, "maximum": SAFE_INTEGER}]}
        required.append("id")
    return {"type": "object", "properties": properties, "required": required}


def message(schema, name, doc, owner, has_id):
    return {"name": name, "summary": doc, "contentType": "application/json",
            "payload": envelope(schema, name, owner, has_id)}


def asyncapi(schema):
    calls, events = {}, {}
    for name, spec in schema.methods.items():
        calls[f"call.{name}"] = message(schema, name, spec["doc"], spec["call"], spec["kind"] == "request")
    for name, spec in schema.events.items():
        events[f"event.{name}"] = message(schema, name, spec["doc"], spec["body"], False)
    channel = {
        "description": "One WebSocket with the subprotocol deskbell.v1; requests are answered by JSON-RPC responses.",
        "publish": {"operationId": "call",
                    "message": {"oneOf": [{"$ref": f"#/components/messages/{key}"} for key in calls]}},
        "subscribe": {"operationId": "event",
                      "message": {"oneOf": [{"$ref": f"#/components/messages/{key}"} for key in events]}},
    }
    return dump({"asyncapi": "2.6.0", "info": {"title": "Deskbell", "version": "1",
                                               "description": "What travels over the WebSocket; see protocol.md."},
                 "channels": {"/v1/ws": channel},
                 "components": {"messages": {**calls, **events}, "schemas": components(schema)}})


def documents(schema):
    return {"protocol.md": markdown(schema), "openrpc.json": openrpc(schema), "asyncapi.json": asyncapi(schema)}
