#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests/wire/transcripts/*.txt against the server: what a client says and the very messages it gets.

A line of a transcript:
    # a comment
    @ phone as ann            from here on the connection `phone`; at its first use it connects and opens a session of the
                              customer ann, `as agent Eve`, `as visitor`, or, with nothing behind the name, stays unopened
    client> {...}             one message; $names are filled in
    server< {...}             the next message on that connection but heartbeats and presence, member for member
    server< close 4000        the connection is closed with that code
Names: $int any whole number, $text any string, $any anything, $cmid_x a client's message id of its own, $token_x a user
token of customer x, $app the app; any other $name takes what it meets first and has to meet the same ever after. A member
"..." in an object passes over further members. Names may stand in strings too: "$conv".
"""
import json
import os
import re
import sys

from protocol_rig import Case, Failed, Rig, WireClosed, WireError, end, expect, main, new_cmid

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transcripts")
NAME = re.compile(r'"\$([a-z_0-9]+)"')


# Events that tell what others do come when they come.
AT_ANY_TIME = {"presence", "queue", "status", "views", "offer", "viewers"}


def is_of_others(message):
    """An event of AT_ANY_TIME, or the desk's note of a change of the ticket."""
    is_change = message.get("method") == "entry" and message["params"].get("kind") == "change"
    return "id" not in message and (message["method"] in AT_ANY_TIME or is_change)


class Play:
    def __init__(self, case):
        self.case, self.names, self.clients, self.client = case, {"app": case.rig.app}, {}, None
        case.count += 1
        self.number = case.count

    def enter(self, words):
        name = words[0]
        if name not in self.clients:
            self.clients[name] = self.open(words[1:])
        self.client = self.clients[name]

    def open(self, words):
        client = self.case.connect()
        if not words:
            return client
        expect(words[0] == "as", "`@ name as whom`")
        if words[1] == "visitor":
            client.open_session(visitor={"app": self.case.rig.app})
        elif words[1] == "agent":
            client.open_session(self.agent(words[2]))
        else:
            client.open_session(self.token(words[1]), device=f"{abs(hash(words[1])):032x}"[-32:])
        client.next_id = 1000
        return client

    def agent(self, name):
        key = "agent of " + name
        if key not in self.names:
            self.names[key] = self.case.rig.agent(name).token
        return self.names[key]

    def token(self, user):
        key = "token_" + user
        if key not in self.names:
            self.names[key] = self.case.rig.user_token(self.unique(user), name=user.capitalize())
        return self.names[key]

    def unique(self, user):
        """Each transcript has its own people."""
        return f"{user} of transcript {self.number}"

    def value_of(self, name):
        if name.startswith("token_"):
            return self.token(name[6:])
        if name.startswith("cmid") and name not in self.names:
            self.names[name] = new_cmid()
        expect(name in self.names, f"${name} to have been met before it is said")
        return self.names[name]

    def say(self, text):
        self.client.say(NAME.sub(lambda m: json.dumps(self.value_of(m.group(1))), text))

    def hear(self, text):
        if text.startswith("close "):
            try:
                got = self.client.raw(15)
            except WireClosed as closed:
                expect(closed.code == int(text[6:]), f"{text}, got {closed.code}")
                return
            raise Failed(f"expected {text}, got {got.decode()}")
        got = json.loads(self.client.raw(15))
        while is_of_others(got) and f'"{got["method"]}"' not in text.replace('"entry"', ""):
            got = json.loads(self.client.raw(15))
        problem = self.differs(json.loads(text), got, "")
        if problem:
            raise Failed(f"{problem}\n  expected {text}\n  got      {json.dumps(got, ensure_ascii=False)}")

    def differs(self, wanted, got, path):
        """What is not as wanted; None: all is."""
        if isinstance(wanted, str) and wanted.startswith("$"):
            return self.differs_from_name(wanted[1:], got, path)
        if isinstance(wanted, dict) and isinstance(got, dict):
            names = set(wanted) - {"..."}
            if "..." not in wanted and names != set(got) or not names <= set(got):
                return f"{path or 'it'} has other members: {sorted(names ^ set(got))}"
            return next(filter(None, (self.differs(wanted[n], got[n], f"{path}.{n}") for n in sorted(names))), None)
        if isinstance(wanted, list) and isinstance(got, list):
            if len(wanted) != len(got):
                return f"{path} has {len(got)} items"
            return next(filter(None, (self.differs(w, g, f"{path}[{i}]")
                                      for i, (w, g) in enumerate(zip(wanted, got)))), None)
        same = wanted == got and isinstance(wanted, bool) == isinstance(got, bool)
        return None if same else f"{path} differs"

    def differs_from_name(self, name, got, path):
        fits = {"int": lambda: isinstance(got, int) and not isinstance(got, bool), "text": lambda: isinstance(got, str),
                "any": lambda: True}.get(name)
        if fits:
            return None if fits() else f"{path} is no {name}"
        if name not in self.names and not name.startswith(("cmid", "token")):
            self.names[name] = got
        return None if self.value_of(name) == got else f"{path} is not ${name} again"


def play(case, path, kind=Play):
    scene = kind(case)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            try:
                if line.startswith("client> "):
                    scene.say(line[8:])
                elif line.startswith("server< "):
                    scene.hear(line[8:])
                elif line.startswith("@ "):
                    scene.enter(line[2:].split())
                elif line and not line.startswith("#"):
                    raise Failed("a line that begins with client>, server<, @ or #")
            except (Failed, WireClosed, WireError, TimeoutError, ValueError) as e:
                raise Failed(f"{os.path.basename(path)}:{number}: {type(e).__name__} {e}") from e
    for client in scene.clients.values():
        client.close()


def rig_main():
    with Rig("protocol-transcripts") as rig:
        rig.start_server()
        case = Case(rig)
        wanted = sys.argv[1:] or sorted(f for f in os.listdir(HERE) if f.endswith(".txt"))
        expect(wanted, "transcripts")
        for name in wanted:
            play(case, os.path.join(HERE, os.path.basename(name)))
            print(f"ok {name}", flush=True)
        end(rig)


if __name__ == "__main__":
    main(rig_main)
