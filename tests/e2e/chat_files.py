#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files and search in the terminal client, in pipes: /attach before there is a connection, the short number, /save with
a name that tries to leave the folder, /find, and an agent who is told of a customer who waits.
"""
import hashlib
import os
import re

import rigs
from chat_rig import chat, end_input
from harness import Failed, Rig, main


def make_file(folder, name, size):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(os.urandom(size))
    return path


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def file_line(process, name):
    _, line = process.wait_line(lambda l: re.search(r"\[file \d+: " + re.escape(name), l) is not None)
    return int(re.search(r"\[file (\d+):", line).group(1)), line


def run():
    rigs.options(__doc__, 1, 1)
    with Rig("chat-files", None) as rig:
        rig.start_server()
        ann, bob, kim = rig.customer("ann"), rig.customer("bob"), rig.agent("Kim")
        path = make_file(rig.folder, "holiday photo.bin", 700_000)
        into = os.path.join(rig.folder, "saved")
        os.mkdir(into)
        customer = chat(rig, "ann", "--token", ann.token, "--key", "main")
        customer.write(f'/attach "{path}" the broken lamp')
        agent = chat(rig, "kim", "--agent-token", kim.token, "--conv", ann.conv)
        number, line = file_line(agent, "holiday photo.bin")
        if "the broken lamp" not in line or "700.0 kB" not in line or "application/octet-stream" not in line:
            raise Failed(f"the agent reads {line}")
        customer.wait_line(lambda l: "uploaded file 1 of 1, 700000 bytes" in l)
        agent.write(f"/save {number} {into}")
        agent.wait_line(lambda l: "saved to" in l)
        agent.write(f"/save {number} {into}")
        agent.wait_line(lambda l: "saved to" in l and "holiday photo-1.bin" in l)
        saved = sorted(os.listdir(into))
        if saved != ["holiday photo-1.bin", "holiday photo.bin"] or any(
                digest(os.path.join(into, name)) != digest(path) for name in saved):
            raise Failed(f"saved: {saved}")
        other = chat(rig, "bob", "--token", bob.token, "--key", "main")
        other.write("is anybody there?")
        agent.wait_line(lambda l: bob.conv in l and "is anybody there?" in l)
        customer.write("/attach /nowhere/at/all")
        customer.wait_line(lambda l: "no such file" in l)
        found = chat(rig, "bob-finds", "--token", bob.token, "--key", "main")
        found.write("/find lamp")
        found.wait_line(lambda l: "nothing was found" in l)
        agent.write("/find lamp")
        at, _ = agent.wait_line(lambda l: "lamp" in l and ann.conv in l and "#1" in l)
        agent.write("/save 9")
        agent.wait_line(lambda l: "no file of that number" in l, start=at)
        codes = [end_input(p) for p in (other, found)]
        if codes != [0, 0]:
            raise Failed(f"the chats ended with {codes}")
        if (end_input(customer), end_input(agent)) != (75, 75):
            raise Failed("a failed command did not show in the exit code")
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("chat-files: attached, saved twice, found, all as it should be")


main(run)
