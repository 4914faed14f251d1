#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who reads which attachment, as a history that the checker judges (I18): two customers, a visitor, agents; files in
public messages, in notes, and in no message; everybody asks for everything."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from filing import Filer, sha256  # noqa: E402
from harness import Failed, Rig, main  # noqa: E402
from wire import content_hash  # noqa: E402


def try_to_read(rig, proc, filer, files):
    """How many of them were handed out."""
    count = 0
    for info in files:
        answer = filer.get(info["file"])
        if answer.status == 200:
            count += 1
            rig.say(proc, "ok", "download", file=info["file"], sha256=sha256(answer.raw))
        elif answer.status == 404:
            rig.say(proc, "fail", "download", file=info["file"])
        else:
            raise Failed(f"200 or 404, got {answer.status}")
    return count


def send(rig, proc, filer, conv, info):
    message = filer.message(conv, [info])
    content = {k: message[k] for k in ("fallback_text", "files")}
    rig.say(proc, "invoke", "send", cmid=message["cmid"], conv=conv, hash=content_hash("attachment", content))
    sent = filer.call("message.send", message)
    rig.say(proc, "ok", "send", cmid=message["cmid"], conv=conv, seq=sent["seq"], ts=sent["ts"],
            epoch=filer.opened["epoch"])


def run():
    with Rig("files-access") as rig:
        rig.start_server()
        people = {name: rig.customer(name) for name in ("ann", "bob")}
        kim = rig.agent("Kim")
        files = []
        for proc, who in (*people.items(), ("kim", kim)):
            rig.say(proc, "info", "role", principal=who.principal, role=who.role)
        with Filer(rig, people["ann"].token) as ann, Filer(rig, people["bob"].token) as bob, Filer(rig, kim.token) as k:
            for proc, filer, conv in (("ann", ann, people["ann"].conv), ("bob", bob, people["bob"].conv),
                                      ("kim", k, people["ann"].conv)):
                for n in range(5):
                    data = os.urandom(10000 + n)
                    info = filer.upload(data, f"{n}.bin")
                    send(rig, proc, filer, conv, info)
                    rig.say(proc, "ok", "upload", file=info["file"], sha256=sha256(data), conv=conv)
                    files.append(info)
            handed_out = {proc: try_to_read(rig, proc, filer, files)
                          for proc, filer in (("ann", ann), ("bob", bob), ("kim", k))}
        rig.finish("I18,I25")
        if handed_out != {"ann": 10, "bob": 5, "kim": 15}:
            raise Failed(f"everybody reads what is his and no more, got {handed_out}")
        print(f"files-access: {handed_out}, 0 violations")


main(run)
