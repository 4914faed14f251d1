# SPDX-License-Identifier: Apache-2.0
"""A server inside the process, behind the SDK's own transport: it knows one customer with one conversation, keeps the
log, answers what it is given a word for, and `unknown_method` to everything else. Older and newer servers are this one
with fewer or more words."""
import json
import os
import queue
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "bindings"))
from python_path import Told, refused, run_tests  # noqa: E402

import deskbell  # noqa: E402

APP, USER, AGENT = "app_0000000000009", "usr_0000000000001", "agt_0000000000002"
CONV, EPOCH = "cnv_0000000000003", "00000000000000e1"
TS = 1700000000000


class Refusal(Exception):
    def __init__(self, tag, kind="permanent", retry_after_ms=None, code=99):
        super().__init__(tag)
        data = {"tag": tag, "class": kind}
        if retry_after_ms is not None:
            data["retry_after_ms"] = retry_after_ms
        self.body = {"code": code, "message": tag.replace("_", " "), "data": data}


class Unanswered(Exception):
    """Nothing is said."""


class Server(deskbell.Transport):
    """`heard`: all (method, params) in order. Everything is said by one thread of its own."""

    def __init__(self, name_of_thread="server"):
        self.link, self.rev, self.log, self.places = None, 7, [], {}
        self.heard, self.turn, self.work = [], threading.Condition(), queue.Queue()
        self.thread = threading.Thread(target=self._run, daemon=True, name=name_of_thread)
        self.thread.start()

    # ---- the transport

    def open(self, url, subprotocol, max_message_bytes, link):
        self.work.put(lambda: self._opened(link))
        return True

    def send(self, link, message):
        self.work.put(lambda: self._heard(link, json.loads(message)))

    def close(self, link, code):
        self.work.put(lambda: self._closed(link, 1000))

    def stop(self):
        self.work.put(None)
        self.thread.join(10)

    def http(self, _request, exchange):
        self.work.put(lambda: exchange.done(0))
        return True

    def _run(self):
        for work in iter(self.work.get, None):
            work()
        if self.link:
            self.link.closed(1006)

    def _opened(self, link):
        self.link = link
        link.opened()

    def _closed(self, link, code):
        if link and link == self.link:
            self.link = None
            link.closed(code)

    def _heard(self, link, message):
        if link != self.link:
            return
        method, params = message["method"], message.get("params", {})
        with self.turn:
            self.heard.append((method, params))
            self.turn.notify_all()
        if "id" not in message:
            return
        handler = getattr(self, "do_" + method.replace(".", "_"), None)
        try:
            if not handler:
                raise Refusal("unknown_method", code=-32601)
            self.say({"jsonrpc": "2.0", "id": message["id"], "result": self.result(method, handler(params))})
        except Refusal as refusal:
            self.say({"jsonrpc": "2.0", "id": message["id"], "error": refusal.body})
        except Unanswered:
            pass

    def result(self, _method, result):
        return result

    # ---- what it says

    def say(self, message):
        if self.link:
            self.link.text(json.dumps(message).encode())

    def tell(self, method, params):
        """A notification, from any thread."""
        self.work.put(lambda: self.say({"jsonrpc": "2.0", "method": method, "params": params}))

    def hang_up(self, code):
        self.work.put(lambda: self._closed(self.link, code))

    def write(self, author, **content):
        """A new entry in the log, which everybody is told. From any thread."""
        self.work.put(lambda: self._append(author, None, content))

    def _append(self, author, cmid, content):
        entry = {"conv": CONV, "seq": len(self.log) + 1, "ts": TS + len(self.log), "author": author, **content}
        if cmid:
            entry["cmid"] = cmid
        self.log.append(entry)
        self.rev += 1
        self.say({"jsonrpc": "2.0", "method": "entry", "params": entry})
        return {"seq": entry["seq"], "ts": entry["ts"]}

    def wait(self, what, is_so, timeout_s=20):
        with self.turn:
            if not self.turn.wait_for(lambda: is_so(self.heard), timeout_s):
                raise AssertionError(f"after {timeout_s} s still not: {what}; heard {[m for m, _ in self.heard][-12:]}")

    def count(self, method):
        with self.turn:
            return sum(m == method for m, _ in self.heard)

    def said(self, method):
        with self.turn:
            return [p for m, p in self.heard if m == method]

    # ---- the words every server knows

    def row(self):
        marks = {"customer_recv": 0, "customer_read": 0, "staff_recv": 0, "staff_read": 0}
        return {"conv": CONV, "rev": self.rev, "key": "main", "app": APP, "head": len(self.log), "marks": marks,
                "unread": sum(e["author"] != USER for e in self.log)}

    def do_session_open(self, _params):
        return {"principal": USER, "epoch": EPOCH, "rev": self.rev, "now": TS, "protocol": 1, "features": [],
                "limits": {"in_flight": 16, "frame_bytes": 65536, "key_window_days": 90, "retry_days": 30,
                           "heartbeat_ms": 25000, "dead_ms": 35000}}

    def do_feed_read(self, params):
        rows = [self.row()] if params["rev"] < self.rev else []
        return {"rows": rows, "rev": self.rev}

    def do_conversation_open(self, _params):
        return {"row": self.row()}

    def do_entries_read(self, params):
        after, limit = params.get("after"), params.get("limit", 50)
        rows = [e for e in self.log if after is None or e["seq"] > after]
        page = rows[-limit:] if after is None else rows[:limit]
        more = {"more": True} if len(page) < len(rows) else {}
        return {"entries": page, "head": len(self.log), **more}

    def keyed(self, params, content):
        """Stored once under its cmid."""
        known = self.places.get(params["cmid"])
        if known:
            return {**known, "dup": True}
        self.places[params["cmid"]] = self._append(USER, params["cmid"], content)
        return self.places[params["cmid"]]

    def do_message_send(self, params):
        content = {k: v for k, v in params.items() if k not in ("cmid", "conv", "key", "after", "log")}
        return {**self.keyed(params, content), "conv": CONV}

    def do_message_edit(self, params):
        return self.keyed(params, {"kind": "edit", "of": params["of"], "text": params["text"],
                                   "version": params["version"] + 1})

    def do_message_erase(self, params):
        return self.keyed(params, {"kind": "erase", "of": params["of"]})


def client(server, told, folder=None, **more):
    """Its wall clock stands at the server's time, so that nothing in its file grows old."""
    return deskbell.Client(url="ws://127.0.0.1:9", app=APP, token="token", user="u-1", data_dir=folder,
                           transport=server, wall_ms=lambda: TS, **told.listen(), **more)


def file_of(folder):
    """The one file of the one user below a data_dir."""
    return os.path.join(folder, next(name for name in sorted(os.listdir(folder)) if name.endswith(".deskbell")))


__all__ = ["AGENT", "APP", "CONV", "EPOCH", "HERE", "Refusal", "Server", "TS", "Told", "USER", "Unanswered", "client",
           "deskbell", "file_of", "refused", "run_tests"]
