#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Malformed requests (security, case 39): each is refused by name, nothing is stored, the connection lives on until its
tenth strike. Fields and their wrong values come from the method table, so that a new method is covered by being there."""
import json
import os

from protocol_rig import Client, Failed, check_error, expect, new_cmid, run, schema

ENVELOPES = [  # whole messages, what they are refused as
    ("x", "parse_error"), ("", "parse_error"), ("{", "parse_error"), ('{"jsonrpc":"2.0"', "parse_error"),
    ("nul", "parse_error"), ("NaN", "parse_error"), ("'x'", "parse_error"), ("[]", "invalid_request"),
    ("[1]", "invalid_request"), ("1", "invalid_request"), ("null", "invalid_request"), ("{}", "invalid_request"),
    ('[{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0}}]', "invalid_request"),
    ('{"jsonrpc":"1.0","id":1,"method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"id":1,"method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":[]}', None),
    ('{"jsonrpc":"2.0","id":1,"method":1}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"params":{}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0},"extra":1}', None),
    ('{"jsonrpc":"2.0","id":1,"id":1,"method":"feed.read","params":{"rev":0}}', None),
    ('{"jsonrpc":"2.0","id":1.5,"method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":null,"method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":{},"method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":9007199254740992,"method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":"%s","method":"feed.read","params":{"rev":0}}' % ("x" * 33), "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0}} x', "parse_error"),
    ('{"jsonrpc":"2.0","id":1,"result":{}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"method":"no.such","params":{}}', "unknown_method"),
    ('{"jsonrpc":"2.0","id":1,"method":"","params":{}}', "unknown_method"),
    ('{"jsonrpc":"2.0","id":1,"method":"FEED.READ","params":{"rev":0}}', "unknown_method"),
    ('{"jsonrpc":"2.0","method":"feed.read","params":{"rev":0}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"method":"typing","params":{"conv":"cnv_0000000000001"}}', "invalid_request"),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0,"rev":0}}', None),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0,"x":"\\ud800"}}', None),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0,"x":"\\u0000"}}', None),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0,"x":' + "[" * 17 + "]" * 17 + "}}", None),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0' +
     "".join(',"k%d":1' % i for i in range(1000)) + "}}", None),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":' + "1" * 60000 + "}}", None),
    ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0,"x":"' + "\\n" * 30000 + '"}}', None),
]

WRONG_ALWAYS = ["null", "true", "[]", "{}", "1", "1.5", '"x\\u0001"', '"\\ud800"', '"\\u0000"', "-1",
                "9007199254740993", "9223372036854775808", "-9223372036854775809", "1e400", '""']


FIRST = schema("methods", with_parts=False)["methods"]


class Striker:
    """A connection that is renewed before its tenth strike."""

    def __init__(self, case, connect):
        self.case, self.connect, self.client, self.strikes = case, connect, None, 9

    def ask(self, method, params_text):
        if self.strikes == 9:
            if self.client:
                self.client.close()
            self.client, self.strikes = self.connect(), 0
        self.strikes += 1
        return json.loads(self.client.ask_raw(1, method, params_text))


def malformed_envelopes_are_refused_and_the_connection_lives(case):
    client = None
    for number, (text, tag) in enumerate(ENVELOPES):
        if number % 9 == 0:
            client = case.customer()
        client.say(text)
        answer = json.loads(client.raw())
        expect(answer["error"]["data"]["class"] == "permanent", f"a permanent refusal of {text[:80]}, got {answer}")
        if tag:
            check_error(answer, tag)
        client.call("feed.read", {"rev": 0})
    # An id that could be read is named.
    client = case.customer()
    client.say('{"jsonrpc":"2.0","id":"abc","method":"feed.read","params":{"rev":"x"}}')
    expect(json.loads(client.raw())["id"] == "abc", "the id of the request")


def ids_come_back_as_they_were(case):
    client = case.customer()
    for request_id in ("0", "1", "-1", "9007199254740991", '"x"', '"%s"' % ("y" * 32), '""', '"\\u00e9"', '"\\""'):
        answer = client.ask_raw(request_id, "feed.read", '{"rev":0}')
        expect(json.loads(answer)["id"] == json.loads(request_id), f"id {request_id}, got {answer[:80]}")


def ten_strikes_are_closed_with_4009(case):
    client = case.customer()
    for _ in range(9):
        check_error(client.ask("feed.read", {"rev": -1}), "bad_request", "rev")
    client.send_text(client.conv)
    client.say("x")
    expect(client.expect_close(4009)["retry_after_ms"] == 30000, "back in 30 s")


def sample(field, types):
    """A value that the schema allows."""
    kind = field["type"]
    if kind == "int":
        return field.get("min", 0) if isinstance(field.get("min", 0), int) else 0
    if kind == "object":
        return samples(types[field["of"]], types)
    if kind == "array":
        return [sample(field["item"], types)] * max(1, field.get("min_items", 0))
    if kind in ("text", "word", "url"):
        return "x" * max(1, field.get("min_bytes", 1))
    return {"bool": True, "id": field.get("prefix", "") + "_0000000000001", "principal": "agt_0000000000001",
            "hex": "0" * (2 * field.get("bytes", 1)), "cmid": "0" * 31 + "1",
            "enum": "text" if field.get("values") == "@entries" else field.get("values", ["x"])[0]}[kind]


def samples(owner, types):
    fields = dict(owner.get("fields", owner.get("params", {})))
    if owner.get("include"):
        fields.update(types[owner["include"]]["fields"])
    return {name: sample(field, types) for name, field in fields.items() if not field.get("optional")}


def baseline(client, method, team, types, shape):
    """Params that would be accepted or answered in peace, for each method of a customer or agent."""
    conv = client.conv
    return {
        "session.renew": {"token": "x"},
        "conversation.open": {"key": "main"},
        "conversation.watch": {"conv": conv}, "conversation.unwatch": {"conv": conv},
        "conversation.list": {"limit": 1},
        "feed.read": {"rev": 0, "limit": 1},
        "entries.read": {"conv": conv, "after": 0, "limit": 1},
        "message.send": {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "x",
                         **({"log": "team"} if team else {})},
        "message.edit": {"cmid": new_cmid(), "conv": conv, "of": 1, "version": 1, "text": "x"},
        "message.erase": {"cmid": new_cmid(), "conv": conv, "of": 1},
        "search.entries": {"query": "x"},
        "conversation.give": {"conv": conv, "to": "people"},
        "bot.offline": {"have": "0" * 64, "part_of": "0" * 64, "offset": 0},
        "upload.begin": {"cmid": new_cmid(), "name": "x", "size": 1, "media": "text/plain"},
        "upload.end": {"file": "0" * 31 + "1", "sha256": "0" * 64},
        "upload.cancel": {"file": "0" * 31 + "1"},
        "file.link": {"file": "0" * 31 + "1"},
        "login.end": {"session": "0" * 16},
        "device.push": {"service": "fcm", "token": "x"},
    }.get(method) or samples(shape, types)


def field_is_wrong(types, field, value):
    """Whether that JSON value is not one the schema allows; None: it cannot be told without the server's rules."""
    kind = field["type"]
    if kind == "int":
        low, high = field.get("min", -2 ** 53), field.get("max", 2 ** 53 - 1)
        high = 2 ** 53 - 1 if isinstance(high, str) else high
        return not (isinstance(value, int) and not isinstance(value, bool) and low <= value <= high)
    if kind == "bool":
        return not isinstance(value, bool)
    if kind in ("text", "word", "url"):
        if not isinstance(value, str):
            return True
        return any(ord(c) < 32 for c in value) or (value == "" and field.get("min_bytes", 0) > 0) or None
    if kind == "array":
        return not isinstance(value, list) or (not value and field.get("min_items", 0) > 0) or None
    if kind == "object":
        if not isinstance(value, dict):
            return True
        needed = [k for k, f in types[field["of"]]["fields"].items() if not f.get("optional")]
        return bool(needed) or None
    return True  # id, principal, cmid, hex, enum: none of the values tried is one


