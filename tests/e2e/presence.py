#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A customer's phone and an agent's desk see each other come and go: a phone whose connection is cut is back before
anybody is told, and one that is ended is told ten seconds later.
"""
import os

import rigs
from cutproxy import CutProxy
from harness import Failed, Process, Rig, main, program, wait_until

GONE_S = 20  # the server says offline ten seconds after the last connection


def told(host):
    return [line["here"] for line in host.read_lines() if line["op"] == "presence"]


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found}, not {wanted}")


def is_presence(here):
    return lambda line: line["op"] == "presence" and line["here"] is here


def chat_tells(rig, name, line, what, *who):
    """A terminal client that is given one line says `what`, on stderr or in its output."""
    log = os.path.join(rig.folder, f"chat.{name}.log")
    rig.logs.append(log)
    chat = Process([program("deskbell"), "chat", "--url", rig.server.url, "--app", rig.app, "--plain", "--data",
                    os.path.join(rig.folder, f"chat-{name}"), *who], log, stdin=True)

    def is_said():
        with open(log, encoding="utf-8") as file:
            return f"-- {what}\n" in file.read() or f"-- {what}" in chat.lines
    if line:
        chat.write(line)
    wait_until(f"chat to say: {what}", is_said)
    chat.child.stdin.close()
    expect(chat.wait(30), 0, "exit code of chat")


def run():
    args = rigs.options(__doc__, 1, 10)
    with Rig("presence", args.seed) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        with CutProxy(("127.0.0.1", rig.server.port)) as street:
            phone = rig.host("phone", ann, port=street.port)
            phone.wait_connected()
            desk = rig.host("desk", kim, conv=ann.conv)
            desk.wait(is_presence(True))
            phone.wait(is_presence(True))  # somebody of the team is here now
            chat_tells(rig, "bob", None, "support is here", "--token", rig.user_token("bob"))
            chat_tells(rig, "kim", "/here", "you are here", "--agent-token", kim.token, "--conv", ann.conv)
            chat_tells(rig, "adam", None, "the customer is online", "--agent-token", rig.agent("Adam").token, "--conv",
                       ann.conv)
            for _ in range(args.count):
                at = phone.mark_position()
                street.cut_all()
                phone.wait(lambda line: line["op"] == "disconnect", start=at)
                phone.command("quiesce")  # does not wait for the end of a pause
                phone.wait(lambda line: line["op"] == "connect", start=at)
            rig.send(phone, "still here")
            rig.send(desk, "so am I")
            phone.quit()
            _, gone = desk.wait(is_presence(False), timeout_s=GONE_S)
            expect(gone["last_seen"] % 60000, 0, "last seen to the minute")
            expect(gone["customer"], ann.principal, "whose presence")
            expect(told(desk), [True, False], "what the desk was told of the phone")
            expect(told(phone), [False, True], "what the phone was told of the team")
            phone.start()
            rig.finish()


main(run)
