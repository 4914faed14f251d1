# SPDX-License-Identifier: Apache-2.0
"""Writes protocol_generated.h (what callers see), protocol_generated.c (tables) and protocol_shapes.h (for tests)."""
from schema import SAFE_INTEGER, c_name

NOTE = ("/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Made from protocol/schema by protocol/generator; do not edit. %s */\n")
EXPECTED_BYTES = 96
TYPES = {"int": "int64_t", "bool": "bool", "text": "struct span", "word": "struct span", "url": "struct span",
         "id": "uint64_t", "principal": "struct principal_id", "cmid": "struct cmid"}


def upper(name):
    return c_name(name).upper()


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value):
    return f"INT64_C({value})" if abs(value) > 2**31 - 1 else str(value)


def c_type(field):
    kind = field["type"]
    if kind == "enum":
        return f"enum protocol_{field['c_enum']}"
    if kind == "object":
        return f"struct protocol_{field['of']}"
    return TYPES[kind]


def comment(text):
    return f"/* {text.replace('*/', '* /')} */"


def member_lines(name, field):
    lines = []
    if field.get("optional"):
        lines.append(f"        bool has_{name};")
    if field["type"] == "array":
        lines.append(f"        {c_type(field['item'])} *{name}; {comment(field['doc'])}")
        lines.append(f"        size_t {name}_count;")
    elif field["type"] == "hex":
        lines.append(f"        uint8_t {name}[{field['bytes']}]; {comment(field['doc'])}")
    else:
        kind = c_type(field)
        lines.append(f"        {kind} {name}; {comment(field['doc'])}")
    return lines


def struct_lines(name, owner, doc):
    lines = [comment(doc)] if doc else []
    lines.append(f"struct protocol_{name} {{")
    if owner["include"]:
        lines.append(f"        struct protocol_{owner['include']} {owner['include']}; /* its members stand flat */")
    for member, field in owner["fields"].items():
        lines += member_lines(member, field)
    if not owner["include"] and not owner["fields"]:
        lines.append("        char nothing; /* no members on the wire */")
    lines.append("};")
    lines.append(f"int protocol_{name}_read(struct reader *reader, struct protocol_{name} *out);")
    lines.append(f"void protocol_{name}_write(struct writer *writer, const struct protocol_{name} *value);")
    return lines + [""]


def structs(schema):
    """(C name, owner, doc) of every struct, those embedded before those that embed."""
    for name in schema.order:
        yield name, schema.types[name], schema.types[name]["doc"]
    for name, spec in schema.methods.items():
        yield c_name(name), spec["call"], f"Params of {name}. {spec['doc']}"
        if spec["answer"]:
            yield f"{c_name(name)}_result", spec["answer"], f"Result of {name}."
    for name, spec in schema.events.items():
        yield f"event_{c_name(name)}", spec["body"], f"Params of the event {name}. {spec['doc']}"


def enum_constants(schema):
    """(C name of the enum, [(constant, number, wire name)])."""
    for enum, values in schema.enums.items():
        yield enum, [(f"PROTOCOL_{upper(enum)}_{value.upper()}", at + 1, value) for at, value in enumerate(values)]
    yield "entry_kind", [(f"PROTOCOL_ENTRY_{name.upper()}", spec["number"], name)
                         for name, spec in schema.entries.items()]


# ---- the header ----
def header_limits(schema):
    lines = []
    for name, limit in schema.limits.items():
        lines.append(f"#define PROTOCOL_{name.upper()} {number(limit['value'])} {comment(limit['doc'])}")
    return lines + [""]


