#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""I16: five seconds after a customer or an agent was revoked nothing reaches him, on open sockets or new ones;
everybody else is served as before.
"""
import time

import rigs
from harness import SLOW, Failed, Rig, main, run_program
from sender import Sender, Watcher
from wire import Wire, WireClosed, WireError

GRACE_S = 5


def revoke(rig, noun, person):
    run_program("deskbell", noun, "revoke", "--data", rig.server.data, person.principal)
    rig.say("rig", "ok", "revoke", who=person.principal)


def must_be_refused(rig, proc, person):
    try:
        with Wire(rig.server.port) as wire:
            wire.open_session(person.token)
    except (WireError, WireClosed):
        return
    rig.say(proc, "info", "connect")
    raise Failed(f"{proc} opens a session after his revocation")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("revocation", args.seed) as rig:
        rig.start_server()
        ann, kim, lee = rig.customer("ann"), rig.agent("Kim"), rig.agent("Lee")
        writer = Sender(rig, "raw-lee", lee, conv=ann.conv, window=1, every_s=0.1)
        watchers = {proc: Watcher(rig, proc, who, ann.conv) for proc, who in (("ann-raw", ann), ("kim-raw", kim))}
        for watcher in watchers.values():
            watcher.wire.wait_event(lambda e: e["method"] == "entry")
            watcher.start()
        revoke(rig, "agent", kim)
        revoke(rig, "customer", ann)
        time.sleep(GRACE_S + 2 * SLOW)  # the promise is about what does not come in that time
        before = writer.acked
        writer.wait_acked(before + 3)
        writer.stop()
        rig.people.remove(ann)
        rig.people.remove(kim)
        rig.finish("I16", settle=False)
        for proc, watcher in watchers.items():
            if watcher.closed is None:
                raise Failed(f"{proc} is still connected {GRACE_S} s after his revocation")
        rig.server.start()
        must_be_refused(rig, "ann-raw", ann)
        must_be_refused(rig, "kim-raw", kim)
        rig.server.stop()
        print("revocation: " + ", ".join(f"{p} closed with {w.closed}" for p, w in watchers.items()))


main(run)
