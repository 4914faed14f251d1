# SPDX-License-Identifier: Apache-2.0
"""The numbers of bot.report, counted again from an export of rows, slowly and from the words of docs/bots.md alone."""
import math
from collections import Counter, defaultdict

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SILENT, DECIDED = 30 * MINUTE, 72 * HOUR
(ANSWERED, OFFERED, MISSED, IN_FLOW, HELPED, NOT_HELPED, HANDED, TICKET, CLOSED, FAILED, HELD_OUT, PERSON, GIVEN_BACK,
 QUIET, TAGGED) = range(1, 16)
TURNS = {ANSWERED, OFFERED, MISSED, IN_FLOW, HANDED, TICKET, CLOSED, FAILED, QUIET}
HANDOFFS = {HANDED, TICKET, FAILED}
PEOPLE = HANDOFFS | {PERSON}


class Episode(list):
    """Rows, in order."""

    def ends(self):
        return self[-1]["at"]

    def has(self, kinds, before=math.inf):
        return any(r["kind"] in kinds and r["at"] < before for r in self)

    def last(self, kinds):
        return next((r["kind"] for r in reversed(self) if r["kind"] in kinds), None)

    def first(self, member):
        return next((r[member] for r in self if r[member]), None)

    def rules(self):
        return {r["rule"] for r in self if r["kind"] in (ANSWERED, IN_FLOW, CLOSED) and r["rule"]}


def silence(row, before, entries):
    """Without any message and any row, before the message that the row answers."""
    gap = row["at"] - before["at"]
    ts = {e["seq"]: e["ts"] for e in entries}
    if row["seq"] and row["seq"] in ts and row["seq"] - 1 in ts:
        gap = min(gap, ts[row["seq"]] - ts[row["seq"] - 1])
    return gap


def episodes(rows, entries):
    made = []
    held_out = False
    for i, row in enumerate(rows):
        held_out = held_out or row["kind"] == HELD_OUT
        alive = bool(made) and not held_out and row["at"] - made[-1].ends() < DECIDED
        if row["kind"] in TURNS:
            if alive and silence(row, rows[i - 1], entries) < SILENT:
                made[-1].append(row)
            else:
                made.append(Episode([row]))
            held_out = False
        elif alive and row["kind"] in (HELPED, NOT_HELPED, PERSON, TAGGED):
            made[-1].append(row)
    return made


def outcome(episode, following, now):
    if episode.has(PEOPLE):
        return "handed_off"
    if now - episode.ends() < DECIDED:
        return "open"
    acts = {ANSWERED, OFFERED, MISSED, IN_FLOW, CLOSED, HELPED, NOT_HELPED}
    if episode.last(acts) not in (ANSWERED, CLOSED, HELPED):
        return "left"
    if episode.last({HELPED, NOT_HELPED}) == HELPED:
        return "confirmed"
    until = episode.ends() + DECIDED
    if following and following[0]["at"] < until and (
            following.has(PEOPLE, until) or following[0]["rule"] in episode.rules()):
        return "returned"
    return "assumed"


def tapped(row, entries):
    """first, second, third, other; None: nothing was."""
    offered = next((e for e in entries if row["seq"] < e["seq"] <= row["seq"] + 8 and e["kind"] == "choices"), None)
    for entry in entries if offered else []:
        pressed = entry["content"].get("pressed")
        if entry["seq"] > row["seq"] + 8 or not pressed or pressed["seq"] != offered["seq"]:
            continue
        ids = [c["id"] for c in offered["content"]["choices"]]
        at = ids.index(pressed["id"])
        return "other" if pressed["id"] in ("none", "person", "keep") or at > 2 else ("first", "second", "third")[at]
    return None


def newcombe(a, m, b, n):
    z = 1.959963984540054

    def wilson(x, k):
        p = x / k
        half = z * math.sqrt(p * (1 - p) / k + z * z / (4 * k * k))
        return (p + z * z / (2 * k) - half) / (1 + z * z / k), (p + z * z / (2 * k) + half) / (1 + z * z / k)

    (l1, u1), (l2, u2), p, q = wilson(a, m), wilson(b, n), a / m, b / n
    return p - q, p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2)


