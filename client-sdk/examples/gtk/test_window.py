#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The support window on a screen of its own, against the real server and an agent: what is typed arrives once and in
order, also when the server is away, the window is killed or an input method is composing; what the agent writes is shown
as it is, whatever it is; at the end both sides have the same messages.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desktop import Desktop, Window, quoted  # noqa: E402
from harness import BUILD, SANITIZE, Failed, Rig, Skip, main, wait_until  # noqa: E402
from wire import Wire, content_hash, new_cmid, text_hash  # noqa: E402

COMPLAINTS = re.compile(r"(Gtk|GLib|GLib-GObject|Pango|Gdk)-(WARNING|CRITICAL)")
PERMITTED = re.compile(r"AT-SPI|cannot register|Vulkan|GL ", re.IGNORECASE)
HOSTILE = ["<b>not bold</b> & <span font='90'>not big</span>", "</span></markup>", "[press me](javascript:alert(1))",
           "**open *and `never closed", "\u202ereversed\u202c and \u2066isolated", "a" * 3000, "한국어 中文 日本語 مرحبا 👨‍👩‍👧‍👦",
           "[x](https://example.com/?\"><b>y</b>)", "&lt;b&gt; &#0; &bogus;"]


FORM = [{"id": "name", "label": "Your name", "input": "text", "required": True},
        {"id": "born", "label": "Born", "input": "date", "required": True}]


class Support:
    """An agent who writes whatever kind is wanted; each message is announced to the checker before it is sent."""

    def __init__(self, rig, who, conv):
        self.rig, self.who, self.conv, self.wire = rig, who, conv, None
        rig.say("support", "info", "role", principal=who.principal, role="agent")
        self.connect()

    def connect(self):
        """Anew at each stage: nobody answers heartbeats while the window is waited for."""
        if self.wire:
            self.wire.close()
        self.wire = Wire(self.rig.server.port)
        self.wire.open_session(self.who.token)
        self.wire.call("conversation.watch", {"conv": self.conv})

    def post(self, kind="text", **content):
        cmid = new_cmid()
        told = text_hash(content["text"]) if kind == "text" else content_hash(kind, content)
        self.rig.say("support", "invoke", "send", cmid=cmid, conv=self.conv, hash=told)
        return cmid, self.wire.post("message.send", {"cmid": cmid, "conv": self.conv, "kind": kind, **content})

    def send(self, kind="text", **content):
        return self.wire.answer(self.post(kind, **content)[1])["seq"]

    def read(self, seq):
        self.wire.notify("marks", {"marks": [{"conv": self.conv, "recv": seq, "read": seq}]})


def expect(claim, what):
    if not claim:
        raise Failed(what)


def say_in_window(rig, window, text):
    """What the window is about to send, for the checker, and then the sending."""
    announce(rig, text)
    window.send(text)


def announce(rig, text):
    announce_hash(rig, text_hash(text))


def announce_hash(rig, told, t_ns=None):
    rig.say("rig", "invoke", "intent", t_ns=t_ns, who="window", hash=told, log="public")


def typing_and_composing(rig, window, support):
    support.connect()
    announce(rig, "hello from the keyboard")
    window.type("hello from the keyboard")
    window.key("Return")
    window.wait("the typed message is sent", newest=1, queued=0)
    announce(rig, "one\ntwo")
    window.type("one")
    window.key("shift+Return")
    window.type("two")
    window.key("Return")
    window.wait("two lines are one message", newest=2)
    announce(rig, "가")  # composed: the first Enter ends the composing, only the second one sends
    window.key("ctrl+shift+u", "a", "c", "0", "0", "Return")
    seen = support.send(text="still composing?")
    window.wait("the answer is here", newest=seen)
    expect([m["text"] for m in window.saved() if m["mine"]] == ["hello from the keyboard", "one\ntwo"],
           "Enter during composing sent something")
    window.key("Return")
    window.wait("the composed syllable is sent", newest=seen + 1)
    expect(window.saved()[-1]["text"] == "가", "the composed syllable arrived whole")


