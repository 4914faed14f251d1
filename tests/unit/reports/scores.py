#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores and their intervals on random sets of answers, against the same things said another way: from the single
answers, with Wilson's limits found by search where the normal test just no longer refuses a share, and the interval of
NPS as that of a mean of +1, 0 and -1. A few sets are drawn again and again (bootstrap) to see that the interval of NPS
is of the right size.

  scores.py TELL_PROGRAM [SETS]
"""
import math
import random
import statistics
import subprocess
import sys

Z = statistics.NormalDist().inv_cdf(0.975)
SHARE, MEAN, NPS = range(3)
GOOD = {1: {1}, 3: {3}, 5: {4, 5}, 7: {5, 6, 7}, 10: {10}}


def search(refuses, inside, outside):
    """The last value from `inside` towards `outside` that is not refused."""
    if not refuses(outside):
        return outside
    for _ in range(100):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if refuses(middle) else (middle, outside)
    return inside


def wilson(hits, n):
    p = hits / n
    def refuses(q):
        spread = math.sqrt(q * (1 - q) / n)
        return abs(p - q) > Z * spread * (1 + 1e-15) if spread > 0 else p != q
    return search(refuses, p, 0.0), search(refuses, p, 1.0)


def share(answers, top):
    hits = sum(a in GOOD[top] for a in answers)
    low, high = wilson(hits, len(answers))
    return 100 * hits / len(answers), 100 * low, 100 * high


def mean(answers, top):
    value = statistics.fmean(answers)
    if len(answers) < 2:
        return value, None, None
    half = Z * statistics.stdev(answers) / math.sqrt(len(answers))
    return value, max(0, value - half), min(top, value + half)


def group(answer):
    return 1 if answer >= 9 else -1 if answer <= 6 else 0


def nps(answers, _top):
    groups = [group(a) for a in answers]
    value = 100 * statistics.fmean(groups)
    if len(set(groups)) == 1:
        likely = wilson(len(groups), len(groups))[0]
        others = 1 - likely
        if groups[0] == 0:
            return value, -100 * others, 100 * others
        worst = 100 * (likely - others)
        return (value, worst, 100) if groups[0] == 1 else (value, -100, -worst)
    half = 100 * Z * statistics.pstdev(groups) / math.sqrt(len(groups))
    return value, max(-100, value - half), min(100, value + half)


def draw(rng):
    kind = rng.choice([SHARE, MEAN, NPS])
    top = 10 if kind == NPS else rng.choice([1, 3, 5, 7])
    lowest = 0 if top in (1, 10) else 1
    size = rng.choice([0, 1, 2, 3, 10, 50, 400])
    weights = [rng.random() ** rng.choice([1, 4, 20]) + 1e-9 for _ in range(lowest, top + 1)]
    return kind, top, rng.choices(range(lowest, top + 1), weights, k=rng.randint(0, size))


def close(a, b):
    return (a is None) == (b is None) and (a is None or abs(a - b) <= 1e-7 * max(1, abs(a)))


def main():
    sets = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    rng = random.Random(6)
    drawn = [draw(rng) for _ in range(sets)]
    lines = [f"{kind} {top} " + " ".join(str(answers.count(s)) for s in range(11)) for kind, top, answers in drawn]
    told = subprocess.run([sys.argv[1]], input="\n".join(lines), text=True, capture_output=True, check=True).stdout.split("\n")
    wrong = 0
    for (kind, top, answers), line in zip(drawn, told):
        n, *rest = line.split()
        got = [None if word == "-" else float(word) for word in rest]
        wanted = [share, mean, nps][kind](answers, top) if answers else (None, None, None)
        if int(n) != len(answers) or not all(close(a, b) for a, b in zip(wanted, got)):
            wrong += 1
            print(f"kind {kind}, top {top}, {sorted(answers)}: wanted {wanted}, got {line}")
    for answers in [[10] * 40 + [8] * 20 + [3] * 40, [9] * 10 + [7] * 50 + [0] * 5, [10] * 150 + [6] * 20]:
        again = sorted(100 * statistics.fmean(group(a) for a in rng.choices(answers, k=len(answers))) for _ in range(2000))
        _value, low, high = nps(answers, 10)
        if abs(low - again[50]) > 3 or abs(high - again[1949]) > 3:
            wrong += 1
            print(f"NPS of {len(answers)}: {low:.1f} to {high:.1f}, drawn again {again[50]:.1f} to {again[1949]:.1f}")
    print(f"scores: {sets} sets, {wrong} wrong")
    return 1 if wrong or len(told) < sets else 0


if __name__ == "__main__":
    sys.exit(main())
