#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Surveys in the support window, against the real server: the question comes with its scale, a tap is stored at once and
may be changed, the questions of that score are shown and answered, a comment ends it, and another window of the same user
shows the same; one that was taken back takes nothing any more.

usage: test_survey.py [--pictures FOLDER]   (what it shows, light and dark, for the documentation)
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desktop import Desktop, Window  # noqa: E402
from harness import BUILD, SANITIZE, Failed, Rig, Skip, main, run_program, wait_until  # noqa: E402
from wire import Wire, new_cmid  # noqa: E402

SURVEY = {"metric": "csat", "min_text": 0, "contact": True, "brand": "Lamps & Co", "lang": "en", "on": ["solved"],
          "questions": [{"id": "why", "kind": "choices", "choices": ["slow", "rude", "twice"], "to_score": 3,
                         "required": True},
                        {"id": "who", "kind": "choice", "choices": ["chat", "shop"], "from_score": 4},
                        {"id": "ease", "kind": "scale", "min": 0, "max": 10, "to_score": 4},
                        {"id": "lamp", "kind": "text", "to_score": 3}],
          "texts": [{"lang": "en", "question": "How did we do?", "low": "badly", "high": "very well",
                     "comment": "What could be better?", "contact": "Please contact me",
                     "thanks": "Thank you for telling us",
                     "questions": [{"id": "why", "text": "What went wrong?",
                                    "choices": [{"id": "slow", "label": "It took too long"},
                                                {"id": "rude", "label": "Somebody was unkind"},
                                                {"id": "twice", "label": "I had to explain it more than once"}]},
                                   {"id": "who", "text": "Who helped you best?",
                                    "choices": [{"id": "chat", "label": "The chat"}, {"id": "shop", "label": "The shop"}]},
                                   {"id": "ease", "text": "How easy was it to reach us?", "low": "hard", "high": "easy"},
                                   {"id": "lamp", "text": "Which lamp was it?"}]}]}


def expect(claim, what):
    if not claim:
        raise Failed(what)


class Desk:
    """An agent who answers and solves."""

    def __init__(self, rig, who):
        self.rig, self.who = rig, who

    def solve(self, conv, text):
        with Wire(self.rig.server.port) as wire:
            wire.open_session(self.who.token)
            wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})
            ticket = wire.call("ticket.get", {"conv": conv})["ticket"]
            wire.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"],
                                      "to": "solved"})


def log_of(rig, who):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        return wire.read_log(who.conv)[0]


def ratings(rig, who):
    return [e["rated"] for e in log_of(rig, who) if e["kind"] == "rating"]


def survey_in(window):
    """Of the newest message that has one."""
    return next((m for m in reversed(window.saved()) if "survey" in m), None)


def asked(rig, window, desk, who, text):
    """The survey's number, when the window shows it."""
    count = len([m for m in window.saved() if "survey" in m])
    window.send(text)
    wait_until("the ticket is there", lambda: any(e.get("text") == text for e in log_of(rig, who)))
    desk.solve(who.conv, "It is repaired, and on its way to you.")
    wait_until("the survey is shown", lambda: len([m for m in window.saved() if "survey" in m]) > count)
    shown = survey_in(window)
    expect(shown["text"] == "How did we do?" and shown["name"] == "Lamps & Co" and shown["survey"]["open"], f"{shown}")
    return shown["number"]


def answered(rig, desktop, window, desk, who, pictures):
    number = asked(rig, window, desk, who, "My lamp is broken")
    take(window, pictures, "asked")
    window.act("rate", f"(int64 {number}, 3, '')")
    wait_until("the tap is stored", lambda: ratings(rig, who) == [{"seq": number, "score": 3}])
    window.act("rate", f"(int64 {number}, 4, '')")
    wait_until("another tap changes it", lambda: [r.get("score") for r in ratings(rig, who)] == [3, 4])
    wait_until("the window shows it", lambda: survey_in(window)["survey"]["score"] == 4)
    take(window, pictures, "tapped")
    window.act("rate", f"(int64 {number}, -1, 'The shade is a little loose')")
    wait_until("the comment is stored", lambda: ratings(rig, who)[-1].get("said") == "The shade is a little loose")
    done = wait_until("it is closed", lambda: not survey_in(window)["survey"]["open"] and survey_in(window))
    expect(done["survey"] == {"score": 4, "said": "The shade is a little loose", "open": False, "asked": ["who", "ease"],
                              "answers": {}}, f"{done}")
    take(window, pictures, "done")
    window.act("rate", f"(int64 {number}, 5, '')")
    window.quit()
    again = Window(desktop, who, os.path.join(rig.folder, "another")).start()
    again.wait("another window has it", caught_up=True)
    wait_until("as it is now", lambda: survey_in(again) and survey_in(again)["survey"] == done["survey"])
    expect([r.get("score") for r in ratings(rig, who)] == [3, 4, None], "nothing was taken after the comment")
    expect([m["text"] for m in again.saved() if m["mine"]] == ["My lamp is broken"], "an answer is shown as a message")
    again.quit()