def header_errors(schema):
    lines = ["/* Why a request is refused. Functions return the negative of one of these. */", "enum protocol_error {",
             "        PROTOCOL_OK = 0,"]
    for at, row in enumerate(schema.errors):
        lines.append(f"        PROTOCOL_ERR_{row['name']} = {at + 1}, "
                     f"/* {row['code']} {row['class']}: {row['text']} */")
    lines += ["        PROTOCOL_ERRORS", "};", "", "struct protocol_error_info {",
              "        int code; /* on the wire */", "        const char *tag;",
              "        bool permanent; /* will never succeed as it is */", "        int http;",
              "        const char *text;", "};", "",
              "/* Never NULL: what is not in the table is told as internal. */",
              "const struct protocol_error_info *protocol_error_info(enum protocol_error error);",
              "/* The error with that code on the wire; PROTOCOL_ERR_INTERNAL when unknown. */",
              "enum protocol_error protocol_error_find(int code);", "",
              "/* The error member of a response as a client sees it; spans point into the frame. */",
              "struct protocol_error_body {", "        int code;", "        struct span tag, message;",
              "        bool permanent;", "        int64_t retry_after_ms; /* -1 = absent */",
              "        struct span field, expected; /* at NULL = absent */", "};", "", "enum protocol_close {"]
    for row in schema.closes:
        lines.append(f"        PROTOCOL_CLOSE_{row['name']} = {row['code']}, /* the client: {row['client']} */")
    return lines + ["};", "", "/* NULL when unknown. */", "const char *protocol_close_tag(int code);", ""]


def header_enums(schema):
    lines = []
    for enum, constants in enum_constants(schema):
        prefix = "PROTOCOL_ENTRY" if enum == "entry_kind" else f"PROTOCOL_{upper(enum)}"
        lines += [f"enum protocol_{enum} {{", f"        {prefix}_OTHER = 0, /* not known to this version */"]
        lines += [f"        {constant} = {value}," for constant, value, _ in constants]
        lines += ["};"]
        if enum != "entry_kind":
            lines.append(f"const char *protocol_{enum}_text(enum protocol_{enum} value); /* \"other\" when unknown */")
        lines.append("")
    return lines


ENTRY_INFO = """struct protocol_entry_info {
        const char *name;
        bool public_log, team_log; /* where it may stand */
        bool unread;               /* counts as unread for the other side */
        bool from_customer, from_agent, from_bot; /* who may send it; none: only the server writes it */
};

/* NULL when unknown. */
const struct protocol_entry_info *protocol_entry_info(enum protocol_entry_kind kind);

"""

CONTENT_CHECK = """/* Whether `from` may put such a content under that kind into the public or the team log: 0,
 * -PROTOCOL_ERR_FORBIDDEN (this role never sends that kind) or -PROTOCOL_ERR_BAD_REQUEST with the fault told.
 * ROLE_SYSTEM may send every kind. */
int protocol_content_check(enum protocol_entry_kind kind, bool team, enum principal_role from,
                           const struct protocol_content *content, struct fault *fault);

"""

METHOD_TYPES = """enum {
        PROTOCOL_WHO_CUSTOMER = 1,
        PROTOCOL_WHO_AGENT = 2,
        PROTOCOL_WHO_BOT = 4,
        PROTOCOL_WHO_APP = 8,
        PROTOCOL_WHO_ANYONE = 16, /* before a session */
        PROTOCOL_WHO_OPERATOR = 32,
};

enum protocol_keyed { PROTOCOL_KEYED_NO, PROTOCOL_KEYED_LOG, PROTOCOL_KEYED_DONE };
enum protocol_runs { PROTOCOL_RUNS_NET, PROTOCOL_RUNS_DESK, PROTOCOL_RUNS_READ };

struct protocol_method_info {
        const char *name;
        bool notification;
        uint32_t who; /* PROTOCOL_WHO_ bits */
        enum protocol_keyed keyed;
        enum protocol_runs runs;
        bool http;
        size_t params_bytes; /* sizeof the params struct */
        int (*read_params)(struct reader *reader, void *out);
        size_t cmid_offset; /* of the struct cmid in the params; SIZE_MAX = none */
        enum protocol_permission needs; /* what an agent has to have for it */
};

extern const struct protocol_method_info protocol_methods[PROTOCOL_METHODS];
int protocol_method_find(struct span name); /* enum protocol_method, or -1 */

struct protocol_event_info {
        const char *name;
        bool to_customer, to_staff;
        size_t params_bytes;
        int (*read_params)(struct reader *reader, void *out);
};

extern const struct protocol_event_info protocol_events[PROTOCOL_EVENTS];
int protocol_event_find(struct span name); /* enum protocol_event_id, or -1 */
"""

STRUCT_NOTE = """/* Structs of the wire. X_read: decodes one JSON object that fills the reader's bytes; *out is zeroed first
 * and borrows from the bytes and the arena; 0, or a negative protocol error with the reader's fault filled. X_write:
 * appends the object.
 * `has_` members tell whether an optional one is there. */
"""


