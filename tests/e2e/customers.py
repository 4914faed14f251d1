#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an agent knows of a customer, through the running server: a token's claims, an app's back end over HTTP, a client,
the team and the command line all say something; one time line shows it; a blocked customer reaches nobody; two that are
one person are merged and the visitor's device is signed out; an export holds all of it and an erasure leaves nothing.
"""
import json
import os
import sqlite3
import urllib.error
import urllib.request

import rigs
from harness import Failed, Rig, main, run_program, wait_until
from wire import Wire, WireClosed, WireError, new_cmid


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def deskbell(rig, *args, check=True):
    return run_program("deskbell", *args, "--data", rig.server.data, check=check)


def show(rig, customer):
    return json.loads(deskbell(rig, "customer", "show", customer, "--json").stdout)


def back_end(rig, key, method, params):
    """(status, answer) of an app key's call."""
    request = urllib.request.Request(f"http://127.0.0.1:{rig.server.port}/v1/{method}", json.dumps(params).encode(),
                                     {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def refused(call, tag, what):
    try:
        call()
    except WireError as error:
        expect(error.tag, tag, what)
        return
    raise Failed(f"{what}: taken")


def said_by_all(rig, key, eve):
    """Token, back end, client, team and operator: each has its say, and whoever vouches wins."""
    deskbell(rig, "attribute", "add", "plan", "--kind", "choice", "--choice", "free", "--choice", "pro")
    deskbell(rig, "attribute", "add", "seats", "--kind", "number")
    deskbell(rig, "attribute", "tiers", "silver", "gold")
    expect(deskbell(rig, "attribute", "tiers").stdout.split(), ["silver", "gold"], "the tiers")
    token = rig.user_token("ann", name="Ann Lee", attrs={"plan": "pro"})
    with Wire(rig.server.port) as wire, Wire(rig.server.port) as agent:
        opened = wire.open_session(token)
        ann = opened["principal"]
        wire.call("customer.describe", {"attributes": [{"name": "phone", "value": "555"}]})
        agent.open_session(eve.token)
        agent.call("customer.set", {"cmid": new_cmid(), "customer": ann, "tier": "gold", "add_tags": ["beta"],
                                    "attributes": [{"name": "company", "value": "Acme"}]})
        refused(lambda: agent.call("customer.set", {"cmid": new_cmid(), "customer": ann,
                                                    "attributes": [{"name": "plan", "value": "free"}]}),
                "conflict", "an agent overwrites what the token says")
        refused(lambda: wire.call("customer.get", {"customer": ann}), "forbidden", "a customer looks himself up")
    status, _ = back_end(rig, key, "customer.describe",
                         {"act_as": "user:ann", "attributes": [{"name": "seats", "value": "12"}]})
    expect(status, 200, "the back end's attributes")
    status, answer = back_end(rig, key, "customer.describe",
                              {"act_as": "user:ann", "attributes": [{"name": "seats", "value": "a dozen"}]})
    expect((status, answer["error"]["data"]["field"]), (400, "attributes[0].value"), "a number that is none")
    found = show(rig, ann)
    expect({row["name"]: (row["value"], row["origin"]) for row in found["attributes"]},
           {"plan": ("pro", "token"), "phone": ("555", "client"), "company": ("Acme", "agent"), "seats": ("12", "app")},
           "what is known")
    expect((found["customer"]["name"], found["customer"]["tier"], found["tags"]), ("Ann Lee", "gold", ["beta"]),
           "name, tier, tags")
    for query in ("ann", "LEE", "acme", "555"):
        rows = json.loads(deskbell(rig, "customer", "list", "--query", query, "--json").stdout)["customers"]
        expect([row["customer"] for row in rows], [ann], f"found by {query}")
    return ann, token


def told(rig, key, ann, token, eve):
    """Events, screens, notes and tickets stand in one time line."""
    order = {"act_as": "user:ann", "event": "order-7", "kind": "order.paid", "title": "Order 7",
             "url": "https://shop.example/7", "data": [{"name": "sum", "value": "12.50"}]}
    expect(back_end(rig, key, "customer.event", order), (200, {}), "an event")
    expect(back_end(rig, key, "customer.event", order), (200, {"dup": True}), "the same event again")
    status, answer = back_end(rig, key, "customer.event", {**order, "title": "Order 8"})
    expect((status, answer["error"]["data"]["tag"]), (409, "idempotency_conflict"), "another event under its id")
    status, _ = back_end(rig, token, "customer.event", order)
    expect(status, 403, "a user's token tells an event")
    with Wire(rig.server.port) as wire:
        wire.open_session(token)
        wire.call("customer.screen", {"name": "Checkout", "url": "https://shop.example/checkout"})
        conv = wire.call("conversation.open", {"key": "main"})["row"]["conv"]
        wire.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "where is it?"})
    deskbell(rig, "customer", "note", ann, "--text", "prefers the phone")
    with Wire(rig.server.port) as agent:
        agent.open_session(eve.token)
        rows = agent.call("timeline.read", {"customer": ann})["rows"]
        expect(sorted(row["kind"] for row in rows), ["conversation", "event", "note", "screen", "ticket"], "the time line")
        expect([row["at"] for row in rows], sorted((row["at"] for row in rows), reverse=True), "newest first")
        event = next(row for row in rows if row["kind"] == "event")
        expect((event["title"], event["url"], event["data"]),
               ("Order 7", "https://shop.example/7", [{"name": "sum", "value": "12.50"}]), "the event")
        expect(agent.call("customer.get", {"conv": conv})["customer"]["customer"], ann, "the customer of a conversation")
    text = deskbell(rig, "customer", "timeline", ann).stdout
    expect(("Order 7" in text, "prefers the phone" in text), (True, True), "the time line in the terminal")
    return conv


