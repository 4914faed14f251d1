#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The road of .bot files into a server, running or stopped, and back: what is pushed is checked and tested, what is
published speaks at once, what is rolled back speaks again; customers are served while a bot learns.
"""
import json
import os
import random
import threading
import time

import rigs
from bot_rig import BotRig, check
from harness import main, run_program

HOURS = """bot 1
lang en

faq hours
  ~ opening hours
  = {}

test "hours"
  user "opening hours" expect says "{}"
"""


class PushRig(BotRig):
    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def told(self, command, *args, timeout_s=60):
        """What a command that succeeds prints."""
        return run_program("deskbell", "bot", command, "--data", self.server.data, *args, timeout_s=timeout_s).stdout

    def refused(self, code, command, *args):
        """What one that is refused says."""
        done = run_program("deskbell", "bot", command, "--data", self.server.data, *args, check=False)
        check(f"bot {command} {args} ends with {code}, not {done.returncode}: {done.stderr}", done.returncode == code)
        return done.stderr

    def row(self):
        return json.loads(self.told("list", "--json"))["bots"][0]

    def push(self, *args, **more):
        return json.loads(self.told("push", "--json", *args, **more))


def the_newcomers_road(rig, shop):
    """The same words on a store that nobody serves and on a running server."""
    check("it says what to do", "deskbell bot add" in rig.refused(64, "push", shop))
    said = rig.told("add", "--name", "Helper")
    check("and what comes next", "bot push --publish" in said)
    check("one bot an app", "app" in rig.refused(65, "add"))
    said = rig.told("push", shop, "--publish")
    check("it was tested, and is live", "1 tests passed, 0 failed" in said and said.endswith("it is live\n"))
    row = rig.row()
    check("and listed", row["name"] == "Helper" and row["on"] and row["live"] in said)
    again = rig.push(shop)
    check("the same files are the same version", again["version"] == row["live"] and not again["is_new"])


def wrong_files_are_named_by_line(rig):
    wrong = rig.file("wrong/a.bot", "bot 1\nlang en\n\nfaq hours\n  ~ opening hours\n  oops\n")
    check("file and line", f"{wrong}:6:" in rig.refused(65, "push", wrong))
    unpassed = rig.file("wrong/b.bot", HOURS.format("We open at nine.", "eight"))
    check("a test that fails", "--anyway" in rig.refused(65, "push", unpassed))
    before = len(json.loads(rig.told("versions", "--json"))["versions"])
    drafted = rig.push(unpassed, "--anyway", "--label", "as it is")
    rows = json.loads(rig.told("versions", "--json"))["versions"]
    check("one more, a draft", len(rows) == before + 1 and rows[0]["state"] == "draft" and
          rows[0]["label"] == "as it is" and rows[0]["version"] == drafted["version"] and not drafted["published"])
    check("which version", "version" in rig.refused(65, "publish", "00000000"))
    check("which bot", "no bot \"Nobody\"" in rig.refused(64, "versions", "--bot", "Nobody"))


def what_is_published_speaks(rig, nine, ten):
    ann = rig.writer("ann")
    first = rig.row()["live"]
    ann.write("opening hours")
    ann.hears("At nine.")
    second = rig.push(ten, "--publish")["version"]
    ann.write("opening hours, please")
    ann.hears("At ten.")
    rig.told("rollback")
    row = rig.row()
    check("live is what was before", row["live"] == first and row["before"] == second)
    bea = rig.writer("bea")
    bea.write("opening hours")
    bea.hears("At nine.")
    check("a trial needs another version", "version" in rig.refused(65, "publish", first, "--share", "10"))
    rig.told("publish", second[:8], "--share", "99")
    row = rig.row()
    check("a trial", row["canary"] == second and row["canary_share"] == 99 and row["live"] == first)
    rig.told("rollback", "--trial")
    check("its end", "canary" not in rig.row() and rig.row()["live"] == first)
    check("what was pulled is what was pushed", rig.push(rig.file("pulled/a.bot", rig.told("pull")))["version"] == first)
    check("and by name, as JSON", json.loads(rig.told("pull", second[:12], "--json"))["lang"] == "en")
    return nine


def large_bots(rig):
    """What fits is taken by the socket, what does not is refused with the reason."""
    def of(characters, topics):
        text = "".join(f"faq t{i}\n  ~ word{i}\n  = {'x' * characters}\n\n" for i in range(topics))
        return "bot 1\nlang en\n\n" + text
    for part in range(8):
        rig.file(f"fits/p{part}.bot", of(3800, 240).replace("faq t", f"faq p{part}x").replace("word", f"w{part}x"))
        rig.file(f"large/p{part}.bot", of(3999, 249).replace("faq t", f"faq p{part}x").replace("word", f"w{part}x"))
    rig.file("large/more.bot", "bot 1\nlang en\n\nflow more\n  ~ more\n" + "".join(
        f"  say \"{'y' * 3900}\"\n" for _ in range(150)))
    rig.push(os.path.join(rig.folder, "fits"))
    check("the size is said", "8388608 bytes" in rig.refused(65, "push", os.path.join(rig.folder, "large")))


def customers_are_served_while_a_bot_learns(rig):
    draw = random.Random(7)
    words = ["".join(draw.choice("bcdfgklmnprst") + draw.choice("aeiou") for _ in range(3)) for _ in range(600)]
    text = "bot 1\nlang en\n"
    for topic in range(50):
        text += f"\nfaq t{topic}\n" + "".join(
            f"  ? {' '.join(draw.choice(words) for _ in range(8))} {topic}\n" for _ in range(16)) + f"  = Answer {topic}.\n"
    path, cem = rig.file("many/a.bot", text), rig.writer("cem")
    rig.told("set", "--off")
    done, took = threading.Event(), []

    def push():
        try:
            rig.push(path, timeout_s=120)
        finally:
            done.set()
    thread = threading.Thread(target=push)
    began = time.monotonic()
    thread.start()
    while not done.is_set():
        sent = time.monotonic()
        cem.write("hello")
        took.append(time.monotonic() - sent)
        done.wait(0.01)
    thread.join()
    whole = time.monotonic() - began
    check("it was learned", json.loads(rig.told("versions", "--json"))["versions"][0]["bytes"] > 10000)
    check(f"nobody waited for it: {max(took):.3f} of {whole:.3f} s, {len(took)} messages", max(took) < whole / 2)
    rig.told("set", "--on")


def run():
    args = rigs.options(__doc__, 1, 1)
    with PushRig("bot-push", args.seed) as rig:
        rig.writers = {}
        nine = rig.file("nine/hours.bot", HOURS.format("At nine.", "At nine."))
        ten = rig.file("ten/hours.bot", HOURS.format("At ten.", "At ten."))
        rig.start_server(env={"DESKBELL_WEBHOOK_ALLOW": "127.0.0.1"})
        check("the server ends in order", rig.server.stop() == 0)
        the_newcomers_road(rig, os.path.dirname(nine))
        wrong_files_are_named_by_line(rig)
        rig.told("remove", "Helper")
        rig.server.start()
        the_newcomers_road(rig, os.path.dirname(nine))
        wrong_files_are_named_by_line(rig)
        what_is_published_speaks(rig, nine, ten)
        large_bots(rig)
        customers_are_served_while_a_bot_learns(rig)
        check("the server ends in order", rig.server.stop() == 0)
        rig.check_logs()
        print("bot-push: checked, tested, published, rolled back")


main(run)
