# SPDX-License-Identifier: Apache-2.0
"""The gate in front of a WebSocket: each row of the table of handshakes, and what a peer may cost before it is in."""
import socket
import time

from edge_rig import PATIENCE, Server, expect, get, read_all, run, slow, status_of, text, upgrade

ROWS = [
    (101, "as it should be", upgrade(more="")),
    (405, "POST", upgrade(method="POST")),
    (405, "TRACE", upgrade(method="TRACE")),
    (405, "unknown method", upgrade(method="BREW")),
    (400, "absolute address", upgrade(path="http://localhost/v1/ws")),
    (400, "HTTP/1.0", upgrade(version="HTTP/1.0")),
    (400, "HTTP/2.0", upgrade(version="HTTP/2.0")),
    (400, "no Host", upgrade(host="")),
    (400, "two Hosts", upgrade(host="Host: localhost\r\nHost: localhost\r\n")),
    (400, "bad Host", upgrade(host="Host: a b\r\n")),
    (400, "TE with CL", upgrade(more="Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")),
    (400, "two CL", upgrade(more="Content-Length: 3\r\nContent-Length: 3\r\n")),
    (400, "a body", upgrade(more="Content-Length: 3\r\n")),
    (411, "chunked", upgrade(more="Transfer-Encoding: chunked\r\n")),
    (426, "version 12", upgrade(number="Sec-WebSocket-Version: 12\r\n")),
    (426, "no version", upgrade(number="")),
    (400, "no key", upgrade(key="")),
    (400, "two keys", upgrade(key="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" * 2)),
    (400, "short key", upgrade(key="Sec-WebSocket-Key: dGhl\r\n")),
    (400, "key not canonical", upgrade(key="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n")),
    (426, "no Upgrade", upgrade(upgrade="")),
    (400, "other Upgrade", upgrade(upgrade="Upgrade: chat\r\n")),
    (400, "no Connection", upgrade(connection="")),
    (400, "Connection without upgrade", upgrade(connection="Connection: keep-alive\r\n")),
    (101, "Connection with more tokens", upgrade(connection="Connection: keep-alive, upgrade\r\n")),
    (400, "no subprotocol", upgrade(protocol="")),
    (400, "subprotocol in another case", upgrade(protocol="Sec-WebSocket-Protocol: Deskbell.v1\r\n")),
    (400, "other subprotocol", upgrade(protocol="Sec-WebSocket-Protocol: deskbell.v10\r\n")),
    (404, "unknown path", upgrade(path="/v1/wss")),
    (404, "dots in the path", upgrade(path="/v1/../v1/ws")),
    (404, "doubled slash", upgrade(path="//v1/ws")),
    (404, "escaped path", upgrade(path="/v1%2fws")),
    (401, "token in the address", upgrade(path="/v1/ws?token=abc")),
    (403, "foreign Origin", upgrade(more="Origin: https://foreign.example\r\n")),
    (503, "refused with a status of the handler's", upgrade(more="Origin: https://busy.example\r\n")),
    (101, "Origin of its own", upgrade(more="Origin: https://home.example\r\n")),
    (400, "two Origins", upgrade(more="Origin: https://a.example\r\n" * 2)),
    (431, "headers above 8 KiB", upgrade(more="X-Long: %s\r\n" % ("x" * 9000))),
    (101, "headers below 8 KiB", upgrade(more="X-Long: %s\r\n" % ("x" * 7000))),
    (431, "too many headers", upgrade(more="X: y\r\n" * 100)),
    (414, "long address", get("/" + "x" * 3000)),
    (414, "endless address", b"GET /" + b"x" * 9000),
    (400, "h2c", upgrade(upgrade="Upgrade: h2c\r\n", connection="Connection: Upgrade, HTTP2-Settings\r\n",
                         more="HTTP2-Settings: AAMAAABkAAQAAP__\r\n")),
    (400, "h2c and websocket", upgrade(upgrade="Upgrade: h2c, websocket\r\n")),
    (400, "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
    (400, "bare LF", upgrade().replace(b"\r\n", b"\n")),
    (400, "bare CR in a value", upgrade(more="X: a\rb\r\n")),
    (400, "NUL in a value", upgrade(more="X: a\0b\r\n")),
    (400, "folded header", upgrade(more="X: a\r\n b\r\n")),
    (400, "blank before the colon", upgrade(more="X : a\r\n")),
    (400, "TLS at a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    (101, "deflate offered is not taken", upgrade(more="Sec-WebSocket-Extensions: permessage-deflate\r\n")),
    (101, "deflate offered twice", upgrade(more="Sec-WebSocket-Extensions: permessage-deflate; "
                                                "client_max_window_bits=99\r\n" * 2)),
]


def each_row_of_the_table_is_answered_as_it_says():
    with Server() as server:
        for status, name, request in ROWS:
            with server.connect() as plain:
                plain.sendall(request)
                if status == 101:
                    got = plain.recv(65536)
                    expect(b"Sec-WebSocket-Extensions" not in got, "an extension was taken: " + name)
                else:
                    got = read_all(plain)
                    expect(b"\r\nConnection: close\r\n" in (got or b""), "not told to close: " + name)
                expect(status_of(got) == status, "%s: %r, not %d" % (name, got and got[:60], status))


def each_row_is_answered_the_same_when_it_comes_byte_by_byte():
    with Server() as server:
        for status, name, request in ROWS:
            if len(request) > 1000:
                continue
            with server.connect() as plain:
                for i in range(len(request)):
                    plain.sendall(request[i:i + 1])
                got = plain.recv(65536) if status == 101 else read_all(plain)
                expect(status_of(got) == status, "%s: %r, not %d" % (name, got and got[:60], status))


def a_426_names_the_version():
    with Server() as server:
        got = server.exchange(upgrade(number="Sec-WebSocket-Version: 7\r\n"))
        expect(b"\r\nSec-WebSocket-Version: 13\r\n" in got, got)


def only_configured_hosts_are_served():
    with Server("--host", "desk.example") as server:
        for host, status in (("desk.example", 200), ("DESK.example:8443", 200), ("127.0.0.1:%d" % server.port, 200),
                             ("desk.example.evil", 400), ("evil", 400), ("localhost", 400)):
            got = server.exchange(b"GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode())
            expect(status_of(got) == status, "%s: %r" % (host, got[:40]))


def what_follows_the_request_in_the_same_packet_is_read_as_frames():
    with Server() as server, server.connect() as plain:
        plain.sendall(upgrade() + text("early"))
        got = b""
        while not got.endswith(b"early"):
            got += plain.recv(4096)
        expect(got.startswith(b"HTTP/1.1 101") and got.endswith(b"\r\n\r\n\x81\x05early"), got)


def who_fails_too_often_is_refused_and_who_proves_himself_is_not_counted():
    with Server("--minute", "5") as server:
        for _ in range(30):
            with server.websocket():
                pass
        for _ in range(5):
            expect(status_of(server.exchange(upgrade(key=""))) == 400, "a failure")
        expect(not server.exchange(upgrade(key="")), "the sixth failure of the minute was served")


def only_so_many_may_be_pending_from_one_address():
    with Server("--pending", "3", "--distrust") as server:
        pending = [server.connect(), server.connect(), server.websocket()]
        with server.connect() as plain:
            plain.sendall(upgrade())
            expect(not read_all(plain), "a fourth was let in")
        pending[2].say("!trust")
        pending[2].say("on")
        pending[2].expect_text("on")
        with server.websocket() as fourth:
            fourth.say("in")
            fourth.expect_text("in")
        for each in pending:
            each.close()


def when_too_many_are_pending_in_all_the_next_one_waits():
    with Server("--handshakes", "2") as server:
        first, second, third = server.connect(), server.connect(), server.connect()
        third.sendall(upgrade())
        third.settimeout(0.5)
        try:
            third.recv(1)
            raise AssertionError("the third was served")
        except socket.timeout:
            pass
        third.settimeout(PATIENCE)
        first.sendall(upgrade())
        expect(first.recv(4096).startswith(b"HTTP/1.1 101"), "the first")
        expect(third.recv(4096).startswith(b"HTTP/1.1 101"), "the third, now")
        for each in (first, second, third):
            each.close()


def when_it_is_full_the_next_one_is_told_503():
    with Server("--connections", "2") as server:
        first, second = server.websocket(), server.websocket()
        with server.connect() as plain:
            got = read_all(plain)
            expect(status_of(got) == 503 and b"Retry-After" in got, got)
        first.close()
        second.close()


def when_descriptors_run_out_nobody_spins_and_it_recovers():
    with Server(descriptors=64) as server:
        crowd = [server.connect() for _ in range(80)]
        for each in crowd:
            each.sendall(upgrade())
        served = [each for each in crowd[:30]]
        for each in served:
            expect(each.recv(4096).startswith(b"HTTP/1.1 101"), "one of the first")
        before = server.cpu_seconds()
        time.sleep(2)
        expect(server.cpu_seconds() - before < 0.3, "it spins")
        old = served[0]
        old.sendall(bytes([0x81, 0x82]) + b"\0\0\0\0hi")
        expect(old.recv(10) == b"\x81\x02hi", "those that are in go on")
        for each in crowd[:60]:
            each.close()
        for each in crowd[60:]:
            expect(each.recv(4096).startswith(b"HTTP/1.1 101"), "the late ones are served when there is room")
            each.close()


def ended_after(plain, keep_sending=None):
    """Seconds until the server ends the connection."""
    start = time.monotonic()
    plain.settimeout(0.5)
    while time.monotonic() - start < 40:
        try:
            if keep_sending:
                plain.sendall(keep_sending)
            if not plain.recv(4096):
                return time.monotonic() - start
        except socket.timeout:
            pass
        except (ConnectionResetError, BrokenPipeError):
            return time.monotonic() - start
    return 99


@slow
def a_silent_connection_ends_after_ten_seconds():
    with Server() as server, server.connect() as plain:
        took = ended_after(plain)
        expect(9 < took < 12, took)


@slow
def a_head_that_drips_ends_after_ten_seconds():
    with Server() as server, server.connect() as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        took = ended_after(plain, b"x")
        expect(9 < took < 12, took)


@slow
def a_body_that_drips_ends_after_ten_seconds():
    for head in (b"POST /echo", b"PUT /stream"):
        with Server() as server, server.connect() as plain:
            plain.sendall(head + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n")
            took = ended_after(plain, b"x")
            expect(9 < took < 12, took)


@slow
def a_body_that_comes_fast_enough_is_taken_for_as_long_as_it_needs():
    with Server() as server, server.connect() as plain:
        plain.sendall(b"PUT /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n")
        for _ in range(24):
            plain.sendall(b"x" * 2500)
            time.sleep(1)
        expect(b"bytes 60000" in plain.recv(4096), "the answer")


@slow
def a_connection_between_two_requests_is_kept_for_thirty_seconds():
    with Server() as server, server.connect() as plain:
        plain.sendall(get("/healthz"))
        expect(plain.recv(4096).startswith(b"HTTP/1.1 200"), "the answer")
        took = ended_after(plain)
        expect(28 < took < 33, took)


if __name__ == "__main__":
    run(globals())
