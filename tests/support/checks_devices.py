# SPDX-License-Identifier: Apache-2.0
"""Checks of what each device is given and shows (I7, I12, I13, I19, I22, I23)."""
import bisect
from collections import defaultdict

from history import SECOND, begun_ns, memberships, place_of

STALE_NS = 30 * SECOND
HEAL_NS = 60 * SECOND
UNCOUNTED_KINDS = {"edit", "erase", "erased", "revision", "status", "joined", "left"}
# What the one device that wrote a message may see of it. Never back, but failed -> queued by the user's retry.
STATE_RANK = {"uploading": 0, "queued": 1, "sent": 2, "delivered": 3, "read": 4}
STATE_FIRST = {"uploading", "queued"}


def check_i7(history, report):
    """Numbers given to the app on one device rise by one, within an epoch and a run; no hole from run to run."""
    last = {}                              # (proc, epoch, conv, log) -> (number, run, src)
    deliver_of = {id(l): o for l, o in zip(history.by_op["deliver"], history.delivers)}
    runs = defaultdict(int)
    for line in history.lines:
        op = line["op"]
        if op == "start" or op == "crash":
            runs[line.get("who") or line["proc"]] += 1
        elif op == "snapshot":
            log, n = place_of(line)
            key = (line["proc"], line["epoch"], line.get("conv"), log)
            n = n or 0
            if key in last and n < last[key][0] and runs[line["proc"]] == last[key][1]:
                report.bad("I7", f"snapshot of {line.get('conv')} ends at {n} behind {last[key][0]}", [line["proc"]],
                           [line["src"]])
            last[key] = (n, runs[line["proc"]], line["src"])
        elif op == "deliver":
            o = deliver_of[id(line)]
            key = (o.proc, o.epoch, o.conv, o.log)
            run = runs[o.proc]
            if key in last:
                report.saw("I7")
                number, of_run, src = last[key]
                same_run = of_run == run
                if o.n != number + 1 and (same_run or o.n > number + 1):
                    report.bad("I7", f"{o.conv} {o.log}: {o.n} was given after {number}", [o.proc], [src, o.src])
            last[key] = (o.n, run, o.src)


def check_i12(history, report):
    """After quiescence each device has given everything, nothing queued was dropped, outboxes empty in 60 s."""
    heads = {}
    for final in history.finals:
        if final["epoch"] == history.last_epoch:
            key = (final.get("conv"), final.get("log") or "public")
            heads[key] = max(heads.get(key, (0, None)), (final.get("head") or 0, final["src"]), key=lambda h: h[0])
    quiet, began, lost = {}, {}, {}
    for line in history.lines:
        proc = line.get("who") or line["proc"]
        if line["op"] == "quiet":
            if line.get("outbox"):
                report.bad("I12", f"quiet with {line['outbox']} messages in the outbox", [line["proc"]], [line["src"]])
            quiet.setdefault(line["proc"], []).append(line)
        elif line["op"] == "start":
            began[proc] = line["t_ns"]
        elif line["op"] == "crash":
            lost[proc] = line["t_ns"]
    check_caught_up(history, report, heads, quiet, began)
    check_nothing_dropped(history, report, quiet)
    check_feeds(history, report)
    heals = history.by_op["heal"]
    if not heals:
        return
    heal = heals[-1]
    for proc in sorted({l["proc"] for l in history.by_op["send"] if l["kind"] == "invoke"}):
        ended = lost.get(proc, 0) > max(began.get(proc, 0), heal["t_ns"])
        if ended or not any(l["op"] == "start" for l in history.by_proc[proc]):
            continue
        report.saw("I12")
        if not any(heal["t_ns"] <= q["t_ns"] <= heal["t_ns"] + HEAL_NS for q in quiet.get(proc, [])):
            report.bad("I12", "the outbox was not empty 60 s after healing", [proc], [heal["src"]])


def check_caught_up(history, report, heads, quiet, began):
    given = {}
    for o in history.delivers:
        if o.epoch == history.last_epoch:
            given[(o.proc, o.conv, o.log)] = (o.n, o.src)
    for line in history.by_op["snapshot"]:
        log, n = place_of(line)
        if line["epoch"] == history.last_epoch:
            key = (line["proc"], line.get("conv"), log)
            if n and n > given.get(key, (0, None))[0]:
                given[key] = (n, line["src"])
    for (proc, conv, log), (n, src) in given.items():
        if proc not in quiet or (conv, log) not in heads:
            continue
        report.saw("I12")
        head, final_src = heads[(conv, log)]
        if n != head:
            report.bad("I12", f"the device ends at {n} of {conv} {log}, the server at {head}", [proc],
                       [src, final_src])
    for member in history.by_op["member"]:
        if (member.get("conv"), "public") not in heads or heads[(member["conv"], "public")][0] == 0:
            continue
        for proc in quiet:
            if proc in began and history.role(proc) == "customer" and history.principal(proc) == member.get("who") \
                    and (proc, member["conv"], "public") not in given and member.get("until_ns") is None:
                report.bad("I12", f"the device never got anything of {member['conv']}", [proc], [member["src"]])


