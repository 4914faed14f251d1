#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rigs must catch what they are for: each planted bug of the preset `planted` is run through its rig, and must be
reported as a violation of one of the invariants it breaks. A rig that passes with its bug in has failed.

    planted.py [NAME...]      default: all of the table
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
E2E = os.path.join(os.path.dirname(HERE), "e2e")
ROOT = os.path.dirname(os.path.dirname(HERE))
SKIPPED = 77

# name: (rig and its options, the invariants of which one must be named)
TABLE = {
    "ack_before_commit": ([os.path.join(HERE, "kill_server.py"), "--count", "12"], ("I1",)),
    "fsync_skipped": ([os.path.join(HERE, "power_cut.py"), "--count", "3"], ("I1", "I3", "I8", "I9", "I12", "I19")),
    "dedupe_per_connection": ([os.path.join(HERE, "cut_sweep.py"), "--sdk", "0"], ("I2", "I3")),
    "gap_in_seq": ([os.path.join(E2E, "two_sides.py"), "--count", "60"], ("I5", "I15")),
    "note_leak": ([os.path.join(E2E, "two_sides.py")], ("I15",)),
    "backward_mark": ([os.path.join(E2E, "marks.py")], ("I13",)),
    "revoked_socket_kept": ([os.path.join(E2E, "revocation.py")], ("I16",)),
    "feed_misses_event": ([os.path.join(E2E, "feed.py")], ("I12",)),
    "erased_text_in_search": ([os.path.join(E2E, "search.py"), "--count", "500"], ("I6",)),
    "file_without_membership": ([os.path.join(E2E, "files_access.py")], ("I18",)),
    "gap_passed_over": ([os.path.join(HERE, "five_devices.py")], ("I3", "I4", "I5", "I6", "I7", "I12")),
    "predecessor_ignored": ([os.path.join(E2E, "order.py")], ("I8",)),
}

# Live pushes are hints (R3): with these in, every rig must pass all the same, because the heartbeat tells.
HARMLESS = {
    "event_lost": [os.path.join(E2E, "two_sides.py")],
}


def run_rig(name, command, patience="1"):
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, timeout=1200,
                          env={**os.environ, "DESKBELL_PLANTED": name, "DESKBELL_PATIENCE": patience},
                          stdin=subprocess.DEVNULL)
    return done, done.stdout + done.stderr


def run_one(name):
    """None when the bug is caught, else why not; a reason that starts with "skipped" is a skip."""
    if name in HARMLESS:
        return run_harmless(name)
    command, invariants = TABLE[name]
    done, said = run_rig(name, command, "0.3")
    if done.returncode == SKIPPED:
        return said.strip().splitlines()[-1]
    found = sorted(set(re.findall(r"(?m)^(I\d+): ", said)))
    if done.returncode == 0:
        return f"{os.path.basename(command[0])} passes with the bug in"
    if not set(found) & set(invariants):
        return f"{os.path.basename(command[0])} failed, but not with {' or '.join(invariants)}:\n{said[-3000:]}"
    print(f"caught   {name}: {os.path.basename(command[0])} says {' '.join(found)}", flush=True)
    return None


def run_harmless(name):
    done, said = run_rig(name, HARMLESS[name])
    if done.returncode != 0:
        return f"{os.path.basename(HARMLESS[name][0])} does not survive it:\n{said[-3000:]}"
    print(f"survived {name}: {os.path.basename(HARMLESS[name][0])} passes", flush=True)
    return None


def planted_in_source():
    names = set()
    for room in ("server", "client-sdk", "protocol"):
        for folder, _, files in os.walk(os.path.join(ROOT, room)):
            for name in files:
                if name.endswith(".c"):
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        names |= set(re.findall(r'PLANTED\("(\w+)"\)', f.read()))
    return names


def main(names):
    missed = skipped = 0
    if not names:
        names = [*TABLE, *HARMLESS]
        for name in sorted(planted_in_source() ^ set(names)):
            missed += 1
            print(f"MISSED   {name}: " + ("not planted anywhere" if name in names else "no rig is named for it"))
        names = [n for n in names if n in planted_in_source()]
    for name in names:
        why = run_one(name)
        if why and why.startswith("skipped"):
            skipped += 1
            print(f"{why}: {name}", flush=True)
        elif why:
            missed += 1
            print(f"MISSED   {name}: {why}", flush=True)
    print(f"planted: {len(names) - skipped} run, {missed} missed, {skipped} skipped")
    if missed:
        return 1
    return SKIPPED if skipped == len(names) else 0


if __name__ == "__main__":
    unknown = [n for n in sys.argv[1:] if n not in TABLE and n not in HARMLESS]
    if unknown:
        sys.exit(f"no such planted bug: {', '.join(unknown)}; there are {', '.join([*TABLE, *HARMLESS])}")
    sys.exit(main(sys.argv[1:]))
