#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server's time zones agree with Python's zoneinfo: offsets of instants, and instants of local times, in 20 zones
with unusual rules, from 1900 to 2200 and close to their changes.

    zones.py PROGRAM COUNT      COUNT instants, divided among the zones
"""
import datetime
import random
import subprocess
import sys
import zoneinfo

ZONES = ["Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
         "America/Nuuk", "Asia/Seoul", "Asia/Tokyo", "Asia/Shanghai", "Asia/Kolkata", "Asia/Gaza", "Asia/Tehran",
         "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "Africa/Cairo", "Antarctica/Troll",
         "Etc/UTC"]
EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc
FIRST, LAST = -2208988800, 7258118400  # 1900, 2200


def offset_of(zone, at):
    moment = (EPOCH.replace(tzinfo=UTC) + datetime.timedelta(seconds=at)).astimezone(zone)
    return round(moment.utcoffset().total_seconds())


def instant_of(zone, local):
    """A time shown twice: the first; never shown: by the offset before the jump (PEP 495, fold 0)."""
    wall = (EPOCH + datetime.timedelta(seconds=local)).replace(tzinfo=zone)
    return local - round(wall.utcoffset().total_seconds())


def change_near(zone, rng):
    """An instant at, or a few seconds from, a change of the clocks."""
    low = rng.randrange(FIRST, LAST - 400 * 86400)
    high = low + 400 * 86400
    if offset_of(zone, low) == offset_of(zone, high):
        high = low + 200 * 86400
        if offset_of(zone, low) == offset_of(zone, high):
            return low
    while high - low > 1:
        middle = (low + high) // 2
        if offset_of(zone, middle) == offset_of(zone, low):
            low = middle
        else:
            high = middle
    return high + rng.choice([-3601, -3600, -1, 0, 1, 1800, 3599, 3600, 7200])


def main():
    program, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32)
    rng = random.Random(seed)
    asked, expected = [], []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        for i in range(count // len(ZONES)):
            at = change_near(zone, rng) if i % 10 == 0 else rng.randrange(FIRST, LAST)
            if i % 20 == 0:
                at += offset_of(zone, at)  # the same place as a local time
            asked.append((name, at))
            expected.append(f"{offset_of(zone, at)} {instant_of(zone, at)}")
    refused = ["Nowhere/Atall", "../../etc/passwd", "posixrules/x", "Europe", "zone.tab", "Europe/../Europe/Berlin"]
    text = "".join(f"{name} {at}\n" for name, at in asked) + "".join(f"{name} 0\n" for name in refused)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    answers = done.stdout.split("\n")
    wrong = [(ask, answer, right) for ask, answer, right in zip(asked, answers, expected) if answer != right]
    for ask, answer, right in wrong[:10]:
        print(f"{ask[0]} at {ask[1]}: {answer}, zoneinfo says {right}")
    kept = [name for name, answer in zip(refused, answers[len(asked):]) if answer != "-"]
    if kept:
        print("not refused:", kept)
    print(f"{len(asked)} instants of {len(ZONES)} zones, {len(wrong)} wrong, seed {seed}")
    return 1 if wrong or kept or len(asked) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
