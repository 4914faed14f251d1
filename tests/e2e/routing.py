#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three agents in two teams, and customers who wait: offers that are accepted, declined and missed, capacity, places
that the customers see, tickets that change the team and that come back, and a server that is killed in the middle.

One of the customers is the SDK: it hears what it does not know, and loses nothing.
"""
import json
import os
import socket

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, WireError, new_cmid, text_hash

ACCEPT_MS = 1500


class Operator:
    """The control socket of the running server."""

    def __init__(self, rig):
        self.path = os.path.join(rig.server.data, "control.sock")

    def __call__(self, method, **params):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.path)
            sock.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            with sock.makefile("r", encoding="utf-8") as lines:
                answer = json.loads(lines.readline())
        if "error" in answer:
            raise WireError(answer["error"])
        return answer["result"]

    def do(self, method, **params):
        return self(method, cmid=new_cmid(), **params)


class Member:
    """An agent on a connection of the test's own."""

    def __init__(self, rig, operator, name, team, capacity):
        self.rig, self.operator, self.name = rig, operator, name
        self.who = rig.agent(name)
        self.wire = None
        operator.do("team.member_add", team=team, agent=self.who.principal)
        self.can(capacity)

    def can(self, capacity):
        self.operator.do("agent.set", agent=self.who.principal, capacity=capacity, wake_cap=0)

    def come(self, status="online"):
        self.wire = Wire(self.rig.server.port)
        self.wire.open_session(self.who.token)
        self.says(status)
        return self

    def says(self, status):
        self.wire.call("status.set", {"status": status})

    def status(self):
        rows = self.operator("status.list")["agents"]
        return next(row for row in rows if row["agent"] == self.who.principal)

    def offer(self, conv, timeout_s=20):
        """Waits for the offer of the conversation's ticket; every offer is waited for once."""
        event = self.wire.wait_event(lambda e: e["method"] == "offer" and e["params"]["conv"] == conv, timeout_s)
        self.wire.events.remove(event)
        return event["params"]

    def gone(self, conv):
        event = self.wire.wait_event(lambda e: e["method"] == "offer_gone" and e["params"]["conv"] == conv)
        self.wire.events.remove(event)
        return event["params"]["why"]

    def accepts(self, ticket):
        return self.wire.call("offer.accept", {"ticket": ticket})

    def ticket(self, conv):
        return self.wire.call("ticket.get", {"conv": conv})["ticket"]

    def solves(self, conv):
        ticket = self.ticket(conv)
        self.wire.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"],
                                       "to": "solved"})


class Asker:
    """A customer on a connection of the test's own."""

    def __init__(self, rig, name):
        self.rig, self.who = rig, rig.customer(name)
        self.conv, self.proc = self.who.conv, f"raw-{name}"
        self.wire, self.epoch = None, None
        rig.say(self.proc, "info", "role", principal=self.who.principal, role="customer")

    def come(self):
        self.wire = Wire(self.rig.server.port)
        self.epoch = self.wire.open_session(self.who.token)["epoch"]
        return self

    def asks(self):
        cmid, text = new_cmid(), f"{self.proc}: and my order?"
        self.rig.say(self.proc, "invoke", "send", cmid=cmid, conv=self.conv, hash=text_hash(text))
        sent = self.wire.call("message.send", {"cmid": cmid, "conv": self.conv, "kind": "text", "text": text})
        self.rig.say(self.proc, "ok", "send", cmid=cmid, conv=self.conv, seq=sent["seq"], ts=sent["ts"],
                     epoch=self.epoch)
        self.rig.sent += 1
        return self

    def place(self, matches):
        """Waits until he was told so; `matches` of what the event says of his queue, None when he waits no more."""
        self.wire.wait_event(lambda e: e["method"] == "queue" and e["params"]["conv"] == self.conv and
                             matches(e["params"].get("queue")))


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found}, not {wanted}")


def whose(members, conv):
    """Whoever is asked, as the ticket says."""
    offered = members[0].ticket(conv).get("offered")
    return next((m for m in members if m.who.principal == offered), None)