def header(schema):
    lines = [NOTE % "Pure; any thread.", "#pragma once", "", '#include "protocol/ids.h"',
             '#include "protocol/reader.h"',
             '#include "protocol/writer.h"', ""]
    lines += header_limits(schema) + header_errors(schema) + header_enums(schema)
    lines += ENTRY_INFO.splitlines() + STRUCT_NOTE.splitlines()
    for name, owner, doc in structs(schema):
        lines += struct_lines(name, owner, doc)
    lines += CONTENT_CHECK.splitlines()
    for enum, letter, names, last in (("method", "M", schema.methods, "METHODS"),
                                      ("event_id", "E", schema.events, "EVENTS")):
        lines += [f"enum protocol_{enum} {{"]
        lines += [f"        PROTOCOL_{letter}_{upper(name)}," for name in names]
        lines += [f"        PROTOCOL_{last}", "};", ""]
    lines += ["/* The names alone: a client that sends some of the methods holds those of the others nowhere. */"]
    lines += [f"#define PROTOCOL_N_{upper(name)} {quote(name)}" for name in schema.methods]
    lines += ["", "/* What an agent may be allowed; protocol/schema/permissions.json. */", "enum protocol_permission {",
              "        PROTOCOL_MAY_ANYTHING, /* nothing special is needed */"]
    lines += [f"        PROTOCOL_MAY_{upper(name)}," for name in schema.permissions]
    lines += ["        PROTOCOL_PERMISSIONS", "};",
              "extern const char *const protocol_permission_names[PROTOCOL_PERMISSIONS]; /* [0] is \"\" */", ""]
    return "\n".join(lines + METHOD_TYPES.splitlines()) + "\n"


# ---- the tables ----
def bounds(unit, least, most):
    return f"{least} to {most} {unit}" if least else f"at most {most} {unit}"


def expected_text(schema, field):
    kind = field["type"]
    if kind == "int":
        if field["max"] == SAFE_INTEGER:
            text = f"a whole number from {field['min']} to 2^53-1"
        else:
            text = f"a whole number from {field['min']} to {field['max']}"
    elif kind in ("text", "word", "url"):
        parts = []
        if kind != "url" and field["max_points"] < field["max_bytes"]:
            parts.append(f"at most {field['max_points']} characters")
        if field["max_bytes"] != 4 * field["max_points"]:
            parts.append(f"at most {field['max_bytes']} bytes")
        if field["min_bytes"]:
            parts.append(f"at least {field['min_bytes']}" if field["min_bytes"] > 1 else "not empty")
        start = {"text": "text without control characters", "word": "one line of text",
                 "url": "a URL (http, https, mailto)"}[kind]
        text = ", ".join([start] + parts)
    elif kind == "enum":
        text = "one of " + ", ".join(schema.values(field))
        if len(text) >= EXPECTED_BYTES:
            text = text[:EXPECTED_BYTES - 5].rsplit(",", 1)[0] + ", ..."
    elif kind == "array":
        text = f"an array of {bounds('items', field['min_items'], field['max_items'])}"
    else:
        text = {"bool": "true or false", "id": f"an id: {field.get('prefix')}_ and 13 digits",
                "principal": "the id of a principal", "cmid": "32 lower-case hex digits, not all 0",
                "hex": f"{2 * field.get('bytes', 0)} lower-case hex digits", "object": "an object"}[kind]
    assert len(text) < EXPECTED_BYTES, text
    return text


def span_bounds(field):
    kind = field["type"]
    if kind == "int":
        return field["min"], field["max"], 0
    if kind in ("text", "word", "url"):
        return field["min_bytes"], field["max_bytes"], field["max_points"]
    if kind == "array":
        return field["min_items"], field["max_items"], 0
    if kind == "hex":
        return field["bytes"], field["bytes"], 0
    return 0, 0, 0


class Limits:
    """What values have to be, each once, in the order of its first use."""

    def __init__(self, is_told):
        self.is_told = is_told  # in words, too
        self.rows = {}

    def at(self, expected, *bounds_):
        return self.rows.setdefault((expected if self.is_told else "", *bounds_), len(self.rows))

    def lines(self):
        assert len(self.rows) < 1 << 16
        rows = [f"        {{ {quote(expected)}, {number(least)}, {number(most)}, {points} }},"
                for expected, least, most, points in self.rows]
        return ["const struct shape_limit protocol_limits[] = {"] + rows + ["};", ""]


