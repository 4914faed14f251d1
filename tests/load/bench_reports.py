#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long reports take on a desk with a past: the overview of a year, parted queries, and the lists behind their cells.

    bench_reports.py [--tickets 100000] [--days 365] [--data DIR] [--times 10] [--recount]

Seeds a new store by the desk's own calls on a turned clock (--data: takes a copy of one that was seeded before), starts a server on it
and asks as a supervisor would. Numbers of each: median and worst of so many times; then the server's own check. Yardstick: the overview of
a year 300 ms, a cell's list 50 ms. --recount: also every cell from the export. Environment: DESKBELL_BUILD.
"""
import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
from harness import Failed, Rig, main, program, run_program  # noqa: E402
from wire import Wire  # noqa: E402

OVERVIEW_MS, LIST_MS = 300, 50


class Clock:
    def __init__(self, wire, times):
        self.wire, self.times, self.worst = wire, times, {}

    def ask(self, what, method, params, yardstick=None):
        took, answer = [], None
        for _ in range(self.times):
            start = time.perf_counter()
            answer = self.wire.call(method, params, 60)
            took.append((time.perf_counter() - start) * 1000)
        median = sorted(took)[len(took) // 2]
        print(f"{what:58} median {median:8.1f} ms   worst {max(took):8.1f} ms" + (f"   yardstick {yardstick}" if yardstick else ""))
        if yardstick:
            self.worst[what] = (median, yardstick)
        return answer


def seeded(rig, args):
    rig.start_server()
    rig.server.stop()
    data = rig.server.data
    if args.data:
        shutil.rmtree(data)
        shutil.copytree(args.data, data)
    else:
        start = time.perf_counter()
        run_program("deskbell", "seed", "--data", data, "--tickets", str(args.tickets), "--days", str(args.days), timeout_s=24 * 3600)
        took = time.perf_counter() - start
        print(f"{args.tickets} tickets seeded in {took:.0f} s, {took / args.tickets * 1000:.2f} ms each")
    print(f"the store has {os.path.getsize(os.path.join(data, 'deskbell.db')) >> 20} MB")
    rig.server.start()


def ask_all(clock, year):
    clock.ask("overview of a year", "report.overview", year, OVERVIEW_MS)
    metrics = ["tickets", "first_response", "resolution", "csat", "solved", "backlog"]
    for by in ("day", "month", "team", "agent", "topic", "language", "hour_of_week"):
        some = ["tickets", "customer_messages"] if by == "hour_of_week" else metrics
        clock.ask(f"{len(some)} metrics of a year by {by}", "report.query", {**year, "metrics": some, "by": by})
    teams = clock.ask("tickets by team", "report.query", {**year, "metrics": ["tickets"], "by": "team"})["rows"]
    topics = clock.ask("tickets by topic", "report.query", {**year, "metrics": ["tickets"], "by": "topic"})["rows"]
    agents = clock.ask("tickets by agent", "report.query", {**year, "metrics": ["tickets"], "by": "agent"})["rows"]
    some_day = (datetime.date.fromisoformat(year["from"]) + datetime.timedelta(days=100)).isoformat()
    for metric in ("tickets", "first_response", "solved", "resolution", "reopened", "csat", "backlog", "customer_messages",
                   "staff_messages", "online", "away_over", "bot_returned"):
        for what, more in (("of a day", {"from": some_day, "to": some_day}), ("of a year", {})):
            clock.ask(f"list: {metric} {what}", "report.list", {**year, **more, "metric": metric}, LIST_MS)
    for what, by, rows in (("team", "team", teams), ("topic", "topic", topics), ("agent", "agent", agents)):
        rarest = min(rows, key=lambda row: row["values"][0]["n"])
        clock.ask(f"list: resolution of the rarest {what}, {rarest['values'][0]['n']} tickets", "report.list",
                  {**year, "metric": "resolution", "filter_by": by, "filter": rarest["key"]}, LIST_MS)


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=100000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--data")
    parser.add_argument("--recount", action="store_true")
    parser.add_argument("--count", type=int, help="the same as --tickets")
    args = parser.parse_args()
    args.tickets = args.count or args.tickets
    with Rig("bench-reports") as rig:
        seeded(rig, args)
        eve = rig.agent("Evelyn")
        run_program("deskbell", "agent", "set", "Evelyn", "--role", "supervisor", "--data", rig.server.data)
        today = datetime.date.today()
        year = {"from": (today - datetime.timedelta(days=364)).isoformat(), "to": today.isoformat()}
        with Wire(rig.server.port, timeout_s=60) as wire:
            wire.open_session(eve.token)
            clock = Clock(wire, args.times)
            ask_all(clock, year)
        start = time.perf_counter()
        found = json.loads(run_program("deskbell", "report", "check", "--json", "--data", rig.server.data, timeout_s=3600).stdout)
        print(f"check of {found['tickets']} tickets, {found['cells']} cells: {time.perf_counter() - start:.1f} s, "
              f"{found['differences']} differ")
        if found["differences"]:
            raise Failed(found["first"])
        if args.recount:
            done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "..", "reports", "recount.py"), "--data", rig.server.data,
                                   "--program", program("deskbell")], capture_output=True, text=True, timeout=3600, check=False)
            print(done.stdout.strip().splitlines()[-1])
            if done.returncode != 0:
                raise Failed(done.stdout + done.stderr)
        slow = [f"{what}: {took:.0f} ms, not {most}" for what, (took, most) in clock.worst.items() if took > most]
        print("\n".join(slow) or "all within the yardsticks")


main(run)
