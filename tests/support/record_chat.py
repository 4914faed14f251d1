#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the picture of the README: a customer and an agent talk through `deskbell chat`, each in a pseudo terminal,
with a real server that is away for a while; what the two screens show at the end is written as an SVG.
    DESKBELL_BUILD=build/release python3 tests/support/record_chat.py docs/chat.svg
Every step waits until it is seen on the screens, so a picture that is written shows what happened.
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata
from xml.sax.saxutils import escape

from harness import SLOW, Failed, Rig, die_with_parent, main, program

COLUMNS, ROWS = 62, 18
MOST_BYTES = 60_000


# ---- a terminal that knows what chat writes

def width_of(char):
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Screen:
    """Cells of (text, style); the right half of a wide character is ("", style). Style: a set of SGR numbers."""
    SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([@-~])|\x1b[^\[]")
    INCOMPLETE = re.compile(r"\x1b(\[[?0-9;]*)?$")

    def __init__(self):
        self.row = self.column = 0
        self.style, self.has_cursor, self.rest, self.bytes_rest = frozenset(), True, "", b""
        self.clear()

    def clear(self):
        self.cells = [[(" ", frozenset())] * COLUMNS for _ in range(ROWS)]

    def feed(self, data):
        data = self.bytes_rest + data
        try:
            text, self.bytes_rest = data.decode(), b""
        except UnicodeDecodeError as e:  # cut inside a character: the rest comes with the next bytes
            text, self.bytes_rest = data[:e.start].decode(), data[e.start:]
        text, at = self.rest + text, 0
        partial = self.INCOMPLETE.search(text)
        self.rest = partial.group() if partial else ""
        text = text[:len(text) - len(self.rest)]
        while at < len(text):
            found = self.SEQUENCE.match(text, at)
            if found:
                self.control(found.group(1) or "", found.group(2))
                at = found.end()
            else:
                self.put(text[at])
                at += 1

    def control(self, numbers, letter):
        if letter == "H":
            row, column = (int(n or 1) for n in (numbers + ";").split(";")[:2])
            self.row, self.column = min(row, ROWS) - 1, min(column, COLUMNS) - 1
        elif letter == "J" and numbers == "2":
            self.clear()
        elif letter == "K" and numbers == "2":
            self.cells[self.row] = [(" ", frozenset())] * COLUMNS
        elif letter == "m":
            given = [int(n or 0) for n in numbers.split(";")]
            self.style = frozenset(given[given.index(0) + 1:] if 0 in given else self.style | set(given))
        elif letter in "hl" and numbers == "?25":
            self.has_cursor = letter == "h"
        elif letter not in "hl":
            raise Failed(f"the terminal client writes a sequence this program does not know: {numbers}{letter}")

    def put(self, char):
        width = width_of(char)
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row = min(self.row + 1, ROWS - 1)
        elif char < " ":
            return
        elif width == 0:
            before = max(self.column - 1, 0)
            if self.cells[self.row][before][0] == "" and before:
                before -= 1
            text, style = self.cells[self.row][before]
            self.cells[self.row][before] = (text + char, style)
        elif self.column + width <= COLUMNS:
            self.cells[self.row][self.column] = (char, self.style)
            if width == 2:
                self.cells[self.row][self.column + 1] = ("", self.style)
            self.column += width

    def lines(self):
        return ["".join(text for text, _ in row).rstrip() for row in self.cells]


class Terminal:
    """`deskbell chat` in a pseudo terminal of its own, read by a thread."""

    def __init__(self, rig, name, zone, *who):
        self.name, self.screen, self.turn, self.problem = name, Screen(), threading.Condition(), None
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "DESKBELL_TOKEN", "DESKBELL_AGENT_TOKEN")}
        env.update(TERM="xterm-256color", LC_ALL="C.UTF-8", TZ=zone)

        def before():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            die_with_parent()
        self.child = subprocess.Popen([program("deskbell"), "chat", "--url", rig.server.url, "--app", rig.app, "--data",
                                       os.path.join(rig.folder, f"chat-{name}"), *who], stdin=slave, stdout=slave,
                                      stderr=slave, env=env, preexec_fn=before)
        os.close(slave)
        rig.on_exit.append(self.close)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the child has closed its side
                data = b""
            with self.turn:
                try:
                    self.screen.feed(data)
                except Failed as e:
                    self.problem = str(e)
                self.problem = self.problem or (None if data else "it ended")
                self.turn.notify_all()
                if self.problem:
                    return

    def wait(self, what, timeout_s=30):
        """Until the regular expression is found on the screen; where a line was wrapped it sees a space."""
        deadline = time.monotonic() + timeout_s * SLOW
        with self.turn:
            while not re.search(what, " ".join(line.strip() for line in self.screen.lines())):
                if self.problem or time.monotonic() > deadline:
                    shown = "\n".join(self.screen.lines())
                    raise Failed(f"{self.name} does not show {what!r}: {self.problem or 'not in time'}\n{shown}")
                self.turn.wait(0.2)

    def type(self, text, end="\r"):
        os.write(self.master, (text + end).encode())

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.reader.join(10)
        os.close(self.master)


