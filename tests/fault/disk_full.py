#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F6: the disk under the database fills up. Sends are put off (retry, storage_full), reads still work, nothing acked is
lost, and when space returns the server goes on by itself, without a restart.
"""
import os
import time

import rigs
from harness import SLOW, Failed, Rig, main
from volume import Volume
from wire import Wire, WireError, new_cmid, text_hash

TEXT = "x" * 9000
MESSAGES_LIMIT = 20_000
RECOVERY_S = 30


class Client:
    def __init__(self, rig, who):
        self.rig, self.who, self.wire = rig, who, Wire(rig.server.port)
        self.epoch = self.wire.open_session(who.token)["epoch"]
        rig.say("raw", "info", "connect", epoch=self.epoch)
        self.pending = None

    def send(self, text):
        """None when acked, else the error. A put-off message is tried again under its cmid before a new one."""
        if not self.pending:
            self.pending = {"cmid": new_cmid(), "text": text}
            self.rig.say("raw", "invoke", "send", cmid=self.pending["cmid"], conv=self.who.conv,
                         hash=text_hash(text))
        try:
            result = self.wire.call("message.send", {"conv": self.who.conv, "kind": "text", **self.pending})
        except WireError as e:
            return e
        self.rig.say("raw", "ok", "send", cmid=self.pending["cmid"], conv=self.who.conv, seq=result["seq"],
                     ts=result["ts"], epoch=self.epoch)
        self.pending = None
        self.rig.sent += 1
        return None


def fill_up(client, volume):
    """Takes the space away while messages are being written; the error that says so."""
    for n in range(200):
        client.send(f"before {n}")
    volume.fill()
    for n in range(MESSAGES_LIMIT):
        error = client.send(f"{n} {TEXT}")
        if error:
            return error
        if n % 50 == 49:
            volume.fill()
    raise Failed("the disk is full and everything is still acked")


def recover(client):
    """Seconds until a send is acked again."""
    began = time.monotonic()
    while time.monotonic() - began < RECOVERY_S * SLOW:
        error = client.send("after")
        if not error:
            return time.monotonic() - began
        if error.tag != "storage_full":
            raise Failed(f"with space again the answer is {error}")
        time.sleep(min(error.retry_after_ms or 1000, 1000) / 1000)  # as it was told to
    raise Failed(f"space returned {RECOVERY_S} s ago and sends are still put off")


def run():
    args = rigs.options(__doc__, 1, 5)
    with Rig("disk-full", args.seed) as rig:
        volume = Volume(rig.folder, "disk", 96)
        volume.mount()
        rig.on_exit.append(volume.unmount)
        rig.start_server(data=os.path.join(volume.path, "data"))
        rig.expected = ["full", "space", "storage", "read.only"]
        ann = rig.customer("ann")
        rig.say("raw", "info", "role", principal=ann.principal, role="customer")
        client = Client(rig, ann)
        slowest = 0.0
        for _ in range(args.count):
            error = fill_up(client, volume)
            if error.tag != "storage_full" or error.error_class != "retry":
                raise Failed(f"a full disk is answered with {error}, not with retry storage_full")
            entries, head = client.wire.read_log(ann.conv)
            if len(entries) != head or head < 10:
                raise Failed(f"reads do not work on a full disk: {len(entries)} entries, head {head}")
            os.unlink(os.path.join(volume.path, "filler"))
            slowest = max(slowest, recover(client))
            if not rig.server.process.is_running:
                raise Failed("the server ended on a full disk")
        rig.finish("I1,I2,I3,I4,I5,I8,I9,I21,I25")
        print(f"disk-full: {args.count} times full, {rig.sent} messages acked, back after at most {slowest:.1f} s, "
              "0 violations")


main(run)