def field_entry(schema, limits, struct, name, field, item_of=None):
    """One initialiser of a struct shape_field."""
    least, most, points = span_bounds(field)
    parts = [f".name = {quote(name)}", f".name_len = {len(name)}", f".type = SHAPE_{field['type'].upper()}",
             f".limit = {limits.at(expected_text(schema, field), least, most, points)}"]
    if item_of:
        parts.append(f".bytes = sizeof({c_type(field)})")
    else:
        parts.append(f".offset = offsetof(struct protocol_{struct}, {name})")
        if field.get("optional"):
            parts.append(f".optional = true, .has_offset = offsetof(struct protocol_{struct}, has_{name})")
        if field["type"] == "array":
            parts.append(f".count_offset = offsetof(struct protocol_{struct}, {name}_count)")
            parts.append(f".item = &item_{struct}_{name}")
    if field["type"] == "id":
        parts.append(f".prefix = {quote(field['prefix'])}")
    if field["type"] == "object":
        parts.append(f".of = &protocol_shape_{field['of']}")
    if field["type"] == "enum":
        parts.append(f".words = words_{field['c_enum']}, .word_count = {len(schema.values(field))}")
    return "{ " + ", ".join(parts) + " }"


def shape_lines(schema, limits, name, owner, left_out=()):
    lines = []
    fields = {member: field for member, field in owner["fields"].items() if member not in left_out}
    for member, field in fields.items():
        if field["type"] == "array":
            entry = field_entry(schema, limits, name, "", field["item"], item_of=member)
            lines.append(f"static const struct shape_field item_{name}_{member} = {entry};")
    if fields:
        lines.append(f"static const struct shape_field fields_{name}[] = {{")
        for member, field in fields.items():
            lines.append(f"        {field_entry(schema, limits, name, member, field)},")
        lines.append("};")
    required = sum(1 << at for at, field in enumerate(fields.values()) if not field.get("optional"))
    parts = [f".name = {quote(name)}", f".bytes = sizeof(struct protocol_{name})",
             f".required = UINT64_C({required:#x})"]
    if fields:
        parts.append(f".fields = fields_{name}, .count = {len(fields)}")
    if owner["include"]:
        parts.append(f".include = &protocol_shape_{owner['include']}")
        parts.append(f".include_offset = offsetof(struct protocol_{name}, {owner['include']})")
    lines.append(f"const struct shape protocol_shape_{name} = {{ {', '.join(parts)} }};")
    lines += [f"int protocol_{name}_read(struct reader *reader, struct protocol_{name} *out)", "{",
              f"        return shape_read(reader, &protocol_shape_{name}, out);", "}",
              f"void protocol_{name}_write(struct writer *writer, const struct protocol_{name} *value)", "{",
              f"        shape_write(writer, &protocol_shape_{name}, value);", "}", ""]
    return lines


def words_lines(schema, only=None):
    lines = []
    for enum, constants in enum_constants(schema):
        if only is not None and enum not in only:
            continue
        lines.append(f"static const struct shape_word words_{enum}[] = {{")
        lines += [f"        {{ {quote(wire)}, {len(wire)}, {constant} }}," for constant, _, wire in constants]
        lines.append("};")
        if enum != "entry_kind":
            lines += [f"const char *protocol_{enum}_text(enum protocol_{enum} value)", "{",
                      f"        return shape_word_text(words_{enum}, {len(constants)}, (int)value);", "}"]
        lines.append("")
    return lines


def error_lines(schema, is_told=True):
    """Only who answers with an error says it in words."""
    lines = ["static const struct protocol_error_info errors[PROTOCOL_ERRORS] = {",
             '        [PROTOCOL_OK] = { 0, "ok", false, 200, "ok" },']
    for row in schema.errors:
        permanent = "true" if row["class"] == "permanent" else "false"
        lines.append(f"        [PROTOCOL_ERR_{row['name']}] = {{ {row['code']}, {quote(row['tag'])}, {permanent}, "
                     f"{row['http']}, {quote(row['text'] if is_told else '')} }},")
    lines += ["};", "", "const struct protocol_error_info *protocol_error_info(enum protocol_error error)", "{",
              "        bool known = (unsigned)error < PROTOCOL_ERRORS;", "",
              "        return &errors[known ? error : PROTOCOL_ERR_INTERNAL];", "}", "",
              "enum protocol_error protocol_error_find(int code)", "{", "        switch (code) {"]
    for row in schema.errors:
        lines += [f"        case {row['code']}:", f"                return PROTOCOL_ERR_{row['name']};"]
    lines += ["        default:", "                return PROTOCOL_ERR_INTERNAL;", "        }", "}", "",
              "const char *protocol_close_tag(int code)", "{", "        switch (code) {"]
    for row in schema.closes:
        lines += [f"        case PROTOCOL_CLOSE_{row['name']}:", f"                return {quote(row['tag'])};"]
    return lines + ["        default:", "                return NULL;", "        }", "}", ""]


