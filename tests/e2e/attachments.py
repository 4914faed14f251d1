#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files through the real server: an upload that is cut at many places, by a killed phone and by a killed server, arrives
whole and once; texts go first; the agent's download is cut too; all sides agree by SHA-256; strangers get nothing.
"""
import hashlib
import os

import rigs
from cutproxy import Cut, CutProxy
from harness import Failed, Rig, main, wait_until
from wire import Wire

SIZE = 1_300_000
PIECE = 262_144
UP_CUTS = (900, PIECE // 2, PIECE + 700, 2 * PIECE + 1, 5000)
DOWN_CUTS = (600, 100_000, PIECE + 900, 3000)


def make_file(rig, name, size=SIZE):
    path = os.path.join(rig.folder, name)
    with open(path, "wb") as f:
        f.write(rig.random.randbytes(size))
    return path


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def queue_file(host, path, caption):
    """The cmid of the message, which is on the device's disk then."""
    at = host.mark_position()
    host.command(f"file {path} {caption}")
    return host.wait(lambda l: l["op"] == "state" and l["state"] == "uploading", start=at)[1]["cmid"]


def nudged(host, matches, start=0):
    """The first line that matches; until then the host is told again and again that its network is back."""
    def look():
        found = [line for line in host.read_lines()[start:] if matches(line)]
        if not found:
            host.command("network")
        return found
    return wait_until("the line of " + host.proc, look, 60, every_s=0.2)[0]


def sent(host, cmid):
    return nudged(host, lambda l: l["op"] == "send" and l["kind"] == "ok" and l.get("cmid") == cmid)


def received(host, cmid):
    return host.wait(lambda l: l["op"] == "deliver" and l.get("cmid") == cmid)[1]["files"][0]


def fetch(rig, host, file, name):
    """The line that ends the fetch, and the path."""
    path = os.path.join(rig.folder, name)
    host.command(f"fetch {file['id']} {file['size']} {file['sha256']} {path}")
    return nudged(host, lambda l: l["op"] == "fetched" and l.get("path") == path), path


def check_copy(rig, host, file, name, conv):
    line, path = fetch(rig, host, file, name)
    if line["kind"] != "info":
        raise Failed(f"{host.proc} could not fetch: {line.get('tag')}")
    rig.say(host.proc, "ok", "download", file=file["id"], sha256=digest(path))
    if os.path.exists(f"{path}.{file['id'][:8]}.part"):
        raise Failed("a part was left behind")


def note_upload(rig, host, file, path):
    if file["sha256"] != digest(path):
        raise Failed("the entry tells another hash than the file has")
    rig.say(host.proc, "ok", "upload", file=file["id"], sha256=digest(path), conv=host.who.conv)


def cut_upload(rig, phone, desk, proxy):
    """Its HTTP is cut at each of the places; still it is there, once, and a text written after it is before it."""
    cuts = list(UP_CUTS)
    path = make_file(rig, "cut.bin")
    proxy.plan = lambda index: Cut(up=cuts.pop(0)) if cuts else Cut()
    before = proxy.cuts
    cmid = queue_file(phone, path, "cut")
    rig.send(phone, "written while it goes up")
    place = sent(phone, cmid)["seq"]
    file = received(desk, cmid)
    note_upload(rig, phone, file, path)
    if proxy.cuts - before < 3:  # the server ends one or the other itself, when it tells the right offset
        raise Failed(f"only {proxy.cuts - before} connections were cut")
    with Wire(rig.server.port) as wire:
        wire.open_session(phone.who.token)
        log = wire.read_log(phone.who.conv)[0]
    texts = [e["seq"] for e in log if e.get("text") == "written while it goes up"]
    if len(texts) != 1 or texts[0] > place:
        raise Failed(f"the text stands at {texts}, the files at {place}")
    return file


def slow(proxy):
    proxy.plan = lambda index: Cut(delay_ms=40)
    proxy.arm(Cut(delay_ms=40))


def fast(proxy):
    proxy.plan = lambda index: Cut()
    proxy.arm(Cut())


def mid_upload(phone, cmid):
    """Until a part of the file is on the server, and no more."""
    line = nudged(phone, lambda l: l["op"] == "progress" and l["cmid"] == cmid and l["sent"] > 0)
    if line["sent"] >= line["total"]:
        raise Failed("it went up before anybody could be killed")
    return line["sent"]


