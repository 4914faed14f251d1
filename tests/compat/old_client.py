#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clients of older versions say, byte for byte, against the server of today: the answers hold everything that they
held then, with the same values; more may have come. tests/compat/<version>/wire/ are those conversations, in the form
that tests/wire/protocol_transcripts.py describes."""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "wire"))
import protocol_transcripts  # noqa: E402
from protocol_rig import Case, Rig, end, expect, main  # noqa: E402


class OldPlay(protocol_transcripts.Play):
    """As an old client reads: members that it does not know are passed over."""

    def differs(self, wanted, got, path):
        if isinstance(wanted, dict) and isinstance(got, dict):
            wanted = {**wanted, "...": 0}
        if path.endswith(".message"):
            return None  # an error's sentence may be said better
        return super().differs(wanted, got, path)


def rig_main():
    with Rig("old-client") as rig:
        rig.start_server()
        case = Case(rig)
        paths = sorted(glob.glob(os.path.join(HERE, "*", "wire", "*.txt")))
        expect(paths, "conversations of an older version")
        for path in paths:
            protocol_transcripts.play(case, path, OldPlay)
            print(f"ok {os.path.relpath(path, HERE)}", flush=True)
        end(rig)


main(rig_main)