def entry_info_lines(schema):
    lines = ["static const struct protocol_entry_info entries[] = {"]
    for name, spec in schema.entries.items():
        flags = ["public" in spec["log"], "team" in spec["log"], spec["unread"], "customer" in spec["from"],
                 "agent" in spec["from"], "bot" in spec["from"]]
        lines.append(f"        [PROTOCOL_ENTRY_{name.upper()}] = {{ {quote(name)}, "
                     + ", ".join(str(flag).lower() for flag in flags) + " },")
    return lines + ["};", "",
                    "const struct protocol_entry_info *protocol_entry_info(enum protocol_entry_kind kind)", "{",
                    "        if ((unsigned)kind >= sizeof(entries) / sizeof(entries[0]) || !entries[kind].name)",
                    "                return NULL;", "        return &entries[kind];", "}", ""]


def entry_lines(schema):
    content = list(schema.types["content"]["fields"])
    lines = entry_info_lines(schema)
    lines += ["/* Members of content by kind: bits in the order of the shape. */",
              "static const struct shape_rule rules[] = {"]
    for name, spec in schema.entries.items():
        needs = sum(1 << content.index(member) for member in spec["needs"])
        may = needs | sum(1 << content.index(member) for member in spec["may"])
        lines.append(f"        [PROTOCOL_ENTRY_{name.upper()}] = {{ UINT64_C({needs:#x}), UINT64_C({may:#x}) }},")
    return lines + ["};", ""] + CONTENT_CHECK_C.splitlines() + [""]


CONTENT_CHECK_C = """static bool kind_is_from(const struct protocol_entry_info *info, enum principal_role from)
{
        return from == ROLE_SYSTEM || (from == ROLE_CUSTOMER && info->from_customer) ||
               (from == ROLE_AGENT && info->from_agent) || (from == ROLE_BOT && info->from_bot);
}

int protocol_content_check(enum protocol_entry_kind kind, bool team, enum principal_role from,
                           const struct protocol_content *content, struct fault *fault)
{
        const struct protocol_entry_info *info = protocol_entry_info(kind);

        if (!info)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "kind", "a known kind");
        if (!kind_is_from(info, from))
                return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "kind", "a kind that this principal may send");
        if (team ? !info->team_log : !info->public_log)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "log", "the log that this kind may stand in");
        return shape_rule_check(&protocol_shape_content, &rules[kind], content, fault);
}
"""


def find_lines(function, letter, names):
    """A switch on the length, then on the bytes: no table to walk."""
    by_length = {}
    for name in names:
        by_length.setdefault(len(name), []).append(name)
    lines = [f"int {function}(struct span name)", "{", "        switch (name.len) {"]
    for length in sorted(by_length):
        lines.append(f"        case {length}:")
        for name in by_length[length]:
            lines += [f"                if (memcmp(name.at, {quote(name)}, {length}) == 0)",
                      f"                        return PROTOCOL_{letter}_{upper(name)};"]
        lines.append("                return -1;")
    return lines + ["        default:", "                return -1;", "        }", "}", ""]


def reader_lines(struct):
    return [f"static int read_{struct}(struct reader *reader, void *out)", "{",
            f"        return protocol_{struct}_read(reader, out);", "}", ""]


