# SPDX-License-Identifier: Apache-2.0
"""Checks of what stands in the logs: durability, identity, content, order (I1-I6, I8-I11, I20, I21)."""
import bisect
from collections import defaultdict

from history import FIRST_KINDS, SIDE_KINDS, begun_ns, epochs_of, erasures, place_of, place_text, reached_place


def check_i1(history, report):
    """Every acked cmid is in each final read of its log at the acked number, same epoch."""
    where = {}       # final number -> {cmid: n}
    finals_of = defaultdict(list)
    for i, (final, entries) in enumerate(history.final_entries):
        where[i] = {o.cmid: o.n for o in entries if o.cmid}
        finals_of[(final["epoch"], final.get("conv"), final.get("log") or "public")].append(i)
    read_convs = {(k[0], k[1], k[2]) for k in finals_of}
    for cmid, oks in history.oks.items():
        for ok in oks:
            log, n = place_of(ok)
            conv = ok.get("conv") or history.conv_of(cmid)
            if n is None:
                report.bad("I1", f"ack of {cmid} carries no number", [ok["proc"]], [ok["src"]])
                continue
            key = (ok["epoch"], conv, log)
            if key not in read_convs:
                continue
            for i in finals_of[key]:
                final = history.finals[i]
                if final.get("began_ns", final["t_ns"]) < ok["t_ns"]:
                    continue
                report.saw("I1")
                if n < (final.get("first") or 1) and final.get("trimmed"):
                    continue
                found = where[i].get(cmid)
                if found is None:
                    report.bad("I1", f"acked {cmid} is missing from {log} log of {conv}, acked at {n}",
                               [ok["proc"], final["proc"]], [ok["src"], final["src"]])
                elif found != n:
                    report.bad("I1", f"{cmid} was acked at {n} and is read at {found}",
                               [ok["proc"], final["proc"]], [ok["src"], final["src"]])


def check_i2(history, report):
    """Every delivered cmid was invoked before, by its author."""
    intents = defaultdict(int)
    for line in history.by_op["intent"]:
        intents[(history.principal(line.get("who")), line.get("hash"))] += 1
    used = defaultdict(set)
    for o in history.observations:
        if not o.cmid:
            continue
        report.saw("I2")
        invokes = history.invokes.get(o.cmid)
        if not invokes:
            key = (o.author, o.hash)
            if intents.get(key) or intents.get((None, o.hash)):
                used[key].add(o.cmid)
                continue
            report.bad("I2", f"{o.cmid} was never sent by anybody", [o.proc], [o.src])
            continue
        authors = {history.principal(i["proc"]) for i in invokes}
        if o.author and None not in authors and o.author not in authors and not o.author.startswith("gone"):
            report.bad("I2", f"{o.cmid} is shown as written by {o.author}, who never sent it",
                       [o.proc] + [i["proc"] for i in invokes], [o.src, invokes[0]["src"]])
        elif o.t < min(begun_ns(i) for i in invokes):
            report.bad("I2", f"{o.cmid} was seen before it was sent", [o.proc], [o.src, invokes[0]["src"]])


def check_i3(history, report):
    """Within an epoch a cmid has one place, and what a rig asked for once is stored once."""
    seen = {}
    for cmid, oks in history.oks.items():
        for ok in oks:
            log, n = place_of(ok)
            if n:
                note_place(seen, report, (ok["epoch"], cmid), (ok.get("conv") or history.conv_of(cmid), log, n), ok)
    for o in history.observations:
        if o.cmid:
            line = {"proc": o.proc, "src": o.src}
            note_place(seen, report, (o.epoch, o.cmid), (o.conv, o.log, o.n), line)
    for final, entries in history.final_entries:
        count = {}
        for o in entries:
            if not o.cmid:
                continue
            if o.cmid in count:
                report.bad("I3", f"{o.cmid} stands twice in one log, at {count[o.cmid]} and {o.n}", [final["proc"]],
                           [final["src"]])
            count[o.cmid] = o.n
    check_intents_stored_once(history, report)


def note_place(seen, report, key, place, line):
    report.saw("I3")
    first = seen.setdefault(key, (place, line))
    if first[0] != place:
        report.bad("I3", f"{key[1]} is at {place_text(first[0])} and at {place_text(place)}",
                   [first[1]["proc"], line["proc"]], [first[1]["src"], line["src"]])


