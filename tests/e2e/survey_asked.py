#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The asking through the running server: solved, asked within a second, answered from two devices, searched, exported; a
back end asks for its own user over HTTP; an erasure takes the words, and a backup keeps what was asked.
"""
import json
import os
import time
import urllib.error
import urllib.request

import rigs  # noqa: F401
from harness import SLOW, Failed, Rig, main, run_program
from wire import Wire, WireError, new_cmid


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def refused(call, tag, what):
    try:
        call()
    except WireError as error:
        expect(error.tag, tag, what)
        return
    raise Failed(f"{what}: taken")


def deskbell(rig, *args):
    return run_program("deskbell", *args, "--data", rig.server.data)


def back_end(rig, key, method, params):
    """(status, answer) of an app key's call."""
    request = urllib.request.Request(f"http://127.0.0.1:{rig.server.port}/v1/{method}", json.dumps(params).encode(),
                                     {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def say(wire, conv, text):
    return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})["seq"]


def rate(wire, conv, seq, **what):
    return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "rating", "fallback_text": "*",
                                      "rated": {"seq": seq, **what}})


def move(agent, conv, to):
    ticket = agent.call("ticket.get", {"conv": conv})["ticket"]
    agent.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"], "to": to})
    return ticket["ticket"]


def is_survey(conv):
    def fits(event):
        return event["method"] == "entry" and event["params"]["conv"] == conv and event["params"]["kind"] == "survey"
    return fits


def entry(wire, conv, seq):
    return next(e for e in wire.read_log(conv)[0] if e.get("seq") == seq)


def rows_of(rig, which, *more):
    return json.loads(deskbell(rig, "survey", which, *more, "--json").stdout)["offers"]


def asked_in_the_chat(rig, ann, eve):
    """Within a second of the solving, on a connection that is open; two devices see one state."""
    with Wire(rig.server.port) as phone, Wire(rig.server.port) as desk, Wire(rig.server.port) as agent:
        for wire, who in ((phone, ann), (desk, ann), (agent, eve)):
            wire.open_session(who.token)
        say(phone, ann.conv, "where is my parcel?")
        say(agent, ann.conv, "it comes today")
        ticket, solved = move(agent, ann.conv, "solved"), time.monotonic()
        seq = phone.wait_event(is_survey(ann.conv), 10 * SLOW)["params"]["seq"]
        if time.monotonic() - solved > SLOW:
            raise Failed(f"asked {time.monotonic() - solved:.1f} s after it was solved")
        rate(phone, ann.conv, seq, score=2)
        rate(desk, ann.conv, seq, said="the courier was late, 배송이 늦었어요")
        refused(lambda: rate(phone, ann.conv, seq, score=5), "locked", "an answer after the comment")
        refused(lambda: rate(phone, ann.conv, seq + 1, score=5), "not_found", "an answer to something else")
        shown = entry(desk, ann.conv, seq)["survey"]
        expect((shown["state"], shown["score"], shown["locked"]), ("answered", 2, True), "what the message says")
        expect(agent.call("ticket.get", {"conv": ann.conv})["ticket"]["status"], "solved", "the ticket after an answer")
        brief = agent.call("ticket.get", {"ticket": ticket})["ticket"]["survey"]
        expect((brief["state"], brief["score"]), ("answered", 2), "the survey at the ticket")


def found(rig):
    for words in ("courier late", "배송", "couri"):
        answers = rows_of(rig, "answers", words)
        if len(answers) != 1 or "courier" not in answers[0]["comment"]:
            raise Failed(f"{words} does not find the comment: {answers}")


def asked_by_a_back_end(rig, key, bob, eve):
    with Wire(rig.server.port) as phone, Wire(rig.server.port) as agent:
        phone.open_session(bob.token)
        agent.open_session(eve.token)
        say(phone, bob.conv, "hello")
        call = {"cmid": new_cmid(), "act_as": "user:bob", "conv": bob.conv, "survey": "Recommends"}
        expect(back_end(rig, key, "survey.offer", call)[1]["state"], "refused", "asked before it is solved")
        move(agent, bob.conv, "solved")
        call["cmid"] = new_cmid()
        status, answer = back_end(rig, key, "survey.offer", call)
        expect((status, answer["state"]), (200, "waiting"), "asked by a back end")
        expect(back_end(rig, key, "survey.offer", call)[1], answer, "the same call again")
        expect(back_end(rig, key, "survey.offer", {**call, "cmid": new_cmid(), "act_as": "user:ann"})[0], 404,
               "asked in the conversation of another")
        expect(back_end(rig, key, "survey.offer", {"cmid": new_cmid(), "conv": bob.conv})[0], 400, "for nobody")
        rate(phone, bob.conv, answer["seq"], score=0)
        expect(entry(phone, bob.conv, answer["seq"])["survey"]["score"], 0, "zero is an answer")


def kept_and_taken(rig, ann):
    lines = [json.loads(line) for line in deskbell(rig, "export", "--user", "ann").stdout.splitlines()]
    rows = [line for line in lines if line["type"] == "survey"]
    expect([(row["state"], row["score"]) for row in rows], [("answered", 2)], "the export")
    copy = os.path.join(rig.folder, "copy")
    deskbell(rig, "backup", "--to", copy)
    deskbell(rig, "erase", "--customer", ann.principal, "--yes")
    for name in os.listdir(rig.server.data):
        path = os.path.join(rig.server.data, name)
        if name.endswith((".db", "-wal")) and b"courier" in open(path, "rb").read():
            raise Failed(f"the words are still in {name}")
    expect([row["score"] for row in rows_of(rig, "answers")], [0, 2], "scores after the erasure")


def run():
    with Rig("survey-asked") as rig:
        rig.start_server()
        rig.has_verdict = True
        deskbell(rig, "survey", "add", "--name", "How was it", "--min-text", "0")
        deskbell(rig, "survey", "add", "--name", "Recommends", "--metric", "nps", "--on", "none")
        key = json.loads(deskbell(rig, "key", "add", "--app-key", "--label", "shop", "--json").stdout)["key"]
        ann, bob, eve = rig.customer("ann"), rig.customer("bob"), rig.agent("Eve")
        asked_in_the_chat(rig, ann, eve)
        found(rig)
        asked_by_a_back_end(rig, key, bob, eve)
        kept_and_taken(rig, ann)
        print("survey-asked: asked within a second, answered, found, exported; a back end asks; an erasure leaves scores")


if __name__ == "__main__":
    main(run)
