#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F12, R5: somebody copies an older database file back. The server notices by its mark and takes a new epoch; clients
are reset, offer what they hold of the lost messages again, and in the end nothing that was acked is missing.
"""
import json
import os
import shutil

import rigs
from harness import Failed, Rig, main


def talk(rig, hosts, count, what):
    for n in range(count):
        host = hosts[n % len(hosts)]
        rig.send(host, f"{what} {n} of {host.proc}", note=host.who.role == "agent" and n % 4 == 3)
    rig.settle()


def acked_cmids(rig):
    """cmids of all sends that were ever acked, whatever the epoch."""
    cmids = set()
    for host in rig.hosts.values():
        for path in host.histories:
            with open(path, encoding="utf-8") as f:
                for row in f:
                    line = json.loads(row)
                    if line["op"] == "send" and line["kind"] == "ok":
                        cmids.add(line["cmid"])
    return cmids


def epoch_of(rig):
    """The epoch of the newest fresh read."""
    with open(rig.history.path, encoding="utf-8") as f:
        finals = [line for line in map(json.loads, f) if line["op"] == "final"]
    return finals[-1]["epoch"], {e.get("cmid") for line in finals for e in line["entries"]
                                 if line["epoch"] == finals[-1]["epoch"]}


def run():
    args = rigs.options(__doc__, 1, 10)
    with Rig("copied-back", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        hosts = [rig.host("phone", ann), rig.host("tablet", ann), rig.host("desk", kim, conv=ann.conv)]
        for host in hosts:
            host.wait_connected()
        database = os.path.join(rig.server.data, "deskbell.db")
        talk(rig, hosts, 9, "before")
        for cycle in range(args.count):
            rig.server.stop()
            shutil.copy2(database, os.path.join(rig.folder, "older.db"))
            rig.server.start()
            talk(rig, hosts, 12, f"lost in cycle {cycle},")
            rig.final_reads()
            before, _ = epoch_of(rig)
            rig.server.stop()
            status = os.stat(database)
            for suffix in ("-wal", "-shm"):
                if os.path.exists(database + suffix):
                    os.unlink(database + suffix)
            shutil.copyfile(os.path.join(rig.folder, "older.db"), database)
            os.chown(database, status.st_uid, status.st_gid)
            rig.server.start()
            rig.settle()
            talk(rig, hosts, 3, f"after cycle {cycle},")
            rig.final_reads()
            after, found = epoch_of(rig)
            if before == after:
                raise Failed("the database file went back and the epoch is the same")
            lost = acked_cmids(rig) - found
            if lost:
                raise Failed(f"{len(lost)} acked messages were not offered again: {sorted(lost)[:3]}")
        rig.finish("I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I15,I19,I21,I23,I25")
        print(f"copied-back: {args.count} times, {len(acked_cmids(rig))} messages acked, all there, 0 violations")


main(run)
