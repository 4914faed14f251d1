#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Webhooks through the real server (I17, F30): every subscribed event reaches its receiver, signed, under one id however
often it is tried; receivers that misbehave delay nobody else and cost nothing; what is given up can be replayed.
"""
import json
import os
import socket
import subprocess
import time

import rigs
from harness import SLOW, Failed, Rig, main, run_program, wait_until
from webhook_sink import Sink, verify
from wire import Wire

MESSAGES = 4  # four tries each: fewer than the failures in a row after which a webhook is paused
BAD_MODES = ("slow", "infinite", "headers", "drip", "close", "500")
PRIVATE = ("http://127.0.0.2/", "https://10.1.2.3/", "https://localhost/", "https://169.254.169.254/latest",
           "https://[::1]/", "https://[::ffff:127.0.0.2]/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/",
           "https://user@shop.example/", "file:///etc/passwd", "gopher://shop.example/", "https://100.64.0.1/")


def check(what, holds):
    if not holds:
        raise Failed(what)


class Hooks:
    """The subcommands of one server."""

    def __init__(self, rig):
        self.rig, self.secrets, self.ids = rig, {}, {}

    def run(self, *args, **more):
        return run_program("deskbell", "webhook", args[0], "--data", self.rig.server.data, *args[1:], **more)

    def add(self, sink, path, *events, **more):
        args = [a for e in events for a in ("--event", e)]
        made = json.loads(self.run("add", "--url", sink.url(path), *args, "--json", **more).stdout)
        self.ids[path], self.secrets[path] = made["webhook"], made["secret"]
        return made

    def deliveries(self, path, state=None):
        args = ["--webhook", self.ids[path], "--json"] + (["--state", state] if state else [])
        return json.loads(self.run("deliveries", *args).stdout)["deliveries"]

    def replay(self, path):
        return int(self.run("replay", self.ids[path], "--all").stdout)


def one_body_for_each_id(requests):
    bodies = {}
    for request in requests:
        if bodies.setdefault(request.id, request.body) != request.body:
            raise Failed(f"{request.id} came with two bodies")
    return bodies


def memory_kib(rig):
    with open(f"/proc/{rig.server.process.child.pid}/status", encoding="ascii") as f:
        return int(next(l for l in f if l.startswith("VmRSS")).split()[1])


def cmid(rig):
    return f"{int(time.time() * 1000):012x}7{rig.random.getrandbits(12):03x}8{rig.random.getrandbits(60):015x}"


def say(rig, wire, conv, text, **more):
    key = cmid(rig)
    seq = wire.call("message.send", {"cmid": key, "conv": conv, "kind": "text", "text": text, **more})
    return key, seq.get("seq")


def bad_receivers_delay_nobody(rig, hooks, sink, wire, conv):
    for mode in BAD_MODES:
        sink.modes["/" + mode] = mode
        hooks.add(sink, "/" + mode, "message.created")
    sink.modes["/moved"] = f"301 http://127.0.0.1:{rig.canary.port}/"
    hooks.add(sink, "/moved", "message.created")
    sink.modes["/bomb"] = "bomb"
    hooks.add(sink, "/bomb", "message.created")
    before = memory_kib(rig)
    hooks.add(sink, "/ok", "message.created")
    began = time.monotonic()
    sent = [say(rig, wire, conv, f"message {n}") for n in range(MESSAGES)]
    repeat = wire.call("message.send", {"cmid": sent[0][0], "conv": conv, "kind": "text", "text": "message 0"})
    check("a repeat is known", repeat.get("dup"))
    wire.call("message.send", {"cmid": cmid(rig), "conv": conv, "kind": "text", "text": "a note", "log": "team"})
    check("the good receiver is served", sink.wait(lambda: len(sink.of("/ok")) >= MESSAGES, 4 * SLOW))
    check("while others are slow", time.monotonic() - began < 4 * SLOW)
    got = sink.of("/ok")
    check("each once, in order", [r.json["data"]["entry"]["seq"] for r in got] == [s for _, s in sent])
    check("under its own id", len({r.id for r in got}) == MESSAGES and all(r.id == r.json["id"] for r in got))
    for request in got:
        why = verify(hooks.secrets["/ok"], request.headers, request.body)
        check(f"signed: {why}", why is None)
    check("not with another's secret", verify(hooks.secrets["/slow"], got[0].headers, got[0].body) == "signature")
    return before


def what_fails_is_given_up_and_replayed(rig, hooks, sink):
    wait_until("the 500s are given up", lambda: len(hooks.deliveries("/500", "dead")) == MESSAGES, 60)
    requests = sink.of("/500")
    bodies = one_body_for_each_id(requests)
    check("each tried four times", len(bodies) == MESSAGES and len(requests) == 4 * MESSAGES)
    row = hooks.deliveries("/500", "dead")[0]
    check("status is kept", row["status"] == 500 and row["tries"] == 4)
    check("the answer is shown without escapes", row["answer"] == "not .[1mtoday")
    sink.modes["/500"] = "ok"
    check("all are replayed", hooks.replay("/500") == MESSAGES)
    check("and come", sink.wait(lambda: len(sink.of("/500")) >= 5 * MESSAGES, 20 * SLOW))
    check("under the same ids", set(one_body_for_each_id(sink.of("/500"))) == set(bodies))
    wait_until("delivered", lambda: not hooks.deliveries("/500", "waiting"))


def the_others_end_as_they_should(rig, hooks, sink, before):
    for path in ("/moved", "/close", "/headers", "/slow", "/drip", "/infinite"):
        wait_until(f"{path} is given up", lambda p=path: len(hooks.deliveries(p, "dead")) >= 1, 90)
    check("redirects are not followed", rig.canary.connections == 0)
    check("301 is what is told", hooks.deliveries("/moved", "dead")[0]["status"] == 301)
    check("a bomb with 200 was delivered", len(hooks.deliveries("/bomb", "delivered")) >= MESSAGES)
    check("never more than four at once", all(n <= 4 for n in sink.most_open.values()))
    if not os.environ.get("DESKBELL_SANITIZE"):
        check("memory stays", memory_kib(rig) - before < 40 * 1024)


def an_erased_message_is_sent_as_erased(rig, hooks, sink, wire, conv):
    sink.modes["/erase"] = lambda count: "500" if count == 1 else "ok"
    hooks.add(sink, "/erase", "message.created", "conversation.changed")
    _, seq = say(rig, wire, conv, "take this back")
    check("the first try came", sink.wait(lambda: len(sink.of("/erase")) >= 1))
    wire.call("message.erase", {"cmid": cmid(rig), "conv": conv, "of": seq})
    check("then without content", sink.wait(lambda: any(r.json.get("erased") for r in sink.of("/erase")), 10 * SLOW))
    first = sink.of("/erase")[0]
    blank = next(r for r in sink.of("/erase") if r.json.get("erased"))
    check("under the same id", blank.id == first.id and b"take" not in blank.body)
    check("the change came too", sink.wait(lambda: sink.of("/erase", "conversation.changed")))
    data = sink.of("/erase", "conversation.changed")[0].json["data"]
    check("and says what", data["what"] == "erased" and data["of"] == seq)


def two_secrets_during_a_rotation(rig, hooks, sink, wire, conv):
    old = hooks.secrets["/ok"]
    new = json.loads(hooks.run("rotate", hooks.ids["/ok"], "--json").stdout)["secret"]
    done = hooks.run("test", hooks.ids["/ok"])
    check("the test says so", done.stdout.startswith("delivered: status 200 ok"))
    got = sink.of("/ok", "webhook.test")[-1]
    for secret in (old, new):
        check("both secrets are good", verify(secret, got.headers, got.body) is None)
    env = {"DESKBELL_WEBHOOK_SECRET": new}
    path = os.path.join(rig.folder, "body")
    with open(path, "wb") as f:
        f.write(got.body)
    args = ["deskbell", "webhook", "verify", "--id", got.id, "--timestamp", got.headers["webhook-timestamp"],
            "--signature", got.headers["webhook-signature"], "--body", path]
    check("our verifier agrees", run_program(*args, env=env).returncode == 0)
    with open(path, "ab") as f:
        f.write(b" ")
    check("and sees one byte more", run_program(*args, env=env, check=False).returncode != 0)


class Down:
    """A receiver that does not listen, until it is back."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


