#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Five devices of one user, each on a network of its own that cuts, stalls, delays and goes away; two agents; three
conversations. Applications are killed, hidden, notified; the server is killed too. Texts, edits, erasures, marks and
files are written all the while.

Then everything heals, and: the history holds what the delivery contract promises; each cache, read without a network,
is the server's log; marks and unread counts are the same everywhere; every file reads as it was written.
"""
import os
import time

import rigs
from devices import KEYS, Desk, Device
from harness import SANITIZE, Failed, PythonHost, Rig, SdkHost, main, wait_until
from filing import sha256
from wire import Wire

PROMISES = "I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I13,I18,I21,I22,I23,I25"
SERVER_DIES_EACH = 40   # rounds
FETCHES = 3             # files that each device fetches at the end
MARKS = ("customer_recv", "customer_read", "staff_recv", "staff_read")


def furnish(rig):
    ann = rig.customer("ann")
    for key in KEYS.split(",")[1:]:
        rig.more_conversation(ann, key)
    python = SdkHost if SANITIZE else PythonHost  # a library made for a sanitizer wants its run time first
    kinds = [SdkHost, SdkHost, SdkHost, SdkHost, python]
    rig.devices = [Device(rig, f"device-{n}", ann, kind) for n, kind in enumerate(kinds, 1)]
    desks = [Desk(rig, name.lower(), rig.agent(name), ann.convs) for name in ("Kim", "Lee")]
    for who in [*rig.devices, *desks]:
        who.host.wait_connected()
    return ann, desks


def one_round(rig, desks, number):
    for device in rig.devices:
        if rig.random.random() < 0.7:
            device.act()
    for desk in desks:
        if rig.random.random() < 0.3:
            desk.act()
    time.sleep(rig.random.random() * 0.15)  # spreads what happens over what is under way
    if number % SERVER_DIES_EACH == SERVER_DIES_EACH - 1:
        rig.server.kill()
        time.sleep(rig.random.random() * 0.3)
        rig.server.start()


def server_rows(rig, ann):
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        return {row["conv"]: row for row in wire.read_feed()}


def look_of(host):
    at = host.mark_position()
    host.command("look")
    return host.wait(lambda l: l["op"] == "look", 20, at)[1]


def everybody_shows_the_same(rig, ann):
    """Marks are told at most once a second, so they may take a moment; after that all five agree with the server."""
    def differs():
        rows = server_rows(rig, ann)
        unread = sum(row["unread"] for row in rows.values())
        for device in rig.devices:
            look = look_of(device.host)
            shown = {row["conv"]: row for row in look["rows"]}
            if (look["queued"], look["unread"]) != (0, unread):
                return f"{device.proc} counts {look['unread']} unread, {look['queued']} queued; the server {unread}"
            for conv, row in rows.items():
                told = {name: shown[conv][name] for name in MARKS}
                if told != row["marks"] or shown[conv]["unread"] != row["unread"]:
                    return f"{device.proc} shows {shown[conv]}, the server {row['marks']} {row['unread']}"
        return None
    last = []
    try:
        wait_until("all devices show the same", lambda: not last.append(differs()) and last[-1] is None, 15, 0.2)
    except Failed as e:
        raise Failed(f"{e}: {last[-1]}") from e


def files_read_as_written(rig, ann):
    """Devices fetch files that others wrote. Who wrote a file knows its hash from its own disk."""
    written = {}
    for name in os.listdir(rig.folder):
        if name.endswith(".bin"):
            with open(os.path.join(rig.folder, name), "rb") as file:
                written[sha256(file.read())] = name
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        files = {f["file"]: (f, conv) for conv in ann.convs for e in wire.read_log(conv)[0]
                 for f in e.get("files", []) if e["kind"] == "attachment"}
    for name, (info, conv) in files.items():
        if info["sha256"] not in written:
            raise Failed(f"nobody wrote the file {name} of {conv}")
        rig.say("rig", "ok", "upload", file=name, sha256=info["sha256"], conv=conv)
    for device in rig.devices:
        for name in rig.random.sample(sorted(files), min(FETCHES, len(files))):
            path = os.path.join(rig.folder, f"{device.proc}.{name}")
            info, at = files[name][0], device.host.mark_position()
            device.host.command(f"fetch {name} {info['size']} {info['sha256']} {path}")
            _, line = device.host.wait(lambda l: l["op"] == "fetched", 40, at)
            if line["kind"] != "info":
                raise Failed(f"{device.proc} could not fetch {name}: {line.get('tag')}")
            with open(path, "rb") as file:
                rig.say(device.proc, "ok", "download", file=name, sha256=sha256(file.read()))
    return len(files)


def caches_are_the_log(rig, hosts):
    """Without a network each device reads its own cache; the checker compares the logs."""
    for host in hosts:
        at = host.mark_position()
        host.command("offline")
        host.wait(lambda l: l["op"] == "disconnect", 20, at)
        for number, conv in enumerate(host.follows):
            logs = ("cache", "cache team") if host.conv else ("cache",)
            for command in logs:
                at = host.mark_position()
                host.command(f"in {number}")
                host.command(command)
                _, line = host.wait(lambda l: l["op"] in ("final", "dump"), 20, at)
                if line["op"] != "final":
                    raise Failed(f"{host.proc} does not have {conv} in its cache: {line.get('tag')}")


def run():
    args = rigs.options(__doc__, 150, 5000)
    with Rig("five-devices", args.seed) as rig:
        rig.start_server(env={"DESKBELL_ATTACHMENTS_PER_DAY": "1000000"})
        ann, desks = furnish(rig)
        began = time.monotonic()
        for number in range(args.count):
            one_round(rig, desks, number)
        chaos_s = time.monotonic() - began
        for device in rig.devices:
            device.heal()
        rig.heal()
        healed = time.monotonic()
        rig.settle()
        quiet_s = time.monotonic() - healed
        everybody_shows_the_same(rig, ann)
        files = files_read_as_written(rig, ann)
        caches_are_the_log(rig, [d.host for d in rig.devices] + [d.host for d in desks])
        rig.finish_settled(PROMISES)
        cuts, stalls, deaths = (sum(of(d) for d in rig.devices) for of in (
            lambda d: d.network.cuts, lambda d: d.stalls, lambda d: d.host.runs - 1))
        print(f"five-devices: {args.count} rounds in {chaos_s:.0f} s, {rig.sent} texts, {files} files, {cuts} "
              f"connections cut, {stalls} stalled, {deaths} applications and {rig.server.runs - 1} servers killed; "
              f"quiet {quiet_s:.1f} s after healing")


main(run)
