#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the picture of docs/surveys.md: an agent solves a ticket, the customer is asked in the chat, taps, and says why.
    DESKBELL_BUILD=build/release python3 tests/support/record_survey.py docs/survey-chat.svg
Every step waits until it is seen on the screens, so a picture that is written shows what happened.
"""
import os
import sys

from harness import SLOW, Failed, Rig, main, run_program
from record_chat import MOST_BYTES, Terminal, draw, morning


def talk(customer, agent):
    customer.wait(r"\bonline\b(?!,)")
    customer.type("My parcel has not come. It was due on Monday.")
    agent.wait("Alice .*My parcel")
    agent.type("/open 1")
    agent.wait("#1 Alice: My parcel")
    agent.type("/take")
    agent.wait("assignee Kim")
    agent.type("I am sorry! It took a detour and comes today before noon.")
    customer.wait("#2 Kim: I am sorry")
    customer.type("It is here, thank you!")
    agent.wait("#3 Alice: It is here")
    agent.type("/solve")
    customer.wait("How satisfied are you")
    customer.wait("press 1 to 5")
    customer.type("4", end="")
    customer.wait("Please contact me")
    customer.type("")
    customer.wait("Would you like to tell us more")
    customer.type("Quick and kind, but the tracking page was wrong.")
    customer.wait("Thank you for your answer")
    agent.wait("★★★★☆")
    agent.wait("tracking page")
    customer.wait("was wrong. ✓")


def run():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__ + f"usage: {os.path.basename(sys.argv[0])} OUT.svg", file=sys.stderr)
        sys.exit(64)
    with Rig("record-survey", 1) as rig:
        rig.start_server()
        run_program("deskbell", "survey", "add", "--name", "Satisfaction", "--contact", "--min-text", "0", "--data",
                    rig.server.data)
        kim, zone = rig.agent("Kim"), morning()
        token = rig.user_token("alice", lifetime_s=20 * 3600, name="Alice", locale="en")
        customer = Terminal(rig, "customer", zone, "--token", token)
        agent = Terminal(rig, "agent", zone, "--agent-token", kim.token)
        talk(customer, agent)
        with customer.turn, agent.turn:
            picture = draw([("customer", customer.screen), ("agent", agent.screen)])
        if len(picture.encode()) > MOST_BYTES:
            raise Failed(f"the picture has {len(picture.encode())} bytes, {MOST_BYTES} at most")
        for terminal in (customer, agent):
            terminal.type("\x15/quit")
            if terminal.child.wait(30 * SLOW) != 0:
                raise Failed(f"the chat of the {terminal.name} ended with {terminal.child.returncode}")
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        with open(sys.argv[1], "w", encoding="utf-8") as f:
            f.write(picture)
        print(f"record-survey: {sys.argv[1]}, {len(picture.encode())} bytes")


if __name__ == "__main__":
    main(run)