def morning():
    """A time zone in which the recording begins at 9:41, so that two pictures differ only where chat does."""
    east_s = (9 * 3600 + 41 * 60 - int(time.time())) % 86400
    east_s -= 86400 if east_s > 43200 else 0
    hours, rest = divmod(abs(east_s), 3600)
    return f"DESK{'-' if east_s >= 0 else '+'}{hours:02}:{rest // 60:02}:{rest % 60:02}"


# ---- the picture

FONT_PX, CELL_W, CELL_H = 13, 7.83, 17
PAD, BAR, GAP = 12, 30, 20
COLOURS = {31: "#f28b82", 33: "#e8c27a", 36: "#7fd3e3"}
TEXT, DIM, PANEL, TITLE_BAR, EDGE = "#dfe3ea", "#929aa8", "#171b22", "#262c36", "#59616e"
LOOK = ('font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', \'Liberation Mono\', '
        f'monospace" font-size="{FONT_PX}"')


def number(value):
    return f"{value:.2f}".rstrip("0").rstrip(".")


def colours_of(style):
    """(text, background or None)"""
    front = next((COLOURS[n] for n in sorted(style) if n in COLOURS), DIM if 2 in style else TEXT)
    return (PANEL, DIM if front == TEXT else front) if 7 in style else (front, None)


def runs_of(row):
    """(column, width, text, style) of neighbouring cells of one style; what is wide stands alone, to stay in place."""
    runs = []
    for column, (text, style) in enumerate(row):
        if text == "":
            continue
        wide = column + 1 < COLUMNS and row[column + 1][0] == ""
        if runs and not wide and runs[-1][3] == style and not runs[-1][4]:
            runs[-1][1] += 1
            runs[-1][2] += text
        else:
            runs.append([column, 2 if wide else 1, text, style, wide])
    return [run[:4] for run in runs]


def draw_row(row, left, top):
    parts = []
    for column, width, text, style in runs_of(row):
        front, back = colours_of(style)
        x, y = left + column * CELL_W, top + CELL_H - 4.5
        if back:
            parts.append(f'<rect x="{number(x)}" y="{number(top)}" width="{number(width * CELL_W)}" height="{CELL_H}" '
                         f'fill="{back}"/>')
        blanks = len(text) - len(text.lstrip())
        text, x = text.strip(), x + blanks * CELL_W
        if text:
            length = number(CELL_W * sum(width_of(c) for c in text))
            parts.append(f'<text x="{number(x)}" y="{number(y)}" fill="{front}" textLength="{length}">'
                         f'{escape(text)}</text>')
    return parts


