# SPDX-License-Identifier: Apache-2.0
"""A device of the five: an application on its own network, which breaks in every way that networks do, and the things
that happen to applications. Everything is drawn from the rig's dice."""
import hashlib
import json
import os

from cutproxy import Cut, CutProxy

KEYS = "main,orders,bills"
UP, DOWN = (20, 900), (20, 6000)  # bytes let through before a cut: within frames of requests and of answers


class Device:
    """A client and its network. `host` is made by the rig once the proxy listens."""

    def __init__(self, rig, proc, who, kind):
        self.rig, self.random, self.who = rig, rig.random, who
        self.network = CutProxy(("127.0.0.1", rig.server.port))
        self.network.__enter__()
        rig.on_exit.append(lambda: self.network.__exit__())
        self.proc, self.offline_for, self.is_hidden, self.is_disconnected = proc, 0, False, False
        self.host = rig.host(proc, who, key=KEYS, port=self.network.port, kind=kind)
        self.shown = {}     # (conv, number) -> [author, kind, version], as this device was given it
        self.pos = (1, 0)   # run and line that were read last
        self.at = 0         # the conversation it is in
        self.written = 0
        self.stalls = 0

    # ---- what it shows

    def look(self):
        """Reads what it was given since the last look."""
        if self.pos[0] != self.host.runs:
            self.pos = (self.host.runs, 0)
        with self.host.process.turn:
            rows = self.host.process.lines[self.pos[1]:]
        self.pos = (self.pos[0], self.pos[1] + len(rows))
        for line in (json.loads(row) for row in rows if '"deliver"' in row):
            self.note(line)

    def note(self, line):
        conv, number = line["conv"], line["seq"]
        self.shown[(conv, number)] = [line.get("author"), line["entry"], line["version"]]
        target = self.shown.get((conv, line.get("of")))
        if target and line["entry"] == "edit":
            target[2] = max(target[2], line["version"])
        elif target and line["entry"] == "erase":
            target[1] = "erased"

    def own(self):
        """(conv, number, version) of a message of this user that can be changed, or None."""
        self.look()
        conv = self.host.follows[self.at]
        mine = [(c, n, e[2]) for (c, n), e in self.shown.items()
                if c == conv and e[0] == self.who.principal and e[1] == "text"]
        return self.random.choice(mine) if mine else None

    # ---- what its user does

    def enter(self):
        self.at = self.random.randrange(len(self.host.follows))
        self.host.command(f"in {self.at}")

    def write(self):
        self.enter()
        for _ in range(self.random.randint(1, 6)):
            self.written += 1
            self.rig.send(self.host, f"{self.proc} {self.written}")

    def edit(self):
        self.enter()
        message = self.own()
        if message:
            self.written += 1
            self.host.command(f"edit {message[1]} {message[2]} {self.proc} {self.written} changed")

    def erase(self):
        self.enter()
        message = self.own()
        if message:
            self.host.command(f"erase {message[1]}")

    def read(self):
        self.enter()
        self.look()
        numbers = [n for c, n in self.shown if c == self.host.follows[self.at]]
        if numbers:
            self.host.command(f"read {self.random.randint(1, max(numbers))}")

    def attach(self):
        self.enter()
        data = os.urandom(self.random.choice((10, 3000, 300_000)))
        path = os.path.join(self.rig.folder, f"{self.proc}.{hashlib.sha256(data).hexdigest()[:16]}.bin")
        with open(path, "wb") as file:
            file.write(data)
        self.written += 1
        self.host.command(f"file {path} {self.proc} {self.written}")

    # ---- what happens to its network

    def cut(self):
        self.network.cut_all(self.random.choice(("rst", "fin")))

    def cut_within(self):
        way, most = self.random.choice((("up", UP), ("down", DOWN)))
        self.network.arm(Cut(**{way: self.random.randint(*most)}, end=self.random.choice(("rst", "fin"))))

    def stall(self):
        """Silence. It believes itself connected until it notices, so the history says that it is not."""
        self.rig.say("rig", "info", "disconnect", who=self.proc)
        self.network.stall_all()
        self.stalls += 1

    def delay(self):
        delay_ms = self.random.choice((0, 0, 5, 40))
        self.network.plan = lambda index: Cut(delay_ms=delay_ms)
        self.network.arm(Cut(delay_ms=delay_ms))

    def lose(self):
        self.offline_for = self.random.randint(3, 25)
        self.network.plan = lambda index: Cut(up=0)
        self.network.cut_all()

    def return_network(self):
        self.network.plan = lambda index: Cut()
        self.network.arm(Cut())
        self.host.command("network")

    def changed(self):
        self.host.command("network")

    # ---- what happens to the application

    def die(self):
        self.host.kill()
        self.pos = (self.host.runs + 1, 0)
        self.is_hidden = self.is_disconnected = False
        self.host.start()

    def hide(self):
        self.is_hidden = not self.is_hidden
        self.host.command("background" if self.is_hidden else "foreground")

    def leave(self):
        self.is_disconnected = not self.is_disconnected
        self.host.command("offline" if self.is_disconnected else "online")

    def be_notified(self):
        """A notification of what another device of the user has seen already."""
        conv = self.random.choice(self.host.follows)
        newest = [n for d in self.rig.devices for c, n in d.shown if c == conv]
        self.host.command(f"received {conv} {max(newest, default=1)}")

    ACTS = ([write] * 10 + [edit] * 3 + [erase] * 2 + [read] * 3 + [attach] * 2 + [cut] * 2 + [cut_within] * 4 +
            [stall] + [delay] * 2 + [lose] + [changed] * 3 + [die] * 2 + [hide] * 3 + [leave] + [be_notified])

    def act(self):
        if self.offline_for:
            self.offline_for -= 1
            if not self.offline_for:
                self.return_network()
        self.random.choice(self.ACTS)(self)

    def heal(self):
        self.offline_for = 0
        if self.is_hidden:
            self.hide()
        if self.is_disconnected:
            self.leave()
        self.return_network()


class Desk:
    """An agent at his desk: no network that breaks but the server that dies."""

    def __init__(self, rig, proc, who, convs):
        self.rig, self.random, self.proc, self.convs = rig, rig.random, proc, convs
        self.host = rig.host(proc, who, conv=",".join(convs))
        self.written = 0

    def act(self):
        self.host.command(f"in {self.random.randrange(len(self.convs))}")
        for _ in range(self.random.randint(0, 3)):
            self.written += 1
            self.rig.send(self.host, f"{self.proc} {self.written}", note=self.random.random() < 0.3)
        if self.random.random() < 0.3:
            self.host.command(f"read {self.random.randint(1, 1 + self.written)}")
