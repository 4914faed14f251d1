#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers on the device, through the real server, the published bot and `deskbell chat`: the version comes with a
session, answers while the server is gone, and what it said is taken back when the server's bot has answered. The log
holds each question once and nothing of what the device said; what the operator takes back is used no more.
"""
import os
import sqlite3

import rigs
from chat_rig import chat, end_input
from harness import Failed, Rig, main, run_program, wait_until
from wire import Wire

BOT = """bot 1
lang en
faq opening
  ? When are you open?
  ? What are your opening hours?
  ? At what time do you close?
  = Monday to Friday, 9 to 6.
  helped? off
faq wait
  ? How long do I have to wait?
  = About $wait.
handoff default
  team support
  open say "I connect you to a person."
  closed say "Nobody is here now." then ticket
"""
HERE = "-- answered on this device, without a connection: "
GONE = "-- no longer answered on this device, without a connection: "
ANSWER = "Monday to Friday, 9 to 6."


def expect(claim, what):
    if not claim:
        raise Failed(what)


def bot(rig, *args):
    return run_program("deskbell", "bot", args[0], "--data", rig.server.data, *args[1:])


def has_version(rig):
    """The record of what was fetched begins with the version that is whole."""
    return any(any(row[0][:32]) for row in look(rig, "SELECT value FROM meta WHERE name = 'answers'"))


def look(rig, query):
    """What the chat's file says, looked at from outside."""
    folder = os.path.join(rig.folder, "chat-ann")
    found = [n for n in os.listdir(folder) if n.endswith(".deskbell")] if os.path.isdir(folder) else []
    if not found:
        return []
    db = sqlite3.connect(f"file:{os.path.join(folder, found[0])}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []  # it is being made
    finally:
        db.close()


def read_log(rig, ann):
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        return wire.read_log(ann.conv)[0]


def texts(rig, ann, who):
    return [e["text"] for e in read_log(rig, ann) if e["author"].startswith(who) and "text" in e]


def loses_the_server(rig, talk):
    before = os.path.getsize(talk.log_path)
    rig.server.kill()

    def is_told():
        with open(talk.log_path, "rb") as f:
            f.seek(before)
            return b"-- offline" in f.read()
    wait_until("the loss is told", is_told)


def answered_offline_and_taken_back(rig, ann):
    talk = chat(rig, "ann", "--token", ann.token, "--key", "main")
    wait_until("the version is on the device", lambda: has_version(rig))
    loses_the_server(rig, talk)
    talk.write("When are you open?")
    talk.wait_line(lambda l: l == HERE + ANSWER)
    talk.write("How long do I have to wait?")  # only the server knows
    talk.write("I want to talk to a person")
    wait_until("all three wait", lambda: look(rig, "SELECT count(*) FROM outbox WHERE state = 1") == [(3,)])
    talk.kill()
    again = chat(rig, "ann", "--token", ann.token, "--key", "main")
    again.wait_line(lambda l: l == HERE + ANSWER)  # it was kept
    expect(not any("About" in line or "connect you" in line for line in again.lines), "nothing else was answered here")
    rig.server.start()
    again.wait_line(lambda l: l == GONE + ANSWER)
    again.wait_line(lambda l: l.startswith("#") and ANSWER in l)  # the server's bot says it
    expect(end_input(again) == 0, "the chat ended in order")
    said = texts(rig, ann, "usr_")
    expect(said == ["When are you open?", "How long do I have to wait?", "I want to talk to a person"],
           f"the log has the questions once, in order, and nothing else of the customer: {said}")
    expect(texts(rig, ann, "bot_").count(ANSWER) == 1, f"the bot has answered once: {texts(rig, ann, 'bot_')}")
    third = chat(rig, "ann", "--token", ann.token, "--key", "main")
    third.wait_line(lambda l: l.startswith("#") and ANSWER in l)
    expect(end_input(third) == 0, "the chat ended in order")
    expect(not any("on this device" in line for line in third.lines), "what was taken back is not shown again")


def where_a_person_has_written_nothing_is_answered(rig, ann, ada):
    with Wire(rig.server.port) as wire:
        wire.open_session(ada.token)
        wire.call("message.send", {"cmid": "0190" + os.urandom(14).hex(), "conv": ann.conv, "kind": "text",
                                   "text": "I am Ada. How can I help?"})
    talk = chat(rig, "ann", "--token", ann.token, "--key", "main")
    talk.wait_line(lambda l: "I am Ada" in l)
    loses_the_server(rig, talk)
    talk.write("When are you open?")
    rig.server.start()
    expect(end_input(talk) == 0, "it is sent as ever")
    expect(not any("on this device" in line for line in talk.lines), "a person has the conversation")


def taken_back_by_the_operator(rig):
    """Another customer: what is no longer let go leaves the device with the next look, a day later at most."""
    bot(rig, "set", "--offline", "no")
    bea = rig.customer("bea")
    talk = chat(rig, "ann", "--token", bea.token, "--key", "main")
    talk.write("hello")
    talk.wait_line(lambda l: "hello" in l)
    expect(end_input(talk) == 0, "the chat ended in order")
    with Wire(rig.server.port) as wire:
        wire.open_session(bea.token)
        expect(wire.call("bot.offline", {}) == {}, "nothing is let go")


def run():
    rigs.options(__doc__, 1, 1)
    with Rig("answers") as rig:
        rig.start_server()
        bot(rig, "add", "--name", "Robin")
        path = os.path.join(rig.folder, "shop.bot")
        with open(path, "w", encoding="utf-8") as f:
            f.write(BOT)
        bot(rig, "push", "--publish", "--anyway", path)
        bot(rig, "set", "--on", "--offline", "yes")
        ann, ada = rig.customer("ann"), rig.agent("Ada")
        answered_offline_and_taken_back(rig, ann)
        where_a_person_has_written_nothing_is_answered(rig, ann, ada)
        taken_back_by_the_operator(rig)
        rig.check_logs()
        print("answers: found without a connection, kept, and taken back", flush=True)


main(run)