def check_intents_stored_once(history, report):
    wanted = defaultdict(list)
    for line in history.by_op["intent"]:
        wanted[line.get("hash")].append(line)
    if not wanted:
        return
    for final, entries in history.final_entries:
        stored = defaultdict(set)
        for o in entries:
            if o.hash in wanted and o.version == 1 and o.entry not in SIDE_KINDS:
                stored[o.hash].add(o.n)
        for digest, numbers in stored.items():
            if len(numbers) > len(wanted[digest]):
                report.bad("I3", f"content {digest} was sent {len(wanted[digest])} times and stands at "
                           f"{sorted(numbers)} in {final.get('conv')}", [final["proc"]], [final["src"]])


def wanted_hashes(history):
    """(cmid) -> hashes sent; (conv, log, of, version after the edit) -> hashes of edits; cmid of an edit -> hashes."""
    sent, edited, edits = defaultdict(set), defaultdict(set), defaultdict(set)
    for line in history.by_op["send"]:
        if line["kind"] == "invoke" and line.get("hash"):
            sent[line["cmid"]].add(line["hash"])
    for line in history.by_op["edit"]:
        if line["kind"] != "invoke" or not line.get("hash"):
            continue
        log = line.get("log") or "public"
        edited[(line.get("conv"), log, line.get("of"), (line.get("version") or 1) + 1)].add(line["hash"])
        edits[line["cmid"]].add(line["hash"])
    return sent, edited, edits


def check_i4(history, report):
    """Content read = content sent, or that of the edit which made the version shown; a final read shows the latest."""
    sent, edited, edits = wanted_hashes(history)
    for o in history.observations:
        if o.entry in ("erase", "erased") or not o.cmid:
            continue
        if o.hash is None:
            continue
        if o.entry == "edit":
            allowed = edits.get(o.cmid)
        elif o.version == 1:
            allowed = sent.get(o.cmid)
        else:
            allowed = edited.get((o.conv, o.log, o.of if o.of else o.n, o.version))
            if allowed is None and o.cmid in sent:
                report.bad("I4", f"{o.cmid} is shown in version {o.version}, which nobody wrote", [o.proc], [o.src])
                continue
        if allowed is None:
            continue
        report.saw("I4")
        if o.hash not in allowed:
            report.bad("I4", f"content of {o.cmid} (version {o.version}) is not what was written", [o.proc], [o.src])
    for final, entries in history.final_entries:
        changes = defaultdict(int)
        for o in entries:
            if o.entry == "edit" and o.of:
                changes[o.of] += 1
        for o in entries:
            if o.entry not in SIDE_KINDS and o.entry != "erased" and o.version != 1 + changes.get(o.n, 0):
                report.bad("I4", f"{o.cmid} is read in version {o.version} after {changes.get(o.n, 0)} edits",
                           [final["proc"]], [final["src"]])


def check_i5(history, report):
    """A final log is exactly first..head; first is 1 unless it was trimmed and says so."""
    for final, entries in history.final_entries:
        report.saw("I5")
        first, head = final.get("first") or 1, final.get("head")
        if first != 1 and not final.get("trimmed"):
            report.bad("I5", f"the log of {final.get('conv')} starts at {first} and does not say that it was trimmed",
                       [final["proc"]], [final["src"]])
        numbers = [o.n for o in entries]
        if head is None:
            report.bad("I5", "a final read without head", [final["proc"]], [final["src"]])
        elif numbers != list(range(first, head + 1)):
            holes = sorted(set(range(first, head + 1)) - set(numbers))[:5]
            report.bad("I5", f"the log of {final.get('conv')} is not {first}..{head}: {len(numbers)} entries, "
                       f"missing {holes}", [final["proc"]], [final["src"]])


def kinds_agree(one, two):
    """A kind that came after an observer's version is "other" to him."""
    return one == two or ("other" in (one, two) and not {one, two} & FIRST_KINDS)


