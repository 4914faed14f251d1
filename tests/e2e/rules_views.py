#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules and views made with the command, on a running server: a rule changes where a new ticket shows in an agent's live
view, counts follow, an agent who may not read everything hears of nothing that is not his, what is wrong is refused with
what and where, and all of it is the same after the server was killed.
"""
import json

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, new_cmid


def command(rig, *args):
    done = run_program("deskbell", *args, "--data", rig.server.data, "--json")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def refusal(rig, *args):
    done = run_program("deskbell", *args, "--data", rig.server.data, check=False)
    if done.returncode == 0:
        raise Failed(f"{args} was taken")
    return done.stderr


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found}, not {wanted}")


class Inbox:
    """An agent's live view, kept by its events alone."""

    def __init__(self, rig, who, view):
        self.view, self.wire = view, Wire(rig.server.port)
        self.wire.open_session(who.token)
        page = self.wire.call("view.open", {"view": view})
        self.rows = {row["ticket"]["ticket"]: row for row in page["rows"]}
        self.turn, self.count = page["turn"], page["count"]
        self.wire.call("view.list", {"watch": True})

    def apply(self, event):
        if event["turn"] != self.turn + 1 or event.get("reset"):
            raise Failed(f"the view went from {self.turn} to {event}")
        self.turn, self.count = event["turn"], event["count"]
        self.rows.update({row["ticket"]["ticket"]: row for row in event["rows"]})
        for ticket in event["left"]:
            self.rows.pop(ticket, None)

    def until(self, matches):
        """Follows the events until the rows are as they should be; the row that matched."""
        while not (found := [row for row in self.rows.values() if matches(row)]):
            event = self.wire.wait_event(lambda e: e["method"] == "view" and e["params"]["view"] == self.view)
            self.wire.events.remove(event)
            self.apply(event["params"])
        return found[0]

    def until_count(self, count):
        while self.count != count:
            event = self.wire.wait_event(lambda e: e["method"] == "view" and e["params"]["view"] == self.view)
            self.wire.events.remove(event)
            self.apply(event["params"])

    def hears_count(self, view, count):
        self.wire.wait_event(lambda e: e["method"] == "views" and
                             {"view": view, "count": count} in e["params"]["counts"])


def writes(rig, name, text):
    who = rig.customer(name)
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        wire.call("message.send", {"cmid": new_cmid(), "conv": who.conv, "kind": "text", "text": text})
    return who


def a_rule_shows_in_the_live_view(rig, eve, rob):
    returns = command(rig, "team", "add", "--name", "Returns", "--accept", "600")["team"]
    run_program("deskbell", "team", "member", "add", "Returns", "Rob", "--data", rig.server.data)
    command(rig, "rule", "add", "--name", "Refunds", "--when", "message has refund", "--team", "Returns", "--priority",
            "high", "--tag", "refund")
    view = command(rig, "view", "add", "--name", "Hot", "--when", "team = Returns and priority >= high", "--sort",
                   "priority")["view"]
    hot, own = Inbox(rig, eve, view), Inbox(rig, rob, "open")
    expect((hot.count, own.count), (0, 0), "before anybody wrote")
    writes(rig, "ann", "where is my parcel?")
    writes(rig, "ben", "I want a refund")
    row = hot.until(lambda r: r["ticket"]["priority"] == "high")
    expect((row["ticket"]["team"], row["ticket"]["team_name"]), (returns, "Returns"), "the team the rule gave")
    expect(hot.count, 1, "tickets in the view")
    hot.hears_count(view, 1)
    hot.hears_count("unassigned", 2)
    own.until(lambda r: r["ticket"]["ticket"] == row["ticket"]["ticket"])
    expect(own.count, 1, "what Rob may read")
    own.hears_count("unassigned", 1)  # of two
    return view, hot, own, row["ticket"]["ticket"]


def it_leaves_when_it_changes(rig, view, hot, ticket):
    command(rig, "ticket", "set", ticket, "--priority", "low")
    hot.until_count(0)
    expect(hot.rows, {}, "what is left of the view")
    hot.hears_count(view, 0)
    shown = command(rig, "rule", "test", ticket)
    expect([(f["name"], f["matches"]) for f in shown["findings"]], [("Refunds", True)], "what the rules say of it now")
    expect(shown["priority"], "high", "what they would set")


def what_is_wrong_is_refused(rig):
    said = refusal(rig, "rule", "add", "--name", "Bad", "--when", "status = open and priorty = high")
    if "when" not in said or "character 19" not in said:
        raise Failed(f"a wrong expression was refused with: {said}")
    said = refusal(rig, "view", "add", "--name", "Bad", "--when", " or ".join(["bot"] * 51))
    if "at most 50 conditions" not in said:
        raise Failed(f"too many conditions were refused with: {said}")
    refusal(rig, "rule", "add", "--name", "Refunds")
    refusal(rig, "view", "remove", "mine")


def all_is_there_after_a_kill(rig, eve, rob, view):
    rig.server.kill()
    rig.server.start()
    expect(command(rig, "rule", "list")["rules"][0]["shown"], "message has refund", "the rule after a kill")
    hot, own = Inbox(rig, eve, view), Inbox(rig, rob, "open")
    expect((hot.count, own.count), (0, 1), "the views after a kill")
    writes(rig, "cat", "refund, please")
    hot.until(lambda r: r["ticket"]["priority"] == "high")
    own.until_count(2)
    closed = hot.wire.call("ticket.list", {"when": "tag = refund and not priority = low", "sort": "waiting"})
    expect([row["ticket"]["priority"] for row in closed["rows"]], ["high"], "the list by condition")
    expect(int(run_program("deskbell", "view", "count", "Hot", "--data", rig.server.data).stdout), 1, "view count")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("rules-views", args.seed) as rig:
        rig.start_server()
        eve, rob = rig.agent("Eve"), rig.agent("Rob")
        command(rig, "role", "add", "--name", "Own team", "--may", "reply,note,ticket_edit")
        run_program("deskbell", "agent", "set", "Rob", "--role", "Own team", "--data", rig.server.data)
        view, hot, _, ticket = a_rule_shows_in_the_live_view(rig, eve, rob)
        it_leaves_when_it_changes(rig, view, hot, ticket)
        what_is_wrong_is_refused(rig)
        all_is_there_after_a_kill(rig, eve, rob, view)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("rules-views: a rule seen in live views, counts by reach, refusals with their place, the same after a kill")


main(run)