def merged(rig, eve, ann):
    """A visitor turns out to be Ann: what it said is hers, and its device is out."""
    with Wire(rig.server.port) as visitor:
        opened = visitor.open_session(visitor={"app": rig.app})
        who, secret = opened["principal"], opened["visitor_secret"]
        conv = visitor.call("conversation.open", {"key": "main"})["row"]["conv"]
        visitor.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": "it is me, Ann"})
        deskbell(rig, "customer", "set", who, "--attr", "name=Ann?", "--tag", "found")
        with Wire(rig.server.port) as agent:
            agent.open_session(eve.token)
            refused(lambda: agent.call("customer.merge", {"cmid": new_cmid(), "from": who, "into": ann}), "forbidden",
                    "an agent without the permission merges")
        deskbell(rig, "customer", "merge", who, ann)
        try:
            visitor.wait_event(lambda e: False)
        except WireClosed as closed:
            expect(closed.code, 4003, "the visitor's connection")
    with Wire(rig.server.port) as again:
        try:
            again.open_session(visitor={"app": rig.app, "secret": secret})
            raise Failed("the visitor's secret still opens a session")
        except WireError as error:
            expect(error.tag, "token_invalid", "the visitor comes back")
    found = show(rig, ann)
    expect((found["tags"], found["aliases"], found["customer"]["name"]), (["beta", "found"], [who], "Ann Lee"),
           "what is known of both")
    other = rig.customer("bob")
    if deskbell(rig, "customer", "merge", other.principal, ann, check=False).returncode == 0:
        raise Failed("two named users were merged")
    with Wire(rig.server.port) as wire:
        wire.open_session(rig.user_token("ann"))
        texts = [e.get("text") for e in wire.read_log(conv)[0] if e["kind"] == "text"]
        expect(texts, ["it is me, Ann"], "what the visitor said")


def blocked(rig, eve):
    """A blocked customer is answered as ever, and nobody is bothered."""
    mallory = rig.customer("mallory")
    deskbell(rig, "customer", "block", mallory.principal, "--reason", "spam")
    with Wire(rig.server.port) as wire, Wire(rig.server.port) as agent:
        wire.open_session(mallory.token)
        sent = wire.call("message.send", {"cmid": new_cmid(), "conv": mallory.conv, "kind": "text", "text": "buy this"})
        expect(sent["seq"] >= 1, True, "the answer to a blocked customer")
        agent.open_session(eve.token)
        ticket = agent.call("ticket.get", {"conv": mallory.conv})["ticket"]
        expect(ticket["status"] in ("solved", "closed"), True, "the ticket of a blocked customer")
    rows = json.loads(deskbell(rig, "customer", "list", "--blocked", "--json").stdout)["customers"]
    expect([row["customer"] for row in rows], [mallory.principal], "who is blocked")
    deskbell(rig, "customer", "unblock", mallory.principal)


def exported_and_erased(rig, ann):
    path = os.path.join(rig.folder, "ann.jsonl")
    deskbell(rig, "export", "--customer", ann, "--to", path, "--with-notes")
    with open(path, encoding="utf-8") as lines:
        kinds = {json.loads(line)["type"] for line in lines}
    missing = {"attribute", "standing", "tag", "event", "screen", "note"} - kinds
    expect(missing, set(), "what the export lacks")
    deskbell(rig, "erase", "--customer", ann, "--yes")
    db = sqlite3.connect(os.path.join(rig.server.data, "deskbell.db"))
    person = "(SELECT id FROM principal WHERE external_id IS NULL AND revoked_ms > 0)"
    for table in ("customer_attribute", "customer_tag", "customer_story", "customer_word", "customer_profile"):
        left = db.execute(f"SELECT count(*) FROM {table} WHERE customer IN {person}").fetchone()[0]
        expect(left, 0, f"rows of an erased person in {table}")
    db.close()


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("customers", args.seed) as rig:
        rig.start_server()
        eve = rig.agent("Eve")
        made = json.loads(deskbell(rig, "key", "add", "--app-key", "--label", "shop", "--json").stdout)
        key = made["key"] if "key" in made else next(v for v in made.values() if str(v).startswith("dba_"))
        ann, token = said_by_all(rig, key, eve)
        told(rig, key, ann, token, eve)
        merged(rig, eve, ann)
        blocked(rig, eve)
        exported_and_erased(rig, ann)
        check = deskbell(rig, "status", "--json", check=False)
        expect(check.returncode, 0, "the store after all that")
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        expect(deskbell(rig, "check", "--deep", check=False).returncode, 0, "a deep check of the store")
        rig.check_logs()
        print("customers: what everybody says stands with who said it, in one time line, and goes when it has to")


main(run)
