#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what a real server says into the corpus of fuzz_client: record_client.py FOLDER

Each file is a play as fuzz_client.c describes it. The answers and events are the server's own bytes; only the ids of the
conversation are replaced, so that a play of staff names the one the target opens.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from harness import Rig, main, run_program  # noqa: E402
from wire import Wire, WireError, new_cmid  # noqa: E402

CONV = "cnv_0000000000003"
BOT = """bot 1
lang en
faq opening
  ~ open
  = Monday to Friday, 9 to 6.
handoff default
  team support
  open say "One moment."
  closed say "Nobody is here now."
"""


class Tape(Wire):
    """A connection that keeps what was said in `lines`, as steps of a play."""

    def __init__(self, port, lines):
        self.lines, self.asked = lines, {}
        super().__init__(port)

    def post(self, method, params):
        number = super().post(method, params)
        self.asked[number] = method
        return number

    def _read_frame(self, deadline):
        final, opcode, payload = super()._read_frame(deadline)
        if opcode == 1:
            self._note(payload.decode())
        return final, opcode, payload

    def _note(self, text):
        head = '{"jsonrpc":"2.0","id":'
        if not text.startswith(head):
            self.lines.append("<" + text)
            return
        number, _, rest = text[len(head):].partition(",")
        member, _, body = rest.partition(":")
        if member == '"error"':
            self.lines.append("!" + body[:-1])
        else:
            self.lines.append(f"={self.asked[int(number)]} {body[:-1]}")


def converse(lines, wire, conv, pages=True):
    """What an SDK does after it is open: feed, conversation, entries, a few messages."""
    wire.call("feed.read", {"rev": 0, "limit": 200})
    if pages:
        wire.call("entries.read", {"conv": conv, "after": 0, "limit": 200})
    lines += ["t100", "mhello"]
    wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "hello"})
    lines += ["t1000", "e1"]


def customer(rig, ann, agent):
    lines = []
    with Tape(rig.server.port, lines) as wire:
        lines.append("Cmfirst")
        wire.open_session(ann.token)
        wire.call("conversation.open", {"key": "main"})
        converse(lines, wire, ann.conv)
        with Wire(rig.server.port) as other:
            other.open_session(agent.token)
            for content in ({"kind": "text", "text": "how can I help?"},
                            {"kind": "choices", "text": "which?", "fallback_text": "which: a or b",
                             "choices": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]},
                            {"kind": "card", "fallback_text": "a card", "card": {"title": "Card"}}):
                seq = other.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, **content})["seq"]
                wire.wait_event(lambda e, n=seq: e["method"] == "entry" and e["params"].get("seq") == n)
            other.call("conversation.watch", {"conv": ann.conv})
            other.notify("typing", {"conv": ann.conv})
            other.notify("marks", {"marks": [{"conv": ann.conv, "recv": 3, "read": 2}]})
            wire.wait_event(lambda e: e["method"] == "marks")
        lines += ["h3", "r4", "t1000", "shello"]
        wire.call("search.entries", {"query": "hello"})
        lines.append("d1")
        try:
            wire.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text", "text": "x" * 20000})
        except WireError:
            pass
        lines += ["k", "t500", "x4012"]
    return lines


def again(rig, ann, lines):
    """The same client with what it knows, after the server was restored: another epoch, `ahead`."""
    with Tape(rig.server.port, lines) as wire:
        wire.open_session(ann.token, epoch="00000000000000e1", rev=7)
        converse(lines, wire, ann.conv)
    lines += ["x1006", "t30000"]
    return lines


def visitor(rig):
    lines = ["Vmhello"]
    with Tape(rig.server.port, lines) as wire:
        wire.open_session(visitor={"app": rig.app})
        conv = wire.call("conversation.open", {"key": "main"})["row"]["conv"]
        converse(lines, wire, conv)
    return [line.replace(conv, CONV) for line in lines]