def check_feeds(history, report):
    """A read of the feed names every conversation of its reader in which something was acked since, with its head."""
    acks = defaultdict(list)               # (epoch, conv) -> [(t of the ack, number, t of the invoke, src)], n rising
    for ok in history.lines:
        if ok["op"] not in ("send", "edit", "erase") or ok["kind"] != "ok":
            continue
        log, n = place_of(ok)
        if log != "public" or not n:
            continue
        conv = ok.get("conv") or history.conv_of(ok["cmid"])
        tops = acks[(ok["epoch"], conv)]
        if not tops or n > tops[-1][1]:
            begun = min((begun_ns(i) for i in history.invokes.get(ok["cmid"], [])), default=0)
            tops.append((ok["t_ns"], n, begun, ok["src"]))
    spans = memberships(history)
    for feed in history.by_op["feed"]:
        heads = {row.get("conv"): row.get("head") or 0 for row in feed.get("rows", [])}
        for (epoch, conv), tops in acks.items():
            is_staff = history.role(feed["proc"]) != "customer"
            if epoch != feed["epoch"] or not (is_staff or (history.principal(feed["proc"]), conv) in spans):
                continue
            at = bisect.bisect_left(tops, feed["began_ns"], key=lambda t: t[0]) - 1
            if at < 0 or tops[at][2] <= feed.get("since_ns", 0):
                continue
            report.saw("I12")
            if heads.get(conv, 0) < tops[at][1]:
                said = heads.get(conv, "nothing")
                report.bad("I12", f"the feed says {said} of {conv}, where {tops[at][1]} was acked", [feed["proc"]],
                           [tops[at][3], feed["src"]])


def check_nothing_dropped(history, report, quiet):
    """What a device has called queued, and not failed, is in a final read once it is quiet."""
    if not history.finals:
        return
    found = {o.cmid for _, entries in history.final_entries for o in entries}
    read = {(f["epoch"], f.get("conv"), f.get("log") or "public") for f in history.finals}
    ended = {l.get("cmid") for l in history.by_op["state"] if l.get("state") in ("failed", "expired")}
    for line in history.by_op["state"]:
        cmid = line.get("cmid")
        if line.get("state") != "queued" or cmid in ended or cmid in found or cmid in history.fails:
            continue
        if not any(q["t_ns"] > line["t_ns"] for q in quiet.get(line["proc"], [])):
            continue
        invoke = next(iter(history.invokes.get(cmid, [])), None)
        conv, log = history.conv_of(cmid), (invoke or {}).get("log") or "public"
        if conv is not None and (history.last_epoch, conv, log) not in read:
            continue
        report.bad("I12", f"{cmid} was queued, never failed, and is in no final read", [line["proc"]], [line["src"]])


def check_i13(history, report):
    """Read marks never fall nor pass received and head; unread is what can be counted."""
    top = {}
    heads = {(f["epoch"], f.get("conv")): (f.get("head") or 0) for f in history.finals
             if (f.get("log") or "public") == "public"}
    for line in history.by_op["mark"]:
        report.saw("I13")
        key = (line["proc"], line["epoch"], line.get("conv"), line.get("side"))
        recv, read = line.get("recv") or 0, line.get("read") or 0
        before = top.get(key)
        if before and (read < before[0] or recv < before[1]):
            report.bad("I13", f"marks of {line.get('conv')} fell from {before[:2]} to {(read, recv)}", [line["proc"]],
                       [before[2], line["src"]])
        head = line.get("head") if line.get("head") is not None else heads.get((line["epoch"], line.get("conv")))
        if read > recv or (head is not None and recv > head):
            report.bad("I13", f"marks of {line.get('conv')} are not read <= received <= head: {read}, {recv}, {head}",
                       [line["proc"]], [line["src"]])
        top[key] = (read, recv, line["src"])
    for final, entries in history.final_entries:
        if final.get("unread") is None or final.get("read") is None or (final.get("log") or "public") != "public":
            continue
        report.saw("I13")
        ours = history.role(final["proc"]) or "customer"
        count = sum(1 for o in entries if o.n > final["read"] and counts_as_unread(o, ours))
        if count != final["unread"]:
            report.bad("I13", f"unread of {final.get('conv')} is {final['unread']}, counted {count}", [final["proc"]],
                       [final["src"]])


