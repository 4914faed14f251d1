#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a signed link, through the running server: it shows the survey in the customer's language, takes an answer
from a plain form into the conversation, once, lets it be changed until there is a comment, and then no more. A link that
was altered, made up, or has ended shows a page that says so, and counts nothing. No page loads or runs anything.
"""
import base64
import hashlib
import http.client
import json
import os
import re
import urllib.parse

import rigs
from harness import ROOT, Failed, Rig, clock_turns, main, run_program
from wire import Wire, WireError, new_cmid

DAY_MS = 86400 * 1000
FORM = {"name": "Parcels", "brand": "Acorn <Shop>", "colour": "#0b6e4f", "contact": True, "lang": "ko",
        "questions": [{"id": "why", "kind": "choices", "choices": ["late", "broken"], "to_score": 2, "required": True},
                      {"id": "more", "kind": "scale", "min": 0, "max": 10}],
        "texts": [{"lang": "ko", "question": "배송은 어땠나요?", "questions": [
            {"id": "why", "text": "무엇이 문제였나요?", "choices": [{"id": "late", "label": "늦음"}, {"id": "broken", "label": "파손"}]},
            {"id": "more", "text": "다시 주문하시겠어요?", "low": "아니요", "high": "네"}]}]}


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def deskbell(rig, *args):
    return run_program("deskbell", *args, "--data", rig.server.data).stdout.strip()


def request(rig, method, path, fields=None, body=None, **headers):
    """Status, headers, text of one request; the page is checked for what every page has to keep."""
    connection = http.client.HTTPConnection("127.0.0.1", rig.server.port, timeout=30)
    if fields is not None:
        body = urllib.parse.urlencode(fields)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if method != "HEAD":
        check_page(answer, text)
    return answer.status, answer, text


def check_page(answer, text):
    expect(answer.headers["Content-Type"], "text/html; charset=utf-8", "the type")
    expect(answer.headers["Cache-Control"], "no-store", "what may be kept")
    expect(answer.headers["X-Robots-Tag"], "noindex, nofollow", "what robots are told")
    expect(answer.headers["Referrer-Policy"], "no-referrer", "who learns of the link")
    policy = answer.headers["Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    expect(policy, f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
                   "frame-ancestors 'none'", "the policy")
    expect(re.findall(r"<script|<link|<img|src=|https?:|\son[a-z]+=", text), [], "what could load or run")


def solved(rig, agent, user, locale):
    """A ticket of a new customer, talked about and solved."""
    who = rig.customer(user)
    deskbell(rig, "customer", "set", who.principal, "--attr", f"locale={locale}")
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        wire.call("message.send", {"cmid": new_cmid(), "conv": who.conv, "kind": "text", "text": "my parcel is late " * 9})
    agent.call("message.send", {"cmid": new_cmid(), "conv": who.conv, "kind": "text", "text": "it comes today " * 9})
    ticket = agent.call("ticket.get", {"conv": who.conv})["ticket"]
    agent.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"],
                               "to": "solved"})
    return who


def link_of(agent, who):
    """The customer's offer and its path."""
    offers = agent.call("survey.offers", {"conv": who.conv})["offers"]
    expect([offer["state"] for offer in offers], ["waiting"], "offers")
    return offers[0]["offer"], agent.call("survey.link", {"offer": offers[0]["offer"]})["path"]


def stored(agent, who):
    offer, = agent.call("survey.offers", {"conv": who.conv})["offers"]
    return {name: offer.get(name) for name in ("state", "score", "comment", "answers", "wants_contact", "locked", "way")}


def ratings(who, rig):
    with Wire(rig.server.port) as wire:
        wire.open_session(who.token)
        rows = wire.call("entries.read", {"conv": who.conv, "after": 0})["entries"]
        return [row for row in rows if row["kind"] == "rating"]


def answers_and_changes(rig, agent):
    ann = solved(rig, agent, "ann", "ko-KR")
    _, path = link_of(agent, ann)
    status, _, text = request(rig, "GET", path)
    expect(status, 200, "the page")
    for part in ('<html lang="ko">', "배송은 어땠나요?", "Acorn &lt;Shop&gt;", "--brand:#0b6e4f", 'name="c.why" value="late"',
                 'name="n.more"', 'name="contact"', "보내기"):
        if part not in text:
            raise Failed(f"not on the page: {part}")
    status, answer, text = request(rig, "HEAD", path + "?from=mail")
    expect((status, text, int(answer.headers["Content-Length"]) > 1000), (200, "", True), "HEAD")
    expect(stored(agent, ann)["state"], "waiting", "after it was only looked at")

    # What is needed at that score is asked for once more, with what was filled in; nothing is stored.
    status, _, text = request(rig, "POST", path, [("score", "1"), ("n.more", "7"), ("said", "느려요")])
    expect((status, 'class="more q0 missing"' in text, 'value="1" id="s1" required checked' in text,
            'name="n.more" value="7" checked' in text, ">느려요</textarea>" in text), (400, True, True, True, True),
           "what is missing")
    expect(stored(agent, ann)["state"], "waiting", "after an answer that was not whole")

    for _ in range(2):  # sent twice: one answer
        status, _, text = request(rig, "POST", path, [("score", "1"), ("c.why", "late"), ("c.why", "broken"),
                                                      ("n.more", "0"), ("contact", "1")])
        expect((status, "감사합니다" in text), (200, True), "thanks")
    said = [{"question": "why", "chosen": ["late", "broken"]}, {"question": "more", "number": 0}]
    expect(stored(agent, ann), {"state": "answered", "score": 1, "comment": None, "answers": said, "wants_contact": True,
                                "locked": None, "way": "link"}, "the answer")
    expect(len(ratings(ann, rig)), 1, "entries of it")

    status, _, text = request(rig, "GET", path)
    expect((status, 'value="1" id="s1" required checked' in text), (200, True), "the answer in the form")
    # At another score the question of low scores is not asked: what its fields still say is left out.
    status, _, _ = request(rig, "POST", path, [("score", "4"), ("c.why", "late"), ("n.more", "9"), ("said", "빨라요\r\n<b>!")])
    expect(status, 200, "changed")
    now = stored(agent, ann)
    expect((now["score"], now["comment"], now["locked"], now["wants_contact"] or None), (4, "빨라요\n<b>!", True, None),
           "the change")
    status, _, text = request(rig, "POST", path, [("score", "5")])
    expect((status, "이미 답변" in text), (409, True), "after a comment")
    status, _, text = request(rig, "GET", path)
    expect((status, "<form" in text), (200, False), "the page of a locked answer")
    expect(stored(agent, ann)["score"], 4, "the score after all")


