#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Service recovery from end to end: a low score in the chat becomes within a second a case with an owner and deadlines,
who contacts the customer, gives something, resolves it; the customer is asked again, and the score after it is shown.
The tick opens one whatever the score. All of it is there after the server was killed, and in a person's export.
"""
import json
import re
import time

import rigs
from chat_rig import chat, end_input
from harness import Failed, Rig, main, run_program, wait_until
from wire import Wire, new_cmid

SURVEY = {"name": "After a ticket", "metric": "csat", "style": "stars", "on": ["solved"], "min_text": 0,
          "contact": True, "lang": "en",
          "texts": [{"lang": "en", "question": "How did we do?", "comment": "Anything else?",
                     "contact": "Please contact me", "thanks": "Thank you"}]}


def expect(claim, what):
    if not claim:
        raise Failed(what)


def follow(process):
    """Waits for lines one after the other; the match."""
    at = 0

    def until(pattern, timeout_s=20):
        nonlocal at
        try:
            found, line = process.wait_line(lambda row: re.search(pattern, row), timeout_s, at)
        except Failed as e:
            with process.turn:
                raise Failed(f"no line like {pattern!r} in: " + " / ".join(process.lines[at:][-12:])) from e
        at = found + 1
        return re.search(pattern, line)
    return until


class Desk:
    """The program on the data folder of the running server."""

    def __init__(self, data):
        self.data = data

    def __call__(self, *args, code=0):
        done = run_program("deskbell", *args, "--data", self.data, check=False)
        expect(done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stderr}")
        return done.stderr if code else done.stdout

    def lines(self, *args):
        return [json.loads(line) for line in self(*args, "--json").splitlines()]

    def case(self, case):
        return json.loads(self("recovery", "show", case, "--json"))


def solved_by(rig, agent, name):
    """A customer whose ticket that agent has answered and solved, and the number of the survey he was sent."""
    who = rig.customer(name)
    with Wire(rig.server.port) as customer, Wire(rig.server.port) as staff:
        customer.open_session(who.token)
        staff.open_session(agent.token)
        send(customer, who.conv, "my lamp is broken")
        send(staff, who.conv, "It is repaired and on its way.")
        ticket = ticket_of(staff, who.conv)
        staff.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"],
                                   "to": "solved"})
        seq = wait_until("a survey", lambda: next((e["seq"] for e in customer.read_log(who.conv)[0]
                                                   if e["kind"] == "survey"), None))
    return who, seq


def send(wire, conv, text):
    wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})


def ticket_of(wire, conv):
    for row in wire.call("ticket.list", {})["rows"]:
        if row["conv"] == conv:
            return row["ticket"]
    raise Failed("the conversation has no ticket")


def rate(rig, who, seq, **rated):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        wire.call("message.send", {"cmid": new_cmid(), "conv": who.conv, "kind": "rating",
                                   "rated": {"seq": seq, **rated}, "fallback_text": "rated"})


def a_low_score_becomes_a_case_that_is_worked_on(rig, desk, kim, mia):
    ann, seq = solved_by(rig, kim, "ann")
    manager = chat(rig, "mia", "--agent-token", mia.token, "--conv", ann.conv)
    sees = follow(manager)
    sees("on its way")
    customer = chat(rig, "ann", "--token", ann.token, "--key", "main")
    hears = follow(customer)
    hears("How did we do")
    rated = time.monotonic()
    customer.write("/rate 1 it arrived broken")
    sees(r"a recovery case is yours: contact the customer until \d{4}-")
    took = time.monotonic() - rated
    expect(took < 1.0, f"the case came after {took:.2f} s")
    row, = desk.lines("recovery", "list", "--open")
    expect(row["owner"] == mia.principal and row["rated"] == kim.principal, f"owned by {row.get('owner')}")
    expect(row["contact_due"] == row["opened"] + 24 * 3600000 and row["score_before"] == 1, f"the case is {row}")
    manager.write("/case")
    sees(r"case rec_\w+ open, .*csat 1 of 5, contact until")
    manager.write("I am sorry about that, a new one leaves today.")
    hears("a new one leaves today")
    wait_until("the message to count", lambda: desk.case(row["recovery"])["row"]["stage"] == "contacted")
    for line in ("/case action send a new lamp", "/case done 1", "/case cause product_defect",
                 "/case gave 1500 EUR voucher", "/case resolve recovered"):
        manager.write(line)
        sees(f"done: {line}")
    manager.write("/case cause delivery")
    sees("no open recovery case")
    expect(end_input(customer) == 0 and end_input(manager) == 75, "a chat did not end as it should")
    told = desk.case(row["recovery"])
    expect(told["row"]["outcome"] == "recovered" and told["row"]["in_time"], f"{told['row']}")
    expect(told["reasons"][0]["comment"] == "it arrived broken", f"{told['reasons']}")
    expect([line["what"] for line in told["log"]].count("compensation") == 1, f"{told['log']}")
    return ann, row["recovery"], seq


def the_customer_is_asked_again(rig, desk, ann, case, seq):
    def second():
        with Wire(rig.server.port) as wire:
            wire.open_session(ann.token)
            return next((e["seq"] for e in wire.read_log(ann.conv)[0] if e["kind"] == "survey" and e["seq"] > seq), None)
    again = wait_until("a second survey", second)
    rate(rig, ann, again, score=5)
    row = desk.case(case)["row"]
    expect((row["score_before"], row["score_after"], row["stage"]) == (1, 5, "resolved"), f"after it: {row}")
    total = json.loads(desk("recovery", "report", "--json"))["total"]
    expect((total["opened"], total["recovered"], total["before_permille"], total["after_permille"]) == (1, 1, 0, 1000),
           f"the report says {total}")
    expect("100.0%" in desk("recovery", "report"), "the table does not show it")
    expect([r["recovery"] for r in desk.lines("recovery", "list", "--cell", "recovered")] == [case], "the list behind it")


def the_tick_opens_one_with_five_stars(rig, desk, kim):
    bob, seq = solved_by(rig, kim, "bob")
    rate(rig, bob, seq, score=5, contact=True)
    row, = desk.lines("recovery", "list", "--open")
    expect(row["score_before"] == 5 and row["owner"] not in (None, kim.principal), f"the case is {row}")
    expect(desk.case(row["recovery"])["reasons"][0]["kind"] == "tick", "its reason")
    desk("recovery", "contact", row["recovery"], "--channel", "phone", "--note", "wanted to say thank you")
    desk("recovery", "action", row["recovery"], "call again", "--due", "2099-01-01")
    desk("recovery", "assign", row["recovery"], kim.principal, code=65)
    desk("recovery", "resolve", row["recovery"], "happy", code=65)
    rig.server.kill()
    rig.server.start()
    told = desk.case(row["recovery"])
    expect(told["row"]["stage"] == "contacted" and told["row"]["contacts"] == 1, f"after the kill: {told['row']}")
    shown = desk("recovery", "show", row["recovery"])
    expect("wanted to say thank you" in shown and "call again" in shown, f"shown: {shown}")
    return bob, row["recovery"]


def erasure_takes_the_words_and_leaves_the_numbers(desk, bob, case):
    exported = desk("export", "--customer", bob.principal, "--with-notes")
    expect('"type":"recovery"' in exported and "wanted to say thank you" in exported, "the export has no case")
    desk("erase", "--customer", bob.principal, "--yes")
    told = desk.case(case)
    expect("thank you" not in json.dumps(told) and told["row"]["contacts"] == 1, f"left: {told}")
    expect(told["row"]["stage"] == "resolved" and told["row"]["outcome"] == "unreachable", f"{told['row']}")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("recovery", args.seed) as rig:
        rig.start_server()
        desk = Desk(rig.server.data)
        path = rig.server.data + ".survey.json"
        with open(path, "w", encoding="utf-8") as out:
            json.dump(SURVEY, out)
        desk("survey", "add", "--file", path)
        kim, mia = rig.agent("Kim"), rig.agent("Mia")
        desk("agent", "set", mia.principal, "--role", "admin")
        with Wire(rig.server.port) as wire:
            wire.open_session(mia.token)
            wire.call("recovery.settings_set", {"cmid": new_cmid(), "settings": {"resurvey_ms": 1000}})
        ann, case, seq = a_low_score_becomes_a_case_that_is_worked_on(rig, desk, kim, mia)
        the_customer_is_asked_again(rig, desk, ann, case, seq)
        bob, second = the_tick_opens_one_with_five_stars(rig, desk, kim)
        erasure_takes_the_words_and_leaves_the_numbers(desk, bob, second)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("low score, owner within a second, contact, recovered, asked again; tick; kill; erasure")


main(run)
