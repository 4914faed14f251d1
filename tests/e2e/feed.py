#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""R4: whoever was away learns from the feed of every conversation that changed, whatever its length, in pages of any
size, from the beginning or from the rev he knew; a customer of his own conversations only.
"""
import random

import rigs
from harness import Rig, main
from wire import Wire, new_cmid, text_hash


class Reader:
    """A principal who looks now and then, each time from the rev of the time before."""

    def __init__(self, rig, proc, who):
        self.rig, self.proc, self.who, self.rev, self.since_ns = rig, proc, who, 0, 0
        rig.say(proc, "info", "role", principal=who.principal, role=who.role)

    def look(self, limit):
        with Wire(self.rig.server.port) as wire:
            session = wire.open_session(self.who.token)
            connected = self.rig.say(self.proc, "info", "connect", epoch=session["epoch"], rev=session["rev"])
            self.rig.read_feed(wire, self.proc, self.rev, self.since_ns, limit)
        self.rev, self.since_ns = session["rev"], connected["t_ns"]


def write(rig, customer, count):
    proc = f"raw-{customer.conv}"
    rig.say(proc, "info", "role", principal=customer.principal, role="customer")
    with Wire(rig.server.port) as wire:
        epoch = wire.open_session(customer.token)["epoch"]
        for n in range(count):
            cmid, text = new_cmid(), f"{customer.conv} {n} of {count}"
            rig.say(proc, "invoke", "send", cmid=cmid, conv=customer.conv, hash=text_hash(text))
            result = wire.call("message.send", {"cmid": cmid, "conv": customer.conv, "kind": "text", "text": text})
            rig.say(proc, "ok", "send", cmid=cmid, conv=customer.conv, seq=result["seq"], ts=result["ts"], epoch=epoch)
            rig.sent += 1


def run():
    args = rigs.options(__doc__, 15, 150)
    with Rig("feed", args.seed) as rig:
        rig.start_server()
        kim = rig.agent("Kim")
        customers = [rig.customer(f"user-{n}") for n in range(args.count)]
        readers = [Reader(rig, f"kim-pages-of-{limit}", kim) for limit in (1, 4, 200)]
        own = [Reader(rig, f"reads-{c.conv}", c) for c in customers]
        for count, customer in enumerate(customers, 1):
            write(rig, customer, min(count, 20))
            for reader, limit in zip(readers, (1, 4, 200)):
                if random.Random(rig.seed + count).random() < 0.4:
                    reader.look(limit)
        for reader in readers + own:
            reader.look(4)
        rig.finish("I1,I2,I3,I4,I5,I12,I14,I15,I19,I25", settle=False)
        print(f"feed: {args.count} conversations, {rig.sent} messages, all named to all who may see them")


main(run)
