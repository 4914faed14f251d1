#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Business hours and SLA from end to end: schedules and policies made with the program, deadlines, warnings and misses as
they arrive in an agent's live inbox, ledgers that agree with what is kept, also after the server was killed.
"""
import datetime
import json
import zoneinfo

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, new_cmid

HOUR_MS = 3600 * 1000


def expect(is_so, what):
    if not is_so:
        raise Failed(what)


class Desk:
    """The program on the data folder of the running server, or of none."""

    def __init__(self, data):
        self.data = data

    def __call__(self, *args, code=0):
        done = run_program("deskbell", *args, "--data", self.data, check=False)
        expect(done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stderr}")
        return done.stderr if code else done.stdout

    def json(self, *args):
        return json.loads(self(*args, "--json"))


class Inbox:
    """What an agent's client is told of tickets while it does nothing but listen."""

    def __init__(self, port, token):
        self.wire = Wire(port)
        self.wire.open_session(token)

    def ticket(self, conv, what, matches, timeout_s=20):
        """Waits until a feed row shows the ticket of that conversation so that it matches."""
        found = []

        def fits(event):
            rows = event["params"].get("rows", []) if event["method"] == "feed" else []
            found.extend(row["ticket"] for row in rows if row["conv"] == conv and "ticket" in row)
            return any(matches(ticket) for ticket in found[-1:])

        try:
            self.wire.wait_event(fits, timeout_s)
        except OSError as error:
            raise Failed(f"the inbox never showed {what}; last: {found[-1:]}") from error
        self.wire.events.clear()
        return found[-1]

    def says(self, conv, text):
        self.wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})


class Customer:
    def __init__(self, rig, name):
        who = rig.customer(name)
        self.conv, self.wire = who.conv, Wire(rig.server.port)
        self.wire.open_session(who.token)

    def says(self, text):
        result = self.wire.call("message.send", {"cmid": new_cmid(), "conv": self.conv, "kind": "text", "text": text})
        return result["seq"], result["ts"]


def what_is_wrong_is_refused_with_its_place(desk):
    errors = [
        (("--zone", "Asia/Soul", "--hours", "mon 09:00-17:00"), "zone"),
        (("--zone", "Asia/Seoul", "--hours", "mon 09:00-25:00"), "character 11"),
        (("--zone", "Asia/Seoul", "--hours", "mon 17:00-09:00"), "character 5"),
        (("--zone", "Asia/Seoul", "--hours", "mon 09:00-10:00", "--holiday", "2026-02-30"), "days[0]"),
    ]
    for args, place in errors:
        said = desk("schedule", "add", "--name", "Wrong", *args, code=65)
        expect(place in said, f"{args}: {said} does not name {place}")
    with open(desk.data + ".days", "w", encoding="utf-8") as file:
        file.write("# every day of the year is a holiday\n")
        day = datetime.date(2024, 1, 1)
        while day.year == 2024:
            file.write(f"{day:%m-%d}  # closed\n")
            day += datetime.timedelta(days=1)
    said = desk("schedule", "add", "--name", "Never", "--zone", "Asia/Seoul", "--hours", "mon-sun 00:00-24:00",
                "--holidays", desk.data + ".days", code=65)
    expect("open time" in said, f"never open: {said}")
    expect(desk.json("schedule", "list")["schedules"] == [], "something refused was kept")


def schedules_say_when_they_are_open(desk):
    desk("schedule", "add", "--name", "Seoul", "--zone", "Asia/Seoul", "--hours", "mon-fri 09:00-12:00,13:00-18:00",
         "--holiday", "01-01", "--holiday", "2026-12-24 09:00-11:00")
    desk("schedule", "add", "--name", "seoul", "--zone", "Asia/Seoul", "--hours", "mon 09:00-10:00", code=65)
    noon = desk.json("schedule", "test", "Seoul", "--at", "2026-11-23T03:30Z")  # Monday 12:30 there
    expect(not noon["open"] and noon["next_open"] == 1795406400000, f"the pause: {noon}")
    eve = desk.json("schedule", "test", "Seoul", "--at", "2026-12-24T01:59")
    expect(eve["open"] and eve["next_close"] == eve["next_open"] + 60000, f"a day with hours of its own: {eve}")
    shown = desk("schedule", "show", "Seoul")
    expect("01-01" in shown and "mon-fri 09:00-12:00,13:00-18:00" in shown, f"shown: {shown}")
    desk("schedule", "remove", "Seoul")


