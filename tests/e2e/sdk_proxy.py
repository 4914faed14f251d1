# SPDX-License-Identifier: Apache-2.0
"""The SDK behind an HTTP proxy: messages and files go through it and nowhere else, credentials, proxies that refuse, hang
or talk nonsense, and an environment that is never looked at.

The server's name cannot be looked up here: only the proxy knows where it is."""
import os
import socket
import threading
import time

import rigs  # noqa: F401  (finds tests/support)
from harness import REPORTS, Failed, Rig, main
from road import Authority, Listener, Proxy, Road, run

NAME = "chat.invalid"


class Stage:
    def __init__(self, tls_rig, plain_rig):
        self.folder = tls_rig.folder
        self.root = Authority(tls_rig.folder, "root")
        cert, key = self.root.sign("good", f"DNS:{NAME},DNS:localhost")
        tls_rig.start_server(env={"DESKBELL_CERT": cert, "DESKBELL_KEY": key})
        plain_rig.start_server()
        self.tls, self.plain = tls_rig, plain_rig

    def road(self, proxy, *args, host=NAME, scheme="wss", env=None):
        rig = self.tls if scheme == "wss" else self.plain
        more = ("--proxy", proxy) if proxy else ()
        return Road(self.folder, f"{scheme}://{host}:{rig.server.port}", "--ca", self.root.path, *more, *args,
                    app=rig.app, token=rig.user_token("ann"), env=env)


def send_file(stage, road):
    path, back = os.path.join(stage.folder, "p.bin"), os.path.join(stage.folder, f"p.{time.monotonic_ns()}")
    data = os.urandom(300000)
    with open(path, "wb") as file:
        file.write(data)
    start = len(road.lines)
    road.write("file " + path)
    road.expect("sent ", start=start)
    road.expect("entry ", start=start)
    road.write("fetch " + back)
    road.expect("fetched ", start=start)
    with open(back, "rb") as file:
        if file.read() != data:
            raise Failed("another file came back")


def closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def make(stage):
    def messages_and_files_go_through_the_proxy_and_it_alone_looks_up_the_name():
        for scheme in ("wss", "ws"):
            proxy = Proxy()
            port = (stage.tls if scheme == "wss" else stage.plain).server.port
            with stage.road(f"http://127.0.0.1:{proxy.port}", scheme=scheme) as road:
                road.write("send hello")
                road.expect("sent hello")
                send_file(stage, road)
                road.end()
            proxy.close()
            if proxy.count < 2 or {target for target, _ in proxy.asked} != {f"CONNECT {NAME}:{port}"}:
                raise Failed(f"{scheme}: the proxy was asked {proxy.asked}")

    def credentials_are_given_as_they_are_meant():
        proxy = Proxy("us er:p@ss:w%rd/")
        with stage.road(f"http://us%20er:p%40ss%3Aw%25rd%2F@127.0.0.1:{proxy.port}/") as road:
            road.write("send hello")
            road.expect("sent hello")
            send_file(stage, road)
            road.end()
        proxy.close()

    def a_proxy_that_wants_other_credentials_is_told_and_no_line_holds_them():
        proxy = Proxy("user:right")
        for url in (f"http://user:wr0ng@127.0.0.1:{proxy.port}", f"http://127.0.0.1:{proxy.port}"):
            with stage.road(url) as road:
                road.expect_refused("proxy_auth", "the proxy answered 407")
                road.expect("log proxy_auth: ", start=len(road.lines))  # tried again
                road.end()
                if any("wr0ng" in line for line in road.lines):
                    raise Failed("the password is in the log")
        proxy.close()

    def a_proxy_that_is_not_there_is_told():
        for url, reason in ((f"http://127.0.0.1:{closed_port()}", "Connection refused"),
                            ("http://proxy.invalid:3128", "the name was not found")):
            with stage.road(url) as road:
                road.expect_refused("proxy", reason)
                road.end()

    def a_proxy_that_does_not_give_a_way_is_told():
        cases = ((b"HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy answered 403"),
                 (b"HTTP/1.0 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno!", "the proxy answered 502"),
                 (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "the proxy answered 302"),
                 (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the proxy does not speak HTTP"),
                 (b"HTTP/1.1 2x0 OK\r\n\r\n", "the proxy does not speak HTTP"),
                 (b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "the proxy does not speak HTTP"),
                 (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000 + b"\r\n", "the proxy's answer is too long"),
                 (b"HTTP/1.1 200 OK\r\n\r\nmore", "the proxy says more than it was asked"),
                 (b"HTTP/1.1 200 OK\r\n", "the proxy hung up"))
        for answer, reason in cases:
            proxy = Proxy(answer=answer)
            with stage.road(f"http://127.0.0.1:{proxy.port}") as road:
                road.expect_refused("proxy", reason)
                road.end()
            proxy.close()

    def a_proxy_that_says_nothing_or_little_at_a_time_is_given_up_in_time_and_holds_up_nothing():
        def drip(stream, _):
            for byte in b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100:
                stream.sendall(bytes([byte]))
                time.sleep(0.2)
        silent, slow, found = Proxy(answer=b""), Listener(drip), []

        def one(listener):
            began = time.monotonic()
            with stage.road(f"http://127.0.0.1:{listener.port}") as road:
                listener.wait_count(1)
                road.write("send from behind it")  # is on disk
                road.expect_refused("proxy", "the proxy does not answer", 30)
                found.append(time.monotonic() - began)
                road.end(1000)
        threads = [threading.Thread(target=one, args=(listener,)) for listener in (silent, slow)]
        with stage.road(f"http://127.0.0.1:{silent.port}") as leaves:
            silent.wait_count(1)
            for thread in threads:
                thread.start()
            leaves.end(1000)  # closing does not wait for it either
        for thread in threads:
            thread.join()
        if len(found) != 2 or not all(9 < took < 20 for took in found):
            raise Failed(f"given up after {found}")

    def when_the_proxy_is_good_again_all_goes_on():
        port = closed_port()
        with stage.road(f"http://127.0.0.1:{port}") as road:
            road.write("send kept meanwhile")
            road.expect_refused("proxy", "Connection refused")
            proxy = Proxy(port=port)
            road.write("network")
            road.expect("sent kept meanwhile")
            road.end()
        proxy.close()

    def files_tell_what_the_proxy_did_not_like():
        proxy = Proxy("u:p")
        with stage.road(f"http://u:p@127.0.0.1:{proxy.port}") as road:
            road.expect("state online")
            proxy.credentials = "another:one"
            path = os.path.join(stage.folder, "q.bin")
            with open(path, "wb") as file:
                file.write(b"q")
            road.write("file " + path)
            road.expect("log files: proxy_auth: the proxy answered 407")
            proxy.credentials = "u:p"
            road.write("network")
            road.expect("sent ")
            road.end()
        proxy.close()

    def the_environment_is_never_looked_at():
        nowhere = f"http://127.0.0.1:{closed_port()}"
        env = {name: nowhere for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY",
                                          "socks_proxy")}
        for scheme in ("wss", "ws"):
            with stage.road(None, host="localhost", scheme=scheme, env=env) as road:
                road.expect("state online")
                send_file(stage, road)
                road.end()
        proxy = Proxy()
        with stage.road(f"http://127.0.0.1:{proxy.port}", env={**env, "no_proxy": "*", "NO_PROXY": "*"}) as road:
            road.expect("state online")
            send_file(stage, road)
            road.end()
        proxy.close()

    return [value for value in list(locals().values()) if callable(value) and value is not stage]


def test_all():
    with Rig("sdk-proxy") as tls_rig, Rig("sdk-proxy-plain") as plain_rig:
        os.chmod(tls_rig.folder, 0o755)
        run(make(Stage(tls_rig, plain_rig)), tls_rig.folder, REPORTS)


if __name__ == "__main__":
    main(test_all)
