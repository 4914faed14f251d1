# SPDX-License-Identifier: Apache-2.0
"""What docs/sdk.md says, done as it says: its program is compiled with its commands and used against a server.

Environment: DESKBELL_BUILD (the build folder), DESKBELL_SANITIZE.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import package  # noqa: E402
from examples import SANITIZE_FLAGS, expect_log, reply  # noqa: E402
from harness import Failed, Process, Rig, main  # noqa: E402


def blocks(language):
    with open(os.path.join(package.ROOT, "docs", "sdk.md"), encoding="utf-8") as f:
        return re.findall(rf"^```{language}\n(.*?)^```$", f.read(), re.M | re.S)


def compile_hello(folder):
    """In a fresh folder, with a home in which the library is installed where the guide installs it."""
    os.makedirs(folder)
    os.symlink(package.PREFIX, os.path.join(folder, "deskbell"))
    with open(os.path.join(folder, "hello.c"), "w", encoding="utf-8") as f:
        f.write(blocks("c")[0])
    commands = [b for b in blocks("sh") if "hello.c" in b]
    if len(commands) != 1:
        raise Failed("the guide does not say how to compile its program")
    script = commands[0].replace("cc hello.c", f"{package.cached('CMAKE_C_COMPILER')} "
                                 f"{SANITIZE_FLAGS.get(package.SANITIZE, '')} hello.c")
    done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, env={**os.environ, "HOME": folder},
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"the guide's commands fail:\n{done.stdout}{done.stderr}")


def start(rig, folder, token, run):
    log = os.path.join(rig.folder, f"hello.{run}.log")
    rig.logs.append(log)
    return Process(["sh", "-c", 'cd "$0" && exec ./hello "$@"', folder, rig.server.url, rig.app, token], log, stdin=True)


def stop(program):
    program.child.stdin.close()
    if program.wait(20) != 0:
        raise Failed("it did not end in order")


def run():
    with Rig("sdk-guide") as rig:
        folder = os.path.join(rig.folder, "home")
        compile_hello(folder)
        rig.start_server()
        ann = rig.customer("ann")
        hello = start(rig, folder, ann.token, 1)
        hello.write("Hello")
        hello.wait_line(lambda l: l == "me: Hello")
        reply(rig, ann.conv, "Good morning")
        hello.wait_line(lambda l: l == "Ada: Good morning")
        rig.server.freeze()
        hello.write("Are you there?")
        stop(hello)
        rig.server.kill()
        rig.server.start()
        hello = start(rig, folder, ann.token, 2)
        for line in ("me: Hello", "Ada: Good morning", "me: Are you there?"):
            hello.wait_line(lambda l, expected=line: l == expected)
        stop(hello)
        expect_log(rig, ann.token, ann.conv, [("usr", "Hello"), ("agt", "Good morning"), ("usr", "Are you there?")])
        rig.check_logs()


if __name__ == "__main__":
    main(run)
