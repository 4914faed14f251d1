#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F21, R6: readers that stop reading (zero window) while their conversation goes on. Nobody else is served slower, the
server's memory stays within their caps, each of them is closed with 4008 after 30 s, and nothing is lost.
"""
import re
import resource
import socket
import threading
import time
import urllib.request

import rigs
from harness import SANITIZE, SLOW, Failed, Rig, main, wait_until
from wire import Wire, WireClosed, new_cmid, text_hash

LOUD_TEXT = "\u6162" * 10000  # 30,000 bytes, the longest text there is
OUTPUT_BYTES = 262144         # the server's cap for one connection
EVERY_S = 0.2                 # a loud message
FILLING = 25                  # so many of them are more than the kernel's buffers and the cap hold
PINGS = 60
OTHERS_MS = 250               # what a message of others may take, 95 of 100
READ_AGAIN = 20               # readers that read again when they are being closed


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def figure(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.M)
    if not found:
        raise Failed(f"no metric {name}")
    return float(found.group(1))


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


class Speaker:
    """Sends as one person on a connection of his own and notes it in the history."""

    def __init__(self, rig, proc, who, conv):
        self.rig, self.proc, self.conv, self.sent = rig, proc, conv, 0
        rig.say(proc, "info", "role", principal=who.principal, role=who.role)
        self.wire = Wire(rig.server.port)
        self.epoch = self.wire.open_session(who.token)["epoch"]

    def send(self, text):
        cmid = new_cmid()
        self.rig.say(self.proc, "invoke", "send", cmid=cmid, conv=self.conv, hash=text_hash(text))
        result = self.wire.call("message.send", {"cmid": cmid, "conv": self.conv, "kind": "text", "text": text})
        self.rig.say(self.proc, "ok", "send", cmid=cmid, conv=self.conv, seq=result["seq"], ts=result["ts"],
                     epoch=self.epoch)
        self.rig.sent, self.sent = self.rig.sent + 1, self.sent + 1
        return result["seq"]


class Others:
    """A pair that has nothing to do with it: how long a message takes from one to the other."""

    def __init__(self, rig):
        self.ann, kim = rig.customer("ann"), rig.agent("Kim")
        self.speaker = Speaker(rig, "raw-ann", self.ann, self.ann.conv)
        self.kim = Wire(rig.server.port)
        self.kim.open_session(kim.token)
        self.kim.call("conversation.watch", {"conv": self.ann.conv})

    def measure(self):
        """(median, 95 of 100) in ms, from before the send until it is acknowledged and with the other one."""
        took = []
        for _ in range(PINGS):
            start = time.monotonic()
            seq = self.speaker.send("is anybody there?")
            self.kim.wait_event(lambda e, n=seq: e["method"] == "entry" and e["params"].get("seq") == n and
                                e["params"]["conv"] == self.ann.conv)
            took.append(1000 * (time.monotonic() - start))
            self.kim.events.clear()
        took.sort()
        return took[len(took) // 2], took[len(took) * 95 // 100]


class Loud:
    """Somebody who keeps writing long messages to the readers' conversation, from a thread of his own."""

    def __init__(self, rig, who):
        self.speaker = Speaker(rig, "raw-loud", rig.agent("Loud"), who.conv)
        self.over, self.error = threading.Event(), None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.over.wait(EVERY_S):
                self.speaker.send(LOUD_TEXT)
        except Exception as e:  # said by stop()
            self.error = e

    def stop(self):
        self.over.set()
        self.thread.join(60)
        if self.error:
            raise Failed(f"the loud one could not go on: {self.error}")


def open_readers(rig, who, count):
    readers = []
    for _ in range(count):
        wire = Wire(rig.server.port)
        wire.open_session(who.token)
        readers.append(wire)
    return readers


def how_it_ended(wire):
    """The close code of a reader that reads again, after it saw why; 1006: the connection just ended."""
    reason = None
    try:
        while True:
            message = wire.read_message(10)
            if message.get("method") == "session.closing":
                reason = message["params"]["tag"]
    except WireClosed as e:
        if e.code == 4008 and reason != "slow_reader":
            raise Failed(f"closed with 4008, but told {reason}") from e
        return e.code


def watch_memory(rig, count, before_kib):
    """Until all are being closed. How long it took, how much memory grew, and how much of that in the second half."""
    pid, seen = rig.server.process.child.pid, []
    start = time.monotonic()

    def are_closing():
        seen.append((time.monotonic() - start, rss_kib(pid)))
        return figure(rig.ops, "deskbell_slow_readers_closed_total") >= count

    wait_until(f"all {count} are closed", are_closing, 60, 0.05)
    took = seen[-1][0]
    most = max(kib for _, kib in seen)
    middle = [kib for t, kib in seen if took / 2 < t]
    return took, most - before_kib, middle[-1] - middle[0]


def run():
    args = rigs.options(__doc__, 200, 1000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65536, hard))
    with Rig("slow-readers", args.seed) as rig:
        rig.ops = free_port()
        rig.start_server(env={"DESKBELL_OPS_LISTEN": f"127.0.0.1:{rig.ops}", "DESKBELL_DEVICES_PER_CUSTOMER": "1000",
                              "DESKBELL_HEARTBEAT_MS": "300000", "DESKBELL_DEAD_MS": "600000"})
        others, bob = Others(rig), rig.customer("bob")
        alone = others.measure()
        readers = open_readers(rig, bob, args.count)
        before_kib = rss_kib(rig.server.process.child.pid)
        loud = Loud(rig, bob)
        wait_until("their buffers are full", lambda: loud.speaker.sent >= FILLING)
        beside = others.measure()
        took, grew_kib, late_kib = watch_memory(rig, args.count, before_kib)
        codes = [how_it_ended(r) for r in readers[-READ_AGAIN:]]
        loud.stop()
        after = others.measure()
        print(f"{args.count} slow readers: others took {alone[0]:.1f}/{alone[1]:.1f} ms alone, {beside[0]:.1f}/"
              f"{beside[1]:.1f} beside them, {after[0]:.1f}/{after[1]:.1f} after (median/95 of 100); all closed after "
              f"{took:.0f} s; memory grew by {grew_kib / 1024:.0f} MiB, in the second half by {late_kib / 1024:.0f}")
        if beside[1] > OTHERS_MS * SLOW or after[1] > OTHERS_MS * SLOW:
            raise Failed("others were served slower")
        # Half a cap more for what realloc leaves behind; 48 MiB for the store's caches, which fill meanwhile.
        if not SANITIZE and grew_kib > args.count * 3 * OUTPUT_BYTES // 2048 + 49152:
            raise Failed("more memory than the caps allow")
        if not SANITIZE and late_kib > 16384:
            raise Failed("the memory kept growing")
        if set(codes) - {4008, 1006} or 4008 not in codes:
            raise Failed(f"who read again was closed with {sorted(set(codes))}")
        for reader in readers:
            reader.sock.close()
        for wire in (others.kim, others.speaker.wire, loud.speaker.wire):
            wire.close()
        rig.finish("I1,I2,I3,I5,I9,I25", settle=False)
        print(f"slow-readers: {rig.sent} messages, none lost")


main(run)
