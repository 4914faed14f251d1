#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon a change is seen: agents watch views of many open tickets while customers write.

    bench_views.py [--tickets 20000] [--agents 50] [--customers 500] [--rate 200] [--views 20] [--seconds 20]

From a customer's ack to the event `view` that shows his ticket, at agents who have the view "All open" open; what the
others are told is read and thrown away. Also pages of a view, and how long the server takes to start with all of it. Numbers,
and at the end the yardstick (p99 at most 200 ms). Environment: DESKBELL_BUILD.
"""
import argparse
import json
import os
import select
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
from harness import Rig, main, run_program  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

KEYS, IN_FLIGHT, LISTENERS, WRITERS = 100, 12, 2, 8
YARDSTICK_MS = 200


def at(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def fill(rig, count):
    """So many conversations, each with its ticket: KEYS a customer, some requests under way at a time."""
    for number in range((count + KEYS - 1) // KEYS):
        with Wire(rig.server.port) as wire:
            wire.open_session(rig.user_token(f"old-{number}"))
            asked = []
            for key in range(min(KEYS, count - number * KEYS)):
                asked.append(wire.post("message.send", {"cmid": new_cmid(), "key": f"k{key}", "kind": "text",
                                                        "text": "my order 17 is late, refund please"}))
                if len(asked) >= IN_FLIGHT:
                    wire.answer(asked.pop(0))
            for number_of in asked:
                wire.answer(number_of)


def add_views(rig, count):
    words = ["status = open", "status = pending", "priority >= high", "tag = refund", "unanswered > 1", "team is not set",
             "waiting > 30m", "age > 2h and status in (pending, open)", 'subject has "order"', "assignee is not set"]
    sorts = ["activity", "waiting", "priority", "created", "due"]
    for number in range(count):
        run_program("deskbell", "view", "add", "--data", rig.server.data, "--name", f"View {number}", "--when",
                    f"{words[number % len(words)]} and number > {number}", "--sort", sorts[number % len(sorts)])


class Customer:
    def __init__(self, rig, number):
        self.wire = Wire(rig.server.port)
        self.wire.open_session(rig.user_token(f"new-{number}"))
        self.conv = self.wire.call("conversation.open", {"key": "main"})["row"]["conv"]

    def writes(self):
        """(conversation, server's time of the message, when the ack was here)."""
        self.wire.events.clear()
        sent = self.wire.call("message.send", {"cmid": new_cmid(), "conv": self.conv, "kind": "text", "text": "and now?"})
        return self.conv, sent["ts"], time.monotonic()


class Listener(threading.Thread):
    """An agent who has the view open: when each ticket's news came."""

    def __init__(self, rig, who):
        super().__init__(daemon=True)
        self.wire, self.news, self.resets, self.events, self.is_over = Wire(rig.server.port), {}, 0, 0, False
        self.wire.open_session(who.token)
        self.wire.call("view.list", {"watch": True})
        self.turn = self.wire.call("view.open", {"view": "open", "limit": 50})["turn"]

    def run(self):
        while not self.is_over:
            try:
                message = self.wire.read_message(0.2)
            except TimeoutError:
                continue
            if message.get("method") == "heartbeat":
                self.wire.notify("session.alive", {})
            if message.get("method") != "view" or message["params"]["view"] != "open":
                continue
            now, event = time.monotonic(), message["params"]
            self.events += 1
            if event.get("reset") or event["turn"] != self.turn + 1:
                self.resets += 1
            self.turn = event["turn"]
            for row in event["rows"]:
                self.news.setdefault(row["conv"], []).append((row["activity"], now))


class Drain(threading.Thread):
    """The other agents: all is read, nothing is looked at; alive is said in time."""

    def __init__(self, rig, people, views):
        super().__init__(daemon=True)
        self.wires, self.bytes, self.is_over = [], 0, False
        for who in people:
            wire = Wire(rig.server.port)
            wire.open_session(who.token)
            wire.call("view.list", {"watch": True})
            for view in ["open", "unassigned", *views[:2]]:
                wire.call("view.open", {"view": view, "limit": 50})
            self.wires.append(wire)

    def run(self):
        by_socket, said = {wire.sock: wire for wire in self.wires}, time.monotonic()
        while not self.is_over:
            for sock in select.select(list(by_socket), [], [], 0.2)[0]:
                self.bytes += len(sock.recv(1 << 20))
            if time.monotonic() - said > 10:
                said = time.monotonic()
                for wire in self.wires:
                    wire.notify("session.alive", {})


def write(customers, rate, seconds):
    """All acks, by customers in turn, in WRITERS threads at that rate together."""
    acks, turn = [], threading.Lock()

    def one(own):
        number, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            ack = own[number % len(own)].writes()
            with turn:
                acks.append(ack)
            number += 1
            time.sleep(max(0.0, began + number * WRITERS / rate - time.monotonic()))

    threads = [threading.Thread(target=one, args=(customers[i::WRITERS],)) for i in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acks


def delays(acks, listener):
    """ms from each ack to the first news that is not older; and how many had none."""
    taken, missing = [], 0
    for conv, ts, acked in acks:
        seen = next((now for activity, now in listener.news.get(conv, []) if activity >= ts), None)
        if seen is None:
            missing += 1
        else:
            taken.append(max(0.0, (seen - acked) * 1000))
    return taken, missing


def pages(wire, view, count):
    taken, after = [], None
    for _ in range(count):
        began = time.monotonic()
        page = wire.call("view.open", {"view": view, "limit": 50, **({"after": after} if after else {})})
        taken.append((time.monotonic() - began) * 1000)
        after = page["rows"][-1]["at"] if page["more"] else None
    return taken


def used_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("tickets", 20000), ("agents", 50), ("customers", 500), ("rate", 200), ("views", 20), ("seconds", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    with Rig("bench-views") as rig:
        rig.start_server()
        fill(rig, args.tickets)
        add_views(rig, args.views)
        rig.server.stop()
        began = time.monotonic()
        rig.server.start()
        print(f"start with {args.tickets} tickets and {args.views + 7} views: {time.monotonic() - began:.2f} s")
        listed = json.loads(run_program("deskbell", "view", "list", "--data", rig.server.data, "--json").stdout)["views"]
        saved = [row["view"] for row in listed if not row["built_in"]]
        people = [rig.agent(f"Agent {i}") for i in range(args.agents)]
        drain = Drain(rig, people[LISTENERS:], saved)
        listeners = [Listener(rig, who) for who in people[:LISTENERS]]
        customers = [Customer(rig, number) for number in range(args.customers)]
        for thread in [drain, *listeners]:
            thread.start()
        before, began = used_s(rig.server.process.child.pid), time.monotonic()
        acks = write(customers, args.rate, args.seconds)
        spent = time.monotonic() - began
        busy = (used_s(rig.server.process.child.pid) - before) / spent
        time.sleep(1)
        taken = pages(customers_page(rig, people[0]), "open", 200)
        for thread in [drain, *listeners]:
            thread.is_over = True
            thread.join()
        worst = 0.0
        print(f"{len(acks) / spent:.0f} messages/s of {args.customers} customers, {args.agents} agents; the server used "
              f"{busy:.2f} cores; {drain.bytes / spent / 1e6:.2f} MB/s to the others")
        for listener in listeners:
            found, missing = delays(acks, listener)
            worst = max(worst, at(found, 0.99))
            print(f"ack to view event: p50 {at(found, 0.5):.0f} ms, p99 {at(found, 0.99):.0f} ms, max {max(found):.0f} ms; "
                  f"{len(found)} seen, {missing} not, {listener.events} events, {listener.resets} to be read again")
        print(f"a page of 50: p50 {at(taken, 0.5):.2f} ms, p99 {at(taken, 0.99):.2f} ms")
        print(f"yardstick {YARDSTICK_MS} ms at p99: {'kept' if worst <= YARDSTICK_MS else 'missed'}")


def customers_page(rig, who):
    wire = Wire(rig.server.port)
    wire.open_session(who.token)
    return wire


main(run)