def check_i6(history, report):
    """Everybody sees the same cmid at a place and the same content of a (cmid, version); what was erased is gone."""
    at_place, content, kinds = {}, {}, {}
    seen_by = defaultdict(set)
    for o in history.observations:
        first = at_place.setdefault(o.place, o)
        seen_by[o.place].add(o.proc)
        if len(seen_by[o.place]) > 1:
            report.saw("I6")
        if o.cmid != first.cmid:
            report.bad("I6", f"{place_text(o.place[1:])} holds {first.cmid} for one and {o.cmid} for another",
                       [first.proc, o.proc], [first.src, o.src])
        if o.author and first.author and o.author != first.author and not o.author.startswith("gone") \
                and not first.author.startswith("gone"):
            report.bad("I6", f"{place_text(o.place[1:])} has two authors", [first.proc, o.proc], [first.src, o.src])
        if o.cmid and o.hash:
            one = content.setdefault((o.epoch, o.cmid, o.version, o.entry == "edit"), o)
            if one.hash != o.hash:
                report.bad("I6", f"{o.cmid} version {o.version} has two contents", [one.proc, o.proc],
                           [one.src, o.src])
        if o.entry != "erased":
            kind = kinds.setdefault(o.place, o)
            if kind.entry == "other":
                kinds[o.place] = o
            if not kinds_agree(kind.entry, o.entry):
                report.bad("I6", f"{place_text(o.place[1:])} is {kind.entry} for one and {o.entry} for another",
                           [kind.proc, o.proc], [kind.src, o.src])
        elif o.hash:
            report.bad("I6", f"{o.cmid} is erased and shows content", [o.proc], [o.src])
    check_erased(history, report)


def check_erased(history, report):
    gone = erasures(history)
    if not gone:
        return
    for o in history.observations:
        about = (o.conv, "public", o.of) if o.entry == "revision" else (o.conv, o.log, o.n)
        ok = gone.get(about) if o.is_final else None
        if ok and o.epoch == ok["epoch"] and o.began > ok["t_ns"] and o.hash:
            report.bad("I6", f"{o.cmid} was erased before this read began and still shows content",
                       [ok["proc"], o.proc], [ok["src"], o.src])
    for line in history.by_op["search"]:
        for hit in line.get("hits", []):
            log, n = place_of(hit)
            ok = gone.get((hit.get("conv"), log, n))
            if ok and line.get("began_ns", line["t_ns"]) > ok["t_ns"]:
                report.bad("I6", f"search finds {hit.get('conv')} {log} {n}, which was erased before",
                           [ok["proc"], line["proc"]], [ok["src"], line["src"]])


def check_i8(history, report):
    """Invoke order of a device in a conversation is the order of the numbers, per epoch."""
    sends = defaultdict(dict)              # device -> cmid -> invoke line that counts
    for line in history.by_op["send"]:
        cmid = line.get("cmid")
        if not cmid:
            continue
        mine = sends[history.device(line["proc"])]
        if line["kind"] == "invoke":
            old = mine.get(cmid)
            if old is None or old.get("gave_up"):
                mine[cmid] = dict(line)
        elif line["kind"] == "fail" and line.get("tag") == "expired" and cmid in mine:
            mine[cmid]["gave_up"] = True
    for epoch in epochs_of(history) or [None]:
        places = reached_place(history, epoch)
        for cmids in sends.values():
            check_device_order(report, {c: i for c, i in cmids.items() if c in places}, places)


def check_device_order(report, invokes, places):
    """`invokes`: cmid -> line, all of one device, each with a place."""
    top, ended, at = {}, sorted(invokes, key=lambda c: invokes[c]["t_ns"]), 0
    for cmid in sorted(invokes, key=lambda c: (begun_ns(invokes[c]), invokes[c]["t_ns"])):
        while at < len(ended) and invokes[ended[at]]["t_ns"] < begun_ns(invokes[cmid]):
            before = places[ended[at]]
            if before[2] > top.get(before[:2], (0,))[0]:
                top[before[:2]] = (before[2], ended[at], invokes[ended[at]]["src"])
            at += 1
        conv, log, n, src = places[cmid]
        before = top.get((conv, log))
        if before:
            report.saw("I8")
            if n < before[0]:
                report.bad("I8", f"{cmid} was sent after {before[1]} and stands before it ({n} < {before[0]})",
                           [invokes[cmid]["proc"]], [before[2], invokes[cmid]["src"], src])


def check_i9(history, report):
    """What was acked before another message was sent has the smaller number, per epoch."""
    for epoch in epochs_of(history) or [None]:
        places = reached_place(history, epoch)
        acked = defaultdict(list)          # (conv, log) -> [(t, highest acked n so far, line)]
        highest = {}
        for line in history.lines:
            if line["op"] not in ("send", "edit", "erase") or line["kind"] != "ok" or line["epoch"] != epoch:
                continue
            log, n = place_of(line)
            if n is None:
                continue
            key = (line.get("conv") or history.conv_of(line["cmid"]), log)
            if key not in highest or n > highest[key][0]:
                highest[key] = (n, line)
                acked[key].append((line["t_ns"], n, line))
        for cmid, (conv, log, n, src) in places.items():
            invokes = history.invokes.get(cmid)
            marks = acked.get((conv, log))
            if not invokes or not marks:
                continue
            invoke = min(invokes, key=begun_ns)
            at = bisect.bisect_left(marks, begun_ns(invoke), key=lambda m: m[0]) - 1
            if at < 0:
                continue
            _, top, ok = marks[at]
            if ok["cmid"] == cmid:
                continue
            report.saw("I9")
            if n < top:
                report.bad("I9", f"{ok['cmid']} was acked at {top} before {cmid} was sent, which stands at {n}",
                           [ok["proc"], invoke["proc"]], [ok["src"], invoke["src"], src])


