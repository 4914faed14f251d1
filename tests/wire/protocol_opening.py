#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a session begins and ends: first message, tokens, visitors, devices, revocation, expiry, renewal, epoch."""
import base64
import json
import os
import time

from protocol_rig import SLOW, Client, WireClosed, WireError, check_error, expect, run, run_program, user_token

VERSIONS = {"min": 1, "max": 1}


def opening(case, **more):
    return {"device": os.urandom(16).hex(), "protocol": VERSIONS, **more}


def refused(case, params, tag, code, field=None):
    client = case.connect()
    check_error(client.ask("session.open", params), tag, field)
    client.expect_close(code)


def anything_but_session_open_first_is_closed_with_4000(case):
    for first in ('{"jsonrpc":"2.0","id":1,"method":"feed.read","params":{"rev":0}}',
                  '{"jsonrpc":"2.0","method":"session.open","params":{}}',
                  '{"jsonrpc":"2.0","method":"session.alive"}', "[]", "x", "{}",
                  '[{"jsonrpc":"2.0","id":1,"method":"session.open","params":{}}]'):
        client = case.connect()
        client.say(first)
        client.expect_close(4000)


def a_second_message_before_the_answer_is_closed_with_4000(case):
    client = case.connect()
    token = case.rig.user_token("hasty")
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "session.open", "params": opening(case, token=token)})
    client.lines_at_once([request, '{"jsonrpc":"2.0","id":2,"method":"feed.read","params":{"rev":0}}'])
    client.expect_close(4000)


def silence_for_five_seconds_is_closed_with_4000(case):
    began = time.monotonic()
    case.connect().expect_close(4000, timeout_s=10)
    expect(4.5 < time.monotonic() - began < 8 * SLOW, "5 s of patience")


def a_message_too_long_for_a_first_one_is_closed_with_1009(case):
    client = case.connect()
    client.say('{"jsonrpc":"2.0","id":1,"method":"session.open","params":{"token":"' + "x" * 20000 + '"}}')
    expect(client.until_closed()[0] == 1009, "1009")


def exactly_one_proof_is_needed(case):
    refused(case, opening(case), "bad_request", 4000, "token")
    refused(case, opening(case, token="x", visitor={"app": case.rig.app}), "bad_request", 4000, "token")


def made_up_tokens_are_closed_with_4001(case):
    good = case.rig.user_token("ann")
    for token in ("x", "a.b.c", good[:-1], good + "A", good.replace(".", "..", 1), "dbs_" + "0" * 40, "." * 50,
                  case.rig.user_token("ann", aud="app_0000000000001"), case.rig.user_token("ann", use="csat")):
        refused(case, opening(case, token=token), "token_invalid", 4001)
    now = int(time.time())
    refused(case, opening(case, token=case.rig.user_token("ann", iat=now - 4000, exp=now - 120)), "token_expired", 4001)


def no_common_version_is_closed_with_4010(case):
    params = opening(case, token=case.rig.user_token("ann"))
    params["protocol"] = {"min": 2, "max": 3}
    refused(case, params, "upgrade_required", 4010)


def the_answer_says_what_a_client_has_to_know(case):
    client = case.customer("ann", name="Ann")
    session = client.session
    expect(session["principal"].startswith("usr_") and session["name"] == "Ann", "who")
    expect(session["protocol"] == 1 and isinstance(session["features"], list), "version and features")
    expect(len(session["epoch"]) == 16 and session["rev"] >= 0, "epoch and rev")
    limits = session["limits"]
    expect(limits["key_window_days"] > limits["retry_days"] > 0, "A5: retries end before keys are forgotten")
    expect(abs(session["expires"] - (time.time() + 3600) * 1000) < 20000, "when the token expires")
    expect("reset" not in session, "no reset")


def another_epoch_or_a_rev_ahead_of_ours_is_told_to_reset(case):
    token = case.rig.user_token("ann")
    session = case.customer("ann").session
    for epoch, rev, reset in ((session["epoch"], session["rev"], None), ("0" * 15 + "1", 0, "epoch"),
                              (session["epoch"], 2 ** 53 - 1, "ahead")):
        answer = case.connect().open_session(token, epoch=epoch, rev=rev)
        expect(answer.get("reset") == reset, f"reset {reset}, got {answer}")


def a_visitor_is_known_again_by_his_secret_only(case):
    first = case.visitor()
    secret = first.session["visitor_secret"]
    expect(len(secret) == 43, "256 bits of secret")
    conv = first.call("conversation.open", {})["row"]["conv"]
    first.send_text(conv, "hello")
    again = case.visitor(secret)
    expect(again.session["principal"] == first.session["principal"], "the same principal")
    expect("visitor_secret" not in again.session, "the secret is told once")
    expect(len(again.read_log(conv)[0]) == 1, "his history")
    other = case.visitor()
    expect(other.session["principal"] != first.session["principal"], "another visitor is somebody else")
    check_error(other.ask("entries.read", {"conv": conv}), "not_found")
    for wrong in (secret[:-1], secret[:-1] + ("A" if secret[-1] != "A" else "B"), "x", first.session["principal"]):
        refused(case, opening(case, visitor={"app": case.rig.app, "secret": wrong}), "token_invalid", 4001)
    refused(case, opening(case, visitor={"app": "app_0000000000001"}), "token_invalid", 4001)
    # An e-mail or id of somebody else gives no more rights: there is no field for it.
    refused(case, opening(case, visitor={"app": case.rig.app, "email": "ann@example.com"}), "bad_request", 4000,
            "visitor.email")


