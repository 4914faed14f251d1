# SPDX-License-Identifier: Apache-2.0
"""Frames on an open WebSocket: each row of the table of framing, closes, floods and slow readers."""
import random
import socket
import struct
import time

from edge_rig import (BINARY, CLOSE, PING, PONG, SANITIZED, TEXT, Server, await_true, expect, frame, run, slow, text)

SHARED = Server()


def close_body(code, reason=b""):
    return struct.pack(">H", code) + reason


ROWS = [
    (1002, "reserved bit 1 (deflate)", frame(TEXT, b"x", reserved=0x40)),
    (1002, "reserved bit 2", frame(TEXT, b"x", reserved=0x20)),
    (1002, "reserved bit 3", frame(TEXT, b"x", reserved=0x10)),
    (1002, "reserved opcode 3", frame(3, b"x")),
    (1002, "reserved opcode 7", frame(7, b"x")),
    (1002, "reserved opcode 11", frame(11, b"x")),
    (1002, "reserved opcode 15", frame(15, b"x")),
    (1002, "ping in pieces", frame(PING, b"x", final=False)),
    (1002, "close in pieces", frame(CLOSE, b"", final=False)),
    (1002, "ping of 126 bytes", frame(PING, b"x" * 126)),
    (1002, "continuation of nothing", frame(0, b"x")),
    (1002, "new text inside a fragmented one", text("a", final=False) + text("b")),
    (1002, "binary inside a fragmented one", text("a", final=False) + frame(BINARY, b"b")),
    (1002, "length above 2^63", frame(TEXT, length=b"\xff\x80\0\0\0\0\0\0\0")),
    (1002, "length 5 in 16 bits", frame(TEXT, b"hello", length=b"\xfe\0\5")),
    (1002, "length 300 in 64 bits", frame(TEXT, b"x" * 300, length=b"\xff\0\0\0\0\0\0\1\x2c")),
    (1002, "not masked", b"\x81\x02hi"),
    (1002, "not masked ping", b"\x89\x00"),
    (1003, "binary", frame(BINARY, b"x")),
    (1003, "binary in pieces", frame(BINARY, b"x", final=False)),
    (1007, "not UTF-8", text(b"ab\xff")),
    (1007, "overlong", text(b"\xc0\xaf")),
    (1007, "surrogate", text(b"\xed\xa0\x80")),
    (1007, "above the last code point", text(b"\xf4\x90\x80\x80")),
    (1007, "ends inside a code point", text(b"\xf0\x9f\x98")),
    (1007, "ends inside one, in two fragments", text(b"a\xf0\x9f", final=False) + frame(0, b"\x98")),
    (1007, "ends inside one, last fragment empty", text(b"a\xe2\x82", final=False) + frame(0, b"")),
    (1007, "bad bytes across fragments", text(b"a\xe2", final=False) + frame(0, b"\x28\xa1")),
    (1009, "64 KiB and one", text(b"x" * 65537)),
    (1009, "2^62, header only", frame(TEXT, length=b"\xff\x40\0\0\0\0\0\0\0")),
    (1009, "64 KiB and one in fragments", text(b"x" * 40000, final=False) + frame(0, b"x" * 25537)),
    (1002, "close with one byte", frame(CLOSE, b"x")),
    (1002, "close 999", frame(CLOSE, close_body(999))),
    (1002, "close 1004", frame(CLOSE, close_body(1004))),
    (1002, "close 1005", frame(CLOSE, close_body(1005))),
    (1002, "close 1006", frame(CLOSE, close_body(1006))),
    (1002, "close 1015", frame(CLOSE, close_body(1015))),
    (1002, "close 2999", frame(CLOSE, close_body(2999))),
    (1002, "close 5000", frame(CLOSE, close_body(5000))),
    (1002, "close with a reason that is not UTF-8", frame(CLOSE, close_body(1000, b"\xff"))),
    (None, "close without a code", frame(CLOSE)),
    (1000, "close 1000", frame(CLOSE, close_body(1000, b"bye"))),
    (1001, "close 1001", frame(CLOSE, close_body(1001))),
    (1011, "close 1011", frame(CLOSE, close_body(1011))),
    (1014, "close 1014", frame(CLOSE, close_body(1014))),
    (3000, "close 3000", frame(CLOSE, close_body(3000))),
    (4999, "close 4999", frame(CLOSE, close_body(4999))),
]


