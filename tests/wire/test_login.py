#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Agents' logins over HTTP: invitation, password, sessions, and what ends them (security: cases 14, 17, 18, 19)."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from harness import SLOW, Failed, Rig, main, program, run_program  # noqa: E402
from test_http_api import Api, expect, held_bytes, refused  # noqa: E402
from wire import Wire, WireClosed  # noqa: E402

GOOD, BETTER = "kettle-marble-9-owl", "jumbled-otters-sing"


def agent_command(rig, *words, check=True, **more):
    return run_program("deskbell", "agent", *words, "--data", rig.server.data, "--json", check=check, **more)


def invited(rig, name):
    """(agent id, secret of the invitation, address)"""
    email = f"{name.lower()}@desk.example"
    made = json.loads(agent_command(rig, "add", "--name", name, "--email", email).stdout)
    return made["agent"], made["invite_link"].split("#")[1], email


def accept(rig, invite, password=GOOD, **more):
    return Api(rig)("login.accept_invite", {"invite": invite, "password": password, **more})


def log_in(rig, email, password=GOOD, **more):
    return Api(rig)("login.password", {"email": email, "password": password, **more})


def with_password(rig, name):
    agent, invite, email = invited(rig, name)
    answer = accept(rig, invite)
    expect(answer.status == 200 and answer.body["agent"] == agent, f"let in, got {answer.raw}")
    return agent, answer.body["token"], email


def works(rig, token):
    return Api(rig, token)("conversation.list", {}).status == 200


def an_invitation_sets_the_password_and_is_good_once(rig):
    agent, invite, email = invited(rig, "Ada")
    first = accept(rig, invite)
    expect(first.status == 200 and first.body["agent"] == agent, f"let in, got {first.raw}")
    refused(accept(rig, invite), 401, "token_invalid")
    refused(accept(rig, "dbi_nonsense"), 401, "token_invalid")
    second = log_in(rig, email)
    expect(second.status == 200 and second.body["token"] != first.body["token"], "a session of its own for each login")
    for answer in (first, second):
        expect(works(rig, answer.body["token"]), "its token is good over HTTP")
        with Wire(rig.server.port) as wire:
            expect(wire.open_session(answer.body["token"])["principal"] == agent, "and on a socket")


def passwords_that_everybody_would_guess_are_refused_and_the_invitation_stays(rig):
    _, invite, _ = invited(rig, "Weak")
    for password in ("short", "password12345", "P@ssw0rd2024", "qwertyuiop12", "aaaaaaaaaaaa", "elevenchars"):
        refused(accept(rig, invite, password), 400, "bad_request")
    expect(accept(rig, invite).status == 200, "the invitation is still good")


def a_wrong_password_and_an_unknown_account_get_the_same_answer_after_the_same_work(rig):
    _, _, email = with_password(rig, "Same")
    _, _, without = invited(rig, "NoPasswordYet")
    answers, times = [], []
    for address in (email, "nobody@desk.example", without) * 3:
        start = time.monotonic()
        answers.append(log_in(rig, address, "not-the-right-one"))
        times.append(time.monotonic() - start)
    for answer in answers:
        refused(answer, 401, "token_invalid")
        expect(answer.raw == answers[0].raw, "equal bytes")
    known, unknown = min(times[0::3]), min(times[1::3] + times[2::3])
    expect(unknown > known / 3, f"the same work: {known:.3f} s and {unknown:.3f} s")


def guessing_is_limited_by_account_and_others_still_get_in(rig):
    _, _, email = with_password(rig, "Target")
    _, _, other = with_password(rig, "Other")
    statuses = [log_in(rig, email, f"guess number {i:05}").status for i in range(14)]
    expect(statuses.count(401) <= 11 and 429 in statuses, f"limited, got {statuses}")
    limited = log_in(rig, email)
    refused(limited, 429, "rate_limited")
    expect(int(limited.headers["Retry-After"]) >= 1, "told when")
    unknown = [log_in(rig, "ghost@desk.example", f"guess number {i:05}").status for i in range(14)]
    expect(unknown.count(401) <= 11 and 429 in unknown, f"an unknown account is limited alike, got {unknown}")
    return other


