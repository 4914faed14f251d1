# SPDX-License-Identifier: Apache-2.0
"""Histories: what clients and rigs write, one JSON object a line, and the indexes the checks share.

A line of a history is one JSON object. A torn last line of a file (its process was killed) is ignored.
Always: t_ns (CLOCK_MONOTONIC of one machine, ns), proc (the process that observed; one device), kind (invoke, ok, fail,
info; info on an operation = outcome unknown, for ever), op. `epoch` may stand on any line; a line without it has the
epoch its process last said. log: "public" (default) or "team"; the number is seq there and iseq here.

op        kinds             fields and who reads them
attach    invoke            a message with files was handed over: cmid. Its send follows when they are on the server
role      info              proc's principal, role (customer, agent, bot), device (default proc)          I2 I8 I13-I16
member    info              who (principal), conv, from_ns, until_ns (absent: always)                     I14 I18
intent    invoke            a rig told `who` (a proc) to send `hash`; its cmid is not known yet           I2 I3
send      invoke ok fail info  invoke: cmid, conv (or absent when sent by key), hash, log, call; ok: cmid, conv, seq or
                            iseq, ts, dup, call; fail (permanent): cmid, tag, call. An invoke with since_ns happened
                            at some time from then on                                       I1-I4 I8-I11 I20
edit      like send         invoke: cmid, conv, of, version (the one seen), hash of the new content       I4 I6
erase     like send         invoke: cmid, conv, of                                                        I6
deliver   info              an entry given to the app: conv, seq or iseq, cmid, entry (its kind), version (default 1),
                            hash (none when erased), ts, author, of  I2-I7 I11-I16 I21
snapshot  info              a conversation was opened from the device's own store, which holds all up to seq: conv, seq
                            or iseq; what follows starts behind it                                        I7
start     info              the process begins (again)                                                    I7 I12 I22
crash     info              `who` (a proc) was killed                                                     I7 I12 I22
connect   info              a session is open; epoch, rev. With up false the same as disconnect           I16 I19 I22
disconnect info             the session is gone                                                           I22
reset     info              the server told the device to read everything again; epoch, why               I7 I19
mark      info              conv, side (customer, staff), recv, read, head                                I13 I19
state     info              cmid, state (uploading, queued, sent, delivered, read, failed, expired); again: told
                            before, no change                                                             I12 I23
heal      info              the rig stopped making faults                                                 I12
quiet     info              the device's outbox is empty and it is caught up; outbox (a number, 0)        I12
final     info              a whole log read by an observer: conv, log, epoch, first (default 1), trimmed, head,
                            began_ns, fresh, entries [{seq or iseq, cmid, hash, ts, author, kind, version, of}],
                            read, unread (of the observer)                                      I1-I6 I11-I15 I19 I21
feed      info              what a read of the feed named: rows [{conv, head}]; since_ns (0 = everything), began_ns I12
revoke    ok                who (principal)                                                               I16
grant     ok                who (principal): may come again                                               I16
subscribe ok                sink, conv (absent: all): a webhook for public messages                       I17
webhook   info              epoch, sink, id, conv, seq, cmid, hash (of the body), signature (bool), erased I17
upload    ok                file, sha256, conv                                                            I18
download  ok fail           file, sha256                                                                  I18
search    ok                began_ns, hits [{conv, seq or iseq}]                                          I6 I14 I15
selfcheck ok fail           findings [...], heads {conv: head}                                            I25
"""
import json
from collections import defaultdict

INVARIANTS = [f"I{n}" for n in range(1, 24)] + ["I25"]
SECOND = 1_000_000_000
REVOKE_GRACE_NS = 5 * SECOND
SIDE_KINDS = {"edit", "erase", "revision"}  # entries about a message, not messages
FIRST_KINDS = {"text", "attachment", "choices", "card", "form", "article", "erased", *SIDE_KINDS}  # every version's


class BadHistory(Exception):
    pass


class Observation:
    """One entry as somebody saw it, pushed or read."""
    __slots__ = ("t", "proc", "epoch", "conv", "log", "n", "cmid", "version", "hash", "ts", "author", "entry", "of",
                 "src", "began", "is_final")

    def __init__(self, line, entry, is_final):
        self.t, self.proc, self.epoch = line["t_ns"], line["proc"], line["epoch"]
        self.conv = line.get("conv")
        self.log, self.n = place_of(entry, line.get("log") if is_final else None)
        self.cmid, self.hash = entry.get("cmid") or None, entry.get("hash") or None
        self.version = entry.get("version") or 1
        self.ts, self.author, self.of = entry.get("ts"), entry.get("author"), entry.get("of")
        self.entry = entry.get("kind" if is_final else "entry") or "text"
        self.src, self.is_final = line["src"], is_final
        self.began = line.get("began_ns", line["t_ns"])
        if self.n is None:
            raise BadHistory(f"{line['src']}: an entry without seq and iseq")

    @property
    def place(self):
        return (self.epoch, self.conv, self.log, self.n)


def place_of(fields, log=None):
    log = fields.get("log") or log or ("team" if fields.get("iseq") and not fields.get("seq") else "public")
    return log, fields.get("iseq" if log == "team" else "seq") or None


