#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of checker.py: one illegal history per invariant must be rejected under that invariant's name, and random
histories of a simulated correct server, with duplicates, reconnects, crashes, restores and unknown outcomes, must pass.

The number of random histories is CHECKER_HISTORIES (default 1000); CHECKER_SEED fixes the first one.
"""
import copy
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import checker  # noqa: E402
from checks_devices import STATE_RANK  # noqa: E402

MS = 1_000_000
SECOND = 1000 * MS


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Device:
    def __init__(self, sim, proc, principal, role, convs):
        self.sim, self.proc, self.principal, self.role, self.convs = sim, proc, principal, role, convs
        self.online, self.epoch, self.own, self.unacked = False, None, [], []
        self.cursor, self.marks, self.states, self.gone = {}, {}, {}, set()
        sim.say(proc, "info", "role", principal=principal, role=role, device="dev-" + proc)
        sim.say(proc, "info", "start")

    def logs(self):
        for conv in self.convs:
            yield conv, "public"
            if self.role == "agent":
                yield conv, "team"

    def connect(self):
        sim = self.sim
        if self.epoch not in (None, sim.epoch):
            sim.say(self.proc, "info", "reset", epoch=sim.epoch, why="epoch")
            self.cursor, self.marks = {}, {}
            self.unacked = [m for m in self.own if m["cmid"] not in self.gone]
        self.epoch, self.online = sim.epoch, True
        sim.say(self.proc, "info", "connect", epoch=sim.epoch, rev=sim.rev)
        for message in list(self.unacked):
            sim.transmit(self, message, cut=False)

    def disconnect(self):
        self.online = False
        self.sim.say(self.proc, "info", "disconnect")

    def state(self, cmid, state):
        rank = STATE_RANK
        old = self.states.get(cmid)
        if old in rank and state in rank and rank[state] <= rank[old]:
            return
        self.states[cmid] = state
        self.sim.say(self.proc, "info", "state", cmid=cmid, state=state)

    def catch_up(self, at_most=10 ** 9):
        for conv, log in self.logs():
            entries = self.sim.entries(conv, log)
            at = self.cursor.get((conv, log), 0)
            for entry in entries[at:at + at_most]:
                self.sim.say(self.proc, "info", "deliver", conv=conv, log=log, epoch=self.epoch,
                             **self.sim.shown(entry, log, "entry"))
            self.cursor[(conv, log)] = min(len(entries), at + at_most)

    def crash(self):
        if self.online:
            self.online = False
        self.sim.say("rig", "info", "crash", who=self.proc)
        self.sim.say(self.proc, "info", "start")
        for (conv, log), n in self.cursor.items():
            self.sim.say(self.proc, "info", "snapshot", conv=conv, log=log, epoch=self.epoch,
                         **{"iseq" if log == "team" else "seq": n})


class Sim:
    """A server that keeps every promise, and devices that keep theirs."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now, self.wall, self.rev, self.count, self.lines = 10 ** 9, 1_700_000_000_000, 1, 0, []
        self.epoch, self.epochs = "e1", 1
        self.store, self.backup = {}, None
        self.erased_after = False
        customers = {"usr_a": ["cnv_1", "cnv_2"], "usr_b": ["cnv_3"]}
        for convs in customers.values():
            for conv in convs:
                self.store[conv] = {"public": [], "team": [], "keys": {}, "marks": {}}
        for who, convs in customers.items():
            for conv in convs:
                self.say("rig", "info", "member", who=who, conv=conv)
        self.devices = [Device(self, "phone", "usr_a", "customer", customers["usr_a"]),
                        Device(self, "tablet", "usr_a", "customer", customers["usr_a"]),
                        Device(self, "other", "usr_b", "customer", customers["usr_b"]),
                        Device(self, "desk", "agt_1", "agent", list(self.store))]
        self.files, self.revoked = {}, False
        self.say("rig", "ok", "subscribe", sink="sink", conv="cnv_3")

    def say(self, proc, kind, op, **fields):
        self.now += self.random.randint(1, 2 * MS)
        line = {"t_ns": self.now, "proc": proc, "kind": kind, "op": op, **fields}
        self.lines.append(line)
        return line

    def entries(self, conv, log):
        return self.store[conv][log]

    def number(self, log, n):
        return {"iseq" if log == "team" else "seq": n}

    def shown(self, entry, log, kind_name):
        out = {kind_name: entry["kind"], "cmid": entry["cmid"], "ts": entry["ts"], "author": entry["author"],
               "version": entry["version"], **self.number(log, entry["n"])}
        if entry["hash"]:
            out["hash"] = entry["hash"]
        if entry.get("of"):
            out["of"] = entry["of"]
        return out

    def new_cmid(self):
        self.count += 1
        return f"{self.count:032x}"

    def write(self, device, op="send", conv=None, log="public", **fields):
        conv = conv or self.random.choice(device.convs)
        text = f"text {self.count} {self.random.random()}"
        message = {"cmid": self.new_cmid(), "op": op, "conv": conv, "log": log, **fields}
        if op != "erase":
            message["hash"] = digest(text)
        if op == "send" and self.random.random() < 0.3:
            self.say("rig", "invoke", "intent", who=device.proc, hash=message["hash"])
        invoke = {k: v for k, v in message.items() if k not in ("op", "refuse")}
        self.say(device.proc, "invoke", op, epoch=device.epoch, **invoke)
        device.own.append(message)
        if op == "send":
            device.state(message["cmid"], "queued")
        device.unacked.append(message)
        if device.online:
            for waiting in list(device.unacked):
                if not self.transmit(device, waiting, cut=self.random.random() < 0.15):
                    break
        return message

    def transmit(self, device, message, cut):
        """False when the connection went away before the answer."""
        answer = self.execute(device, message)
        if cut:
            device.online = False
            self.say(device.proc, "info", "disconnect")
            return False
        device.unacked.remove(message)
        if answer["kind"] == "ok":
            self.say(device.proc, **answer)
            if message["op"] == "send":
                device.state(message["cmid"], "sent")
        else:
            device.gone.add(message["cmid"])
            self.say(device.proc, **answer)
            if message["op"] == "send":
                device.state(message["cmid"], "failed")
        return True

    def execute(self, device, message):
        room, log = self.store[message["conv"]], message["log"]
        base = {"op": message["op"], "cmid": message["cmid"], "conv": message["conv"], "epoch": self.epoch}
        if message.get("refuse"):
            return {"kind": "fail", "tag": "too_large", **base}
        if message["cmid"] in room["keys"]:
            entry = room["keys"][message["cmid"]]
            return {"kind": "ok", **base, **self.number(log, entry["n"]), "ts": entry["ts"], "dup": True}
        self.wall += self.random.randint(0, 3)
        self.rev += 1
        entries = room[log]
        entry = {"n": len(entries) + 1, "cmid": message["cmid"], "kind": "text" if message["op"] == "send"
                 else message["op"], "hash": message.get("hash"), "ts": self.wall, "author": device.principal,
                 "version": 1, "of": message.get("of")}
        if message["op"] == "edit":
            target = entries[message["of"] - 1]
            if target["kind"] == "erased" or target["version"] != message["version"]:
                return {"kind": "fail", "tag": "conflict", **base}
            target["version"] += 1
            target["hash"] = message["hash"]
            entry["version"] = target["version"]
        elif message["op"] == "erase":
            for other in entries:
                if other["n"] == message["of"]:
                    other["kind"], other["hash"] = "erased", None
                elif other.get("of") == message["of"]:
                    other["hash"] = None
        entries.append(entry)
        room["keys"][message["cmid"]] = entry
        if message["conv"] == "cnv_3" and log == "public" and message["op"] == "send":
            for _ in range(self.random.choice((1, 1, 2))):
                self.say("sink", "info", "webhook", sink="sink", id=f"evt_{self.epoch}_{entry['n']}", conv="cnv_3",
                         epoch=self.epoch, seq=entry["n"], cmid=entry["cmid"], hash=entry["hash"] or "blank",
                         signature=True)
        return {"kind": "ok", **base, **self.number(log, entry["n"]), "ts": entry["ts"]}

    def own_text(self, device, newest=10 ** 9):
        choices = [(conv, e) for conv in device.convs for e in self.entries(conv, "public")
                   if e["author"] == device.principal and e["kind"] == "text" and e["version"] <= newest
                   and any(o["cmid"] == e["cmid"] for o in device.own)]
        return self.random.choice(choices) if choices else (None, None)

    def change(self, device, op):
        conv, entry = self.own_text(device)
        if not entry or not device.online or device.unacked:
            return
        fields = {"of": entry["n"]}
        if op == "edit":
            fields["version"] = entry["version"]
        self.write(device, op, conv, **fields)

    def mark(self, device):
        conv = self.random.choice(device.convs)
        recv = device.cursor.get((conv, "public"), 0)
        old = device.marks.get(conv, (0, 0))
        read = self.random.randint(old[1], max(old[1], recv))
        recv = max(recv, old[0], read)
        device.marks[conv] = (recv, read)
        side = "staff" if device.role == "agent" else "customer"
        self.say(device.proc, "info", "mark", conv=conv, side=side, recv=recv, read=read, epoch=device.epoch,
                 head=len(self.entries(conv, "public")))

    def conflict(self, device):
        """The same cmid with another content, over a raw connection of the same device."""
        conv, entry = self.own_text(device, newest=1)
        if not entry or not device.online:
            return
        call = f"c{self.count}"
        self.say(device.proc, "invoke", "send", cmid=entry["cmid"], conv=conv, hash=digest(call), call=call)
        self.say(device.proc, "fail", "send", cmid=entry["cmid"], conv=conv, tag="idempotency_conflict", call=call)

    def repeat(self, device):
        """A message sent once more although it was acked."""
        known = [m for m in device.own if m["op"] == "send" and m["cmid"] in self.store[m["conv"]]["keys"]
                 and m not in device.unacked]
        if known and device.online and device.epoch == self.epoch:
            message = self.random.choice(known)
            self.say(device.proc, "invoke", "send", **{k: v for k, v in message.items() if k != "op"})
            self.say(device.proc, **self.execute(device, message))

    def take_backup(self):
        self.backup = copy.deepcopy(self.store)

    def restore(self):
        self.epochs += 1
        self.epoch, self.store, self.backup = f"e{self.epochs}", self.backup, None
        for device in self.devices:
            if device.online:
                device.disconnect()

    def upload(self, device):
        name = f"file_{len(self.files)}"
        self.files[name] = (device.convs[0], digest(name))
        self.say(device.proc, "ok", "upload", file=name, sha256=digest(name), conv=device.convs[0])
        reader = self.random.choice([d for d in self.devices if device.convs[0] in d.convs])
        self.say(reader.proc, "ok", "download", file=name, sha256=digest(name))
        if device.proc != "other":
            self.say("other", "fail", "download", file=name, tag="not_found")

    def step(self, restores):
        device = self.random.choice(self.devices)
        dice = self.random.random()
        if dice < 0.35:
            log = "team" if device.role == "agent" and self.random.random() < 0.3 else "public"
            self.write(device, log=log, **({"refuse": True} if self.random.random() < 0.05 else {}))
        elif dice < 0.45:
            device.disconnect() if device.online else device.connect()
        elif dice < 0.6 and device.online:
            device.catch_up(self.random.randint(1, 5))
        elif dice < 0.65 and not restores:
            self.change(device, "edit")
        elif dice < 0.68 and not restores:
            self.change(device, "erase")
        elif dice < 0.75 and device.epoch == self.epoch:
            self.mark(device)
        elif dice < 0.8:
            device.crash()
        elif dice < 0.83:
            self.conflict(device)
        elif dice < 0.86:
            self.upload(device)
        elif dice < 0.89:
            self.repeat(device)
        elif dice < 0.93 and restores:
            self.restore() if self.backup else self.take_backup()
        for one in self.devices:
            if one.online and self.random.random() < 0.5:
                one.catch_up()

    def finish(self):
        self.say("rig", "info", "heal")
        for device in self.devices:
            if not device.online or device.epoch != self.epoch:
                device.connect()
        for device in self.devices:
            device.catch_up()
            for message in device.own:
                if device.states.get(message["cmid"]) == "sent" and self.random.random() < 0.5:
                    device.state(message["cmid"], self.random.choice(("delivered", "read")))
        for device in self.devices:
            self.say(device.proc, "info", "quiet", outbox=0)
        self.read_all("fresh-staff", "agt_1", "agent", list(self.store))
        self.read_all("fresh-a", "usr_a", "customer", ["cnv_1", "cnv_2"])
        self.read_all("fresh-b", "usr_b", "customer", ["cnv_3"])
        self.say("rig", "ok", "revoke", who="usr_b")
        self.say("rig", "ok", "selfcheck", findings=[],
                 heads={conv: len(room["public"]) for conv, room in self.store.items()})
        return self.lines

    def read_all(self, proc, principal, role, convs):
        self.say(proc, "info", "role", principal=principal, role=role)
        self.say(proc, "info", "connect", epoch=self.epoch, rev=self.rev)
        self.say(proc, "info", "feed", since_ns=0, began_ns=self.now,
                 rows=[{"conv": c, "head": len(self.entries(c, "public"))} for c in convs])
        for conv in convs:
            for log in ("public", "team") if role == "agent" else ("public",):
                began, entries = self.now, self.entries(conv, log)
                line = {"conv": conv, "epoch": self.epoch, "began_ns": began, "head": len(entries), "fresh": True,
                        "entries": [self.shown(e, log, "kind") for e in entries]}
                if log == "team":
                    line["log"] = "team"
                elif role == "customer":
                    line["read"] = self.random.randint(0, len(entries))
                    line["unread"] = sum(1 for e in entries if e["n"] > line["read"] and e["kind"] == "text"
                                         and not e["author"].startswith("usr_"))
                self.say(proc, "info", "final", **line)
        gone = [{"conv": c, "seq": e["n"]} for c in convs for e in self.entries(c, "public") if e["kind"] == "text"]
        self.say(proc, "ok", "search", began_ns=self.now, hits=gone)


