# SPDX-License-Identifier: Apache-2.0
"""What every rig needs: a server, clients made with the SDK, fresh observers, a history, and the verdict.

A rig is a script:
    with Rig("name") as rig:
        rig.start_server()
        ann = rig.customer("ann")
        phone = rig.host("phone", ann)
        rig.send(phone, "hello")
        rig.finish(require="I1,I3")
It ends with exit code 0 (all promises held), 1 (one did not: the folder is kept and named) or 77 (cannot run here).
Environment: DESKBELL_BUILD (folder with deskbell and sdk_host), DESKBELL_SANITIZE, DESKBELL_PATIENCE (factor on all
time limits, default 1), DESKBELL_KEEP=1 (keep the folder).
Every process started here dies with the rig.
"""
import base64
import ctypes
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import checker  # noqa: E402
from wire import Wire, WireClosed, WireError, entry_line, text_hash, user_token  # noqa: E402

SKIPPED = 77
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DESKBELL_BUILD", os.path.join(ROOT, "build", "release"))
SANITIZE = os.environ.get("DESKBELL_SANITIZE", "")


def clock_turns():
    """Whether the build lets DESKBELL_TEST_CLOCK_MS turn the server's clock: not the one that is released."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return "\nCMAKE_BUILD_TYPE:STRING=Release\n" not in cache.read()


# How much longer things may take: under sanitizers, and DESKBELL_PATIENCE times that.
SLOW = {"": 1, "address": 3, "thread": 6}.get(SANITIZE, 1) * float(os.environ.get("DESKBELL_PATIENCE", "1"))
OPEN_LIMITS = {"DESKBELL_RATE_MESSAGES_PER_S": "1000000", "DESKBELL_RATE_BURST": "1000000",
               "DESKBELL_HANDSHAKES_PER_MINUTE": "1000000", "DESKBELL_PENDING_PER_ADDRESS": "2000",
               "DESKBELL_VISITORS_PER_MINUTE": "1000000"}
REPORTS = re.compile(r"ERROR: (Address|Leak|Memory|Undefined\w*)Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"ThreadSanitizer: |\"level\":\s*\"(error|ERROR)\"|\bERROR\b|Assertion .* failed")


class Skip(Exception):
    """The rig cannot run on this machine; the reason is the text."""


class Failed(Exception):
    """A promise was broken, or something did not happen in time."""


def die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)


def program(name):
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise Failed(f"{path} is not there: build it first, or set DESKBELL_BUILD")
    return path


def wait_until(what, condition, timeout_s=30, every_s=0.02):
    """Polls what offers no event. The value of condition() once it is true; Failed after timeout_s."""
    deadline = time.monotonic() + timeout_s * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"after {timeout_s * SLOW} s still not: {what}")
        time.sleep(every_s)


class HistoryFile:
    """Lines a rig writes itself. Any thread."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.file = open(path, "a", encoding="utf-8")

    def say(self, proc, kind, op, t_ns=None, **fields):
        line = {"t_ns": t_ns or time.monotonic_ns(), "proc": proc, "kind": kind, "op": op, **fields}
        with self.lock:
            self.file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self.file.flush()
        return line


class Process:
    """A child whose stdout is read line by line by a thread, and whose stderr is a file."""

    def __init__(self, args, log_path, env=None, stdin=False, rlimit=None):
        def before():
            die_with_parent()
            if rlimit:
                rlimit()
        self.log = open(log_path, "ab")
        self.log_path, self.lines, self.turn, self.ended = log_path, [], threading.Condition(), False
        self.child = subprocess.Popen(args, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(env or {})},
                                      preexec_fn=before, start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for row in self.child.stdout:
            with self.turn:
                self.lines.append(row.decode("utf-8", "replace").rstrip("\n"))
                self.turn.notify_all()
        with self.turn:
            self.ended = True
            self.turn.notify_all()

    def wait_line(self, matches, timeout_s=30, start=0):
        """(index, line) of the first line from `start` on for which matches(line); Failed at the end or in time."""
        at, deadline = start, time.monotonic() + timeout_s * SLOW
        with self.turn:
            while True:
                while at < len(self.lines):
                    if matches(self.lines[at]):
                        return at, self.lines[at]
                    at += 1
                if self.ended or time.monotonic() > deadline:
                    why = "it ended" if self.ended else f"nothing in {timeout_s * SLOW} s"
                    raise Failed(f"{os.path.basename(self.child.args[0])}: the awaited line did not come: {why}")
                self.turn.wait(0.5)

    def write(self, text):
        try:
            self.child.stdin.write((text + "\n").encode())
            self.child.stdin.flush()
        except (BrokenPipeError, ValueError, OSError) as e:
            raise Failed(f"{os.path.basename(self.child.args[0])} does not read: {e}") from e

    @property
    def is_running(self):
        return self.child.poll() is None

    def kill(self):
        if self.is_running:
            self.child.kill()
        self.wait(30)

    def wait(self, timeout_s=30):
        try:
            code = self.child.wait(timeout_s * SLOW)
        except subprocess.TimeoutExpired as e:
            self.child.kill()
            self.child.wait()
            raise Failed(f"{os.path.basename(self.child.args[0])} did not end in {timeout_s * SLOW} s") from e
        self.reader.join(10)
        if self.child.stdin:
            try:
                self.child.stdin.close()
            except OSError:
                pass
        self.child.stdout.close()
        self.log.close()
        return code


