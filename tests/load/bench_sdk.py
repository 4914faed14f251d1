# SPDX-License-Identifier: Apache-2.0
"""Starts a server with one long conversation and runs bench_sdk against it.

    bench_sdk.py [--entries 10000] [--seconds 180] [--no-bars] [--sealed] [--part idle|send|open]

Environment: DESKBELL_BUILD, DESKBELL_SANITIZE. Exit code: that of bench_sdk.
"""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import Failed, Rig, main, program  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

IN_FLIGHT = 16


def fill(rig, ann, count):
    """`count` messages of the customer's and, every tenth, of an agent's."""
    with Wire(rig.server.port) as mine, Wire(rig.server.port) as theirs:
        mine.open_session(ann.token)
        theirs.open_session(rig.agent("Ada").token)
        asked = []
        for number in range(count):
            wire = theirs if number % 10 == 9 else mine
            asked.append((wire, wire.post("message.send", {
                "conv": ann.conv, "cmid": new_cmid(), "kind": "text",
                "text": f"Message {number}: the printer on the second floor is out of paper again."})))
            if len(asked) == IN_FLIGHT or number == count - 1:
                for by, request in asked:
                    by.answer(request)
                    by.events.clear()
                asked = []


def run():
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--no-bars", action="store_true")
    parser.add_argument("--sealed", action="store_true")
    parser.add_argument("--part")
    said = parser.parse_args()
    with Rig("bench-sdk") as rig:
        rig.start_server()
        ann = rig.customer("ann")
        fill(rig, ann, said.entries)
        args = [program("bench_sdk"), "--seconds", str(said.seconds), *(["--no-bars"] if said.no_bars else []),
                *(["--sealed"] if said.sealed else []),
                *(["--part", said.part] if said.part else []),
                rig.server.url, rig.app, ann.token, os.path.join(rig.folder, "clients")]
        os.makedirs(args[-1])
        rig.has_verdict = True  # there is no history to judge
        code = subprocess.run(args, check=False).returncode
        if code != 0:
            raise Failed(f"bench_sdk ended with {code}")


if __name__ == "__main__":
    main(run)