def a_receiver_that_was_down_gets_it_when_it_is_back(rig, hooks, wire, conv):
    down = Down()
    hooks.add(down, "/down", "message.created")
    say(rig, wire, conv, "is anybody there")
    wait_until("the first try failed", lambda: hooks.deliveries("/down")[0]["tries"] >= 1)
    row = hooks.deliveries("/down")[0]
    check("nobody answered", "status" not in row and row["answer"])
    back = Sink(port=down.port)
    check("it comes now", back.wait(lambda: back.of("/down"), 10 * SLOW))
    check("under its old id", back.of("/down")[0].id == row["event"])


def a_push_is_wanted_when_no_device_has_it(rig, hooks, sink, agent, away, here):
    hooks.add(sink, "/push", "push.wanted")
    with Wire(rig.server.port) as wire, Wire(rig.server.port) as phone:
        wire.open_session(agent.token)
        phone.open_session(here.token)
        began = time.monotonic()
        _, seq = say(rig, wire, away.conv, "Are you there? " + "é" * 100)
        say(rig, wire, away.conv, "Hello?")
        _, seen = say(rig, wire, here.conv, "And you?")
        phone.wait_event(lambda e: e["method"] == "entry" and e["params"].get("seq") == seen)
        phone.notify("marks", {"marks": [{"conv": here.conv, "recv": seen, "read": 0}]})
        check("it comes", sink.wait(lambda: sink.of("/push"), 15 * SLOW))
        took = sink.of("/push")[0].at - began
    time.sleep(2)  # the promise is about what does not come
    got = sink.of("/push")
    check("one for both, none for who has it", len(got) == 1)
    data = got[0].json["data"]
    check(f"not before 5 s ({took:.1f})", took >= 4.9)
    check("it says whom and what", data["customer"] == away.principal and data["external_id"] == "away" and
          data["seq"] == seq + 1 and data["unread"] == 2 and data["preview"] == "Hello?" and len(data["devices"]) == 1)


