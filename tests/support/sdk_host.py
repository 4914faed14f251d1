#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sdk_host, made with the Python binding: a client that does what it is told, line by line, and writes down what it
sees, in the words of sdk_host.c. It knows the commands that a customer's device needs. One thread: callbacks run in
dispatch. DESKBELL_LIBRARY names the library, PYTHONPATH the package."""
import argparse
import glob
import json
import os
import select
import sys
import time

import deskbell
from deskbell import Connection, Kind, Log, MessageState, NoticeKind, Operation

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wire import text_hash  # noqa: E402

SIDE_KINDS = (Kind.EDIT, Kind.ERASE, Kind.ERASED, Kind.REVISION)
RANKS = {None: 0, "uploading": 1, "queued": 2, "sent": 3, "delivered": 4, "read": 5, "failed": 6, "expired": 7}


def place(log, number):
    out = {"log": "team" if log == Log.TEAM else "public"}
    if number > 0:
        out["iseq" if log == Log.TEAM else "seq"] = number
    return out


def told(**fields):
    """Without what is empty."""
    return {name: value for name, value in fields.items() if value not in ("", None)}


def describe(entry, kind_name):
    out = {**place(entry.log, entry.number), **told(cmid=entry.cmid, author=entry.author), "ts": entry.ts_ms,
           kind_name: entry.kind.name.lower(), "version": entry.version}
    if entry.of:
        out["of"] = entry.of
    if entry.kind not in SIDE_KINDS:
        out["hash"] = entry.hash.hex()
    elif entry.text:
        out["hash"] = text_hash(entry.text)
    return out


class Host:
    def __init__(self, args):
        self.proc, self.epoch, self.marks = args.proc, "", {}
        self.is_online = self.has_reset = self.wants_quiet = self.is_ending = False
        self.dump, self.dump_began_ns = None, 0
        self.states, self.attached = {}, {}
        self.recall_states(args.history)
        self.history = open(args.history, "a", encoding="utf-8")
        self.client = deskbell.Client(
            url=args.url, app=args.app, token=args.token, data_dir=args.data, callbacks_by_dispatch=True, first_page=-1,
            snapshot=0, client_name="sdk_host.py", on_state=self.on_state, on_entry=self.on_entry,
            on_message=self.on_message, on_opened=self.on_opened, on_conversation=self.on_conversation,
            on_notice=self.on_notice,
            on_push_settled=lambda caught_up: self.say("info", "settled", caught_up=caught_up),
            on_log=lambda level, line: print(f"sdk_host: {level.name.lower()}: {line}", file=sys.stderr, flush=True))
        self.convs = [self.client.open_conversation(key) for key in args.conv_key.split(",")]
        self.conv = self.convs[0]

    def say(self, kind, op, on_disk=False, **fields):
        line = {"t_ns": time.monotonic_ns(), "proc": self.proc, "kind": kind, "op": op, **fields}
        text = json.dumps(line, separators=(",", ":")) + "\n"
        self.history.write(text)
        self.history.flush()
        if on_disk:
            os.fsync(self.history.fileno())
        sys.stdout.write(text)
        sys.stdout.flush()
        return line

    def recall_states(self, path):
        runs = glob.glob(os.path.join(os.path.dirname(path), f"{self.proc}.*.jsonl"))
        for name in sorted(runs, key=lambda name: int(name.split(".")[-2])):
            with open(name, encoding="utf-8") as file:
                for row in file:
                    line = json.loads(row) if row.endswith("\n") else {}
                    if line.get("op") == "attach":
                        self.attached[line["cmid"]] = line["t_ns"]
                    if line.get("op") == "state":
                        self.states[line["cmid"]] = line["state"]

    # ---- what is told

    def on_state(self, state):
        is_online = state.connection == Connection.ONLINE
        self.epoch = state.epoch or self.epoch
        if self.has_reset and is_online:
            self.say("info", "reset", epoch=self.epoch)
            self.has_reset = False
        if is_online != self.is_online:
            self.is_online = is_online
            who = {"principal": state.principal} if is_online else {}
            self.say("info", "connect" if is_online else "disconnect", **told(epoch=self.epoch, why=state.why), **who)
        if state.connection in (Connection.STOPPED, Connection.NEEDS_TOKEN):
            self.say("info", "stopped", why=state.why)

    def on_entry(self, entry):
        files = [{"id": f.id, "name": f.name, "media": f.media, "size": f.size, "sha256": f.sha256.hex(),
                  "width": f.width, "height": f.height} for f in entry.files]
        self.say("info", "deliver", epoch=entry.epoch, conv=entry.conversation.id, **describe(entry, "entry"),
                 **({"files": files} if files else {}))

    def on_opened(self, opened):
        if opened.seq > 0 and opened.conversation.id:
            self.say("info", "snapshot", **told(epoch=self.epoch), conv=opened.conversation.id,
                     **place(Log.PUBLIC, opened.seq))

    def say_state(self, message, state):
        is_again = RANKS[state] <= RANKS[self.states.get(message.cmid)]
        if not is_again:
            self.states[message.cmid] = state
        self.say("info", "state", cmid=message.cmid, state=state,
                 **told(conv=message.conversation.id, epoch=message.epoch), **({"again": True} if is_again else {}))

    def on_message(self, message):
        before = self.states.get(message.cmid)
        state = message.state.name.lower()
        was_uploading = bool(message.files) and before in (None, "uploading")
        if message.state == MessageState.UPLOADING:
            self.say_state(message, state)
            return
        if was_uploading:  # it has taken its place in the outbox, at some time since it was handed over
            self.say("invoke", "send", on_disk=True, cmid=message.cmid, hash=message.hash.hex(),
                     since_ns=self.attached.get(message.cmid, 0),
                     **told(conv=message.conversation.id, epoch=self.epoch), **place(message.log, 0))
        if (was_uploading and message.state != MessageState.FAILED or before is None) and state != "queued":
            self.say_state(message, "queued")
        self.say_state(message, state)
        if message.state == MessageState.SENT:
            self.say_outcome(message, "ok")
        if message.state == MessageState.FAILED and not message.is_again:
            self.say_outcome(message, "fail")

    def say_outcome(self, message, kind):
        op = {Operation.SEND: "send", Operation.EDIT: "edit", Operation.ERASE: "erase"}[message.operation]
        stored = {**told(epoch=message.epoch), **place(message.log, message.number), "ts": message.ts_ms,
                  "dup": message.is_duplicate} if message.number > 0 else {}
        self.say(kind, op, cmid=message.cmid, **told(conv=message.conversation.id, tag=message.tag), **stored)

    def on_conversation(self, info):
        if info.conversation not in self.convs or not info.id or self.has_reset:
            return
        before = self.marks.get(info.id) or deskbell.Marks(0, 0, 0, 0)
        for side in ("customer", "staff"):
            now = [getattr(info.marks, f"{side}_{what}") for what in ("recv", "read")]
            if now != [getattr(before, f"{side}_{what}") for what in ("recv", "read")]:
                self.say("info", "mark", **told(epoch=self.epoch), conv=info.id, side=side, recv=now[0], read=now[1])
        self.marks[info.id] = info.marks

    def on_notice(self, notice):
        if notice.kind == NoticeKind.RESET:
            self.has_reset = True
            return
        self.say("info", "notice", notice=int(notice.kind), **told(detail=notice.detail))

    # ---- what is commanded

    def write(self, op, work, **fields):
        """Announces a message and hands it over; what the library refuses has failed."""
        cmid = self.client.cmid_new()
        self.say("invoke", op, on_disk=True, cmid=cmid, **told(epoch=self.epoch, conv=self.conv.id), **fields)
        try:
            work(cmid)
        except deskbell.Error as e:
            self.say("fail", op, cmid=cmid, tag=str(e), **told(conv=self.conv.id))

    def do_send(self, text):
        self.write("send", lambda cmid: self.conv.send(text, cmid=cmid), log="public", hash=text_hash(text))

    def do_edit(self, arguments):
        of, version, text = arguments.split(" ", 2)
        self.write("edit", lambda cmid: self.conv.edit(int(of), int(version), text, cmid=cmid), of=int(of),
                   version=int(version), hash=text_hash(text))

    def do_erase(self, of):
        self.write("erase", lambda cmid: self.conv.erase(int(of), cmid=cmid), of=int(of))

    def do_file(self, arguments):
        path, _, caption = arguments.partition(" ")
        cmid = self.client.cmid_new()
        line = self.say("invoke", "attach", on_disk=True, cmid=cmid, **told(epoch=self.epoch, conv=self.conv.id))
        self.attached[cmid] = line["t_ns"]
        try:
            self.conv.send_file(path, text=caption or None, cmid=cmid)
        except deskbell.Error as e:
            self.say("fail", "upload", cmid=cmid, tag=str(e), **told(conv=self.conv.id))

    def do_fetch(self, arguments):
        name, size, digest, path = arguments.split(" ")
        file = deskbell.File(name, "", "", int(size), 0, 0, bytes.fromhex(digest))

        def done(fetched):
            self.say("fail" if fetched.error else "info", "fetched", path=fetched.path,
                     **({"tag": fetched.error.name} if fetched.error else {}))
        try:
            self.client.file_fetch(file, path, done)
        except deskbell.Error as e:
            self.say("fail", "fetched", path=path, tag=str(e))

    def do_read(self, seq):
        self.conv.mark_read(int(seq))

    def do_in(self, number):
        self.conv = self.convs[int(number)]

    def do_look(self, _):
        status = self.client.status()
        rows = [{"conv": i.id, "head": i.head, "unread": i.unread, "customer_recv": i.marks.customer_recv,
                 "customer_read": i.marks.customer_read, "staff_recv": i.marks.staff_recv,
                 "staff_read": i.marks.staff_read} for i in self.client.conversations()]
        self.say("info", "look", rows=rows, unread=status.unread, queued=status.queued, failed=status.failed)

    def do_cache(self, _):
        self.dump, self.dump_began_ns = [], time.monotonic_ns()
        self.dump_from(self.conv, 0)

    def dump_from(self, conv, after):
        def done(page):
            self.dump += [describe(e, "kind") for e in page.entries]
            if not page.error and page.more and page.entries:
                self.dump_from(conv, page.entries[-1].number)
                return
            self.say("fail" if page.error else "info", "dump" if page.error else "final", conv=conv.id, log="public",
                     **told(epoch=self.epoch), head=page.head, first=1, began_ns=self.dump_began_ns, entries=self.dump)
        conv.history(done, after=after, limit=200)

    def do_background(self, _):
        self.client.set_background(True)

    def do_foreground(self, _):
        self.client.set_background(False)

    def do_offline(self, _):
        self.client.disconnect()

    def do_online(self, _):
        self.client.connect()

    def do_network(self, _):
        self.client.network_changed()

    def do_received(self, arguments):
        conv, seq = arguments.split(" ")
        try:
            self.say("info", "pushed", news=int(self.client.push_received(conv, int(seq))))
        except deskbell.Error as e:
            self.say("fail", "pushed", tag=str(e))

    def do_quiesce(self, _):
        self.wants_quiet = True
        self.client.network_changed()

    def do_quit(self, _):
        self.is_ending = True

    # ---- life

    def obey(self, row):
        name, _, rest = row.partition(" ")
        getattr(self, "do_" + name)(rest)
        if self.wants_quiet and name != "quiesce":
            self.client.network_changed()

    def check_quiet(self):
        status = self.client.status()
        if not self.wants_quiet or status.queued or not status.is_caught_up or status.callbacks_waiting:
            return
        self.wants_quiet = False
        self.say("info", "quiet", **told(epoch=self.epoch), outbox=0)

    def serve(self):
        self.client.connect()
        left = b""
        while not self.is_ending:
            ready = select.select([0, self.client.fileno()], [], [], 0.02 if self.wants_quiet else None)[0]
            if self.client.fileno() in ready:
                self.client.dispatch()
            if 0 in ready:
                got = os.read(0, 65536)
                if not got:
                    break
                *rows, left = (left + got).split(b"\n")
                for row in rows:
                    self.obey(row.decode())
            self.check_quiet()
        self.client.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("url", "app", "token", "data", "history", "proc"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--conv-key", default="main")
    Host(parser.parse_args()).serve()


if __name__ == "__main__":
    main()