def policies_are_made_and_put_in_order(desk):
    desk("schedule", "add", "--name", "Round", "--zone", "Asia/Seoul", "--hours", "mon-sun 00:00-24:00")
    desk("sla", "add", "--name", "Usual", "--schedule", "Round", "--first", "2s", "--first", "urgent=1s", "--next",
         "2s", "--resolve", "2h", "--warn", "50")
    desk("sla", "add", "--name", "Korean", "--when", "language = ko", "--first", "1wd")
    said = desk("sla", "add", "--name", "Mine", "--when", "assignee = me", "--first", "1h", code=65)
    expect("when" in said, f"a policy about me: {said}")
    desk("sla", "add", "--name", "Odd", "--first", "1d", code=64)
    desk("sla", "order", "Korean", code=65)
    desk("sla", "order", "Korean", "Usual")
    names = [row["name"] for row in desk.json("sla", "list")["policies"]]
    expect(names == ["Korean", "Usual"], f"order: {names}")
    said = desk("schedule", "remove", "Round", code=65)
    expect("policy" in said, f"a schedule in use: {said}")


def team_words(wire, conv):
    entries, _ = wire.read_log(conv, "team")
    return [entry["change"]["what"] for entry in entries if "change" in entry]


def an_answer_that_does_not_come_is_seen_as_missed(desk, inbox, ann):
    _, ts = ann.says("is somebody there?")
    ticket = inbox.ticket(ann.conv, "a deadline", lambda t: "due" in t)
    expect(abs(ticket["due"] - ts - 2000) < 100, f"due {ticket['due'] - ts} ms after the message")
    expect(not ticket.get("missed"), "missed before it was due")
    inbox.ticket(ann.conv, "a miss", lambda t: t.get("missed") == 1)
    words = team_words(inbox.wire, ann.conv)
    expect(words.count("sla_due_soon") == 1 and words.count("sla_missed") == 1, f"in the team's log: {words}")
    inbox.says(ann.conv, "sorry, here I am")
    ticket = inbox.ticket(ann.conv, "the resolution as next deadline", lambda t: t["due"] > ts + HOUR_MS)
    expect(ticket["missed"] == 1, "a late answer does not undo the miss")
    told = desk.json("sla", "explain", ticket["ticket"])
    first = next(m for m in told["meters"] if m["metric"] == "first_response")
    expect(told["agrees"] and first["missed"] and first["state"] == "done", f"explained: {told}")
    expect(told["state"] == "active_with_misses", f"state: {told['state']}")
    spans = [s for s in told["spans"] if s["metric"] == "first_response"]
    expect(sum(s["counted"] for s in spans) == first["counted"] >= 2000, f"the ledger: {spans}")
    expect(all(s["version"] > 0 for s in spans), "each line names the version of the schedule")
    return ticket["ticket"]


def a_next_response_is_missed_once_for_its_message(desk, inbox, ann, ticket):
    seq, _ = ann.says("and now?")
    ann.says("hello?")
    inbox.ticket(ann.conv, "a second miss", lambda t: t.get("missed") == 2)
    inbox.says(ann.conv, "yes")
    ann.wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("text") == "yes")
    told = desk.json("sla", "explain", ticket)
    misses = [(m["metric"], m.get("seq")) for m in told["misses"]]
    expect(misses == [("first_response", None), ("next_response", seq)], f"misses: {misses}")
    expect(told["agrees"], "the clock is not what its events make")


