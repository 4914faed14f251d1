#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A built-in bot asks the shop's back end in the middle of a dialogue: signed, in its time, with bounds; when that fails
the dialogue goes on as its author wrote, and the customer never waits for long.
"""
import json
import os
import time

import rigs
from bot_rig import BotRig, Gate, check
from harness import SLOW, main, wait_until
from webhook_sink import Sink, verify

BOT = """bot 1
lang en

entity order_no match "[A-Z]{2}-?[0-9]{6,10}" example "KR-2041987"

flow order.status
  ? Where is my order?
  ? where is my parcel
  ? track my order
  ? order status
  ? has my order been sent
  ask order_no as order "What is your order number?"
  call orders.lookup id=$order into o timeout %dms else say "I cannot look that up now." then close
  say "It is $o.status."
  close

handoff default
  open say "Connecting you."
  closed say "Later."
"""
TIMEOUT_MS = int(1000 * SLOW)
BAD = {"500": (500, b"{}"), "404": (404, b"{}"), "garbage": (200, b"hello"), "no object": (200, b"[1]"), "nothing": None,
       "1 MB": (200, b'{"status":"' + b"x" * 1000000 + b'"}')}
CANNOT = "I cannot look that up now."


def ask(writer):
    writer.write("Where is my order?")
    writer.hears("What is your order number?")
    writer.write("KR-2041987")


def it_gets_its_answer(rig, sink):
    sink.replies["/shop"] = lambda _: (200, json.dumps({"status": "shipped"}).encode())
    ann = rig.writer("ann")
    ask(ann)
    ann.hears("It is shipped.")
    call = sink.of("/shop")[-1]
    check("signed", verify(rig.made_bot["secret"], call.headers, call.body) is None)
    check("what is called", call.json["call"] == "orders.lookup" and call.json["args"] == {"id": "KR-2041987"})
    where = call.json["conversation"]
    check("for whom", where["id"] == ann.conv and where["customer"]["external_id"] == "ann")
    check("under its id", call.id == call.json["event_id"] and call.id.startswith(ann.conv))


def what_fails_is_the_authors_matter(rig, sink):
    for name, said in BAD.items():
        sink.replies["/shop"] = lambda _, s=said: s
        writer = rig.writer("bad-" + name.replace(" ", "-"))
        ask(writer)
        writer.hears(CANNOT)
        check(f"{name}: once", [t for a, t in writer.texts() if a == "bot"].count(CANNOT) == 1)
        check(f"{name}: it is the bot's still", writer.row()["owner"] == "bot")
        sink.replies["/shop"] = lambda _: (200, b'{"status":"here"}')  # so that no three errors stand in a row
        ask(rig.writer("calm"))
        rig.writer("calm").hears("It is here.")


def one_that_hangs_is_given_up(rig, sink):
    gate = sink.replies["/shop"] = Gate((200, b'{"status":"late"}'))
    joe = rig.writer("joe")
    ask(joe)
    began = time.monotonic()
    joe.hears(CANNOT)
    took = time.monotonic() - began
    gate.open.set()
    check(f"when its time is over ({took:.1f} s)", 0.8 * TIMEOUT_MS / 1000 <= took < 6 * SLOW)
    check("called once", len(gate.ids) == 1)


def a_kill_during_a_call(rig, sink):
    gate = sink.replies["/shop"] = Gate((200, b'{"status":"packed"}'))
    kit = rig.writer("kit")
    ask(kit)
    check("it is called", sink.wait(lambda: gate.ids, 10 * SLOW))
    rig.server.kill()
    gate.open.set()
    rig.server.start()
    check("it is called again", sink.wait(lambda: len(gate.ids) == 2, 15 * SLOW))
    check("under the same id", len(set(gate.ids)) == 1)
    kit.connect()
    wait_until("the dialogue goes on", lambda: kit.texts()[-1] == ("bot", "It is packed."))
    check("once", [t for a, t in kit.texts() if a == "bot"] == ["What is your order number?", "It is packed."])


def without_a_back_end_it_fails_at_once(rig):
    rig.bot("set", "--url", "")
    liv = rig.writer("liv")
    ask(liv)
    liv.hears(CANNOT)


def run():
    args = rigs.options(__doc__, 1, 1)
    with BotRig("bot-calls", args.seed) as rig:
        sink = Sink()
        rig.open({}, "--url", sink.url("/shop"))
        path = os.path.join(rig.folder, "shop.bot")
        with open(path, "w", encoding="utf-8") as f:
            f.write(BOT % TIMEOUT_MS)
        rig.bot("push", "--publish", path)
        it_gets_its_answer(rig, sink)
        what_fails_is_the_authors_matter(rig, sink)
        one_that_hangs_is_given_up(rig, sink)
        a_kill_during_a_call(rig, sink)
        without_a_back_end_it_fails_at_once(rig)
        check("the server ends in order", rig.server.stop() == 0)
        rig.check_logs()
        print(f"bot-calls: {len(sink.requests)} calls")


main(run)