def random_history(seed):
    sim = Sim(seed)
    restores = sim.random.random() < 0.3
    for device in sim.devices:
        if sim.random.random() < 0.8:
            device.connect()
    for _ in range(sim.random.randint(10, 60)):
        sim.step(restores)
    return sim.finish()


def base_history():
    """One legal history in which every invariant has something to say."""
    sim = Sim(7)
    phone, tablet, other, desk = sim.devices
    for device in sim.devices:
        device.connect()
    for n in range(3):
        sim.random.random = lambda: 0.99   # no cut and no intent
        sim.write(phone, conv="cnv_1")
        sim.write(desk, conv="cnv_1")
        sim.write(desk, conv="cnv_1", log="team")
        sim.write(other, conv="cnv_3")
        for device in sim.devices:
            device.catch_up()
            sim.mark(device)
    first = sim.entries("cnv_1", "public")[0]
    sim.write(phone, "edit", "cnv_1", of=1, version=1)
    twice = sim.write(phone, conv="cnv_1")
    phone.unacked.append(twice)
    sim.transmit(phone, twice, cut=False)
    sim.write(desk, "erase", "cnv_1", of=2)
    sim.write(phone, conv="cnv_1", refuse=True)
    sim.conflict(phone)
    sim.upload(phone)
    for device in sim.devices:
        device.catch_up()
    phone.state(first["cmid"], "read")
    del sim.random.random
    lines = sim.finish()
    assert first["version"] == 2
    return lines


