#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F5: a flush of the database fails once. The server acks nothing more, ends with 70, and a restart heals (A2).

The n-th flush fails for n = 1, 2, ...; a flush while the store is being opened must keep the server from serving.
"""
import os

import rigs
from harness import BUILD, Failed, Rig, main
from wire import Wire, WireClosed, WireError, new_cmid, text_hash

EXIT_SOFTWARE = 70


def check_report(path, n):
    """The library did make a flush fail; else the server ended for a reason of its own."""
    if not os.path.exists(path):
        raise Failed(f"flush {n}: the server ended, but no flush had failed")
    os.unlink(path)


def send_one(rig, wire, who, epoch, message):
    rig.say("raw", "invoke", "send", cmid=message["cmid"], conv=who.conv, hash=text_hash(message["text"]))
    result = wire.call("message.send", {"conv": who.conv, "kind": "text", **message})
    rig.say("raw", "ok", "send", cmid=message["cmid"], conv=who.conv, seq=result["seq"], ts=result["ts"], epoch=epoch)
    rig.sent += 1


def send_until_failure(rig, who, n):
    """One message at a time until the connection ends. The one that got no answer."""
    message = None
    try:
        with Wire(rig.server.port) as wire:
            epoch = wire.open_session(who.token)["epoch"]
            for k in range(1000):
                message = {"cmid": new_cmid(), "text": f"flush {n} message {k}"}
                send_one(rig, wire, who, epoch, message)
            raise Failed("1000 messages were acked and no flush was asked for")
    except WireError as e:
        raise Failed(f"flush {n}: the server answered {e} although the outcome is unknown") from e
    except (WireClosed, OSError) as e:
        code = getattr(e, "code", 1006)
        if code not in (1006, 4013):
            raise Failed(f"flush {n}: closed with {code}, expected 4013") from e
    return message


def run_cycle(rig, ann, n):
    report = os.path.join(rig.server.data, "flush-failed")  # the server may write nowhere else
    rig.server.env.update(LD_PRELOAD=os.path.join(BUILD, "fail_fsync.so"), FAIL_FSYNC_AT=str(n),
                          FAIL_FSYNC_NAME="deskbell.db", FAIL_FSYNC_REPORT=report)
    try:
        rig.server.start()
        is_serving = True
    except Failed:
        is_serving = False
    unanswered = send_until_failure(rig, ann, n) if is_serving else None
    code = rig.server.wait_exit()
    if is_serving and code != EXIT_SOFTWARE or code == 0:
        raise Failed(f"flush {n} failed and the server ended with {code}, not {EXIT_SOFTWARE}")
    check_report(report, n)
    for name in ("LD_PRELOAD", "FAIL_FSYNC_AT", "FAIL_FSYNC_NAME", "FAIL_FSYNC_REPORT"):
        del rig.server.env[name]
    rig.server.start()
    if unanswered:
        with Wire(rig.server.port) as wire:
            send_one(rig, wire, ann, wire.open_session(ann.token)["epoch"], unanswered)
    rig.server.stop()
    return is_serving


def run():
    args = rigs.options(__doc__, 6, 40)
    with Rig("fsync-error", args.seed) as rig:
        rig.start_server()
        rig.expected = ["."]  # the server has to complain
        ann = rig.customer("ann")
        rig.say("raw", "info", "role", principal=ann.principal, role="customer")
        rig.server.stop()
        while_serving = 0
        for n in range(1, args.count + 1):
            while_serving += run_cycle(rig, ann, n)
        if not while_serving:
            raise Failed("no flush failed while the server was serving: raise --count")
        rig.server.start()
        rig.finish("I1,I2,I3,I5,I9,I25")
        print(f"fsync-error: {args.count} failures, {while_serving} while serving, {rig.sent} messages acked, "
              "0 violations")


main(run)
