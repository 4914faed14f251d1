# SPDX-License-Identifier: Apache-2.0
"""A WebSocket and JSON-RPC client of the tests' own (standard library only, shares no code with the product).

Blocking, one thread at a time. Reads everything again from the server, so that a fresh observer depends on no cache.
"""
import base64
import hashlib
import hmac
import json
import os
import select
import socket
import struct
import time

CONTENT_ORDER = ("text", "fallback_text", "reply_to", "choices", "card", "form", "article", "files", "pressed", "filled",
                 "mentions", "of", "version")
MESSAGE_NUMBER = {"text": 1, "attachment": 2, "choices": 3, "card": 4, "form": 5, "article": 6}  # kinds that are messages


class WireError(Exception):
    """The server answered with an error; `tag` and `error_class` are the table's."""

    def __init__(self, error):
        data = error.get("data") or {}
        self.tag, self.error_class, self.code = data.get("tag"), data.get("class"), error.get("code")
        self.retry_after_ms = data.get("retry_after_ms")
        super().__init__(f"{self.tag} ({self.error_class})")


class WireClosed(Exception):
    """The connection is gone; code 1006 when no close frame came."""

    def __init__(self, code=1006, reason=""):
        self.code, self.reason = code, reason
        super().__init__(f"closed with {code} {reason}".strip())


