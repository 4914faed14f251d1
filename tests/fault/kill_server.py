#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F1: the server is killed with SIGKILL under load, again and again, at random moments; nothing acked is lost.

Load: SDK clients (two devices of one customer, another customer, two agents, who also write notes) and two raw senders
with a window of unanswered messages, which reconnect at once so that every kill finds work in flight.
"""
import statistics
import time

import rigs
from harness import SLOW, Failed, Rig, main
from sender import Sender

RESTART_LIMIT_S = 2.0


def run():
    args = rigs.options(__doc__, 12, 200)
    with Rig("kill-server", args.seed) as rig:
        rig.start_server()
        ann, bob, carl = rig.customer("ann"), rig.customer("bob"), rig.customer("carl")
        kim, lee = rig.agent("Kim"), rig.agent("Lee")
        hosts = [rig.host("ann-phone", ann), rig.host("ann-tablet", ann), rig.host("bob-phone", bob),
                 rig.host("kim-desk", kim, conv=ann.conv), rig.host("lee-desk", lee, conv=bob.conv)]
        senders = [Sender(rig, "raw-carl", carl), Sender(rig, "raw-bob", bob, window=3)]
        for host in hosts:
            host.wait_connected()
        restarts = []
        for cycle in range(args.count):
            acked = [s.acked for s in senders]
            for sender, before in zip(senders, acked):
                sender.wait_acked(before + 5)
            for n in range(rig.random.randint(3, 9)):
                host = rig.random.choice(hosts)
                rig.send(host, f"{host.proc} cycle {cycle} message {n}",
                         note=host.who.role == "agent" and rig.random.random() < 0.25)
            time.sleep(rig.random.random() * 0.25)  # the moment of the kill is the point of the rig
            rig.server.kill()
            began = time.monotonic()
            rig.server.start()
            restarts.append(time.monotonic() - began)
            for host in hosts:
                if rig.random.random() < 0.5:
                    host.command("quiesce")  # tells it that the network is back; the others wait their pause out
        rig.heal()
        for sender in senders:
            sender.stop()
        acked = sum(s.acked for s in senders)
        rig.finish("I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I15,I19,I21,I23,I25")
        middle = statistics.median(restarts)
        print(f"kill-server: {args.count} cycles, {rig.sent} messages sent, {acked} acked by raw senders, "
              f"restarts {middle:.2f} s, longest {max(restarts):.2f} s, 0 violations")
        if middle > RESTART_LIMIT_S * SLOW:  # one alone says more of the machine than of the server
            raise Failed(f"every other restart took more than {middle:.2f} s")


main(run)
