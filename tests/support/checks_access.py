# SPDX-License-Identifier: Apache-2.0
"""Checks of who sees what, of what leaves the server, and of its own check (I14-I18, I25)."""
import bisect
from collections import defaultdict

from history import REVOKE_GRACE_NS, SECOND, erasures, may_see, memberships, place_of


def seen_conversations(history):
    """(proc, conv, t, src) of everything that tells of a conversation."""
    for o in history.observations:
        yield o.proc, o.conv, o.t, o.src
    for op in ("mark", "snapshot"):
        for line in history.by_op[op]:
            yield line["proc"], line.get("conv"), line["t_ns"], line["src"]
    for line in history.by_op["search"]:
        for hit in line.get("hits", []):
            yield line["proc"], hit.get("conv"), line["t_ns"], line["src"]


def check_i14(history, report):
    """Nobody sees anything of a conversation without membership at that time (5 s to close what is open)."""
    spans = memberships(history)
    if not spans:
        return
    limited = {who for who, _ in spans}
    told = set()
    for proc, conv, at, src in seen_conversations(history):
        who = history.principal(proc)
        if who is None or conv is None or (history.role(proc) != "customer" and who not in limited):
            continue
        report.saw("I14")
        if (proc, conv) not in told and not may_see(spans, who, conv, at):
            told.add((proc, conv))
            report.bad("I14", f"{who} sees {conv} and is not in it", [proc], [src])


def check_i15(history, report):
    """No customer sees a note, an iseq, or a hole."""
    notes = set()
    for cmid, invokes in history.invokes.items():
        if any(i.get("log") == "team" for i in invokes):
            notes.add(cmid)
    for line in history.lines:
        if history.role(line["proc"]) != "customer" or line["op"] in ("send", "edit", "erase", "intent", "role"):
            continue
        if line["op"] in ("deliver", "final", "search", "mark", "snapshot"):
            report.saw("I15")
        if line.get("iseq") is not None or line.get("ihead") is not None or line.get("at_seq") is not None \
                or line.get("log") == "team":
            report.bad("I15", "a customer sees the team log", [line["proc"]], [line["src"]])
        for entry in list(line.get("entries", [])) + list(line.get("hits", [])):
            if entry.get("iseq") is not None or entry.get("at_seq") is not None or entry.get("log") == "team":
                report.bad("I15", "a customer reads an entry of the team log", [line["proc"]], [line["src"]])
        if line["op"] == "final":
            numbers = [e.get("seq") or 0 for e in line.get("entries", [])]
            if any(b != a + 1 for a, b in zip(numbers, numbers[1:])):
                report.bad("I15", f"a customer reads a hole in {line.get('conv')}", [line["proc"]], [line["src"]])
    for o in history.observations:
        if history.role(o.proc) == "customer" and o.cmid in notes:
            report.bad("I15", f"a customer sees the note {o.cmid}", [o.proc], [o.src])


def check_i16(history, report):
    """Nothing reaches the revoked later than 5 s after the ack, until granted again."""
    changes = defaultdict(list)
    for op in ("revoke", "grant"):
        for line in history.by_op[op]:
            if line["kind"] == "ok":
                changes[line.get("who")].append((line["t_ns"], op, line))
    for lines in changes.values():
        lines.sort(key=lambda c: c[0])
        if any(c[1] == "revoke" for c in lines):
            report.saw("I16")
    for line in history.lines:
        if line["op"] not in ("deliver", "connect", "final", "search", "mark") or line.get("up") is False:
            continue
        mine = changes.get(history.principal(line["proc"]))
        if not mine:
            continue
        at = bisect.bisect_right(mine, line["t_ns"], key=lambda c: c[0]) - 1
        if at >= 0 and mine[at][1] == "revoke" and line["t_ns"] > mine[at][0] + REVOKE_GRACE_NS:
            late = (line["t_ns"] - mine[at][0]) / SECOND
            report.bad("I16", f"{line['op']} {late:.1f} s after the revocation", [line["proc"]],
                       [mine[at][2]["src"], line["src"]])