def numbered(lines):
    out = []
    for n, line in enumerate(lines, 1):
        line = dict(line)
        line["src"] = f"h:{n}"
        out.append(line)
    return out


def run(lines):
    return checker.check(numbered(lines))


def find(lines, op, kind=None, **fields):
    for line in lines:
        if line["op"] == op and (kind is None or line["kind"] == kind) and \
                all(line.get(k) == v for k, v in fields.items()):
            return line
    raise AssertionError(f"the base history has no {op} {kind} {fields}")


def final(lines, proc, conv="cnv_1", log="public"):
    for line in lines:
        if line["op"] == "final" and line["proc"] == proc and line["conv"] == conv \
                and (line.get("log") or "public") == log:
            return line
    raise AssertionError("no final")


def late(lines, seconds=0):
    return max(l["t_ns"] for l in lines) + 1 + int(seconds * SECOND)


class Rejected(unittest.TestCase):
    """Each test makes the legal history illegal in one way."""

    def setUp(self):
        self.lines = copy.deepcopy(base_history())

    def rejected(self, invariant):
        report = run(self.lines)
        self.assertIn(invariant, {i for i, _ in report.violations},
                      "\n".join(t for _, t in report.violations) or "no violation at all")

    def test_the_history_itself_is_legal_and_exercises_everything(self):
        report = run(self.lines)
        self.assertEqual([], report.violations)
        self.assertEqual(set(checker.INVARIANTS), report.exercised)

    def test_I1_an_acked_message_missing_from_the_final_read(self):
        for proc in ("fresh-a", "fresh-staff"):
            read = final(self.lines, proc)
            read["entries"] = [e for e in read["entries"] if e["seq"] != read["head"]]
            read["head"] -= 1
        self.rejected("I1")

    def test_I1_an_acked_message_read_at_another_place(self):
        ok = find(self.lines, "send", "ok", proc="phone")
        ok["seq"] += 1
        self.rejected("I1")

    def test_I2_a_message_that_nobody_sent(self):
        cmid = find(self.lines, "send", "invoke", proc="phone")["cmid"]
        self.lines = [l for l in self.lines if not (l["op"] == "send" and l.get("cmid") == cmid)]
        self.rejected("I2")

    def test_I2_a_message_under_another_author(self):
        for line in self.lines:
            if line["op"] == "deliver" and line.get("author") == "usr_a":
                line["author"] = "agt_1"
        self.rejected("I2")

    def test_I3_a_message_at_two_places(self):
        read = final(self.lines, "fresh-a")
        read["head"] += 1
        read["entries"].append({**read["entries"][-1], "seq": read["head"]})
        self.rejected("I3")

    def test_I3_one_text_stored_under_two_keys(self):
        entry = final(self.lines, "fresh-a")["entries"][2]
        self.lines.append({"t_ns": 1, "proc": "rig", "kind": "invoke", "op": "intent", "who": "phone",
                           "hash": entry["hash"]})
        for proc in ("fresh-a", "fresh-staff"):
            read = final(self.lines, proc)
            read["head"] += 1
            read["entries"].append({**entry, "seq": read["head"], "cmid": "f" * 32})
        self.rejected("I3")

    def test_I4_content_that_nobody_wrote(self):
        for line in self.lines:
            for entry in [line] if line["op"] == "deliver" else line.get("entries", []):
                if entry.get("seq") == 3 and (entry.get("conv") or line.get("conv")) == "cnv_1":
                    entry["hash"] = digest("garbled")
        self.rejected("I4")

    def test_I4_an_old_version_after_an_edit(self):
        first = find(self.lines, "send", "invoke", proc="phone")
        for proc in ("fresh-a", "fresh-staff"):
            entry = final(self.lines, proc)["entries"][0]
            entry["version"], entry["hash"] = 1, first["hash"]
        self.rejected("I4")

    def test_I5_a_hole_in_the_log(self):
        final(self.lines, "fresh-staff")["entries"].pop(3)
        self.rejected("I5")

    def test_I5_a_log_that_starts_late_without_saying_why(self):
        read = final(self.lines, "fresh-staff")
        read["entries"].pop(0)
        read["first"] = 2
        self.rejected("I5")

    def test_I6_two_messages_at_one_place(self):
        deliver = find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)
        deliver["cmid"] = find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=5)["cmid"]
        self.rejected("I6")

    def test_I6_two_contents_of_one_version(self):
        find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)["hash"] = digest("x")
        self.rejected("I6")

    def of_a_later_kind(self, n, kind):
        """Entry n of cnv_1, as everybody sees it."""
        for line in self.lines:
            for entry in [line] if line["op"] == "deliver" else line.get("entries", []):
                if line.get("conv") == "cnv_1" and line.get("log") != "team" and entry.get("seq") == n:
                    entry["entry" if line["op"] == "deliver" else "kind"] = kind

    def test_I6_a_kind_that_an_older_version_does_not_know(self):
        self.of_a_later_kind(3, "later")
        find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)["entry"] = "other"
        self.assertEqual([], run(self.lines).violations)
        find(self.lines, "deliver", proc="phone", conv="cnv_1", seq=3)["entry"] = "latest"
        self.rejected("I6")

    def test_I6_a_kind_that_every_version_knows_is_other_for_one(self):
        find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)["entry"] = "other"
        self.rejected("I6")

    def test_I6_erased_content_in_a_later_read(self):
        entry = final(self.lines, "fresh-a")["entries"][1]
        self.assertEqual("erased", entry["kind"])
        entry["hash"], entry["kind"] = find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=2)["hash"], "text"
        self.rejected("I6")

    def test_I6_an_old_version_of_erased_content_kept_for_the_team(self):
        for read in (l for l in self.lines if l["op"] == "final" and l.get("log") == "team" and l["conv"] == "cnv_1"):
            read["head"] += 1
            read["entries"].append({"iseq": read["head"], "kind": "revision", "of": 2, "version": 1, "author": "agt_1",
                                    "hash": digest("old"), "ts": read["entries"][-1]["ts"]})
        self.rejected("I6")

    def test_I6_erased_text_found_by_search(self):
        find(self.lines, "search", proc="fresh-staff")["hits"].append({"conv": "cnv_1", "seq": 2})
        self.rejected("I6")

    def test_I7_a_number_left_out_on_a_device(self):
        self.lines.remove(find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3))
        self.rejected("I7")

    def test_I7_an_entry_given_twice_in_one_run(self):
        twice = find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)
        self.lines.append({**twice, "t_ns": twice["t_ns"] + 1})
        self.rejected("I7")

    def test_I7_a_hole_from_one_run_to_the_next(self):
        lost = find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)
        self.lines.remove(lost)
        self.lines.append({"t_ns": lost["t_ns"], "proc": "tablet", "kind": "info", "op": "start"})
        self.rejected("I7")

    def test_I8_a_device_overtakes_itself(self):
        one, two = [l for l in self.lines if l["op"] == "send" and l["kind"] == "invoke" and l["proc"] == "phone"][:2]
        one["t_ns"], two["t_ns"] = two["t_ns"], one["t_ns"]
        self.rejected("I8")

    def test_I8_a_message_whose_moment_is_not_known_may_stand_before_another_but_not_before_all(self):
        sends = [l for l in self.lines if l["op"] == "send" and l["kind"] == "invoke" and l["proc"] == "phone"]
        first, last = sends[0], sends[-1]
        first["t_ns"], first["since_ns"] = last["t_ns"] + 1, first["t_ns"]
        self.assertEqual([], [v for v in run(self.lines).violations if v[0] in ("I2", "I8", "I9")])
        first["since_ns"] = last["t_ns"] + 1
        self.rejected("I8")

    def test_I9_a_message_before_one_that_was_acked_before_it_was_sent(self):
        self.lines.append({"t_ns": 1, "proc": "desk", "kind": "ok", "op": "send", "conv": "cnv_1", "epoch": "e1",
                           "cmid": find(self.lines, "send", "ok", proc="desk")["cmid"], "seq": 2,
                           "ts": find(self.lines, "send", "ok", proc="desk")["ts"]})
        self.rejected("I9")

    def test_I10_two_acks_that_differ(self):
        find(self.lines, "send", "ok", proc="phone", dup=True)["ts"] += 1
        self.rejected("I10")

    def test_I11_a_rejected_message_in_the_log(self):
        fail = find(self.lines, "send", "fail", tag="too_large")
        for proc in ("fresh-a", "fresh-staff"):
            read = final(self.lines, proc)
            read["head"] += 1
            read["entries"].append({**read["entries"][-1], "seq": read["head"], "cmid": fail["cmid"]})
        self.rejected("I11")

    def test_I12_a_device_that_stays_behind(self):
        mine = [l for l in self.lines if l["op"] == "deliver" and l["proc"] == "tablet" and l["conv"] == "cnv_1"]
        self.lines.remove(mine[-1])
        self.rejected("I12")

    def test_I12_an_outbox_that_never_empties(self):
        self.lines.remove(find(self.lines, "quiet", proc="phone"))
        self.rejected("I12")

    def test_I12_an_outbox_that_empties_too_late(self):
        find(self.lines, "quiet", proc="phone")["t_ns"] += 61 * SECOND
        self.rejected("I12")

    def test_I12_a_queued_message_silently_dropped(self):
        self.lines.insert(0, {"t_ns": 2, "proc": "phone", "kind": "info", "op": "state", "cmid": "d" * 32,
                              "state": "queued"})
        self.rejected("I12")

    def test_I12_a_feed_that_leaves_a_conversation_out(self):
        find(self.lines, "feed", proc="fresh-a")["rows"].pop(0)
        self.rejected("I12")

    def test_I12_a_feed_with_an_old_head(self):
        find(self.lines, "feed", proc="fresh-staff")["rows"][0]["head"] -= 1
        self.rejected("I12")

    def test_I13_a_read_mark_that_falls(self):
        mark = [l for l in self.lines if l["op"] == "mark" and l["proc"] == "desk"][0]
        self.lines.append({**mark, "t_ns": mark["t_ns"] + 1, "recv": mark["recv"] + 1, "read": mark["recv"] + 1,
                           "head": 99})
        self.lines.append({**mark, "t_ns": mark["t_ns"] + 2, "recv": mark["recv"] + 1, "read": mark["recv"],
                           "head": 99})
        self.rejected("I13")

    def test_I13_a_mark_beyond_the_head(self):
        mark = find(self.lines, "mark", proc="desk")
        mark["recv"] = mark["head"] + 1
        self.rejected("I13")

    def test_I13_a_wrong_unread_count(self):
        final(self.lines, "fresh-a")["unread"] += 1
        self.rejected("I13")

    def test_I14_an_entry_for_a_stranger(self):
        entry = find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=1)
        self.lines.append({**entry, "proc": "other"})
        self.rejected("I14")

    def test_I14_an_entry_after_membership_ended(self):
        find(self.lines, "member", who="usr_b", conv="cnv_3")["until_ns"] = 1
        for line in self.lines:
            line["t_ns"] += 6 * SECOND
        self.rejected("I14")

    def test_I15_a_note_for_a_customer(self):
        note = find(self.lines, "deliver", proc="desk", conv="cnv_1", log="team")
        self.lines.append({**note, "proc": "phone"})
        self.rejected("I15")

    def test_I15_a_note_shown_as_public(self):
        note = find(self.lines, "deliver", proc="desk", conv="cnv_1", log="team")
        find(self.lines, "deliver", proc="tablet", conv="cnv_1", seq=3)["cmid"] = note["cmid"]
        self.rejected("I15")

    def test_I15_an_iseq_for_a_customer(self):
        find(self.lines, "mark", proc="phone")["ihead"] = 3
        self.rejected("I15")

    def test_I15_a_hole_for_a_customer(self):
        final(self.lines, "fresh-a")["entries"].pop(3)
        self.rejected("I15")

    def test_I16_an_entry_long_after_a_revocation(self):
        entry = find(self.lines, "deliver", proc="other")
        self.lines.append({**entry, "t_ns": late(self.lines, 6), "seq": 99})
        self.rejected("I16")

    def test_I16_a_session_long_after_a_revocation(self):
        self.lines.append({"t_ns": late(self.lines, 6), "proc": "other", "kind": "info", "op": "connect"})
        self.rejected("I16")

    def test_I17_a_message_that_never_reached_the_sink(self):
        seq = find(self.lines, "webhook")["seq"]
        self.lines = [l for l in self.lines if not (l["op"] == "webhook" and l["seq"] == seq)]
        self.rejected("I17")

    def test_I17_a_wrong_signature(self):
        find(self.lines, "webhook")["signature"] = False
        self.rejected("I17")

    def test_I17_another_body_on_the_second_try(self):
        call = find(self.lines, "webhook")
        self.lines.append({**call, "hash": digest("y")})
        self.rejected("I17")

    def test_I17_another_id_on_the_second_try(self):
        call = find(self.lines, "webhook")
        self.lines.append({**call, "id": "evt_other"})
        self.rejected("I17")

    def test_I17_a_webhook_for_a_rejected_message(self):
        fail = find(self.lines, "send", "fail", tag="too_large")
        self.lines.append({**find(self.lines, "webhook"), "id": "evt_r", "seq": 77, "cmid": fail["cmid"]})
        self.rejected("I17")

    def test_I18_other_bytes_than_uploaded(self):
        find(self.lines, "download", "ok")["sha256"] = digest("z")
        self.rejected("I18")

    def test_I18_a_file_for_a_stranger(self):
        refused = find(self.lines, "download", "fail", proc="other")
        refused["kind"], refused["sha256"] = "ok", find(self.lines, "upload")["sha256"]
        self.rejected("I18")

    def test_I19_a_head_that_falls_within_an_epoch(self):
        mark = [l for l in self.lines if l["op"] == "mark" and l["proc"] == "desk"][-1]
        self.lines.append({**mark, "t_ns": mark["t_ns"] + 1, "head": mark["head"] - 1, "recv": 0, "read": 0})
        self.rejected("I19")

    def test_I19_a_rev_that_falls_within_an_epoch(self):
        connect = find(self.lines, "connect", proc="phone")
        self.lines.append({**connect, "t_ns": connect["t_ns"] + 1, "rev": connect["rev"] - 1})
        self.rejected("I19")

    def test_I19_an_epoch_that_comes_back(self):
        at = find(self.lines, "connect", proc="phone")["t_ns"]
        self.lines.append({"t_ns": at + 1, "proc": "phone", "kind": "info", "op": "reset", "epoch": "e9"})
        self.lines.append({"t_ns": at + 2, "proc": "phone", "kind": "info", "op": "reset", "epoch": "e1"})
        self.rejected("I19")

    def test_I20_both_contents_acked(self):
        fail = find(self.lines, "send", "fail", tag="idempotency_conflict")
        ok = find(self.lines, "send", "ok", cmid=fail["cmid"])
        fail.update(kind="ok", seq=ok["seq"], ts=ok["ts"])
        self.rejected("I20")

    def test_I20_refused_for_another_reason(self):
        find(self.lines, "send", "fail", tag="idempotency_conflict")["tag"] = "forbidden"
        self.rejected("I20")

    def test_I20_the_other_content_stored(self):
        fail = find(self.lines, "send", "fail", tag="idempotency_conflict")
        other = find(self.lines, "send", "invoke", call=fail["call"])
        for line in self.lines:
            for entry in [line] if line["op"] == "deliver" else line.get("entries", []):
                if entry.get("cmid") == fail["cmid"] and entry.get("version") == 1 and entry.get("hash"):
                    entry["hash"] = other["hash"]
        self.rejected("I20")

    def test_I21_a_ts_that_falls(self):
        for line in self.lines:
            for entry in [line] if line["op"] in ("deliver", "send") else line.get("entries", []):
                if entry.get("seq") == 4 and (entry.get("conv") or line.get("conv")) == "cnv_1" and entry.get("ts"):
                    entry["ts"] -= 1000
        self.rejected("I21")

    def test_I22_a_connected_device_that_learns_too_late(self):
        slow = [l for l in self.lines if l["op"] == "deliver" and l["proc"] == "tablet" and l["conv"] == "cnv_1"][-1]
        slow["t_ns"] += 40 * SECOND
        quiet = find(self.lines, "quiet", proc="tablet")
        quiet["t_ns"] += 41 * SECOND
        self.rejected("I22")

    def test_I23_a_state_that_goes_back(self):
        state = find(self.lines, "state", state="sent")
        self.lines.append({**state, "t_ns": state["t_ns"] + 1, "state": "queued"})
        self.rejected("I23")

    def test_I23_sent_without_having_been_queued(self):
        self.lines.remove(find(self.lines, "state", state="queued"))
        self.rejected("I23")

    def test_I23_failed_after_it_was_sent(self):
        state = find(self.lines, "state", state="sent")
        self.lines.append({**state, "t_ns": state["t_ns"] + 1, "state": "failed"})
        self.rejected("I23")

    def test_I25_a_finding_of_the_servers_own_check(self):
        find(self.lines, "selfcheck")["findings"] = ["a hole"]
        self.rejected("I25")

    def test_I25_a_head_that_clients_do_not_see(self):
        find(self.lines, "selfcheck")["heads"]["cnv_1"] += 1
        self.rejected("I25")