def counts_as_unread(o, observer_role):
    if o.entry in UNCOUNTED_KINDS or not o.author:
        return False
    return o.author.startswith("usr_") != (observer_role == "customer")


def check_i19(history, report):
    """Heads and revs fall only together with a new epoch, and an epoch that was left never comes back."""
    head, rev, left, current = {}, {}, set(), {}
    for line in history.lines:
        proc, epoch = line["proc"], line["epoch"]
        if epoch and line["op"] in ("connect", "reset", "final"):
            if current.get(proc) not in (None, epoch):
                left.add((proc, current[proc]))
            if (proc, epoch) in left:
                report.bad("I19", f"epoch {epoch} came back", [proc], [line["src"]])
            current[proc] = epoch
        if line["op"] in ("connect", "final", "mark"):
            for value, seen, key in ((line.get("rev"), rev, (proc, epoch)),
                                     (line.get("head"), head, (proc, epoch, line.get("conv"), line.get("log")))):
                if value is None:
                    continue
                before = seen.get(key)
                if before:
                    report.saw("I19")
                    if value < before[0]:
                        report.bad("I19", f"went back from {before[0]} to {value} within one epoch", [proc],
                                   [before[1], line["src"]])
                seen[key] = (value, line["src"])


def connected_spans(history):
    spans = defaultdict(list)
    since = {}
    for line in history.lines:
        proc = line.get("who") or line["proc"]
        if line["op"] == "connect" and line.get("up") is not False:
            since.setdefault(line["proc"], line["t_ns"])
        elif line["op"] in ("disconnect", "crash", "start") or line["op"] == "connect":
            if proc in since:
                spans[proc].append((since.pop(proc), line["t_ns"]))
    for proc, begin in since.items():
        spans[proc].append((begin, max(l["t_ns"] for l in history.by_proc[proc])))
    return spans


def check_i22(history, report):
    """A device connected all the while sees an event at most 30 s after its ack."""
    spans = connected_spans(history)
    seen, follows = {}, defaultdict(set)
    for o in history.delivers:
        seen.setdefault((o.proc, o.place), o.t)
        follows[(o.epoch, o.conv, o.log)].add(o.proc)
    first_seen = {}
    for o in history.delivers:
        key = (o.proc, o.epoch, o.conv, o.log)
        first_seen[key] = min(first_seen.get(key, o.t), o.t)
    for cmid, oks in history.oks.items():
        ok = min(oks, key=lambda l: l["t_ns"])
        log, n = place_of(ok)
        conv = ok.get("conv") or history.conv_of(cmid)
        for proc in follows.get((ok["epoch"], conv, log), ()):
            if first_seen[(proc, ok["epoch"], conv, log)] > ok["t_ns"]:
                continue
            at = bisect.bisect_right(spans.get(proc, []), (ok["t_ns"], float("inf"))) - 1
            if at < 0 or spans[proc][at][1] <= ok["t_ns"]:
                continue
            when = seen.get((proc, (ok["epoch"], conv, log, n)))
            if when is not None and when <= ok["t_ns"] + STALE_NS:
                report.saw("I22")
            elif spans[proc][at][1] >= ok["t_ns"] + STALE_NS:
                report.bad("I22", f"{cmid} was not seen within 30 s by a connected device", [ok["proc"], proc],
                           [ok["src"]])


def check_i23(history, report):
    """Only legal changes of a message's state on each device."""
    now = {}
    for line in history.by_op["state"]:
        state, key = line.get("state"), (history.device(line["proc"]), line.get("cmid"))
        if line.get("again"):
            continue
        before = now.get(key)
        report.saw("I23")
        if not legal_change(before[0] if before else None, state):
            report.bad("I23", f"{line.get('cmid')} went from {before[0] if before else 'nothing'} to {state}",
                       [line["proc"]], [before[1], line["src"]] if before else [line["src"]])
        now[key] = (state, line["src"])


def legal_change(before, after):
    if after not in STATE_RANK and after not in ("failed", "expired"):
        return False
    if before is None:
        return after in STATE_FIRST
    if after in ("failed", "expired"):
        return before in STATE_FIRST
    if before == "failed":
        return after == "queued"
    if before == "expired":
        return False
    if STATE_RANK[before] < STATE_RANK["sent"] and STATE_RANK[after] > STATE_RANK["sent"]:
        return False
    return STATE_RANK[after] > STATE_RANK[before]