def check_i10(history, report):
    """All acks of a cmid in one epoch carry the same number and ts."""
    for cmid, oks in history.oks.items():
        first = {}
        for ok in oks:
            one = first.setdefault(ok["epoch"], ok)
            if one is ok:
                continue
            report.saw("I10")
            if place_of(one) != place_of(ok) or one.get("ts") != ok.get("ts"):
                report.bad("I10", f"acks of {cmid} differ: {place_of(one)[1]} at {one.get('ts')}, "
                           f"{place_of(ok)[1]} at {ok.get('ts')}", [one["proc"], ok["proc"]], [one["src"], ok["src"]])


def check_i11(history, report):
    """A permanently rejected cmid is in no observation. A key used for another content is I20, an expiry is unknown."""
    rejected = {}
    for cmid, fails in history.fails.items():
        for fail in fails:
            if fail.get("class") == "retry" or fail.get("tag") in ("idempotency_conflict", "expired"):
                continue
            report.saw("I11")
            rejected[cmid] = fail
            for ok in history.oks.get(cmid, []):
                report.bad("I11", f"{cmid} was rejected and acked", [fail["proc"], ok["proc"]],
                           [fail["src"], ok["src"]])
    for o in history.observations:
        if o.cmid in rejected:
            fail = rejected[o.cmid]
            report.bad("I11", f"{o.cmid} was rejected ({fail.get('tag')}) and is seen", [fail["proc"], o.proc],
                       [fail["src"], o.src])


def check_i20(history, report):
    """A cmid sent with two contents: at most one stored, a conflict for the other."""
    for cmid, invokes in history.invokes.items():
        contents = {(i.get("conv"), i.get("hash")) for i in invokes if i["op"] == "send"}
        if len(contents) < 2 or len({h for _, h in contents}) < 2:
            continue
        report.saw("I20")
        accepted = {}
        for invoke, answer in answers(history, cmid):
            if answer["kind"] == "ok":
                accepted.setdefault(invoke.get("hash"), answer)
            elif answer.get("tag") != "idempotency_conflict":
                report.bad("I20", f"{cmid} was refused with {answer.get('tag')}, not with a conflict",
                           [answer["proc"]], [answer["src"]])
        if len(accepted) > 1:
            report.bad("I20", f"two contents of {cmid} were acked", [a["proc"] for a in accepted.values()],
                       [a["src"] for a in accepted.values()])
        stored = {o.hash: o for o in history.observations
                  if o.cmid == cmid and o.hash and o.version == 1 and o.entry not in SIDE_KINDS}
        if len(stored) > 1 or (accepted and stored and set(stored) != set(accepted)):
            report.bad("I20", f"{cmid} is stored with another content than the one acked",
                       [o.proc for o in stored.values()], [o.src for o in stored.values()])


def answers(history, cmid):
    """Pairs invoke and answer of a cmid: by `call` where given, else in order of each process."""
    waiting = defaultdict(list)
    for invoke in history.invokes[cmid]:
        waiting[(invoke["proc"], invoke.get("call"))].append(invoke)
    for answer in sorted(history.oks.get(cmid, []) + history.fails.get(cmid, []), key=lambda l: l["t_ns"]):
        queue = waiting.get((answer["proc"], answer.get("call")))
        if queue:
            yield (queue.pop(0) if len(queue) > 1 else queue[0]), answer


def check_i21(history, report):
    """ts never falls along the numbers of a log."""
    stamps = defaultdict(dict)
    for o in history.observations:
        if o.ts is not None:
            stamps[(o.epoch, o.conv, o.log)].setdefault(o.n, o)
    for (_, conv, log), numbered in stamps.items():
        ordered = [numbered[n] for n in sorted(numbered)]
        for a, b in zip(ordered, ordered[1:]):
            report.saw("I21")
            if b.ts < a.ts:
                report.bad("I21", f"ts of {conv} {log} falls from {a.n} to {b.n}", [a.proc, b.proc], [a.src, b.src])
