#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of cutproxy.py: exactly the bytes that were let through arrive, and each kind of end is what it says."""
import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cutproxy import Cut, CutProxy  # noqa: E402


class Sink:
    """Accepts connections one after the other, keeps what each received and how it ended, answers with `answer`."""

    def __init__(self, answer=b""):
        self.answer, self.got, self.ends, self.turn = answer, [], [], threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            data, end = b"", "fin"
            try:
                conn.sendall(self.answer)
                while piece := conn.recv(65536):
                    data += piece
            except (ConnectionResetError, BrokenPipeError):
                end = "rst"
            with self.turn:
                self.got.append(data)
                self.ends.append(end)
                self.turn.notify_all()
            conn.close()

    def wait(self, count):
        with self.turn:
            assert self.turn.wait_for(lambda: len(self.got) >= count, 10), "the connection never ended"


class CutProxyTest(unittest.TestCase):
    def setUp(self):
        self.sink = Sink(b"0123456789")
        self.addCleanup(self.sink.listener.close)

    def dial(self, proxy):
        sock = socket.create_connection(("127.0.0.1", proxy.port), 10)
        self.addCleanup(sock.close)
        return sock

    def read_all(self, sock):
        data = b""
        try:
            while piece := sock.recv(65536):
                data += piece
        except ConnectionResetError:
            return data, "rst"
        return data, "fin"

    def test_everything_passes_without_a_plan(self):
        with CutProxy(("127.0.0.1", self.sink.port)) as proxy:
            sock = self.dial(proxy)
            sock.sendall(b"x" * 200_000)
            self.assertEqual(b"0123456789", sock.recv(10))
            sock.shutdown(socket.SHUT_WR)
            self.sink.wait(1)
            self.assertEqual(200_000, len(self.sink.got[0]))

    def test_exactly_n_bytes_reach_the_server(self):
        with CutProxy(("127.0.0.1", self.sink.port), plan=lambda i: Cut(up=i, end="fin")) as proxy:
            for n in range(12):
                sock = self.dial(proxy)
                try:
                    sock.sendall(b"abcdefghijkl")
                except OSError:
                    pass
                self.sink.wait(n + 1)
                self.assertEqual(b"abcdefghijkl"[:n], self.sink.got[n])

    def test_exactly_n_bytes_reach_the_client(self):
        with CutProxy(("127.0.0.1", self.sink.port), plan=lambda i: Cut(down=i, end="fin")) as proxy:
            for n in range(10):
                self.assertEqual(b"0123456789"[:n], self.read_all(self.dial(proxy))[0])

    def test_a_reset_is_a_reset_on_both_sides(self):
        with CutProxy(("127.0.0.1", self.sink.port), plan=lambda i: Cut(up=5)) as proxy:
            sock = self.dial(proxy)
            sock.sendall(b"abcdefgh")
            self.assertEqual("rst", self.read_all(sock)[1])
            self.sink.wait(1)
            self.assertEqual("rst", self.sink.ends[0])
            self.assertTrue(proxy.wait_cuts(1, 1))

    def test_arming_counts_from_that_moment(self):
        with CutProxy(("127.0.0.1", self.sink.port)) as proxy:
            sock = self.dial(proxy)
            sock.sendall(b"12345")
            sock.recv(10)
            while proxy.passed()[0] < 5:
                pass
            proxy.arm(Cut(up=3, end="fin"))
            sock.sendall(b"abcdef")
            self.sink.wait(1)
            self.assertEqual(b"12345abc", self.sink.got[0])

    def test_a_stalled_connection_says_nothing(self):
        with CutProxy(("127.0.0.1", self.sink.port)) as proxy:
            sock = self.dial(proxy)
            self.assertEqual(b"0123456789", sock.recv(10))
            proxy.stall_all()
            sock.sendall(b"lost")
            sock.settimeout(0.2)
            self.assertRaises(TimeoutError, sock.recv, 1)
            self.assertEqual([], self.sink.got)
            proxy.cut_all("fin")
            self.sink.wait(1)
            self.assertEqual(b"", self.sink.got[0])

    def test_who_leaves_in_a_stall_is_not_missed_and_others_are_served(self):
        with CutProxy(("127.0.0.1", self.sink.port)) as proxy:
            sock = self.dial(proxy)
            self.assertEqual(b"0123456789", sock.recv(10))
            proxy.stall_all()
            sock.close()
            proxy.stall_all()  # the loop still answers
            self.assertEqual(([], 1), (self.sink.got, proxy.live()))
            proxy.cut_all("fin")
            self.sink.wait(1)

    def test_connections_after_a_cut_of_all_are_served(self):
        with CutProxy(("127.0.0.1", self.sink.port)) as proxy:
            for n in range(20):  # the numbers of the closed descriptors come again
                sock = self.dial(proxy)
                self.assertEqual(b"0123456789", sock.recv(10))
                proxy.cut_all(("rst", "fin")[n % 2])
                self.sink.wait(n + 1)
                sock.close()


if __name__ == "__main__":
    unittest.main()
