# SPDX-License-Identifier: Apache-2.0
"""A hostile server on the wire: whatever it sends, the client comes to a clear state in bounded time with bounded memory,
and is online again when a good server stands on that port. For the shipped transport and the example's own."""
import concurrent.futures
import os
import re
import struct
import threading
import time

import rigs  # noqa: F401  (finds tests/support)
from harness import REPORTS, SANITIZE, Failed, Rig, main
from road import (Authority, Listener, Road, answer_of, frame, open_session, read_frame, read_head, run, upgrade)

CLOSE = struct.Struct(">H")
GROWTH_KB = 12 * 1024  # private memory that an attack may cost


def says(answer):
    """Instead of the 101."""
    def serve(stream):
        read_head(stream)
        stream.sendall(answer)
        drain(stream)
    return serve


def agrees(**changes):
    """A 101 that is wrong."""
    def serve(stream):
        stream.sendall(answer_of(read_head(stream), **changes))
        drain(stream)
    return serve


def sends(*pieces):
    """After session.open was answered; then waits for the client to leave."""
    def serve(stream):
        open_session(stream)
        for piece in pieces:
            stream.sendall(piece)
        drain(stream)
    return serve


def drain(stream):
    while stream.recv(65536):
        pass


def fragments_without_end(stream):
    open_session(stream)
    stream.sendall(frame(0x01, b"x" * 1000))
    while True:
        stream.sendall(frame(0x00, b"x" * 1000) * 50)


def empty_fragments_without_end(stream):
    open_session(stream)
    stream.sendall(frame(0x01, b"{"))
    stop = time.monotonic() + 1.5
    while time.monotonic() < stop:
        stream.sendall(frame(0x00) * 10000)
    stream.sendall(frame(0x01, b"{"))  # a message inside another
    drain(stream)


def pings_without_end(stream):
    """Nobody reads the pongs."""
    open_session(stream)
    stream.settimeout(1)
    try:
        for _ in range(2000):
            stream.sendall(frame(0x89, b"p" * 125) * 100)
    except TimeoutError:
        pass  # the client has stopped reading: that is its right
    stream.close()


def messages_without_end(stream):
    """Faster than they can be worked on."""
    open_session(stream)
    noise = frame(0x81, b'{"jsonrpc":"2.0","method":"noise","params":{"x":"' + b"n" * 60000 + b'"}}') * 20
    stop = time.monotonic() + 1.5
    while time.monotonic() < stop:
        stream.sendall(noise)
    stream.close()


def headers_without_end(stream):
    read_head(stream)
    stream.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        stream.sendall(b"X-More: " + b"m" * 1000 + b"\r\n")


def leaves_in_the_middle(stream):
    head = read_head(stream)
    stream.sendall(answer_of(head)[:40])


def leaves_in_a_frame(stream):
    open_session(stream)
    stream.sendall(frame(0x81, b"half", length=1000))


def close_with(code, reason=b""):
    return sends(frame(0x88, CLOSE.pack(code) + reason))


