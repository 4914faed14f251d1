# SPDX-License-Identifier: Apache-2.0
"""What the rigs of bots share: a bot of an app, customers who write to it, and a team that sees who answers."""
import json
import os
import subprocess
import threading

import rigs  # noqa: F401
from harness import SLOW, Failed, Rig, run_program, wait_until
from wire import Wire, new_cmid


# Opening a session is no matter here: under a sanitizer on a busy machine it may take its time.
PATIENT = {"DESKBELL_AUTH_MS": str(min(60000, int(5000 * SLOW)))}


def check(what, holds):
    if not holds:
        raise Failed(what)


def say(text, **more):
    return {"does": "message", "kind": "text", "content": {"text": text}, **more}


def turn(*actions, **more):
    """The body of a webhook's answer."""
    return 200, json.dumps({"actions": list(actions), **more}).encode()


def make_cert(rig, name):
    """[certificate, key] of 127.0.0.1."""
    paths = [os.path.join(rig.folder, f"{name}.{end}") for end in ("pem", "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bot",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    os.chmod(paths[0], 0o644)
    return paths


class BotRig(Rig):
    """A server whose app has a bot, with a team that watches the feed."""

    def open(self, env=None, *args):
        self.start_server(env={"DESKBELL_WEBHOOK_ALLOW": "127.0.0.1", **PATIENT, **(env or {})})
        self.made_bot = json.loads(self.bot("add", "--name", "Helper", *args).stdout)
        self.agent_of = self.agent("Kim")
        self.connect_team()
        self.writers = {}

    def connect_team(self):
        self.team = Wire(self.server.port)
        self.team.open_session(self.agent_of.token)

    def bot(self, command, *args):
        return run_program("deskbell", "bot", command, "--data", self.server.data, *args, "--json")

    def key_of(self, name):
        return run_program("deskbell", "key", "add", "--data", self.server.data, "--app", self.app, "--bot", name, "--json")

    def bot_key(self):
        return json.loads(self.key_of("Helper").stdout)

    def metric(self, name):
        """A figure of /metrics."""
        import urllib.request  # pylint: disable=import-outside-toplevel
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/metrics", timeout=10) as answer:
            rows = answer.read().decode().splitlines()
        return int(float(next(r for r in rows if r.startswith(name + " ")).split()[1]))

    def writer(self, name):
        """A customer with a connection of his own, kept."""
        if name not in self.writers:
            self.writers[name] = Writer(self, name)
        return self.writers[name]


class Writer:
    def __init__(self, rig, name):
        self.rig, self.person = rig, rig.customer(name)
        self.conv, self.last = self.person.conv, 0
        self.connect()

    def connect(self):
        self.wire = Wire(self.rig.server.port)
        self.wire.open_session(self.person.token)

    def write(self, text, **more):
        """Its seq."""
        self.last = self.wire.call("message.send", {"cmid": new_cmid(), "conv": self.conv, "kind": "text", "text": text,
                                                    **more})["seq"]
        return self.last

    def log(self):
        return self.wire.read_log(self.conv)[0]

    def texts(self):
        """What was said, by whom: [("usr", "Hello"), ("bot", "Hi")]."""
        return [(e["author"][:3], e.get("text")) for e in self.log()]

    def hears(self, text, timeout_s=10):
        """The entry of the bot with that text, behind what was written last."""
        def fits(event):
            entry = event["params"]
            return (event["method"] == "entry" and entry["conv"] == self.conv and entry.get("seq", 0) > self.last and
                    entry["author"].startswith("bot") and entry.get("text") == text)
        try:
            return self.wire.wait_event(fits, timeout_s * SLOW)["params"]
        except TimeoutError as e:
            raise Failed(f"the bot did not say {text!r}: {self.texts()}") from e

    def row(self):
        return next(r for r in self.rig.team.read_feed() if r["conv"] == self.conv)

    def goes_to_people(self, timeout_s=10):
        """Waits for it; the hand-off that the team reads."""
        wait_until("people have the conversation", lambda: self.row().get("owner") == "people", timeout_s)
        entries, _ = self.rig.team.read_log(self.conv, "team")
        return [e["handoff"] for e in entries if e["kind"] == "handoff"]

    def person_speaks(self, text):
        self.rig.team.call("message.send", {"cmid": new_cmid(), "conv": self.conv, "kind": "text", "text": text})


class Gate:
    """A reply that waits until it is let go."""

    def __init__(self, *said):
        self.said, self.open, self.ids = list(said), threading.Event(), []

    def __call__(self, request):
        self.ids.append(request.id)
        self.open.wait(30 * SLOW)
        return self.said[0] if len(self.said) == 1 else self.said.pop(0)