def run_program(*args, env=None, timeout_s=60, check=True):
    try:
        done = subprocess.run([program(args[0]), *args[1:]], capture_output=True, text=True, check=False,
                              timeout=timeout_s * SLOW, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as e:
        raise Failed(f"{' '.join(args[:2])} did not end in {timeout_s * SLOW} s: {e.stdout}") from e
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(args[:3])} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done


class Server:
    """`deskbell serve` on one data folder; keeps its port over restarts."""

    def __init__(self, rig, data, env=None, rlimit=None, wrap=None):
        self.rig, self.data, self.port, self.runs, self.process = rig, data, 0, 0, None
        self.env, self.rlimit, self.wrap = {**OPEN_LIMITS, **(env or {})}, rlimit, wrap or []
        self.logs = []

    def init(self):
        return json.loads(run_program("deskbell", "init", "--data", self.data, "--json", env=self.env).stdout)

    def start(self, timeout_s=30):
        self.runs += 1
        log = os.path.join(self.rig.folder, f"server.{self.runs}.log")
        self.logs.append(log)
        args = [*self.wrap, program("deskbell"), "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        self.process = Process(args, log, env=self.env, rlimit=self.rlimit)
        try:
            _, line = self.process.wait_line(lambda l: l.startswith("listening on "), timeout_s)
        except Failed as e:
            raise Failed(f"the server did not start: {e}\n{tail(log)}") from e
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def kill(self):
        self.process.kill()

    def freeze(self):
        """SIGSTOP, and not one instruction of it runs any more: every thread is stopped, or inside the kernel."""
        self.process.child.send_signal(signal.SIGSTOP)
        tasks = f"/proc/{self.process.child.pid}/task"

        def stands():
            for task in os.listdir(tasks):
                with open(os.path.join(tasks, task, "stat"), encoding="ascii", errors="replace") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] not in "TtD":
                        return False
            return True
        wait_until("the server stands still", stands, 5, every_s=0.001)

    def stop(self, timeout_s=30):
        """SIGTERM; the exit code."""
        if self.process.is_running:
            self.process.child.terminate()
        return self.process.wait(timeout_s)

    def wait_exit(self, timeout_s=30):
        return self.process.wait(timeout_s)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/v1/ws"


