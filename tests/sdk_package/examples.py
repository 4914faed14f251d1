# SPDX-License-Identifier: Apache-2.0
"""The examples of the SDK, built against the installed package and run against the real server: `examples.py build`,
then `examples.py NAME` for each.

Environment: DESKBELL_BUILD (the build folder), DESKBELL_SANITIZE.
"""
import json
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import package  # noqa: E402
from harness import Failed, Process, Rig, Skip, main, run_program  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

FOLDER = os.path.join(package.FOLDER, "examples")
SANITIZE_FLAGS = {"address": "-fsanitize=address,undefined", "thread": "-fsanitize=thread"}


def build():
    """The flags of a sanitizer have to be the library's."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    source = os.path.join(FOLDER, "source")  # a copy: nothing of the tree can be found from there
    shutil.copytree(os.path.join(package.ROOT, "client-sdk", "examples"), source)
    package.run("cmake", "-S", source, "-B", os.path.join(FOLDER, "build"), "-G", "Ninja",
                "-DCMAKE_PREFIX_PATH=" + package.PREFIX, "-DCMAKE_C_COMPILER=" + package.cached("CMAKE_C_COMPILER"),
                "-DCMAKE_C_FLAGS=" + SANITIZE_FLAGS.get(package.SANITIZE, ""))
    package.run("cmake", "--build", os.path.join(FOLDER, "build"), "-j", "2")
    build_java(source)


def build_java(source):
    """Java and Kotlin where they are installed, and not with a sanitizer, whose run time the machine lacks."""
    prefix, made = os.path.join(FOLDER, "java-prefix"), os.path.join(FOLDER, "java")
    for component in ("sdk", "java"):
        package.run("cmake", "--install", package.BUILD, "--component", component, "--prefix", prefix)
    jar = os.path.join(prefix, "share", "deskbell", "java", "deskbell.jar")
    kotlin_jar = os.path.join(os.path.dirname(jar), "deskbell-kotlin.jar")
    if package.SANITIZE or not os.path.exists(jar):
        return
    package.run("javac", "-encoding", "UTF-8", "-Xlint:all", "-Werror", "-cp", jar, "-d", made,
                os.path.join(source, "java", "Minimal.java"))
    write_starter("java_minimal", prefix, [jar, made], "Minimal")
    if os.path.exists(kotlin_jar):
        program = os.path.join(made, "minimal-kotlin.jar")
        package.run("kotlinc", "-J-XX:-PrintWarnings", "-Werror", "-include-runtime", "-cp", f"{jar}:{kotlin_jar}", "-d",
                    program, os.path.join(source, "kotlin", "Minimal.kt"))
        write_starter("kotlin_minimal", prefix, [jar, kotlin_jar, program], "MinimalKt")


def write_starter(name, prefix, class_path, main_class):
    path = os.path.join(FOLDER, "build", name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\nexec java -Xcheck:jni -Djava.library.path="{package.lib_folder(prefix)}" '
                f'-cp "{":".join(class_path)}" {main_class} "$@"\n')
    os.chmod(path, 0o755)


def start(rig, name, *args, env=None):
    path = os.path.join(FOLDER, "build", name)
    if not os.access(path, os.X_OK):
        raise Skip(f"{name} was not built: its library is not installed")
    log = os.path.join(rig.folder, f"{name}.log")
    rig.logs.append(log)
    return Process([path, rig.server.url, rig.app, *args, os.path.join(rig.folder, name)], log, stdin=True, env=env)


def end(process, how):
    """Ends the program as its user would; it has to leave in order."""
    if how is None:
        process.child.stdin.close()
    else:
        process.child.send_signal(how)
    code = process.wait(20)
    if code != 0:
        raise Failed(f"it ended with {code}")


def reply(rig, conv, text):
    with Wire(rig.server.port) as wire:
        wire.open_session(rig.agent("Ada").token)
        return wire.call("message.send", {"conv": conv, "cmid": new_cmid(), "kind": "text", "text": text})


def texts(rig, token, conv):
    """The public log as the server has it: (role of the author, text)."""
    with Wire(rig.server.port) as wire:
        wire.open_session(token)
        return [(e["author"][:3], e.get("text")) for e in wire.read_log(conv)[0]]


def expect_log(rig, token, conv, expected):
    found = texts(rig, token, conv)
    if found != expected:
        raise Failed(f"the server has {found}, expected {expected}")


def talks(name, me, them, how=None, typed="The lift is stuck.", env=None):
    """A line typed is stored and shown, an answer is shown, and the server has both once."""
    with Rig(f"example-{name}") as rig:
        rig.start_server()
        ann = rig.customer("ann")
        program = start(rig, name, ann.token, env=env)
        if how is None:
            program.write(typed)
        program.wait_line(lambda l: l == f"{me}: {typed}")
        reply(rig, ann.conv, "Somebody is coming.")
        program.wait_line(lambda l: l == f"{them}: Somebody is coming.")
        end(program, how)
        expect_log(rig, ann.token, ann.conv, [("usr", typed), ("agt", "Somebody is coming.")])
        rig.check_logs()


def kiosk():
    """A visitor's press on help is shown as on its way and as said, and the answer too."""
    with Rig("example-kiosk") as rig:
        rig.start_server()
        program = start(rig, "kiosk")
        program.write("Help, please")
        program.wait_line(lambda l: l == "[connected, 0 waiting]")
        program.wait_line(lambda l: l == "you> Help, please")
        with Wire(rig.server.port) as wire:
            wire.open_session(rig.agent("Ada").token)
            conv = wire.read_feed()[0]["conv"]
        reply(rig, conv, "On my way.")
        program.wait_line(lambda l: l == "staff> On my way.")
        end(program, None)
        rig.check_logs()


