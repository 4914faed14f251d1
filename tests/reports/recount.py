#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every number of the reports a second time, from the NDJSON export alone, in other words than the server's.

    recount.py --data DIR [--program deskbell] [--from DAY] [--to DAY]

Exports all rows, counts each metric of docs/reports.md by everything it can be parted by, asks `deskbell report show` for the same
and compares cell by cell. Ends with 1 and the first differences. The store may be served meanwhile, if nothing happens in it.
"""
import argparse
import collections
import datetime
import json
import math
import os
import statistics
import subprocess
import sys
import time
import zoneinfo

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import bot_recount  # noqa: E402

OUTCOMES = ("confirmed", "assumed", "returned", "handed_off", "left", "open")
DAY_MS, LISTED_MOST = 24 * 3600 * 1000, 20000
PEOPLES = {"pending", "open", "waiting", "on_hold", "snoozed"}
Z = statistics.NormalDist().inv_cdf(0.975)
GOOD = {1: {1}, 3: {3}, 5: {4, 5}, 7: {5, 6, 7}, 10: {10}}
TICKET_BY = ["team", "agent", "app", "language", "topic", "tier", "priority", "handled_by"]
ANSWER_BY = ["team", "agent", "app", "language", "topic", "tier", "handled_by", "survey"]


class Server:
    def __init__(self, args):
        self.args = args

    def run(self, *words):
        done = subprocess.run([self.args.program, *words, "--data", self.args.data], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"deskbell {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def rows(self, what):
        out = self.run("report", "export", what, "--from", self.args.first, "--to", self.args.last)
        return [json.loads(line) for line in out.splitlines()]

    def show(self, metrics, by):
        out = self.run("report", "show", ",".join(metrics), "--from", self.args.first, "--to", self.args.last, "--by", by, "--json")
        return json.loads(out)


class Days:
    def __init__(self, zone):
        self.zone = zoneinfo.ZoneInfo(zone)

    def at(self, ms):
        return datetime.datetime.fromtimestamp(ms / 1000, self.zone)

    def key(self, by, ms):
        when = self.at(ms)
        if by == "hour_of_week":
            return str(when.weekday() * 24 + when.hour)
        day = when.date()
        if by == "week":
            day -= datetime.timedelta(days=day.weekday())
        return day.isoformat()[:7] if by == "month" else day.isoformat()


class Pile:
    """What was found for one cell: numbers, hits of shares, or scores."""

    def __init__(self):
        self.values, self.weight, self.scores, self.offered, self.answered = [], 0, [], 0, 0


class Count:
    def __init__(self, days):
        self.days, self.cells = days, collections.defaultdict(Pile)

    def put(self, metric, ms, keys, value=1, weight=1):
        places = [(by, self.days.key(by, ms)) for by in ("day", "week", "month", "hour_of_week")] + list(keys.items())
        for place in places + [("", "")]:
            pile = self.cells[metric, place]
            pile.values.append(value)
            pile.weight += weight

    def score(self, metric, ms, keys, row):
        places = [(by, self.days.key(by, ms)) for by in ("day", "week", "month")] + list(keys.items()) + [("", "")]
        for place in places:
            pile = self.cells[metric, place]
            pile.offered += 1
            pile.answered += row["state"] == "answered"
            if row["state"] == "answered" and row["score"] is not None:
                pile.scores.append((row["top"], row["score"]))


# ---- tickets --------------------------------------------------------------------------------------------------------
def counts_at_all(ticket, events):
    solved = any(e["status"] == "solved" for e in events)
    return not (ticket["status"] == "closed" and (ticket["close_reason"] or not solved))


def transfers_of(events):
    team = agent = None
    moves = 0
    for event in events:
        if event["kind"] == "place":
            moves += bool(agent and event["agent"] and agent != event["agent"]) or bool(team and team != event["team"])
        team, agent = event["team"], event["agent"]
    return moves


def spent(ticket, steps, end):
    """How long it was in each status, from its beginning to `end`."""
    total, status, since = collections.Counter(), "new", ticket["issued"]
    for at, to in steps + [(end, None)]:
        at = max(at, ticket["issued"])
        total[status] += max(0, min(at, end) - since)
        status, since = to, at
    return total


def count_ticket(count, ticket, events, messages):
    if not counts_at_all(ticket, events):
        return
    steps = [(e["at"], e["status"]) for e in events if e["kind"] == "status"]
    solvings = [at for at, status in steps if status == "solved"]
    with_people = [max(at, ticket["issued"]) for at, status in steps if status in PEOPLES]
    began_with_bot = bool(steps) and steps[0][1] == "bot"
    by_bot = began_with_bot and not with_people
    keys = {"team": ticket["team"], "agent": ticket["agent"], "app": ticket["app"], "language": ticket["lang"], "topic": ticket["topic"],
            "tier": next((e["tier"] for e in events if e["tier"]), None), "priority": ticket["priority"],
            "handled_by": "bot" if by_bot else "people"}
    keys = {by: key or "" for by, key in keys.items()}
    issued = ticket["issued"]
    count.put("tickets", issued, keys)
    before = "new"
    for at, status in steps:
        if status == "solved":
            count.put("solved", max(at, issued), keys)
        elif before == "solved" and status != "closed":
            count.put("reopened", max(at, issued), keys)
        before = status

    end_seq = next((e["seq"] for e in events if e["status"] == "closed"), math.inf)
    mine = [m for m in messages if ticket["first_seq"] <= m["seq"] <= end_seq and m["by"] in ("customer", "person")]
    reply = next((m["at"] for m in mine if m["by"] == "person"), None)
    if reply is not None:
        count.put("first_response", issued, keys, max(0, reply - (with_people[0] if with_people else issued)))
    if ticket["first_state"] == "done":
        count.put("first_response_business", issued, keys, ticket["first_business_ms"])
    over = lambda which: ticket[which + "_state"] == "done" or (ticket[which + "_state"] == "dropped" and ticket[which + "_missed"])
    if ticket["first_promised"] and over("first"):
        count.put("sla_first", issued, keys, int(not ticket["first_missed"]))
    if began_with_bot:
        count.put("bot_solved", issued, keys, int(by_bot and bool(solvings)))
    if solvings:
        count_solved(count, ticket, events, mine, keys, solvings, spent(ticket, steps, solvings[-1]), began_with_bot, over)


def count_solved(count, ticket, events, mine, keys, solvings, times, began_with_bot, over):
    day, last, issued = solvings[0], solvings[-1], ticket["issued"]
    put = lambda metric, value, weight=1: count.put(metric, day, keys, value, weight)
    put("resolution", max(0, day - issued))
    put("total_resolution", max(0, last - issued))
    if ticket["resolution_state"] == "done":
        put("resolution_business", ticket["resolution_business_ms"])
        if ticket["status"] in ("solved", "closed"):
            put("total_resolution_business", ticket["total_business_ms"])
    if ticket["resolution_promised"] and over("resolution"):
        put("sla_resolution", int(not ticket["resolution_missed"]))
    for metric, status in (("waiting", "pending"), ("handling", "open"), ("customer_waiting", "waiting"), ("on_hold", "on_hold")):
        put(metric, times[status])
    if began_with_bot:
        put("bot_time", times["bot"])
    story_end = [e["seq"] for e in events if e["kind"] == "status" and e["status"] == "solved"][-1]
    story = [m for m in mine if m["seq"] <= story_end]
    replies = [m for m in story if m["by"] == "person"]
    put("replies", len(replies))
    if replies:
        put("one_touch", int(len(replies) == 1))
    waits, since = [], None
    for i, message in enumerate(story):
        if message["by"] == "customer" and any(m["by"] == "person" for m in story[:i]):
            since = since or message["at"]
        elif message["by"] == "person" and since:
            waits.append(max(0, message["at"] - since))
            since = None
    if waits:
        put("next_response", sum(waits), len(waits))
    put("next_missed", sum(int(due) <= last for due in (ticket["next_missed"] or "").split()))
    steps = [e["status"] for e in events if e["kind"] == "status"]
    put("reopen_rate", int(any(a == "solved" and b != "closed" for a, b in zip(steps, steps[1:]))))
    put("transfers", transfers_of(events))
    put("transfer_rate", int(transfers_of(events) > 0))


# ---- the rest -------------------------------------------------------------------------------------------------------
def count_messages(count, messages):
    for message in messages:
        if message["by"] == "customer":
            count.put("customer_messages", message["at"], {})
        elif message["by"] == "person":
            count.put("staff_messages", message["at"], {"agent": message["agent"] or ""})


def count_answers(count, answers):
    for row in answers:
        if row["state"] in ("waiting", "answered", "expired"):
            keys = {"team": row["team"], "agent": row["agent"], "app": row["app"], "language": row["lang"], "topic": row["topic"],
                    "tier": row["tier"], "handled_by": "bot" if row["by_bot"] else "people",
                    "survey": f"{row['survey']}/{row['version']}"}
            count.score(row["metric"], row["offered"], {by: key or "" for by, key in keys.items()}, row)


def count_cases(count, cases):
    for row in cases:
        keys = {"team": row["team"] or "", "agent": row["owner"] or "", "tier": row["tier"] or ""}
        count.put("cases", row["opened"], keys)
        if row["contacted"]:
            count.put("cases_in_time", row["opened"], keys, int(row["in_time"]))
            if row["stage"] == "resolved":
                count.put("cases_recovered", row["opened"], keys, int(row["outcome"] == "recovered"))


# ---- figures --------------------------------------------------------------------------------------------------------
def away_from_zero(value):
    return math.floor(value + 0.5) if value >= 0 else -math.floor(-value + 0.5)


def bucket_middle(ms):
    """The middle of the bucket that docs/reports.md puts a time into."""
    seconds = max(0, ms) // 1000
    if seconds < 32:
        return seconds * 1000 + 500
    width = 1 << (seconds.bit_length() - 5)
    return seconds // width * width * 1000 + width * 500


def percentile(values, percent):
    middles = sorted(bucket_middle(value) for value in values)
    return middles[max(0, math.ceil(len(middles) * percent / 100) - 1)]


def wilson(hits, n):
    p, zz = hits / n, Z * Z
    middle, half = (p + zz / (2 * n)) / (1 + zz / n), Z / (1 + zz / n) * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return max(0, middle - half) * 100, min(1, middle + half) * 100


def figures_of_scores(metric, pile):
    out = {"n": len(pile.scores), "offered": pile.offered, "answered": pile.answered}
    if not pile.scores:
        return out
    n = len(pile.scores)
    if metric == "nps":
        promoters, detractors = sum(s >= 9 for _, s in pile.scores), sum(s <= 6 for _, s in pile.scores)
        out["value"] = away_from_zero((promoters - detractors) / n * 10000)
        p, d = promoters / n, detractors / n
        if max(promoters, detractors, n - promoters - detractors) < n:
            half = Z * math.sqrt((p + d - (p - d) ** 2) / n)
            out["low"], out["high"] = (away_from_zero(max(-1, min(1, p - d + s * half)) * 10000) for s in (-1, 1))
    else:
        hits = sum(score in GOOD[top] for top, score in pile.scores)
        out["value"] = away_from_zero(hits / n * 10000)
        out["low"], out["high"] = (away_from_zero(end * 100) for end in wilson(hits, n))
    if len({top for top, _ in pile.scores}) == 1:
        out["mean"] = away_from_zero(sum(s for _, s in pile.scores) / n * 1000)
    return out


def figures(metric, kind, pile):
    if kind == "score":
        return figures_of_scores(metric, pile)
    n, total = pile.weight, sum(pile.values)
    if kind in ("count", "state"):
        return {"n": n, "value": n}
    out = {"n": n}
    if n == 0:
        return out
    if kind == "time":
        out["value"] = away_from_zero(total / n)
        if metric != "next_response":
            out["median"], out["p90"] = percentile(pile.values, 50), percentile(pile.values, 90)
    elif kind == "mean":
        out["value"] = away_from_zero(total * 1000 / n)
    elif kind == "share":
        out["value"] = away_from_zero(total * 10000 / n)
        out["low"], out["high"] = (away_from_zero(end * 100) for end in wilson(total, n))
    return out


def is_same(found, wanted):
    keys = set(wanted) | {k for k in found if k in ("n", "value", "median", "p90", "mean", "offered", "answered")}
    return all(found.get(k) is not None and wanted.get(k) is not None and abs(found[k] - wanted[k]) <= (k != "n") for k in keys)


# ---- comparing ------------------------------------------------------------------------------------------------------
def backlog(count, by, key, days):
    """Of a dimension all that came before the end; of time what was there at the end of it."""
    def total(metric, until=None):
        if by in TICKET_BY:
            return count.cells[metric, (by, key)].weight
        return sum(pile.weight for (name, place), pile in list(count.cells.items())
                   if name == metric and place[0] == by and (until is None or place[1] <= until))
    return total("tickets", key) + total("reopened", key) - total("solved", key)


def compare(server, count, metrics, differences):
    compared = 0
    for by in ["day", "week", "month", "hour_of_week", "bot"] + sorted(set(TICKET_BY + ANSWER_BY)):
        able = [row for row in metrics if by in row["by"] and row["kind"] != "span"]
        for first in range(0, len(able), 8):
            some = able[first:first + 8]
            answer = server.show([row["metric"] for row in some], by)
            seen = {row["key"]: row["values"] for row in answer["rows"]}
            for number, row in enumerate(some):
                wanted_keys = {place[1] for name, place in count.cells if name == row["metric"] and place[0] == by}
                for key in sorted(set(seen) | wanted_keys):
                    found = seen[key][number] if key in seen else {"n": 0}
                    pile = count.cells.get((row["metric"], (by, key)), Pile())
                    wanted = figures(row["metric"], row["kind"], pile)
                    if row["kind"] == "state":
                        wanted = dict.fromkeys(("n", "value"), backlog(count, by, key, None))
                    compared += 1
                    if not is_same(found, wanted):
                        differences.append(f"{row['metric']} by {by} '{key}': the report says {found}, the rows say {wanted}")
    return compared


def compare_totals(server, count, metrics, differences):
    able = [row for row in metrics if row["kind"] not in ("span", "state")]
    for first in range(0, len(able), 8):
        some = able[first:first + 8]
        totals = server.show([row["metric"] for row in some], "month")["totals"]
        for row, found in zip(some, totals):
            wanted = figures(row["metric"], row["kind"], count.cells.get((row["metric"], ("", "")), Pile()))
            if not is_same(found, wanted):
                differences.append(f"{row['metric']} in all: the report says {found}, the rows say {wanted}")


# ---- bots -----------------------------------------------------------------------------------------------------------
def count_bots(count, rows, now_ms):
    """Episodes and their outcomes as docs/bots.md has them, in the words of bot_recount.py."""
    kinds = ["", "answered", "offered", "missed", "in_flow", "helped", "not_helped", "handed", "ticket", "closed", "failed", "held_out",
             "person", "given_back", "silent", "tagged"]
    talks, entries = collections.defaultdict(list), collections.defaultdict(dict)
    for row in rows:
        talks[row["bot"], row["conv"]].append({**row, "kind": kinds.index(row["kind"]), "rule": row["rule"] or "", "lang": row["lang"] or ""})
        for seq, moment in ((row["seq"], row["sent"]), (row["seq"] - 1, row["before"])):
            if moment:
                entries[row["conv"]][seq] = moment
    for (bot, conv), talk in talks.items():
        made = bot_recount.episodes(talk, [{"seq": seq, "ts": ts} for seq, ts in entries[conv].items()])
        for episode, following in zip(made, made[1:] + [None]):
            keys = {"bot": bot, "app": episode[0]["app"], "language": episode.first("lang") or ""}
            came_to = bot_recount.outcome(episode, following, now_ms)
            count.put("bot_episodes", episode[0]["at"], keys)
            for outcome in OUTCOMES:
                count.put("bot_" + outcome, episode[0]["at"], keys, int(outcome == came_to))


# ---- the agents' time -----------------------------------------------------------------------------------------------
def stretches(agents, now_ms):
    """(metric, agent, reason, from, to): from each change of a status to the next one."""
    for agent in sorted({row["agent"] for row in agents if row["agent"]}):
        changes, aways = [row for row in agents if row["agent"] == agent], []
        for row, after in zip(changes, changes[1:] + [{"at": now_ms}]):
            start, end, reason = row["at"], after["at"], row["reason"] or ""
            if row["status"] in ("online", "busy"):
                yield "online", agent, "", start, end
            if row["status"] != "away":
                continue
            yield "away", agent, reason, start, end
            if row["minutes"]:
                used = sum(max(0, min(b, start) - max(a, start - DAY_MS)) for why, a, b in aways if why == reason)
                yield "away_over", agent, reason, start + max(0, row["minutes"] * 60000 - used), end
            aways.append((reason, start, end))


def presence(server, agents, days, now_ms, differences):
    spent_ms = collections.Counter()
    for metric, agent, reason, start, end in stretches(agents, now_ms):
        while start < end:
            until = min(end, int((days.at(start).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
                                  + datetime.timedelta(days=1)).timestamp() * 1000))
            for place in (("agent", agent), ("reason", reason), ("day", days.key("day", start)), ("month", days.key("month", start))):
                spent_ms[metric, place] += until - start
            start = until
    compared = 0
    for by, metrics in (("agent", ("online", "away", "away_over")), ("reason", ("away", "away_over")),
                        ("day", ("online", "away", "away_over")), ("month", ("online", "away", "away_over"))):
        for row in server.show(list(metrics), by)["rows"]:
            for metric, found in zip(metrics, row["values"]):
                compared += 1
                wanted = spent_ms[metric, (by, row["key"])]
                if abs(found.get("value", 0) - wanted) > 60000:
                    differences.append(f"{metric} by {by} '{row['key']}': {found}, the rows say {wanted}")
    return compared


# ---- lists ----------------------------------------------------------------------------------------------------------
def compare_lists(server, differences):
    """What is behind a number is as much as the number says."""
    names = ["customer_messages", "staff_messages", "online", "away", "away_over", "bot_episodes"] + ["bot_" + name for name in OUTCOMES]
    opened = 0
    for metric in names:
        total = server.show([metric], "month")["totals"][0]
        if not 0 < total["n"] <= LISTED_MOST:
            continue
        out = server.run("report", "list", metric, "--from", server.args.first, "--to", server.args.last, "--json")
        items = json.loads(out)["items"]
        opened += len(items)
        is_time = metric in ("online", "away", "away_over")
        if is_time and abs(sum(item["value"] for item in items) - total["value"]) > 60000:
            differences.append(f"the list of {metric} has {sum(item['value'] for item in items)} ms, the number says {total}")
        if not is_time and len(items) != total["n"]:
            differences.append(f"the list of {metric} has {len(items)}, the number says {total}")
        if metric.startswith("bot_") and metric != "bot_episodes":
            share = away_from_zero(sum(item["value"] for item in items) / len(items) * 10000)
            if abs(share - total["value"]) > 1:
                differences.append(f"the list of {metric} says {share}, the number {total}")
    return opened


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--program", default=os.path.join(os.environ.get("DESKBELL_BUILD", "."), "deskbell"))
    today = datetime.date.today()
    parser.add_argument("--from", dest="first", default=(today - datetime.timedelta(days=400)).isoformat())
    parser.add_argument("--to", dest="last", default=(today + datetime.timedelta(days=1)).isoformat())
    args = parser.parse_args()
    server = Server(args)
    days = Days(server.show(["tickets"], "month")["zone"])
    listed = json.loads(server.run("report", "metrics", "--json"))
    metrics = listed["metrics"] if isinstance(listed, dict) else listed
    count, events, messages = Count(days), collections.defaultdict(list), collections.defaultdict(list)
    for row in server.rows("events"):
        events[row["ticket"]].append(row)
    told = server.rows("messages")
    for row in told:
        messages[row["conv"]].append(row)
    tickets = server.rows("tickets")
    for ticket in tickets:
        count_ticket(count, ticket, events[ticket["ticket"]], messages[ticket["conv"]])
    count_messages(count, told)
    answers, cases, agents, bots = server.rows("answers"), server.rows("cases"), server.rows("agents"), server.rows("bots")
    count_answers(count, answers)
    count_cases(count, cases)
    count_bots(count, bots, time.time() * 1000)
    differences = []
    compared = compare(server, count, metrics, differences)
    compare_totals(server, count, metrics, differences)
    compared += presence(server, agents, days, time.time() * 1000, differences)
    opened = compare_lists(server, differences)
    for line in differences[:20]:
        print(line)
    print(f"{len(tickets)} tickets, {len(told)} messages, {len(answers)} askings, {len(cases)} cases, {len(bots)} happenings of "
          f"bots: {compared} cells of {len(metrics)} metrics counted again, {opened} things in lists, {len(differences)} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
