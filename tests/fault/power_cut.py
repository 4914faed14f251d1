#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F3: the power of the disk is cut under load; no acked message is lost.

The data folder is on an image of its own, shut down without flushing its journal. The server stands still by then, as
the machine would: a flush that is under way while a file system is shut down may report success. The control run shows
that the rig can see a loss: the same under libeatmydata, which makes every flush do nothing, must lose acked messages.
"""
import ctypes.util
import os
import time

import rigs
from harness import Failed, Rig, Skip, main
from sender import Sender
from volume import Volume
from wire import Wire, WireClosed, WireError, new_cmid

CONTROL_MESSAGES = 40


def eatmydata():
    """Path of libeatmydata, or None."""
    folders = [f"/usr/lib/{os.uname().machine}-linux-gnu", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
    for folder in folders:
        path = os.path.join(folder, "libeatmydata.so")
        if os.path.exists(path):
            return path
    return ctypes.util.find_library("eatmydata")


def cut_cycle(rig, volume, senders):
    """Work, cut, restart on what is left on the disk."""
    for sender in senders:
        sender.wait_acked(sender.acked + 20)
    time.sleep(rig.random.random() * 0.1)  # the moment of the cut is the point of the rig
    rig.server.freeze()
    volume.cut_power()
    rig.server.kill()
    volume.unmount()
    volume.mount()
    rig.server.start()


def run_cuts(count, seed):
    with Rig("power-cut", seed) as rig:
        volume = Volume(rig.folder, "disk", 256)
        volume.mount()
        rig.on_exit.append(volume.unmount)
        rig.start_server(data=os.path.join(volume.path, "data"))
        rig.expected = ["."]  # the server may complain about a dead disk before it is killed
        ann, bob = rig.customer("ann"), rig.customer("bob")
        kim = rig.agent("Kim")
        os.sync()  # the people are there whatever happens; the messages are what it is about
        senders = [Sender(rig, "raw-ann", ann), Sender(rig, "raw-bob", bob, window=2),
                   Sender(rig, "raw-kim", kim, conv=ann.conv, window=4)]
        for _ in range(count):
            cut_cycle(rig, volume, senders)
        for sender in senders:
            sender.stop()
        acked = sum(s.acked for s in senders)
        rig.finish("I1,I2,I3,I4,I5,I8,I9,I19,I21,I25")
        print(f"power-cut: {count} cuts, {acked} messages acked, 0 violations")


def run_control(seed):
    """How many of the acked messages are gone after a cut when flushes do nothing."""
    library = eatmydata()
    if not library:
        raise Skip("libeatmydata is not installed, so the control run cannot be made")
    with Rig("power-cut-control", seed) as rig:
        volume = Volume(rig.folder, "disk", 256, "commit=300")
        volume.mount()
        rig.on_exit.append(volume.unmount)
        rig.start_server(data=os.path.join(volume.path, "data"))
        ann = rig.customer("ann")
        rig.server.stop()
        os.sync()
        rig.server.env["LD_PRELOAD"] = library
        rig.server.start()
        acked = set()
        with Wire(rig.server.port) as wire:
            wire.open_session(ann.token)
            for n in range(CONTROL_MESSAGES):
                cmid = new_cmid()
                wire.call("message.send", {"cmid": cmid, "conv": ann.conv, "kind": "text", "text": f"control {n}"})
                acked.add(cmid)
        rig.server.freeze()
        volume.cut_power()
        rig.server.kill()
        volume.unmount()
        volume.mount()
        del rig.server.env["LD_PRELOAD"]
        return len(acked), len(acked - still_there(rig, ann))


def still_there(rig, who):
    try:
        rig.server.start()
        with Wire(rig.server.port) as wire:
            wire.open_session(who.token)
            return {e.get("cmid") for e in wire.read_log(who.conv)[0]}
    except (Failed, WireError, WireClosed, OSError):
        return set()  # not even the store came back


def run():
    args = rigs.options(__doc__, 4, 100)
    acked, lost = run_control(args.seed)
    print(f"power-cut: control under libeatmydata lost {lost} of {acked} acked messages")
    if not lost:
        raise Failed("the control run lost nothing: this rig cannot see a loss here")
    run_cuts(args.count, args.seed)


main(run)