class Recount:
    def __init__(self, now, since, until, lang=None, version=None):
        self.now, self.since, self.until, self.lang, self.version = now, since, until, lang, version
        self.outcomes, self.coverage, self.choices, self.words = Counter(), Counter(), Counter(), Counter()
        self.answers, self.days, self.waits = defaultdict(Counter), defaultdict(Counter), []
        self.handed, self.holdout = 0, Counter()

    def conversation(self, rows, entries):
        made = episodes(rows, entries)
        wanted = [(e, f) for e, f in zip(made, made[1:] + [None]) if self.is_wanted(e)]
        for episode, following in wanted:
            self.outcomes[outcome(episode, following, self.now)] += 1
            self.count(episode, rows, entries)
        self.outcomes["episodes"] += len(wanted)
        self.outcomes["conversations"] += bool(wanted)
        self.count_holdout(rows)

    def is_wanted(self, episode):
        return (self.since <= episode[0]["at"] < self.until and
                (not self.lang or episode.first("lang") == self.lang) and
                (not self.version or episode.first("version") == self.version))

    def count(self, episode, rows, entries):
        last, flow, needed = None, None, False
        for row in episode:
            kind = row["kind"]
            if kind in (ANSWERED, OFFERED, MISSED):
                name = {ANSWERED: "answered", OFFERED: "choices", MISSED: "missed"}[kind]
                self.coverage[name] += 1
                day = self.days[(row["at"] // DAY, row["lang"])]
                day["questions"] += 1
                day["missed"] += kind == MISSED
            if kind == OFFERED:
                self.choices["offered"] += 1
                self.choices[tapped(row, entries)] += 1
            if kind in HANDOFFS:
                self.count_wait(row, rows)
            step = kind in (IN_FLOW, CLOSED) and row["rule"]
            if kind == ANSWERED or (step and row["rule"] != flow):
                self.answers[row["rule"]]["shown"] += 1
                last = row["rule"]
            if step or (kind in TURNS and kind != CLOSED):
                flow = row["rule"] if step else None
            if kind in (HELPED, NOT_HELPED):
                name = "helped" if kind == HELPED else "not_helped"
                self.words[name] += 1
                self.answers[row["rule"] or last][name] += 1
            if kind in PEOPLE and not needed:
                self.answers[last]["handed_off"] += 1
                needed = True

    def count_wait(self, row, rows):
        self.handed += 1
        for later in rows[rows.index(row) + 1:]:
            if later["kind"] in HANDOFFS:
                return
            if later["kind"] == PERSON:
                self.waits.append(later["at"] - row["at"])
                return

    def count_holdout(self, rows):
        start = next((r for r in rows if r["at"] >= self.since and r["kind"] in TURNS | {HELD_OUT}), None)
        if not start or start["at"] >= self.until or self.now - start["at"] < DECIDED:
            return
        side = "held_out" if start["kind"] == HELD_OUT else "bot"
        within = [r for r in rows[rows.index(start):] if r["at"] < start["at"] + DECIDED]
        self.holdout[side] += 1
        self.holdout[side + "_people"] += any(r["kind"] == PERSON for r in within)

    def result(self):
        """As bot.report tells it; days and answers as dictionaries."""
        waits = {"handed": self.handed, "reached": len(self.waits)}
        for name, share in (("median_ms", 50), ("p90_ms", 90)):
            if self.waits:
                waits[name] = sorted(self.waits)[math.ceil(len(self.waits) * share / 100) - 1]
        holdout = {k: self.holdout[k] for k in ("bot", "bot_people", "held_out", "held_out_people")}
        if holdout["bot"] and holdout["held_out"]:
            for name, value in zip(("difference", "low", "high"),
                                   newcombe(holdout["held_out_people"], holdout["held_out"], holdout["bot_people"],
                                            holdout["bot"])):
                holdout[name] = value * 10000
        names = ("episodes", "conversations", "confirmed", "assumed", "returned", "handed_off", "left", "open")
        return {
            "outcomes": {n: self.outcomes[n] for n in names},
            "coverage": {n: self.coverage[n] for n in ("answered", "choices", "missed")},
            "choices": {n: self.choices[n] for n in ("offered", "first", "second", "third", "other")},
            "helped": self.words["helped"], "not_helped": self.words["not_helped"],
            "waits": waits, "holdout": holdout,
            "days": {k: dict(v) for k, v in self.days.items()},
            "answers": {k: {n: v[n] for n in ("shown", "helped", "not_helped", "handed_off")}
                        for k, v in self.answers.items() if k},
        }
