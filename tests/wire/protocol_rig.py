# SPDX-License-Identifier: Apache-2.0
"""What the wire tests of the protocol share: one server for all cases of a file, raw requests, and what a refusal has to
look like. A case is a function whose name is the sentence; run() runs them in order and checks the store at the end.
"""
import glob
import json
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from harness import SLOW, Failed, Rig, main, run_program  # noqa: E402,F401
from wire import Wire, WireClosed, WireError, new_cmid, user_token  # noqa: E402,F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNKNOWN_CONV = "cnv_0000000000001"


def schema(name, with_parts=True):
    """A file of the schema, with what the desk's parts add to it."""
    folder = os.path.join(ROOT, "protocol", "schema")
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        whole = json.load(file)
    for path in sorted(glob.glob(os.path.join(folder, "desk", "*.json"))) if with_parts else []:
        with open(path, encoding="utf-8") as file:
            part = json.load(file).get(name)
        if part:
            whole[name].update(part)
    return whole


def expect(condition, what):
    if not condition:
        raise Failed(f"expected {what}")


def check_error(message, tag, field=None):
    """A whole error response: its tag, its class by the table, retry_after_ms with `retry` and never else."""
    error = message.get("error")
    expect(error is not None, f"{tag}, got {json.dumps(message)[:300]}")
    data = error.get("data", {})
    expect(data.get("tag") == tag, f"{tag}, got {json.dumps(error)[:300]}")
    row = next(e for e in schema("errors")["errors"] if e["tag"] == tag)
    expect((error["code"], data["class"]) == (row["code"], row["class"]), f"code and class of the table, got {error}")
    expect(("retry_after_ms" in data) == (row["class"] == "retry"), f"retry_after_ms with retry only, got {error}")
    if field is not None:
        expect(data.get("field") == field and data.get("expected"), f"field {field} and what was expected, got {error}")
    return data


class Client(Wire):
    """A connection whose messages can also be had as bytes."""

    def raw(self, timeout_s=None):
        """Bytes of the next text message but for heartbeats. Raises WireClosed."""
        deadline = time.monotonic() + (timeout_s or self.timeout_s) * SLOW
        while True:
            final, opcode, payload = self._read_frame(deadline)
            expect(final, "unfragmented messages from the server")
            if opcode == 8:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                self.send_frame(payload[:2], 8)
                raise WireClosed(code, payload[2:].decode())
            if opcode == 1 and b'"heartbeat"' not in payload[:64]:
                return payload

    def say(self, text):
        self.send_frame(text)

    def ask_raw(self, request_id, method, params_text):
        """One request with params as they stand; bytes of its answer. Events before it are passed over."""
        self.say('{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}' % (request_id, method, params_text))
        while True:
            answer = self.raw()
            if b'"method"' not in answer[:40]:
                return answer

    def ask(self, method, params):
        return json.loads(self.ask_raw(1, method, json.dumps(params, ensure_ascii=False)))

    def until_closed(self, timeout_s=None):
        """(close code, messages before it)."""
        messages = []
        try:
            while True:
                messages.append(json.loads(self.raw(timeout_s)))
        except WireClosed as closed:
            return closed.code, messages

    def expect_close(self, code, timeout_s=None):
        """The close code, and session.closing before it with the tag of the table. Returns its params."""
        got, messages = self.until_closed(timeout_s)
        expect(got == code, f"close {code}, got {got} after {messages[-2:]}")
        row = next(c for c in schema("errors")["closes"] if c["code"] == code)
        closing = [m for m in messages if m.get("method") == "session.closing"]
        expect(len(closing) == 1 and closing[0]["params"]["tag"] == row["tag"], f"session.closing, got {messages[-2:]}")
        return closing[0]["params"]

    def send_text(self, conv, text="x", cmid=None, **more):
        return self.call("message.send", {"cmid": cmid or new_cmid(), "conv": conv, "kind": "text", "text": text, **more})

    def lines_at_once(self, texts):
        """Many messages in one write, so that they are read together."""
        frames = b""
        for text in texts:
            data = text.encode()
            size = len(data)
            head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + struct.pack(">H", size)
            frames += head + b"\0\0\0\0" + data
        self.sock.sendall(frames)


class Case:
    """What a case is given: the rig, and people who exist."""

    def __init__(self, rig):
        self.rig = rig
        self.count = 0

    def connect(self):
        return Client(self.rig.server.port)

    def customer(self, user=None, device=None, **claims):
        """An open connection of a named customer (a new one unless named); .conv is his conversation `main`."""
        self.count += 1
        client = self.connect()
        token = self.rig.user_token(user or f"user-{self.count}", **claims)
        client.session = client.open_session(token, device=device)
        client.conv = client.call("conversation.open", {})["row"]["conv"]
        return client

    def agent(self, person):
        client = self.connect()
        client.session = client.open_session(person.token)
        return client

    def visitor(self, secret=None):
        client = self.connect()
        visitor = {"app": self.rig.app, **({"secret": secret} if secret else {})}
        client.session = client.open_session(visitor=visitor)
        return client


def run(name, cases, env=None):
    def rig_main():
        with Rig(name) as rig:
            rig.start_server(env=env)
            case = Case(rig)
            for function in cases:
                try:
                    function(case)
                except (Failed, WireClosed, WireError, TimeoutError, KeyError) as e:
                    raise Failed(f"{function.__name__}: {type(e).__name__} {e}") from e
                print(f"ok {function.__name__}", flush=True)
            end(rig)
    main(rig_main)


def end(rig):
    """Stops the server, which has to end well, and looks at the store and the logs."""
    code = rig.server.stop()
    expect(code == 0, f"exit code 0, got {code}")
    checked = run_program("deskbell", "check", "--data", rig.server.data, check=False)
    expect(checked.returncode == 0, f"a clean store, got {checked.stdout[-500:]} {checked.stderr[-500:]}")
    rig.logs += rig.server.logs
    rig.check_logs()