def each_row_of_the_table_is_closed_as_it_says():
    for code, name, frames in ROWS:
        with SHARED.websocket() as ws:
            ws.send(frames)
            try:
                ws.expect_close(code)
            except Exception as error:
                raise AssertionError(name) from error


def each_row_is_closed_the_same_behind_a_good_message_and_with_more_behind_it():
    for code, name, frames in ROWS:
        with SHARED.websocket() as ws:
            ws.send(text("before") + frames + text("after") * 20)
            ws.expect_text("before")
            try:
                ws.expect_close(code)
            except Exception as error:
                raise AssertionError(name) from error


def each_row_is_closed_the_same_when_it_comes_byte_by_byte():
    for code, name, frames in ROWS:
        if len(frames) > 1000:
            continue
        with SHARED.websocket() as ws:
            for i in range(len(frames)):
                ws.send(frames[i:i + 1])
            try:
                ws.expect_close(code)
            except Exception as error:
                raise AssertionError(name) from error


def a_message_too_big_is_refused_from_its_header_and_nothing_is_kept():
    before = SHARED.stats()["anon_bytes"]
    crowd = [SHARED.websocket() for _ in range(100)]
    for ws in crowd:
        ws.send(frame(TEXT, length=b"\xff\0\0\0\0\0\1\0\1"))
    for ws in crowd:
        ws.expect_close(1009)
        ws.close()
    expect(SANITIZED or SHARED.stats()["anon_bytes"] - before < 2 << 20, "memory was set aside for what was only announced")