def start_bot(rig, key):
    bot = start(rig, "echo_bot", key)
    bot.wait_line(lambda l: l.startswith("on duty as bot_"))
    return bot


def ask(rig, ann, text):
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        wire.call("message.send", {"conv": ann.conv, "cmid": new_cmid(), "kind": "text", "text": text})


def echo_bot():
    """Each question is answered once, also by a bot that was killed and started again between them."""
    with Rig("example-echo-bot") as rig:
        rig.start_server()
        ann = rig.customer("ann")
        made = run_program("deskbell", "key", "add", "--data", rig.server.data, "--bot", "Echo", "--json").stdout
        key = json.loads(made)["key"]
        ask(rig, ann, "said before it came")
        bot = start_bot(rig, key)
        await_answers(rig, ann, 1)
        ask(rig, ann, "and while it is here")
        await_answers(rig, ann, 2)
        bot.kill()
        ask(rig, ann, "while it was away")
        bot = start_bot(rig, key)
        await_answers(rig, ann, 3)
        end(bot, signal.SIGTERM)
        answers = [t for who, t in texts(rig, ann.token, ann.conv) if who == "bot"]
        if answers != ["said before it came", "and while it is here", "while it was away"]:
            raise Failed(f"the bot said {answers}")
        rig.check_logs()


def answer_bot():
    """It answers what it knows, offers once, hands over then; killed in between, it says nothing twice."""
    with Rig("example-answer-bot") as rig:
        rig.start_server()
        ann, data = rig.customer("ann"), ["--data", rig.server.data]
        run_program("deskbell", "bot", "add", *data, "--name", "Helper", "--kind", "program")
        key = json.loads(run_program("deskbell", "key", "add", *data, "--bot", "Helper", "--json").stdout)["key"]
        ask(rig, ann, "How do I get a REFUND?")
        bot = start(rig, "answer_bot", key)
        await_answers(rig, ann, 1)
        bot.wait_line(lambda l: l == f"{ann.conv} done")
        bot.kill()
        ask(rig, ann, "blah")
        bot = start(rig, "answer_bot", key)
        await_answers(rig, ann, 2)
        ask(rig, ann, "more blah")
        bot.wait_line(lambda l: l == f"{ann.conv} done", start=1)
        ask(rig, ann, "When are you open?")  # people have it now
        end(bot, signal.SIGTERM)
        said = [t for who, t in texts(rig, ann.token, ann.conv) if who == "bot"]
        if len(said) != 2 or "30 days" not in said[0] or said[1] != "What is it about?":
            raise Failed(f"the bot said {said}")
        with Wire(rig.server.port) as wire:
            wire.open_session(rig.agent("Ada").token)
            handoffs = [e["handoff"]["why"] for e in wire.read_log(ann.conv, "team")[0] if e["kind"] == "handoff"]
        if handoffs != ["missed"]:
            raise Failed(f"handed over for {handoffs}")
        rig.check_logs()


def await_answers(rig, ann, count):
    """Reads what is there, and then waits for the event of each entry."""
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        seen = {e["seq"]: e["author"] for e in wire.read_log(ann.conv)[0]}
        while sum(a.startswith("bot_") for a in seen.values()) < count:
            event = wire.wait_event(lambda e: e["method"] == "entry" and e["params"]["conv"] == ann.conv)
            seen[event["params"]["seq"]] = event["params"]["author"]


RUNS = {
    "minimal": lambda: talks("minimal", "me", "Ada"),
    "minimal_static": lambda: talks("minimal_static", "me", "Ada"),
    "poll_loop": lambda: talks("poll_loop", "me", "Ada"),
    "with_glib": lambda: talks("with_glib", "me", "Ada"),
    "with_libuv": lambda: talks("with_libuv", "me", "Ada"),
    "with_sdl": lambda: talks("with_sdl", "me", "Ada", signal.SIGTERM, "I need help in this level.",
                              {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}),
    "own_chat": lambda: talks("own_chat", "me", "Ada"),
    "kiosk": kiosk,
    "echo_bot": echo_bot,
    "answer_bot": answer_bot,
    "java_minimal": lambda: talks("java_minimal", "me", "Ada"),
    "kotlin_minimal": lambda: talks("kotlin_minimal", "me", "Ada"),
}

if __name__ == "__main__":
    if sys.argv[1] == "build":
        build()
    else:
        main(RUNS[sys.argv[1]])
