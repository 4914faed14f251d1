#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The operator's care of a store that is being written: a backup taken under load holds every message acked before it
began and is restored with a new epoch; a damaged backup and a store in use are refused; an erased person's words are in
no file of the data folder, and stay erased when an older backup is restored; an export holds what was said.
"""
import json
import os
import secrets
import shutil
import threading
import time

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, WireClosed, WireError


def cmid():
    noise = secrets.token_hex(10)
    return f"{int(time.time() * 1000):012x}7{noise[:3]}8{noise[3:18]}"


def expect(condition, what):
    if not condition:
        raise Failed(what)


def deskbell(rig, *args, check=True):
    return run_program("deskbell", *args, "--data", rig.server.data, check=check)


class Load(threading.Thread):
    """Sends until told to stop; remembers what was acked, in order."""

    def __init__(self, rig, who):
        super().__init__()
        self.rig, self.who, self.acked, self.stopping = rig, who, [], False

    def run(self):
        with Wire(self.rig.server.port) as wire:
            wire.open_session(self.who.token)
            while not self.stopping:
                text = f"message {len(self.acked)} {secrets.token_hex(4)}"
                wire.call("message.send", {"cmid": cmid(), "conv": self.who.conv, "kind": "text", "text": text})
                self.acked.append(text)


def texts(rig, who):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        entries, _ = wire.read_log(who.conv)
        return [e.get("text") for e in entries]


def back_up_under_load(rig, ann, to):
    load = Load(rig, ann)
    load.start()
    while len(load.acked) < 200:
        time.sleep(0.01)
    before = len(load.acked)
    deskbell(rig, "backup", "--to", to)
    after = len(load.acked)
    load.stopping = True
    load.join()
    expect(after > before, "no message was accepted while the backup ran")
    expect(sorted(os.listdir(to)) == ["deskbell.db", "manifest.json"], f"the backup holds {os.listdir(to)}")
    return load.acked, before


def refuses(rig, damaged, backup):
    shutil.copytree(backup, damaged)
    with open(os.path.join(damaged, "deskbell.db"), "r+b") as f:
        f.seek(5000)
        f.write(b"\0\1\2\3")
    rig.server.stop()
    done = deskbell(rig, "restore", "--from", damaged, "--no-ledger", check=False)
    expect(done.returncode == 65 and "deskbell.db" in done.stderr, f"a damaged backup: {done.returncode} {done.stderr}")
    done = deskbell(rig, "restore", "--from", backup, check=False)
    expect(done.returncode == 66 and "erased.jsonl" in done.stderr, f"no ledger: {done.returncode} {done.stderr}")
    rig.server.start()
    done = deskbell(rig, "restore", "--from", backup, "--no-ledger", check=False)
    expect(done.returncode == 75, f"a store in use: {done.returncode} {done.stderr}")


def grep(folder, word):
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    if word.encode() in f.read():
                        found.append(os.path.relpath(path, folder))
    return found


def say_secret(rig, who, word):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        for n in range(30):
            wire.call("message.send", {"cmid": cmid(), "conv": who.conv, "kind": "text", "text": f"{word} {n}"})
        result = wire.call("message.send", {"cmid": cmid(), "conv": who.conv, "kind": "text", "text": "a typo"})
        wire.call("message.edit", {"cmid": cmid(), "conv": who.conv, "of": result["seq"], "version": 1, "text": word})


def erase(rig, bob, word):
    watcher = Wire(rig.server.port)
    watcher.open_session(bob.token)
    expect(grep(rig.server.data, word), "the word was never on the disk")
    out = deskbell(rig, "export", "--customer", bob.principal).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    said = [r for r in rows if r["type"] == "entry" and word in json.dumps(r.get("content"))]
    expect(rows[0]["type"] == "profile" and len(said) == 32, f"the export has {len(said)} entries with the word")
    done = deskbell(rig, "erase", "--customer", bob.principal, check=False)
    expect(done.returncode == 64, "erase without --yes did something")
    deskbell(rig, "erase", "--customer", bob.principal, "--yes")
    expect(grep(rig.server.data, word) == [], f"the erased word is still in {grep(rig.server.data, word)}")
    try:
        while True:
            watcher.read_message(5)
    except WireClosed as closed:
        expect(closed.code == 4004, f"an erased person's connection: {closed.code}")
    try:
        with Wire(rig.server.port) as wire:
            wire.open_session(bob.token)
            expect(wire.read_feed(0)[0] == [] if isinstance(wire.read_feed(0), tuple) else True, "somebody else's feed")
    except (WireError, WireClosed):
        pass


def agent_sees_places(rig, kim, conv, word):
    with Wire(rig.server.port) as wire:
        wire.open_session(kim.token)
        for log in ("public", "team"):
            entries, _ = wire.read_log(conv, log=log)
            expect(word not in json.dumps(entries), f"an agent reads the erased word in the {log} log")
            expect([e.get("seq") or e.get("iseq") for e in entries] == list(range(1, len(entries) + 1)), "a hole")
            expect(log == "team" or all(e["author"] == "gone" for e in entries), "an erased person is named")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("care", args.seed) as rig:
        rig.start_server()
        ann, bob, kim = rig.customer("ann"), rig.customer("bob"), rig.agent("Kim")
        word = "schwarzwald" + secrets.token_hex(6)
        say_secret(rig, bob, word)
        backup = os.path.join(os.path.dirname(rig.server.data), "backup")
        acked, before = back_up_under_load(rig, ann, backup)
        refuses(rig, backup + ".damaged", backup)
        expect(texts(rig, ann) == acked, "the running store lost something")
        erase(rig, bob, word)
        agent_sees_places(rig, kim, bob.conv, word)

        with Wire(rig.server.port) as wire:
            epoch = wire.open_session(ann.token)["epoch"]
        rig.server.stop()
        deskbell(rig, "restore", "--from", backup)
        os.unlink(os.path.join(rig.server.data, "deskbell.db.before-restore"))
        expect(grep(rig.server.data, word) == [], f"restored with the erased word in {grep(rig.server.data, word)}")
        rig.server.start()
        with Wire(rig.server.port) as wire:
            said = wire.open_session(ann.token, epoch=epoch, rev=1)
            expect(said["epoch"] != epoch and said["reset"] == "epoch", "a restored store has its old epoch")
        kept = texts(rig, ann)
        expect(kept == acked[: len(kept)] and len(kept) >= before, f"{len(kept)} of {before} messages acked before it")
        agent_sees_places(rig, kim, bob.conv, word)
        expect(deskbell(rig, "check").returncode == 0, "the restored store does not check")
        rig.server.stop()
        deskbell(rig, "check", "--deep")
        print(f"care: backup with {len(kept)} of {len(acked)} messages, {before} acked before it; erased and restored")


if __name__ == "__main__":
    main(run)