def answers_of_all_kinds(rig, window, support):
    support.connect()
    for text in HOSTILE:
        support.send(text=text)
    choices = support.send("choices", text="Which?", fallback_text="This or that",
                           choices=[{"id": "this", "label": "This"}, {"id": "that", "label": "That"}])
    card = support.send("card", card={"title": "Order", "url": "https://example.com/o"}, fallback_text="Order")
    window.wait("all kinds are shown", newest=card)
    expect([m["text"] for m in window.saved()][-len(HOSTILE) - 2:-2] == HOSTILE, "hostile text is shown as it is")
    announce_hash(rig, content_hash("text", {"text": "That", "pressed": {"seq": choices, "id": "that"}}))
    window.act("press", f"(int64 {choices}, 'that')")
    status = window.wait("the tap is sent", newest=card + 1, queued=0)
    shown = {m["number"]: m for m in window.saved()}
    expect(shown[choices].get("chosen") == "that", "the tapped choice is marked")
    support.connect()
    entries, _ = support.wire.read_log(support.conv)
    tap = next(e for e in entries if e["seq"] == card + 1)
    expect(tap["pressed"] == {"seq": choices, "id": "that"}, f"the tap names its choice: {tap}")
    wait_until("the window has told what was read", lambda: window.status()["read"] == status["newest"])
    support.read(status["newest"])
    window.wait("the ticks show that support has read", read_by_support=status["newest"])
    expect(all(m["state"] == "read" for m in window.saved() if m["mine"]), "all own messages are read")
    support.wire.notify("typing", {"conv": support.conv})
    window.wait("typing is shown", typing="Mina")


def a_form_by_keys(rig, window, support):
    """Typed into the form's own fields; what does not fit is pointed at and not sent."""
    support.connect()
    form = support.send("form", fallback_text="Your details, please", form=FORM)
    window.wait("the form is shown", newest=form, at_end=True)
    answer = {"text": "Your name: Ann Lee\nBorn: 1990-02-28", "filled": {"seq": form, "values": [
        {"id": "name", "value": "Ann Lee"}, {"id": "born", "value": "1990-02-28"}]}}
    announce_hash(rig, content_hash("text", answer))
    window.key("shift+Tab", "shift+Tab")  # to the list, then to its last row and into it
    window.key("End")
    window.key("Tab", "Tab")
    window.type("Ann Lee")
    window.key("Tab")
    window.type("yesterday")
    window.key("Return")  # the field stays, and has the focus
    window.key("ctrl+a")
    window.type("1990-02-28")
    window.key("Return")
    window.wait("the answer is sent", newest=form + 1, queued=0)
    support.connect()
    entries, _ = support.wire.read_log(support.conv)
    told = next(e for e in entries if e["seq"] == form + 1)
    expect({n: told.get(n) for n in answer} == answer, f"the answer is typed: {told}")
    expect("chosen" in next(m for m in window.saved() if m["number"] == form), "the form is marked as answered")
    asked = support.send("form", fallback_text="Once more", form=FORM)
    window.wait("the second form is shown", newest=asked)
    window.act("fill", f"(int64 {asked}, {{'name': 'Ann'}})")  # a field is missing
    announce(rig, "after the form")
    window.send("after the form")
    window.wait("only the text is sent", newest=asked + 1, queued=0)
    expect("chosen" not in next(m for m in window.saved() if m["number"] == asked), "what does not fit is not sent")


def edits_and_erasures(rig, window, support):
    support.connect()
    mine = [m for m in window.saved() if m["mine"]]
    for m in mine[:2]:  # their content will be another when it is read at the end
        rig.say("window", "invoke", "send", cmid=m["cmid"], conv=support.conv, hash=text_hash(m["text"]))
    began = time.monotonic_ns()
    window.act("edit-text", f"(int64 {mine[0]['number']}, 'hello again')")
    window.act("erase", f"int64 {mine[1]['number']}")

    def changed():
        rows = {m["number"]: m for m in window.saved()}
        first, second = rows[mine[0]["number"]], rows[mine[1]["number"]]
        return first["text"] == "hello again" and first["version"] == 2 and second.get("erased")
    wait_until("the edit and the erasure came back", changed)
    entries, _ = support.wire.read_log(support.conv)
    rows = {e["seq"]: e for e in entries}
    expect(rows[mine[1]["number"]]["kind"] == "erased", "support no longer has the erased message")
    for entry in entries:
        if entry["kind"] in ("edit", "erase"):
            more = {"version": 1, "hash": text_hash("hello again")} if entry["kind"] == "edit" else {}
            rig.say("window", "invoke", entry["kind"], t_ns=began, cmid=entry["cmid"], conv=support.conv,
                    of=entry["of"], **more)


