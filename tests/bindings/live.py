#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A binding against a real server: first its example, a terminal customer, talks with an agent; then its own tests run,
which may ask for the server to be killed and started.

    live.py NAME [EXAMPLE-COMMAND...] -- TESTS-COMMAND...
Both commands get their arguments appended: URL APP TOKEN FOLDER, and URL APP TOKEN AGENT_TOKEN CONVERSATION FOLDER.
"""
import os
import shlex
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from harness import SLOW, Failed, Process, Rig, main, run_program, tail  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

KINDS = [
    {"kind": "text", "text": "welcome"},
    {"kind": "choices", "text": "which colour?", "fallback_text": "which colour?",
     "choices": [{"id": "a", "label": "Red"}, {"id": "b", "label": "Blue"}]},
    {"kind": "card", "fallback_text": "A card", "card": {"title": "A card", "url": "https://example.com/c"}},
    {"kind": "form", "fallback_text": "A form",
     "form": [{"id": "mail", "label": "Your address", "input": "email", "required": True}]},
    {"kind": "article", "fallback_text": "An article",
     "article": {"title": "An article", "url": "https://example.com/a"}},
]


def furnish(rig, agent, conv):
    """One entry of each kind, from number 1."""
    with Wire(rig.server.port) as wire:
        wire.open_session(agent.token)
        for content in KINDS:
            wire.call("message.send", {"cmid": new_cmid(), "conv": conv, **content})


def start(rig, name, command):
    log = os.path.join(rig.folder, f"{name}.log")
    rig.logs.append(log)
    return Process(command, log, stdin=True)


def wait_said(process, text):
    return process.wait_line(lambda line: text in line)


def run_example(rig, command, agent):
    """What is typed reaches the agent, his answer is shown, and he sees that it was read; all of it again offline."""
    ben = rig.customer("ben")
    folder = os.path.join(rig.folder, "ben")
    os.makedirs(folder, mode=0o700)
    arguments = [rig.server.url, rig.app, ben.token, folder]
    desk = rig.host("desk", agent, conv=ben.conv)
    desk.wait_connected()
    terminal = start(rig, "example", command + arguments)
    terminal.write("my lamp is broken")
    wait_said(terminal, "me: my lamp is broken")
    desk.wait_given(ben.conv, 1)
    rig.send(desk, "which lamp?")
    wait_said(terminal, "Kim: which lamp?")
    desk.wait(lambda l: l["op"] == "mark" and l["side"] == "customer" and l["read"] == 2)
    desk.command("read 1")
    wait_said(terminal, "[read] my lamp is broken")
    rig.server.kill()
    terminal.write("are you there?")
    terminal.write("please answer")
    rig.server.start()
    wait_said(terminal, "me: please answer")
    desk.wait_given(ben.conv, 4)
    terminal.child.stdin.close()
    code = terminal.wait()
    if code != 0:
        raise Failed(f"the example ended with {code}\n{tail(terminal.log_path)}")
    order = [line for line in terminal.lines if line.startswith("me: ") or line.startswith("Kim: ")]
    wanted = ["me: my lamp is broken", "Kim: which lamp?", "me: are you there?", "me: please answer"]
    if order != wanted:
        raise Failed(f"the example showed {order}")
    desk.quit()


def publish_bot(rig):
    """One that devices may take along."""
    path = os.path.join(rig.folder, "shop.bot")
    with open(path, "w", encoding="utf-8") as f:
        f.write("bot 1\nlang en\nfaq opening\n  ? When are you open?\n  ? What are your opening hours?\n"
                "  = From 9 to 6.\n")
    for args in (["add", "--name", "Robin"], ["push", "--publish", path], ["set", "--on", "--offline", "yes"]):
        run_program("deskbell", "bot", args[0], "--data", rig.server.data, *args[1:])


def run_tests(rig, command, agent):
    ann = rig.customer("ann")
    furnish(rig, agent, ann.conv)
    folder = os.path.join(rig.folder, "ann")
    os.makedirs(folder, mode=0o700)
    tests = start(rig, "tests", command + [rig.server.url, rig.app, ann.token, agent.token, ann.conv, folder])
    at, passed = 0, 0
    while True:
        try:
            at, line = tests.wait_line(lambda l: l.startswith(("rig: ", "ok ", "FAIL ")), 90, at)
        except Failed:
            break
        at += 1
        if line == "rig: kill the server":
            rig.server.kill()
            tests.write("done")
        elif line == "rig: start the server":
            rig.server.start()
            tests.write("done")
        elif line == "rig: publish a bot":
            publish_bot(rig)
            tests.write("done")
        else:
            print(line, flush=True)
            passed += line.startswith("ok ")
    code = tests.wait()
    if code != 0 or not passed:
        raise Failed(f"the tests ended with {code}\n{tail(tests.log_path)}")
    complaints = [line for line in tests.lines if "in native method" in line or line.startswith("WARNING: JNI")]
    if complaints:  # of java -Xcheck:jni
        raise Failed(f"the machine warns: {complaints[:5]}")
    return passed


def run():
    name, rest = sys.argv[1], sys.argv[2:]
    cut = rest.index("--")
    example, tests = rest[:cut], rest[cut + 1:]
    with Rig(name) as rig:
        rig.has_verdict = True  # the bindings write no history for the checker: their tests look themselves
        rig.start_server()
        kim = rig.agent("Kim")
        if example:
            run_example(rig, example, kim)
        passed = run_tests(rig, tests, kim)
        rig.server.stop()
        rig.check_logs()
        shown = f", and the example ({shlex.join(os.path.basename(e) for e in example)})" if example else ""
        print(f"{name}: {passed} tests passed{shown}")


main(run)
