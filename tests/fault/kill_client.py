#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F33: an application with the SDK is killed with SIGKILL between storing, sending and acking; its outbox holds.

One device of the customer is killed at random moments within a burst of messages and started again on its folder; his
other device and an agent watch. At the end everything queued is in the log once, in order.
"""
import time

import rigs
from harness import Rig, main


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
        print(f"kill-client: {args.count} cycles, {rig.sent} messages told to be sent, 0 violations")


main(run)