def a_revoked_visitor_is_closed_and_his_secret_is_dead(case):
    visitor = case.visitor()
    revoke(case, "customer", visitor.session["principal"])
    visitor.expect_close(4004, 5)
    refused(case, opening(case, visitor={"app": case.rig.app, "secret": visitor.session["visitor_secret"]}), "revoked",
            4004)


def revoke(case, what, who):
    run_program("deskbell", what, "revoke", "--data", case.rig.server.data, who)


def the_same_device_again_replaces_the_older_connection(case):
    device = os.urandom(16).hex()
    older = case.customer("twice", device)
    newer = case.customer("twice", device)
    older.expect_close(4003)
    newer.send_text(newer.conv)


def a_revoked_customer_is_closed_within_five_seconds_and_old_tokens_are_dead(case):
    old = case.rig.user_token("gone")
    devices = [case.customer("gone") for _ in range(3)]
    bystander = case.customer()
    revoke(case, "customer", devices[0].session["principal"])
    for client in devices:
        client.expect_close(4004, 5)
    refused(case, opening(case, token=old), "revoked", 4004)
    bystander.send_text(bystander.conv)
    deadline = time.monotonic() + 10 * SLOW
    while True:  # tokens of the next second are good again
        try:
            case.customer("gone")
            break
        except (WireError, WireClosed):
            expect(time.monotonic() < deadline, "a token issued later to be good")
            time.sleep(0.2)


def a_revoked_agent_is_closed_within_five_seconds_and_his_token_is_dead(case):
    eve = case.rig.agent("Eve")
    client = case.agent(eve)
    revoke(case, "agent", eve.principal)
    client.expect_close(4004, 5)
    refused(case, opening(case, token=eve.token), "token_invalid", 4001)


def a_token_that_expires_closes_the_connection_with_4001(case):
    client = case.connect()
    client.open_session(case.rig.user_token("brief", lifetime_s=2))
    client.expect_close(4001, 10)


def a_session_is_renewed_by_a_newer_token_of_the_same_user_only(case):
    client = case.connect()
    client.open_session(case.rig.user_token("renewed", lifetime_s=3))
    check_error(client.ask("session.renew", {"token": case.rig.user_token("somebody else")}), "token_invalid")
    check_error(client.ask("session.renew", {"token": "x"}), "token_invalid")
    answer = client.ask("session.renew", {"token": case.rig.user_token("renewed", lifetime_s=3600)})
    expect(answer["result"]["expires"] > (time.time() + 3000) * 1000, "a later end")
    time.sleep(4)  # past the first token's end: what has to stay away can only be waited for
    client.call("feed.read", {"rev": 0})
    visitor = case.visitor()
    check_error(visitor.ask("session.renew", {"token": case.rig.user_token("renewed")}), "token_invalid")


def opening_twice_on_one_connection_is_refused(case):
    client = case.customer()
    check_error(client.ask("session.open", opening(case, token=case.rig.user_token("other"))), "unknown_method")
    client.send_text(client.conv)


def a_removed_key_closes_its_connections_and_lets_nobody_in(case):
    data = case.rig.server.data
    made = json.loads(run_program("deskbell", "key", "add", "--data", data, "--app", case.rig.app, "--kid", "second",
                                  "--json").stdout)
    token = user_token(base64.b64decode(made["signing_key"]), "second", case.rig.app, "rotated")
    client, other = case.connect(), case.customer()
    client.open_session(token)
    run_program("deskbell", "key", "remove", "--data", data, "--app", case.rig.app, "second")
    client.expect_close(4004, 5)
    refused(case, opening(case, token=token), "token_invalid", 4001)
    other.send_text(other.conv)


def a_connection_that_goes_away_leaves_its_device_free(case):
    device = os.urandom(16).hex()
    for _ in range(30):
        client = case.customer("restless", device)
        client.sock.close()
    Client.close(case.customer("restless", device))


CASES = [anything_but_session_open_first_is_closed_with_4000, a_second_message_before_the_answer_is_closed_with_4000,
         silence_for_five_seconds_is_closed_with_4000, a_message_too_long_for_a_first_one_is_closed_with_1009,
         exactly_one_proof_is_needed, made_up_tokens_are_closed_with_4001, no_common_version_is_closed_with_4010,
         the_answer_says_what_a_client_has_to_know, another_epoch_or_a_rev_ahead_of_ours_is_told_to_reset,
         a_visitor_is_known_again_by_his_secret_only, a_revoked_visitor_is_closed_and_his_secret_is_dead,
         the_same_device_again_replaces_the_older_connection,
         a_revoked_customer_is_closed_within_five_seconds_and_old_tokens_are_dead,
         a_revoked_agent_is_closed_within_five_seconds_and_his_token_is_dead,
         a_token_that_expires_closes_the_connection_with_4001,
         a_session_is_renewed_by_a_newer_token_of_the_same_user_only, opening_twice_on_one_connection_is_refused,
         a_removed_key_closes_its_connections_and_lets_nobody_in, a_connection_that_goes_away_leaves_its_device_free]

if __name__ == "__main__":
    run("protocol-opening", CASES)
