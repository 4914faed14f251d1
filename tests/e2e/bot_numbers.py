#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a bot did, told by `deskbell bot report` and counted again from the rows by bot_recount.py: the same, on a store
that is served and on one that is not, for all of it and by language, version and time. Then what customers asked and
the bot did not know: questions alike stand together, learning makes a draft that knows them and publishes nothing, what
is settled is not shown again; and an erased person's words are gone from all of it.
"""
import json
import os
import sqlite3
import time

import rigs
from bot_recount import (ANSWERED, CLOSED, DAY, FAILED, GIVEN_BACK, HANDED, HELD_OUT, HELPED, HOUR, IN_FLOW, MINUTE,
                         MISSED, NOT_HELPED, OFFERED, PERSON, QUIET, TAGGED, TICKET, Recount)
from harness import Failed, Rig, main, run_program
from wire import Wire

RULES = ["faq opening", "faq refund", "faq gift cards", "flow return.start"]
GAPS = [2000, MINUTE, 20 * MINUTE, 29 * MINUTE, 31 * MINUTE, 5 * HOUR, 30 * HOUR, 71 * HOUR, 73 * HOUR, 9 * DAY]
FILES = {"shop.bot": """bot 1
lang en
faq opening
  ? When are you open?
  ? What are your opening hours?
  ? Are you open on Sundays?
  ? Until when can I call you?
  ? Do you have people working at night?
  = We are here Monday to Friday from 9 to 18.
faq refund
  ? How do I get a refund?
  ? I want my money back
  ? Can I return what I bought?
  ? What is your refund policy?
  ? How long do I have to send something back?
  = You can return items within 30 days.
