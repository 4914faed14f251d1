#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A file that an older library left is opened by this one: everything that was received is shown without a network,
everything that waited is sent once, in order, under its old id, and the server is asked only for what is missing.

tests/compat/<version>/store.sql are such files, as make_store.py of that version wrote them.
"""
import glob
import json
import os
import sqlite3
import sys
import tempfile

from script import AGENT, HERE, TS, USER, Server, Told, client, deskbell, file_of

from deskbell import Kind, MessageState

FILE = b"bytes of a file"
ENTRIES = [(1, Kind.TEXT, "answer 1"), (2, Kind.ERASED, ""), (3, Kind.TEXT, "mine, edited"),
           (4, Kind.EDIT, "mine, edited"), (5, Kind.TEXT, "answer 3"), (6, Kind.ERASE, "")]
WAITING = ["perhaps arrived", "not sent yet", "mine, edited twice"]


def restore(sql_path, folder):
    """The file under the name this library looks for, the copy of what was to be uploaded where it says."""
    with client(Server(), Told(), folder):
        path = file_of(folder)
    os.remove(path)
    with open(sql_path, encoding="utf-8") as file:
        script = file.read().replace("@FOLDER@", folder)
    db = sqlite3.connect(path)
    db.executescript(script)
    for copy, mtime in db.execute("SELECT path, mtime FROM upload").fetchall():
        os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
        with open(copy, "wb") as file:
            file.write(FILE)
        os.utime(copy, ns=(mtime, mtime))
    db.close()


class Now(Server):
    """The server as that user left it, and what it stored meanwhile."""

    def __init__(self):
        super().__init__()
        mine = {"author": USER, "cmid": "0" * 32}
        self.log = [{"author": AGENT, "kind": "text", "text": "answer 1"}, {"author": AGENT, "kind": "erased"},
                    {**mine, "kind": "text", "text": "mine, edited", "edited": 2},
                    {**mine, "kind": "edit", "of": 3, "version": 2, "text": "mine, edited"},
                    {"author": AGENT, "kind": "text", "text": "answer 3"}, {"author": AGENT, "kind": "erase", "of": 2},
                    {"author": AGENT, "kind": "text", "text": "meanwhile"}]
        self.log = [{"conv": "cnv_0000000000003", "seq": n, "ts": TS + n - 1, **e} for n, e in enumerate(self.log, 1)]
        self.rev = 20

    def do_session_open(self, params):
        return {**super().do_session_open(params), "http_token": "http-token-1"}

    def do_device_push(self, _params):
        return {}


def opened(folder, server):
    told = Told()
    return told, client(server, told, folder, snapshot=-1)


def what_was_received_is_shown_without_a_network(folder):
    told, user = opened(folder, Server())
    with user:
        main = user.open_conversation("main")
        told.wait("it is open", lambda: told.opened)
        assert [(e.number, e.kind, e.text) for e in told.entries] == ENTRIES, told.entries
        assert [e.version for e in told.entries if e.number == 3] == [2]
        assert told.unread == 1, f"{told.unread} unread: number 5, since 3 is read"
        shown = {m.text: m.state for m in told.messages}
        wanted = {**dict.fromkeys(WAITING, MessageState.QUEUED), "refused": MessageState.FAILED,
                  "with a file": MessageState.UPLOADING}
        assert shown == wanted, shown
        assert [m.tag for m in told.messages if m.state == MessageState.FAILED] == ["too_many"]
        assert not told.notices, told.notices
        status = user.status()
        assert (status.queued, status.failed) == (5, 1), status
        assert main.id == "cnv_0000000000003"


def what_waited_is_sent_once_in_order_under_its_old_id(folder, cmids):
    server = Now()
    told, user = opened(folder, server)
    with user:
        user.open_conversation("main")
        user.connect()
        server.wait("all of them are sent", lambda heard: sum(
            m in ("message.send", "message.edit") and "cmid" in p for m, p in heard) > len(WAITING))
        told.wait("all three have their place", lambda: told.count(MessageState.SENT) >= 3)
        told.wait_entry("meanwhile")
        sent = [(p["cmid"], p["text"]) for m, p in server.heard
                if m in ("message.send", "message.edit") and "conv" in p]
        assert sent == [(cmids[text], text) for text in WAITING], sent
        keys = [(p["cmid"], p["key"]) for p in server.said("message.send") if "key" in p]
        assert keys == [(cmids["for another conversation"], "orders")], keys
        reads = server.said("entries.read")
        assert reads and all(p["after"] >= 6 for p in reads), f"what is in the file is not fetched again: {reads}"
        server.wait("the push token is told", lambda heard: any(
            m == "device.push" and p.get("token") == "the-push-token" for m, p in heard))
        server.wait("the upload begins", lambda heard: any(
            m == "upload.begin" and (p["name"], p["size"]) == ("note.txt", len(FILE)) for m, p in heard))
        told.wait("the log is whole", lambda: len({e.number for e in told.entries}) == len(server.log))
        assert [e.number for e in told.entries] == list(range(1, len(server.log) + 1))


def run(sql_path):
    with tempfile.TemporaryDirectory(prefix="deskbell-old-store-") as folder:
        restore(sql_path, folder)
        with sqlite3.connect(file_of(folder)) as db:
            rows = db.execute("SELECT cmid, content FROM outbox").fetchall()
        db.close()
        cmids = {json.loads(content)["text"]: cmid.hex() for cmid, content in rows}
        what_was_received_is_shown_without_a_network(folder)
        what_waited_is_sent_once_in_order_under_its_old_id(folder, cmids)


def main():
    paths = sorted(glob.glob(os.path.join(HERE, "*", "store.sql")))
    if not paths:
        sys.exit("no file of an older version: see freeze.py")
    for path in paths:
        run(path)
        print(f"ok   the file of {os.path.basename(os.path.dirname(path))}, read by {deskbell.library_version()}")


if __name__ == "__main__":
    main()
