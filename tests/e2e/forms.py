#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forms through the real server: a bot and an agent ask, a customer answers through `deskbell chat`, in a pipe and on a
terminal. What was filled in arrives typed and once, also when it was written offline and the program was killed; what
does not fit is said to the customer and never sent.
"""
import json
import os
import re
import sqlite3

import rigs
from chat_rig import chat, end_input
from chat_screen import Terminal
from harness import Failed, Rig, main, run_program, wait_until
from wire import Wire, new_cmid

FORM = [{"id": "name", "label": "Your name", "input": "text", "required": True},
        {"id": "mail", "label": "E-mail", "input": "email"},
        {"id": "born", "label": "Born", "input": "date", "required": True}]


def expect(claim, what):
    if not claim:
        raise Failed(what)


def ask(rig, token, conv, fallback, form=None):
    """Its seq."""
    with Wire(rig.server.port) as wire:
        wire.open_session(token)
        return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "form", "fallback_text": fallback,
                                          "form": form or FORM})["seq"]


def read_log(rig, ann):
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        return wire.read_log(ann.conv)[0]


def answers(rig, ann):
    """(what `filled` has, the text) of each, in the order of the log."""
    return [(e["filled"], e["text"]) for e in read_log(rig, ann) if "filled" in e]


def values(**given):
    return [{"id": name, "value": value} for name, value in given.items()]


def piped(rig, ann, bot):
    """FIELD=VALUE in a pipe, from a device that has never been here; then what does not fit."""
    form = ask(rig, bot, ann.conv, "Who are you?")
    first = chat(rig, "ann", "--token", ann.token, "--key", "main")
    first.write('/fill name="Ann Lee" born=1990-02-28')
    expect(end_input(first) == 0, "the chat ended in order")
    expect(answers(rig, ann) == [({"seq": form, "values": values(name="Ann Lee", born="1990-02-28")},
                                  "Your name: Ann Lee\nBorn: 1990-02-28")], f"the answer is typed: {answers(rig, ann)}")
    second = chat(rig, "ann", "--token", ann.token, "--key", "main")
    for line, said in ((f"/fill {form} name=Ann", "born does not fit"),
                       (f"/fill {form} name=Ann born=1990-02-30", "born does not fit"),
                       (f"/fill {form} name=Ann born=1990-02-28 mail=nowhere", "mail does not fit"),
                       (f"/fill {form} name=Ann town=Ulm", "no field town"),
                       (f"/fill {form} name=\"Ann", "usage: /fill"),
                       (f"/fill {form + 1} name=Ann", "no such form"),
                       ("/fill name=Ann", "no such form")):  # the only one is answered
        with second.turn:
            start = len(second.lines)
        second.write(line)
        second.wait_line(lambda l, said=said: said in l, start=start)
    with second.turn:
        start = len(second.lines)
    second.write(f"/fill {form}")
    for said in ("name=... Your name (needed)", "mail=... E-mail (an e-mail address)",
                 "born=... Born (a date, YYYY-MM-DD; needed)"):
        second.wait_line(lambda l, said=said: said in l, start=start)
    expect(end_input(second) == 75, "what failed in a pipe is told by the exit code")
    expect(len(answers(rig, ann)) == 1, "nothing that does not fit was sent")


def offline_and_killed(rig, ann, bot):
    """Filled in with the server gone; the program is killed before the server comes back."""
    form = ask(rig, bot, ann.conv, "Once more, please")
    first = chat(rig, "ann", "--token", ann.token, "--key", "main")
    first.wait_line(lambda l: "Once more, please" in l)
    rig.server.kill()
    wait_until("the loss is told", lambda: b"-- offline" in open(first.log_path, "rb").read())
    before = count_queued(rig)
    first.write(f"/fill {form} name=Ann born=1990-02-28")
    wait_until("it is queued", lambda: count_queued(rig) > before)
    first.kill()
    rig.server.start()
    again = chat(rig, "ann", "--token", ann.token, "--key", "main")
    expect(end_input(again) == 0, "what was queued is sent before the end")
    expect([a[0]["seq"] for a in answers(rig, ann)].count(form) == 1, "the answer is there once")


def count_queued(rig):
    """What the chat's file holds in its outbox, looked at from outside."""
    folder = os.path.join(rig.folder, "chat-ann")
    path = next(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".deskbell"))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute("SELECT count(*) FROM outbox").fetchone()[0]
    finally:
        db.close()


def on_a_terminal(rig, ann, kim):
    """Field by field: what does not fit is asked for again, an empty line leaves out what may be left out."""
    form = ask(rig, kim.token, ann.conv, "Your details, please")
    before = len(answers(rig, ann))
    screen = Terminal(rig, "chat-screen", "--token", ann.token, "--key", "main")
    screen.wait(f"/fill {form} answers")
    screen.write("/fill")
    screen.wait("Your name (needed):")
    screen.write("")
    screen.wait("this has to be filled in")
    screen.write("Ann = Lee")
    screen.wait("E-mail (an e-mail address):")
    screen.write("")
    screen.wait("Born (a date, YYYY-MM-DD; needed):")
    screen.write("yesterday")
    screen.wait("that is not what is asked for")
    screen.write("1990-02-28")
    screen.wait("Your name: Ann = Lee")
    wait_until("it arrived", lambda: len(answers(rig, ann)) > before)
    expect(answers(rig, ann)[-1][0] == {"seq": form, "values": values(name="Ann = Lee", born="1990-02-28")},
           f"as it was typed: {answers(rig, ann)[-1]}")
    screen.write("/fill")
    screen.wait("no such form")
    screen.write(f"/fill {form}")
    screen.wait("Your name (needed):")
    screen.write("/cancel")
    screen.wait("the form is given up")
    screen.write("a plain word")
    wait_until("texts go out as texts again", lambda: read_log(rig, ann)[-1].get("text") == "a plain word")
    expect(screen.end() == 0, "the chat ended in order")
    expect(len(answers(rig, ann)) == before + 1, "a form that was given up leaves nothing")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("forms", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        bot = json.loads(run_program("deskbell", "key", "add", "--data", rig.server.data, "--app", rig.app, "--bot", "Helper",
                                     "--json").stdout)["key"]
        piped(rig, ann, bot)
        offline_and_killed(rig, ann, bot)
        on_a_terminal(rig, ann, kim)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("forms: 3 asked, 3 answered, each once")


main(run)
