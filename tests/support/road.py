# SPDX-License-Identifier: Apache-2.0
"""What the rigs of the SDK's way to the server need: certificates, a WebSocket server that does what it is told, an HTTP
proxy, and the program sdk_road that says what a client sees.

Everything listens on a port the kernel picks, on threads that end with the process.
"""
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import SLOW, Failed, Process, program  # noqa: E402

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
SESSION = {"principal": "usr_0000000000001", "epoch": "00000000000000e1", "rev": 1, "now": 1, "protocol": 1,
           "features": [], "limits": {"in_flight": 16, "frame_bytes": 65536, "key_window_days": 90, "retry_days": 30,
                                      "heartbeat_ms": 25000, "dead_ms": 35000}}


# ---- certificates -----------------------------------------------------------------------------------------------------

CONFIG = """[ca]
default_ca = own
[own]
dir = {folder}
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
subjectAltName = {names}
"""


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *args], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failed(f"openssl {args[0]}: {done.stderr.decode()[-400:]}")
    return done.stdout


class Authority:
    """A root of its own, and what it signs."""

    def __init__(self, folder, name):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        open(os.path.join(self.folder, "index"), "w", encoding="ascii").close()
        self.path, self.key = os.path.join(self.folder, "root.pem"), os.path.join(self.folder, "root.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                f"/CN=root {name}", "-keyout", self.key, "-out", self.path)

    def sign(self, name, names=NAMES, begin="20200101000000Z", end="20990101000000Z"):
        """(certificate, key) as paths; `names` is its subjectAltName."""
        cert, key, request, config = [os.path.join(self.folder, name + end_) for end_ in (".pem", ".key", ".csr", ".cnf")]
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder=self.folder, names=names))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "leaf", "-cert", self.path, "-keyfile",
                self.key, "-in", request, "-out", cert, "-startdate", begin, "-enddate", end)
        os.chmod(key, 0o644)
        return cert, key


def self_signed(folder):
    cert, key = os.path.join(folder, "self.pem"), os.path.join(folder, "self.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=" + NAMES, "-keyout", key, "-out", cert)
    return cert, key


def pin_of(cert):
    """As RFC 7469 has it, with the prefix of deskbell.h."""
    der = openssl("pkey", "-pubin", "-outform", "der", data=openssl("x509", "-in", cert, "-noout", "-pubkey"))
    return "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()


# ---- servers ----------------------------------------------------------------------------------------------------------

