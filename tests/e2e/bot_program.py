#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bot that is a program with a bot key: told its turns on its connection, or asking for them over HTTP; what it says is
said once. (What becomes of a turn that nobody answers: tests/unit/desk/test_bot_outside.c.)
"""
import json
import urllib.error
import urllib.request

import rigs
from bot_rig import BotRig, check, say
from harness import SLOW, main
from wire import Wire, WireError, new_cmid


def act(asked, *actions, **more):
    return {"cmid": new_cmid(), "conv": asked["conversation"]["id"], "turn": asked["turn"], "seq": asked["seq"],
            "actions": list(actions), **more}


def told(bot, conv, after=0):
    return bot.wait_event(lambda e: e["method"] == "bot.turn" and e["params"]["conversation"]["id"] == conv and
                          e["params"]["seq"] > after, 15 * SLOW)["params"]


def refused(wire, method, params):
    try:
        wire.call(method, params)
    except WireError as e:
        return e.tag
    return None


def it_is_told_and_answers(rig, bot):
    ann = rig.writer("ann")
    seq = ann.write("Hello")
    asked = told(bot, ann.conv)
    check("what", asked["seq"] == seq and asked["message"] == {"kind": "text", "text": "Hello"} and asked["deadline"] > 0)
    result = bot.call("bot.act", act(asked, say("Hi"), state="met", decision="answer", rule="greet"))
    ann.hears("Hi")
    check("the next turn's number", result["turn"] > asked["turn"] and result["seq"] == seq + 1)
    check("that turn is over", refused(bot, "bot.act", act(asked, say("Hi"))) == "not_owner")
    second = ann.write("And you?")
    asked = told(bot, ann.conv, seq)
    check("its state comes back", asked["state"] == "met" and asked["seq"] == second and asked["turn"] == result["turn"])
    bot.call("bot.act", act(asked))  # silence is an answer, too
    check("nothing waits", bot.call("bot.turns", {})["turns"] == [])
    check("nobody else is told", not any(e["method"] == "bot.turn" for e in rig.team.events + ann.wire.events))
    return asked


def it_comes_back_and_asks(rig, key):
    bea, cem = rig.writer("bea"), rig.writer("cem")
    bea.write("Hello")
    cem.write("Hello")
    with Wire(rig.server.port) as bot:
        bot.open_session(key)
        page = bot.call("bot.turns", {"limit": 1})
        check("a page", len(page["turns"]) == 1 and page["more"])
        for asked in bot.call("bot.turns", {})["turns"]:
            bot.call("bot.act", act(asked, say("Sorry, I was away.")))
    for writer in (bea, cem):
        writer.hears("Sorry, I was away.")
        check("once", len(writer.log()) == 2)


def over_http(rig, key, method, params):
    request = urllib.request.Request(f"http://127.0.0.1:{rig.server.port}/v1/{method}", json.dumps(params).encode(),
                                     {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def it_polls_over_http(rig, key):
    dan = rig.writer("dan")
    dan.write("Hello")
    _, answer = over_http(rig, key, "bot.turns", {})
    asked = answer["turns"][0]
    check("what waits", asked["conversation"]["id"] == dan.conv and asked["message"]["text"] == "Hello")
    params = act(asked, say("Over HTTP"))
    first, again = over_http(rig, key, "bot.act", params), over_http(rig, key, "bot.act", params)
    check("taken, a repeat is one", first[0] == 200 and first == again)
    check("a second is refused", over_http(rig, key, "bot.act", act(asked, say("x")))[0] == 409)
    dan.hears("Over HTTP")
    check("once", len(dan.log()) == 2)


def others_may_not(rig, key, other, asked):
    with Wire(rig.server.port) as wire:
        wire.open_session(other)
        check("another bot has no turns", wire.call("bot.turns", {})["turns"] == [])
        check("and may not take one", refused(wire, "bot.act", act(asked, say("x"))) == "not_owner")
    check("an agent neither", refused(rig.team, "bot.turns", {}) == "forbidden")
    ann = rig.writer("ann")
    check("nor a customer", refused(ann.wire, "bot.turns", {}) == "forbidden")
    with Wire(rig.server.port) as wire:
        wire.open_session(key)
        bad = {"call": act(asked, {"does": "call", "name": "x", "id": "1"}),
               "behind": act(asked, {"does": "close"}, say("x"))}
        for name, params in bad.items():
            ann.write("Hello " + name)
            now = told(wire, ann.conv, asked["seq"])
            params.update(turn=now["turn"], seq=now["seq"])
            check(f"{name} is refused", refused(wire, "bot.act", params) == "bad_request")
            wire.call("bot.act", act(now))
            asked = now


def a_person_is_faster(rig, bot):
    eve = rig.writer("eve")
    eve.write("Hello")
    asked = told(bot, eve.conv)
    eve.person_speaks("It is me")
    check("its turn is over", refused(bot, "bot.act", act(asked, say("late"))) == "not_owner")
    check("its words are dropped", eve.texts() == [("usr", "Hello"), ("agt", "It is me")])


def a_kill_in_the_middle_of_a_turn(rig, bot, key):
    kit = rig.writer("kit")
    kit.write("Hello")
    params = act(told(bot, kit.conv), say("once"))
    rig.server.kill()
    rig.server.start()
    kit.connect()
    rig.connect_team()
    with Wire(rig.server.port) as again:
        again.open_session(key)
        first = again.call("bot.act", params)
        check("its answer is taken", first["seq"] == 2)
        rig.server.kill()
    rig.server.start()
    kit.connect()
    rig.connect_team()
    with Wire(rig.server.port) as again:
        again.open_session(key)
        check("and known after the next kill", again.call("bot.act", params) == first)
        check("nothing waits", again.call("bot.turns", {})["turns"] == [])
    check("once", kit.texts() == [("usr", "Hello"), ("bot", "once")])


def it_hands_over(rig):
    una = rig.writer("una")
    una.write("Hello")
    with Wire(rig.server.port) as bot:
        bot.open_session(rig.key)
        asked = bot.call("bot.turns", {})["turns"][0]
        bot.call("bot.act", act(asked, {"does": "handoff", "handoff": {"why": "tired"}}))
    check("it said why", [h["why"] for h in una.goes_to_people()] == ["tired"])


def run():
    args = rigs.options(__doc__, 1, 1)
    with BotRig("bot-program", args.seed) as rig:
        rig.open({}, "--kind", "program")
        rig.key = rig.bot_key()["key"]
        other = json.loads(rig.key_of("Other").stdout)["key"]
        bot = Wire(rig.server.port)
        bot.open_session(rig.key)
        asked = it_is_told_and_answers(rig, bot)
        others_may_not(rig, rig.key, other, asked)
        a_person_is_faster(rig, bot)
        bot.close()
        it_comes_back_and_asks(rig, rig.key)
        it_polls_over_http(rig, rig.key)
        with Wire(rig.server.port) as bot:
            bot.open_session(rig.key)
            a_kill_in_the_middle_of_a_turn(rig, bot, rig.key)
        it_hands_over(rig)
        check("the server ends in order", rig.server.stop() == 0)
        rig.check_logs()
        print("bot-program: told, asked, answered")


main(run)