def attachments(rig, window, support):
    support.connect()
    path = os.path.join(rig.folder, "blue.png")
    with open(path, "wb") as f:
        f.write(BLUE)
    newest = window.status()["newest"]
    began = time.monotonic_ns()
    window.act("attach", quoted(path))
    window.act("send-draft")
    window.wait("the picture is sent", newest=newest + 1, queued=0)
    entries, _ = support.wire.read_log(support.conv)
    sent = entries[-1]  # the server's name of the file is part of what is hashed: known only now
    parts = {n: sent[n] for n in ("text", "files", "fallback_text") if n in sent}
    announce_hash(rig, content_hash("attachment", parts), began)
    info = entries[-1]["files"][0]
    expect(info["name"] == "blue.png" and info["media"] == "image/png" and info["size"] == len(BLUE),
           f"support has the file: {info}")
    wait_until("the picture is shown", lambda: window.saved()[-1]["files"][0]["shown"])


def what_the_disk_did_not_take(rig, window, support):
    """A message and a picture that are in no file are shown as not sent, and "send anew" sends each once."""
    support.connect()
    path = os.path.join(rig.folder, "late.png")
    with open(path, "wb") as f:
        f.write(BLUE)
    newest = window.status()["newest"]
    announce(rig, "the disk was full")
    began = time.monotonic_ns()
    window.fill_disk(True)
    window.send("the disk was full")
    window.wait("the text is shown as not sent", failed=1, queued=0)
    window.act("attach", quoted(path))
    window.act("send-draft")
    window.wait("the picture too", failed=2, queued=0)
    window.fill_disk(False)
    window.act("retry-failed")
    window.wait("both are sent", failed=0, queued=0, newest=newest + 2)
    sent = [e for e in support.wire.read_log(support.conv)[0] if e["seq"] > newest]
    picture = next(e for e in sent if e["kind"] == "attachment")
    announce_hash(rig, content_hash("attachment", {n: picture[n] for n in ("text", "files", "fallback_text")
                                                   if n in picture}), began)
    expect([e["text"] for e in sent if e["kind"] == "text"] == ["the disk was full"] and
           [f["name"] for f in picture["files"]] == ["late.png"], f"each was sent once: {sent}")


def away_and_back(rig, window, support):
    """Written with the server gone; the window is killed and started again before the server comes back."""
    rig.server.kill()
    window.wait("the banner tells of the next try", connection="waiting",
                banner=lambda t: t.startswith("No connection"))
    texts = [f"in a tunnel {n}" for n in range(4)]
    for text in texts[:3]:
        say_in_window(rig, window, text)
    window.wait("three wait", queued=3)
    window.type("an unfinished thought")
    draft = os.path.join(window.data, "drafts.ini")

    def is_kept():
        with open(draft, encoding="utf-8") as f:
            return "unfinished thought" in f.read()
    wait_until("the draft is kept", lambda: os.path.exists(draft) and is_kept())
    window.kill()
    window.start()
    window.wait("they still wait", queued=3)
    say_in_window(rig, window, texts[3])
    window.wait("one more waits", queued=4)
    rig.server.start()
    window.act("network-changed")
    window.wait("all are sent", 60, queued=0, connection="online", caught_up=True)
    announce(rig, "an unfinished thought")
    window.key("Return")
    window.wait("the draft is sent", queued=0, newest=lambda n: n and last_text(window) == "an unfinished thought")
    expect([m["text"] for m in window.saved() if m["mine"]][-5:] == texts + ["an unfinished thought"],
           "all arrived in the order they were written")