"""}


def cmid(rig):
    return rig.random.getrandbits(128).to_bytes(16, "big").hex()


def expect(condition, what):
    if not condition:
        raise Failed(what)


def deskbell(rig, *args, check=True):
    return run_program("deskbell", *args, "--data", rig.server.data, check=check)


def said(rig, *args):
    return json.loads(deskbell(rig, *args, "--json").stdout)


class Teller:
    """Tells one conversation into the store, row by row, and keeps what it told for the recount."""

    def __init__(self, rig, db, bot, app, customer, number):
        self.rig, self.db, self.bot, self.conv = rig, db, bot, 100000 + number
        self.rows, self.entries, self.seq = [], [], 0
        self.at = int(time.time() * 1000) - rig.random.randrange(60 * DAY)
        self.lang, self.offered = rig.random.choice(["en", "en", "ko", ""]), None
        db.execute("INSERT INTO conversation(id, workspace, ext, app, customer, key, created_ms) VALUES (?,1,?,?,?,?,?)",
                   (self.conv, (number + 1) << 30, app, customer, f"told-{number}", self.at))

    def entry(self, kind, content, author=1):
        self.seq += 1
        self.db.execute("INSERT INTO entry(conv, log, seq, ts, author, kind, body) VALUES (?,0,?,?,?,?,?)",
                        (self.conv, self.seq, self.at, author, {"text": 1, "choices": 3}[kind], json.dumps(content)))
        self.entries.append({"seq": self.seq, "ts": self.at, "kind": kind, "content": content})

    def row(self, kind, rule="", seq=0, version=0):
        self.db.execute("INSERT INTO bot_event(bot, conv, seq, at_ms, kind, version, rule, lang) VALUES (?,?,?,?,?,?,?,?)",
                        (self.bot, self.conv, seq, self.at, kind, version, rule, self.lang))
        self.rows.append({"at": self.at, "seq": seq, "kind": kind, "version": version, "rule": rule, "lang": self.lang})

    def ask(self):
        content = {"text": "how do I"}
        if self.offered and self.rig.random.random() < 0.7:
            ids = [c["id"] for c in self.entries[self.offered - 1]["content"]["choices"]]
            content["pressed"] = {"seq": self.offered, "id": self.rig.random.choice(ids)}
        self.offered = None
        self.entry("text", content)

    def turn(self):
        draw = self.rig.random
        self.ask()
        seq, rule, version = self.seq, draw.choice(RULES), draw.choice([1, 2, 0])
        self.at += draw.choice([100, 5000])
        kind = draw.choice([ANSWERED] * 6 + [OFFERED] * 3 + [MISSED, IN_FLOW, IN_FLOW, CLOSED, HELPED, HELPED, NOT_HELPED,
                                                              QUIET, HANDED, TICKET, FAILED])
        self.row(kind, rule if kind in (ANSWERED, IN_FLOW, CLOSED, HELPED, NOT_HELPED) else "", seq, version)
        if kind == OFFERED:
            ids = [f"a-{i}" for i in range(draw.randrange(1, 4))] + ["none", "person"]
            self.entry("choices", {"fallback_text": "x", "choices": [{"id": i, "label": i} for i in ids]}, 2)
            self.offered = self.seq
        if draw.random() < 0.1:
            self.row(TAGGED, "vip")
        if draw.random() < 0.1:
            self.row(CLOSED)
        if kind in (HANDED, TICKET, FAILED) or draw.random() < 0.05:
            self.people()

    def people(self):
        """A person comes, sooner or later or never, and they talk a while; then the bot may get it back."""
        draw = self.rig.random
        if draw.random() < 0.2:
            return
        self.at += draw.choice([MINUTE, 10 * MINUTE, 3 * HOUR, 80 * HOUR])
        self.entry("text", {"text": "hello"}, 3)
        self.row(PERSON)
        for _ in range(draw.randrange(6)):
            self.at += draw.choice([MINUTE, 20 * MINUTE])
            self.entry("text", {"text": "yes"}, draw.choice([1, 3]))
        if draw.random() < 0.5:
            self.row(GIVEN_BACK)

    def tell(self):
        draw, now = self.rig.random, int(time.time() * 1000)
        for _ in range(draw.randrange(1, 12)):
            if draw.random() < 0.08:
                self.ask()
                self.row(HELD_OUT)
                self.people()
            else:
                self.turn()
            self.at += draw.choice(GAPS)
            if self.at > now - 90 * HOUR and draw.random() < 0.5 or self.at > now - 4 * HOUR:
                break
        self.db.execute("UPDATE conversation SET head = ?, last_ts = ? WHERE id = ?", (self.seq, self.at, self.conv))


def tell_conversations(rig, bot, count):
    db = sqlite3.connect(os.path.join(rig.server.data, "deskbell.db"))
    app, customer = db.execute("SELECT app, customer FROM conversation LIMIT 1").fetchone()
    row = db.execute("SELECT b.id FROM bot b").fetchone()[0]
    tellers = [Teller(rig, db, row, app, customer, n) for n in range(count)]
    for teller in tellers:
        teller.tell()
    hashes = [h.hex() for (h,) in db.execute("SELECT hash FROM bot_version ORDER BY id")]
    db.commit()
    db.close()
    return tellers, hashes


def compare(rig, tellers, what, *args, **limits):
    told = said(rig, "bot", "report", *args)
    recount = Recount(int(time.time() * 1000), told["from"], told["to"], **limits)
    for teller in tellers:
        recount.conversation(teller.rows, teller.entries)
    wanted = recount.result()
    days = {}
    for d in told["days"]:
        number = int(time.mktime(time.strptime(d["day"] + " UTC", "%Y-%m-%d %Z")) - time.timezone) * 1000 // DAY
        days[(number, d.get("lang", ""))] = {"questions": d["questions"], "missed": d["missed"]}
    told["days"] = days
    told["answers"] = {a.pop("rule"): a for a in told["answers"]}
    for name in ("difference", "low", "high"):
        if name in wanted["holdout"]:
            value = wanted["holdout"].pop(name)
            expect(abs(told["holdout"][name] - value) <= 0.5001, f"{what}: {name} {value}, told {told['holdout']}")
        told["holdout"].pop(name, None)
    for name, value in wanted.items():
        expect(told[name] == value, f"{what}: {name} is told as {told[name]}, counted as {value}")
    outcomes = told["outcomes"]
    parts = sum(v for k, v in outcomes.items() if k not in ("episodes", "conversations"))
    expect(parts == outcomes["episodes"], f"{what}: the outcomes add up to {parts} of {outcomes['episodes']}")
    return outcomes


def day(ms):
    return time.strftime("%Y-%m-%d", time.gmtime(ms / 1000))


def numbers(rig, bot, count):
    rig.server.stop()
    tellers, hashes = tell_conversations(rig, bot, count)
    now = int(time.time() * 1000)
    for served in (False, True):
        if served:
            rig.server.start()
        outcomes = compare(rig, tellers, "the last 30 days")
        everything = compare(rig, tellers, "all", "--from", day(now - 90 * DAY))
        compare(rig, tellers, "a stretch", "--from", day(now - 40 * DAY), "--to", day(now - 20 * DAY))
        compare(rig, tellers, "ko", "--lang", "ko", lang="ko")
        compare(rig, tellers, "a version", "--of", hashes[0][:8], version=1)
        expect(min(everything[n] for n in ("confirmed", "assumed", "returned", "handed_off", "left", "open")) > 0,
               f"not all outcomes came: {everything}")
    table = deskbell(rig, "bot", "report").stdout
    expect(f"{outcomes['episodes']} episodes" in table and "confirmed" in table, table)
    refused = deskbell(rig, "bot", "report", "--from", "2020-01-01", check=False)
    expect(refused.returncode == 65 and "from" in refused.stderr, f"400 days and more: {refused.stderr}")
    return everything


def put_questions(rig, conv, texts):
    """As the bot would: the customer asked it, and it was not sure."""
    with Wire(rig.server.port) as wire:
        wire.open_session(rig.people[0].token if conv == rig.people[0].conv else rig.people[1].token)
        seqs = [wire.call("message.send", {"cmid": cmid(rig), "conv": conv, "kind": "text", "text": t})["seq"]
                for t in texts]
    rig.server.stop()
    db = sqlite3.connect(os.path.join(rig.server.data, "deskbell.db"))
    bot = db.execute("SELECT id FROM bot").fetchone()[0]
    ids = {}
    for seq, text in zip(seqs, texts):
        row = db.execute("SELECT id FROM conversation WHERE head >= ? AND id IN (SELECT conv FROM entry WHERE body LIKE ?)",
                         (seq, f"%{text[:12]}%")).fetchone()[0]
        ids[text] = db.execute("INSERT INTO bot_event(bot, conv, seq, at_ms, kind, lang, question) VALUES (?,?,?,?,3,'en',?)",
                               (bot, row, seq, int(time.time() * 1000), text)).lastrowid
        db.execute("INSERT OR REPLACE INTO bot_state(conv, bot, asked, answered, state) VALUES (?,?,?,?,?)",
                   (row, bot, seq, seq, json.dumps({"slots": {"seen": text}})))
    db.commit()
    db.close()
    rig.server.start()
    return ids, seqs


def questions(rig, ann):
    asked = ["until when are you open today", "are you open until late today?", "how late are you open today",
             "gift cards, do you sell them", "do you sell gift cards"]
    ids, _ = put_questions(rig, ann.conv, asked)
    found = said(rig, "bot", "questions")
    expect(found["questions"] == 5, f"{found['questions']} questions")
    clusters = [{q["text"] for q in c["questions"]} for c in found["clusters"]]
    expect(set(asked[3:]) in clusters, f"clusters: {clusters}")
    first = found["clusters"][0]
    expect(first["count"] >= 2 and first["title"] == first["questions"][0]["text"], f"the first cluster: {first}")
    expect(first["questions"][0]["nearest"][0] == "faq opening", f"nearest: {first['questions'][0]}")
    expect("faq opening" in deskbell(rig, "bot", "questions").stdout, "the table says no nearest answer")

    live = said(rig, "bot", "list")["bots"][0]["live"]
    learned = said(rig, "bot", "learn", "faq opening", str(ids[asked[0]]), str(ids[asked[1]]))
    expect(learned["added"] == 2 and learned["settled"] == 2, f"learned: {learned}")
    again = said(rig, "bot", "learn", "faq opening", str(ids[asked[2]]))
    source = deskbell(rig, "bot", "pull", again["version"][:12]).stdout
    expect(all(t in source for t in asked[:3]), f"a draft does not build on the draft before it:\n{source}")
    expect(said(rig, "bot", "list")["bots"][0]["live"] == live, "learning has published something")
    expect(said(rig, "bot", "questions")["questions"] == 2, "what was learned is still asked")
    unknown = deskbell(rig, "bot", "learn", "faq closing", str(ids[asked[3]]), check=False)
    expect(unknown.returncode == 65 and "answer" in unknown.stderr, f"an unknown answer: {unknown.stderr}")
    nobody = deskbell(rig, "bot", "learn", "faq opening", "999999", check=False)
    expect(nobody.returncode == 65 and "questions" in nobody.stderr, f"an unknown question: {nobody.stderr}")

    rig.server.stop()  # the same without a server
    expect(said(rig, "bot", "settle", str(ids[asked[3]]), str(ids[asked[0]]))["settled"] == 1, "settled twice")
    left = said(rig, "bot", "questions")
    expect([q["text"] for c in left["clusters"] for q in c["questions"]] == [asked[4]], f"left: {left}")
    gift = said(rig, "bot", "learn", "faq refund", str(ids[asked[4]]))
    expect(asked[4] in deskbell(rig, "bot", "pull", gift["version"][:12]).stdout, "not learned without a server")
    rig.server.start()


def rows_with(rig, word):
    db = sqlite3.connect(os.path.join(rig.server.data, "deskbell.db"))
    found = db.execute("SELECT (SELECT COUNT(*) FROM bot_event WHERE question LIKE ?1), "
                       "(SELECT COUNT(*) FROM bot_state WHERE state LIKE ?1)", (f"%{word}%",)).fetchone()
    db.close()
    return found


def forgetting(rig, bob):
    texts = ["zirbelkiefer one", "zirbelkiefer two", "zirbelkiefer three"]
    _, seqs = put_questions(rig, bob.conv, texts)
    expect(rows_with(rig, "zirbelkiefer") == (3, 1), f"put: {rows_with(rig, 'zirbelkiefer')}")
    with Wire(rig.server.port) as wire:
        wire.open_session(bob.token)
        wire.call("message.erase", {"cmid": cmid(rig), "conv": bob.conv, "of": seqs[0]})
        wire.call("message.edit", {"cmid": cmid(rig), "conv": bob.conv, "of": seqs[1], "version": 1, "text": "larch"})
    expect(rows_with(rig, "zirbelkiefer")[0] == 1, "an erased or edited message is still asked")
    held = [json.loads(line) for line in deskbell(rig, "export", "--customer", bob.principal).stdout.splitlines()]
    expect([r["question"] for r in held if r["type"] == "bot_question"] == [texts[2]] and
           any(r["type"] == "bot_state" and "zirbelkiefer" in r["state"] for r in held), f"the export: {held}")
    deskbell(rig, "erase", "--customer", bob.principal, "--yes")
    expect(rows_with(rig, "zirbelkiefer") == (0, 0), f"after the erasure: {rows_with(rig, 'zirbelkiefer')}")
    expect(said(rig, "bot", "questions")["questions"] == 0, "an erased person's question is told")
    for name in os.listdir(rig.server.data):
        path = os.path.join(rig.server.data, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                expect(b"zirbelkiefer" not in file.read(), f"an erased person's word is in {name}")


def run():
    args = rigs.options(__doc__, 150, 3000)
    with Rig("bot_numbers", args.seed) as rig:
        rig.start_server()
        ann, bob = rig.customer("ann"), rig.customer("bob")
        folder = os.path.join(rig.folder, "shop")
        os.makedirs(folder)
        for name, text in FILES.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        made = said(rig, "bot", "add", "--app", rig.app, "--name", "Shop")
        deskbell(rig, "bot", "push", "--publish", folder)
        deskbell(rig, "bot", "set", "--off")
        everything = numbers(rig, made["bot"], args.count)
        questions(rig, ann)
        forgetting(rig, bob)
        rig.server.stop()
        deskbell(rig, "check", "--deep")
        print(f"bot_numbers: counted twice the same: {everything}")


if __name__ == "__main__":
    main(run)