class SdkHost:
    """A client made with the SDK, in its own process and data folder, that does what it is told line by line. `key` and
    `conv` may name several conversations: "A,B,C"."""
    env = None

    def __init__(self, rig, proc, who, conv=None, key=None, port=None):
        self.rig, self.proc, self.who, self.conv, self.key, self.port = rig, proc, who, conv, key, port
        self.data = os.path.join(rig.folder, "devices", proc)
        self.runs, self.process, self.histories = 0, None, []

    def program(self):
        """The command that is it."""
        return [program("sdk_host")]

    def start(self):
        self.runs += 1
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        history = os.path.join(self.rig.folder, "histories", f"{self.proc}.{self.runs}.jsonl")
        self.histories.append(history)
        port = self.port or self.rig.server.port
        args = [*self.program(), "--url", f"ws://127.0.0.1:{port}/v1/ws", "--app", self.rig.app, "--data", self.data,
                "--history", history, "--proc", self.proc]
        args += {"customer": ["--token", self.who.token], "agent": ["--agent-token", self.who.token],
                 "visitor": ["--visitor"]}[self.who.role]
        if self.conv:
            args += ["--conv", self.conv]
        elif self.key:
            args += ["--conv-key", self.key]
        self.rig.say(self.proc, "info", "start")
        log = os.path.join(self.rig.folder, f"{self.proc}.{self.runs}.log")
        self.rig.logs.append(log)
        self.process = Process(args, log, env=self.env, stdin=True)
        return self

    def command(self, text):
        self.process.write(text)

    def read_lines(self):
        """All lines of this run so far, as JSON."""
        with self.process.turn:
            rows = list(self.process.lines)
        return [json.loads(r) for r in rows if r.startswith("{")]

    def wait(self, matches, timeout_s=30, start=0):
        """(index, line) of the first JSON line for which matches(line)."""
        def fits(row):
            return row.startswith("{") and matches(json.loads(row))
        try:
            at, row = self.process.wait_line(fits, timeout_s, start)
        except Failed as e:
            raise Failed(f"{self.proc}: {e}") from e
        return at, json.loads(row)

    @property
    def follows(self):
        """The ids of its conversations; those of a customer were made in the order of their keys."""
        return self.conv.split(",") if self.conv else self.who.convs[:1 + (self.key or "").count(",")]

    def wait_connected(self, timeout_s=30):
        return self.wait(lambda l: l["op"] == "connect" and l.get("up") is not False, timeout_s)

    def mark_position(self):
        with self.process.turn:
            return len(self.process.lines)

    def quiesce(self, timeout_s=60):
        at = self.mark_position()
        self.command("quiesce")
        self.wait(lambda l: l["op"] == "quiet", timeout_s, at)
        self.rig.say(self.proc, "info", "quiet", outbox=0)

    def wait_given(self, conv, n, log="public", timeout_s=40):
        """Until the app of this device has been given number n of that log (in this run, or before it)."""
        name = "iseq" if log == "team" else "seq"

        def fits(line):
            if line["op"] not in ("deliver", "snapshot") or line.get("conv") != conv:
                return False
            return (line.get(name) or 0) >= n
        return self.wait(fits, timeout_s)

    def kill(self):
        self.process.kill()
        self.rig.say("rig", "info", "crash", who=self.proc)

    def quit(self):
        if self.process and self.process.is_running:
            self.command("quit")
            code = self.process.wait(30)
            if code != 0:
                raise Failed(f"{self.proc} ended with {code}\n{tail(self.process.log_path)}")


class PythonHost(SdkHost):
    """The same, made with the Python binding: customers only, and not in a build for a sanitizer."""
    env = {"PYTHONPATH": os.path.join(ROOT, "client-sdk", "bindings", "python"), "PYTHONDONTWRITEBYTECODE": "1",
           "DESKBELL_LIBRARY": os.path.join(BUILD, "client-sdk", "libdeskbell.so.0")}

    def program(self):
        return [sys.executable, os.path.join(ROOT, "tests", "support", "sdk_host.py")]


class Person:
    def __init__(self, role, principal, token, conv=None):
        self.role, self.principal, self.token, self.conv = role, principal, token, conv
        self.convs = [conv] if conv else []  # all that are his


def tail(path, lines=25):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError:
        return ""


