#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that breaks connections where it is told: after N bytes in either direction, by RST, FIN or silence.

In a rig:
    with CutProxy(("127.0.0.1", port)) as proxy:          # listens on proxy.port, a thread of its own
        proxy.plan = lambda index: Cut(up=120)            # for each new connection, in order of arrival
        proxy.arm(Cut(down=40))                           # for the live ones, counted from now
        proxy.cut_all(); proxy.stall_all(); proxy.wait_cuts(3, 10)
As a program: cutproxy.py --listen PORT --to HOST:PORT [--up N] [--down N] [--end rst|fin|stall] [--delay-ms N]

How a cut ends: "rst" = both sides get a reset (SO_LINGER 0); "fin" = the bytes let through certainly arrive, then each
side gets an orderly end; "stall" = nothing more is forwarded and nobody is told.
"""
import argparse
import asyncio
import socket
import struct
import sys
import threading
from dataclasses import dataclass
from typing import Optional


@dataclass
class Cut:
    up: Optional[int] = None       # bytes client -> server let through, None = all
    down: Optional[int] = None     # bytes server -> client let through, None = all
    end: str = "rst"
    delay_ms: int = 0              # each piece is held this long, both ways


class Pair:
    def __init__(self, client, server, cut):
        self.client, self.server, self.cut = client, server, cut
        self.passed = {"up": 0, "down": 0}
        self.left = {"up": cut.up, "down": cut.down}
        self.is_dead = self.is_stalled = False
        self.gone = 0     # sides that have ended in the silence of a stall
        self.pumps = []

    def arm(self, cut):
        self.cut, self.left = cut, {"up": cut.up, "down": cut.down}

    def end(self, how, loop):
        """On the loop's thread."""
        if self.is_dead:
            return
        self.is_dead = True
        for pump in self.pumps:
            pump.cancel()
        for sock in (self.client, self.server):
            for forget in (loop.remove_reader, loop.remove_writer):
                forget(sock.fileno())  # before the number of it is another one's
            try:
                if how == "rst":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            sock.close()


class CutProxy:
    """All methods may be called from any thread."""

    def __init__(self, target, listen_port=0, plan=None):
        self.target, self.plan = target, plan or (lambda index: Cut())
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", listen_port))
        self.listener.listen(128)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.pairs, self.tasks, self.accepted, self.cuts = [], set(), 0, 0
        self.changed = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def arm(self, cut):
        self._on_loop(lambda: [p.arm(cut) for p in self.pairs])

    def cut_all(self, end="rst"):
        self._on_loop(lambda: [self._cut(p, end) for p in list(self.pairs)])

    def stall_all(self):
        self._on_loop(lambda: [setattr(p, "is_stalled", True) for p in self.pairs])

    def live(self):
        return self._on_loop(lambda: len(self.pairs))

    def passed(self):
        """Bytes (up, down) that the newest live connection has let through; (0, 0) when there is none."""
        return self._on_loop(lambda: (self.pairs[-1].passed["up"], self.pairs[-1].passed["down"])
                             if self.pairs else (0, 0))

    def wait_cuts(self, count, timeout_s):
        """True once `count` connections have been cut since the start."""
        with self.changed:
            return self.changed.wait_for(lambda: self.cuts >= count, timeout_s)

    def _on_loop(self, fn):
        done, box = threading.Event(), []

        def run():
            box.append(fn())
            done.set()
        self.loop.call_soon_threadsafe(run)
        if not done.wait(10):
            raise TimeoutError("the proxy's loop does not answer")
        return box[0]

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.tasks.add(self.loop.create_task(self._accept()))
        self.loop.run_forever()
        for task in list(self.tasks):
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*self.tasks, return_exceptions=True))
        for pair in self.pairs:
            pair.end("rst", self.loop)
        self.listener.close()
        self.loop.close()

    async def _accept(self):
        while True:
            client, _ = await self.loop.sock_accept(self.listener)
            client.setblocking(False)
            task = self.loop.create_task(self._serve(client, self.accepted))
            self.accepted += 1
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _serve(self, client, index):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setblocking(False)
        try:
            await self.loop.sock_connect(server, self.target)
        except OSError:
            client.close()
            server.close()
            return
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(client, server, self.plan(index))
        self.pairs.append(pair)
        pumps = pair.pumps = [self.loop.create_task(self._pump(pair, client, server, "up")),
                              self.loop.create_task(self._pump(pair, server, client, "down"))]
        try:
            if not self._ends_here(pair):
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            pair.end("fin", self.loop)
            if pair in self.pairs:
                self.pairs.remove(pair)

    def _ends_here(self, pair):
        return any(left == 0 for left in pair.left.values()) and self._cut(pair, pair.cut.end)

    async def _pump(self, pair, source, sink, way):
        while not pair.is_dead:
            try:
                data = await self.loop.sock_recv(source, 65536)
            except OSError:
                return
            if pair.cut.delay_ms:
                await asyncio.sleep(pair.cut.delay_ms / 1000)
            if pair.is_stalled:
                if data:
                    continue
                pair.gone += 1
                if pair.gone == 2:
                    return
                await self.loop.create_future()  # the other side must not hear of it
            if not data:
                return
            left = pair.left[way]
            piece = data if left is None else data[:left]
            try:
                await self.loop.sock_sendall(sink, piece)
            except OSError:
                return
            pair.passed[way] += len(piece)
            if pair.left[way] is not None:
                pair.left[way] = max(0, pair.left[way] - len(piece))
            if self._ends_here(pair):
                return

    def _cut(self, pair, end):
        if end == "stall":
            newly = not pair.is_stalled
            pair.is_stalled = True
        else:
            newly = not pair.is_dead
            pair.end(end, self.loop)
        if newly:
            with self.changed:
                self.cuts += 1
                self.changed.notify_all()
        return True


def main(argv=None):
    parser = argparse.ArgumentParser(description="a TCP proxy that cuts connections")
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--up", type=int)
    parser.add_argument("--down", type=int)
    parser.add_argument("--end", choices=("rst", "fin", "stall"), default="rst")
    parser.add_argument("--delay-ms", type=int, default=0)
    args = parser.parse_args(argv)
    host, port = args.to.rsplit(":", 1)
    cut = Cut(args.up, args.down, args.end, args.delay_ms)
    with CutProxy((host, int(port)), args.listen, lambda index: cut) as proxy:
        print(f"listening on 127.0.0.1:{proxy.port}", flush=True)
        try:
            proxy.thread.join()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
