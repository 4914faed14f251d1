#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`deskbell seed`: a new store gets a past that is whole and is the same for the same number; one that is not new, or
that a server holds, is left alone.
"""
import collections
import json
import os
import subprocess
import tempfile
import time

import rigs
from harness import Failed, main, program, run_program


def made(folder, number, tickets):
    """A store of that number: what it holds, without ids and times."""
    run_program("deskbell", "init", "--data", folder)
    run_program("deskbell", "seed", "--data", folder, "--tickets", str(tickets), "--number", str(number))
    run_program("deskbell", "check", "--data", folder, "--deep")
    rows = []
    for which in ([], ["--closed"]):
        done = run_program("deskbell", "ticket", "list", *which, "--limit", "20000", "--json", "--data", folder)
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        if not time.time() * 1000 - 61 * 86400000 < row["issued"] <= time.time() * 1000:
            raise Failed(f"ticket {row['ticket']['number']} began at {row['issued']}")
    return sorted((r["ticket"]["number"], r["ticket"]["priority"], r["ticket"].get("team_name"), r.get("customer_name"))
                  for r in rows), collections.Counter(r["ticket"]["status"] for r in rows)


def refused(folder, code, words):
    done = run_program("deskbell", "seed", "--data", folder, "--tickets", "5", check=False)
    if done.returncode != code or words not in done.stderr:
        raise Failed(f"it ended with {done.returncode}: {done.stderr}")


def run():
    args = rigs.options(__doc__, 150, 2000)
    with tempfile.TemporaryDirectory(prefix="deskbell-seed-") as base:
        one, status = made(os.path.join(base, "one"), 7, args.count)
        again, _ = made(os.path.join(base, "again"), 7, args.count)
        other, _ = made(os.path.join(base, "other"), 8, args.count)
        if len(one) != args.count or {row[0] for row in one} != set(range(1, args.count + 1)):
            raise Failed(f"there are {len(one)} tickets of {args.count}")
        if [row[:3] for row in one] != [row[:3] for row in again] or one == other:
            raise Failed("the number does not decide what is made")
        if not status["closed"] or not status["pending"] + status["open"]:
            raise Failed(f"a past without end or without a present: {dict(status)}")
        refused(os.path.join(base, "one"), 65, "there are conversations")
        fresh = os.path.join(base, "fresh")
        run_program("deskbell", "init", "--data", fresh)
        server = subprocess.Popen([program("deskbell"), "serve", "--data", fresh, "--listen", "127.0.0.1:0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            server.stdout.readline()
            refused(fresh, 75, "a server is running")
        finally:
            server.terminate()
            server.wait(30)
            server.stdout.close()
        print(f"seed: {len(one)} tickets, {dict(status)}, the same again, others under another number")


if __name__ == "__main__":
    main(run)
