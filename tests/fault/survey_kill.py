#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server is killed again and again while tickets are solved, opened again, asked about and answered. In the end
each solving was asked about once, in one message, and each answer that was acknowledged is there once and counts.
"""
import collections
import threading
import time

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, WireClosed, WireError, new_cmid

PAIRS, SDK_PAIRS = 4, 2
PATIENCE_S = 300  # while the kills go on a client that backs off may find the server down many times in a row
BROKEN = (OSError, WireClosed, TimeoutError)


class Pair:
    """A customer and an agent in one conversation. Each repeats a call under its key until it is answered, whatever
    becomes of the server; what was acknowledged is written down."""

    def __init__(self, rig, number):
        self.rig, self.number = rig, number
        self.person, self.agent = rig.customer(f"pair-{number}"), rig.agent(f"Agent {number}")
        self.conv, self.wires = self.person.conv, {}
        self.solved, self.rated = 0, {}     # rated: seq of the survey -> [(cmid, score, comment)], acknowledged
        self.over, self.trouble = threading.Event(), None
        self.random = __import__("random").Random(rig.seed * 100 + number)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def call(self, who, method, params):
        """Until it is answered. Raises WireError when the answer is no for good."""
        while True:
            try:
                if who not in self.wires:
                    self.wires[who] = Wire(self.rig.server.port, timeout_s=5)
                    self.wires[who].open_session(who.token)
                wire = self.wires[who]
                wire.events.clear()
                return wire.call(method, params)
            except WireError as e:
                if e.error_class == "permanent":
                    raise
                time.sleep(0.02)
            except BROKEN:
                self.wires.pop(who, None)
                time.sleep(0.02)

    def say(self, who, text):
        return self.call(who, "message.send", {"cmid": new_cmid(), "conv": self.conv, "kind": "text", "text": text})

    def solve(self):
        """The move may have been done although its answer was lost: then its key says so."""
        cmid, known = new_cmid(), None
        while True:
            ticket = self.call(self.agent, "ticket.get", {"conv": self.conv})["ticket"]
            known = known or {"ticket": ticket["ticket"], "version": ticket["version"]}
            try:
                self.call(self.agent, "ticket.move", {"cmid": cmid, "to": "solved", **known})
                self.solved += 1
                return
            except WireError as e:
                if e.tag not in ("stale", "conflict"):
                    raise
                cmid, known = new_cmid(), None

    def newest_survey(self):
        entries, _ = self.read_log()
        surveys = [e for e in entries if e["kind"] == "survey"]
        return surveys[-1] if surveys else None

    def read_log(self):
        while True:
            try:
                with Wire(self.rig.server.port, timeout_s=5) as wire:
                    wire.open_session(self.person.token)
                    return wire.read_log(self.conv)
            except BROKEN:
                time.sleep(0.02)

    def rate(self, survey, score, comment):
        said = {"said": comment} if comment else {}
        cmid = new_cmid()
        self.call(self.person, "message.send",
                  {"cmid": cmid, "conv": self.conv, "kind": "rating", "fallback_text": str(score),
                   "rated": {"seq": survey["seq"], "score": score, **said}})
        self.rated.setdefault(survey["seq"], []).append((cmid, score, comment))

    def answer(self):
        """Sometimes not at all, sometimes twice, sometimes with a comment, sometimes after the comment."""
        survey = self.newest_survey()
        if not survey:
            raise Failed(f"{self.conv}: solved {self.solved} times and never asked")
        for _ in range(self.random.randrange(3)):
            self.rate(survey, self.random.randrange(1, 6), None)
        if self.random.randrange(3) == 0:
            self.rate(survey, self.random.randrange(1, 6), f"because {self.number}")
            if not self.is_locked(survey):
                raise Failed(f"{self.conv}: an answer was taken after its comment")

    def is_locked(self, survey):
        try:
            self.rate(survey, 1, None)
        except WireError as e:
            return e.tag == "locked"
        return False

    def run(self):
        try:
            while not self.over.is_set():
                self.say(self.person, "it does not work")
                self.say(self.agent, "it does now")
                self.solve()
                self.answer()
        except (Failed, WireError) as e:
            self.trouble = e


class SdkPair(Pair):
    """Its customer answers through the SDK, which repeats by itself."""

    def __init__(self, rig, number):
        super().__init__(rig, number)
        self.host = rig.host(f"sdk-{number}", self.person)
        self.host.wait_connected()

    def told(self, command):
        """What becomes of a rating: its cmid, and the word for it."""
        at = self.host.mark_position()
        self.host.command(command)
        _, line = self.host.wait(lambda l: l["op"] == "rate" and l["kind"] == "invoke", 30, at)
        cmid = line["cmid"]
        _, line = self.host.wait(lambda l: l.get("cmid") == cmid and
                                 (l["kind"] == "fail" or l.get("state") in ("sent", "failed")), PATIENCE_S, at)
        return cmid, "failed" if line["kind"] == "fail" else line["state"]

    def rate(self, survey, score, comment):
        cmid, state = self.told(f"rate {survey['seq']} {score} {comment or ''}")
        if state != "sent":
            raise Failed(f"{self.conv}: the SDK's answer {score} to {survey['seq']} ended as {state}")
        self.rated.setdefault(survey["seq"], []).append((cmid, score, comment))

    def is_locked(self, survey):
        return self.told(f"rate {survey['seq']} 1 ")[1] == "failed"


def offers_of(wire, conv):
    offers, before = [], {}
    while True:
        page = wire.call("survey.offers", {"conv": conv, "limit": 100, **before})
        offers += page["offers"]
        if "next" not in page:
            return offers
        before = {"before": page["next"]}


def judge(wire, pair):
    """What is on disk, read by somebody of the team, against what was acknowledged."""
    entries, _ = wire.read_log(pair.conv)
    team, _ = wire.read_log(pair.conv, "team")
    solvings = sum(e["kind"] == "change" and any(f["name"] == "status" and f.get("now") == "solved"
                                                 for f in e["change"].get("fields", [])) for e in team)
    surveys = {e["seq"]: e for e in entries if e["kind"] == "survey"}
    ratings = collections.Counter(e.get("cmid") for e in entries if e["kind"] == "rating")
    ends = collections.Counter(e["of"] for e in entries if e["kind"] == "survey_end")
    offers = {o["seq"]: o for o in offers_of(wire, pair.conv) if "seq" in o}
    where = pair.conv
    if not pair.solved <= solvings <= pair.solved + 1:
        raise Failed(f"{where}: {pair.solved} solvings were acknowledged, the log has {solvings}")
    if len(surveys) != solvings or surveys.keys() != offers.keys():
        raise Failed(f"{where}: {solvings} solvings, {len(surveys)} surveys, {len(offers)} offers")
    asked = collections.Counter((o["ticket"], o["solving"]) for o in offers.values())
    if any(n > 1 for n in asked.values()):
        raise Failed(f"{where}: a solving was asked about twice")
    for seq, offer in offers.items():
        shown = surveys[seq]["survey"]
        if shown["state"] != offer["state"] or shown.get("score") != offer.get("score"):
            raise Failed(f"{where}: survey {seq} says {shown['state']}, its row {offer['state']}")
        if ends[seq] != (offer["state"] == "withdrawn"):
            raise Failed(f"{where}: survey {seq} is {offer['state']} and ended {ends[seq]} times")
    for seq, given in pair.rated.items():
        for cmid, _, _ in given:
            if ratings[cmid] != 1:
                raise Failed(f"{where}: an acknowledged answer is there {ratings[cmid]} times")
        _, score, comment = given[-1]
        if (offers[seq].get("score"), offers[seq].get("comment")) != (score, comment) or offers[seq]["state"] != "answered":
            raise Failed(f"{where}: survey {seq} was answered {score} and counts {offers[seq].get('score')}")
    answered = sum(o["state"] == "answered" for o in offers.values())
    if answered != len(pair.rated):
        raise Failed(f"{where}: {len(pair.rated)} were answered, {answered} count")
    return len(surveys), sum(len(given) for given in pair.rated.values())


def run():
    args = rigs.options(__doc__, 6, 80)
    with Rig("survey-kill", args.seed) as rig:
        rig.start_server()
        run_program("deskbell", "survey", "add", "--data", rig.server.data, "--name", "How was it", "--interval", "0",
                    "--min-text", "0")
        pairs = [(Pair if n < PAIRS else SdkPair)(rig, n) for n in range(PAIRS + SDK_PAIRS)]
        rig.has_verdict = True  # the logs are judged here
        for pair in pairs:
            pair.thread.start()
        for _ in range(args.count):
            time.sleep(rig.random.uniform(0.1, 0.7))
            rig.server.kill()
            rig.server.start()
        time.sleep(0.3)
        for pair in pairs:
            pair.over.set()
        for pair in pairs:
            pair.thread.join(PATIENCE_S)
            if pair.thread.is_alive() or pair.trouble:
                raise Failed(f"{pair.conv}: {pair.trouble or 'it does not end'}")
        with Wire(rig.server.port) as wire:
            wire.open_session(pairs[0].agent.token)
            counts = [judge(wire, pair) for pair in pairs]
        for host in rig.hosts.values():
            host.quit()
        rig.server.stop()
        check = run_program("deskbell", "check", "--deep", "--data", rig.server.data, check=False, timeout_s=120)
        if check.returncode != 0:
            raise Failed(f"check: {check.stdout}{check.stderr}")
        print(f"survey-kill: {args.count} kills, {sum(c[0] for c in counts)} solvings, each asked about once, "
              f"{sum(c[1] for c in counts)} acknowledged answers, each there once; "
              f"{SDK_PAIRS} of {len(pairs)} customers by the SDK")


if __name__ == "__main__":
    main(run)
