#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""I13: marks only grow, whoever says what in whatever order, never pass the head, and survive a restart.

Two raw devices of a customer and an agent say random marks, stale and too large ones among them, and note what the
server tells.
"""
import rigs
from harness import Failed, Rig, main
from sender import Sender
from wire import Wire

MARKS_PAUSE_S = 1.3   # the server tells marks at most once a second


class Side:
    def __init__(self, rig, proc, who, conv):
        self.rig, self.proc, self.who, self.conv = rig, proc, who, conv
        rig.say(proc, "info", "role", principal=who.principal, role=who.role)

    def connect(self):
        self.wire = Wire(self.rig.server.port)
        session = self.wire.open_session(self.who.token)
        self.rig.say(self.proc, "info", "connect", epoch=session["epoch"], rev=session["rev"])
        if self.who.role == "agent":
            self.wire.call("conversation.watch", {"conv": self.conv})

    def read_row(self):
        for row in self.wire.read_feed():
            if row["conv"] == self.conv:
                self.note(row["marks"], row["head"])
                return row
        raise Failed(f"{self.proc}: the feed does not name the conversation")

    def listen(self, seconds):
        try:
            while True:
                message = self.wire.read_message(seconds)
                if message.get("method") == "marks" and message["params"]["conv"] == self.conv:
                    self.note(message["params"]["marks"])
        except TimeoutError:
            pass

    def note(self, marks, head=None):
        told = {"head": head} if head is not None else {}
        for side in ("customer", "staff"):
            self.rig.say(self.proc, "info", "mark", conv=self.conv, side=side, recv=marks[f"{side}_recv"],
                         read=marks[f"{side}_read"], **told)


def run():
    args = rigs.options(__doc__, 5, 40)
    with Rig("marks", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        writer = Sender(rig, "raw-kim", kim, conv=ann.conv)
        writer.wait_acked(50)
        writer.stop()
        sides = [Side(rig, "ann-phone", ann, ann.conv), Side(rig, "ann-tablet", ann, ann.conv),
                 Side(rig, "kim-desk", kim, ann.conv)]
        for side in sides:
            side.connect()
        head = sides[0].read_row()["head"]
        highest = 0
        for cycle in range(args.count):
            for side in sides:
                recv = rig.random.randint(1, head)
                read = rig.random.randint(0, recv)
                highest = max(highest, read if side.who is ann else 0)
                side.wire.notify("marks", {"marks": [{"conv": ann.conv, "recv": recv, "read": read}]})
            sides[cycle % 3].wire.notify("marks", {"marks": [{"conv": ann.conv, "recv": head + 5, "read": head + 5}]}
                                         if cycle == args.count - 1 else
                                         {"marks": [{"conv": ann.conv, "recv": 1, "read": 0}]})
            for side in sides:
                side.listen(MARKS_PAUSE_S / 3)
                side.read_row()
        before = sides[0].read_row()
        rig.server.stop()
        rig.server.start()
        for side in sides:
            side.connect()
            side.read_row()
        after = sides[0].read_row()
        rig.finish("I13,I19", settle=False)
        if after["marks"] != before["marks"]:
            raise Failed(f"marks before the restart {before['marks']}, after it {after['marks']}")
        if before["marks"]["customer_read"] < highest:
            raise Failed(f"the customer read up to {highest}, the server says {before['marks']}")
        print(f"marks: {args.count} rounds, {before['marks']}")


main(run)