class Rig:
    def __init__(self, name, seed=None):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix=f"deskbell-{name}-")
        os.chmod(self.folder, 0o711)  # as root the server drops to another user, who has to get to its folder
        os.makedirs(os.path.join(self.folder, "histories"))
        self.history = HistoryFile(os.path.join(self.folder, "histories", "rig.jsonl"))
        self.say, self.logs, self.hosts, self.servers = self.history.say, [], {}, []
        self.expected = []          # regular expressions of log lines at ERROR that this rig provokes
        self.server, self.app, self.people, self.on_exit = None, None, [], []
        self.seed = seed if seed is not None else int.from_bytes(os.urandom(4), "big")
        self.random = random.Random(self.seed)
        self.sent, self.failed, self.has_verdict = 0, False, False

    def __enter__(self):
        print(f"{self.name}: seed {self.seed}, folder {self.folder}", flush=True)
        return self

    def __exit__(self, kind, value, _):
        self.failed = kind is not None and kind is not Skip
        if self.failed and self.server and not self.has_verdict:
            self.autopsy()
        for host in self.hosts.values():
            if host.process and host.process.is_running:
                host.process.kill()
        for server in self.servers:
            if server.process and server.process.is_running:
                server.process.kill()
        for step in reversed(self.on_exit):
            step()
        if self.failed:
            for server in self.servers[-1:]:
                for log in server.logs[-1:]:
                    print(f"--- end of {log}\n{tail(log)}", file=sys.stderr)
        if self.failed or os.environ.get("DESKBELL_KEEP"):
            print(f"{self.name}: kept {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- server and people

    def start_server(self, data=None, env=None, rlimit=None, wrap=None):
        self.server = Server(self, data or os.path.join(self.folder, "data"), env, rlimit, wrap)
        self.servers.append(self.server)
        self.made = self.server.init()
        self.app = self.made["app"]
        self.secret = base64.b64decode(self.made["signing_key"])
        return self.server.start()

    def user_token(self, user, **more):
        return user_token(self.secret, self.made["kid"], self.app, user, **more)

    def customer(self, user, key="main"):
        """A named customer, known to the server, with his conversation of that key."""
        token = self.user_token(user, lifetime_s=20 * 3600)
        with Wire(self.server.port) as wire:
            principal = wire.open_session(token)["principal"]
            conv = wire.call("conversation.open", {"key": key})["row"]["conv"]
        self.say("rig", "info", "member", who=principal, conv=conv)
        return self._person("customer", principal, token, conv)

    def agent(self, name):
        """A new agent with a session; the command speaks to the running server."""
        made = json.loads(run_program("deskbell", "agent", "add", "--data", self.server.data, "--name", name,
                                      "--session", "--json").stdout)
        return self._person("agent", made["agent"], made["token"])

    def _person(self, role, principal, token, conv=None):
        person = Person(role, principal, token, conv)
        self.people.append(person)
        return person

    def more_conversation(self, who, key):
        """Another conversation of a customer; its id."""
        with Wire(self.server.port) as wire:
            wire.open_session(who.token)
            conv = wire.call("conversation.open", {"key": key})["row"]["conv"]
        self.say("rig", "info", "member", who=who.principal, conv=conv)
        who.convs.append(conv)
        return conv

    def host(self, proc, who, conv=None, key=None, port=None, kind=SdkHost):
        """Starts an SDK client of that person. Customers use the key they have, agents name the conversation."""
        self.say(proc, "info", "role", principal=who.principal, role=who.role)
        host = kind(self, proc, who, conv, key or ("main" if who.role != "agent" else None), port)
        self.hosts[proc] = host
        return host.start()

    def send(self, host, text, note=False):
        """Tells the client to send; the wish is in the history even when the client dies before it notes it."""
        self.say("rig", "invoke", "intent", who=host.proc, hash=text_hash(text), log="team" if note else "public")
        host.command(("note " if note else "send ") + text)
        self.sent += 1

    # ---- the end

    def heal(self):
        self.say("rig", "info", "heal")

    def settle(self, hosts=None, timeout_s=60):
        """All clients quiet, and each given everything there is."""
        hosts = [h for h in (hosts or self.hosts.values()) if h.process and h.process.is_running]
        for host in hosts:
            host.quiesce(timeout_s)
        heads = self.heads()
        for host in hosts:
            for conv in host.follows:
                if heads.get(conv):
                    host.wait_given(conv, heads[conv])

    def heads(self):
        heads = {}
        for person in self.people:
            if person.role != "customer":
                continue
            with Wire(self.server.port) as wire:
                wire.open_session(person.token)
                heads.update({r["conv"]: r.get("head", 0) for r in wire.read_feed()})
        return heads

    def final_reads(self):
        """One fresh observer per person reads everything there is for him."""
        convs = {conv for p in self.people for conv in p.convs}
        for number, person in enumerate(self.people):
            proc = f"fresh-{number}-{person.role}"
            self.say(proc, "info", "role", principal=person.principal, role=person.role)
            with Wire(self.server.port) as wire:
                session = wire.open_session(person.token)
                self.say(proc, "info", "connect", epoch=session["epoch"], rev=session["rev"])
                rows = self.read_feed(wire, proc)
                mine = set(person.convs)
                for conv in sorted(rows.keys() | mine if person.role == "customer" else convs):
                    logs = ("public", "team") if person.role == "agent" else ("public",)
                    for log in logs:
                        self.read_final(wire, proc, session["epoch"], conv, log, rows.get(conv, {}), person.role)

    def read_feed(self, wire, proc, rev=0, since_ns=0, limit=200):
        """conv -> row of all that changed since rev, which was the store's at since_ns."""
        began = time.monotonic_ns()
        rows = {r["conv"]: r for r in wire.read_feed(rev, limit)}
        self.say(proc, "info", "feed", since_ns=since_ns, began_ns=began,
                 rows=[{"conv": c, "head": r.get("head", 0)} for c, r in rows.items()])
        return rows

    def read_final(self, wire, proc, epoch, conv, log, row, role):
        began = time.monotonic_ns()
        try:
            entries, head = wire.read_log(conv, log)
        except WireError as e:
            if e.tag != "not_found":
                raise
            entries, head = [], 0  # a conversation that was there: the checker says what is missing
        line = {"conv": conv, "epoch": epoch, "began_ns": began, "head": head, "fresh": True,
                "entries": [entry_line(e, "kind") for e in entries]}
        if log == "team":
            line["log"] = "team"
        elif role == "customer" and "unread" in row and row.get("head") == head:
            line["unread"] = row["unread"]
            line["read"] = (row.get("marks") or {}).get("customer_read", 0)
        return self.say(proc, "info", "final", **line)

    def self_check(self):
        """`deskbell check --deep` on the stopped store."""
        done = run_program("deskbell", "check", "--deep", "--data", self.server.data, check=False, timeout_s=120)
        findings = [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()[-20:] or ["?"]
        self.say("rig", "ok" if done.returncode == 0 else "fail", "selfcheck", findings=findings)

    def finish(self, require="", settle=True, allow_exit=(0,)):
        """Heal, settle, read all again, stop everything in order, look at the logs, ask the checker. Raises Failed."""
        self.heal()
        if settle:
            self.settle()
        return self.finish_settled(require, allow_exit)

    def finish_settled(self, require="", allow_exit=(0,)):
        """The same for a rig that has healed and settled already."""
        self.final_reads()
        for host in self.hosts.values():
            host.quit()
        code = self.server.stop()
        if code not in allow_exit:
            raise Failed(f"the server ended with {code}")
        self.self_check()
        self.check_logs()
        return self.verdict(require)

    def check_logs(self):
        for log in self.logs + [l for s in self.servers for l in s.logs]:
            with open(log, encoding="utf-8", errors="replace") as f:
                for row in f:
                    if REPORTS.search(row) and not any(re.search(e, row) for e in self.expected):
                        raise Failed(f"{log}: {row.strip()[:300]}")

    def autopsy(self):
        """Something did not happen in time: what is in the histories may tell why."""
        for step in (self.final_reads, self.server.kill, self.self_check, self.verdict):
            try:
                step()
            except (Failed, WireClosed, WireError, OSError, AttributeError, ValueError, checker.BadHistory) as e:
                print(f"{self.name}: after the failure: {e}")

    def verdict(self, require=""):
        self.has_verdict = True
        self.history.file.flush()
        folder = os.path.join(self.folder, "histories")
        report, count = checker.check_files([os.path.join(folder, f) for f in sorted(os.listdir(folder))])
        for invariant in checker.INVARIANTS:
            for text in [t for i, t in report.violations if i == invariant][:5]:
                print(text)
        print(f"{self.name}: {checker.summary(report, count)}", flush=True)
        if report.violations:
            raise Failed(f"{len(report.violations)} violations")
        missing = [i for i in require.split(",") if i and i not in report.exercised]
        if missing:
            raise Failed(f"not exercised: {' '.join(missing)}")
        return report


def connected(port, timeout_s=10):
    """Whether something on that port upgrades to our protocol."""
    try:
        Wire(port, timeout_s=timeout_s).close()
        return True
    except (OSError, WireClosed, TimeoutError):
        return False


def main(rig_main):
    """Runs a rig's main function and turns what it raises into an exit code and a sentence."""
    try:
        rig_main()
    except Skip as e:
        print(f"skipped: {e}")
        sys.exit(SKIPPED)
    except Failed as e:
        print(f"FAILED: {e}")
        sys.exit(1)
    sys.exit(0)
