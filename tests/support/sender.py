# SPDX-License-Identifier: Apache-2.0
"""A raw client that never gives up: keeps a window of unanswered sends, reconnects at once, resends in order under the
same cmids before anything new, and writes everything into the rig's history. Shares no code with the SDK, so that a
server's fault is not hidden by it. One thread each; `stop()` ends when everything is answered.
"""
import os
import threading
import time
from collections import deque

from harness import SLOW, Failed
from wire import Wire, WireClosed, WireError, entry_line, new_cmid, text_hash


class Sender:
    def __init__(self, rig, proc, who, conv=None, window=8, every_s=0.0, port=None, size=60):
        self.rig, self.proc, self.who, self.conv = rig, proc, who, conv or who.conv
        self.window, self.every_s, self.port, self.size = window, every_s, port, size
        self.device, self.waiting, self.acked, self.count = os.urandom(16).hex(), deque(), 0, 0
        self.stopping, self.turn, self.error = False, threading.Condition(), None
        rig.say(proc, "info", "role", principal=who.principal, role=who.role, device=proc)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def wait_acked(self, count, timeout_s=30):
        """Until `count` messages were acked since the start."""
        with self.turn:
            if not self.turn.wait_for(lambda: self.acked >= count or self.error, timeout_s * SLOW) or self.error:
                raise Failed(f"{self.proc}: {self.acked} acks, awaited {count}: {self.error}")

    def stop(self, timeout_s=60):
        self.stopping = True
        self.thread.join(timeout_s * SLOW)
        if self.thread.is_alive() or self.error:
            raise Failed(f"{self.proc}: {len(self.waiting)} sends without an answer: {self.error}")
        self.rig.say(self.proc, "info", "quiet", outbox=0)

    def _run(self):
        try:
            while not (self.stopping and not self.waiting):
                try:
                    self._session()
                except (WireClosed, OSError, TimeoutError):
                    self.rig.say(self.proc, "info", "disconnect")
                    time.sleep(0.01)
        except Exception as e:  # told to the rig by wait_acked and stop
            with self.turn:
                self.error = e
                self.turn.notify_all()

    def _session(self):
        with Wire(self.port or self.rig.server.port, timeout_s=10 * SLOW) as wire:
            session = wire.open_session(self.who.token, device=self.device)
            self.rig.say(self.proc, "info", "connect", epoch=session["epoch"], rev=session["rev"])
            asked = deque()
            for message in self.waiting:
                asked.append(self._ask(wire, message, asked))
            while not (self.stopping and not self.waiting):
                while len(asked) < self.window and not self.stopping:
                    asked.append(self._ask(wire, self._write(), asked))
                    if self.every_s:
                        break
                self._take_answer(wire, asked, session["epoch"])
                if self.every_s:
                    time.sleep(self.every_s)

    def _write(self):
        self.count += 1
        text = f"{self.proc} {self.count} ".ljust(self.size, ".")
        message = {"cmid": new_cmid(), "text": text}
        self.rig.say(self.proc, "invoke", "send", cmid=message["cmid"], conv=self.conv, hash=text_hash(text))
        self.waiting.append(message)
        self.rig.sent += 1
        return message

    def _ask(self, wire, message, asked):
        params = {"cmid": message["cmid"], "conv": self.conv, "kind": "text", "text": message["text"]}
        if asked:
            params["after"] = asked[-1][1]["cmid"]
        return wire.post("message.send", params), message

    def _take_answer(self, wire, asked, epoch):
        if not asked:
            return
        number, message = asked.popleft()
        try:
            result = wire.answer(number)
        except WireError as e:
            if e.error_class != "retry":
                raise Failed(f"refused: {e}") from e
            self._again(wire, asked, e.retry_after_ms or 20)
            return
        self.waiting.remove(message)
        self.rig.say(self.proc, "ok", "send", cmid=message["cmid"], conv=self.conv, seq=result["seq"],
                     ts=result["ts"], epoch=epoch, **({"dup": True} if result.get("dup") else {}))
        with self.turn:
            self.acked += 1
            self.turn.notify_all()

    def _again(self, wire, asked, pause_ms):
        """The first one was put off: those behind it were too. Answers are read, then all are sent again in order."""
        for number, _ in asked:
            try:
                wire.answer(number)
                raise Failed("a message was accepted although the one before it was put off")
            except WireError as e:
                if e.error_class != "retry":
                    raise Failed(f"refused: {e}") from e
        time.sleep(min(pause_ms, 5000) / 1000)
        asked.clear()
        for message in self.waiting:
            asked.append(self._ask(wire, message, asked))


class Watcher:
    """A raw staff or customer client that only listens; every entry goes into the history as it came. Either call pump,
    or start and stop, which listen in a thread."""

    def __init__(self, rig, proc, who, conv):
        self.rig, self.proc, self.conv = rig, proc, conv
        rig.say(proc, "info", "role", principal=who.principal, role=who.role, device=proc)
        self.wire = Wire(rig.server.port)
        session = self.wire.open_session(who.token)
        rig.say(proc, "info", "connect", epoch=session["epoch"], rev=session["rev"])
        self.closed = None
        if who.role == "agent":
            self.wire.call("conversation.watch", {"conv": conv})

    def start(self):
        self.stopping = False
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        self.thread.join(10 * SLOW)
        self.wire.close()

    def _listen(self):
        while not self.stopping and self.pump(0.1):
            pass

    def pump(self, timeout_s):
        """Notes what comes until `timeout_s` of silence, or the end."""
        try:
            while True:
                message = self.wire.read_message(timeout_s)
                if message.get("method") == "entry":
                    self.rig.say(self.proc, "info", "deliver", conv=message["params"]["conv"],
                                 **entry_line(message["params"], "entry"))
                elif message.get("method") == "heartbeat":
                    self.wire.notify("session.alive", {})
        except TimeoutError:
            return True
        except (WireClosed, OSError) as e:
            self.closed = getattr(e, "code", 1006)
            self.rig.say(self.proc, "info", "disconnect")
            return False
