#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the file of a user as this library leaves it, as SQL: what a later library has to read. Made once for each
released version (see freeze.py); never made again for one that is out.

    DESKBELL_LIBRARY=.../libdeskbell.so.0 make_store.py STORE.sql

In it: a log of six entries, one edited and one erased; read up to 3; in the outbox a message that may have arrived, one
that was not sent yet, an edit, a refused message, a message with a file that waits, and a message for a conversation
that the server does not know yet; a push token.
"""
import os
import sqlite3
import sys
import tempfile

from script import AGENT, Refusal, Server, Told, Unanswered, client, deskbell, file_of


class Maker(Server):
    """Refuses one message, and does not answer the next."""
    is_silent = False

    def do_message_send(self, params):
        if params.get("text") == "refused":
            raise Refusal("too_many", code=14)
        if self.is_silent:
            raise Unanswered
        return super().do_message_send(params)


def fill(folder):
    server, told = Maker(), Told()
    for n in (1, 2):
        server.write(AGENT, kind="text", text=f"answer {n}")
    with client(server, told, folder) as user:
        main = user.open_conversation("main")
        user.connect()
        user.set_push(deskbell.Push.FCM, "the-push-token")
        told.wait_entry("answer 2")
        main.send("mine")
        told.wait("mine is sent", lambda: told.count(deskbell.MessageState.SENT) == 1)
        main.edit(3, 1, "mine, edited")
        told.wait("the edit is sent", lambda: told.count(deskbell.MessageState.SENT) == 2)
        server.write(AGENT, kind="text", text="answer 3")
        told.wait_entry("answer 3")
        server.write(AGENT, kind="erase", of=2)
        told.wait("six entries", lambda: len(told.entries) == 6)
        main.mark_read(3)
        main.send("refused")
        told.wait("it is refused", lambda: told.count(deskbell.MessageState.FAILED) == 1)
        server.is_silent = True
        main.send("perhaps arrived")
        server.wait("it left", lambda heard: any(p.get("text") == "perhaps arrived" for _, p in heard))
        user.disconnect()
        main.send("not sent yet")
        main.edit(3, 2, "mine, edited twice")
        main.send_file(deskbell.FileSource(bytes=b"bytes of a file", name="note.txt"), text="with a file")
        user.open_conversation("orders").send("for another conversation")
        told.wait("all are queued", lambda: user.status().queued == 5)


def dump(path, out):
    """Everything that a new file needs to be this one. What names this machine's folders is taken out."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = os.path.dirname(path)
    with open(out, "w", encoding="utf-8") as file:
        for pragma in ("application_id", "user_version"):
            file.write(f"PRAGMA {pragma} = {db.execute('PRAGMA ' + pragma).fetchone()[0]};\n")
        for line in db.iterdump():
            file.write(line.replace(folder, "@FOLDER@") + "\n")
    db.close()


def main():
    with tempfile.TemporaryDirectory(prefix="deskbell-make-store-") as folder:
        fill(folder)
        dump(file_of(folder), sys.argv[1])


if __name__ == "__main__":
    main()