class Accepted(unittest.TestCase):
    def test_random_legal_histories_pass(self):
        count, first = int(os.environ.get("CHECKER_HISTORIES", "1000")), int(os.environ.get("CHECKER_SEED", "1"))
        exercised = set()
        for seed in range(first, first + count):
            report = run(random_history(seed))
            exercised |= report.exercised
            self.assertEqual([], [t for _, t in report.violations][:5], f"seed {seed}")
        if count >= 100:
            self.assertEqual(set(checker.INVARIANTS), exercised)

    def test_an_unknown_outcome_may_or_may_not_have_happened(self):
        for stored in (True, False):
            lines = copy.deepcopy(base_history())
            last = max(l["t_ns"] for l in lines)
            lines.insert(0, {"t_ns": 3, "proc": "ghost", "kind": "info", "op": "role", "principal": "usr_a",
                             "role": "customer"})
            lines.insert(1, {"t_ns": 4, "proc": "ghost", "kind": "invoke", "op": "send", "cmid": "9" * 32,
                             "conv": "cnv_2", "hash": digest("q")})
            if stored:
                for proc in ("fresh-a", "fresh-staff"):
                    read = final(lines, proc, "cnv_2")
                    read["head"] = 1
                    read["entries"] = [{"kind": "text", "cmid": "9" * 32, "ts": 5, "author": "usr_a", "version": 1,
                                        "seq": 1, "hash": digest("q")}]
                for proc in ("phone", "tablet", "desk"):
                    lines.append({"t_ns": last, "proc": proc, "kind": "info", "op": "deliver", "conv": "cnv_2",
                                  "seq": 1, "cmid": "9" * 32, "entry": "text", "version": 1, "hash": digest("q"),
                                  "ts": 5, "author": "usr_a"})
                find(lines, "selfcheck")["heads"]["cnv_2"] = 1
            self.assertEqual([], [t for _, t in run(lines).violations])


