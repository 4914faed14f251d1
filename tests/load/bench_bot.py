#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a bot costs: processor time of the server for a message that the bot answers, beside one that nobody answers; and
whether the messages of others wait longer while it answers.

    bench_bot.py [--messages 500] [--rounds 6] [--seconds 3]

A bot of 100 answers with 10 examples each, in made-up words. Numbers and ratios, no verdict. Environment: DESKBELL_BUILD.
"""
import argparse
import glob
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "e2e")]
from bot_rig import BotRig  # noqa: E402
from harness import main  # noqa: E402

ANSWERS, EXAMPLES, WORDS = 100, 10, 900


def write_bot(folder, chance):
    """The file; and questions that are none of its examples, each a mixture of two of one answer."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]
    words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(WORDS)]
    lines, questions = ["bot 1", "lang en"], []
    for number in range(ANSWERS):
        own = chance.sample(words, 12)
        examples = [" ".join(chance.sample(own, 4) + chance.sample(words, 2)) for _ in range(EXAMPLES)]
        lines += [f"faq a{number}", *(f"  ? {e}" for e in examples), f"  = Answer {number}.", "  helped? off"]
        questions += [" ".join(chance.sample(own, 4) + chance.sample(words, 2)) for _ in range(10)]
    path = os.path.join(folder, "many.bot")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path, questions


def used_ns(pid):
    """Processor time of all threads, and of the one in which the bot thinks."""
    used = thought = 0
    for path in glob.glob(f"/proc/{pid}/task/*"):
        try:
            with open(path + "/schedstat", encoding="ascii") as file:
                own = int(file.read().split()[0])
            with open(path + "/comm", encoding="ascii") as file:
                thought += own if file.read().strip() == "bot" else 0
            used += own
        except OSError:
            pass
    return used, thought


def at(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def cost(rig, questions, count, name, is_answered):
    """Microseconds of all threads, and of the bot's, for each message; one after the other, each when the last is answered."""
    writer, spent, pid = rig.writer(name), [], rig.server.process.child.pid
    for number in range(count):
        writer.wire.events.clear()
        before = used_ns(pid)
        seq = writer.write(questions[number % len(questions)])
        if is_answered:
            writer.wire.wait_event(lambda e, own=seq: e["method"] == "entry" and e["params"].get("seq", 0) > own, 20)
        spent.append([(now - then) / 1000 for now, then in zip(used_ns(pid), before)])
    return [sorted(figures) for figures in zip(*spent)]


def waits(rig, seconds):
    """How long the answers to a person's messages take, 100 of them a second."""
    writer, taken, end = rig.writer("other"), [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        writer.write("Is anybody there?")
        taken.append((time.monotonic() - began) * 1e6)
        writer.wire.events.clear()
        time.sleep(0.01)
    return taken


class Crowd:
    """Customers who keep the bot busy, 100 messages a second."""

    def __init__(self, rig, questions):
        self.over = threading.Event()
        self.writers = [rig.writer(f"crowd{n}") for n in range(4)]
        self.threads = [threading.Thread(target=self.run, args=(w, questions[n::4])) for n, w in enumerate(self.writers)]
        for thread in self.threads:
            thread.start()

    def run(self, writer, questions):
        number = 0
        while not self.over.wait(0.04):
            writer.write(questions[number % len(questions)])
            writer.wire.events.clear()
            number += 1

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def run():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3)
    said = parser.parse_args()
    with BotRig("bench-bot") as rig:
        rig.open({"DESKBELL_RATE_MESSAGES_PER_S": "100000", "DESKBELL_RATE_BURST": "100000"})
        path, questions = write_bot(rig.folder, random.Random(4))
        rig.bot("push", "--publish", path)
        rig.has_verdict = True  # there is no history to judge
        rig.writer("other").write("Hello")
        rig.writer("other").person_speaks("I am here")
        cost(rig, questions, 40, "warm", True)
        for name, is_answered in (("asks", True), ("talks", False)):
            if not is_answered:
                rig.bot("set", "--off")
            every, bot = cost(rig, questions, said.messages, name, is_answered)
            print(f"{'answered by the bot' if is_answered else 'answered by nobody':<20} CPU a message, us: all threads "
                  f"p50 {at(every, .5):.0f}, p99 {at(every, .99):.0f}; the bot's p50 {at(bot, .5):.0f}, p99 {at(bot, .99):.0f}")
        rig.bot("set", "--on")
        quiet, busy = [], []
        for _ in range(said.rounds):
            quiet += waits(rig, said.seconds)
            crowd = Crowd(rig, questions)
            busy += waits(rig, said.seconds)
            crowd.end()
        quiet.sort()
        busy.sort()
        for share in (.5, .99):
            print(f"others wait for their ack, p{round(share * 100)}: bot idle {at(quiet, share):.0f} us, bot busy "
                  f"{at(busy, share):.0f} us, ratio {at(busy, share) / at(quiet, share):.2f}")


if __name__ == "__main__":
    main(run)
