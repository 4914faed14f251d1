#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What really happens between customers, a built-in bot and people is what `deskbell bot report` and `bot questions`
tell: answers, choices and which was taken, misses, the customer's word, a flow that ran to its end, the way to a person.
"""
import json
import os
import sqlite3

import rigs
from bot_rig import BotRig, check
from harness import SLOW, Failed, main, run_program

SHOP = """bot 1
lang en
faq opening
  ? When are you open?
  ? What are your opening hours?
  ? Are you open on Sundays?
  = From 9 to 18.
faq refund
  ? How do I get a refund?
  ? I want my money back
  ? Can I return what I bought?
  = Within 30 days.
flow gift
  ? I want to buy a gift card
  ask number as worth "How much?"
  say "It is on its way."
"""


def heard(writer, what, kind="text"):
    """The next entry of the bot of that kind."""
    def fits(event):
        entry = event["params"]
        return (event["method"] == "entry" and entry["conv"] == writer.conv and entry["kind"] == kind and
                entry["author"].startswith("bot") and entry.get("seq", 0) > writer.last)
    try:
        return writer.wire.wait_event(fits, 10 * SLOW)["params"]
    except TimeoutError as e:
        raise Failed(f"{what}: {writer.texts()}") from e


def tap(writer, entry, number):
    choice = entry["choices"][number]
    writer.write(choice["label"], pressed={"seq": entry["seq"], "id": choice["id"]})


def talk(rig):
    ann, bob, cid, dan = (rig.writer(name) for name in ("ann", "bob", "cid", "dan"))
    ann.write("When are you open?")
    tap(ann, heard(ann, "did it help?", "choices"), 0)
    heard(ann, "thanks")
    bob.write("how late are you open today")
    tap(bob, heard(bob, "which of these?", "choices"), 0)
    bob.hears("From 9 to 18.")
    cid.write("???")
    heard(cid, "say it in other words")
    cid.write("I want to talk to a person")
    cid.goes_to_people()
    cid.person_speaks("Hello, I am Kim.")
    dan.write("I want to buy a gift card")
    dan.hears("How much?")
    dan.write("50")
    dan.hears("It is on its way.")


def told(rig, command, *args):
    return json.loads(rig.bot(command, *args).stdout)


def run():
    args = rigs.options(__doc__, 1, 1)
    with BotRig("bot_happenings", args.seed) as rig:
        rig.open()
        path = os.path.join(rig.folder, "shop.bot")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SHOP)
        rig.bot("push", "--publish", path)
        talk(rig)
        report = told(rig, "report")
        outcomes = report["outcomes"]
        check(f"four episodes, one with a person: {outcomes}",
              outcomes["episodes"] == outcomes["conversations"] == 4 and outcomes["handed_off"] == 1 and
              outcomes["open"] == 3)
        check(f"what was asked: {report['coverage']}", report["coverage"] == {"answered": 2, "choices": 1, "missed": 1})
        check(f"the first choice: {report['choices']}", report["choices"]["offered"] == report["choices"]["first"] == 1)
        check(f"it helped: {report['helped']}", report["helped"] == 1 and report["not_helped"] == 0)
        waits = report["waits"]
        check(f"a person came: {waits}", waits["handed"] == waits["reached"] == 1 and 0 <= waits["median_ms"] < 60000)
        answers = {a["rule"]: a for a in report["answers"]}
        check(f"by answer: {answers}", answers["faq opening"]["shown"] == 2 and answers["faq opening"]["helped"] == 1 and
              [a["shown"] for r, a in answers.items() if r.endswith("gift")] == [1])
        found = told(rig, "questions")
        asked = {q["text"]: q for c in found["clusters"] for q in c["questions"]}
        check(f"questions: {found}", set(asked) == {"how late are you open today", "???"})
        check(f"nearest: {found}", asked["how late are you open today"]["nearest"][0] == "faq opening")
        shares = json.loads(run_program("deskbell", "report", "show", "bot_handed_off,bot_open,bot_confirmed", "--last", "3d", "--json",
                                        "--data", rig.server.data).stdout)["totals"]
        check(f"the reports say the same: {shares}", [(cell["n"], cell["value"]) for cell in shares] == [(4, 2500), (4, 7500), (4, 0)])
        run_program("deskbell", "report", "check", "--data", rig.server.data)
        rig.server.stop()
        rig.bot("settle", str(asked["???"]["id"]))
        check("the same without a server", told(rig, "report")["outcomes"] == outcomes and
              told(rig, "questions")["questions"] == 1)
        db = sqlite3.connect(os.path.join(rig.server.data, "deskbell.db"))
        kinds = [k for (k,) in db.execute("SELECT kind FROM bot_event WHERE rule LIKE '%gift' ORDER BY id")]
        db.close()
        check(f"a dialogue that ran to its end: {kinds}", kinds == [4, 9])
        print(f"bot_happenings: told as it was: {outcomes}")


if __name__ == "__main__":
    main(run)
