# SPDX-License-Identifier: Apache-2.0
"""Finds the Python package in the tree and the library in the build folder; what the tests of the package share."""
import os
import shutil
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "client-sdk", "bindings", "python"))

import deskbell  # noqa: E402

LIMIT_S = float(os.environ.get("LIMIT_S", 60))


class Told:
    """All that a client was told; wait() sleeps until it is so."""

    def __init__(self):
        self.turn = threading.Condition()
        self.entries, self.messages, self.infos, self.notices, self.typings = [], [], [], [], []
        self.lines, self.opened, self.presences, self.progresses = [], [], [], []
        self.state, self.unread, self.tokens, self.calls = None, -1, 0, 0

    def listen(self):
        """The options with all callbacks."""
        def add(name):
            def note(value):
                with self.turn:
                    getattr(self, name).append(value)
                    self.turn.notify_all()
            return note

        def put(name):
            def note(value):
                with self.turn:
                    setattr(self, name, value)
                    self.turn.notify_all()
            return note
        return {"on_state": put("state"), "on_entry": add("entries"), "on_message": add("messages"),
                "on_conversation": add("infos"), "on_opened": add("opened"), "on_typing": add("typings"),
                "on_unread": put("unread"), "on_notice": add("notices"), "on_presence": add("presences"),
                "on_progress": add("progresses"), "on_log": lambda level, line: add("lines")(line)}

    def note(self, change):
        with self.turn:
            change()
            self.turn.notify_all()

    def wait(self, what, is_so):
        with self.turn:
            if not self.turn.wait_for(is_so, LIMIT_S):
                raise AssertionError(f"after {LIMIT_S} s still not: {what}")

    def count(self, state):
        return sum(m.state == state for m in self.messages)

    def find(self, text):
        return next((e for e in self.entries if e.text == text), None)

    def wait_entry(self, text):
        self.wait(f"the entry {text!r}", lambda: self.find(text))
        return self.find(text)

    @property
    def is_online(self):
        return self.state is not None and self.state.connection == deskbell.Connection.ONLINE


class Folder:
    """An empty folder that goes with the block."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="deskbell-python-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def refused(code, call, *arguments, **more):
    """The call must raise that error."""
    try:
        call(*arguments, **more)
    except deskbell.Error as e:
        assert e.code == code, f"{e.code!r}, awaited {code!r}"
        return
    raise AssertionError(f"nothing was raised, awaited {code!r}")


def run_tests(tests, only=None):
    """Runs all, or the one of that name; the exit code."""
    import traceback
    failed = 0
    for test in tests:
        if only and test.__name__ != only:
            continue
        try:
            test()
            print(f"ok   {test.__name__}", flush=True)
        except Exception as e:
            failed += 1
            print(f"FAIL {test.__name__}: {e}", flush=True)
            traceback.print_exc()
    return 1 if failed else 0
