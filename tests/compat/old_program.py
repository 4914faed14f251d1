#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program built with an older header, against the library and the server of today: it talks, sends a file, reads
history and searches, and no struct of it is read or written beyond the size it says.

    old_program.py PROGRAM
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from harness import Failed, Process, Rig, main, tail  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

TEXT = b"what an old program sends\n"


def run():
    with Rig("old-program") as rig:
        rig.has_verdict = True  # no history: what is printed is looked at here
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        path = os.path.join(rig.folder, "note.txt")
        with open(path, "wb") as file:
            file.write(TEXT)
        log = os.path.join(rig.folder, "program.log")
        rig.logs.append(log)
        program = Process([sys.argv[1], rig.server.url, rig.app, ann.token, os.path.join(rig.folder, "ann"), path], log)
        try:
            program.wait_line(lambda l: l == "sent", 60)
            with Wire(rig.server.port) as wire:
                wire.open_session(kim.token)
                wire.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text", "text": "answer"})
            program.wait_line(lambda l: l.startswith("status "), 60)
        except Failed as e:
            raise Failed(f"{e}: {program.lines[-5:]}, exit {program.child.poll()}\n{tail(log)}") from e
        code = program.wait()
        said = [l for l in program.lines if not l.startswith("entry ")]
        entries = [l for l in program.lines if l.startswith("entry ")]
        wanted = ["online", "sent", "answered", "file sent", f"progress {len(TEXT)}",
                  "page 0 3 of 3, first from an old program", "page", "searched", "status 0 queued 0 failed 1 unread"]
        if code != 0 or said[1:] != wanted:
            raise Failed(f"it ended with {code} and said {said}")
        if sorted(entries) != ["entry 1 1 from an old program", "entry 2 1 answer", "entry 3 2 a file"]:
            raise Failed(f"it was given {entries}")
        rig.server.stop()
        rig.check_logs()
        print(f"old-program: {said[0]}")


main(run)