def an_offer_that_is_missed_goes_to_the_next(rig, operator, eve, bob):
    ann = rig.customer("ann")
    phone = rig.host("phone", ann)
    rig.send(phone, "where is my order?")
    phone.quiesce()
    first = whose([eve, bob], ann.conv)
    second = bob if first is eve else eve
    ticket = first.offer(ann.conv)["ticket"]
    second.offer(ann.conv)  # when the time of the first is over
    expect(first.gone(ann.conv), "missed", "why the first offer ended")
    expect((first.status()["status"], first.status()["reason"]), ("away", "missed an offer"), "who missed it")
    try:
        first.accepts(ticket)
        raise Failed("an offer that was missed was accepted")
    except WireError as e:
        expect(e.tag, "conflict", "accepting too late")
    second.accepts(ticket)
    expect(second.gone(ann.conv), "accepted", "why the second offer ended")
    expect(second.ticket(ann.conv)["assignee"], second.who.principal, "who has it")
    log = [e["change"] for e in second.wire.read_log(ann.conv, "team")[0] if e["kind"] == "change"]
    words = [change["what"] for change in log]
    for word in ("offer", "offer_missed", "assign"):
        if word not in words:
            raise Failed(f"the team's log does not say {word}: {words}")
    return first, second, phone


def who_is_full_gets_no_more_and_customers_see_their_places(rig, first, second):
    ben, cat = Asker(rig, "ben").come().asks(), Asker(rig, "cat").come().asks()
    ben.place(lambda q: q and q["position"] == 1)
    cat.place(lambda q: q and q["position"] == 2)
    row = cat.wire.call("conversation.open", {})["row"]
    expect(row["queue"]["position"], 2, "the place in the answer of conversation.open")
    first.says("online")  # he is back, and has room for one
    first.accepts(first.offer(ben.conv)["ticket"])
    ben.place(lambda q: q is None)
    cat.place(lambda q: q and q["position"] == 1)
    expect(second.ticket(cat.conv)["status"], "pending", "a ticket that nobody has")
    return ben, cat


def a_ticket_that_changes_the_team_goes_to_its_agent(operator, second, kim, cat, billing):
    ticket = second.ticket(cat.conv)
    operator.do("ticket.assign", ticket=ticket["ticket"], version=ticket["version"], team=billing)
    cat.place(lambda q: q is None)
    expect(kim.ticket(cat.conv)["assignee"], kim.who.principal, "given without asking")


def tickets_of_one_who_goes_come_back(first, second, ben):
    second.can(2)
    first.says("away")
    ticket = second.offer(ben.conv)["ticket"]
    second.accepts(ticket)
    expect(second.ticket(ben.conv)["assignee"], second.who.principal, "who has it after the other went")


def a_killed_server_knows_offers_queue_and_loads(rig, operator, team, first, second):
    operator.do("team.set", team=team, accept_ms=60000)
    dan, eli = Asker(rig, "dan").come(), Asker(rig, "eli").come()
    first.says("online")
    dan.asks()
    offer = first.offer(dan.conv)
    eli.asks()
    eli.place(lambda q: q and q["position"] == 2)
    rig.server.kill()
    rig.say("rig", "info", "crash", who="server")
    rig.server.start()
    first.come(), second.come(), eli.come()
    again = first.offer(dan.conv)  # told to who comes back
    expect((again["ticket"], again["until"]), (offer["ticket"], offer["until"]), "the offer after a kill")
    eli.place(lambda q: q and q["position"] == 2)
    queues = operator("queue.list")["queues"]
    row = next(r for r in queues if r.get("team") == team)
    expect((row["waiting"], row["offered"], row["open"], row["full"]), (2, 1, 2, 2), "the queue after a kill")
    first.accepts(again["ticket"])
    first.solves(dan.conv)
    first.offer(eli.conv)
    first.wire.call("offer.decline", {"ticket": first.ticket(eli.conv)["ticket"], "why": "a break"})
    expect(first.gone(eli.conv), "declined", "why the offer ended")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("routing", args.seed) as rig:
        rig.start_server()
        operator = Operator(rig)
        orders = operator.do("team.add", name="Orders", accept_ms=ACCEPT_MS, requeue=True, requeue_ms=0)["team"]
        billing = operator.do("team.add", name="Billing", accept_ms=0)["team"]
        run_program("deskbell", "routing", "set", "--data", rig.server.data, "--team", "Orders", "--weight", "1")
        shown = json.loads(run_program("deskbell", "routing", "show", "--data", rig.server.data, "--json").stdout)
        expect(shown["default_team"], orders, "what routing show says")
        eve, bob = Member(rig, operator, "Eve", orders, 1).come(), Member(rig, operator, "Bob", orders, 1).come()
        kim = Member(rig, operator, "Kim", billing, 5).come()
        first, second, phone = an_offer_that_is_missed_goes_to_the_next(rig, operator, eve, bob)
        ben, cat = who_is_full_gets_no_more_and_customers_see_their_places(rig, first, second)
        a_ticket_that_changes_the_team_goes_to_its_agent(operator, second, kim, cat, billing)
        tickets_of_one_who_goes_come_back(first, second, ben)
        a_killed_server_knows_offers_queue_and_loads(rig, operator, orders, first, second)
        rig.send(phone, "are you still there?")
        rig.finish()


main(run)