class Listener:
    """Runs `serve(stream, number)` for each connection, on a thread; counts them, and keeps what they sent first."""

    def __init__(self, serve, pair=None, host="127.0.0.1", port=0, tls=None):
        self.serve, self.tls, self.count, self.turn, self.names = serve, tls, 0, threading.Condition(), []
        if pair:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*pair)
        if self.tls:
            self.tls.sni_callback = lambda _, name, __: self.names.append(name)
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        self.is_open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.is_open:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            if not self.is_open:
                stream.close()
                return
            with self.turn:
                self.count += 1
                number = self.count
                self.turn.notify_all()
            threading.Thread(target=self._run, args=(stream, number), daemon=True).start()

    def _run(self, stream, number):
        try:
            stream.settimeout(60 * SLOW)
            if self.tls:
                stream = self.tls.wrap_socket(stream, server_side=True)
            self.serve(stream, number)
        except (OSError, EOFError, ValueError):
            pass
        finally:
            stream.close()

    def wait_count(self, count, timeout_s=30):
        with self.turn:
            if not self.turn.wait_for(lambda: self.count >= count, timeout_s * SLOW):
                raise Failed(f"{self.count} connections instead of {count} came to port {self.port}")

    def close(self):
        self.is_open = False
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def read_head(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte or len(head) > 16384:
            raise EOFError
        head += byte
    return head


def accept_of(head):
    key = re.search(rb"(?i)sec-websocket-key:\s*(\S+)", head)
    if not key:
        raise EOFError
    return base64.b64encode(hashlib.sha1(key.group(1) + MAGIC).digest())


def answer_of(head, **changes):
    """The 101 to a request; a header that is None is left out."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept_of(head).decode(),
               "Sec-WebSocket-Protocol": "deskbell.v1"}
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    rows = ["HTTP/1.1 101 Switching Protocols"] + [f"{n}: {v}" for n, v in headers.items() if v is not None]
    return "\r\n".join(rows + ["", ""]).encode()


def frame(first, payload=b"", length=None):
    """A frame as servers send it; `length`: what it claims."""
    n = len(payload) if length is None else length
    head = bytes([first, n]) if n < 126 else struct.pack(">BBH", first, 126, n) if n < 65536 else \
        struct.pack(">BBQ", first, 127, n)
    return head + payload


def read_all(stream, n):
    data = b""
    while len(data) < n:
        more = stream.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_frame(stream):
    """(opcode, payload) of a masked frame of the client."""
    head = read_all(stream, 2)
    if not head[1] & 0x80:
        raise ValueError("a client's frame without a mask")
    n = head[1] & 0x7f
    n = struct.unpack(">H", read_all(stream, 2))[0] if n == 126 else struct.unpack(">Q", read_all(stream, 8))[0] \
        if n == 127 else n
    mask, data = read_all(stream, 4), read_all(stream, n)
    return head[0] & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def upgrade(stream):
    head = read_head(stream)
    stream.sendall(answer_of(head))


def open_session(stream):
    """Upgrades and answers session.open; what is asked afterwards stays unanswered."""
    upgrade(stream)
    opcode, payload = read_frame(stream)
    asked = json.loads(payload)
    if opcode != 1 or asked["method"] != "session.open":
        raise Failed(f"the first message was {payload[:80]}")
    stream.sendall(frame(0x81, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": SESSION}).encode()))


def is_tls_port_of(server, stream):
    """Bytes both ways between a stream and a port, until one side ends."""
    other = socket.create_connection(("127.0.0.1", server))

    def pump(a, b):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
    back = threading.Thread(target=pump, args=(other, stream), daemon=True)
    back.start()
    pump(stream, other)
    back.join()
    other.close()


class Proxy(Listener):
    """CONNECT to wherever asked, on this machine; `credentials` "user:password" are asked for; `answer` is sent instead
    of a way. `asked`: (target, Proxy-Authorization) of each request."""

    def __init__(self, credentials=None, answer=None, **more):
        self.credentials, self.answer, self.asked = credentials, answer, []
        super().__init__(self.relay, **more)

    def relay(self, stream, _):
        head = read_head(stream).decode("latin-1")
        method, target, _ = head.split("\r\n")[0].split(" ")
        given = re.search(r"(?i)proxy-authorization: *(.*)\r", head)
        self.asked.append((f"{method} {target}", given.group(1) if given else None))
        if self.answer is not None:
            stream.sendall(self.answer)
            time.sleep(0 if self.answer else 60)  # nothing at all: it hangs
            return
        if self.credentials:
            wanted = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            if not given or given.group(1) != wanted:
                stream.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n"
                               b"Proxy-Authenticate: Basic realm=\"here\"\r\n\r\n")
                return
        stream.sendall(b"HTTP/1.1 200 Connection")  # in two pieces, as it may come
        time.sleep(0.01)
        stream.sendall(b" established\r\nVia: test\r\n\r\n")
        is_tls_port_of(int(target.rsplit(":", 1)[1]), stream)


# ---- the client -------------------------------------------------------------------------------------------------------

class Road(Process):
    """sdk_road, with its lines as (first word, rest)."""

    runs = 0

    def __init__(self, folder, url, *args, app="app_0000000000009", token="secret-token", env=None):
        Road.runs += 1
        self.folder = os.path.join(folder, f"road.{Road.runs}")
        log = self.folder + ".log"
        super().__init__([program("sdk_road"), "--url", url, "--app", app, "--token", token, "--data", self.folder,
                          *args], log, stdin=True, env=env)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind:
            print(f"--- {self.child.args[1:5]} said:", *self.lines[-25:], sep="\n    ")
            self.kill()

    def expect(self, line, timeout_s=30, start=0):
        """Waits for a line that begins so; its position after it."""
        at, _ = self.wait_line(lambda l: l.startswith(line), timeout_s, start)
        return at + 1

    def expect_refused(self, why, reason, timeout_s=30):
        """A state that tells why, after a line of the log that tells more."""
        at = self.expect(f"log {why}: ", timeout_s)
        if reason not in self.lines[at - 1]:
            raise Failed(f"the log said {self.lines[at - 1]!r} instead of {reason!r}")
        self.wait_line(lambda l: re.match(rf"state (waiting|delayed|connecting) {why} ", l), timeout_s)

    def end(self, most_ms=5000):
        """Closes the client; how long that took, in ms."""
        self.write("close")
        at = self.expect("closed ")
        if self.wait(20) != 0:
            raise Failed("it did not end well")
        took = int(self.lines[at - 1].split()[1])
        if took > most_ms * SLOW:
            raise Failed(f"closing took {took} ms")
        return took


def run(tests, folder, log_pattern):
    """Runs the functions in their order; the first that fails ends it."""
    for test in tests:
        began = time.monotonic()
        test()
        print(f"ok   {test.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
    for name in os.listdir(folder):
        if name.endswith(".log"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                for row in file:
                    if log_pattern.search(row):
                        raise Failed(f"{name}: {row.strip()[:300]}")
