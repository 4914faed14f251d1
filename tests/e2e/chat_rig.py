# SPDX-License-Identifier: Apache-2.0
"""`deskbell chat` in pipes, for the rigs of this folder."""
import os

import rigs  # noqa: F401  finds tests/support
from harness import Process, program


def chat(rig, name, *who):
    log = os.path.join(rig.folder, f"chat.{name}.log")
    rig.logs.append(log)
    return Process([program("deskbell"), "chat", "--url", rig.server.url, "--app", rig.app, "--data",
                    os.path.join(rig.folder, f"chat-{name}"), "--plain", *who], log, stdin=True)


def end_input(process):
    process.child.stdin.close()
    return process.wait(60)