def draw_window(screen, title, left):
    width, height = COLUMNS * CELL_W + 2 * PAD, BAR + ROWS * CELL_H + 2 * PAD
    parts = [f'<rect x="{number(left)}" y="1" width="{number(width)}" height="{height}" rx="8" fill="{PANEL}"/>',
             f'<path d="M{number(left)} {1 + BAR}v-{BAR - 8}a8 8 0 0 1 8-8h{number(width - 16)}a8 8 0 0 1 8 8'
             f'v{BAR - 8}z" fill="{TITLE_BAR}"/>',
             f'<rect x="{number(left)}" y="1" width="{number(width)}" height="{height}" rx="8" fill="none" '
             f'stroke="{EDGE}"/>']
    parts += [f'<circle cx="{number(left + 18 + 16 * n)}" cy="{1 + BAR / 2}" r="5" fill="{EDGE}"/>' for n in range(3)]
    parts.append(f'<text x="{number(left + width / 2)}" y="{number(BAR / 2 + 5.5)}" fill="{TEXT}" text-anchor="middle">'
                 f'{escape(title)}</text>')
    x, y = left + PAD, 1 + BAR + PAD
    for at, row in enumerate(screen.cells):
        parts += draw_row(row, x, y + at * CELL_H)
    if screen.has_cursor:
        parts.append(f'<rect x="{number(x + screen.column * CELL_W)}" y="{y + screen.row * CELL_H}" '
                     f'width="{CELL_W}" height="{CELL_H}" fill="{TEXT}" fill-opacity="0.75"/>')
    return parts, width, height


def describe(screens):
    return " ".join(f"{title}: " + " / ".join(line.strip() for line in screen.lines() if line.strip())
                    for title, screen in screens)


def draw(screens):
    """The SVG of [(title, screen)], from left to right."""
    parts, left = [], 1
    for title, screen in screens:
        more, width, height = draw_window(screen, title, left)
        parts += more
        left += width + GAP
    width, height = number(left - GAP + 1), height + 2
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-labelledby="title said" xml:space="preserve" {LOOK}>\n'
            '<!-- SPDX-License-Identifier: Apache-2.0; made by tests/support/record_chat.py -->\n'
            '<title id="title">A customer and an agent in two terminals</title>\n'
            f'<desc id="said">{escape(describe(screens))}</desc>\n' + "\n".join(parts) + "\n</svg>\n")


# ---- the conversation

def ask(customer):
    customer.wait(r"\bonline\b(?!,)")
    customer.type("Hello! My order 4711 was due on Monday and has not arrived.")
    customer.wait("not arrived. ✓")


def talk(rig, customer, agent):
    agent.wait("Alice: Hello!")
    agent.type("/open 1")
    agent.wait("#1 Alice: Hello!")
    customer.wait("not arrived. ✓✓ read")
    agent.type("Hello Alice, I am sorry. Let me see.")
    customer.wait("#2 Kim: Hello Alice")
    agent.wait("Let me see. ✓✓ read")
    agent.type("/note wrong label; the depot has printed another one")
    agent.wait("another one ✓")
    agent.type("It took a detour, but it is on its way again. It will be with you on Thursday.")
    customer.wait("#3 Kim: It took")
    customer.type("Thank you, that was quick!")
    agent.wait("#4 Alice: Thank you")
    customer.wait("quick! ✓✓ read")
    if rig.server.stop() != 0:
        raise Failed("the server did not end in order")
    customer.wait(r"\boffline\b")
    agent.wait(r"\boffline\b")
    customer.type("I have no network here, so this may reach you late: could a neighbour take the parcel?")
    customer.wait(r"the parcel\? \(queued\).*\| 1 queued")
    rig.server.start()
    agent.wait("#5 Alice: I have no network", 60)
    customer.wait(r"#5 me: I have no network.*the parcel\? ✓✓ read", 60)
    agent.type("It came through! The courier knows.")
    customer.wait("#6 Kim: It came")
    agent.wait("courier knows. ✓✓ read")
    for terminal in (customer, agent):
        terminal.wait(r"\bonline\b(?!,)", 60)
    customer.type("Perfect, thanks", end="")
    agent.wait("is writing")
    customer.wait("> Perfect, thanks")


def run():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__ + f"usage: {os.path.basename(sys.argv[0])} OUT.svg", file=sys.stderr)
        sys.exit(64)
    with Rig("record-chat", 1) as rig:
        rig.start_server()
        kim = rig.agent("Kim")
        token = rig.user_token("alice", lifetime_s=20 * 3600, name="Alice")
        zone = morning()
        customer = Terminal(rig, "customer", zone, "--token", token)
        ask(customer)
        agent = Terminal(rig, "agent", zone, "--agent-token", kim.token)
        talk(rig, customer, agent)
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
        rig.check_logs()
        with open(sys.argv[1], "w", encoding="utf-8") as f:
            f.write(picture)
        print(f"record-chat: {sys.argv[1]}, {len(picture.encode())} bytes")


if __name__ == "__main__":
    main(run)
