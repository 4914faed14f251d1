#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A store from before surveys, recovery cases and reports (schema 8) is opened by the server of today: every entry and
ticket is there, the reports are made from what is stored, customers are asked how it went, and the check is clean. A copy
of the old store is kept, and until it is opened `deskbell check` says what to do.

The store is filled by today's program, then laid out anew as the migrations up to 8 lay it out: what those tables held is
there, the rest never was.
"""
import json
import os
import sqlite3
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from harness import Failed, Rig, main, run_program, wait_until  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

OLD = 8
SHOWN = ("tickets", "solved", "reopened", "backlog", "first_response", "resolution", "customer_messages", "staff_messages")


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def deskbell(rig, *args, check=True):
    return run_program("deskbell", *args, "--data", rig.server.data, check=check)


def make_old(path):
    """The same rows in the tables and columns of schema 8."""
    folder = os.path.join(ROOT, "server", "store", "migrations", "sqlite")
    new, aged = path + ".new", path + ".aged"
    os.rename(path, new)
    with sqlite3.connect(aged) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for name in sorted(os.listdir(folder))[:OLD]:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                db.executescript(file.read())
        db.execute("ATTACH ? AS new", (new,))
        db.execute("PRAGMA foreign_keys = OFF")
        for (table,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"DELETE FROM main.{table}")
            db.execute(f"INSERT INTO main.{table}({columns}) SELECT {columns} FROM new.{table}")
        db.execute("UPDATE main.meta SET value = ? WHERE name = 'schema'", (OLD,))
    db.close()
    kept = os.stat(new)
    os.chmod(aged, kept.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(aged, kept.st_uid, kept.st_gid)
    os.remove(new)
    os.rename(aged, path)


def send(wire, conv, text):
    return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})["seq"]


def move(agent, conv, to):
    ticket = agent.call("ticket.get", {"conv": conv})["ticket"]
    agent.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"], "to": to})


def fill(rig, agent, people):
    """ann is helped, bob waits for more, cho came back, dan for a first answer."""
    for name, who in people.items():
        with Wire(rig.server.port) as wire:
            wire.open_session(who.token)
            send(wire, who.conv, f"a lamp of {name} is broken")
            if name == "dan":
                continue
            send(agent, who.conv, "it is on its way")
            if name == "bob":
                continue
            move(agent, who.conv, "solved")
            if name == "cho":
                send(wire, who.conv, "it is dark again")


def all_of(rig, agent, people):
    """Entries and tickets, as an agent reads them."""
    logs = {name: agent.read_log(who.conv) for name, who in people.items()}
    return logs, [agent.call("ticket.get", {"conv": who.conv})["ticket"] for who in people.values()]


def numbers(rig):
    """What the reports say of today and yesterday, when they are whole."""
    shown = json.loads(deskbell(rig, "report", "overview", "--last", "2d", "--json").stdout)
    named = zip([column["metric"] for column in shown["columns"]], shown["totals"])
    return {metric: (cell.get("value"), cell["n"]) for metric, cell in named if metric in SHOWN}


def asked_and_answered(rig, agent, who):
    """A survey is made, a ticket solved, its customer asked; what he answers is stored."""
    deskbell(rig, "survey", "add", "--name", "How was it")
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        wire.read_log(who.conv)
        for text in ("what else is there to say about it " * 8, "thank you for all of that " * 8):
            send(wire if text.startswith("what") else agent, who.conv, text)
        move(agent, who.conv, "solved")
        offer, = agent.call("survey.offers", {"conv": who.conv})["offers"]
        expect(offer["state"], "waiting", f"the customer is asked ({offer.get('reason')})")
        wire.call("message.send", {"cmid": new_cmid(), "conv": who.conv, "kind": "rating", "fallback_text": "4/5",
                                   "rated": {"seq": offer["seq"], "score": 4}})
    offer, = agent.call("survey.offers", {"conv": who.conv})["offers"]
    expect((offer["state"], offer["score"]), ("answered", 4), "the answer")


def run():
    with Rig("old-server-store") as rig:
        rig.start_server()
        eve, people = rig.agent("Eve"), {name: rig.customer(name) for name in ("ann", "bob", "cho", "dan")}
        with Wire(rig.server.port) as agent:
            agent.open_session(eve.token)
            fill(rig, agent, people)
            before = all_of(rig, agent, people)
        told = numbers(rig)
        expect((told["tickets"][0], told["solved"][0], told["backlog"][0]), (4, 2, 3), "the numbers of a new store")
        expect(rig.server.stop(), 0, "the end of the server")
        path = os.path.join(rig.server.data, "deskbell.db")
        make_old(path)
        refused = deskbell(rig, "check", check=False)
        expect((refused.returncode, f"its schema is {OLD}" in refused.stderr), (69, True), f"the check: {refused.stderr}")

        rig.server.start()
        with Wire(rig.server.port) as agent:
            agent.open_session(eve.token)
            expect(all_of(rig, agent, people), before, "what is stored")
            wait_until("the reports are whole", lambda: "4 tickets" in deskbell(rig, "report", "check").stdout)
            expect(numbers(rig), told, "the numbers of the old store")
            asked_and_answered(rig, agent, people["bob"])
        expect(numbers(rig)["solved"][0], 3, "what is solved since")
        expect(deskbell(rig, "report", "check").stdout.count("0 differ"), 1, "the reports")
        expect(rig.server.stop(), 0, "the end of the server")
        expect(deskbell(rig, "check", "--deep").stdout.strip(), "ok", "the check")
        with sqlite3.connect(f"{path}.schema-{OLD}") as kept:
            expect(kept.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone(), (OLD,), "the copy that is kept")
        kept.close()
        rig.check_logs()
        rig.has_verdict = True  # there is no history to judge
        print(f"old-server-store: schema {OLD} opened, whole, counted, asked")


main(run)
