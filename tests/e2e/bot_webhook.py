#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bot that is a webhook, through the real server: asked once a turn, signed, under one id; what it answers is said once;
whatever it does wrong opens the conversation to people at once, and a person's word is the last one.
"""
import json
import socket
import time

import rigs
from bot_rig import BotRig, Gate, check, make_cert, say, turn
from harness import SLOW, main, wait_until
from webhook_sink import Sink, verify
from wire import Wire, WireError, new_cmid

TIMEOUT_MS = int(1000 * SLOW)
BAD = {"500": (500, b"no"), "404": (404, b"no"), "garbage": (200, b"hello"), "no object": (200, b"[1]"),
       "no actions": (200, b"{}"), "cut": (200, b'{"actions":['), "behind": (200, b'{"actions":[]} x'),
       "unknown member": (200, b'{"actions":[],"conv2":1}'), "another conversation": (200, b'{"conv":"cnv_1","actions":[]}'),
       "a kind that no bot has": (200, b'{"actions":[{"does":"message","kind":"edit","content":{"text":"x"}}]}'),
       "words behind a hand-off": turn({"does": "handoff", "handoff": {"why": "asked"}}, say("and then")),
       "a call": turn({"does": "call", "name": "x", "id": "1"}),
       "too long": (200, b'{"actions":[],"rule":"' + b"x" * 1000000 + b'"}'), "nothing": None}


def it_is_asked_and_answers(rig, sink):
    ann = rig.writer("ann")
    sink.replies["/bot"] = lambda request: turn(say("You said: " + request.json["message"]["text"], rule="faq echo", score=700),
                                                state="n=%d" % (int(request.json.get("state", "n=0")[2:]) + 1),
                                                decision="answer", rule="faq echo", lang="en")
    before = time.time()
    seq = ann.write("Hello")
    entry = ann.hears("You said: Hello")
    kept = next(e for e in rig.team.read_log(ann.conv)[0] if e["seq"] == entry["seq"])
    check("why it was said is kept", kept["bot"] == {"rule": "faq echo", "score": 700})
    asked = sink.of("/bot")[0]
    check("signed", verify(rig.made_bot["secret"], asked.headers, asked.body) is None)
    body = asked.json
    check("one id", asked.id == body["event_id"] and body["event_id"] == f"{ann.conv}-{body['turn']}")
    where = body["conversation"]
    check("where", where["id"] == ann.conv and where["key"] == "main" and where["app"] == rig.app)
    check("who", where["customer"]["id"] == ann.person.principal and where["customer"]["external_id"] == "ann")
    check("what is true", {"name": "open", "value": "true"} in where["customer"]["facts"])
    check("what", body["seq"] == seq and body["message"] == {"kind": "text", "text": "Hello"} and "state" not in body)
    check("until when", before * 1000 < body["deadline"] <= time.time() * 1000 + TIMEOUT_MS)
    ann.write("Again")
    ann.hears("You said: Again")
    again = sink.of("/bot")[1].json
    check("its state comes back", again["state"] == "n=1" and again["turn"] > body["turn"])
    check("each once", ann.texts() == [("usr", "Hello"), ("bot", "You said: Hello"), ("usr", "Again"),
                                       ("bot", "You said: Again")])


def a_tap_is_told(rig, sink):
    tia = rig.writer("tia")
    options = {"does": "message", "kind": "choices", "content": {
        "text": "Which?", "choices": [{"id": "a", "label": "Apples"}, {"id": "b", "label": "Pears"}], "fallback_text": "Which?"}}
    sink.replies["/bot"] = lambda _: turn(options, decision="choices")
    tia.write("Fruit?")
    offered = tia.hears("Which?")
    sink.replies["/bot"] = lambda request: turn(say("It is " + request.json["message"]["pressed"]["id"]))
    tia.write("Pears", pressed={"seq": offered["seq"], "id": "b"})
    tia.hears("It is b")


def it_hands_over(rig, sink):
    hal = rig.writer("hal")
    sink.replies["/bot"] = lambda _: turn(say("One moment."), {"does": "handoff", "handoff": {
        "why": "asked", "team": "billing", "carry": [{"name": "order", "value": "KR-1"}]}})
    hal.write("A person, please")
    hal.hears("One moment.")
    handoff = hal.goes_to_people()
    check("people know why", [h["why"] for h in handoff] == ["asked"] and handoff[0]["carry"][0]["value"] == "KR-1")
    count = len(sink.of("/bot"))
    hal.write("Hello?")
    hal.wire.call("feed.read", {"rev": 0})
    time.sleep(0.3 * SLOW)  # the promise is about what does not come
    check("it is not asked any more", len(sink.of("/bot")) == count)


def what_is_wrong_opens_to_people(rig, sink):
    for number, (name, said) in enumerate(BAD.items()):
        sink.replies["/bot"] = lambda _: turn(say("fine"))
        fine = rig.writer(f"fine-{number}")  # so that no three errors stand in a row
        fine.write("Hello")
        fine.hears("fine")
        sink.replies["/bot"] = lambda _, s=said: s
        writer = rig.writer(f"bad-{number}")
        writer.write("Hello")
        check(f"{name}: people know", [h["why"] for h in writer.goes_to_people()] == ["failed"])
        check(f"{name}: nothing was said", len(writer.log()) == 1)


def one_that_hangs_is_given_up(rig, sink):
    sink.replies["/bot"] = lambda _: turn(say("fine"))
    rig.writer("calm").write("Hello")
    rig.writer("calm").hears("fine")
    gate = sink.replies["/bot"] = Gate(turn(say("too late")))
    joe = rig.writer("joe")
    began = time.monotonic()
    joe.write("Hello")
    check("people have it", [h["why"] for h in joe.goes_to_people()] == ["failed"])
    took = time.monotonic() - began
    check(f"when its time is over, not before ({took:.1f} s)", 0.9 * TIMEOUT_MS / 1000 <= took < 6 * SLOW)
    gate.open.set()
    check("asked once", len(gate.ids) == 1 and len(joe.log()) == 1)


def act(asked, *actions, **more):
    return {"cmid": new_cmid(), "conv": asked["conversation"]["id"], "turn": asked["turn"], "seq": asked["seq"],
            "actions": list(actions), **more}


def refused(wire, params):
    try:
        wire.call("bot.act", params)
    except WireError as e:
        return e.tag
    return None


def a_promise_is_kept_later(rig, sink, key):
    sink.replies["/bot"] = lambda _: (202, b"")
    pia, max_ = rig.writer("pia"), rig.writer("max")
    count = len(sink.of("/bot"))
    pia.write("Think about it")
    max_.write("You too")
    check("both are asked", sink.wait(lambda: len(sink.of("/bot")) == count + 2, 10 * SLOW))
    asked = {r.json["conversation"]["id"]: r.json for r in sink.of("/bot")[count:]}
    time.sleep(1.5 * TIMEOUT_MS / 1000)  # the time of an answer is over, that of a promise is not
    check("it is the bot's still", pia.row()["owner"] == "bot")
    with Wire(rig.server.port) as bot:
        bot.open_session(key)
        waiting = bot.call("bot.turns", {})["turns"]
        check("bot.turns tells both", {t["event_id"] for t in waiting} == {a["event_id"] for a in asked.values()})
        told = {k: v for k, v in next(t for t in waiting if t["conversation"]["id"] == pia.conv).items()}
        posted = {k: v for k, v in asked[pia.conv].items() if k != "deadline"}
        check("and the same of each", told == posted)
        params = act(asked[pia.conv], say("I thought"))
        result = bot.call("bot.act", params)
        pia.hears("I thought")
        check("a repeat is one", bot.call("bot.act", params) == result)
        check("a second answer is none", refused(bot, act(asked[pia.conv], say("And"))) == "not_owner")
        max_.person_speaks("I am here myself")
        check("a person was faster", refused(bot, act(asked[max_.conv], say("late"))) == "not_owner")
        check("nothing waits", bot.call("bot.turns", {})["turns"] == [])
    check("once", [t for a, t in pia.texts() if a == "bot"] == ["I thought"])
    check("not a word", [a for a, _ in max_.texts()] == ["usr", "agt"])


def a_person_is_faster(rig, sink):
    gate = sink.replies["/bot"] = Gate(turn(say("too late")))
    eve = rig.writer("eve")
    eve.write("Is anybody there?")
    check("it thinks", sink.wait(lambda: gate.ids, 10 * SLOW))
    eve.person_speaks("I am")
    gate.open.set()
    sink.replies["/bot"] = lambda _: turn(say("fine"))
    rig.writer("calm").write("Hello again")
    wait_until("the bot goes on elsewhere", lambda: rig.writer("calm").texts()[-1] == ("bot", "fine"))
    check("its words are dropped", eve.texts() == [("usr", "Is anybody there?"), ("agt", "I am")])
    check("and nothing is noted", eve.goes_to_people() == [])


def the_circuit_opens(rig, sink):
    sink.replies["/bot"] = lambda _: (500, b"")
    for number in range(3):
        writer = rig.writer(f"down-{number}")
        writer.write("Hello")
        writer.goes_to_people()
    wait_until("the circuit is open", lambda: rig.metric("deskbell_bot_circuits_open") == 1)
    count, late = len(sink.of("/bot")), rig.writer("late")
    late.write("Hello")
    check("people have it", [h["why"] for h in late.goes_to_people()] == ["failed"])
    check("and nobody was asked", len(sink.of("/bot")) == count)
    sink.replies["/new"] = lambda _: turn(say("better"))
    rig.bot("set", "--url", sink.url("/new"))
    new = rig.writer("new")
    new.write("Hello")
    new.hears("better")
    check("another URL is another chance", rig.metric("deskbell_bot_circuits_open") == 0)


def a_kill_in_the_middle_of_a_turn(rig, sink):
    gate = sink.replies["/new"] = Gate(turn(say("once")))
    kit = rig.writer("kit")
    kit.write("Hello")
    check("it thinks", sink.wait(lambda: gate.ids, 10 * SLOW))
    rig.server.kill()
    gate.open.set()
    rig.server.start()
    check("it is asked again", sink.wait(lambda: len(gate.ids) == 2, 15 * SLOW))
    check("under the same id", len(set(gate.ids)) == 1)
    kit.connect()
    wait_until("it answers", lambda: kit.texts()[-1] == ("bot", "once"))
    kit.write("And?")
    wait_until("it goes on", lambda: kit.texts()[-1] == ("bot", "once") and len(kit.texts()) == 4)
    check("once a question", kit.texts() == [("usr", "Hello"), ("bot", "once"), ("usr", "And?"), ("bot", "once")])


def only_a_trusted_certificate_will_do(rig, good_cert):
    good, bad = Sink(good_cert), Sink(make_cert(rig, "bad"))
    for name, sink in (("tls-bad", bad), ("tls-good", good)):
        sink.replies["/tls"] = lambda _: turn(say("over TLS"))
        rig.bot("set", "--url", sink.url("/tls"))
        writer = rig.writer(name)
        writer.write("Hello")
        if sink is good:
            writer.hears("over TLS")
        else:
            check("people have it", [h["why"] for h in writer.goes_to_people()] == ["failed"])
    check("the other one heard nothing", not bad.of("/tls"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def run():
    args = rigs.options(__doc__, 1, 1)
    with BotRig("bot-webhook", args.seed) as rig:
        sink, rig.ops_port = Sink(), free_port()
        cert = make_cert(rig, "good")
        rig.open({"DESKBELL_OPS_LISTEN": f"127.0.0.1:{rig.ops_port}", "DESKBELL_WEBHOOK_CA": cert[0]}, "--kind", "webhook", "--url", sink.url("/bot"),
                 "--timeout-ms", str(TIMEOUT_MS))
        key = rig.bot_key()["key"]
        it_is_asked_and_answers(rig, sink)
        a_tap_is_told(rig, sink)
        it_hands_over(rig, sink)
        what_is_wrong_opens_to_people(rig, sink)
        one_that_hangs_is_given_up(rig, sink)
        a_promise_is_kept_later(rig, sink, key)
        a_person_is_faster(rig, sink)
        the_circuit_opens(rig, sink)
        only_a_trusted_certificate_will_do(rig, cert)
        rig.bot("set", "--url", sink.url("/new"))
        a_kill_in_the_middle_of_a_turn(rig, sink)
        check("turns are counted", rig.metric("deskbell_bot_turns_total") >= 2)
        check("the server ends in order", rig.server.stop() == 0)
        rig.check_logs()
        print(f"bot-webhook: {len(sink.requests)} turns asked")


main(run)
