#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SDK built for another machine, run under an emulator, against the server of this one: it talks, sends and fetches
files, is killed, loses the server, and comes back. Its file is then opened by the SDK of this machine, which sends what
was queued in it, and the other way round. DESKBELL_OTHER_HOST is the command of that sdk_host (scripts/test-aarch64 sets
it).
"""
import hashlib
import os
import shlex

import rigs
from harness import Failed, Rig, SdkHost, Skip, main, wait_until
from wire import Wire, text_hash

SIZE = 700_000  # three pieces


class OtherHost(SdkHost):
    """A device whose program may be the other machine's; its data folder stays the same."""
    is_other = True

    def program(self):
        return shlex.split(os.environ["DESKBELL_OTHER_HOST"]) if self.is_other else super().program()

    def restart(self, is_other, port=None):
        self.is_other, self.port = is_other, port
        return self.start()


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def talk(rig, phone, desk, count, first=0):
    for n in range(first, first + count):
        rig.send(phone, f"question {n}")
        rig.send(desk, f"answer {n}")


def carry_file(rig, sender, receiver, name):
    """From one to the other, whole."""
    path, copy = os.path.join(rig.folder, name), os.path.join(rig.folder, name + ".copy")
    with open(path, "wb") as f:
        f.write(rig.random.randbytes(SIZE))
    at = sender.mark_position()
    sender.command(f"file {path} take this: {name}")
    cmid = sender.wait(lambda l: l["op"] == "state" and l["state"] == "uploading", start=at)[1]["cmid"]
    sender.wait(lambda l: l["op"] == "send" and l["kind"] == "ok" and l.get("cmid") == cmid)
    file = receiver.wait(lambda l: l["op"] == "deliver" and l.get("cmid") == cmid)[1]["files"][0]
    rig.say(sender.proc, "ok", "upload", file=file["id"], sha256=digest(path), conv=sender.who.conv or receiver.who.conv)
    receiver.command(f"fetch {file['id']} {file['size']} {file['sha256']} {copy}")
    end = receiver.wait(lambda l: l["op"] == "fetched" and l.get("path") == copy)[1]
    if end["kind"] != "info" or digest(copy) != digest(path):
        raise Failed(f"{receiver.proc} has another file: {end}")
    rig.say(receiver.proc, "ok", "download", file=file["id"], sha256=digest(copy))


def write_alone(rig, phone, texts):
    """Queued with nobody at the other end, then the process is gone: only the file holds them."""
    for text in texts:
        rig.send(phone, text)
        wanted = text_hash(text)
        _, invoke = phone.wait(lambda l: l["op"] == "send" and l["kind"] == "invoke" and l.get("hash") == wanted)
        phone.wait(lambda l: l["op"] == "state" and l["cmid"] == invoke["cmid"] and l["state"] == "queued")
    phone.kill()


def arrived(rig, ann, texts):
    def there():
        with Wire(rig.server.port) as wire:
            wire.open_session(ann.token)
            told = [e.get("text") for e in wire.read_log(ann.conv)[0]]
        return [told.count(text) for text in texts] == [1] * len(texts)
    wait_until("what was queued is there, once each", there, 60, every_s=0.2)


def run():
    args = rigs.options(__doc__, 5, 40)
    if not os.environ.get("DESKBELL_OTHER_HOST"):
        raise Skip("DESKBELL_OTHER_HOST is not set: scripts/test-aarch64 sets it")
    with Rig("other-machine", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        phone, desk = rig.host("phone", ann, kind=OtherHost), rig.host("desk", kim, conv=ann.conv)
        phone.wait_connected()
        desk.wait_connected()
        talk(rig, phone, desk, args.count)
        carry_file(rig, phone, desk, "up.bin")
        carry_file(rig, desk, phone, "down.bin")
        rig.server.kill()
        for n in range(3):
            rig.send(phone, f"while the server is away {n}")
        rig.server.start()
        phone.command("network")
        desk.command("network")
        arrived(rig, ann, [f"while the server is away {n}" for n in range(3)])
        phone.kill()
        for is_other in (True, False):  # who queues; the other one opens the file and sends
            texts = [f"queued by the {'other' if is_other else 'same'} machine {n}" for n in range(3)]
            write_alone(rig, phone.restart(is_other, port=1), texts)
            phone.restart(not is_other)
            arrived(rig, ann, texts)
            talk(rig, phone, desk, 2, first=1000 + 2 * is_other)
            phone.kill()
        phone.restart(True)
        rig.finish("I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I18,I21,I23,I25")
        print(f"other-machine: {rig.sent} messages, 2 files, the same file opened by both, 0 violations")


main(run)
