# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks that can misbehave, and its own verifier of signatures (shares no code with the product).

    sink = Sink()
    sink.modes["/shop"] = "ok"       # what that path does: see Sink.answer
    sink.replies["/bot"] = f         # or f(request) says it: (status, body); None: not a byte
    sink.url("/shop")
    sink.wait(lambda: len(sink.of("/shop")) == 3)
"""
import base64
import gzip
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time

TOLERANCE_S = 300


def verify(secret, headers, body, now=None):
    """None when good, else why not. Standard Webhooks, written from its text."""
    key = base64.b64decode(secret[len("whsec_"):])
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(int(stamp) - (now or time.time())) > TOLERANCE_S:
        return "time"
    text = headers.get("webhook-id", "").encode() + b"." + stamp.encode() + b"." + body
    wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return None if any(hmac.compare_digest(wanted, one) for one in given) else "signature"


class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.at = path, headers, body, time.monotonic()
        self.id = headers.get("webhook-id")
        self.json = json.loads(body)


class Sink:
    def __init__(self, cert=None, port=0):
        self.modes, self.replies, self.requests, self.turn = {}, {}, [], threading.Condition()
        self.connections, self.open_now, self.most_open = 0, {}, {}
        self.tls = None
        if cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*cert)
        self.socket = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def of(self, path, kind=None):
        """Requests so far, in the order in which they came."""
        with self.turn:
            return [r for r in self.requests if r.path == path and (kind is None or r.json["type"] == kind)]

    def wait(self, condition, timeout_s=20):
        """True once condition() is; False after the time."""
        deadline = time.monotonic() + timeout_s
        with self.turn:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.turn.wait(left)
            return True

    def close(self):
        self.socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                while self._one(connection):
                    pass
        except (OSError, ValueError):
            pass

    def _one(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return False
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {k.strip().lower(): v.strip() for k, v in (l.split(":", 1) for l in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        with self.turn:
            request = Request(path, headers, body)
            self.requests.append(request)
            count = sum(r.path == path for r in self.requests)
            self.open_now[path] = self.open_now.get(path, 0) + 1
            self.most_open[path] = max(self.most_open.get(path, 0), self.open_now[path])
            self.turn.notify_all()
        try:
            if path in self.replies:
                return self.reply(connection, self.replies[path](request))
            return self.answer(connection, self.modes.get(path, "ok"), count)
        finally:
            with self.turn:
                self.open_now[path] -= 1

    @staticmethod
    def reply(connection, said):
        if said is None:
            return False
        status, body = said
        connection.sendall(b"HTTP/1.1 %d So\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        return True

    def answer(self, connection, mode, count):
        """True: the connection stays."""
        if callable(mode):
            mode = mode(count)
        if mode == "ok":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return True
        if mode == "500":
            connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 13\r\n\r\nnot \x1b[1mtoday")
            return True
        if mode.startswith("301 "):
            connection.sendall(f"HTTP/1.1 301 Moved\r\nLocation: {mode[4:]}\r\nContent-Length: 0\r\n\r\n".encode())
            return True
        if mode == "slow":
            time.sleep(8)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        elif mode == "infinite":
            connection.sendall(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)
        elif mode == "headers":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(b"X-Filler: " + b"y" * 1000 + b"\r\n")
        elif mode == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Slow: yes\r\n\r\n":
                connection.sendall(bytes([byte]))
                time.sleep(0.5)
        elif mode == "bomb":
            bomb = gzip.compress(b"\0" * (64 << 20))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
                               + bomb)
        elif mode == "close":
            pass  # after the request, before a byte of the answer
        return False
