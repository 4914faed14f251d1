# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 on the edge: keep-alive, pipelining, bodies, files from memory, long answers, smuggling."""
import socket
import time

from edge_rig import SANITIZED, Reader, Server, await_true, expect, get, read_all, read_answer, run, slow, status_of

SHARED = Server()


def post(path, body, headers="", method="POST"):
    head = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n" % (method, path, len(body), headers)
    return head.encode() + body


class Talk:
    def __init__(self, server=SHARED):
        self.plain = server.connect()
        self.reader = Reader(self.plain)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.plain.close()

    def ask(self, request, has_body=True):
        self.plain.sendall(request)
        return read_answer(self.reader, has_body)


def a_connection_serves_one_request_after_the_other():
    with Talk() as talk:
        for size in (0, 1, 1000, 65536):
            answer = talk.ask(post("/echo", b"e" * size))
            expect(answer.status == 200 and answer.body == b"e" * size, size)
            expect("connection" not in answer.headers, "told to close")


def a_connection_is_closed_when_the_client_asks_for_it():
    with Talk() as talk:
        answer = talk.ask(get("/healthz", "Connection: close\r\n"))
        expect(answer.headers.get("connection") == "close", answer.headers)
        expect(talk.plain.recv(1) == b"", "not closed")


def answers_to_pipelined_requests_come_in_order_however_they_are_cut():
    stream = b"".join(post("/later" if i % 3 == 0 else "/echo", b"%d" % i * (i % 50 + 1)) for i in range(60))
    for step in (1, 7, 100, 1000, len(stream)):
        with Talk() as talk:
            for at in range(0, len(stream), step):
                talk.plain.sendall(stream[at:at + step])
            for i in range(60):
                answer = read_answer(talk.reader)
                expect(answer.body == b"%d" % i * (i % 50 + 1), (step, i, answer.body))


def an_answer_may_come_later_and_the_client_may_be_gone_by_then():
    for _ in range(20):
        with Talk() as talk:
            talk.plain.sendall(post("/later", b"x"))
    with Talk() as talk:
        expect(talk.ask(post("/later", b"mine")).body == b"mine", "the answer of another")


