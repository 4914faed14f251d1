#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Surveys in `deskbell chat`: an agent solves a ticket, and within a second the customer is asked; he answers in a pipe,
by one key on a terminal, and offline with the program killed. What he says is stored once, as he said it; every other
device and the agent see it; a survey that is locked or was taken back takes nothing.
"""
import json
import os
import re
import sqlite3
import time

import rigs
from chat_rig import chat, end_input
from chat_screen import Terminal
from harness import Failed, Rig, main, run_program, wait_until
from wire import Wire

SURVEY = {
    "name": "After a ticket", "metric": "csat", "style": "stars", "on": ["solved"], "min_text": 0, "contact": True,
    "brand": "Lamps & Co", "lang": "en",
    "questions": [{"id": "why", "kind": "choices", "choices": ["slow", "rude"], "to_score": 3},
                  {"id": "easy", "kind": "scale", "min": 1, "max": 5, "required": True},
                  {"id": "again", "kind": "choice", "choices": ["yes", "no"], "from_score": 4}],
    "texts": [{"lang": "en", "question": "How did we do?", "low": "badly", "high": "well", "comment": "Anything else?",
               "contact": "Please contact me", "thanks": "Thank you for telling us",
               "questions": [{"id": "why", "text": "What was it?",
                              "choices": [{"id": "slow", "label": "Too slow"}, {"id": "rude", "label": "Unkind"}]},
                             {"id": "easy", "text": "How easy was it?", "low": "hard", "high": "easy"},
                             {"id": "again", "text": "Would you come again?",
                              "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]}]}],
}


def expect(claim, what):
    if not claim:
        raise Failed(what)


def follow(process):
    """Waits for lines one after the other; the match."""
    at = 0

    def until(pattern, timeout_s=20):
        nonlocal at
        try:
            at, line = process.wait_line(lambda row: re.search(pattern, row), timeout_s, at)
        except Failed as e:
            with process.turn:
                raise Failed(f"no line like {pattern!r} in: " + " / ".join(process.lines[at:][-12:])) from e
        at += 1
        return re.search(pattern, line)
    return until


def read_log(rig, who):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        return wire.read_log(who.conv)[0]


def ratings(rig, who):
    return [e["rated"] for e in read_log(rig, who) if e["kind"] == "rating"]


def survey_of(rig, who):
    return next(e["survey"] for e in read_log(rig, who) if e["kind"] == "survey")


def solve(rig, kim, who, name):
    """A ticket of `who` is taken, answered and solved; the chat of the agent, and when it was solved."""
    agent = chat(rig, name, "--agent-token", kim.token, "--conv", who.conv)
    sees = follow(agent)
    sees("my lamp is broken")
    agent.write("/take")
    sees(r"ticket #\d+ \w+, .*Kim")
    agent.write("It is repaired and on its way to you.")
    sees("on its way")
    agent.write("/solve")
    sees(r"ticket #\d+ solved")
    return agent, time.monotonic()


def in_a_pipe(rig, kim):
    """Asked within a second; the answer with a comment locks; the agent sees both."""
    ann = rig.customer("ann")
    customer = chat(rig, "ann", "--token", ann.token, "--key", "main")
    hears = follow(customer)
    customer.write("my lamp is broken")
    hears("me: my lamp is broken")
    agent, solved = solve(rig, kim, ann, "kim-ann")
    asked = hears(r"^#(\d+) Lamps & Co: How did we do\?")
    took = time.monotonic() - solved
    expect(took < 1.0, f"the customer was asked after {took:.2f} s")
    hears(r"1 ★☆☆☆☆ .*5 ★★★★★")
    hears("1 = badly, 5 = well")
    hears("/rate N answers")
    sees = follow(agent)  # the survey may have come before the word of the ticket
    sees(r"Lamps & Co: How did we do\?")
    sees("waits for an answer")
    customer.write("/rate 9")
    hears("that does not answer the survey")
    customer.write("/rate 2 It took too long")
    hears("me: ★★☆☆☆ It took too long")
    sees("★★☆☆☆ It took too long")
    customer.write("/rate 5")
    hears("cannot be changed any more")
    number = int(asked.group(1))
    expect(ratings(rig, ann) == [{"seq": number, "score": 2, "said": "It took too long"}], f"{ratings(rig, ann)}")
    shown = survey_of(rig, ann)
    expect((shown["state"], shown["score"], shown["said"], shown["locked"]) == ("answered", 2, "It took too long", True),
           f"a late reader reads {shown}")
    stored = json.loads(run_program("deskbell", "survey", "answers", "long", "--data", rig.server.data, "--json").stdout)
    expect("It took too long" in json.dumps(stored, ensure_ascii=False), f"the answer is not found: {stored}")
    expect(end_input(customer) == 75 and end_input(agent) == 0, "a chat did not end as it should")


def on_a_terminal(rig, kim):
    """One key, then the questions that fit the score; another device has it at once."""
    bob = rig.customer("bob")
    screen = Terminal(rig, "chat-bob", "--token", bob.token, "--key", "main")
    screen.wait("online")
    other = chat(rig, "bob-2", "--token", bob.token, "--key", "main")
    hears = follow(other)
    screen.write("my lamp is broken")
    hears("me: my lamp is broken")
    agent, _ = solve(rig, kim, bob, "kim-bob")
    screen.wait("press 1 to 5, or /rate N")
    screen.press("3")
    screen.wait("What was it?")
    hears("me: ★★★☆☆")
    screen.write("1 7")
    screen.wait("that does not answer it")
    screen.write("1 2")
    screen.wait("How easy was it?")
    screen.write("")
    screen.wait("please answer this one")
    screen.write("4")
    screen.wait("Please contact me (y = yes)")
    screen.write("y")
    screen.wait("Anything else?")
    screen.write("")
    screen.wait("Thank you for telling us")
    hears("Too slow, Unkind")
    wait_until("all is stored", lambda: len(ratings(rig, bob)) == 2)
    shown = survey_of(rig, bob)
    expect({a["question"]: a.get("chosen", a.get("number")) for a in shown["answers"]} ==
           {"why": ["slow", "rude"], "easy": 4}, f"answers: {shown['answers']}")
    expect(shown["score"] == 3 and shown["wants_contact"] and "said" not in shown, f"{shown}")
    screen.write("3 more lamps are broken")  # a digit begins a message again
    hears("me: 3 more lamps are broken")
    expect(screen.end() == 0 and end_input(other) == 0 and end_input(agent) == 0, "a chat did not end in order")


def count_queued(rig, name):
    folder = os.path.join(rig.folder, name)
    path = next(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".deskbell"))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute("SELECT count(*) FROM outbox WHERE state = 1").fetchone()[0]
    finally:
        db.close()


def offline_and_killed(rig, kim):
    """Answered with the server gone; the program is killed before the server comes back."""
    cho = rig.customer("cho")
    first = chat(rig, "cho", "--token", cho.token, "--key", "main")
    hears = follow(first)
    first.write("my lamp is broken")
    hears("me: my lamp is broken")
    agent, _ = solve(rig, kim, cho, "kim-cho")
    hears(r"How did we do\?")
    expect(end_input(agent) == 0, "the agent's chat did not end in order")
    rig.server.kill()
    wait_until("the loss is told", lambda: b"-- offline" in open(first.log_path, "rb").read())
    first.write("/rate 4")
    wait_until("it is queued", lambda: count_queued(rig, "chat-cho") == 1)
    first.kill()
    rig.server.start()
    again = chat(rig, "cho", "--token", cho.token, "--key", "main")
    expect(end_input(again) == 0, "what was queued is sent before the end")
    expect([r["score"] for r in ratings(rig, cho)] == [4], f"the answer is there once: {ratings(rig, cho)}")
    expect(survey_of(rig, cho)["state"] == "answered", "and counts")


def taken_back(rig, kim):
    """The customer writes again instead: the ticket is opened again, and nothing is asked any more."""
    dan = rig.customer("dan")
    customer = chat(rig, "dan", "--token", dan.token, "--key", "main")
    hears = follow(customer)
    customer.write("my lamp is broken")
    hears("me: my lamp is broken")
    agent, _ = solve(rig, kim, dan, "kim-dan")
    number = hears(r"^#(\d+) .*How did we do\?").group(1)
    customer.write("but it is still dark")
    hears(rf"survey #{number}: no longer asked")
    customer.write("/rate 4")
    hears("this survey is over")
    expect(ratings(rig, dan) == [], "nothing was taken")
    expect(survey_of(rig, dan)["state"] == "withdrawn", "it says so to who reads it late")
    expect(end_input(customer) == 75 and end_input(agent) == 0, "a chat did not end as it should")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("survey-chat", args.seed) as rig:
        rig.start_server()
        path = os.path.join(rig.folder, "survey.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SURVEY, f)
        run_program("deskbell", "survey", "add", "--file", path, "--data", rig.server.data)
        kim = rig.agent("Kim")
        in_a_pipe(rig, kim)
        on_a_terminal(rig, kim)
        offline_and_killed(rig, kim)
        taken_back(rig, kim)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("survey-chat: 4 asked, 3 answered, each once, 1 taken back")


main(run)
