#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three agents on real connections: one of Billing, one of Tech, one who reads all. A conversation goes from team to team;
whoever loses it hears `left` once and nothing more of it, whatever happens in it; its files, words and numbers are gone for
him. Roles, teams and invitations change that at once, and it is so after a crash.
"""
import json

import rigs
from filing import Filer, png
from harness import Failed, Rig, main, run_program
from wire import Wire, WireClosed, WireError, new_cmid

WORK = "reply,note,ticket_edit,assign,merge,customer_edit"


def command(rig, *args):
    done = run_program("deskbell", *args, "--data", rig.server.data, "--json")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found}, not {wanted}")


def refused(tag, wire, method, params):
    try:
        answer = wire.call(method, params)
    except WireError as error:
        expect(error.tag, tag, method)
        return
    raise Failed(f"{method} was answered: {answer}")


def says(wire, conv, text):
    return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})


class Desk:
    """An agent at his connection, and what it was told."""

    def __init__(self, rig, who):
        self.rig, self.who, self.filer = rig, who, Filer(rig, who.token)
        self.wire, self.call = self.filer.wire, self.filer.call
        self.opened = self.filer.opened

    def rows(self, conv):
        return [row for event in self.wire.events if event["method"] == "feed" for row in event["params"]["rows"]
                if row["conv"] == conv]

    def entries(self, conv):
        return [event for event in self.wire.events if event["method"] == "entry" and event["params"]["conv"] == conv]

    def hears(self, conv, matches=lambda row: True):
        """Waits for a row of the live feed that fits, of those that came and those that come; it."""
        def fits(event):
            return event["method"] == "feed" and any(row["conv"] == conv and matches(row)
                                                     for row in event["params"]["rows"])
        event = self.wire.wait_event(fits)
        return [row for row in event["params"]["rows"] if row["conv"] == conv and matches(row)][-1]

    def forget(self):
        self.wire.events.clear()

    def come_back(self):
        """After the server has closed the connection: with what was known."""
        known = {"epoch": self.opened["epoch"], "rev": self.opened["rev"]}
        self.filer.wire.close()
        self.wire = self.filer.wire = Wire(self.rig.server.port)
        self.opened = self.wire.open_session(self.who.token, **known)
        self.call = self.filer.call = self.wire.call
        self.filer.token = self.opened["http_token"]


def assign(sue, conv, **where):
    ticket = sue.call("ticket.get", {"conv": conv})["ticket"]
    sue.call("ticket.assign", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"], **where})


class World:
    def __init__(self, rig):
        self.rig = rig
        self.eve, self.bob, self.sue = rig.agent("Eve"), rig.agent("Bob"), rig.agent("Sue")
        command(rig, "role", "add", "--name", "outside", "--may", WORK)
        self.billing = command(rig, "team", "add", "--name", "Billing", "--accept", "0")["team"]
        self.tech = command(rig, "team", "add", "--name", "Tech", "--accept", "0")["team"]
        run_program("deskbell", "team", "member", "add", "Billing", "Eve", "--data", rig.server.data)
        run_program("deskbell", "team", "member", "add", "Tech", self.bob.principal, "--data", rig.server.data)
        for name in ("Eve", "Bob"):
            command(rig, "agent", "set", name, "--role", "outside", "--language", "ko,en", "--skill", "refunds")
        command(rig, "agent", "set", "Sue", "--role", "admin")
        self.desks = [Desk(rig, who) for who in (self.eve, self.bob, self.sue)]
        for desk in self.desks:
            desk.call("status.set", {"status": "busy"})
        self.ann, self.zoe = Filer(rig, rig.customer("ann").token), Filer(rig, rig.customer("zoe").token)
        self.conv = self.ann.call("conversation.open", {})["row"]["conv"]
        self.fence = self.zoe.call("conversation.open", {})["row"]["conv"]

    def nothing_comes(self, desk, team):
        """Whatever was on its way to that desk has come: a change in a conversation of its own team has."""
        mark = says(self.zoe.wire, self.fence, "a fence")["seq"]
        assign(self.desks[2], self.fence, team=team, nobody=True)
        desk.hears(self.fence, lambda row: row.get("head", 0) >= mark)


def a_conversation_goes_round(world):
    eve, bob, sue = world.desks
    says(world.ann.wire, world.conv, "the gloxinia is late")
    sue.hears(world.conv)
    assign(sue, world.conv, team=world.tech)
    expect(bob.hears(world.conv, lambda row: "ticket" in row)["ticket"]["team"], world.tech, "the team of the row")
    bob.call("conversation.watch", {"conv": world.conv})
    picture = world.ann.upload(png(), "box.png", "image/png")
    world.ann.send(world.conv, [picture])
    says(world.ann.wire, world.conv, "very late")
    bob.wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("text") == "very late")
    world.nothing_comes(eve, world.billing)
    expect(eve.rows(world.conv), [], "what Eve heard of a conversation of Tech")
    refused("not_found", eve.wire, "conversation.watch", {"conv": world.conv})
    refused("not_found", eve.wire, "entries.read", {"conv": world.conv})
    return picture["file"]


def it_leaves(world):
    eve, bob, sue = world.desks
    world.nothing_comes(bob, world.tech)  # what was said before has come
    for desk in world.desks:
        desk.forget()
    assign(sue, world.conv, team=world.billing)
    left = bob.hears(world.conv, lambda row: row.get("left"))
    expect(sorted(left), ["conv", "left", "rev"], "the members of the row")
    eve.hears(world.conv, lambda row: row.get("ticket", {}).get("team") == world.billing)
    says(world.ann.wire, world.conv, "still late")
    says(sue.wire, world.conv, "it is on its way")
    eve.hears(world.conv, lambda row: row.get("unanswered") == 0)
    world.nothing_comes(bob, world.tech)
    rows = bob.rows(world.conv)  # one from before may have been on its way
    expect(rows[-1], left, "the last that Bob hears of it")
    expect([row for row in rows if row.get("left")], [left], "rows that say left")
    expect([e["params"]["text"] for e in bob.entries(world.conv) if "late" in e["params"].get("text", "")], [],
           "words of it for Bob, who has watched it")


def nothing_of_it_is_to_be_found(world, file):
    eve, bob, sue = world.desks
    search = {"query": "gloxinia"}
    while not sue.call("search.entries", search)["rows"]:
        sue.call("feed.read", {"rev": 0})  # the index is a moment behind
    expect(bob.call("search.entries", search)["rows"], [], "what Bob finds")
    expect(len(eve.call("search.entries", search)["rows"]), 1, "what Eve finds")
    expect([r["conv"] for r in bob.call("conversation.list", {})["rows"]], [world.fence], "Bob's list")
    expect({r["conv"] for r in bob.wire.read_feed(0)}, {world.fence}, "Bob's feed")
    expect([r for r in bob.wire.read_feed(bob.opened["rev"]) if r["conv"] == world.conv][0].get("left"), True,
           "Bob's feed from where he was")
    refused("not_found", bob.wire, "message.send",
            {"cmid": new_cmid(), "conv": world.conv, "kind": "text", "text": "hello?"})
    expect((eve.filer.get(file).status, bob.filer.get(file).status), (200, 404), "who gets the picture")
    refused("not_found", bob.wire, "file.link", {"file": file})


def an_invitation(world):
    eve, bob, _ = world.desks
    bob.forget()
    eve.call("conversation.invite", {"cmid": new_cmid(), "conv": world.conv, "agent": world.bob.principal,
                                     "note": "can you look at it?"})
    bob.hears(world.conv, lambda row: not row.get("left"))
    expect(bob.call("entries.read", {"conv": world.conv})["entries"][0]["text"], "the gloxinia is late", "what he reads")


def a_role_changes_at_once(world):
    eve, bob, _ = world.desks
    command(world.rig, "role", "set", "outside", "--may", f"{WORK},read_unassigned")
    for desk in (eve, bob):
        try:
            while True:
                desk.wire.read_message()
        except WireClosed as closed:
            expect(closed.code, 4013, "how the connection ended")
        desk.come_back()
        expect(desk.opened.get("reset"), "reach", "what he is told when he is back")
    run_program("deskbell", "team", "member", "remove", "Billing", "Eve", "--data", world.rig.server.data)
    eve.wire.close()
    eve.come_back()
    expect(eve.opened.get("reset"), "reach", "what Eve is told without her team")
    refused("not_found", eve.wire, "entries.read", {"conv": world.conv})


def agents_hear_of_each_other(world):
    eve, bob, sue = world.desks
    eve.call("status.set", {"status": "away", "reason": "lunch"})
    event = bob.wire.wait_event(lambda e: e["method"] == "status" and any(
        row["agent"] == world.eve.principal and row["status"] == "away" for row in e["params"]["agents"]))
    expect([row for row in event["params"]["agents"] if "load" in row], [], "loads in the event")
    board = {row["agent"]: row for row in sue.call("status.list")["agents"]}
    expect((board[world.eve.principal]["reason"], board[world.eve.principal]["capacity"]), ("lunch", 5), "the board")
    refused("forbidden", bob.wire, "audit.list", {})
    actions = [row["action"] for row in sue.call("audit.list", {"after": 0, "limit": 200})["rows"]]
    for action in ("role.add", "team.add", "team.member_add", "agent.set", "role.set", "team.member_remove"):
        if action not in actions:
            raise Failed(f"{action} is not in the audit trail: {actions}")
    expect([row["action"] for row in command(world.rig, "audit", "--action", "role.set")["rows"]], ["role.set"],
           "deskbell audit")


def it_is_so_after_a_crash(world):
    world.rig.server.kill()
    world.rig.server.start()
    eve, bob, sue = (Desk(world.rig, who) for who in (world.eve, world.bob, world.sue))
    refused("not_found", eve.wire, "entries.read", {"conv": world.conv})
    bob.call("entries.read", {"conv": world.conv})  # he is invited
    board = {row["agent"]: row for row in sue.call("status.list")["agents"]}
    expect(board[world.eve.principal]["status"], "away", "what Eve is doing")
    refused("forbidden", eve.wire, "team.add", {"cmid": new_cmid(), "name": "Mine"})


def run():
    args = rigs.options(__doc__, 1, 5)
    with Rig("people-reach", args.seed) as rig:
        rig.start_server()
        world = World(rig)
        file = a_conversation_goes_round(world)
        for _ in range(args.count):
            it_leaves(world)
            if args.count > 1:
                assign(world.desks[2], world.conv, team=world.tech)
                world.desks[1].hears(world.conv, lambda row: row.get("ticket", {}).get("team") == world.tech)
                world.desks[1].call("conversation.watch", {"conv": world.conv})
                it_leaves(world)
        nothing_of_it_is_to_be_found(world, file)
        an_invitation(world)
        a_role_changes_at_once(world)
        agents_hear_of_each_other(world)
        it_is_so_after_a_crash(world)
        rig.check_logs()
        print("people-reach: what is out of reach is not there, live and read, and everybody else hears all")


main(run)
