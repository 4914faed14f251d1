#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Working fast, through the running server: canned replies from a file and from the command line fill in what is known;
a macro does all it says or nothing; a bulk answers each ticket; a draft is on the agent's other device and gone when it
is sent; colleagues see who looks and types; a mention and an invitation arrive at once and stand until they are seen.
"""
import json
import os

import rigs
from harness import Failed, Rig, main, run_program
from wire import Wire, WireError, new_cmid


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def deskbell(rig, *args, check=True):
    return run_program("deskbell", *args, "--data", rig.server.data, check=check)


def refused(call, tag, what):
    try:
        call()
    except WireError as error:
        expect(error.tag, tag, what)
        return
    raise Failed(f"{what}: taken")


def say(wire, conv, text, **more):
    return wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text, **more})


def ticket_of(wire, conv):
    return wire.call("ticket.get", {"conv": conv})["ticket"]


def canned(rig, eve, ann):
    path = os.path.join(rig.folder, "replies.json")
    replies = [{"shortcut": f"r{i}", "name": f"Reply {i}", "folder": "many",
                "texts": {"en": f"Text {i} for {{{{customer.name|you}}}}"}} for i in range(30)]
    replies.append({"shortcut": "hello", "name": "Greeting",
                    "texts": {"en": "Hello {{customer.name|there}}", "ko": "안녕하세요 {{customer.name|고객}}님"}})
    with open(path, "w", encoding="utf-8") as out:
        json.dump(replies, out)
    expect(deskbell(rig, "canned", "import", path).stdout.strip(), "31 added, 0 changed", "an import")
    expect(deskbell(rig, "canned", "import", path).stdout.strip(), "0 added, 31 changed", "the same file again")
    bad = deskbell(rig, "canned", "add", "bad", "--name", "Bad", "--text", "en={{customer.shoe}}", check=False)
    expect((bad.returncode != 0, "texts[0].text" in bad.stderr and "customer.shoe" in bad.stderr), (True, True),
           "an unknown variable")
    rows = json.loads(deskbell(rig, "canned", "list", "--query", "greet", "--json").stdout)["rows"]
    expect([row["shortcut"] for row in rows], ["hello"], "found by its name")
    with Wire(rig.server.port) as agent:
        agent.open_session(eve.token)
        expect(agent.call("canned.render", {"shortcut": "hello", "conv": ann.conv})["text"], "Hello there", "nobody's name")
        deskbell(rig, "customer", "set", ann.principal, "--attr", "locale=ko-KR", "--attr", "phone=555")
        expect(agent.call("canned.render", {"shortcut": "hello", "conv": ann.conv})["text"], "안녕하세요 고객님",
               "in the customer's language")


def macro(rig, eve, ann):
    deskbell(rig, "attribute", "add", "order", "--ticket")
    made = deskbell(rig, "macro", "add", "Refund done", "--do", "reply=Done, {{customer.phone|friend}}.", "--do",
                    "add_tag=refund", "--do", "field.order=A-7", "--do", "status=solved").stdout.strip()
    expect("Refund done" in deskbell(rig, "macro", "list").stdout, True, "the macro in the list")
    with Wire(rig.server.port) as agent, Wire(rig.server.port) as wire:
        agent.open_session(eve.token)
        wire.open_session(ann.token)
        say(wire, ann.conv, "money back?")
        ticket = ticket_of(agent, ann.conv)
        run = {"macro": made, "ticket": ticket["ticket"], "version": ticket["version"]}
        after = agent.call("macro.run", {"cmid": new_cmid(), **run})
        now = ticket_of(agent, ann.conv)
        expect((now["status"], now.get("tags"), now["version"]), ("solved", ["refund"], after["version"]), "the ticket")
        wire.wait_event(lambda e: e["method"] == "entry" and e["params"].get("text") == "Done, 555.")
        refused(lambda: agent.call("macro.run", {"cmid": new_cmid(), **run}), "stale", "a macro for an old version")
        expect(ticket_of(agent, ann.conv)["version"], now["version"], "the version after a refusal")


def bulk(rig, eve):
    people = [rig.customer(f"bulk-{i}") for i in range(4)]
    for one in people:
        with Wire(rig.server.port) as wire:
            wire.open_session(one.token)
            say(wire, one.conv, "hello")
    with Wire(rig.server.port) as agent:
        agent.open_session(eve.token)
        tickets = [ticket_of(agent, one.conv) for one in people]
        known = [{"ticket": t["ticket"], "version": t["version"]} for t in tickets]
        known[1]["version"] += 1
        answers = agent.call("ticket.bulk", {"tickets": known, "action": {"act": "priority", "priority": "urgent"}})["answers"]
        expect([a.get("error") for a in answers], [None, "stale", None, None], "each by itself")
        expect([ticket_of(agent, one.conv)["priority"] for one in people], ["urgent", "normal", "urgent", "urgent"],
               "their priorities")


def beside(rig, eve, max_, ann):
    with Wire(rig.server.port) as desk, Wire(rig.server.port) as phone, Wire(rig.server.port) as other:
        desk.open_session(eve.token)
        phone.open_session(eve.token)
        other.open_session(max_.token)
        for wire in (desk, other):
            wire.call("conversation.watch", {"conv": ann.conv})
        desk.call("draft.set", {"conv": ann.conv, "version": 1, "text": "dear"})
        phone.wait_event(lambda e: e["method"] == "draft" and e["params"].get("text") == "dear")
        say(desk, ann.conv, "dear ann")
        phone.wait_event(lambda e: e["method"] == "draft" and e["params"]["version"] == 2 and "text" not in e["params"])
        expect(phone.call("draft.get", {"conv": ann.conv}).get("text"), None, "the draft after it was sent")
        expect([e for e in other.events if e["method"] == "draft"], [], "drafts told to a colleague")

        desk.notify("viewing", {"conv": ann.conv, "on": True})
        other.wait_event(lambda e: e["method"] == "viewers" and [v["name"] for v in e["params"]["agents"]] == ["Eve"])
        desk.notify("typing", {"conv": ann.conv})
        other.wait_event(lambda e: e["method"] == "viewers" and any(v.get("typing") for v in e["params"]["agents"]))

        say(desk, ann.conv, "what do you think?", log="team", mentions=[max_.principal])
        other.wait_event(lambda e: e["method"] == "mention" and e["params"]["conv"] == ann.conv)
        expect(other.call("mention.list")["unseen"], 1, "unseen mentions")
        other.call("mention.seen", {"conv": ann.conv})
        expect(other.call("mention.list")["unseen"], 0, "mentions after they were seen")
        desk.call("conversation.invite", {"cmid": new_cmid(), "conv": ann.conv, "agent": max_.principal})
        other.wait_event(lambda e: e["method"] == "mention" and e["params"].get("invited"))
        desk.close()
        other.wait_event(lambda e: e["method"] == "viewers" and e["params"]["agents"] == [])


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("work", args.seed) as rig:
        rig.start_server()
        eve, max_, ann = rig.agent("Eve"), rig.agent("Max"), rig.customer("ann")
        with Wire(rig.server.port) as wire:
            wire.open_session(ann.token)
            say(wire, ann.conv, "hello")
        canned(rig, eve, ann)
        macro(rig, eve, ann)
        bulk(rig, eve)
        beside(rig, eve, max_, ann)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("work: canned replies, macros, bulks, drafts, viewers and mentions do what they say")


main(run)