def a_new_password_ends_the_old_sessions(rig):
    agent, old, email = with_password(rig, "Renew")
    with Wire(rig.server.port) as wire:
        wire.open_session(old)
        link = json.loads(agent_command(rig, "invite", agent).stdout)["invite_link"]
        expect(works(rig, old), "an invitation alone ends nothing")
        answer = accept(rig, link.split("#")[1], BETTER)
        expect(answer.status == 200, f"accepted, got {answer.raw}")
        expect(not works(rig, old) and works(rig, answer.body["token"]), "the old token is dead, the new one good")
        await_close(wire)
    refused(log_in(rig, email, GOOD), 401, "token_invalid")
    expect(log_in(rig, email, BETTER).status == 200, "the new password")


def await_close(wire):
    try:
        while True:
            wire.read_message(5 * SLOW)
    except WireClosed as e:
        expect(e.code in (4001, 4004), f"4001 or 4004, got {e.code}")


def a_reset_ends_password_and_sessions_at_once(rig):
    agent, token, email = with_password(rig, "Reset")
    agent_command(rig, "reset", agent)
    expect(not works(rig, token), "the session is dead")
    refused(log_in(rig, email), 401, "token_invalid")


def a_revoked_agent_gets_in_by_no_way(rig):
    agent, token, email = with_password(rig, "Leaver")
    link = json.loads(agent_command(rig, "invite", agent).stdout)["invite_link"]
    run_program("deskbell", "agent", "revoke", "--data", rig.server.data, agent)
    expect(not works(rig, token), "the session is dead")
    refused(log_in(rig, email), 401, "token_invalid")
    refused(accept(rig, link.split("#")[1]), 401, "token_invalid")
    expect(agent_command(rig, "invite", agent, check=False).returncode != 0, "no new invitation")


def an_agent_sees_and_ends_his_own_sessions(rig):
    _, first, email = with_password(rig, "Many")
    second = log_in(rig, email, label="phone").body["token"]
    _, stranger, _ = with_password(rig, "Stranger")
    rows = Api(rig, first)("login.sessions").body["sessions"]
    expect(sorted(r["label"] for r in rows) == ["login", "phone"], f"two sessions, got {rows}")
    phone = next(r["session"] for r in rows if r["label"] == "phone")
    refused(Api(rig, stranger)("login.end", {"session": phone}), 404, "not_found")
    expect(works(rig, second), "a stranger ends nothing")
    with Wire(rig.server.port) as wire:
        wire.open_session(second)
        expect(Api(rig, first)("login.end", {"session": phone}).status == 200, "ended")
        await_close(wire)
    expect(not works(rig, second) and works(rig, first), "one is dead, the other good")


def the_operator_sees_and_ends_sessions_by_name(rig):
    agent, token, _ = with_password(rig, "Watched")
    rows = json.loads(agent_command(rig, "sessions", agent).stdout)["sessions"]
    run_program("deskbell", "agent", "logout", "--data", rig.server.data, agent, rows[0]["session"])
    expect(not works(rig, token), "the session is dead")


