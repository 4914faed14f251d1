#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""R5 with files: an older database file is copied back after a message with a file was sent. The device that sent it
uploads the file again where it still is, under the same cmid; where it is gone, it says so once.
"""
import os
import shutil

import rigs
from harness import Failed, Rig, main


def send_file(rig, phone, name):
    path = os.path.join(rig.folder, name)
    with open(path, "wb") as f:
        f.write(os.urandom(40000))
    at = phone.mark_position()
    phone.command(f"file {path} {name}")
    cmid = phone.wait(lambda l: l["op"] == "state" and l["state"] == "uploading", start=at)[1]["cmid"]
    phone.wait(lambda l: l["op"] == "send" and l["kind"] == "ok" and l["cmid"] == cmid)
    return path, cmid


def copy_back(database, older):
    status = os.stat(database)
    for suffix in ("-wal", "-shm"):
        if os.path.exists(database + suffix):
            os.unlink(database + suffix)
    shutil.copyfile(older, database)
    os.chown(database, status.st_uid, status.st_gid)


def delivered(tablet, cmid, start):
    return tablet.wait(lambda l: l["op"] == "deliver" and l.get("cmid") == cmid and l.get("files"), start=start)[1]


def run():
    args = rigs.options(__doc__, 1, 5)
    with Rig("files-copied-back", args.seed) as rig:
        rig.start_server()
        ann = rig.customer("ann")
        phone, tablet = rig.host("phone", ann), rig.host("tablet", ann)
        for host in (phone, tablet):
            host.wait_connected()
        database, older = os.path.join(rig.server.data, "deskbell.db"), os.path.join(rig.folder, "older.db")
        for cycle in range(args.count):
            rig.settle()
            rig.server.stop()
            shutil.copy2(database, older)
            rig.server.start()
            phone.wait_connected()
            _, kept = send_file(rig, phone, f"kept-{cycle}.bin")
            gone, lost = send_file(rig, phone, f"gone-{cycle}.bin")
            os.unlink(gone)
            before = delivered(tablet, kept, 0)
            rig.server.stop()
            copy_back(database, older)
            marks = [phone.mark_position(), tablet.mark_position()]
            rig.server.start()
            phone.wait(lambda l: l["op"] == "send" and l["kind"] == "ok" and l["cmid"] == kept, start=marks[0])
            phone.wait(lambda l: l["op"] == "state" and l["state"] == "failed" and l["cmid"] == lost, start=marks[0])
            after = delivered(tablet, kept, marks[1])
            if after["epoch"] == before["epoch"]:
                raise Failed("the database file went back and the epoch is the same")
            if after["files"][0]["sha256"] != before["files"][0]["sha256"]:
                raise Failed("other bytes came back than were sent")
        rig.has_verdict = True  # a cmid may carry other file ids in another epoch: the checker knows contents by cmid
        print(f"files-copied-back: {args.count} times, what was still there came back, what was not was told")


main(run)