def parse(text):
    try:
        value = json.loads(text)
    except ValueError:
        return "unreadable"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "unreadable"
    if isinstance(value, str) and ("\ud800" in value or "\0" in value):
        return "unreadable"
    return value


def fields_of(method, types):
    fields = dict(method["params"])
    if "include" in method:
        fields.update(types[method["include"]]["fields"])
    return fields


def each_field(case, striker, name, method, types, team):
    fields = fields_of(method, types)
    for field, shape in fields.items():
        for wrong in WRONG_ALWAYS if name in FIRST else WRONG_ALWAYS[::4]:  # of the many a few each, for time
            value = parse(wrong)
            verdict = True if value == "unreadable" else field_is_wrong(types, shape, value)
            if not verdict:
                continue
            params = baseline(striker.client, name, team, types, method)
            params.pop(field, None)
            rest = json.dumps(params)[1:-1]
            answer = striker.ask(name, '{"%s":%s%s}' % (field, wrong, "," + rest if rest else ""))
            data = check_error(answer, answer.get("error", {}).get("data", {}).get("tag", "bad_request"))
            expect(data["class"] == "permanent" and data["tag"] in ("bad_request", "parse_error"),
                   f"{name} {field}={wrong} refused, got {answer}")
            if data["tag"] == "bad_request" and value != "unreadable":  # that is refused as a whole
                expect(data.get("field", "").split("[")[0].split(".")[0] == field and data.get("expected"),
                       f"{name} {field}={wrong} named, got {answer}")
        if not shape.get("optional"):
            params = baseline(striker.client, name, team, types, method)
            params.pop(field, None)
            answer = striker.ask(name, json.dumps(params))
            check_error(answer, "bad_request", field)
    params = baseline(striker.client, name, team, types, method)
    for extra in ("author", "role", "seq", "iseq", "ts", "tenant", "workspace", "verified", "internal", "principal",
                  "__proto__"):
        if extra not in fields:
            check_error(striker.ask(name, json.dumps({**params, extra: 1})), "bad_request", extra)


