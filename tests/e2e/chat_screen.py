# SPDX-License-Identifier: Apache-2.0
"""`deskbell chat` on a pseudo terminal, for the rigs of this folder."""
import os
import pty
import re
import subprocess
import threading

import rigs  # noqa: F401  finds tests/support
from harness import Failed, die_with_parent, program


class Terminal:
    """`deskbell chat` in a pseudo terminal; what it draws, without the escapes."""
    ESCAPES = re.compile(rb"\x1b\[[?0-9;]*[@-~]")

    def __init__(self, rig, name, *who):
        self.master, slave = pty.openpty()
        self.seen, self.turn = b"", threading.Condition()
        self.child = subprocess.Popen([program("deskbell"), "chat", "--url", rig.server.url, "--app", rig.app,
                                       "--data", os.path.join(rig.folder, name), *who], stdin=slave,
                                      stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"},
                                      preexec_fn=die_with_parent)
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self.turn:
                self.seen += data
                self.turn.notify_all()

    def wait(self, text, timeout_s=30):
        with self.turn:
            if not self.turn.wait_for(lambda: text.encode() in self.ESCAPES.sub(b"", self.seen), timeout_s):
                raise Failed(f"{text!r} was not seen on the screen")
            self.seen = b""

    def write(self, text):
        os.write(self.master, text.encode() + b"\r")

    def press(self, key):
        os.write(self.master, key.encode())

    def end(self):
        self.write("/quit")
        code = self.child.wait(30)
        os.close(self.master)
        return code
