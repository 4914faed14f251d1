#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what (security, cases 20 to 23 and 11): every id of every method swapped for somebody else's gets the very
bytes that an unknown one gets; no customer sees or counts what the team writes."""
import json
import re

from protocol_rig import UNKNOWN_CONV, check_error, expect, new_cmid, run, run_program, schema

UNKNOWN = {"cnv": UNKNOWN_CONV, "app": "app_0000000000001", "usr": "usr_0000000000001", "agt": "agt_0000000000001",
           "fil": "fil_0000000000001"}
MAY = {"message.edit": {"of": 1, "version": 1, "text": "x"}, "message.erase": {"of": 1},
       "message.send": {"kind": "text", "text": "x"}, "search.entries": {"query": "word"}, "entries.read": {},
       "upload.begin": {"name": "x", "size": 1, "media": "text/plain"}, "conversation.give": {"to": "people"}}


def requests_with_ids(role):
    """(method, param, prefix) for every param that names something, of every request of that role. What the desk's parts
    ask of agents is walked by tests/unit/people/test_reach.c."""
    for name, method in schema("methods", with_parts=role == "customer")["methods"].items():
        if role not in method["who"] or method["kind"] != "request":
            continue
        for param, shape in method["params"].items():
            if shape["type"] == "id":
                yield name, param, shape["prefix"]
            elif shape["type"] == "principal":
                yield name, param, "usr"


def params_for(name, param, value, cmid):
    method = schema("methods")["methods"][name]
    params = dict(MAY.get(name, {}))
    if "cmid" in method["params"]:
        params["cmid"] = cmid
    return {**params, param: value}


def setting(case):
    """Ann's and Bob's conversations, each with a message and a note by Eve; and Eve."""
    if not hasattr(case, "ann"):
        case.eve_person = case.rig.agent("Eve")
        case.ann, case.bob, case.eve = case.customer("ann"), case.customer("bob"), case.agent(case.eve_person)
        for client in (case.ann, case.bob):
            client.send_text(client.conv, "word of the owner")
            case.eve.send_text(client.conv, "note", log="team")
    return case.ann, case.bob, case.eve


def without_rev(answer):
    """The bytes of an answer but the store's own rev, which grows from one question to the next."""
    return re.sub(rb'"rev":[0-9]+', b'"rev":0', answer)


def somebody_elses_ids_are_answered_with_the_bytes_of_unknown_ones(case):
    ann, bob, _ = setting(case)
    head = ann.read_log(ann.conv)[1]
    theirs = {"cnv": ann.conv, "usr": ann.session["principal"], "agt": case.eve_person.principal,
              "app": json.loads(run_program("deskbell", "app", "add", "--data", case.rig.server.data, "--name", "Other",
                                            "--json").stdout)["app"]}
    checked = 0
    for name, param, prefix in requests_with_ids("customer"):
        cmid = new_cmid()
        swapped = without_rev(bob.ask_raw(1, name, json.dumps(params_for(name, param, theirs[prefix], cmid))))
        unknown = without_rev(bob.ask_raw(1, name, json.dumps(params_for(name, param, UNKNOWN[prefix], cmid))))
        expect(swapped == unknown, f"{name} {param}: equal bytes, got {swapped} and {unknown}")
        if prefix == "cnv":
            check_error(json.loads(swapped), "not_found")
        checked += 1
    expect(checked >= 4, "ids to check")
    for notification in ("typing", "marks"):
        params = {"conv": ann.conv} if notification == "typing" else {"marks": [{"conv": ann.conv, "recv": 9, "read": 9}]}
        bob.notify(notification, params)
    bob.call("feed.read", {"rev": 0})
    expect(ann.read_log(ann.conv)[1] == head, "nothing stored")
    row = next(r for r in ann.read_feed() if r["conv"] == ann.conv)
    expect(row["marks"]["staff_read"] == 0 and row["marks"]["customer_read"] == 0, "nothing marked")
    expect(not [e for e in ann.events if e["method"] == "typing"], "nothing told")