def sweep(case, role, connect):
    types, methods = schema("types")["types"], schema("methods")["methods"]
    striker, count = Striker(case, connect), 0
    striker.client = connect()
    for name, method in methods.items():
        if role not in method["who"] or method["kind"] != "request":
            continue
        each_field(case, striker, name, method, types, False)
        count += 1
    expect(count >= 8, "methods to sweep")


def every_field_of_every_method_of_a_customer_is_checked(case):
    witness = case.customer("shapes")
    witness.send_text(witness.conv, "stays", new_cmid())
    sweep(case, "customer", lambda: case.customer("shapes"))
    witness = case.customer("shapes")  # the first connection was silent for all that while
    entries, head = witness.read_log(witness.conv)
    expect(head == 1 and entries[0]["text"] == "stays", f"nothing else stored, got {head}")


def every_field_of_every_method_of_an_agent_is_checked(case):
    owner = case.customer("shapes for staff")
    owner.send_text(owner.conv, "stays")
    eve = case.rig.agent("Eve")

    def connect():
        client = case.agent(eve)
        client.conv = owner.conv
        return client

    sweep(case, "agent", connect)
    owner = case.customer("shapes for staff")  # the first connection was silent for all that while
    expect(owner.read_log(owner.conv)[1] == 1, "nothing else stored")
    expect(connect().read_log(owner.conv, "team")[1] == 0, "no note stored")


def every_field_of_session_open_is_checked(case):
    types, method = schema("types")["types"], schema("methods")["methods"]["session.open"]
    token = case.rig.user_token("opener")
    base = {"token": token, "device": os.urandom(16).hex(), "protocol": {"min": 1, "max": 1}}
    for field, shape in method["params"].items():
        for wrong in WRONG_ALWAYS:
            value = parse(wrong)
            verdict = True if value == "unreadable" else field_is_wrong(types, shape, value)
            if not verdict:
                continue
            params = {k: v for k, v in base.items() if k != field}
            if field == "visitor":
                params.pop("token")
            client = case.connect()
            request = '{"%s":%s,%s}' % (field, wrong, json.dumps(params)[1:-1])
            if value == "unreadable":  # what cannot be read is no session.open
                client.say('{"jsonrpc":"2.0","id":1,"method":"session.open","params":%s}' % request)
                expect(client.until_closed()[0] == 4000, f"{field}={wrong}: 4000")
                continue
            answer = json.loads(client.ask_raw(1, "session.open", request))
            check_error(answer, "bad_request")
            expect(answer["error"]["data"]["field"].split(".")[0] == field, f"{field}={wrong} named, got {answer}")
            client.expect_close(4000)
    client = case.connect()
    check_error(client.ask("session.open", {**base, "role": "agent"}), "bad_request", "role")
    client.expect_close(4000)


def texts_have_bounds(case):
    client = case.customer()

    def send(text):
        return client.ask("message.send", {"cmid": new_cmid(), "conv": client.conv, "kind": "text", "text": text})

    for fine in ("x" * 10000, "\U0001F600" * 10000, "a\tb\nc", "\u202e\u200d\ufeff", "\u0301" * 9999, "\n" * 10000):
        answer = send(fine)
        expect("result" in answer, f"{fine[:5]!r}... taken, got {answer}")
    for wrong in ("x" * 10001, "\U0001F600" * 10001, "\x07", "a\rb", "\x1b[2J", "\x7f\x01"):
        check_error(send(wrong), "bad_request", "text")
    entries, _ = client.read_log(client.conv)
    expect(entries[1]["text"] == "\U0001F600" * 10000 and entries[3]["text"] == "\u202e\u200d\ufeff", "stored as it was")


def a_message_larger_than_64_kib_is_closed_with_1009(case):
    client = case.customer()
    client.say('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0,"x":"' + "y" * 65536 + '"}}')
    expect(client.until_closed()[0] == 1009, "1009")


CASES = [malformed_envelopes_are_refused_and_the_connection_lives, ids_come_back_as_they_were,
         ten_strikes_are_closed_with_4009, every_field_of_every_method_of_a_customer_is_checked,
         every_field_of_every_method_of_an_agent_is_checked, every_field_of_session_open_is_checked, texts_have_bounds,
         a_message_larger_than_64_kib_is_closed_with_1009]

if __name__ == "__main__":
    run("protocol-shapes", CASES, {"DESKBELL_DEVICES_PER_CUSTOMER": "1000", "DESKBELL_DEVICES_PER_AGENT": "1000"})
