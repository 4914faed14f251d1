#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F33: an application with the SDK is killed with SIGKILL between storing, sending and acking; its outbox holds.

One device of the customer is killed at random moments within a burst of messages and started again on its folder; his
other device and an agent watch. At the end everything that was told as queued is in the log once, in order; of what was
only handed over some may be lost with the process, but nothing is there twice or at another place.
"""
import glob
import json
import os
import time

import rigs
from harness import Failed, Rig, main


def weigh(folder, proc):
    """Of that device: the messages it was told to send, those told as queued, and of these those that were not sent."""
    invoked, queued, sent = set(), set(), set()
    for path in glob.glob(os.path.join(folder, "histories", "*")):
        with open(path, encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                if line.get("proc") != proc:
                    continue
                if line["op"] == "send" and line["kind"] == "invoke":
                    invoked.add(line["cmid"])
                elif line["op"] == "send" and line["kind"] == "ok":
                    sent.add(line["cmid"])
                elif line["op"] == "state" and line["state"] == "queued":
                    queued.add(line["cmid"])
    return invoked, queued, queued - sent


def burst(rig, phone, cycle):
    for n in range(rig.random.randint(2, 12)):
        rig.send(phone, f"cycle {cycle} message {n}")
        if rig.random.random() < 0.3:
            time.sleep(rig.random.random() * 0.01)  # spreads the kill over queueing, sending and acking


def run():
    args = rigs.options(__doc__, 6, 50)
    with Rig("kill-client", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        phone = rig.host("phone", ann)
        rig.host("tablet", ann)
        desk = rig.host("desk", kim, conv=ann.conv)
        for cycle in range(args.count):
            if rig.random.random() < 0.6:
                phone.wait_connected()
            burst(rig, phone, cycle)
            rig.send(desk, f"answer {cycle}")
            time.sleep(rig.random.random() * 0.06)  # the moment of the kill is the point of the rig
            phone.kill()
            phone.start()
        rig.finish("I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I21,I23,I25")
        invoked, queued, lost = weigh(rig.folder, "phone")
        if lost or not queued:
            raise Failed(f"{len(lost)} of {len(queued)} messages were told as queued and never as sent")
        print(f"kill-client: {args.count} cycles, {rig.sent} messages told to be sent, {len(queued)} of the device's "
              f"{len(invoked)} queued, all of them sent, 0 violations")


main(run)
