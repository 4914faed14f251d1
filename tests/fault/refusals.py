#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F34 and F11: a second server on the same folder is refused while the first serves on, and a damaged database is
refused with a sentence that names it, instead of being served; after an unclean end also damage that no start touches.
"""
import os
import shutil

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, new_cmid, text_hash

PAGE = 4096


def send(rig, who, count):
    with Wire(rig.server.port) as wire:
        epoch = wire.open_session(who.token)["epoch"]
        for n in range(count):
            cmid, text = new_cmid(), f"message {rig.sent}"
            rig.say("raw", "invoke", "send", cmid=cmid, conv=who.conv, hash=text_hash(text))
            result = wire.call("message.send", {"cmid": cmid, "conv": who.conv, "kind": "text", "text": text})
            rig.say("raw", "ok", "send", cmid=cmid, conv=who.conv, seq=result["seq"], ts=result["ts"], epoch=epoch)
            rig.sent += 1


def must_refuse(rig, what, wanted):
    """`serve` on the folder ends by itself, not with 0, and says one of `wanted`."""
    done = run_program("deskbell", "serve", "--data", rig.server.data, "--listen", "127.0.0.1:0", check=False,
                       timeout_s=30, env=rig.server.env)
    said = done.stdout + done.stderr
    if done.returncode == 0 or done.returncode < 0 or "listening on" in done.stdout:
        raise Failed(f"{what}: serve ended with {done.returncode}: {said.strip()[-300:]}")
    if not any(w in said for w in wanted):
        raise Failed(f"{what}: the refusal does not say why: {said.strip()[-300:]}")
    print(f"refused, {what}: exit {done.returncode}: {said.strip().splitlines()[-1][:160]}")


def damaged(rig, what, change):
    """Runs `serve` on a copy of the folder in which `change(path of the database)` was made."""
    whole, rig.server.data = rig.server.data, rig.server.data + "-damaged"
    shutil.copytree(whole, rig.server.data, ignore=lambda folder, names: [n for n in names if n.endswith(".sock")])
    change(os.path.join(rig.server.data, "deskbell.db"))
    must_refuse(rig, what, ("deskbell.db",))
    shutil.rmtree(rig.server.data)
    rig.server.data = whole


def overwrite(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def spoil_messages(path):
    """Another text over the page that holds a message of the middle: nothing that a start reads by itself."""
    with open(path, "rb") as f:
        at = f.read().index(b'"message 150"')
    overwrite(path, at - at % PAGE, os.urandom(PAGE))


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("refusals", args.seed) as rig:
        rig.start_server()
        ann = rig.customer("ann")
        rig.say("raw", "info", "role", principal=ann.principal, role="customer")
        send(rig, ann, 300)
        must_refuse(rig, "a second server on the same folder", ("lock", "running", "in use", "another"))
        send(rig, ann, 5)
        rig.server.stop()
        rig.server.start()
        send(rig, ann, 5)
        rig.server.kill()  # an unclean end: the next start looks closer
        damaged(rig, "not a database", lambda p: overwrite(p, 0, b"this is not a database file at all" * 4))
        size = os.path.getsize(os.path.join(rig.server.data, "deskbell.db"))
        damaged(rig, "garbled pages", lambda p: overwrite(p, 2 * PAGE, os.urandom(size - 2 * PAGE)))
        damaged(rig, "one page of messages", spoil_messages)
        rig.server.start()
        with open(rig.server.logs[-1], encoding="utf-8") as log:
            if "unclean end; the store was checked" not in log.read():
                raise Failed("after a kill the store was not checked, or the log does not say so")
        rig.finish("I1,I2,I3,I5,I9,I25")
        print(f"refusals: {rig.sent} messages before, all there after")


main(run)