def check_i17(history, report):
    """Each subscribed message reaches the sink, same id and body each time, signed; none for what was not accepted."""
    subscriptions = [l for l in history.by_op["subscribe"] if l["kind"] == "ok"]
    calls = history.by_op["webhook"]
    gone = erasures(history)
    by_id, of_place, got = {}, {}, set()
    for line in calls:
        report.saw("I17")
        place = (line["epoch"], line.get("sink"), line.get("conv"), line.get("seq"))
        got.add(place)
        if line.get("signature") is not True:
            report.bad("I17", f"webhook {line.get('id')} has no valid signature", [line["proc"]], [line["src"]])
        first = by_id.setdefault((line.get("sink"), line.get("id")), line)
        erased = line.get("erased") or (line.get("conv"), "public", line.get("seq")) in gone
        if (first.get("conv"), first.get("seq")) != (line.get("conv"), line.get("seq")) or \
                (first.get("hash") != line.get("hash") and not erased):
            report.bad("I17", f"webhook {line.get('id')} differs between tries", [line["proc"]],
                       [first["src"], line["src"]])
        named = of_place.setdefault(place, line)
        if named.get("id") != line.get("id"):
            report.bad("I17", f"{line.get('conv')} {line.get('seq')} came under two ids", [line["proc"]],
                       [named["src"], line["src"]])
        cmid = line.get("cmid")
        if cmid and cmid in history.fails and cmid not in history.oks and not any(
                f.get("tag") in ("idempotency_conflict", "expired") for f in history.fails[cmid]):
            report.bad("I17", f"webhook for the rejected {cmid}", [line["proc"]], [line["src"]])
    for sub in subscriptions:
        for line in history.by_op["send"]:
            log, n = place_of(line)
            if line["kind"] != "ok" or log != "public" or line.get("dup") or line["t_ns"] < sub["t_ns"]:
                continue
            conv = line.get("conv") or history.conv_of(line["cmid"])
            if sub.get("conv") not in (None, conv):
                continue
            report.saw("I17")
            if (line["epoch"], sub.get("sink"), conv, n) not in got:
                report.bad("I17", f"{line['cmid']} never reached the sink {sub.get('sink')}", [line["proc"]],
                           [sub["src"], line["src"]])


def check_i18(history, report):
    """A file reads as it was written, and only by members of its conversation."""
    files = {l.get("file"): l for l in history.by_op["upload"] if l["kind"] == "ok"}
    spans = memberships(history)
    for line in history.by_op["download"]:
        if line["kind"] != "ok":
            continue
        report.saw("I18")
        up = files.get(line.get("file"))
        if up is None or up.get("sha256") != line.get("sha256"):
            report.bad("I18", f"{line.get('file')} does not read as it was uploaded", [line["proc"]], [line["src"]])
            continue
        who = history.principal(line["proc"])
        restricted = history.role(line["proc"]) == "customer" or any(w == who for w, _ in spans)
        if who and restricted and up.get("conv") and not may_see(spans, who, up["conv"], line["t_ns"]):
            report.bad("I18", f"{who} reads a file of {up['conv']} and is not in it", [line["proc"]],
                       [up["src"], line["src"]])


def check_i25(history, report):
    """The server's own check at the end finds nothing, and its heads are those read by clients."""
    heads = {f.get("conv"): f for f in history.finals if (f.get("log") or "public") == "public"}
    for line in history.by_op["selfcheck"]:
        report.saw("I25")
        if line["kind"] != "ok" or line.get("findings"):
            report.bad("I25", f"the server's check finds {line.get('findings')}", [line["proc"]], [line["src"]])
        for conv, head in (line.get("heads") or {}).items():
            if conv in heads and heads[conv].get("head") != head:
                report.bad("I25", f"head of {conv} is {head} in the store and {heads[conv].get('head')} for clients",
                           [line["proc"], heads[conv]["proc"]], [line["src"], heads[conv]["src"]])