def unknown_ids_of_staff_are_not_found(case):
    _, _, eve = setting(case)
    for name, param, prefix in requests_with_ids("agent"):
        if prefix != "cnv":
            continue
        check_error(eve.ask(name, params_for(name, param, UNKNOWN[prefix], new_cmid())), "not_found")


def ids_of_the_wrong_kind_are_malformed(case):
    ann, _, _ = setting(case)
    for wrong in (ann.session["principal"], ann.conv.upper(), ann.conv + "0", ann.conv[:-1], "cnv_", "*", "%", "..", "",
                  "cnv_" + "u" * 13, "cnv_0000000000000", " " + ann.conv):
        client = case.customer("bob")  # each is a strike
        check_error(client.ask("entries.read", {"conv": wrong}), "bad_request", "conv")
        client.close()


def a_visitor_reads_nothing_but_his_own(case):
    ann, _, _ = setting(case)
    visitor = case.visitor()
    check_error(visitor.ask("entries.read", {"conv": ann.conv}), "not_found")
    check_error(visitor.ask("entries.read", {"conv": UNKNOWN_CONV}), "not_found")
    expect(visitor.read_feed() == [], "an empty feed")
    mine = visitor.call("conversation.open", {"key": "main"})["row"]["conv"]
    expect(mine != ann.conv and visitor.read_log(mine)[1] == 0, "his own conversation of the same key")


def customers_do_not_do_what_staff_do(case):
    ann, _, _ = setting(case)
    forbidden = [("conversation.watch", {"conv": ann.conv}), ("conversation.unwatch", {"conv": ann.conv}),
                 ("conversation.list", {}),
                 ("message.send", {"cmid": new_cmid(), "conv": ann.conv, "log": "team", "kind": "text", "text": "x"}),
                 ("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "choices", "text": "x",
                                   "fallback_text": "x", "choices": [{"id": "a", "label": "A"}]})]
    for method, params in forbidden:
        check_error(case.customer("ann").ask(method, params), "forbidden")
    for method, params in (("entries.read", {"conv": ann.conv, "log": "team"}),):
        check_error(case.customer("ann").ask(method, params), "bad_request", "log")
    check_error(case.customer("ann").ask("message.edit", {"cmid": new_cmid(), "conv": ann.conv, "log": "team", "of": 1,
                                                          "version": 1, "text": "x"}), "forbidden")
    for kind in ("edit", "erase", "erased", "revision", "system"):
        answer = case.customer("ann").ask("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": kind, "text": "x",
                                                           "of": 1, "version": 2})
        expect(answer["error"]["data"]["tag"] in ("forbidden", "bad_request"), f"{kind} refused, got {answer}")


def methods_of_the_operator_are_nobodys_on_the_wire(case):
    setting(case)
    count = 0
    for name, method in schema("methods")["methods"].items():
        if method["who"] != ["operator"]:
            continue
        for connect in (lambda: case.customer("ann"), lambda: case.agent(case.eve_person)):
            client = connect()
            answer = client.ask(name, {})
            check_error(answer, "forbidden")
            client.close()
        count += 1
    expect(count > 5, "methods of the operator")


def staff_edit_and_erase_only_their_own_words(case):
    ann, _, eve = setting(case)
    other = case.agent(case.rig.agent("Adam"))
    eve.send_text(ann.conv, "by eve")
    seq = ann.read_log(ann.conv)[1]
    for client, of in ((eve, 1), (other, seq)):
        for log in ({}, {"log": "team"}):
            number = 1 if log else of
            if log and client is eve:
                continue
            check_error(client.ask("message.edit", {"cmid": new_cmid(), "conv": ann.conv, "of": number, "version": 1,
                                                    "text": "x", **log}), "forbidden")
            check_error(client.ask("message.erase", {"cmid": new_cmid(), "conv": ann.conv, "of": number, **log}),
                        "forbidden")
    check_error(ann.ask("message.erase", {"cmid": new_cmid(), "conv": ann.conv, "of": seq}), "forbidden")


def strip(answer):
    """What a customer is told, without what tells the time of asking and the store's own rev."""
    answer = json.loads(json.dumps(answer))
    for name in ("rev", "now"):
        answer.pop(name, None)
    return answer