def addresses_of_ours_are_refused(hooks):
    for url in PRIVATE:
        done = hooks.run("add", "--url", url, check=False)
        check(f"{url} is refused", done.returncode != 0)


def a_wrong_certificate_is_refused(rig, hooks, good_cert):
    bad_cert = make_cert(rig, "bad")
    good, bad = Sink(good_cert), Sink(bad_cert)
    for name, sink in (("/trusted", good), ("/untrusted", bad)):
        hooks.add(sink, name, "push.wanted")
    done = hooks.run("test", hooks.ids["/trusted"], check=False)
    check(f"a trusted one is taken: {done.stdout}{done.stderr}", done.stdout.startswith("delivered"))
    done = hooks.run("test", hooks.ids["/untrusted"], check=False)
    check("another is not", done.stdout.startswith("failed: status 0") and "certificate" in done.stdout)
    check("and hears nothing", not bad.of("/untrusted"))


def make_cert(rig, name):
    paths = [os.path.join(rig.folder, f"{name}.{end}") for end in ("pem", "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sink",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    os.chmod(paths[0], 0o644)
    return paths


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("webhooks", args.seed) as rig:
        cert = make_cert(rig, "good")
        rig.start_server(env={"DESKBELL_WEBHOOK_ALLOW": "127.0.0.1", "DESKBELL_WEBHOOK_TRIES_S": "1 2 3",
                              "DESKBELL_WEBHOOK_CA": cert[0]})
        rig.canary, sink, hooks = Sink(), Sink(), Hooks(rig)
        ann, agent = rig.customer("ann"), rig.agent("Kim")
        away, here = rig.customer("away"), rig.customer("here")
        with Wire(rig.server.port) as wire:
            wire.open_session(agent.token)
            addresses_of_ours_are_refused(hooks)
            before = bad_receivers_delay_nobody(rig, hooks, sink, wire, ann.conv)
            what_fails_is_given_up_and_replayed(rig, hooks, sink)
            an_erased_message_is_sent_as_erased(rig, hooks, sink, wire, ann.conv)
            two_secrets_during_a_rotation(rig, hooks, sink, wire, ann.conv)
            a_wrong_certificate_is_refused(rig, hooks, cert)
            a_receiver_that_was_down_gets_it_when_it_is_back(rig, hooks, wire, ann.conv)
            the_others_end_as_they_should(rig, hooks, sink, before)
        a_push_is_wanted_when_no_device_has_it(rig, hooks, sink, agent, away, here)
        check("the server ends in order", rig.server.stop() == 0)
        rig.check_logs()
        print(f"webhooks: {len(sink.requests)} requests taken")


main(run)
