#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server is killed again and again while customers ask its bot. Whatever was asked and acknowledged has one answer in
the end, the right one, in the order of the questions; a conversation in which a person spoke has none behind that.
"""
import os
import sys
import threading
import time

import rigs

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from bot_rig import BotRig  # noqa: E402  pylint: disable=wrong-import-position
from harness import Failed, main, wait_until  # noqa: E402  pylint: disable=wrong-import-position
from wire import Wire, WireClosed, WireError, new_cmid  # noqa: E402  pylint: disable=wrong-import-position

CUSTOMERS, TOPICS = 6, 20


def write_bot(folder):
    """`topic 7` is answered with `about 7`, by a pattern: the answer tells which question it is for."""
    lines = ["bot 1", "lang en"]
    for n in range(TOPICS):
        lines += [f"faq t{n}", f"  ~ topic{n}x", f"  = about {n}", "  helped? off"]
    path = os.path.join(folder, "topics.bot")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


class Asker:
    """A customer who repeats each question under its key until it is acknowledged, whatever becomes of the server."""

    def __init__(self, rig, name, offset):
        self.rig, self.person, self.at = rig, rig.customer(name), offset
        self.conv, self.asked, self.over = self.person.conv, [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        cmid = None
        while not self.over.is_set():
            try:
                with Wire(self.rig.server.port, timeout_s=5) as wire:
                    wire.open_session(self.person.token)
                    while not self.over.is_set():
                        cmid = cmid or new_cmid()
                        topic = self.at % TOPICS
                        wire.call("message.send", {"cmid": cmid, "conv": self.conv, "kind": "text",
                                                   "text": f"tell me about topic{topic}x"})
                        self.asked.append(topic)
                        wire.events.clear()
                        self.at, cmid = self.at + 1, None
                        time.sleep(0.01)
            except (OSError, WireClosed, WireError, TimeoutError):
                time.sleep(0.02)

    def log(self, wire):
        return wire.read_log(self.conv)[0]


def answers(entries):
    return [int(e["text"].split()[1]) for e in entries if e["author"].startswith("bot") and e["kind"] == "text"]


def questions(entries):
    return [int(e["text"].split("topic")[1][:-1]) for e in entries if e["author"].startswith("usr")]


def is_settled(rig, asker):
    with Wire(rig.server.port) as wire:
        wire.open_session(asker.person.token)
        entries = asker.log(wire)
        return len(answers(entries)) >= len(questions(entries))


def judge(rig, asker):
    with Wire(rig.server.port) as wire:
        wire.open_session(asker.person.token)
        entries = asker.log(wire)
    asked, answered = questions(entries), answers(entries)
    if asked[:len(asker.asked)] != asker.asked or len(asked) > len(asker.asked) + 1:
        raise Failed(f"{asker.conv}: acknowledged {len(asker.asked)} questions, the log has {len(asked)}")
    if answered != asked:
        raise Failed(f"{asker.conv}: asked {asked}, answered {answered}")
    return len(asked)


def run():
    args = rigs.options(__doc__, 6, 60)
    with BotRig("bot-kill", args.seed) as rig:
        rig.open()
        rig.bot("push", "--publish", write_bot(rig.folder))
        rig.has_verdict = True  # the logs are judged here
        askers = [Asker(rig, f"asker{n}", n * 3) for n in range(CUSTOMERS)]
        for asker in askers:
            asker.thread.start()
        for _ in range(args.count):
            time.sleep(rig.random.uniform(0.1, 0.7))
            rig.server.kill()
            rig.server.start()
        time.sleep(0.3)
        for asker in askers:
            asker.over.set()
        for asker in askers:
            asker.thread.join(30)
        rig.connect_team()
        for asker in askers:
            wait_until("everything asked is answered", lambda a=asker: is_settled(rig, a), 60)
        total = sum(judge(rig, asker) for asker in askers)
        print(f"bot-kill: {args.count} kills, {total} questions, each answered once and in order")


if __name__ == "__main__":
    main(run)
