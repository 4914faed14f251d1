#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F22: the connection is cut after every number of bytes of a send, and of its answer; each message is stored once.

Two clients go through the proxy: a raw sender, for which every byte count is swept each time, and an SDK client, for
which every 7th is (all of them with --long). A cut is a reset of both sides or an orderly end, in turn.
"""
import os
import socket
import time

import rigs
from cutproxy import Cut, CutProxy
from harness import Rig, main
from wire import Wire, WireClosed, new_cmid, text_hash

SPARE = 16  # bytes beyond the last one of a frame that are swept too


def raw_send(rig, port, who, text, cut=None, proxy=None):
    """Sends until answered, on as many connections as it takes; returns how many it took."""
    cmid, tries = new_cmid(), 0
    rig.say("raw", "invoke", "send", cmid=cmid, conv=who.conv, hash=text_hash(text))
    rig.sent += 1
    while True:
        tries += 1
        try:
            with Wire(port, timeout_s=20) as wire:
                session = wire.open_session(who.token, device=raw_send.device)
                if cut and tries == 1:
                    proxy.arm(cut)
                result = wire.call("message.send", {"cmid": cmid, "conv": who.conv, "kind": "text", "text": text})
                rig.say("raw", "ok", "send", cmid=cmid, conv=who.conv, seq=result["seq"], ts=result["ts"],
                        epoch=session["epoch"], **({"dup": True} if result.get("dup") else {}))
                return tries
        except (WireClosed, OSError):
            continue


raw_send.device = os.urandom(16).hex()


def frame_bytes(rig, port, who, conv, proxy):
    """(bytes of a send, bytes of all that comes back for it) on the raw client."""
    cmid, text = new_cmid(), "probe 0000000"
    rig.say("raw", "invoke", "send", cmid=cmid, conv=conv, hash=text_hash(text))
    with Wire(port) as wire:
        wire.open_session(who.token, device=raw_send.device)
        before = proxy.passed()
        wire.call("message.send", {"cmid": cmid, "conv": conv, "kind": "text", "text": text})
        try:
            wire.read_message(0.3)  # the events of it, where there are any
        except TimeoutError:
            pass
        after = proxy.passed()
    return after[0] - before[0], after[1] - before[1]


def sweep_raw(rig, proxy, who):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        probe = wire.call("conversation.open", {"key": "probe"})["row"]["conv"]
    rig.say("rig", "info", "member", who=who.principal, conv=probe)
    up, down = frame_bytes(rig, proxy.port, who, probe, proxy)
    cycles = retried = 0
    for way, size in (("up", up), ("down", down)):
        for n in range(0, size + SPARE):
            cut = Cut(**{way: n}, end=("rst", "fin")[n % 2])
            retried += raw_send(rig, proxy.port, who, f"raw {way} {n:06d}", cut, proxy) > 1
            cycles += 1
    return cycles, retried, up, down


def wait_acked(phone, cmid, at):
    """Until the SDK has its ack; when the connection goes it is told that the network is back, instead of waiting."""
    while True:
        at, line = phone.wait(lambda l: l["op"] == "disconnect" or l["op"] == "send" and l["kind"] == "ok"
                              and l["cmid"] == cmid, 60, at)
        if line["op"] == "send":
            return
        at += 1
        phone.command("quiesce")


def sweep_sdk(rig, proxy, who, up, down, step):
    phone = rig.host("phone", who, port=proxy.port)
    phone.wait_connected()
    cycles = 0
    for way, size in (("up", up), ("down", down)):
        for n in range(0, size + SPARE, step):
            text = f"sdk {way} {n:06d}"
            at = phone.mark_position()
            proxy.arm(Cut(**{way: n}, end=("rst", "fin")[n % 2]))
            rig.send(phone, text)
            wanted = text_hash(text)
            _, invoke = phone.wait(lambda l: l["op"] == "send" and l["kind"] == "invoke" and l["hash"] == wanted, 20,
                                   at)
            wait_acked(phone, invoke["cmid"], at)
            cycles += 1
    return cycles


def run():
    args = rigs.options(__doc__, 7, 1, sdk=(int, 1, "0 = only the raw sender"))
    with Rig("cut-sweep", args.seed) as rig:
        rig.start_server()
        ann, bob = rig.customer("ann"), rig.customer("bob")
        rig.say("raw", "info", "role", principal=ann.principal, role="customer")
        began = time.monotonic()
        with CutProxy(("127.0.0.1", rig.server.port)) as proxy:
            cycles, retried, up, down = sweep_raw(rig, proxy, ann)
            if args.sdk:
                cycles += sweep_sdk(rig, proxy, bob, up, down, args.count)
            rig.finish("I1,I2,I3,I4,I5,I8,I9,I21,I25")
            print(f"cut-sweep: {cycles} cuts in {time.monotonic() - began:.1f} s ({proxy.cuts} connections cut), send "
                  f"{up} bytes, answer {down} bytes, {retried} raw sends retried, 0 violations")


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    main(run)