def a_customer_sees_and_counts_nothing_the_team_writes(case):
    ann = case.customer("unaware")
    _, _, eve = setting(case)
    ann.send_text(ann.conv, "hello")
    eve.send_text(ann.conv, "hello back")
    ann.notify("marks", {"marks": [{"conv": ann.conv, "recv": 1, "read": 1}]})
    ann.wait_event(lambda e: e["method"] == "marks")

    def look():
        return [strip(ann.call(m, p)) for m, p in (("feed.read", {"rev": 0}), ("conversation.open", {"key": "main"}),
                                                   ("entries.read", {"conv": ann.conv}),
                                                   ("entries.read", {"conv": ann.conv, "after": 0, "limit": 1}),
                                                   ("search.entries", {"query": "secretword"}))]

    before, events = look(), len(ann.events)
    eve.call("conversation.watch", {"conv": ann.conv})
    for number in range(5):
        note = eve.send_text(ann.conv, f"secretword {number}", log="team")["iseq"]
        eve.call("message.edit", {"cmid": new_cmid(), "conv": ann.conv, "log": "team", "of": note, "version": 1,
                                  "text": "secretword again"})
    expect(look() == before, "the same answers as before the notes")
    expect(len(ann.events) == events, f"no event, got {ann.events[events:]}")
    eve.send_text(ann.conv, "public again")
    entries, head = ann.read_log(ann.conv)
    expect([e["seq"] for e in entries] == list(range(1, head + 1)), "no hole")
    told = json.dumps([entries, ann.events, ann.read_feed()])
    expect("iseq" not in told and "ihead" not in told and "secretword" not in told, "no word of it")


def an_edit_shows_its_old_text_to_the_team_only(case):
    ann = case.customer("editor")
    _, _, eve = setting(case)
    ann.send_text(ann.conv, "oldword")
    ann.call("message.edit", {"cmid": new_cmid(), "conv": ann.conv, "of": 1, "version": 1, "text": "newword"})
    expect("oldword" not in json.dumps([ann.read_log(ann.conv)[0], ann.read_feed()]), "the new text only")
    expect("oldword" in json.dumps(eve.read_log(ann.conv, "team")[0]), "the revision in the team's log")
    ann.call("message.erase", {"cmid": new_cmid(), "conv": ann.conv, "of": 1})
    everything = [ann.read_log(ann.conv)[0], eve.read_log(ann.conv, "team")[0], eve.read_log(ann.conv)[0], ann.read_feed()]
    expect("word" not in json.dumps(everything), f"no text at all, got {everything}")


def positions_and_filters_are_data(case):
    _, _, eve = setting(case)
    for after in ("1 OR 1=1", "'", "1.1;DROP TABLE entry", "%", "1.1 ", "\\", "0x1.1"):
        client = case.agent(case.eve_person)
        check_error(client.ask("conversation.list", {"after": after}), "bad_request", "after")
        client.close()
    for key in ("*", "#", "+", "%", "_", "..", "'; DROP TABLE entry; --", "\u202e", "/etc/passwd", "cnv_0000000000001"):
        client = case.customer("keys")
        row = client.call("conversation.open", {"key": key})["row"]
        expect(row["key"] == key, f"the key as it is, got {row}")
        client.close()
    keys = case.customer("keys")
    expect(len(keys.read_feed()) == 11, "one conversation a key")
    expect(len(eve.call("conversation.list", {"filter": "waiting"})["rows"]) > 0, "the store in one piece")


CASES = [somebody_elses_ids_are_answered_with_the_bytes_of_unknown_ones, unknown_ids_of_staff_are_not_found,
         ids_of_the_wrong_kind_are_malformed, a_visitor_reads_nothing_but_his_own, customers_do_not_do_what_staff_do,
         methods_of_the_operator_are_nobodys_on_the_wire, staff_edit_and_erase_only_their_own_words,
         a_customer_sees_and_counts_nothing_the_team_writes, an_edit_shows_its_old_text_to_the_team_only,
         positions_and_filters_are_data]

if __name__ == "__main__":
    run("protocol-access", CASES, {"DESKBELL_DEVICES_PER_CUSTOMER": "1000", "DESKBELL_DEVICES_PER_AGENT": "1000"})