def killed_phone(rig, phone, desk, proxy):
    path = make_file(rig, "killed-phone.bin")
    slow(proxy)
    cmid = queue_file(phone, path, "phone dies")
    have = mid_upload(phone, cmid)
    phone.kill()
    fast(proxy)
    phone.start()
    first = nudged(phone, lambda l: l["op"] == "progress" and l["cmid"] == cmid)
    if first["sent"] < have:
        raise Failed(f"{have} bytes were on the server, and it went on from {first['sent']}")
    sent(phone, cmid)
    file = received(desk, cmid)
    note_upload(rig, phone, file, path)
    return file


def killed_server(rig, phone, desk, proxy):
    path = make_file(rig, "killed-server.bin")
    slow(proxy)
    cmid = queue_file(phone, path, "server dies")
    have = mid_upload(phone, cmid)
    rig.server.kill()
    fast(proxy)
    at = len(phone.read_lines())
    rig.server.start()
    sent(phone, cmid)
    lower = [l["sent"] for l in phone.read_lines() if l["op"] == "progress" and l["cmid"] == cmid and l["sent"] < have]
    after = [l["sent"] for l in phone.read_lines()[at:] if l["op"] == "progress" and l["cmid"] == cmid]
    if lower and min(after, default=have) < have - PIECE:
        raise Failed(f"{have} bytes were told to be on disk, and it went on from {min(after)}")
    file = received(desk, cmid)
    note_upload(rig, phone, file, path)
    return file


def paused_and_cancelled(rig, phone, proxy):
    """A paused one waits while texts go on; a cancelled one never arrives."""
    path = make_file(rig, "cancelled.bin")
    slow(proxy)
    cmid = queue_file(phone, path, "never arrives")
    mid_upload(phone, cmid)
    phone.command(f"pause {cmid}")
    rig.send(phone, "while it is paused")
    phone.command(f"cancel {cmid}")
    nudged(phone, lambda l: l["op"] == "state" and l["cmid"] == cmid and l["state"] == "failed")
    fast(proxy)


def changed_file(rig, phone):
    path = make_file(rig, "changes.bin", 1000)
    phone.process.child.send_signal(19)  # SIGSTOP: it cannot look at the file meanwhile
    at = phone.mark_position()
    phone.command(f"file {path} changes")
    phone.process.child.send_signal(18)
    cmid = phone.wait(lambda l: l["op"] == "state" and l["state"] == "uploading", start=at)[1]["cmid"]
    sent(phone, cmid)
    phone.command(f"file {os.path.join(rig.folder, 'not-there')} x")
    phone.wait(lambda l: l["op"] == "upload" and l["kind"] == "fail")


def run():
    args = rigs.options(__doc__, 1, 10)
    with Rig("attachments", args.seed) as rig:
        rig.start_server()
        ann, bob, kim = rig.customer("ann"), rig.customer("bob"), rig.agent("Kim")
        with CutProxy(("127.0.0.1", rig.server.port)) as up, CutProxy(("127.0.0.1", rig.server.port)) as down:
            phone = rig.host("phone", ann, port=up.port)
            desk = rig.host("desk", kim, conv=ann.conv, port=down.port)
            stranger = rig.host("stranger", bob)
            for host in (phone, desk, stranger):
                host.wait_connected()
            files = []
            for _ in range(args.count):
                files.append(cut_upload(rig, phone, desk, up))
                files.append(killed_phone(rig, phone, desk, up))
                files.append(killed_server(rig, phone, desk, up))
                paused_and_cancelled(rig, phone, up)
                changed_file(rig, phone)
            cuts = list(DOWN_CUTS)
            down.plan = lambda index: Cut(down=cuts.pop(0)) if cuts else Cut()
            for number, file in enumerate(files):
                check_copy(rig, desk, file, f"desk-{number}", ann.conv)
                check_copy(rig, phone, file, f"phone-{number}", ann.conv)
            if cuts or not down.cuts:
                raise Failed(f"the downloads were cut {down.cuts} times")
            line, path = fetch(rig, stranger, files[0], "stolen")
            if line["kind"] != "fail" or os.path.exists(path):
                raise Failed("a stranger has the file")
            rig.heal()
            rig.finish("I1,I2,I3,I4,I5,I7,I8,I9,I12,I14,I15,I18,I21,I23,I25")
            print(f"attachments: {len(files)} files of {SIZE} bytes, {up.cuts} + {down.cuts} cuts, 0 violations")


main(run)