def totp(secret, now=None):
    counter = struct.pack(">Q", int((now or time.time()) // 30))
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    return f"{(struct.unpack('>I', mac[mac[19] & 15:][:4])[0] & 0x7fffffff) % 1000000:06}"


def a_second_factor_cannot_be_left_out_and_a_code_is_good_once(rig):
    agent, token, email = with_password(rig, "Careful")
    api = Api(rig, token)
    refused(api("login.totp_confirm", {"code": "000000"}), 404, "not_found")
    secret = api("login.totp_begin").body["secret"]
    expect(log_in(rig, email).status == 200, "not needed before it is confirmed")
    wrong = f"{(int(totp(secret)) + 1) % 1000000:06}"
    refused(api("login.totp_confirm", {"code": wrong}), 401, "token_invalid")
    used = totp(secret, time.time() - 30)
    expect(api("login.totp_confirm", {"code": used}).status == 200, "confirmed")
    for more in ({}, {"totp": wrong}, {"totp": used}):
        refused(log_in(rig, email, **more), 401, "token_invalid")
    code = totp(secret)
    expect(log_in(rig, email, totp=code).status == 200, "let in with the code")
    refused(log_in(rig, email, totp=code), 401, "token_invalid")
    refused(log_in(rig, email, "not-the-right-one", totp=totp(secret, time.time() + 30)), 401, "token_invalid")
    link = json.loads(agent_command(rig, "reset", agent).stdout)["invite_link"]
    expect(accept(rig, link.split("#")[1], BETTER).status == 200, "a reset by the operator")
    expect(log_in(rig, email, BETTER).status == 200, "takes the second factor away too")


def an_invite_link_never_follows_the_host_header(rig):
    made = agent_command(rig, "add", "--name", "Linked", env={"DESKBELL_PUBLIC_URL": "https://desk.example"})
    Api(rig, Host="evil.example", X_Forwarded_Host="evil.example")("login.password", {"email": "a@b.c", "password": "x"})
    expect(json.loads(made.stdout)["invite_link"].startswith("https://desk.example/invite#"), "the configured base")


def the_command_line_logs_in_and_keeps_the_token_for_its_owner_alone(rig):
    _, invite, email = invited(rig, "Terminal")
    url, home = f"ws://127.0.0.1:{rig.server.port}/v1/ws", os.path.join(rig.folder, "config")
    os.makedirs(home)

    def login(password, *more):
        return subprocess.run([program("deskbell"), "agent", "login", "--url", url, "--json", *more], text=True,
                              input=password + "\n", capture_output=True, check=False, timeout=60 * SLOW,
                              env={**os.environ, "XDG_CONFIG_HOME": home})
    first = login(GOOD, "--invite", "https://desk.example/invite#" + invite)
    expect(first.returncode == 0, f"let in, got {first.stderr}")
    path = json.loads(first.stdout)["token_file"]
    expect(os.stat(path).st_mode & 0o777 == 0o600, "0600")
    with open(path, encoding="ascii") as f:
        expect(works(rig, f.read()), "the token is good")
    expect(login(GOOD, "--email", email).returncode == 0, "with the password")
    wrong = login("not-the-right-one", "--email", email)
    expect(wrong.returncode == 77 and "not-the-right" not in wrong.stderr, f"refused, got {wrong.stderr}")


def nothing_of_a_password_is_in_the_data_folder_or_the_log(rig):
    for name, held in held_bytes(rig):
        for word in (GOOD, BETTER, "not-the-right-one", "guess number"):
            expect(word.encode() not in held, f"no password in {name}")


def messages_flow_while_many_log_in_and_the_rest_is_told_to_wait(rig):
    """On a fresh server: 40 logins at once, of whom at most 9 may wait."""
    ann = rig.customer("ann")
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            jobs = [pool.submit(log_in, rig, f"crowd{i}@desk.example", GOOD) for i in range(40)]
            slowest = 0.0
            for i in range(20):
                start = time.monotonic()
                wire.call("feed.read", {"rev": 0})
                slowest = max(slowest, time.monotonic() - start)
            answers = [j.result() for j in jobs]
    statuses = [a.status for a in answers]
    expect(set(statuses) <= {401, 429, 503}, f"only refusals, got {statuses}")
    refused(next(a for a in answers if a.status == 503), 503, "overloaded")
    print(f"{statuses.count(401)} checked, {statuses.count(503)} told to wait; slowest read meanwhile {slowest:.3f} s")


def each_on_its_own_server(rig_name, tests):
    for number, test in enumerate(tests):
        with Rig(f"{rig_name}-{number}") as rig:
            rig.has_verdict = True
            rig.start_server()
            test(rig)
            print("ok", test.__name__, flush=True)
            nothing_of_a_password_is_in_the_data_folder_or_the_log(rig)
            expect(rig.server.stop() == 0, "an orderly end")
            rig.check_logs()


def run():
    # Guesses are counted by address: every test has a server of its own.
    tests = [an_invitation_sets_the_password_and_is_good_once,
             passwords_that_everybody_would_guess_are_refused_and_the_invitation_stays,
             a_wrong_password_and_an_unknown_account_get_the_same_answer_after_the_same_work,
             guessing_is_limited_by_account_and_others_still_get_in, a_new_password_ends_the_old_sessions,
             a_reset_ends_password_and_sessions_at_once, a_revoked_agent_gets_in_by_no_way,
             an_agent_sees_and_ends_his_own_sessions, the_operator_sees_and_ends_sessions_by_name,
             a_second_factor_cannot_be_left_out_and_a_code_is_good_once, an_invite_link_never_follows_the_host_header,
             the_command_line_logs_in_and_keeps_the_token_for_its_owner_alone,
             messages_flow_while_many_log_in_and_the_rest_is_told_to_wait]
    each_on_its_own_server("login", [t for t in tests if len(sys.argv) < 2 or sys.argv[1] in t.__name__])


if __name__ == "__main__":
    main(run)