def stored(rig, who):
    """Of the survey, as a late reader has it: the score, and the answers by question."""
    shown = next(e["survey"] for e in log_of(rig, who) if e["kind"] == "survey")
    return shown.get("score"), {a["question"]: a.get("chosen", a.get("number", a.get("words")))
                                for a in shown.get("answers", [])}


def further(rig, desktop, desk, who, pictures):
    """The questions of the score are shown, those alone; a required one may be left out; another score drops what it does
    not ask for, in the window as at the server."""
    window = Window(desktop, who, os.path.join(rig.folder, "cho")).start()
    window.size(440, 760)
    window.wait("the window is online", connection="online", caught_up=True)
    number = asked(rig, window, desk, who, "My third lamp is broken")

    def shows(what, score, questions, answers):
        def seen():
            now = survey_in(window)["survey"]
            return now["score"] == score and now["asked"] == questions and now["answers"] == answers
        wait_until(what, seen)
        wait_until(f"{what}, at the server", lambda: stored(rig, who) == (score, answers))

    expect(survey_in(window)["survey"]["asked"] == [], "something is asked before there is a score")
    window.act("rate", f"(int64 {number}, 2, '')")
    shows("what is asked at 2", 2, ["why", "ease", "lamp"], {})
    take(window, pictures, "questions")
    window.act("say", f"(int64 {number}, {{'ease': '7'}}, '')")
    shows("a required one is left out", 2, ["why", "ease", "lamp"], {"ease": 7})
    window.act("say", f"(int64 {number}, {{'why': 'slow twice', 'lamp': 'The green one', 'ease': '3'}}, '')")
    answers = {"ease": 3, "why": ["slow", "twice"], "lamp": "The green one"}
    shows("all of them", 2, ["why", "ease", "lamp"], answers)
    take(window, pictures, "filled")
    window.act("rate", f"(int64 {number}, 4, '')")
    shows("what is asked at 4", 4, ["who", "ease"], {"ease": 3})
    window.act("say", f"(int64 {number}, {{'who': 'chat', 'why': 'rude'}}, '')")  # why is not asked any more
    shows("one of two", 4, ["who", "ease"], {"ease": 3, "who": ["chat"]})
    window.act("rate", f"(int64 {number}, 1, '')")
    shows("what was dropped is gone", 1, ["why", "ease", "lamp"], {"ease": 3})
    window.act("say", f"(int64 {number}, {{'why': 'rude'}}, 'I gave up')")
    shows("with a comment", 1, ["why", "ease", "lamp"], {"ease": 3, "why": ["rude"], "lamp": "The green one"})
    expect(not survey_in(window)["survey"]["open"], "it is locked")
    take(window, pictures, "answered")
    window.quit()


def taken_back(rig, desktop, desk, who):
    window = Window(desktop, who, os.path.join(rig.folder, "bob")).start()
    window.wait("the window is online", connection="online", caught_up=True)
    number = asked(rig, window, desk, who, "My other lamp is broken")
    window.send("It is still dark")
    wait_until("it is no longer asked", lambda: not survey_in(window)["survey"]["open"])
    window.act("rate", f"(int64 {number}, 5, '')")
    window.send("and cold")
    wait_until("the text is there", lambda: any(e.get("text") == "and cold" for e in log_of(rig, who)))
    expect(ratings(rig, who) == [], "an answer was taken")
    window.quit()


def take(window, pictures, name):
    if not pictures:
        return
    window.act("to-end")
    for scheme in ("light", "dark"):
        window.desktop.run("gapplication", "action", "org.deskbell.Support", "appearance", f"'{scheme}'")
        wait_until("it is drawn", lambda: window.status().get("at-end"))
        window.desktop.run("xdotool", "mousemove", "5", "5")
        window.desktop.run("sleep", "1")  # for the eye: nothing is claimed of it
        window.desktop.run("import", "-window", window.id, os.path.join(pictures, f"survey-{name}-{scheme}.png"))


def run():
    if not os.access(os.path.join(BUILD, "deskbell-gtk"), os.X_OK):
        raise Skip("deskbell-gtk was not built: GTK 4 is not here (scripts/install-deps.sh long)")
    if SANITIZE == "thread":
        raise Skip("ThreadSanitizer does not see GLib's locks; the SDK's own threads have tests of their own")
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures")
    pictures = parser.parse_args().pictures
    with Rig("gtk-survey") as rig:
        desktop = Desktop(rig, "520x860" if pictures else "1400x1000")
        rig.start_server()
        path = os.path.join(rig.folder, "survey.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"name": "After a ticket", **SURVEY}, f)
        run_program("deskbell", "survey", "add", "--file", path, "--data", rig.server.data)
        desk, ann, bob, cho = Desk(rig, rig.agent("Mina")), *(rig.customer(name) for name in ("ann", "bob", "cho"))
        window = Window(desktop, ann, os.path.join(rig.folder, "ann")).start()
        window.size(440, 760)
        window.wait("the window is online", connection="online", caught_up=True)
        answered(rig, desktop, window, desk, ann, pictures)
        further(rig, desktop, desk, cho, pictures)
        taken_back(rig, desktop, desk, bob)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("gtk-survey: one answered, changed and commented, one with all that it asks, one taken back")


if __name__ == "__main__":
    main(run)
