#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The terminal client in pipes: a customer and an agent talk through `deskbell chat`, line by line; each text comes out
once at the other side, and what was written before the end of the input is sent before the program ends.
"""
import os

import rigs
from chat_rig import chat, end_input
from harness import Failed, Rig, main
from wire import Wire


def count_lines(process, text):
    with process.turn:
        return sum(text in line for line in process.lines)


def check_store_key(rig, ann):
    """With --store-key-file nothing said stands in the file, and another key is refused in words."""
    keys = {name: os.path.join(rig.folder, f"{name}.key") for name in ("good", "other", "short")}
    for name, path in keys.items():
        with open(path, "wb") as file:
            file.write(os.urandom(31 if name == "short" else 32))
    who = ("sealed", "--token", ann.token, "--key", "main", "--store-key-file")
    first = chat(rig, *who, keys["good"])
    first.write("the secret word is marmalade")
    if end_input(first) != 0:
        raise Failed("the chat with a key did not end in order")
    folder = os.path.join(rig.folder, "chat-sealed")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and b"marmalade" in open(path, "rb").read():
            raise Failed(f"{name} holds what was said")
    for name, words in (("other", "sealed under another key"), ("short", "is not a file of 32 bytes")):
        refused = chat(rig, *who, keys[name])
        with open(rig.logs[-1], encoding="utf-8") as log:
            is_said = end_input(refused) != 0 and words in log.read()
        if not is_said:
            raise Failed(f"the {name} key was not refused with words")
    again = chat(rig, *who, keys["good"])
    again.wait_line(lambda l: "marmalade" in l)
    if end_input(again) != 0:
        raise Failed("the right key did not open the file again")


def run():
    args = rigs.options(__doc__, 10, 200)
    with Rig("chat-pipe", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        customer = chat(rig, "ann", "--token", ann.token, "--key", "main")
        agent = chat(rig, "kim", "--agent-token", kim.token, "--conv", ann.conv)
        for n in range(args.count):
            customer.write(f"question <{n}>")
            agent.wait_line(lambda l, n=n: f"question <{n}>" in l)
            agent.write(f"answer <{n}>")
            customer.wait_line(lambda l, n=n: f"answer <{n}>" in l)
        for n in range(3):
            customer.write(f"last words <{n}>")
        codes = end_input(customer), end_input(agent)
        if codes != (0, 0):
            raise Failed(f"the chats ended with {codes}")
        with Wire(rig.server.port) as wire:
            wire.open_session(ann.token)
            texts = [e.get("text") for e in wire.read_log(ann.conv)[0]]
        wanted = [t for n in range(args.count) for t in (f"question <{n}>", f"answer <{n}>")]
        wanted += [f"last words <{n}>" for n in range(3)]
        if texts != wanted:
            raise Failed(f"the log is not what was said: {len(texts)} entries of {len(wanted)}")
        for n in range(args.count):
            if count_lines(agent, f"question <{n}>") != 1 or count_lines(customer, f"answer <{n}>") != 1:
                raise Failed(f"round {n} was not shown exactly once")
        check_store_key(rig, ann)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print(f"chat-pipe: {args.count} rounds, {len(texts)} messages, each shown once")


main(run)
