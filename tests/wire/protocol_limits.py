#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Budgets, floods, silence and slowness (security 36, 38; R3, R6), and what each answer tells a client to do next. Several
servers, each with the limits its cases are about."""
import json
import os
import select
import socket
import time

from protocol_rig import (SLOW, Case, Failed, Rig, WireClosed, WireError, check_error, end, expect, main, new_cmid)


def request(number, method, params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def answers(client, count):
    """So many answers, by id; events are passed over."""
    got = {}
    while len(got) < count:
        message = json.loads(client.raw())
        if "method" not in message:
            got[message["id"]] = message
    return got


def sends(client, cmids):
    return [request(i + 1, "message.send", {"cmid": c, "conv": client.conv, "kind": "text", "text": str(i)})
            for i, c in enumerate(cmids)]


# --- rate 5/s, burst 10

def messages_beyond_the_budget_wait_as_long_as_they_are_told(case):
    client, other = case.customer(), case.customer()
    cmids = [new_cmid() for _ in range(14)]
    client.lines_at_once(sends(client, cmids))
    got = answers(client, 14)
    refused = [i for i in got if "error" in got[i]]
    expect(1 <= len(refused) <= 4, f"10 at once and a few more, {len(refused)} of 14 refused")
    for number in sorted(refused):
        data = check_error(got[number], "rate_limited")
        expect(1 <= data["retry_after_ms"] <= 201, f"the time of one message, got {data}")
    other.send_text(other.conv)  # nobody else is disturbed
    for number in sorted(refused):
        while True:
            try:
                client.send_text(client.conv, str(number - 1), cmids[number - 1])
                break
            except WireError as e:
                expect(e.tag == "rate_limited", f"rate_limited, got {e.tag}")
                time.sleep(e.retry_after_ms / 1000)  # the very thing under test
    entries, _ = client.read_log(client.conv)
    expect(sorted(e["cmid"] for e in entries) == sorted(cmids), "each once")


def coming_back_is_no_way_around_the_budget(case):
    accepted, began = 0, time.monotonic()
    for _ in range(6):
        client = case.customer("jumper")
        client.lines_at_once(sends(client, [new_cmid() for _ in range(10)]))
        accepted += sum("result" in a for a in answers(client, 10).values())
        client.close()
    passed = time.monotonic() - began
    expect(accepted <= 10 + 5 * (passed + 1), f"at most 5 a second, got {accepted} in {passed:.1f} s")


def reads_are_free_of_the_message_budget(case):
    client = case.customer()
    client.lines_at_once(sends(client, [new_cmid() for _ in range(12)]))
    answers(client, 12)
    for _ in range(20):
        client.call("feed.read", {"rev": 0})


def a_flood_is_closed_with_4029(case):
    client = case.customer("flooder")
    witness = case.customer()
    client.lines_at_once(['{"jsonrpc":"2.0","method":"session.alive"}'] * 300)
    expect(client.expect_close(4029)["retry_after_ms"] > 0, "a time to wait")
    witness.call("feed.read", {"rev": 0})


# --- in_flight 4

def requests_beyond_those_in_flight_are_refused_for_a_moment(case):
    client = case.customer()
    client.lines_at_once(sends(client, [new_cmid() for _ in range(30)]))
    got = answers(client, 30)
    refused = [a for a in got.values() if "error" in a]
    expect(1 <= len(refused) <= 26, f"some refused, {len(refused)} of 30")
    for answer in refused:
        check_error(answer, "rate_limited")
    for _ in range(10):
        client.send_text(client.conv)


def typing_is_passed_on_once_in_three_seconds(case):
    writer, eve = case.customer(), case.agent(case.rig.agent("Eve"))
    eve.call("conversation.watch", {"conv": writer.conv})
    for _ in range(10):
        writer.notify("typing", {"conv": writer.conv})
    writer.send_text(writer.conv)
    eve.wait_event(lambda e: e["method"] == "entry")
    expect(len([e for e in eve.events if e["method"] == "typing"]) == 1, "one notice")


def an_agent_watches_fifty_conversations_and_no_more(case):
    eve, writer = case.agent(case.rig.agent("Eve")), case.customer()
    convs = [writer.call("conversation.open", {"key": f"k{i}"})["row"]["conv"] for i in range(51)]
    for conv in convs[:50]:
        eve.call("conversation.watch", {"conv": conv})
    check_error(eve.ask("conversation.watch", {"conv": convs[50]}), "too_many")
    eve.call("conversation.unwatch", {"conv": convs[0]})
    eve.call("conversation.watch", {"conv": convs[50]})


def more_devices_than_may_be_connected_are_refused(case):
    clients = [case.customer("many") for _ in range(10)]
    client = case.connect()
    check_error(client.ask("session.open", {"token": case.rig.user_token("many"), "device": os.urandom(16).hex(),
                                            "protocol": {"min": 1, "max": 1}}), "too_many")
    client.expect_close(4029)
    clients[0].close()


# --- heartbeat 1 s, dead 3 s

def who_answers_the_heartbeat_lives_and_who_does_not_is_closed(case):
    quiet, alive = case.customer(), case.customer()
    alive.wait_event(lambda e: e["method"] == "heartbeat", 5 * SLOW)
    deadline = time.monotonic() + 6 * SLOW
    beats = 0
    while time.monotonic() < deadline:
        alive.events.clear()
        event = alive.wait_event(lambda e: e["method"] == "heartbeat", 5 * SLOW)
        beats += 1
        expect(event["params"]["rev"] >= 0 and abs(event["params"]["now"] / 1000 - time.time()) < 30, f"rev and now: {event}")
    expect(beats >= 4, "a beat a second")
    alive.call("feed.read", {"rev": 0})
    code, messages = quiet.until_closed(1)
    expect(code == 1001, f"1001 for silence, got {code} {messages}")


# --- 3 new visitors a minute

def an_address_makes_only_so_many_new_visitors(case):
    secret = [case.visitor() for _ in range(3)][0].session["visitor_secret"]
    for _ in range(3):
        client = case.connect()
        data = check_error(client.ask("session.open", {"device": os.urandom(16).hex(), "protocol": {"min": 1, "max": 1},
                                                       "visitor": {"app": case.rig.app}}), "rate_limited")
        expect(data["retry_after_ms"] > 0, f"a time to wait, got {data}")
        client.expect_close(4029)
    expect("visitor_secret" not in case.visitor(secret).session, "who is known already comes in")
    case.customer("somebody-with-a-token")


# --- output 256 KiB

def a_reader_that_stops_reading_is_cut_off_after_30_seconds_and_loses_nothing(case):
    """Who reads nothing cannot be given a close frame either: the connection is reset."""
    listener = case.connect()
    listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.open_session(case.rig.user_token("slow"))
    writer, other = case.customer("slow"), case.customer()
    text, count = "x" * 10000, 1200
    for _ in range(count):  # 12 MB: until the kernel's buffers and ours are full
        writer.send_text(writer.conv, text)
        writer.events.clear()
    began = time.monotonic()
    other.send_text(other.conv)
    gone = select.poll()
    gone.register(listener.sock.fileno(), 0)
    expect(gone.poll(45000 * SLOW), "the connection to be cut off")
    expect(20 < time.monotonic() - began < 40 * SLOW, f"patience of 30 s, was {time.monotonic() - began:.1f} s")
    again = case.customer("slow")
    entries, head = again.read_log(again.conv)
    expect(head == count and len(entries) == count, f"all {count}, got {head}")


def pages_asked_for_at_once_all_come(case):
    """More than the output may hold: nothing is lost, it comes as it is read."""
    client = case.customer("pages")
    for _ in range(40):
        client.send_text(client.conv, "y" * 10000)
        client.events.clear()
    client.lines_at_once([request(i + 1, "entries.read", {"conv": client.conv, "after": 0, "limit": 9})
                          for i in range(16)])
    got = answers(client, 16)
    expect(all(len(a["result"]["entries"]) == 9 for a in got.values()), "sixteen pages")


# --- the end

def a_stopping_server_tells_everybody_when_to_come_back(case):
    clients = [case.customer() for _ in range(20)] + [case.connect() for _ in range(5)]
    began = time.monotonic()
    case.rig.server.process.child.terminate()
    hints = {client.expect_close(4012, 12)["retry_after_ms"] for client in clients}
    expect(all(0 <= h < 10000 for h in hints) and len(hints) > 5, f"hints spread over 10 s, got {sorted(hints)}")
    expect(case.rig.server.process.wait(15) == 0, "exit code 0")
    expect(time.monotonic() - began < 10 * SLOW, "an end within 10 s")


SERVERS = [
    ({"DESKBELL_RATE_MESSAGES_PER_S": "5", "DESKBELL_RATE_BURST": "10"},
     [messages_beyond_the_budget_wait_as_long_as_they_are_told, coming_back_is_no_way_around_the_budget,
      reads_are_free_of_the_message_budget, a_flood_is_closed_with_4029]),
    ({"DESKBELL_IN_FLIGHT": "4"},
     [requests_beyond_those_in_flight_are_refused_for_a_moment, typing_is_passed_on_once_in_three_seconds,
      an_agent_watches_fifty_conversations_and_no_more, more_devices_than_may_be_connected_are_refused]),
    ({"DESKBELL_HEARTBEAT_MS": "1000", "DESKBELL_DEAD_MS": "3000"},
     [who_answers_the_heartbeat_lives_and_who_does_not_is_closed]),
    ({"DESKBELL_VISITORS_PER_MINUTE": "3", "DESKBELL_NET_THREADS": "1"},
     [an_address_makes_only_so_many_new_visitors]),
    ({}, [pages_asked_for_at_once_all_come, a_reader_that_stops_reading_is_cut_off_after_30_seconds_and_loses_nothing,
          a_stopping_server_tells_everybody_when_to_come_back]),
]


def rig_main():
    for env, cases in SERVERS:
        with Rig("protocol-limits") as rig:
            rig.start_server(env=env)
            case = Case(rig)
            for function in cases:
                try:
                    function(case)
                except (Failed, WireClosed, WireError, TimeoutError) as e:
                    raise Failed(f"{function.__name__}: {type(e).__name__} {e}") from e
                print(f"ok {function.__name__}", flush=True)
            end(rig)


if __name__ == "__main__":
    main(rig_main)
