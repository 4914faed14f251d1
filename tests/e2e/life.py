#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of an application on a phone: its push token reaches the app's back end with push.wanted; in the background
the process does not wake up once; a notification brings it up to date and lets it sleep again; logging out loses no
message by accident, ends the notifications and leaves nothing on the disk.
"""
import glob
import json
import os
import signal
import time

import rigs
from harness import SANITIZE, SLOW, Failed, Process, Rig, main, program, run_program
from webhook_sink import Sink
from wire import Wire, new_cmid

IDLE_S = 20


def check(what, holds):
    if not holds:
        raise Failed(what)


class Phone:
    def __init__(self, rig, name, token):
        log = os.path.join(rig.folder, f"phone.{name}.log")
        rig.logs.append(log)
        self.data = os.path.join(rig.folder, f"phone.{name}")
        self.process = Process([program("sdk_life"), rig.server.url, rig.app, token, self.data], log, stdin=True)
        self.at = 0
        self.wait("open 0")

    def wait(self, start, timeout_s=30):
        """The next line that begins so."""
        self.at, line = self.process.wait_line(lambda row: row.startswith(start), timeout_s, self.at)
        self.at += 1
        return line

    def say(self, command, answer=None):
        self.process.write(command)
        return self.wait(answer) if answer else None

    def wake_ups(self):
        """How often its threads went to sleep, and so woke up, so far."""
        count = 0
        for path in glob.glob(f"/proc/{self.process.child.pid}/task/*/status"):
            with open(path, encoding="ascii") as file:
                count += sum(int(row.split()[1]) for row in file if row.startswith("voluntary_ctxt_switches"))
        return count

    def end(self):
        self.process.child.stdin.close()
        check("it ends in order", self.process.wait(30) == 0)


def send(wire, conv, text):
    return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})["seq"]


def a_token_reaches_the_back_end(rig, sink, phone, agent, ann):
    run_program("deskbell", "webhook", "add", "--data", rig.server.data, "--url", sink.url("/push"), "--event",
                "push.wanted")
    phone.wait("state 2 1")
    phone.say("push token-of-ann", "push 0")
    phone.say("background", "background 0")
    phone.wait("state 7")
    seq = send(agent, ann.conv, "Are you there?")
    check("a push is wanted", sink.wait(lambda: sink.of("/push"), 20 * SLOW))
    data = sink.of("/push")[0].json["data"]
    tokens = [(d.get("service"), d.get("token")) for d in data["devices"] if "token" in d]
    check(f"with the token: {tokens}", tokens == [("fcm", "token-of-ann")])
    export = run_program("deskbell", "export", "--data", rig.server.data, "--customer", ann.principal).stdout
    devices = [row for row in map(json.loads, export.splitlines()) if row["type"] == "device"]
    tokens = [(row["push_service"], row["push_token"]) for row in devices]
    check(f"the export has it: {tokens}", ("fcm", "token-of-ann") in tokens)
    return data["conv"], seq


def nothing_wakes_it(phone):
    time.sleep(1)  # threads that have just ended their work
    before = phone.wake_ups()
    time.sleep(IDLE_S)  # the promise is about what does not happen
    woke = phone.wake_ups() - before
    print(f"life: {woke} wake-ups in {IDLE_S} s in the background")
    check(f"no wake-up in the background, but {woke}", woke == 0)


def a_notification_brings_it_up_to_date(phone, conv, seq):
    phone.say(f"received {conv} {seq}", "received 0 1")
    phone.wait(f"entry {seq} Are you there?")
    phone.wait("settled 1")
    phone.wait("state 7")
    phone.say(f"received {conv} {seq}", "received 0 0")


def the_foreground_connects_and_sends(phone, agent, ann):
    phone.say("send in the background", "sent 0")
    check("it waits", all(e.get("text") != "in the background" for e in agent.read_log(ann.conv)[0]))
    phone.say("foreground", "foreground 0")
    phone.wait("message 2 in the background")


def logging_out_leaves_nothing(rig, phone):
    rig.server.freeze()
    phone.say("send not yet there", "sent 0")
    check("unsent messages hold it", phone.say("log-out", "logged out").split()[2] == "-19")
    rig.server.process.child.send_signal(signal.SIGCONT)
    phone.wait("message 2 not yet there")
    check("the server is told", phone.say("log-out", "logged out") == "logged out 0 1")
    phone.end()
    left = [name for name in os.listdir(phone.data) if not name.endswith(".lock")]
    check(f"nothing is left: {left}", not left)


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("life", args.seed) as rig:
        rig.start_server(env={"DESKBELL_WEBHOOK_ALLOW": "127.0.0.1"})
        sink = Sink()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        phone = Phone(rig, "ann", ann.token)
        with Wire(rig.server.port) as wire:
            wire.open_session(kim.token)
            conv, seq = a_token_reaches_the_back_end(rig, sink, phone, wire, ann)
            if SANITIZE != "thread":  # its run-time wakes each process ten times a second
                nothing_wakes_it(phone)
            a_notification_brings_it_up_to_date(phone, conv, seq)
            the_foreground_connects_and_sends(phone, wire, ann)
        logging_out_leaves_nothing(rig, phone)
        check("the server ends in order", rig.server.stop() == 0)
        rig.check_logs()


main(run)
