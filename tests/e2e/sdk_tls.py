# SPDX-License-Identifier: Apache-2.0
"""TLS of the SDK: which servers are believed, by the WebSocket and by files alike, pins, SNI, addresses instead of names,
and the flow of bytes in records. With the shipped transport and, where it has the feature, the example's own."""
import json
import os
import signal
import socket
import ssl
import threading
import time
import warnings

import rigs  # noqa: F401  (finds tests/support)
from harness import REPORTS, Failed, Rig, main, wait_until
from road import (Authority, Listener, Road, frame, is_tls_port_of, open_session, pin_of, read_frame, run, self_signed)

warnings.simplefilter("ignore", DeprecationWarning)  # old versions are asked for on purpose
BOTH = ((), ("--own",))


class Stage:
    """A real server with TLS, and certificates of all kinds."""

    def __init__(self, rig):
        self.rig, self.folder = rig, rig.folder
        self.root, self.other = Authority(rig.folder, "root"), Authority(rig.folder, "other")
        self.good = self.root.sign("good")
        rig.start_server(env={"DESKBELL_CERT": self.good[0], "DESKBELL_KEY": self.good[1]})
        self.port = rig.server.port

    def road(self, url, *args, ca=True, env=None, user="ann"):
        more = ("--ca", self.root.path) if ca else ()
        return Road(self.folder, url, *more, *args, app=self.rig.app, token=self.rig.user_token(user), env=env)

    def url(self, host="localhost"):
        return f"wss://{host}:{self.port}"


def talks(stage, *args, url=None, **more):
    """A message arrives at the server."""
    with stage.road(url or stage.url(), *args, **more) as road:
        road.write("send is it safe here?")
        road.expect("sent is it safe here?")
        road.end()


def sends_a_file(stage, road, size=600000):
    """There and back, in three pieces each way."""
    path, back = os.path.join(stage.folder, "sent.bin"), os.path.join(stage.folder, f"back.{time.monotonic_ns()}")
    data = os.urandom(size)
    with open(path, "wb") as file:
        file.write(data)
    start = len(road.lines)
    road.write("file " + path)
    road.expect("sent ", start=start)
    road.expect("entry ", start=start)
    road.write("fetch " + back)
    road.expect("fetched " + back, start=start)
    with open(back, "rb") as file:
        if file.read() != data:
            raise Failed("another file came back")