def a_message_is_echoed_at_each_length_around_the_borders():
    with SHARED.websocket() as ws:
        for size in (0, 1, 124, 125, 126, 127, 128, 65535, 65536):
            words = b"\xea\xb0\x80" * (size // 3) + b"z" * (size % 3)
            ws.send(text(words))
            ws.expect_text(words)


def a_message_survives_any_way_of_cutting_it():
    rng = random.Random(7)
    with SHARED.websocket() as ws:
        for _ in range(300):
            words = [("%d " % i) * rng.randrange(1, 60) for i in range(rng.randrange(1, 9))]
            stream = b""
            for each in words:
                if rng.random() < 0.5:
                    stream += text(each)
                    continue
                data, opcode = each.encode(), TEXT
                while data:
                    size = rng.randrange(0 if rng.random() < 0.02 else 1, len(data) + 1)
                    stream += frame(opcode, data[:size], final=size == len(data), key=rng.randbytes(4))
                    data, opcode = data[size:], 0
            while stream:
                size = rng.randrange(1, 400)
                ws.send(stream[:size])
                stream = stream[size:]
            for each in words:
                ws.expect_text(each)


def a_message_of_nothing_but_empty_fragments_is_empty():
    with SHARED.websocket() as ws:
        ws.send(text("", final=False) + frame(0, b"", final=False) + frame(0, b""))
        ws.expect_text("")


def a_ping_is_answered_with_its_payload_also_between_fragments():
    with SHARED.websocket() as ws:
        ws.send(frame(PING, b"p" * 125))
        expect(ws.receive() == (PONG, b"p" * 125), "pong")
        ws.send(text("one ", final=False) + frame(PING, b"mid") + frame(0, b"two ", final=False) + frame(PONG, b"?") +
                frame(0, b"three"))
        expect(ws.receive() == (PONG, b"mid"), "pong in the middle")
        ws.expect_text("one two three")


def a_few_pings_are_each_answered_and_a_flood_of_them_is_4029():
    with SHARED.websocket() as ws:
        ws.send(b"".join(frame(PING, b"%d" % i) for i in range(10)))
        for i in range(10):
            expect(ws.receive() == (PONG, b"%d" % i), "pong %d" % i)
    for flood in (frame(PING, b"x"), frame(PONG), frame(0, b"", final=False)):
        with SHARED.websocket() as ws:
            ws.send((text("a", final=False) if flood[0] == 0 else b"") + flood * 200)
            expect(ws.expect_close(4029) == b"rate_limited", "the tag")


def a_close_of_ours_carries_code_and_tag_and_nothing_is_heard_after_it():
    with SHARED.websocket() as ws:
        before = SHARED.stats()["in"]
        ws.send(text("!close 4003 replaced") + text("not heard"))
        expect(ws.expect_close(4003) == b"replaced", "the tag")
        expect(SHARED.stats()["in"] - before == 1, "a message behind the close was handled")


def a_peer_that_ignores_our_close_is_cut_off_after_two_seconds():
    with SHARED.websocket() as ws:
        ws.say("!close 4003 replaced")
        expect(ws.receive()[0] == CLOSE, "close")
        start = time.monotonic()
        try:
            while time.monotonic() - start < 10:
                ws.send(text("still here"))
                time.sleep(0.05)
            raise AssertionError("never cut off")
        except OSError:
            expect(1.5 < time.monotonic() - start < 3.5, time.monotonic() - start)


def the_largest_message_can_be_set():
    with SHARED.websocket() as ws:
        ws.say("!max 10")
        ws.say("0123456789")
        ws.expect_text("0123456789")
        ws.say("0123456789a")
        ws.expect_close(1009)


def a_deadline_comes_once_and_not_early():
    with SHARED.websocket() as ws:
        start = time.monotonic()
        ws.say("!deadline 600")
        ws.expect_text("deadline")
        took = time.monotonic() - start
        expect(0.6 <= took < 1.6, took)
        ws.say("!deadline 300")
        ws.say("!deadline 0")
        ws.plain.settimeout(1)
        try:
            ws.receive()
            raise AssertionError("a deadline that was taken back came")
        except socket.timeout:
            pass


def what_is_paused_is_not_handled_until_it_goes_on():
    with SHARED.websocket() as ws:
        ws.send(text("!pause") + text("a") * 3)
        ws.plain.settimeout(0.05)
        try:
            ws.receive()
            raise AssertionError("a message was handled while reading was paused")
        except socket.timeout:
            pass
        ws.plain.settimeout(5)
        ws.send(text("b" * 60000) * 4)  # waits in the socket
        for _ in range(3):
            ws.expect_text("a")
        for _ in range(4):
            ws.expect_text("b" * 60000)


def a_peer_that_sends_and_does_not_read_costs_no_cpu():
    with SHARED.websocket(receive_buffer=4096) as ws:
        burst = text("c" * 1000) * 50
        ws.plain.settimeout(0.3)
        sent = 0
        try:
            while sent < 100000:
                ws.plain.send(burst)
                sent += 1
        except socket.timeout:
            pass
        before = SHARED.cpu_seconds()
        time.sleep(1.5)
        expect(SHARED.cpu_seconds() - before < 0.3, "it spins")


def a_reader_that_drains_goes_on_and_gets_what_was_accepted():
    with Server("--output", "100000") as server, server.websocket(receive_buffer=4096) as ws:
        ws.say("!flood 2000 1000")
        ws.say("!flood 1 5")
        got = 0
        opcode, payload = ws.receive()
        while payload == b"f" * 1000:
            got += 1
            ws.plain.settimeout(1)
            try:
                opcode, payload = ws.receive()
            except socket.timeout:
                break
        expect(95 <= got < 2000, "%d messages fit into 100 kB and the socket" % got)
        ws.plain.settimeout(5)
        ws.say("and on")
        ws.expect_text("and on")


@slow
def a_reader_that_never_drains_is_closed_4008_after_thirty_seconds():
    with Server() as server, server.websocket(receive_buffer=4096) as ws:
        ws.say("!flood 2000 1000")
        start = time.monotonic()
        await_true(lambda: server.stats()["slow_closed"] == 1, "never closed", 40)
        expect(28 < time.monotonic() - start < 34, time.monotonic() - start)
        await_true(lambda: server.stats()["live"] == 1, "the connection stays", 5)


@slow
def an_unfinished_message_ends_after_thirty_seconds():
    with Server() as server, server.websocket() as ws:
        start = time.monotonic()
        ws.plain.settimeout(1)
        ws.send(text("x" * 100, final=False)[:20])
        while True:
            try:
                ws.send(b"x" if time.monotonic() - start < 20 else b"")
                opcode, payload = ws.receive()
                break
            except socket.timeout:
                pass
        expect(opcode == CLOSE and payload[:2] == struct.pack(">H", 1008), (opcode, payload))
        expect(29 < time.monotonic() - start < 33, time.monotonic() - start)


def a_hundred_thousand_small_messages_are_all_echoed_in_order():
    with SHARED.websocket() as ws:
        for start in range(0, 100000, 500):
            ws.send(b"".join(text("%d" % i) for i in range(start, start + 500)))
            for i in range(start, start + 500):
                ws.expect_text("%d" % i)


if __name__ == "__main__":
    try:
        run(globals())
    finally:
        SHARED.stop()
