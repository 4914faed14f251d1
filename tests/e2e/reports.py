#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports that can be believed: agents and bots with a past, then tickets that live through everything a ticket can live through on a running
server that is killed in between; then every cell of every metric is counted again from the export alone (tests/reports/recount.py),
in two time zones, and the server's own check finds nothing.
"""
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

import rigs
from harness import Failed, Rig, main, program, run_program, wait_until
from wire import Wire, WireError, new_cmid

SURVEY = {"name": "After a ticket", "metric": "csat", "style": "stars", "on": ["solved"], "min_text": 0, "interval_days": 0,
          "lang": "en", "texts": [{"lang": "en", "question": "How did we do?", "comment": "Anything else?", "thanks": "Thank you"}]}
HOUR_MS, DAY_MS = 3600 * 1000, 24 * 3600 * 1000
RECOUNT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reports", "recount.py")


def recount(rig):
    done = subprocess.run([sys.executable, "-B", RECOUNT, "--data", rig.server.data, "--program", program("deskbell")],
                          capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    print(done.stdout.strip().splitlines()[-1])


def check(rig):
    done = run_program("deskbell", "report", "check", "--data", rig.server.data, check=False)
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)


def survey_file(rig):
    path = os.path.join(rig.folder, "survey.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(SURVEY, out)
    return path


def put_agents_past(db, dice, now_ms):
    """Three weeks of coming, going and being away, for reasons of which two have a bound."""
    db.execute("INSERT INTO away_reason SELECT id, 'lunch', 45 FROM workspace UNION SELECT id, 'break', 10 FROM workspace")
    for (agent,) in db.execute("SELECT id FROM principal WHERE role = 2").fetchall():
        at = now_ms - 21 * DAY_MS
        while at < now_ms - HOUR_MS:
            status = dice.choice([1, 1, 2, 3, 3, 4])
            reason = dice.choice(["", "lunch", "break", "training"]) if status == 3 else ""
            db.execute("INSERT INTO agent_status_log(agent, at_ms, status, reason) VALUES (?, ?, ?, ?)", (agent, at, status, reason))
            at += dice.randint(1, 5 * HOUR_MS)


def put_bots_past(db, dice, now_ms):
    """Bots that did all that bots do, some of it just now."""
    for ext in (77, 78):
        db.execute("INSERT INTO principal(workspace, ext, role, name, created_ms) SELECT id, ?, 3, 'Robin', 1 FROM workspace", (ext,))
        db.execute("INSERT INTO bot(workspace, app, principal, kind, removed_ms, created_ms) SELECT p.workspace, a.id, p.id, 1, 1, 1 "
                   "FROM principal p, app a WHERE p.ext = ? LIMIT 1", (ext,))
    bots = [row for (row,) in db.execute("SELECT id FROM bot")]
    for conv, head in db.execute("SELECT id, head FROM conversation").fetchall():
        at = now_ms - 21 * DAY_MS
        while at < now_ms - HOUR_MS:
            db.execute("INSERT INTO bot_event(bot, conv, seq, at_ms, kind, rule, lang) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       (dice.choice(bots), conv, dice.randint(0, head), at, dice.choice([1, 1, 1, 2, 3, 4, 5, 5, 6, 7, 9, 10, 11, 12, 14, 15]),
                        dice.choice(["", "faq refund", "faq delivery"]), dice.choice(["", "en", "ko"])))
            at += dice.choice([dice.randint(1, 20 * 60 * 1000), dice.randint(1, 8 * HOUR_MS), dice.randint(1, 5 * DAY_MS)])
    db.execute("UPDATE report_state SET episodes = 0")  # as a version that did not count them leaves it


def put(rig, past):
    db = sqlite3.connect(os.path.join(rig.server.data, "deskbell.db"))
    with db:
        past(db, random.Random(5), int(time.time() * 1000))
    db.close()


class Play:
    """Random lives of a few tickets, over the wire."""

    def __init__(self, rig, number):
        self.rig, self.dice = rig, random.Random(number)
        self.customers = [rig.customer(f"u{i}") for i in range(6)]
        self.agents = [rig.agent(name) for name in ("Ann", "Bob")]

    def as_agent(self, wire, conv, method, **more):
        ticket = wire.call("ticket.get", {"conv": conv})["ticket"]
        wire.call(method, {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"], **more})

    def rate(self, customer, conv):
        asked = [entry for entry in customer.read_log(conv)[0] if entry["kind"] == "survey"]
        rated = {"seq": asked[-1]["seq"], "score": self.dice.randint(1, 5)} if asked else {"seq": 1, "score": 1}
        customer.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "rating", "rated": rated, "fallback_text": "stars"})

    def step(self, customer, agent, who):
        dice, conv = self.dice, who.conv
        kind = dice.choice(["say", "say", "answer", "answer", "erase", "topic", "assign", "wait", "solve", "solve", "spam", "rate", "rate"])
        if kind == "rate":
            self.rate(customer, conv)
            return
        if kind == "say":
            customer.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "hello"})
        elif kind == "answer":
            agent.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "yes"})
        elif kind == "erase":
            sent = agent.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "no"})
            agent.call("message.edit", {"cmid": new_cmid(), "conv": conv, "of": sent["seq"], "version": 1, "text": "well"})
            agent.call("message.erase", {"cmid": new_cmid(), "conv": conv, "of": sent["seq"]})
        elif kind == "topic":
            self.as_agent(agent, conv, "ticket.set", topic=dice.choice(["bills", "보증", "配送"]), priority=dice.choice(["low", "urgent"]))
        elif kind == "assign":
            self.as_agent(agent, conv, "ticket.assign", assignee=dice.choice(self.agents).principal)
        else:
            to = {"wait": "waiting", "solve": "solved", "spam": "closed"}[kind]
            self.as_agent(agent, conv, "ticket.move", to=to, **({"reason": "spam"} if kind == "spam" and dice.random() < 0.3 else {}))

    def run(self, steps):
        done = 0
        for _ in range(6):
            who = self.dice.choice(self.customers)
            with Wire(self.rig.server.port) as customer, Wire(self.rig.server.port) as agent:
                customer.open_session(who.token)
                agent.open_session(self.dice.choice(self.agents).token)
                for _ in range(steps // 6):
                    try:
                        self.step(customer, agent, who)
                        done += 1
                    except WireError as refusal:  # closed, or not on the table of its life
                        if refusal.tag not in ("not_found", "locked", "conflict", "bad_request", "stale"):
                            raise
        if done < steps // 3:
            raise Failed(f"only {done} of {steps} steps were taken")


def run():
    args = rigs.options(__doc__, 150, 2000)
    with Rig("reports", args.seed) as rig:
        rig.start_server()
        run_program("deskbell", "survey", "add", "--data", rig.server.data, "--file", survey_file(rig))
        play = Play(rig, 11)
        rig.server.stop()
        put(rig, put_agents_past)
        rig.server.start()
        play.run(args.count)
        rig.server.kill()
        put(rig, put_bots_past)
        rig.server.start()
        play.run(args.count)
        check(rig)
        recount(rig)
        run_program("deskbell", "report", "rebuild", "--zone", "Asia/Kathmandu", "--data", rig.server.data)
        wait_until("the reports are whole again", lambda: "building" not in json.loads(run_program(
            "deskbell", "report", "check", "--json", "--data", rig.server.data, check=False).stdout))
        check(rig)
        recount(rig)


if __name__ == "__main__":
    main(run)