def refused_answers_count_nothing(rig, agent):
    bob = solved(rig, agent, "bob", "fr")
    _, path = link_of(agent, bob)
    bad = [[("score", "6")], [("score", "0")], [("score", "x")], [("score", "3"), ("n.who", "1")],
           [("score", "2"), ("c.why", "lost")], [("score", "3"), ("seq", "1")], [("score", "3"), ("n.more", "11")], []]
    for fields in bad:
        expect(request(rig, "POST", path, fields)[0], 400, f"{fields}")
    expect(request(rig, "POST", path, body="score=3", **{"Content-Type": "text/plain"})[0], 400, "another type")
    expect(request(rig, "PUT", path, body="score=3")[0], 405, "another method")
    altered = [path[:-1] + ("0" if path[-1] != "0" else "1"), path[:20] + ("0" if path[20] != "0" else "1") + path[21:],
               path + "0", path[:-1], "/s/x", "/s/" + "0" * 92]
    for other in altered:
        status, _, text = request(rig, "POST", other, [("score", "5")])
        expect((status, "This link is not valid." in text), (404, True), other)
    expect((stored(agent, bob)["state"], len(ratings(bob, rig))), ("waiting", 0), "after all that")


def what_was_taken_back_says_so(rig, agent):
    carl = solved(rig, agent, "carl", "ja")
    offer, path = link_of(agent, carl)
    expect(request(rig, "GET", path)[0], 200, "before it is taken back")
    agent.call("survey.withdraw", {"cmid": new_cmid(), "offer": offer})
    status, _, text = request(rig, "GET", path)
    expect((status, "<form" in text), (410, False), "what was taken back")
    expect(request(rig, "POST", path, [("score", "5")])[0], 410, "an answer to it")
    try:
        agent.call("survey.link", {"offer": offer})
        raise Failed("a link to what was taken back")
    except WireError as error:
        expect(error.tag, "locked", "a link to what was taken back")


def a_flood_is_held_back(rig, path):
    """One link has the budget of one customer."""
    rig.server.stop()
    rig.server.env.update({"DESKBELL_RATE_MESSAGES_PER_S": "1", "DESKBELL_RATE_BURST": "3"})
    rig.server.start()
    answers = [request(rig, "POST", path, [("score", "4")]) for _ in range(12)]
    expect((answers[0][0], answers[-1][0], answers[-1][1].headers["Retry-After"]), (200, 429, "1"), "a flood of answers")
    rig.server.env.update({"DESKBELL_RATE_MESSAGES_PER_S": "1000000", "DESKBELL_RATE_BURST": "1000000"})


def after_its_time(rig, dora, path):
    rig.server.stop()
    rig.server.env["DESKBELL_TEST_CLOCK_MS"] = str(5 * DAY_MS)
    rig.server.start()
    status, _, text = request(rig, "POST", path, [("score", "5")])
    expect((status, "This survey has ended." in text), (410, True), "after its time")
    offer, = json.loads(deskbell(rig, "survey", "offers", "--conv", dora.conv, "--json"))["offers"]
    expect((offer["state"], offer.get("score")), ("expired", None), "the offer")


def add_surveys(rig):
    """The test's own, and the example of the guide, which has to work as it is printed there."""
    with open(os.path.join(ROOT, "docs", "surveys.md"), encoding="utf-8") as guide:
        example = re.search(r"```json\n(.*?)```", guide.read(), re.S).group(1)
    for name, text in (("parcels", json.dumps(FORM)), ("example", example)):
        path = os.path.join(rig.folder, f"{name}.json")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        deskbell(rig, "survey", "add", "--file", path)
    shown = json.loads(deskbell(rig, "survey", "show", "Delivery", "--json"))["form"]
    expect({name: shown[name] for name in json.loads(example)}, json.loads(example), "the example after it was stored")


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("survey_link", args.seed) as rig:
        rig.start_server()
        add_surveys(rig)
        eve = rig.agent("Eve")
        with Wire(rig.server.port) as agent:
            agent.open_session(eve.token)
            answers_and_changes(rig, agent)
            refused_answers_count_nothing(rig, agent)
            what_was_taken_back_says_so(rig, agent)
            dora = solved(rig, agent, "dora", "zh")
            _, link = link_of(agent, dora)
            _, flooded = link_of(agent, solved(rig, agent, "fred", "en"))
        a_flood_is_held_back(rig, flooded)
        if clock_turns():
            after_its_time(rig, dora, link)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("survey_link: the page asks, takes one answer, and says when it cannot")


main(run)
