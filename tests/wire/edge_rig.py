# SPDX-License-Identifier: Apache-2.0
"""Raw sockets against edge_echo (tests/load/edge_echo.c): what the wire tests of the edge share. Standard library only.

A test is a function; its name is the sentence. run() runs all of a module, those marked @slow side by side, and ends
each server with SIGTERM, which has to end cleanly and say nothing on standard error.
"""
import concurrent.futures
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

BUILD = os.environ.get("DESKBELL_BUILD", "/tmp")
SANITIZED = bool(os.environ.get("DESKBELL_SANITIZE"))  # memory cannot be judged then
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PATIENCE = 30.0

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Server:
    def __init__(self, *options, descriptors=None):
        command = [os.path.join(BUILD, "edge_echo"), *options]
        environment = dict(os.environ)
        if descriptors:
            command = ["/bin/sh", "-c", 'ulimit -n %d; exec "$@"' % descriptors, "sh", *command]
            environment["EDGE_ECHO_KEEP_LIMIT"] = "1"
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=environment)
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            raise AssertionError("edge_echo did not start: %r %s" % (line, self.process.stderr.read()))
        self.port = int(line.split()[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE)
        if self.process.returncode != 0 or err:
            raise AssertionError("edge_echo ended with %d: %s" % (self.process.returncode, err))
        return out

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.communicate()

    def connect(self, receive_buffer=None):
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(PATIENCE)
        plain.connect(("127.0.0.1", self.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain

    def exchange(self, request):
        """Sends bytes, reads until the server ends the connection. None: it was reset."""
        with self.connect() as plain:
            plain.sendall(request)
            return read_all(plain)

    def stats(self):
        with self.connect() as plain:
            plain.sendall(get("/stats", "Connection: close\r\n"))
            return json.loads(read_answer(Reader(plain)).body)

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def websocket(self, headers="", receive_buffer=None):
        return Websocket(self.connect(receive_buffer), headers)


def read_all(plain):
    got = b""
    try:
        while True:
            more = plain.recv(65536)
            if not more:
                return got
            got += more
    except ConnectionResetError:
        return got or None


class Reader:
    def __init__(self, plain):
        self.plain, self.rest = plain, b""

    def more(self):
        got = self.plain.recv(65536)
        if not got:
            raise EOFError(self.rest)
        self.rest += got

    def exactly(self, count):
        while len(self.rest) < count:
            self.more()
        got, self.rest = self.rest[:count], self.rest[count:]
        return got

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        got, self.rest = self.rest.split(mark, 1)
        return got


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def read_answer(reader, has_body=True):
    lines = reader.until(b"\r\n\r\n").decode("ascii").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, value = line.split(": ", 1)
        if name.lower() in headers:
            raise AssertionError("header twice: " + line)
        headers[name.lower()] = value
    status = int(lines[0].split(" ")[1])
    length = int(headers.get("content-length", 0)) if has_body and status not in (101, 100, 204, 304) else 0
    return Answer(status, headers, reader.exactly(length))


def status_of(answer):
    """Status of an answer as raw bytes; 0 when there was none."""
    if not answer:
        return 0
    if not answer.startswith(b"HTTP/1.1 "):
        raise AssertionError("not an answer: %r" % answer[:80])
    return int(answer[9:12])


def get(path, headers=""):
    return ("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path, headers)).encode("latin-1")


def upgrade(method="GET", path="/v1/ws", version="HTTP/1.1", host="Host: localhost\r\n",
            upgrade="Upgrade: websocket\r\n", connection="Connection: Upgrade\r\n",
            key="Sec-WebSocket-Key: %s\r\n" % KEY, number="Sec-WebSocket-Version: 13\r\n",
            protocol="Sec-WebSocket-Protocol: deskbell.v1\r\n", more=""):
    return ("%s %s %s\r\n%s%s%s%s%s%s%s\r\n" % (method, path, version, host, upgrade, connection, key, number, protocol,
                                               more)).encode("latin-1")


def mask(payload, key):
    return bytes(byte ^ key[i & 3] for i, byte in enumerate(payload)) if any(key) else payload


def frame(opcode, payload=b"", final=True, key=b"\x11\x22\x33\x44", reserved=0, length=None):
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    size = len(payload)
    if length is not None:
        head += length
    elif size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    return head + key + mask(payload, key)


def text(words, **how):
    return frame(TEXT, words if isinstance(words, bytes) else words.encode(), **how)


class Websocket:
    def __init__(self, plain, headers=""):
        self.plain = plain
        self.reader = Reader(plain)
        plain.sendall(upgrade(more=headers))
        answer = read_answer(self.reader)
        if answer.status != 101 or answer.headers["sec-websocket-accept"] != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=":
            raise AssertionError("no upgrade: %d %r" % (answer.status, answer.headers))

    def send(self, data):
        self.plain.sendall(data)

    def say(self, words):
        self.send(text(words))

    def receive(self):
        """(opcode, payload) of the next frame."""
        first, second = self.reader.exactly(2)
        if not first & 0x80 or second & 0x80:
            raise AssertionError("server frame %02x %02x" % (first, second))
        size = second
        if size == 126:
            size = struct.unpack(">H", self.reader.exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.reader.exactly(8))[0]
        return first & 15, self.reader.exactly(size)

    def expect_text(self, words):
        opcode, payload = self.receive()
        if opcode != TEXT or payload != (words if isinstance(words, bytes) else words.encode()):
            raise AssertionError("frame %d %r, not the text %r" % (opcode, payload[:80], words[:80]))

    def expect_close(self, code, within=2.5):
        """A close frame with that code (None: without one), and the end of TCP right behind it."""
        opcode, payload = self.receive()
        while opcode in (TEXT, PONG):
            opcode, payload = self.receive()
        got = struct.unpack(">H", payload[:2])[0] if payload else None
        if opcode != CLOSE or got != code:
            raise AssertionError("frame %d %r, not a close with %s" % (opcode, payload[:80], code))
        start = time.monotonic()
        if self.reader.rest or self.plain.recv(1):
            raise AssertionError("bytes behind a close frame")
        if time.monotonic() - start > within:
            raise AssertionError("TCP ended late")
        return payload[2:]

    def close(self):
        self.plain.close()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


def expect(claim, why):
    if not claim:
        raise AssertionError(why)


def await_true(ask, why, patience=PATIENCE):
    """Asks until it is so; for what only another process can tell."""
    end = time.monotonic() + patience
    while not ask():
        expect(time.monotonic() < end, why)
        time.sleep(0.02)


def slow(test):
    test.is_slow = True
    return test


def run(module):
    failures = []
    lock = threading.Lock()

    def one(name, test):
        start = time.monotonic()
        try:
            test()
            verdict = "ok"
        except Exception:  # whatever it is, the others run
            verdict = "FAILED\n" + traceback.format_exc()
            failures.append(name)
        with lock:
            print("%-6s %5.1f s  %s" % (verdict.split("\n")[0], time.monotonic() - start, name.replace("_", " ")))
            if verdict != "ok":
                print(verdict)
            sys.stdout.flush()

    wanted = sys.argv[1:]
    tests = [(name, value) for name, value in module.items()
             if name.startswith(("a_", "the_", "what_", "who_", "no_", "each_", "only_", "an_", "it_", "when_", "answers_", "random_"))
             and callable(value) and (not wanted or name in wanted)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        waiting = [pool.submit(one, name, test) for name, test in tests if getattr(test, "is_slow", False)]
        for name, test in tests:
            if not getattr(test, "is_slow", False):
                one(name, test)
        concurrent.futures.wait(waiting)
    print("%d tests, %d failed" % (len(tests), len(failures)))
    sys.exit(1 if failures or not tests else 0)