def staff(rig, ann, agent):
    lines = []
    with Tape(rig.server.port, lines) as wire:
        lines.append("Sr1")
        wire.open_session(agent.token)
        wire.call("conversation.watch", {"conv": ann.conv})
        converse(lines, wire, ann.conv)
        wire.call("entries.read", {"conv": ann.conv, "after": 0, "limit": 200, "log": "team"})
        lines += ["nseen", "h3"]
        wire.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "log": "team", "kind": "text", "text": "seen"})
        with Wire(rig.server.port) as other:
            other.open_session(ann.token)
            other.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text", "text": "thanks"})
            wire.wait_event(lambda e: e["method"] == "entry")
        lines += ["c", "sthanks"]
        wire.call("ticket.list", {})
        wire.call("search.entries", {"query": "thanks"})
        lines += ["t1000", "k"]
    return lines


SURVEY = {"name": "After a ticket", "min_text": 0, "contact": True, "brand": "Lamps", "colour": "#0b6e4f", "lang": "en",
          "interval_days": 0,
          "questions": [{"id": "why", "kind": "choices", "choices": ["slow", "rude"], "to_score": 3, "required": True},
                        {"id": "who", "kind": "choice", "choices": ["a", "b"], "from_score": 4},
                        {"id": "ease", "kind": "scale", "min": 0, "max": 10}, {"id": "more", "kind": "text"}],
          "texts": [{"lang": "en", "question": "How did we do?", "low": "badly", "high": "well", "comment": "What else?",
                     "contact": "Please contact me", "thanks": "Thank you",
                     "questions": [{"id": "why", "text": "Why?", "choices": [{"id": "slow", "label": "Slow"},
                                                                             {"id": "rude", "label": "Rude"}]},
                                   {"id": "who", "text": "Who?", "choices": [{"id": "a", "label": "A"},
                                                                             {"id": "b", "label": "B"}]},
                                   {"id": "ease", "text": "Easy?", "low": "no", "high": "yes"},
                                   {"id": "more", "text": "More?"}]}]}


def solve(other, conv):
    ticket = other.call("ticket.get", {"conv": conv})["ticket"]
    other.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"],
                               "to": "solved"})


def surveyed(rig, eli, agent):
    """A customer who is asked how it was, answers on another device, is asked again, and writes instead."""
    path = os.path.join(rig.folder, "survey.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(SURVEY, out)
    run_program("deskbell", "survey", "add", "--file", path, "--data", rig.server.data)
    lines = ["Cmfirst"]
    with Tape(rig.server.port, lines) as wire, Wire(rig.server.port) as other, Wire(rig.server.port) as phone:
        def wait(kind):
            return wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("kind") == kind)["params"]["seq"]

        def answer(seq, **said):
            at = phone.call("message.send", {"cmid": new_cmid(), "conv": eli.conv, "kind": "rating", "fallback_text": "*",
                                             "rated": {"seq": seq, **said}})["seq"]
            wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("seq") == at)

        wire.open_session(eli.token)
        other.open_session(agent.token)
        phone.open_session(eli.token)
        wire.call("conversation.open", {"key": "main"})
        converse(lines, wire, eli.conv)
        other.call("message.send", {"cmid": new_cmid(), "conv": eli.conv, "kind": "text", "text": "It is repaired."})
        solve(other, eli.conv)
        seq = wait("survey")
        answer(seq, score=2)
        answer(seq, answers=[{"question": "why", "chosen": ["slow", "rude"]}, {"question": "ease", "number": 3},
                             {"question": "more", "words": "the lamp"}], contact=True)
        answer(seq, score=5, answers=[{"question": "who", "chosen": ["a"]}])
        answer(seq, said="in the end it was good")
        lines += ["k", "t500"]
    with Tape(rig.server.port, lines) as wire, Wire(rig.server.port) as other:
        wire.open_session(eli.token)
        wire.call("feed.read", {"rev": 0, "limit": 200})
        wire.call("entries.read", {"conv": eli.conv, "after": 0, "limit": 200})
        lines += ["h9", "mit is dark again"]
        wire.call("message.send", {"cmid": new_cmid(), "conv": eli.conv, "kind": "text", "text": "it is dark again"})
        other.open_session(agent.token)
        solve(other, eli.conv)
        wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("kind") == "survey")
        lines.append("mand cold")
        wire.call("message.send", {"cmid": new_cmid(), "conv": eli.conv, "kind": "text", "text": "and cold"})
        wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("kind") == "survey_end")
        lines += ["t1000", "k", "t30000"]
    return [line.replace(eli.conv, CONV) for line in lines]


