#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A customer and an agent talk. The customer's phone is killed, writes more as soon as it is back, his tablet sees it
all, the agent edits and erases and writes notes that no customer sees; at the end all logs agree.
"""
import socket
import time

import rigs
from harness import Rig, main
from sender import Watcher
from wire import Wire, text_hash


def conversation(rig, phone, desk, rounds):
    for n in range(rounds):
        rig.send(phone, f"question {n}")
        rig.send(desk, f"answer {n}")
        rig.send(desk, f"note {n}", note=True)


def sent_place(host, text):
    """Place of an own message, from its ack."""
    wanted = text_hash(text)
    _, invoke = host.wait(lambda l: l["op"] == "send" and l["kind"] == "invoke" and l.get("hash") == wanted)
    _, ok = host.wait(lambda l: l["op"] == "send" and l["kind"] == "ok" and l["cmid"] == invoke["cmid"])
    return ok["seq"]


def change(rig, desk):
    """The agent edits one of his answers and erases another; each waits for its answer."""
    edited, erased = sent_place(desk, "answer 1"), sent_place(desk, "answer 2")
    desk.wait_given(desk.conv, max(edited, erased))
    at = desk.mark_position()
    desk.command(f"edit {edited} 1 a better answer 1")
    desk.wait(lambda l: l["op"] == "edit" and l["kind"] == "ok", start=at)
    desk.command(f"erase {erased}")
    desk.wait(lambda l: l["op"] == "erase" and l["kind"] == "ok", start=at)


def write_offline(rig, phone, port):
    """Messages written with nobody at the other end, by a phone that is then killed: only its outbox holds them."""
    phone.port = port
    phone.start()
    for n in range(5):
        rig.send(phone, f"written in a tunnel {n}")
        wanted = text_hash(f"written in a tunnel {n}")
        _, invoke = phone.wait(lambda l: l["op"] == "send" and l["kind"] == "invoke" and l.get("hash") == wanted)
        phone.wait(lambda l: l["op"] == "state" and l["cmid"] == invoke["cmid"] and l["state"] == "queued")
    phone.kill()
    phone.port = None


def closed_port():
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def run():
    args = rigs.options(__doc__, 4, 50)
    with Rig("two-sides", args.seed) as rig:
        rig.start_server()
        ann, bob, kim = rig.customer("ann"), rig.customer("bob"), rig.agent("Kim")
        phone, tablet = rig.host("phone", ann), rig.host("tablet", ann)
        rig.host("stranger", bob)
        desk = rig.host("desk", kim, conv=ann.conv)
        bare = Watcher(rig, "ann-bare", ann, ann.conv).start()  # sees what the SDK would drop
        for host in (phone, tablet, desk):
            host.wait_connected()
        conversation(rig, phone, desk, args.count)
        change(rig, desk)
        phone.kill()
        rig.send(desk, "are you still there?")
        write_offline(rig, phone, closed_port())
        phone.start()
        conversation(rig, phone, desk, 2)
        rig.settle()
        with Wire(rig.server.port) as wire:
            wire.open_session(ann.token)
            _, head = wire.read_log(ann.conv)
        for host in (phone, tablet, desk):
            host.command(f"read {head}")
        bare.stop()
        began = time.monotonic()
        rig.finish("I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I14,I15,I21,I23,I25")
        print(f"two-sides: {rig.sent} messages, head {head}, closed in {time.monotonic() - began:.1f} s, 0 violations")


main(run)