def make(stage):
    def a_server_signed_by_the_given_root_is_believed_for_messages_and_files():
        with stage.road(stage.url()) as road:
            road.expect("state online")
            sends_a_file(stage, road)
            road.end()
        talks(stage, "--own")

    def the_systems_roots_are_used_when_none_is_given():
        roots = {"SSL_CERT_FILE": stage.root.path}  # where OpenSSL looks for the system's
        with stage.road(stage.url(), ca=False, env=roots) as road:
            road.expect("state online")
            sends_a_file(stage, road)
            road.end()
        with stage.road(stage.url(), ca=False, env={"SSL_CERT_FILE": stage.other.path}) as road:
            road.expect_refused("tls", "unable to get local issuer certificate")
            road.end()

    def an_address_is_believed_when_the_certificate_names_it():
        talks(stage, url=stage.url("127.0.0.1"))
        talks(stage, "--own", url=stage.url("127.0.0.1"))

    def who_is_not_believed_is_told_why_and_tried_again_and_gets_not_one_byte():
        cases = (
            ("an unknown root", stage.other.sign("stranger"), "unable to get local issuer certificate"),
            ("another name", stage.root.sign("elsewhere", "DNS:elsewhere.test,IP:10.0.0.1"), "hostname mismatch"),
            ("over long ago", stage.root.sign("old", end="20210101000000Z"), "certificate has expired"),
            ("not begun", stage.root.sign("future", begin="20980101000000Z"), "certificate is not yet valid"),
            ("signed by itself", self_signed(stage.folder), "self-signed certificate"),
        )
        for name, pair, reason in cases:
            for own in BOTH:
                got = []
                listener = Listener(lambda stream, _, got=got: got.append(stream.recv(1)), pair)
                with stage.road(f"wss://localhost:{listener.port}", *own) as road:
                    road.expect_refused("tls", reason)
                    listener.wait_count(2)
                    road.end()
                listener.close()
                if any(got):
                    raise Failed(f"{name}: it got {got}")

    def an_address_that_the_certificate_does_not_name_is_refused():
        listener = Listener(lambda stream, _: stream.recv(1), stage.root.sign("names", "DNS:localhost,DNS:127.0.0.1"))
        with stage.road(f"wss://127.0.0.1:{listener.port}") as road:
            road.expect_refused("tls", "IP address mismatch")
            road.end()
        listener.close()

    def nothing_below_tls_1_2_is_spoken():
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        old.load_cert_chain(*stage.good)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        listener = Listener(lambda stream, _: stream.recv(1), tls=old)
        for own in BOTH:
            with stage.road(f"wss://localhost:{listener.port}", *own) as road:
                road.expect_refused("tls", "version")
                road.end()
        listener.close()

    def a_server_that_speaks_no_tls_is_told_as_that():
        listener = Listener(lambda stream, _: stream.recv(4096) and
                            stream.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        with stage.road(f"wss://localhost:{listener.port}") as road:
            road.expect_refused("tls", "wrong version number")
            road.end()
        listener.close()

    def a_certificate_that_changes_while_connected_stops_files_until_it_is_good_again():
        certs = [os.path.join(stage.folder, name) for name in ("live.pem", "live.key")]

        def place(pair):
            for source, target in zip(pair, certs):
                with open(source, "rb") as a, open(target, "wb") as b:
                    b.write(a.read())
        place(stage.good)
        with Rig("sdk-tls-files") as rig:
            os.chmod(stage.folder, 0o755)
            rig.start_server(env={"DESKBELL_CERT": certs[0], "DESKBELL_KEY": certs[1]})
            with Road(rig.folder, f"wss://localhost:{rig.server.port}", "--ca", stage.root.path, app=rig.app,
                      token=rig.user_token("ann")) as road:
                road.expect("state online")
                place(stage.other.sign("replaced"))
                rig.server.process.child.send_signal(signal.SIGHUP)
                wait_until("the new certificate is served", lambda: issuer(rig.server.port) == "root other")
                path = os.path.join(rig.folder, "a.bin")
                with open(path, "wb") as file:
                    file.write(b"a" * 1000)
                road.write("file " + path)
                road.expect("log files: tls: unable to get local issuer certificate")
                place(stage.good)
                rig.server.process.child.send_signal(signal.SIGHUP)
                wait_until("the first one is served again", lambda: issuer(rig.server.port) == "root root")
                road.write("network")
                road.expect("sent ")
                road.end()

    def one_pinned_key_of_the_chain_is_enough_and_none_is_refused():
        leaf, root, foreign = pin_of(stage.good[0]), pin_of(stage.root.path), pin_of(stage.other.path)
        for pins in ((leaf,), (root,), (foreign, leaf)):
            with stage.road(stage.url(), *[a for p in pins for a in ("--pin", p)]) as road:
                road.expect("state online")
                sends_a_file(stage, road, 1000)
                road.end()
        with stage.road(stage.url(), "--pin", foreign) as road:
            road.expect_refused("tls_pin", "no certificate of the chain has a pinned key")
            road.expect("log tls_pin: ", start=len(road.lines))  # tried again
            road.end()

    def a_pin_does_not_replace_the_root():
        stranger = stage.other.sign("pinned")
        listener = Listener(lambda stream, _: stream.recv(1), stranger)
        with stage.road(f"wss://localhost:{listener.port}", "--pin", pin_of(stranger[0])) as road:
            road.expect_refused("tls", "unable to get local issuer certificate")
            road.end()
        listener.close()

    def a_pin_holds_for_files_too():
        """The WebSocket's certificate has the pinned key; then the server comes to have another, of the same root."""
        second = stage.root.sign("second")
        seen = {"file": 0}

        def serve(stream, number):
            if number == 1:
                is_tls_port_of(stage.port, stream)
            else:
                seen["file"] += 1
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                tls.load_cert_chain(*second)
                tls.wrap_socket(stream, server_side=True).recv(1)
        listener = Listener(serve)
        with stage.road(f"wss://localhost:{listener.port}", "--pin", pin_of(stage.good[0])) as road:
            road.expect("state online")
            path = os.path.join(stage.folder, "pinned.bin")
            with open(path, "wb") as file:
                file.write(b"p")
            road.write("file " + path)
            road.expect("log files: tls_pin: no certificate of the chain has a pinned key")
            road.end()
        listener.close()

    def what_is_no_pin_or_no_proxy_is_refused_at_once():
        good = pin_of(stage.good[0])
        cases = [("--pin", good[:-1]), ("--pin", "sha1/" + good[7:]), ("--pin", good + "="), ("--pin", ""),
                 ("--pin", good[:20] + "*" + good[21:]), tuple(["--pin", good] * 17), ("--proxy", "socks5://localhost:1"),
                 ("--proxy", "http://localhost"), ("--proxy", "http://u@localhost:1"), ("--proxy", "http://localhost:0"),
                 ("--proxy", "http://u%0a:p@localhost:1"), ("--proxy", "http://u%4:p@localhost:1")]
        for args in cases:
            with stage.road(stage.url(), *args) as road:
                road.expect("error ")
                if road.wait(20) != 1:
                    raise Failed(f"{args} was taken")

    def names_are_told_in_sni_and_addresses_are_not():
        for host, family, expected in (("localhost", "127.0.0.1", "localhost"), ("127.0.0.1", "127.0.0.1", None),
                                       ("[::1]", "::1", None)):
            for own in BOTH:
                try:
                    listener = Listener(lambda stream, _: open_session(stream) or stream.recv(1), stage.good, host=family)
                except OSError:
                    print("SKIPPED: this machine has no IPv6 loopback", flush=True)
                    continue
                with stage.road(f"wss://{host}:{listener.port}", *own) as road:
                    road.expect("state online")
                    road.end()
                listener.close()
                if listener.names != [expected]:
                    raise Failed(f"{host}: SNI was {listener.names}")

    def a_conversation_works_over_ipv6():
        try:
            relay = Listener(lambda stream, _: is_tls_port_of(stage.port, stream), host="::1")
        except OSError:
            print("SKIPPED: this machine has no IPv6 loopback", flush=True)
            return
        talks(stage, url=f"wss://[::1]:{relay.port}/v1/ws")
        with stage.road(f"wss://[::1]:{relay.port}") as road:
            road.expect("state online")
            sends_a_file(stage, road, 1000)
            road.end()
        relay.close()

    def records_that_come_while_reading_is_paused_are_read_later_and_none_is_forgotten():
        """2 MiB in one go pause the reading; a heartbeat behind it, and one when all is quiet, are answered."""
        noise = frame(0x81, json.dumps({"jsonrpc": "2.0", "method": "noise", "params": {"x": "n" * 60000}}).encode())
        beat = frame(0x81, b'{"jsonrpc":"2.0","method":"heartbeat","params":{"rev":1,"now":1}}')
        answered, may_beat = threading.Semaphore(0), threading.Event()

        def listen(stream):
            try:
                while True:
                    opcode, payload = read_frame(stream)
                    if opcode == 1 and b"session.alive" in payload:
                        answered.release()
            except (OSError, EOFError, ValueError):
                pass

        def serve(stream, _):
            open_session(stream)
            reader = threading.Thread(target=listen, args=(stream,), daemon=True)
            reader.start()
            for _ in range(2):
                stream.sendall(noise * 40 + beat)
            may_beat.wait(60)
            stream.sendall(beat)
            reader.join(60)
        for own in BOTH:
            for pair in (stage.good, None):
                may_beat.clear()
                listener = Listener(serve, pair)
                with stage.road(f"{'wss' if pair else 'ws'}://localhost:{listener.port}", *own) as road:
                    for _ in range(2):
                        if not answered.acquire(timeout=60):
                            raise Failed("a heartbeat behind much else was not answered")
                    may_beat.set()
                    if not answered.acquire(timeout=60):
                        raise Failed("a heartbeat in the quiet was not answered")
                    road.end()
                listener.close()

    return [value for value in list(locals().values()) if callable(value) and value is not stage]


def issuer(port):
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port)) as raw, plain.wrap_socket(raw) as stream:
            der = stream.getpeercert(binary_form=True)
    except OSError:
        return None
    return "root other" if b"root other" in der else "root root"


def test_all():
    with Rig("sdk-tls") as rig:
        os.chmod(rig.folder, 0o755)
        run(make(Stage(rig)), rig.folder, REPORTS)


if __name__ == "__main__":
    main(test_all)
