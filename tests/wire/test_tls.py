# SPDX-License-Identifier: Apache-2.0
"""TLS on the edge: what is spoken, what is refused, and a certificate that changes while it runs."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import warnings

from edge_rig import (PATIENCE, Reader, Server, Websocket, expect, get, read_answer, run, slow, text)

warnings.simplefilter("ignore", DeprecationWarning)  # old versions are asked for on purpose
FOLDER = tempfile.mkdtemp(prefix="edge_tls_")


def make_pair(name):
    cert, key = os.path.join(FOLDER, name + ".pem"), os.path.join(FOLDER, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=" + name, "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    return cert, key


FIRST, SECOND = make_pair("first"), make_pair("second")


def tls_server(pair=FIRST):
    return Server("--cert", pair[0], "--key", pair[1])


def context(**changes):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_ciphers("ALL:@SECLEVEL=0")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def wrap(server, made=None):
    return (made or context()).wrap_socket(server.connect(), server_hostname="localhost", suppress_ragged_eofs=False)


def a_websocket_works_in_each_version():
    with tls_server() as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with Websocket(wrap(server, context(minimum_version=version, maximum_version=version))) as ws:
                for size in (1, 1000, 65536):
                    ws.say("t" * size)
                    ws.expect_text("t" * size)
                ws.send(b"".join(text("%d" % i) for i in range(500)))
                for i in range(500):
                    ws.expect_text("%d" % i)
                ws.say("!close 4001 token_expired")
                ws.expect_close(4001)


def an_old_version_or_a_weak_cipher_is_refused():
    weak = context(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    old = context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    with tls_server() as server:
        for name, made in (("weak cipher", weak), ("TLS 1.1", old)):
            try:
                wrap(server, made).close()
            except (ssl.SSLError, ConnectionResetError):
                continue
            raise AssertionError(name + " was accepted")
        with wrap(server, context(maximum_version=ssl.TLSVersion.TLSv1_2)) as plain:
            name = plain.cipher()[0]
            expect(name.startswith("ECDHE-") and ("GCM" in name or "CHACHA20" in name), name)
            expect(plain.compression() is None, "compression")


def only_http_1_1_is_negotiated():
    with tls_server() as server:
        both, one = context(), context()
        both.set_alpn_protocols(["h2", "http/1.1"])
        one.set_alpn_protocols(["h2"])
        with wrap(server, both) as plain:
            expect(plain.selected_alpn_protocol() == "http/1.1", plain.selected_alpn_protocol())
            plain.sendall(get("/healthz"))
            expect(read_answer(Reader(plain)).status == 200, "the answer")
        try:
            with wrap(server, one) as plain:
                expect(plain.selected_alpn_protocol() is None, "h2 was selected")
        except (ssl.SSLError, ConnectionResetError):
            pass


def no_session_is_kept_for_later():
    with tls_server() as server:
        made = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        first = wrap(server, made)
        session = first.session
        first.close()
        second = made.wrap_socket(server.connect(), server_hostname="localhost", session=session)
        expect(not second.session_reused, "resumed")
        second.close()


def what_is_answered_carries_hsts_and_ends_with_a_close_notify():
    with tls_server() as server, wrap(server) as plain:
        plain.sendall(get("/a.js", "Connection: close\r\n"))
        reader = Reader(plain)
        answer = read_answer(reader)
        expect(answer.headers["strict-transport-security"].startswith("max-age="), answer.headers)
        expect(len(answer.body) == 300000, len(answer.body))
        expect(plain.recv(1) == b"", "the end, without an error")


def a_plain_request_at_a_tls_port_gets_nothing():
    with tls_server() as server, server.connect() as plain:
        plain.sendall(get("/healthz"))
        got = b""
        try:
            while True:
                more = plain.recv(4096)
                if not more:
                    break
                got += more
        except ConnectionResetError:
            pass
        expect(b"HTTP/" not in got, got)


def certificate_of(server):
    with wrap(server) as plain:
        der = plain.getpeercert(binary_form=True)
    return "first" if b"first" in der else "second"


def reload(server):
    server.process.send_signal(signal.SIGHUP)
    return server.process.stdout.readline().strip()


def a_new_certificate_is_served_at_once_and_a_bad_one_never():
    cert, key = os.path.join(FOLDER, "live.pem"), os.path.join(FOLDER, "live.key")
    shutil.copy(FIRST[0], cert)
    shutil.copy(FIRST[1], key)
    with tls_server((cert, key)) as server, Websocket(wrap(server)) as ws:
        expect(certificate_of(server) == "first", "first")
        shutil.copy(SECOND[0], cert)  # its key is missing
        expect(reload(server) == "reload refused" and certificate_of(server) == "first", "a pair that does not fit")
        shutil.copy(SECOND[1], key)
        expect(reload(server) == "reload done" and certificate_of(server) == "second", "the new pair")
        for rubbish in (b"", b"-----BEGIN CERTIFICATE-----\nrubbish\n"):
            with open(cert, "wb") as file:
                file.write(rubbish)
            expect(reload(server) == "reload refused" and certificate_of(server) == "second", "rubbish")
        os.unlink(key)
        expect(reload(server) == "reload refused" and certificate_of(server) == "second", "a missing file")
        ws.say("still here")
        ws.expect_text("still here")


def a_pair_that_does_not_fit_is_refused_at_the_start():
    try:
        tls_server((FIRST[0], SECOND[1])).stop()
    except AssertionError as error:
        expect("does not belong to the certificate" in str(error), error)
        return
    raise AssertionError("it started")


def a_reader_that_stops_in_the_middle_of_tls_goes_on_later():
    with tls_server() as server:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(PATIENCE)
        plain.connect(("127.0.0.1", server.port))
        with Websocket(context().wrap_socket(plain, server_hostname="localhost")) as ws:
            ws.say("!flood 100 2000")
            ws.send(b"".join(text("%d" % i) for i in range(200)))
            for _ in range(100):
                ws.expect_text("f" * 2000)
            for i in range(200):
                ws.expect_text("%d" % i)


def what_is_paused_goes_on_without_another_byte():
    with tls_server() as server, Websocket(wrap(server)) as ws:
        ws.send(text("!pause") + text("a" * 60000) + text("b"))
        ws.expect_text("a" * 60000)
        ws.expect_text("b")


@slow
def a_handshake_that_stands_still_ends_after_ten_seconds():
    for beginning in (b"", b"\x16\x03\x01\x02\x00"):
        with tls_server() as server, server.connect() as plain:
            plain.sendall(beginning)
            start = time.monotonic()
            try:
                while plain.recv(4096):
                    pass
            except ConnectionResetError:
                pass
            expect(8 < time.monotonic() - start < 13, time.monotonic() - start)


if __name__ == "__main__":
    try:
        run(globals())
    finally:
        shutil.rmtree(FOLDER)
