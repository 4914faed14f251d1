#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A visitor writes with `deskbell chat`, writes more while the server is away, signs in as a user with --claim, and finds
everything once: as somebody new to the workspace, and as somebody who had a conversation already. An agent sees the same
log. The visitor's secret is dead afterwards.
"""
import glob
import os
import sqlite3

import rigs
from harness import Failed, Process, Rig, main, program, wait_until
from wire import Wire, WireClosed, WireError


def chat(rig, name, folder, *who, url=None):
    log = os.path.join(rig.folder, f"chat.{name}.log")
    rig.logs.append(log)
    return Process([program("deskbell"), "chat", "--url", url or rig.server.url, "--app", rig.app, "--data",
                    os.path.join(rig.folder, folder), "--plain", *who], log, stdin=True)


def end(process):
    process.child.stdin.close()
    code = process.wait(60)
    if code != 0:
        raise Failed(f"a chat ended with {code}")


def conversations(rig, token):
    with Wire(rig.server.port) as wire:
        me = wire.open_session(token)["principal"]
        rows = {row["key"]: row["conv"] for row in wire.read_feed()}
        return me, {key: [e.get("text") for e in wire.read_log(conv)[0]] for key, conv in rows.items()}


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found}, not {wanted}")


def sign_in(rig, folder, user):
    token = rig.user_token(user)
    user_chat = chat(rig, f"{folder}-user", folder, "--token", token, "--claim")
    user_chat.write("now by name")
    end(user_chat)
    files = glob.glob(os.path.join(rig.folder, folder, "*.deskbell"))
    expect(len(files), 1, "files after the claim: the visitor's has gone")
    return token


def queued(folder):
    count = 0
    for path in glob.glob(os.path.join(folder, "*.deskbell")):
        db = sqlite3.connect(path, timeout=10)
        count += db.execute("SELECT count(*) FROM outbox WHERE content LIKE '%in a tunnel%'").fetchone()[0]
        db.close()
    return count


def visit(rig, folder):
    """Two messages as a visitor, the second never sent: nobody listens where it goes."""
    first = chat(rig, f"{folder}-first", folder, "--visitor")
    first.write("as a visitor")
    end(first)
    offline = chat(rig, f"{folder}-offline", folder, "--visitor", url="ws://127.0.0.1:9")
    offline.write("in a tunnel")
    wait_until("the message is in the outbox", lambda: queued(os.path.join(rig.folder, folder)) == 1)
    offline.kill()


def secret_is_dead(rig):
    with Wire(rig.server.port) as wire:
        secret = wire.open_session(visitor={"app": rig.app})["visitor_secret"]
    with Wire(rig.server.port) as other, Wire(rig.server.port) as wire:
        other.open_session(visitor={"app": rig.app, "secret": secret})
        wire.open_session(rig.user_token("third"), claim=secret)
        try:
            other.wait_event(lambda e: False)
        except WireClosed as closed:
            expect(closed.code, 4003, "the close code of the visitor's other socket")
    for who in ({"visitor": {"app": rig.app, "secret": secret}},
                {"token": rig.user_token("fourth"), "claim": secret}):
        with Wire(rig.server.port) as wire:
            try:
                wire.open_session(**who)
                raise Failed("a dead secret was taken")
            except WireError as error:
                expect(error.tag, "token_invalid", "the refusal")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("claim", args.seed) as rig:
        rig.start_server()
        visit(rig, "new")
        token = sign_in(rig, "new", "newcomer")
        expect(conversations(rig, token)[1], {"main": ["as a visitor", "in a tunnel", "now by name"]}, "a new user")

        known = rig.customer("known")
        visit(rig, "old")
        token = sign_in(rig, "old", "known")
        me, found = conversations(rig, token)
        expect(me, known.principal, "the known user")
        given = [key for key in found if key.startswith("visitor:usr_")]
        expect(len(given), 1, "conversations of the visitor")
        expect(found[given[0]], ["as a visitor", "in a tunnel"], "what was said as a visitor")
        expect(found["main"], ["now by name"], "the user's own")
        again = chat(rig, "again", "old", "--token", token, "--claim")  # nothing to claim is no harm
        end(again)
        expect(conversations(rig, token)[1], found, "the same a second time")
        secret_is_dead(rig)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("claim: a new and a known user have all their visitors said, once")


main(run)