# name, what the server does, what the client has to say (the tag of its state), the same for the example's transport
CASES = [
    ("200 instead of 101", says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "handshake"),
    ("401", says(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), "handshake"),
    ("404 with a page", says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 90000\r\n\r\n" + b"p" * 90000), "handshake"),
    ("a redirect", says(b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "handshake"),
    ("503", says(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), "handshake"),
    ("503, come back later", says(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
     "handshake"),
    ("a wrong accept", agrees(Sec_WebSocket_Accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "handshake"),
    ("no accept", agrees(Sec_WebSocket_Accept=None), "handshake"),
    ("another subprotocol", agrees(Sec_WebSocket_Protocol="other.v1"), "handshake"),
    ("no subprotocol", agrees(Sec_WebSocket_Protocol=None), "handshake"),
    ("no upgrade", agrees(Upgrade=None), "handshake"),
    ("an upgrade to something else", agrees(Upgrade="h2c"), "handshake"),
    ("compression nobody asked for", agrees(Sec_WebSocket_Extensions="permessage-deflate"), "handshake"),
    ("no HTTP at all", says(b"\x16\x03\x03\x00\x02\x02\x28" * 20), "handshake|network"),
    ("another protocol", says(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), "handshake|network"),
    ("headers without end", headers_without_end, "handshake|network"),
    ("leaving in the upgrade", leaves_in_the_middle, "handshake|network"),
    ("nothing", lambda stream: read_head(stream), "network"),
    ("a frame of 2^63 bytes", sends(frame(0x81, b"x" * 20000, length=1 << 62)), "network"),
    ("a length with its highest bit", sends(b"\x81\x7f" + b"\xff" * 8), "network"),
    ("a frame one byte too large", sends(frame(0x81, b"x" * 262145)), "network"),
    ("fragments without end", fragments_without_end, "network"),
    ("empty fragments without end", empty_fragments_without_end, "network"),
    ("pings without end", pings_without_end, "network"),
    ("messages without end", messages_without_end, "network|silent"),
    ("an unknown opcode", sends(frame(0x83, b"x")), "network"),
    ("an unknown control opcode", sends(frame(0x8b, b"x")), "network"),
    ("reserved bits", sends(frame(0xA1, b"x")), "network"),
    ("a compressed message", sends(frame(0xC1, b"\xaa\x56\x2a\x2e")), "network"),
    ("a masked frame", sends(b"\x81\x81\x01\x02\x03\x04x"), "network|invalid_message"),
    ("a continuation of nothing", sends(frame(0x80, b"x")), "network"),
    ("a message inside another", sends(frame(0x01, b"{") + frame(0x81, b"{}")), "network"),
    ("a ping in fragments", sends(frame(0x09, b"x")), "network"),
    ("a ping that is too long", sends(b"\x89\x7e\x00\x80" + b"x" * 128), "network"),
    ("binary", sends(frame(0x82, b"{}")), "network"),
    ("text that is none", sends(frame(0x81, b'{"jsonrpc":"\xff\xfe"}')), "network|invalid_message"),
    ("no JSON", sends(frame(0x81, b"hello")), "invalid_message"),
    ("depth", sends(frame(0x81, b"[" * 60000)), "invalid_message"),
    ("an answer to nothing, then its end", sends(frame(0x81, b'{"jsonrpc":"2.0","id":99,"result":{}}') +
                                                 frame(0x88, CLOSE.pack(1011))), "network"),
    ("leaving in a frame", leaves_in_a_frame, "network"),
    ("a close without a code", sends(frame(0x88)), "network"),
    ("a close with half a code", sends(frame(0x88, b"\x03")), "network"),
    ("a close with a code that cannot be", close_with(1005), "network"),
    ("a close with a reason that is no text", close_with(4012, b"\xff\xfe"), "network|drain"),
    ("a close that says drain", close_with(4012, b"drain"), "drain"),
    ("a close of nobody's range", close_with(4999, b"what"), "network"),
]


def private_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(row.split()[1]) for row in file if row.startswith("VmHWM"))


def survives(stage, name, attack, why, own, pair):
    """Once hostile, then good: which state is told, memory, and online again."""
    done = threading.Event()

    def serve(stream, number):
        if number == 1:
            try:
                attack(stream)
            finally:
                done.set()
        else:
            open_session(stream)
            while True:
                read_frame(stream)
    listener = Listener(serve, pair)
    with Road(stage.folder, f"{'wss' if pair else 'ws'}://localhost:{listener.port}", "--ca", stage.root.path,
              *own) as road:
        # A pause may be none at all; then it is connecting again, for that reason.
        at, _ = road.wait_line(lambda l: re.match("state (waiting|delayed) |state connecting [a-z]", l), 25)
        state = road.lines[at].split()
        if state[2] not in why.split("|"):
            raise Failed(f"{name} {own}: {' '.join(state)} instead of {why}")
        if "later" in name and not own and (state[1] != "delayed" or int(state[3]) < 1000):
            raise Failed(f"{name}: {' '.join(state)}")
        road.write("network")
        road.expect("state online", start=at)
        grown = private_kb(road.child.pid)
        road.end()
    listener.close()
    return grown


def make(stage):
    def over(own, pair):
        peaks = {}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = {case[0]: pool.submit(survives, stage, *case, own, pair) for case in CASES}
            for name, one in runs.items():
                try:
                    peaks[name] = one.result()
                except Failed as e:
                    raise Failed(f"{name}: {e}") from e
        least = min(peaks.values())
        worst = max(peaks, key=peaks.get)
        print(f"     memory: {least} kB, {peaks[worst]} kB after {worst}", flush=True)
        if not SANITIZE and peaks[worst] - least > GROWTH_KB:
            raise Failed(f"{worst} cost {peaks[worst] - least} kB")

    def whatever_the_server_sends_the_client_comes_back():
        over((), None)

    def the_same_over_tls():
        over((), stage.pair)

    def the_same_with_a_transport_of_ones_own():
        over(("--own",), None)

    def a_server_that_never_ends_its_upgrade_is_left_after_twenty_seconds_at_most():
        def drip(stream, number):
            if number > 1:
                open_session(stream)
                stream.recv(1)
                return
            read_head(stream)
            for byte in b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 60:
                stream.sendall(bytes([byte]))
                time.sleep(0.25)
        slow, roads = [Listener(drip), Listener(lambda stream, _: time.sleep(60)), Listener(drip)], []
        began = time.monotonic()
        for listener, own, scheme in zip(slow, ((), (), ("--own",)), ("ws", "wss", "ws")):
            roads.append(Road(stage.folder, f"{scheme}://localhost:{listener.port}", *own))
        for road in roads:
            with road:
                road.expect("state waiting network", 30)
                road.end(1000)
        if not time.monotonic() - began < 25:
            raise Failed(f"it took {time.monotonic() - began} s")
        for listener in slow:
            listener.close()

    return [value for key, value in list(locals().items()) if callable(value) and key not in ("stage", "over")]


class Stage:
    def __init__(self, rig):
        self.folder, self.root = rig.folder, Authority(rig.folder, "root")
        self.pair = self.root.sign("good")


def test_all():
    with Rig("sdk-wire") as rig:
        os.chmod(rig.folder, 0o755)
        run(make(Stage(rig)), rig.folder, REPORTS)


if __name__ == "__main__":
    main(test_all)
