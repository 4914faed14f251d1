#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""O3: a message that names the one before it is not accepted before that one, on whatever connection, and A4: the same
key twice is one message, the same key for another content a conflict. Raw connections, so that no client helps.
"""
import os

import rigs
from harness import Failed, Rig, main
from wire import Wire, WireError, new_cmid, text_hash


class Device:
    def __init__(self, rig, who):
        self.rig, self.who, self.calls = rig, who, 0
        self.wire = Wire(rig.server.port)
        self.epoch = self.wire.open_session(who.token, device=os.urandom(16).hex())["epoch"]
        rig.say("raw", "info", "connect", epoch=self.epoch)

    def invoke(self, cmid, text):
        self.rig.say("raw", "invoke", "send", cmid=cmid, conv=self.who.conv, hash=text_hash(text))

    def send(self, cmid, text, after=None, call=None):
        """The result, or the error's tag. Every call is in the history but for its invoke, which the caller says."""
        params = {"cmid": cmid, "conv": self.who.conv, "kind": "text", "text": text}
        if after:
            params["after"] = after
        named = {"call": call} if call else {}
        try:
            result = self.wire.call("message.send", params)
        except WireError as e:
            if e.error_class == "permanent":
                self.rig.say("raw", "fail", "send", cmid=cmid, conv=self.who.conv, tag=e.tag, **named)
            return e.tag
        self.rig.say("raw", "ok", "send", cmid=cmid, conv=self.who.conv, seq=result["seq"], ts=result["ts"],
                     epoch=self.epoch, **({"dup": True} if result.get("dup") else {}), **named)
        return result


def successor_first(rig, who, n):
    """The second message arrives on a new connection before the first one ever did."""
    first, second = new_cmid(), new_cmid()
    device = Device(rig, who)
    device.invoke(first, f"first {n}")
    device.invoke(second, f"second {n}")
    early = device.send(second, f"second {n}", after=first)
    one = device.send(first, f"first {n}")
    two = device.send(second, f"second {n}", after=first)
    rig.sent += 2
    return early, one, two


def same_key(rig, who, n):
    """Twice the same, on two connections, then the same key with another text."""
    cmid, call = new_cmid(), f"conflict-{n}"
    one, other = Device(rig, who), Device(rig, who)
    one.invoke(cmid, f"once {n}")
    first = one.send(cmid, f"once {n}")
    again = other.send(cmid, f"once {n}")
    rig.say("raw", "invoke", "send", cmid=cmid, conv=who.conv, hash=text_hash(f"other {n}"), call=call)
    conflict = other.send(cmid, f"other {n}", call=call)
    rig.sent += 1
    return first, again, conflict


def run():
    args = rigs.options(__doc__, 5, 100)
    with Rig("order", args.seed) as rig:
        rig.start_server()
        ann = rig.customer("ann")
        rig.say("raw", "info", "role", principal=ann.principal, role="customer")
        answers = [successor_first(rig, ann, n) for n in range(args.count)]
        keys = [same_key(rig, ann, n) for n in range(args.count)]
        rig.finish("I1,I2,I3,I5,I8,I9,I10,I20,I25")
        for early, _, _ in answers:
            if early != "predecessor_unknown":
                raise Failed(f"a message whose predecessor is unknown is answered with {early}")
        for first, again, conflict in keys:
            if not again.get("dup") or again["seq"] != first["seq"]:
                raise Failed(f"a repeat on another connection is answered with {again}")
            if conflict != "idempotency_conflict":
                raise Failed(f"the same key with another text is answered with {conflict}")
        print(f"order: {args.count} successors first, {args.count} keys used three times, 0 violations")


main(run)