def a_buffered_body_has_a_limit_and_is_not_waited_for():
    with Talk() as talk:
        answer = talk.ask(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n")
        expect(answer.status == 413 and answer.headers["connection"] == "close", answer.headers)
        expect(talk.plain.recv(1) == b"", "not closed")


def a_chunked_body_is_411():
    expect(status_of(SHARED.exchange(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     b"1\r\nx\r\n0\r\n\r\n")) == 411, "chunked")


def no_request_can_be_smuggled_behind_another():
    smuggled = b"GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for lines in ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
                  "Transfer-Encoding : chunked\r\n", "Transfer-Encoding:\x0bchunked\r\n", "X: y\r\n Transfer-Encoding: chunked\r\n",
                  "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
                  "Content-Length: +5\r\n", "Content-Length: 5,5\r\n", "Content-Length: 0x5\r\n", "Content-Length: -5\r\n",
                  "Content-Length: 5 5\r\n", "Content-Length : 5\r\n", "Content-Length: 5\n", "Content-Length:\r\n 5\r\n"):
        request = ("POST /echo HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % lines).encode("latin-1")
        got = SHARED.exchange(request + b"0\r\n\r\n" + smuggled)
        expect(status_of(got) == 400 and got.count(b"HTTP/1.1 ") == 1, "%r: %r" % (lines, got))


def a_large_body_is_streamed_whole():
    body = b"u" * (3 << 20)
    with Talk() as talk:
        expect(talk.ask(post("/stream", body, method="PUT")).body == b"bytes %d\n" % len(body), "length")
        expect(talk.ask(get("/healthz")).status == 200, "the connection goes on")


def a_stream_that_is_held_up_goes_on_when_it_is_resumed():
    with Talk() as talk:
        talk.plain.settimeout(60)
        body = b"u" * 200000
        expect(talk.ask(post("/stream", body, "X-Deskbell: slow\r\n", "PUT")).body == b"bytes 200000\n", "length")


def an_upload_that_breaks_off_is_told_to_the_handler():
    for body in (b"", b"abc"):
        with Talk() as talk:
            talk.plain.sendall(post("/stream", b"x" * 100, method="PUT")[:-100] + body)
    with Talk() as talk:
        expect(talk.ask(post("/stream", b"xy", method="PUT")).body == b"bytes 2\n", "the next upload")


def a_client_that_expects_100_gets_it_once_and_only_when_the_body_is_wanted():
    with Talk() as talk:
        head = post("/echo", b"hello", "Expect: 100-continue\r\n")[:-5]
        expect(talk.ask(head).status == 100, "no 100")
        expect(talk.ask(b"hello").body == b"hello", "the answer")
        answer = talk.ask(post("/refuse", b"hello", "Expect: 100-continue\r\n")[:-5])
        expect(answer.status == 403 and answer.headers["connection"] == "close", answer.status)
    with Talk() as talk:
        expect(talk.ask(get("/echo", "Expect: miracles\r\n")).status == 417, "417")


def a_refused_body_ends_the_connection_behind_the_answer():
    with Talk() as talk:
        answer = talk.ask(post("/refuse", b"x" * 100000)[:-50])
        expect(answer.status == 403 and answer.body == b"no\n", answer.status)
        expect(answer.headers.get("connection") == "close", answer.headers)
        expect(not talk.reader.rest and talk.plain.recv(1) == b"", "the body was taken for a request")


def a_handler_cannot_be_made_to_split_an_answer():
    got = SHARED.exchange(get("/split", "Connection: close\r\n"))
    expect(status_of(got) == 500 and b"forged" not in got, got)


def an_answer_in_pieces_is_whole_and_the_connection_goes_on():
    with Talk() as talk:
        for size in (0, 1, 65536, 65537, 5 << 20):
            answer = talk.ask(get("/pieces?%d" % size))
            expect(len(answer.body) == size, (size, len(answer.body)))
        expect(talk.ask(get("/healthz")).status == 200, "the connection goes on")
        answer = talk.ask(b"HEAD /pieces?77 HTTP/1.1\r\nHost: localhost\r\n\r\n", has_body=False)
        expect(answer.headers["content-length"] == "77", answer.headers)
        expect(talk.ask(get("/healthz")).status == 200, "a body behind HEAD")


def what_every_answer_carries_is_there():
    with Talk() as talk:
        for path in ("/healthz", "/", "/echo", "/nothing", "/a.js"):
            answer = talk.ask(get(path))
            expect(answer.headers["x-content-type-options"] == "nosniff", path)
            expect(answer.headers["referrer-policy"] == "no-referrer", path)
            expect("default-src 'none'" in answer.headers["content-security-policy"], path)
            expect(answer.headers["cache-control"] == ("no-store" if path in ("/healthz", "/echo", "/nothing")
                                                       else "no-cache"), path)
            expect("strict-transport-security" not in answer.headers, "HSTS without TLS")
            expect(answer.headers["date"].endswith(" GMT"), path)


def a_file_is_served_with_a_tag_and_not_again():
    with Talk() as talk:
        page = talk.ask(get("/"))
        expect(page.status == 200 and page.headers["content-type"].startswith("text/html"), page.headers)
        script = talk.ask(get("/a.js"))
        expect(script.body == b"s" * 300000, len(script.body))
        expect(script.headers["etag"] != page.headers["etag"], "one tag for two files")
        for tags in (script.headers["etag"], '"x", W/' + script.headers["etag"], "*"):
            again = talk.ask(get("/a.js", "If-None-Match: %s\r\n" % tags))
            expect(again.status == 304 and again.headers["etag"] == script.headers["etag"], tags)
        expect(talk.ask(get("/a.js", 'If-None-Match: "x"\r\n')).status == 200, "another tag")
        head = talk.ask(b"HEAD /a.js HTTP/1.1\r\nHost: localhost\r\n\r\n", has_body=False)
        expect(head.status == 200 and head.headers["content-length"] == "300000", head.headers)
        refused = talk.ask(post("/a.js", b""))
        expect(refused.status == 405 and refused.headers["allow"] == "GET, HEAD", refused.headers)
        expect(talk.ask(get("/a.js/")).status == 404 and talk.ask(get("/A.js")).status == 404, "only the exact path")
        expect(talk.ask(get("/widget.js")).headers["content-security-policy"] == "default-src 'self'", "its own policy")


def the_health_is_a_status_and_nothing_else():
    with Server() as server, Talk(server) as talk:
        expect(talk.ask(get("/healthz")).status == 200, "well")
        talk.ask(get("/sick"))
        answer = talk.ask(get("/healthz"))
        expect(answer.status == 503 and answer.body == b"", "sick")
        expect(talk.ask(post("/healthz", b"")).status == 405, "POST")


def a_path_with_tricks_is_not_found():
    for path in ("/..", "/../a.js", "/%61.js", "//a.js", "/a.js%00", "/x/../a.js", "/\\a.js", "/..%5ca.js", "/a..js/.."):
        expect(status_of(SHARED.exchange(get(path))) == 404, path)


def a_method_nobody_knows_is_405_and_a_foreign_address_400():
    for line, status in ((b"TRACE / HTTP/1.1", 405), (b"CONNECT a:1 HTTP/1.1", 405), (b"FETCH / HTTP/1.1", 405),
                         (b"GET http://a/ HTTP/1.1", 400), (b"OPTIONS * HTTP/1.1", 400)):
        expect(status_of(SHARED.exchange(line + b"\r\nHost: localhost\r\n\r\n")) == status, line)


def it_stops_when_asked_and_tells_the_websockets():
    server = Server()
    ws, idle = server.websocket(), server.connect()
    start = time.monotonic()
    server.process.terminate()
    expect(ws.expect_close(4012) == b"drain", "the tag")
    ws.close()
    expect(idle.recv(1) == b"", "an idle connection stays")
    server.stop()
    expect(time.monotonic() - start < 5, "it took long")


def random_bytes_never_hurt():
    import random
    rng = random.Random(11)
    for _ in range(300):
        with SHARED.connect() as plain:
            try:
                plain.sendall(rng.randbytes(rng.randrange(1, 3000)))
            except OSError:
                pass
    expect(status_of(SHARED.exchange(get("/healthz", "Connection: close\r\n"))) == 200, "it is gone")


def who_asks_much_and_reads_nothing_is_not_served_ahead():
    with Server() as server:
        before = server.stats()["anon_bytes"]
        crowd = [server.connect(receive_buffer=4096) for _ in range(50)]
        for plain in crowd:
            plain.settimeout(0.05)
            try:
                for _ in range(40):
                    plain.sendall(get("/healthz") * 500)
            except socket.timeout:
                pass
        grown = server.stats()["anon_bytes"] - before
        expect(SANITIZED or grown < 50 * 300 * 1024, "answers pile up: %d bytes" % grown)
        for plain in crowd:
            plain.close()


@slow
def a_download_that_is_not_read_is_cut_off():
    with Server() as server, server.connect(receive_buffer=4096) as plain:
        plain.sendall(get("/pieces?50000000"))
        await_true(lambda: server.stats()["live"] == 1, "never cut off", 25)


@slow
def a_download_that_is_read_slowly_but_steadily_is_kept():
    with Server() as server, server.connect(receive_buffer=4096) as plain:
        plain.sendall(get("/pieces?300000"))
        plain.settimeout(5)
        got, end = 0, time.monotonic() + 24
        while time.monotonic() < end:
            more = plain.recv(2500)
            expect(more, "cut off after %d" % got)
            got += len(more)
            time.sleep(0.5)
        while got < 300000:
            more = plain.recv(65536)
            if not more:
                break
            got += len(more)
        expect(got >= 300000, "%d bytes came" % got)


if __name__ == "__main__":
    try:
        run(globals())
    finally:
        SHARED.stop()