def content_hash(kind, content):
    """The delivery contract's hash of a content: 32 hex digits."""
    stored = {k: content[k] for k in CONTENT_ORDER if k in content}
    text = json.dumps(stored, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(bytes([MESSAGE_NUMBER[kind]]) + text.encode()).hexdigest()[:32]


def text_hash(text):
    return content_hash("text", {"text": text})


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def user_token(secret, kid, app, user, name=None, lifetime_s=3600, **claims):
    now = int(time.time())
    body = {"aud": app, "sub": user, "use": "chat", "iat": now, "exp": now + lifetime_s, **claims}
    if name:
        body["name"] = name
    parts = [b64url(json.dumps(p, separators=(",", ":")).encode())
             for p in ({"alg": "HS256", "kid": kid, "typ": "JWT"}, body)]
    signature = hmac.new(secret, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join(parts + [b64url(signature)])


def new_cmid():
    raw = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return raw.hex()


class Wire:
    def __init__(self, port, host="127.0.0.1", timeout_s=20, path="/v1/ws"):
        self.timeout_s, self.buffer, self.next_id, self.events = timeout_s, b"", 1, []
        self.answers = {}
        self.sock = socket.create_connection((host, port), timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upgrade(host, port, path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _upgrade(self, host, port, path):
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                           f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Protocol: deskbell.v1\r\n\r\n").encode())
        deadline = time.monotonic() + self.timeout_s
        while b"\r\n\r\n" not in self.buffer:
            self._fill(deadline)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, v in (l.split(":", 1) for l in lines[1:] if ":" in l)}
        if " 101 " not in lines[0] + " " or headers.get("sec-websocket-accept") != accept.decode():
            raise WireClosed(1006, f"no upgrade: {lines[0]}")

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.sock], [], [], left)[0]:
            raise TimeoutError("nothing came in time")
        try:
            piece = self.sock.recv(262144)
        except OSError as e:
            raise WireClosed(1006, str(e)) from e
        if not piece:
            raise WireClosed()
        self.buffer += piece

    def send_frame(self, payload, opcode=1):
        if isinstance(payload, str):
            payload = payload.encode()
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        mask = os.urandom(4)
        masked = (int.from_bytes(payload, "big") ^
                  int.from_bytes((mask * (size // 4 + 1))[:size], "big")).to_bytes(size, "big") if size else b""
        try:
            self.sock.sendall(head + mask + masked)
        except OSError as e:
            raise WireClosed(1006, str(e)) from e

    def read_message(self, timeout_s=None):
        """The next text message, as JSON. Raises TimeoutError or WireClosed."""
        deadline = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        text = b""
        while True:
            final, opcode, payload = self._read_frame(deadline)
            if opcode == 8:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                try:
                    self.send_frame(payload[:2], 8)
                except WireClosed:
                    pass
                raise WireClosed(code, payload[2:].decode("utf-8", "replace"))
            if opcode == 9:
                self.send_frame(payload, 10)
            elif opcode in (0, 1):
                text += payload
                if final:
                    return json.loads(text)

    def _read_frame(self, deadline):
        while len(self.buffer) < 2:
            self._fill(deadline)
        first, second = self.buffer[0], self.buffer[1]
        size, at = second & 0x7F, 2
        for mark, width, form in ((126, 2, ">H"), (127, 8, ">Q")):
            if second & 0x7F == mark:
                while len(self.buffer) < 2 + width:
                    self._fill(deadline)
                size, at = struct.unpack(form, self.buffer[2:2 + width])[0], 2 + width
        while len(self.buffer) < at + size:
            self._fill(deadline)
        payload, self.buffer = self.buffer[at:at + size], self.buffer[at + size:]
        return bool(first & 0x80), first & 0x0F, payload

    def post(self, method, params):
        """Sends a request; returns its id for `answer`."""
        number = self.next_id
        self.next_id += 1
        self.send_frame(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params},
                                   ensure_ascii=False, separators=(",", ":")))
        return number

    def notify(self, method, params):
        self.send_frame(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}, ensure_ascii=False,
                                   separators=(",", ":")))

    def answer(self, number, timeout_s=None):
        deadline = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        while number not in self.answers:
            self._take(self.read_message(max(0.0, deadline - time.monotonic())))
        message = self.answers.pop(number)
        if "error" in message:
            raise WireError(message["error"])
        return message["result"]

    def call(self, method, params=None, timeout_s=None):
        return self.answer(self.post(method, params or {}), timeout_s)

    def _take(self, message):
        if "method" not in message:
            self.answers[message.get("id")] = message
            return
        message["t_ns"] = time.monotonic_ns()
        self.events.append(message)
        if message["method"] == "heartbeat":
            self.notify("session.alive", {})

    def wait_event(self, matches, timeout_s=None):
        """The first event (also of those that came before) for which matches(event) is true."""
        deadline = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        at = 0
        while True:
            while at < len(self.events):
                if matches(self.events[at]):
                    return self.events[at]
                at += 1
            self._take(self.read_message(max(0.0, deadline - time.monotonic())))

    def open_session(self, token=None, visitor=None, device=None, **more):
        params = {"device": device or os.urandom(16).hex(), "protocol": {"min": 1, "max": 1}, **more}
        if token:
            params["token"] = token
        if visitor:
            params["visitor"] = visitor
        return self.call("session.open", params)

    def read_log(self, conv, log="public", limit=200):
        """(entries, head): the whole log, page by page."""
        entries, after = [], 0
        while True:
            params = {"conv": conv, "after": after, "limit": limit}
            if log != "public":
                params["log"] = log
            page = self.call("entries.read", params)
            entries += page["entries"]
            if not page.get("more"):
                return entries, page["head"]
            after = page["entries"][-1]["iseq" if log == "team" else "seq"]

    def read_feed(self, rev=0, limit=200):
        rows = []
        while True:
            page = self.call("feed.read", {"rev": rev, "limit": limit})
            rows += page["rows"]
            rev = page["rev"]
            if not page.get("more"):
                return rows

    def close(self):
        try:
            self.send_frame(struct.pack(">H", 1000), 8)
        except (WireClosed, OSError):
            pass
        self.sock.close()


def entry_line(entry, kind_name):
    """An entry of the wire as a history writes it: no text, but its hash."""
    out = {k: entry[k] for k in ("seq", "iseq", "at_seq", "cmid", "ts", "author", "of") if k in entry}
    out[kind_name] = entry["kind"]
    out["version"] = entry.get("edited", 1)
    if entry["kind"] in ("edit", "revision"):
        out["version"] = entry.get("version", 1)
    if entry["kind"] in MESSAGE_NUMBER:
        out["hash"] = content_hash(entry["kind"], entry)
    elif "text" in entry:  # an edit's or a revision's; of an erased message it must not be there, the checker says so
        out["hash"] = text_hash(entry["text"])
    return out