def method_lines(schema):
    lines = []
    for name in schema.methods:
        lines += reader_lines(c_name(name))
    lines.append("const struct protocol_method_info protocol_methods[PROTOCOL_METHODS] = {")
    for name, spec in schema.methods.items():
        struct = f"struct protocol_{c_name(name)}"
        who = " | ".join(f"PROTOCOL_WHO_{role.upper()}" for role in spec["who"])
        has_key = spec["call"]["fields"].get("cmid", {}).get("type") == "cmid"
        offset = f"offsetof({struct}, cmid)" if has_key else "SIZE_MAX"
        lines.append(f"        [PROTOCOL_M_{upper(name)}] = {{ {quote(name)}, "
                     f"{str(spec['kind'] == 'notification').lower()}, {who}, PROTOCOL_KEYED_{spec['keyed'].upper()}, "
                     f"PROTOCOL_RUNS_{spec['runs'].upper()}, {str(spec['http']).lower()}, sizeof({struct}), "
                     f"read_{c_name(name)}, {offset}, PROTOCOL_MAY_{spec.get('needs', 'anything').upper()} }},")
    lines += ["};", "", "const char *const protocol_permission_names[PROTOCOL_PERMISSIONS] = {", "        \"\","]
    lines += [f"        {quote(name)}," for name in schema.permissions]
    lines += ["};", ""] + find_lines("protocol_method_find", "M", schema.methods)
    for name in schema.events:
        lines += reader_lines(f"event_{c_name(name)}")
    lines.append("const struct protocol_event_info protocol_events[PROTOCOL_EVENTS] = {")
    for name, spec in schema.events.items():
        struct = f"event_{c_name(name)}"
        lines.append(f"        [PROTOCOL_E_{upper(name)}] = {{ {quote(name)}, {str('customer' in spec['to']).lower()}, "
                     f"{str('staff' in spec['to']).lower()}, sizeof(struct protocol_{struct}), read_{struct} }},")
    return lines + ["};", ""] + find_lines("protocol_event_find", "E", schema.events)


def source(schema):
    lines = [NOTE % "The tables behind protocol_generated.h.", '#include "protocol_generated.h"', "",
             '#include "protocol_shapes.h"', "", "#include <stddef.h>", ""]
    limits = Limits(is_told=True)
    lines += words_lines(schema)
    for name, owner, _ in structs(schema):
        lines += shape_lines(schema, limits, name, owner)
    lines += limits.lines()
    lines.append("const struct shape *const protocol_shapes[] = {")
    lines += [f"        &protocol_shape_{name}," for name, _, _ in structs(schema)]
    lines += ["};", "const size_t protocol_shape_count = sizeof(protocol_shapes) / sizeof(protocol_shapes[0]);", ""]
    lines += error_lines(schema) + entry_lines(schema) + method_lines(schema)
    return "\n".join(lines).rstrip("\n") + "\n"


def reached(schema, client):
    """Names of the structs that the client's structs are made of, and of the enums in them."""
    owners = {name: owner for name, owner, _ in structs(schema)}
    found, enums, waiting = set(), {"entry_kind"}, list(client["structs"])
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        owner = owners[name]
        if owner["include"]:
            waiting.append(owner["include"])
        for member, field in owner["fields"].items():
            if member in client["passes_over"].get(name, ()):
                continue
            for part in (field, field.get("item", {})):
                if part.get("type") == "object":
                    waiting.append(part["of"])
                if part.get("type") == "enum":
                    enums.add(part["c_enum"])
    return found, enums


def client_source(schema, client):
    """The tables of what the client library speaks, and no others."""
    found, enums = reached(schema, client)
    lines = [NOTE % "The part of protocol_generated.c that libdeskbell needs.", '#include "protocol_generated.h"', "",
             '#include "protocol_shapes.h"', "", "#include <stddef.h>", ""]
    limits = Limits(is_told=False)
    lines += words_lines(schema, enums)
    for name, owner, _ in structs(schema):
        if name in found:
            lines += shape_lines(schema, limits, name, owner, client["passes_over"].get(name, ()))
    lines += limits.lines()
    return "\n".join(lines + error_lines(schema, is_told=False) + entry_info_lines(schema)).rstrip("\n") + "\n"


def shapes_header(schema):
    lines = [NOTE % "For the codec and its tests.", "#pragma once", "", '#include "protocol_generated.h"',
             '#include "shape.h"', ""]
    lines += [f"extern const struct shape protocol_shape_{name};" for name, _, _ in structs(schema)]
    lines += ["", "/* Every shape: types, params, results, events. */",
              "extern const struct shape *const protocol_shapes[];",
              "extern const size_t protocol_shape_count;"]
    return "\n".join(lines) + "\n"