class Program(unittest.TestCase):
    def call(self, text, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
            f.write(text)
            f.flush()
            done = subprocess.run([sys.executable, os.path.join(HERE, "checker.py"), *options, f.name],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def text(self, lines):
        return "".join(json.dumps(l) + "\n" for l in lines)

    def test_a_legal_file_exits_0_and_names_what_was_not_exercised(self):
        lines = [l for l in base_history() if l["op"] != "webhook" and l["op"] != "subscribe"]
        code, out = self.call(self.text(lines))
        self.assertEqual(0, code, out)
        self.assertIn("not exercised: I17;", out)

    def test_a_required_invariant_without_data_is_an_error(self):
        lines = [l for l in base_history() if l["op"] != "webhook" and l["op"] != "subscribe"]
        code, out = self.call(self.text(lines), "--require", "I1,I17")
        self.assertEqual(1, code, out)
        self.assertIn("required and not exercised: I17", out)

    def test_a_violation_is_one_line_with_process_and_place(self):
        lines = copy.deepcopy(base_history())
        find(lines, "webhook")["signature"] = False
        code, out = self.call(self.text(lines))
        self.assertEqual(1, code)
        self.assertRegex(out, r"(?m)^I17: .* \(sink\) \[.*:\d+\]$")

    def test_a_torn_last_line_is_ignored_and_another_torn_line_is_not(self):
        text = self.text(base_history())
        self.assertEqual(0, self.call(text + '{"t_ns": 12')[0])
        self.assertEqual(2, self.call('{"t_ns": 12\n' + text)[0])

    def test_a_hundred_thousand_lines_take_seconds_not_minutes(self):
        sim = Sim(3)
        for device in sim.devices:
            device.connect()
        while len(sim.lines) < 100_000:
            sim.write(sim.random.choice(sim.devices))
            if len(sim.lines) % 7 == 0:
                for device in sim.devices:
                    if not device.online:
                        device.connect()
                    device.catch_up()
        for device in sim.devices:
            if not device.online:
                device.connect()
        sim.finish()
        before = os.times()
        report = run(sim.lines)
        after = os.times()
        self.assertEqual([], report.violations[:3])
        self.assertLess(after.user - before.user, 60)


if __name__ == "__main__":
    unittest.main()