def bot_command(rig, command, *args):
    run_program("deskbell", "bot", command, "--data", rig.server.data, *args)


def asks_its_device(rig, cem):
    """A customer whose device gets the bot's version, and asks it when the connection is lost."""
    path = os.path.join(rig.folder, "shop.bot")
    with open(path, "w", encoding="utf-8") as out:
        out.write(BOT)
    bot_command(rig, "add", "--name", "Robin")
    bot_command(rig, "push", "--publish", "--anyway", path)
    bot_command(rig, "set", "--on", "--offline", "yes")
    lines = ["Cr0"]
    with Tape(rig.server.port, lines) as wire:
        wire.open_session(cem.token)
        wire.call("conversation.open", {"key": "main"})
        wire.call("feed.read", {"rev": 0, "limit": 200})
        wire.call("entries.read", {"conv": cem.conv, "after": 0, "limit": 200})
        wire.call("bot.offline", {})
        lines += ["x1006", "mare you open?", "t3000", "k", "t60000"]
    with Tape(rig.server.port, lines) as wire:
        wire.open_session(cem.token)
        wire.call("feed.read", {"rev": 0, "limit": 200})
        seq = wire.call("message.send", {"cmid": new_cmid(), "conv": cem.conv, "kind": "text", "text": "are you open?"})
        wire.wait_event(lambda e: e["method"] == "entry" and e["params"]["seq"] > seq["seq"])
    return [line.replace(cem.conv, CONV) for line in lines]


def bot(rig, dan):
    """A program that answers turns."""
    bot_command(rig, "add", "--name", "Robin", "--kind", "program")
    key = json.loads(run_program("deskbell", "key", "add", "--data", rig.server.data, "--app", rig.app, "--bot", "Robin",
                                 "--json").stdout)["key"]
    lines = ["St0"]
    with Tape(rig.server.port, lines) as wire, Wire(rig.server.port) as other:
        other.open_session(dan.token)
        other.call("message.send", {"cmid": new_cmid(), "conv": dan.conv, "kind": "text", "text": "hello"})
        wire.open_session(key)
        wire.call("conversation.watch", {"conv": dan.conv})
        wire.call("feed.read", {"rev": 0, "limit": 200})
        for text in ("hello", "again"):
            asked = wire.call("bot.turns", {})["turns"][0]
            lines.append(f"b{asked['turn']}")
            wire.call("bot.act", {"cmid": new_cmid(), "conv": dan.conv, "turn": asked["turn"], "seq": asked["seq"],
                                  "actions": [{"does": "message", "kind": "text", "content": {"text": text}}]})
            other.call("message.send", {"cmid": new_cmid(), "conv": dan.conv, "kind": "text", "text": text})
            wire.wait_event(lambda e: e["method"] == "bot.turn")
        lines += ["t1000", "k", "t30000"]
    return [line.replace(dan.conv, CONV) for line in lines]


def write_play(folder, name, lines):
    """As it is kept, twice: in memory, and in a file, so that the client can be killed."""
    text = "\n".join(lines) + "\n"
    for where, first_letter in (("in-file", text[0]), ("in-memory", text[0].lower())):
        with open(os.path.join(folder, f"{name}-{where}"), "w", encoding="utf-8") as out:
            out.write(first_letter + text[1:])


def record():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    with Rig("record-client") as rig:
        rig.start_server()
        ann, agent = rig.customer("ann"), rig.agent("bo")
        first = customer(rig, ann, agent)
        plays = {"customer": first, "restored": again(rig, ann, [*first, "t30000"]), "visitor": visitor(rig),
                 "staff": staff(rig, ann, agent), "device": asks_its_device(rig, rig.customer("cem"))}
        for name, lines in plays.items():
            write_play(folder, name, [line.replace(ann.conv, CONV) for line in lines])
        rig.has_verdict = True  # there is no history to judge
    with Rig("record-survey") as rig:
        rig.start_server()
        write_play(folder, "surveyed", surveyed(rig, rig.customer("eli"), rig.agent("bo")))
        rig.has_verdict = True
    with Rig("record-bot") as rig:
        rig.start_server()
        write_play(folder, "bot", bot(rig, rig.customer("dan")))
        rig.has_verdict = True


if __name__ == "__main__":
    main(record)
