#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Presence on the wire: what agents are told of customers and customers of the team, in what form, and that nobody is
told more."""
import json
import time

from protocol_rig import UNKNOWN_CONV, check_error, expect, run, run_program, schema

TEAM_S = 5


def presences(client):
    return [e["params"] for e in client.events if e["method"] == "presence"]


def catch_up(client):
    """All that was sent before now has been read."""
    client.call("feed.read", {"rev": 0})


def check_params(params):
    """Only fields of the schema, of its types."""
    fields = schema("events")["events"]["presence"]["params"]
    expect(set(params) <= set(fields), f"fields of the schema, got {params}")
    expect(all(isinstance(params[n], bool) for n in ("online",) if n in params), f"a bool, got {params}")
    expect(params.get("team", "here") in fields["team"]["values"], f"here or away, got {params}")


def the_team_is_here_when_the_first_agent_is_and_customers_hear_one_word(case):
    case.ann = case.customer("ann")
    expect(case.ann.session["team"] == "away", "away before anybody has logged in")
    case.eve_person = case.rig.agent("Eve")
    case.eve = case.agent(case.eve_person)
    expect("team" not in case.eve.session, "no word for staff")
    told = case.ann.wait_event(lambda e: e["method"] == "presence", timeout_s=TEAM_S)["params"]
    expect(told == {"team": "here"}, f"the word alone, got {told}")
    bob = case.customer("bob")
    expect(bob.session["team"] == "here", "the word at login")
    case.agent(case.rig.agent("Adam"))
    catch_up(case.ann)
    expect(len(presences(case.ann)) == 1, "nothing for a second agent")


def a_watching_agent_is_answered_and_a_device_that_comes_back_does_not_flicker(case):
    cat = case.customer("cat")
    answer = case.eve.call("conversation.watch", {"conv": cat.conv})["presence"]
    expect(answer == {"online": True}, f"online, got {answer}")
    for _ in range(5):
        cat.close()
        cat = case.customer("cat", device="0" * 32)
    others_watch(case, cat)
    cat.close()
    began = time.monotonic()
    told = case.eve.wait_event(lambda e: e["method"] == "presence", timeout_s=20)["params"]
    check_params(told)
    expect(time.monotonic() - began >= 9, "ten seconds of patience")
    expect(told["conv"] == cat.conv and told["customer"] == cat.session["principal"] and not told["online"],
           f"offline, got {told}")
    expect(told["last_seen"] % 60000 == 0 and 0 <= time.time() * 1000 - told["last_seen"] < 120000,
           f"this minute, got {told}")
    expect(len(presences(case.eve)) == 1, f"one change, got {presences(case.eve)}")
    again = case.eve.call("conversation.watch", {"conv": cat.conv})["presence"]
    expect(again == {"online": False, "last_seen": told["last_seen"]}, f"the same, got {again}")


def others_watch(case, customer):
    """One who never did, one who has stopped, one who was revoked since."""
    case.idle, case.gone = case.agent(case.rig.agent("Kim")), case.agent(case.rig.agent("Gone"))
    person = case.rig.agent("Revoked")
    case.revoked = case.agent(person)
    for agent in (case.gone, case.revoked):
        agent.call("conversation.watch", {"conv": customer.conv})
    case.gone.call("conversation.unwatch", {"conv": customer.conv})
    run_program("deskbell", "agent", "revoke", "--data", case.rig.server.data, person.principal)
    expect(case.revoked.until_closed()[0] == 4004, "closed as revoked")


def nobody_learns_of_a_person_of_the_staff_nor_of_other_customers(case):
    told = json.dumps([case.ann.events, case.ann.session, case.ann.read_feed()])
    expect("Eve" not in told and case.eve_person.principal not in told, "no agent by name or id")
    expect("online" not in told and "last_seen" not in told, "nothing of customers")
    for event in presences(case.ann):
        expect(set(event) == {"team"}, f"the team's word alone, got {event}")


def only_agents_who_watch_are_told_and_unknown_conversations_tell_nothing(case):
    check_error(case.idle.ask("conversation.watch", {"conv": UNKNOWN_CONV}), "not_found")
    for agent in (case.idle, case.gone):
        catch_up(agent)
        expect(presences(agent) == [], f"nothing, got {presences(agent)}")
    expect(presences(case.revoked) == [], "nothing for the revoked one")


def an_agents_word_is_checked_like_any_request(case):
    expect(case.eve.call("presence.set", {"state": "away"}) == {}, "an empty result")
    expect(case.eve.call("presence.set", {"state": "here"}) == {}, "an empty result")
    check_error(case.eve.ask("presence.set", {"state": "asleep"}), "bad_request", "state")
    check_error(case.eve.ask("presence.set", {"state": "here", "for": "Adam"}), "bad_request", "for")
    check_error(case.customer("eli").ask("presence.set", {"state": "here"}), "forbidden")


if __name__ == "__main__":
    run("protocol-presence",
        [the_team_is_here_when_the_first_agent_is_and_customers_hear_one_word,
         a_watching_agent_is_answered_and_a_device_that_comes_back_does_not_flicker,
         nobody_learns_of_a_person_of_the_staff_nor_of_other_customers,
         only_agents_who_watch_are_told_and_unknown_conversations_tell_nothing,
         an_agents_word_is_checked_like_any_request])