def a_prompt_answer_is_a_hit(desk, inbox, ben):
    ben.says("quick question")
    inbox.ticket(ben.conv, "a deadline", lambda t: "due" in t)
    inbox.says(ben.conv, "quick answer")
    ticket = inbox.ticket(ben.conv, "the resolution as next deadline", lambda t: t["status"] == "open")
    told = desk.json("sla", "explain", ticket["ticket"])
    first = next(m for m in told["meters"] if m["metric"] == "first_response")
    expect(not first["missed"] and not ticket.get("missed") and told["state"] == "active", f"explained: {told}")
    return ticket


def a_changed_policy_asks_whom_it_is_for(desk, inbox, ben, before):
    desk("sla", "set", "Usual", "--first", "2s", "--resolve", "3h", code=64)
    desk("sla", "set", "Usual", "--first", "2s", "--resolve", "3h", "--new-only")
    told = desk.json("sla", "explain", before["ticket"])
    resolution = next(m for m in told["meters"] if m["metric"] == "resolution")
    expect(resolution["target"] == 2 * HOUR_MS, "open tickets keep what they were promised")
    desk("sla", "set", "Usual", "--first", "2s", "--resolve", "3h", "--also-open")
    after = inbox.ticket(ben.conv, "a later deadline", lambda t: t["due"] != before["due"])
    expect(after["due"] == before["due"] + HOUR_MS, f"moved by {after['due'] - before['due']} ms")
    return after


def a_changed_schedule_moves_what_runs(desk, inbox, ben, before):
    seoul = zoneinfo.ZoneInfo("Asia/Seoul")
    today = datetime.datetime.now(seoul).date()
    days = [f"{today + datetime.timedelta(days=n)}" for n in (0, 1)]
    desk("schedule", "set", "Round", "--holiday", days[0], "--holiday", days[1])
    after = inbox.ticket(ben.conv, "a deadline after the holidays", lambda t: t["due"] > before["due"])
    opens = datetime.datetime.combine(today + datetime.timedelta(days=2), datetime.time(), seoul).timestamp() * 1000
    expect(opens < after["due"] <= opens + 3 * HOUR_MS, f"due {after['due'] - opens} ms after the opening")
    return after


def a_killed_server_knows_it_all(rig, desk, ben, before):
    rig.server.kill()
    served_by_none = desk.json("sla", "explain", before["ticket"])
    rig.server.start()
    again = desk.json("sla", "explain", before["ticket"])
    for told in (served_by_none, again):
        resolution = next(m for m in told["meters"] if m["metric"] == "resolution")
        expect(told["agrees"] and resolution["due"] == before["due"], f"after a kill: {told}")
    with Wire(rig.server.port) as wire:
        wire.open_session(rig.kim.token)
        rows = {row["conv"]: row for row in wire.read_feed()}
        expect(rows[ben.conv]["ticket"]["due"] == before["due"], "the feed after a kill")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("hours_sla", args.seed) as rig:
        rig.start_server()
        desk = Desk(rig.server.data)
        what_is_wrong_is_refused_with_its_place(desk)
        schedules_say_when_they_are_open(desk)
        policies_are_made_and_put_in_order(desk)
        rig.kim = rig.agent("Kim")
        inbox, ann, ben = Inbox(rig.server.port, rig.kim.token), Customer(rig, "ann"), Customer(rig, "ben")
        ticket = an_answer_that_does_not_come_is_seen_as_missed(desk, inbox, ann)
        a_next_response_is_missed_once_for_its_message(desk, inbox, ann, ticket)
        kept = a_prompt_answer_is_a_hit(desk, inbox, ben)
        kept = a_changed_policy_asks_whom_it_is_for(desk, inbox, ben, kept)
        kept = a_changed_schedule_moves_what_runs(desk, inbox, ben, kept)
        a_killed_server_knows_it_all(rig, desk, ben, kept)
        print("hours_sla: deadlines, misses and ledgers are as they should be")


main(run)
