# SPDX-License-Identifier: Apache-2.0
"""A screen without a monitor, a session bus, and the support window on them: what the window's test and the script that
takes its pictures need. The window is driven as its users can: by keys, and by its actions on the session bus.
"""
import os
import re
import resource
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from harness import Failed, Process, Skip, program, wait_until  # noqa: E402

NAME = "org.deskbell.Support"
VALUE = re.compile(r"'([\w-]+)': <(?:uint32 |int64 )?"
                   r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|true|false|-?[\d.]+(?:e-?\d+)?)>")


def needs(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise Skip(f"not here: {' '.join(missing)}")


class Desktop:
    """Xvfb on a free display and a session bus of its own."""

    def __init__(self, rig, size="1400x1000"):
        needs("Xvfb", "dbus-daemon", "gdbus", "gapplication", "xdotool")
        self.rig = rig
        home = os.path.join(rig.folder, "home")
        os.makedirs(home, mode=0o700)
        self.screen = Process(["Xvfb", "-displayfd", "1", "-screen", "0", size + "x24", "-nolisten", "tcp"],
                              os.path.join(rig.folder, "xvfb.log"))
        _, display = self.screen.wait_line(lambda line: line.strip().isdigit())
        self.bus = Process(["dbus-daemon", "--session", "--nofork", "--print-address",
                            "--address=unix:dir=" + rig.folder],
                           os.path.join(rig.folder, "dbus.log"))
        _, address = self.bus.wait_line(lambda line: line.startswith("unix:"))
        self.env = {"DISPLAY": ":" + display.strip(), "DBUS_SESSION_BUS_ADDRESS": address, "GDK_BACKEND": "x11",
                    "GSK_RENDERER": "cairo", "GDK_DEBUG": "gl-disable",
                    "GTK_A11Y": "none", "GTK_IM_MODULE": "simple",
                    "LC_ALL": "C.UTF-8", "TZ": "UTC",
                    "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home, "XDG_DATA_HOME": home,
                    "XDG_RUNTIME_DIR": home, "GIO_USE_VFS": "local", "GSETTINGS_BACKEND": "memory", "LSAN_OPTIONS": "suppressions=" + os.path.join(
                        os.path.dirname(os.path.abspath(__file__)), "lsan.supp")}
        rig.on_exit += [self.bus.kill, self.end_screen]

    def end_screen(self):
        """In order, so that it removes its socket."""
        if self.screen.is_running:
            self.screen.child.terminate()
        self.screen.wait()

    def run(self, *args, check=True):
        done = subprocess.run(args, env={**os.environ, **self.env}, capture_output=True, text=True, check=False,
                              timeout=60)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(args[:3])} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def picture(self, path):
        self.run("import", "-window", "root", path)


class Window:
    """deskbell-gtk of one customer on one data folder; may be started again and again."""

    def __init__(self, desktop, who, data, *args):
        self.desktop, self.rig, self.who, self.data, self.args = desktop, desktop.rig, who, data, args
        self.runs, self.process = 0, None

    def start(self, port=None):
        self.runs += 1
        log = os.path.join(self.rig.folder, f"window.{self.runs}.log")
        self.rig.logs.append(log)
        port = port or self.rig.server.port
        # A write that may not be is an error to it, as on a full disk, and not its end.
        self.process = Process(["sh", "-c", 'trap "" XFSZ; exec "$0" "$@"', program("deskbell-gtk"), "--url", f"ws://127.0.0.1:{port}/v1/ws", "--app", self.rig.app,
                                "--token", self.who.token, "--data", self.data, *self.args], log, env=self.desktop.env)
        wait_until("the window is on the bus", lambda: not self.process.is_running or "shown" in self.status(), 30)
        if not self.process.is_running:
            with open(log, encoding="utf-8", errors="replace") as f:
                raise Failed("the window did not start: " + f.read()[-2000:])
        self.id = wait_until("the window is on the screen", self.find, 30)
        self.desktop.run("xdotool", "windowfocus", self.id)
        return self

    def find(self):
        rows = self.desktop.run("xdotool", "search", "--onlyvisible", "--pid", str(self.process.child.pid), check=False)
        return rows.split()[0] if rows.split() else None

    def status(self):
        out = self.desktop.run("gdbus", "call", "--session", "--dest", NAME, "--object-path",
                               "/" + NAME.replace(".", "/"), "--method", "org.gtk.Actions.Describe", "status",
                               check=False)
        return {name: self.value(text) for name, text in VALUE.findall(out)}

    @staticmethod
    def value(text):
        if text in ("true", "false"):
            return text == "true"
        if text[0] in "'\"":
            return text[1:-1]
        return float(text) if "." in text or "e" in text else int(text)

    def wait(self, what, timeout_s=60, **wanted):
        """Until the status holds these values; a function as value is asked."""
        def fits():
            status = self.status()
            for name, value in wanted.items():
                seen = status.get(name.replace("_", "-"))
                if not (value(seen) if callable(value) else seen == value):
                    return None
            return status
        try:
            return wait_until(what, fits, timeout_s, every_s=0.1)
        except Failed as e:
            raise Failed(f"{e}; it is {self.status()}") from e

    def fill_disk(self, is_full):
        """From now on nothing that it writes to a file succeeds, or all does again."""
        most = 0 if is_full else resource.RLIM_INFINITY
        resource.prlimit(self.process.child.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def act(self, action, parameter=None):
        self.desktop.run("gapplication", "action", NAME, action, *([parameter] if parameter else []))

    def send(self, text):
        self.act("send-text", quoted(text))

    def type(self, text):
        self.desktop.run("xdotool", "windowfocus", "--sync", self.id)
        self.desktop.run("xdotool", "type", "--delay", "5", text)

    def key(self, *keys):
        self.desktop.run("xdotool", "windowfocus", "--sync", self.id)
        self.desktop.run("xdotool", "key", "--delay", "20", *keys)

    def size(self, width, height):
        self.desktop.run("xdotool", "windowsize", "--sync", self.id, str(width), str(height), check=False)

    def saved(self):
        """What it shows, message by message."""
        import json
        path = os.path.join(self.rig.folder, "saved.jsonl")
        if os.path.exists(path):
            os.unlink(path)
        self.act("save-to", quoted(path))
        wait_until("the conversation is saved", lambda: os.path.exists(path))
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def quit(self):
        self.act("quit")
        code = self.process.wait(30)
        if code != 0:
            raise Failed(f"the window ended with {code}")

    def kill(self):
        self.process.kill()


def quoted(text):
    """As GVariant text."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
