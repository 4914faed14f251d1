#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo with its bot, as a person would try it: a customer in `deskbell chat` asks in four languages, in words that
stand in no example, completes a flow, and gets a person in one step; the agent reads all of it and what was collected.
"""
import os
import re
import shlex
import tempfile

import rigs  # noqa: F401
from harness import Failed, Process, main, program

# A question, a part of the right answer; a question that begins the flow of an order's status, what it asks for, a part
# of its end; a wish for a person, and what the bot says to it.
TALKS = {
    "en": [("it should have come last friday and the parcel is still not here", "sorry for the wait"),
           ("can you tell me where order my order has got to", "order number"), ("KR-2041987", "HJ 4410 2287 01"),
           ("a person please", "hand you over to a person")],
    "ko": [("택배가 아직도 안 왔는데요", "오래 기다리시게 해서 죄송해요"),
           ("제 주문 지금 어디쯤인가요?", "주문 번호"), ("KR-2041987", "HJ 4410 2287 01"),
           ("상담원이랑 얘기하고 싶어요", "상담원에게 연결해 드릴게요")],
    "zh": [("包裹怎么还没到", "让您久等了"),
           ("帮我看一下我的订单到哪里了", "订单号"), ("KR-2041987", "HJ 4410 2287 01"),
           ("我要找人工", "转")],
    "ja": [("荷物がまだ届きません", "お待たせして申し訳ありません"),
           ("私の注文は今どこですか", "注文番号"), ("KR-2041987", "HJ 4410 2287 01"),
           ("人と話したいです", "担当者")],
}
# What the bot says after that, where the agents have all that they can take.
WAITING = {"en": "Waiting takes", "ko": "대기 시간", "zh": "需要等待", "ja": "待ち時間"}


class Talk:
    """One `deskbell chat` in a pipe."""

    def __init__(self, folder, name, command, *more):
        self.process = Process([*command, "--plain", "--data", os.path.join(folder, name), *more],
                               os.path.join(folder, name + ".log"), stdin=True)
        self.at = 0

    def line(self, part):
        """Waits for a line with that part, behind the last one."""
        try:
            self.at, _ = self.process.wait_line(lambda line: part in line, 30, self.at)
        except Failed as e:
            raise Failed(f"{part!r}: {e}; last: {self.process.lines[-12:]}") from e
        self.at += 1
        return self.process.lines[self.at - 1]

    def say(self, text):
        self.process.write(text)

    def end(self):
        self.process.child.stdin.close()
        self.process.wait(60)


def invited(demo):
    """The two commands that the demo prints: a customer's and an agent's."""
    commands, at = [], 0
    while len(commands) < 2:
        at, line = demo.wait_line(lambda row: " chat --url " in row, 60, at)
        at += 1
        commands.append(shlex.split(line))
    demo.wait_line(lambda row: "Ctrl-C" in row, 30, at)
    for command in commands:
        command[0] = program("deskbell")
    return commands


def run():
    with tempfile.TemporaryDirectory(prefix="deskbell-demo-bot-") as folder:
        demo = Process([program("deskbell"), "demo", "--listen", "127.0.0.1:0"], os.path.join(folder, "demo.log"))
        try:
            talk_with(folder, *invited(demo))
        finally:
            demo.child.terminate()
            demo.wait(30)


def talk_with(folder, customer, agent):
    duty = Talk(folder, "agent", agent)
    duty.line("Alice: Thank you")
    for lang, talk in TALKS.items():
        guest = Talk(folder, "guest-" + lang, customer, "--key", lang)
        for text, answer in talk:
            guest.say(text)
            guest.line(answer)
        guest.end()
        duty.say("/open " + conversation_of(duty, talk[-1][1], WAITING[lang]))
        duty.line(talk[0][0])
        if "**order:** KR-2041987" not in duty.line("The customer asked for a person."):
            raise Failed("the note lacks what was collected")
        duty.say("/take")  # who misses an offer is away, and the bot would say that nobody is there
        print(f"demo-bot: {lang}: answered, looked up, handed over")
    duty.end()


def conversation_of(duty, *last_words):
    """The one whose row in the agent's list ends with one of these; the list follows the feed, a moment later."""
    for _ in range(20):
        duty.say("/list")
        try:
            _, row = duty.process.wait_line(lambda line: "cnv_" in line and any(w in line for w in last_words), 2)
        except Failed:
            continue
        return re.search(r"cnv_\w+", row).group()
    raise Failed(f"no row of the list ends with {last_words!r}")


if __name__ == "__main__":
    main(run)