def last_text(window):
    rows = window.saved()
    return rows[-1]["text"] if rows else None


def a_long_history(rig, desktop, window, support, ann, count):
    """A fresh device shows the newest page, and the rest as the user goes up."""
    support.connect()
    for first in range(0, count, 16):
        posts = [support.post(text=f"line {n}") for n in range(first, min(first + 16, count))]
        for _, number in posts:
            support.wire.answer(number)
    head = window.wait("all came", 60, newest=lambda n: n and n > count)["newest"]
    window.quit()
    fresh = Window(desktop, ann, os.path.join(rig.folder, "fresh"))
    fresh.start()
    status = fresh.wait("the newest page is here", newest=head, caught_up=True, at_end=True)
    expect(status["oldest"] > 1, "a fresh window does not fetch all there is")
    fresh.act("show-message", "int64 3")
    fresh.wait("the old message is here", oldest=lambda n: n and n <= 3, at_end=False, loading=False)
    support.connect()
    support.send(text="while you read old messages")
    fresh.wait("new messages do not pull the reader away", unread=1, at_end=False, divided=True)
    fresh.act("to-end")
    fresh.wait("at the end all is read", unread=0, at_end=True, read=head + 1)
    return fresh


def both_sides_have_the_same(window, support):
    support.connect()
    entries, head = support.wire.read_log(support.conv)
    window.wait("the window has the newest", newest=head, queued=0, failed=0)
    if not window.status()["beginning"]:
        window.act("show-message", "int64 1")
        window.wait("the window has the oldest", beginning=True)
    shown = [(m["number"], m["cmid"]) for m in window.saved()]
    kept = [(e["seq"], e.get("cmid", "")) for e in entries if e["kind"] not in ("edit", "erase")]
    expect([n for n, _ in shown] == [n for n, _ in kept], "both sides have the same places")
    own = {e["seq"]: e["cmid"] for e in entries if e.get("cmid")}
    expect(all(own.get(n, c) == c for n, c in shown), "each place has the same message on both sides")
    return len(shown)


def check_window_logs(rig):
    for log in rig.logs:
        if not os.path.basename(log).startswith("window"):
            continue
        with open(log, encoding="utf-8", errors="replace") as f:
            for line in f:
                if COMPLAINTS.search(line) and not PERMITTED.search(line):
                    raise Failed(f"{log}: {line.strip()}")


def run():
    if not os.access(os.path.join(BUILD, "deskbell-gtk"), os.X_OK):
        raise Skip("deskbell-gtk was not built: GTK 4 is not here (scripts/install-deps.sh long)")
    if SANITIZE == "thread":
        raise Skip("ThreadSanitizer does not see GLib's locks; the SDK's own threads have tests of their own")
    count = 3000 if "--long" in sys.argv else 240
    with Rig("gtk-window") as rig:
        desktop = Desktop(rig)
        rig.start_server()
        ann, mina = rig.customer("ann"), rig.agent("Mina")
        support = Support(rig, mina, ann.conv)
        rig.say("window", "info", "role", principal=ann.principal, role="customer")
        window = Window(desktop, ann, os.path.join(rig.folder, "ann")).start()
        window.wait("the window is online", connection="online", caught_up=True, active=True)
        typing_and_composing(rig, window, support)
        answers_of_all_kinds(rig, window, support)
        a_form_by_keys(rig, window, support)
        edits_and_erasures(rig, window, support)
        away_and_back(rig, window, support)
        attachments(rig, window, support)
        what_the_disk_did_not_take(rig, window, support)
        window = a_long_history(rig, desktop, window, support, ann, count)
        shown = both_sides_have_the_same(window, support)
        window.quit()
        check_window_logs(rig)
        support.wire.close()
        rig.finish("I2,I3,I4,I5,I25", settle=False)
        print(f"gtk-window: {shown} messages the same on both sides, 0 violations")


BLUE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000080000000808020000004b6d29dc0000001149444154789c63d0"
                     "883a8115310c2d090014a8528197ee54af0000000049454e44ae426082")

if __name__ == "__main__":
    main(run)