def read_lines(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    rows = text.split("\n")
    torn = rows.pop()  # what stands behind the last newline
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            line = json.loads(row)
        except ValueError as e:
            raise BadHistory(f"{path}:{number}: not JSON: {e}") from e
        yield check_line(line, f"{path}:{number}")
    if torn.strip():
        try:
            line = json.loads(torn)
        except ValueError:
            return
        yield check_line(line, f"{path}:{len(rows) + 1}")


def check_line(line, src):
    if not isinstance(line, dict):
        raise BadHistory(f"{src}: not an object")
    for name, kind in (("t_ns", int), ("proc", str), ("kind", str), ("op", str)):
        if not isinstance(line.get(name), kind):
            raise BadHistory(f"{src}: {name} is missing or of another type")
    line["src"] = src
    return line


class History:
    """All lines by time, with the indexes that the invariants share."""

    def __init__(self, lines):
        self.lines = sorted(lines, key=lambda l: l["t_ns"])  # stable: the order of a file holds at equal times
        self.by_op = defaultdict(list)
        self.by_proc = defaultdict(list)
        for line in self.lines:
            self.by_op[line["op"]].append(line)
            self.by_proc[line["proc"]].append(line)
        self._settle_epochs()
        self.roles = {}
        for line in self.by_op["role"]:
            self.roles[line["proc"]] = line
        self.delivers = [Observation(l, l, False) for l in self.by_op["deliver"]]
        self.finals = self.by_op["final"]
        self.final_entries = [(f, [Observation(f, e, True) for e in f.get("entries", [])]) for f in self.finals]
        self.observations = self.delivers + [o for _, es in self.final_entries for o in es]
        self.invokes = defaultdict(list)   # cmid -> invoke lines, all keyed writes
        self.oks = defaultdict(list)
        self.fails = defaultdict(list)
        for op in ("send", "edit", "erase"):
            for line in self.by_op[op]:
                cmid = line.get("cmid")
                if cmid and line["kind"] in ("invoke", "ok", "fail"):
                    {"invoke": self.invokes, "ok": self.oks, "fail": self.fails}[line["kind"]][cmid].append(line)
        self.invokes, self.oks, self.fails = dict(self.invokes), dict(self.oks), dict(self.fails)
        self.last_epoch = self._final_epoch()

    def _settle_epochs(self):
        said = {l["epoch"] for l in self.lines if l.get("epoch")}
        only = next(iter(said)) if len(said) == 1 else None
        now = {}
        for line in self.lines:
            if line.get("epoch"):
                now[line["proc"]] = line["epoch"]
            else:
                line["epoch"] = now.get(line["proc"], only)

    def _final_epoch(self):
        for line in reversed(self.finals):
            if line["epoch"]:
                return line["epoch"]
        return None

    def principal(self, proc):
        role = self.roles.get(proc)
        return role.get("principal") if role else None

    def role(self, proc):
        role = self.roles.get(proc)
        return role.get("role") if role else None

    def device(self, proc):
        role = self.roles.get(proc)
        return (role.get("device") if role else None) or proc

    def conv_of(self, cmid):
        for line in self.oks.get(cmid, []) + self.invokes.get(cmid, []):
            if line.get("conv"):
                return line["conv"]
        return None


class Report:
    def __init__(self):
        self.violations = []    # (invariant, text)
        self.exercised = set()

    def saw(self, invariant):
        self.exercised.add(invariant)

    def bad(self, invariant, what, procs, srcs):
        self.exercised.add(invariant)
        names = ", ".join(sorted({p for p in procs if p}))
        where = ", ".join(dict.fromkeys(srcs))
        self.violations.append((invariant, f"{invariant}: {what} ({names}) [{where}]"))


def reached_place(history, epoch):
    """cmid -> (conv, log, n, src) in that epoch, from acks and observations."""
    places = {}
    for cmid, oks in history.oks.items():
        for ok in oks:
            log, n = place_of(ok)
            if n and ok["epoch"] == epoch:
                places.setdefault(cmid, (ok.get("conv") or history.conv_of(cmid), log, n, ok["src"]))
    for o in history.observations:
        if o.cmid and o.epoch == epoch:
            places.setdefault(o.cmid, (o.conv, o.log, o.n, o.src))
    return places


def begun_ns(invoke):
    """The earliest moment at which it can have happened."""
    return invoke.get("since_ns", invoke["t_ns"])


def epochs_of(history):
    return sorted({l["epoch"] for l in history.lines if l["epoch"]})


def place_text(place):
    return f"{place[0]} {place[1]} {place[2]}"


def erasures(history):
    """(conv, log, n) -> (time of the first ack, its line); the message and every edit of it."""
    gone = {}
    for cmid, oks in history.oks.items():
        for invoke in history.invokes.get(cmid, []):
            if invoke["op"] != "erase" or not oks:
                continue
            ok = min(oks, key=lambda l: l["t_ns"])
            gone[(invoke.get("conv") or ok.get("conv"), invoke.get("log") or "public", invoke.get("of"))] = ok
    for line in history.by_op["edit"]:
        if line["kind"] != "ok":
            continue
        invoke = next(iter(history.invokes.get(line["cmid"], [])), None)
        log, n = place_of(line)
        if invoke and n:
            target = (invoke.get("conv"), invoke.get("log") or "public", invoke.get("of"))
            if target in gone:
                gone[(invoke.get("conv"), log, n)] = max(gone[target], line, key=lambda l: l["t_ns"])
    return gone


def memberships(history):
    spans = defaultdict(list)
    for line in history.by_op["member"]:
        until = line.get("until_ns")
        spans[(line.get("who"), line.get("conv"))].append((line.get("from_ns") or 0, until))
    return spans


def may_see(spans, who, conv, at):
    for begin, until in spans.get((who, conv), []):
        if begin <= at and (until is None or at <= until + REVOKE_GRACE_NS):
            return True
    return False
