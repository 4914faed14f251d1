#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""POST /v1/<method>: the same methods as on a socket, who may call them, and how every refusal looks. Against the
running server (security: cases 15, 16, 26, 32, 45, 46 and the HTTP side of 1 to 14)."""
import base64
import concurrent.futures
import http.client
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from harness import SLOW, Failed, Rig, main, run_program  # noqa: E402
from wire import Wire, WireClosed, WireError, new_cmid, user_token  # noqa: E402

GOOD_ORIGIN, OTHER_ORIGIN = "https://shop.example", "https://shop.example.evil"


class Answer:
    def __init__(self, reply):
        self.status, self.headers, self.raw = reply.status, reply.headers, reply.read()
        self.body = json.loads(self.raw) if self.raw else None

    @property
    def tag(self):
        return (self.body or {}).get("error", {}).get("data", {}).get("tag")


class Api:
    """One keep-alive connection."""

    def __init__(self, rig, token=None, **headers):
        self.port, self.headers = rig.server.port, {k.replace("_", "-"): v for k, v in headers.items()}
        self.link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20 * SLOW)
        if token:
            self.headers["Authorization"] = "Bearer " + token

    def ask(self, path, params=None, method="POST", raw=None, **headers):
        body = raw if raw is not None else json.dumps(params or {})
        headers = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.link.request(method, path, body if method == "POST" else None, headers)
        return Answer(self.link.getresponse())

    def __call__(self, method, params=None, **headers):
        return self.ask("/v1/" + method, params, **headers)


def expect(condition, what):
    if not condition:
        raise Failed(f"expected {what}")


def refused(answer, status, tag):
    expect((answer.status, answer.tag) == (status, tag), f"{status} {tag}, got {answer.status} {answer.raw[:200]}")
    error = answer.body["error"]
    expect(set(answer.body) == {"error"} and {"code", "message", "data"} <= set(error), f"one form, got {answer.raw}")
    expect(error["data"]["class"] in ("permanent", "retry"), "a class")


def key_add(rig, *more):
    done = run_program("deskbell", "key", "add", "--data", rig.server.data, "--app", rig.app, "--json", *more)
    return json.loads(done.stdout)


def text(conv=None, words="hello", **more):
    place = {"conv": conv} if conv else {"key": "main"}
    return {"cmid": new_cmid(), "kind": "text", "text": words, **place, **more}


# ---- users

def a_user_token_sends_and_reads_over_http_what_a_socket_sees(rig):
    ann = rig.customer("ann")
    api = Api(rig, ann.token)
    message = text(ann.conv, "over http")
    first, again = api("message.send", message), api("message.send", message)
    expect(first.status == 200 and first.body["seq"] == 1 and "dup" not in first.body, f"seq 1, got {first.raw}")
    expect(again.body == {**first.body, "dup": True}, f"the same answer with dup, got {again.raw}")
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        entries, _ = wire.read_log(ann.conv)
    page = api("entries.read", {"conv": ann.conv}).body
    expect([e["text"] for e in entries] == ["over http"] and page["entries"] == entries, "the same entries both ways")
    expect(api("feed.read", {"rev": 0}).body["rows"][0]["conv"] == ann.conv, "the feed")


def a_message_over_http_reaches_open_sockets(rig):
    ann = rig.customer("live")
    with Wire(rig.server.port) as wire:
        wire.open_session(ann.token)
        Api(rig, ann.token)("message.send", text(ann.conv, "ping"))
        event = wire.wait_event(lambda e: e["method"] == "entry")
    expect(event["params"]["text"] == "ping", "the entry as an event")


def a_new_user_is_made_by_the_first_write_and_reads_nothing_before(rig):
    api = Api(rig, rig.user_token("fresh"))
    expect(api("feed.read", {"rev": 0}).body["rows"] == [], "an empty feed")
    opened = api("conversation.open", {})
    expect(opened.body.get("made") is True, f"made, got {opened.raw}")
    expect(len(api("feed.read", {"rev": 0}).body["rows"]) == 1, "one row")


def what_is_not_the_callers_is_not_found_with_the_same_bytes_as_what_is_not_there(rig):
    ann, bob = rig.customer("ann"), Api(rig, rig.user_token("bob"))
    nowhere = "cnv_0000000000001"
    for method, params in (("entries.read", {}), ("message.send", {"cmid": new_cmid(), "kind": "text", "text": "x"})):
        mine, none = (bob(method, {**params, "conv": conv}) for conv in (ann.conv, nowhere))
        refused(mine, 404, "not_found")
        expect(mine.raw == none.raw, "equal bytes")


def tokens_that_prove_nothing_are_refused(rig):
    good = rig.user_token("ann")
    head, claims, signature = good.split(".")
    forged = user_token(b"x" * 32, rig.made["kid"], rig.app, "ann")
    cases = ["", "x", good[:-2] + "AA", f"{head}.{claims}.", forged, "dbs_nobody", "dba_nobody", "dbb_nobody",
             "dbh_nobody", user_token(rig.secret, "other", rig.app, "ann"),
             user_token(rig.secret, rig.made["kid"], "app_0000000000001", "ann"),
             user_token(rig.secret, rig.made["kid"], rig.app, "ann", use="webhook")]
    for token in cases:
        answer = Api(rig, token)("feed.read", {"rev": 0})
        expect(answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer", f"401 for {token[:20]!r}")
    now = int(time.time())
    expired = rig.user_token("ann", iat=now - 3600, exp=now - 600)
    refused(Api(rig, expired)("feed.read", {"rev": 0}), 401, "token_expired")
    refused(Api(rig)("feed.read", {"rev": 0}), 401, "auth_required")
    refused(Api(rig, Authorization="Basic " + good)("feed.read", {"rev": 0}), 401, "auth_required")


def a_token_in_the_address_is_refused_even_when_it_is_good(rig):
    api = Api(rig, rig.user_token("ann"))
    refused(api.ask("/v1/feed.read?token=" + rig.user_token("ann"), {"rev": 0}), 401, "auth_required")
    refused(Api(rig, rig.user_token("ann")).ask("/v1/feed.read?", {"rev": 0}), 401, "auth_required")


# ---- http_token

def an_http_token_is_good_during_its_session_and_after_it(rig):
    ann = rig.customer("ann")
    with Wire(rig.server.port) as wire:
        token = wire.open_session(ann.token)["http_token"]
        expect(Api(rig, token)("entries.read", {"conv": ann.conv}).status == 200, "reads")
        expect(Api(rig, token)("message.send", text(ann.conv)).status == 200, "writes")
    expect(Api(rig, token)("entries.read", {"conv": ann.conv}).status == 200, "reads for ten minutes more")


def a_visitors_http_token_acts_as_that_visitor_alone(rig):
    ann = rig.customer("ann")
    with Wire(rig.server.port) as wire:
        session = wire.open_session(visitor={"app": rig.app})
        api = Api(rig, session["http_token"])
        sent = api("message.send", text(None, "from a visitor"))
        expect(sent.status == 200 and sent.body["conv"], f"sent, got {sent.raw}")
        entry = api("entries.read", {"conv": sent.body["conv"]}).body["entries"][0]
        expect(entry["author"] == session["principal"], "the visitor is the author")
        refused(api("entries.read", {"conv": ann.conv}), 404, "not_found")


def an_http_token_dies_with_the_access_of_its_principal(rig):
    ann, kim = rig.customer("gone"), rig.agent("Gone")
    tokens = []
    for person, noun in ((ann, "customer"), (kim, "agent")):
        for ends_before in (True, False):
            wire = Wire(rig.server.port)
            tokens.append(wire.open_session(person.token)["http_token"])
            expect(Api(rig, tokens[-1])("feed.read", {"rev": 0}).status == 200, "good before")
            if ends_before:
                wire.close()
        run_program("deskbell", noun, "revoke", "--data", rig.server.data, person.principal)
    for token in tokens:
        refused(Api(rig, token)("feed.read", {"rev": 0}), 401, "token_invalid")
    refused(Api(rig, ann.token)("feed.read", {"rev": 0}), 401, "revoked")
    refused(Api(rig, ann.token)("conversation.open", {}), 401, "revoked")
    refused(Api(rig, kim.token)("feed.read", {"rev": 0}), 401, "token_invalid")


def an_http_token_opens_no_session(rig):
    ann = rig.customer("ann")
    with Wire(rig.server.port) as wire:
        token = wire.open_session(ann.token)["http_token"]
    with Wire(rig.server.port) as wire:
        try:
            wire.open_session(token)
        except WireError as e:
            expect(e.tag == "token_invalid", f"token_invalid, got {e}")
            return
    raise Failed("a session was opened")


# ---- app keys and bot keys

def an_app_key_writes_for_a_user_it_names_and_makes_him_when_he_is_new(rig):
    api = Api(rig, key_add(rig, "--app-key", "--label", "shop")["key"])
    conv = api("conversation.open", {"act_as": "user:order-42", "key": "orders"}).body["row"]["conv"]
    sent = api("message.send", text(conv, "shipped?", act_as="user:order-42"))
    expect(sent.status == 200 and sent.body["seq"] == 1, f"sent, got {sent.raw}")
    with Wire(rig.server.port) as wire:
        me = wire.open_session(rig.user_token("order-42"))["principal"]
        entries, _ = wire.read_log(conv)
    expect([e["author"] for e in entries] == [me], "written as that user")
    expect(api("message.send", text(conv, "again", act_as=me)).body["seq"] == 2, "the same user by our id")


def an_app_key_needs_act_as_and_nobody_else_may_say_it(rig):
    ann = rig.customer("ann")
    api = Api(rig, key_add(rig, "--app-key")["key"])
    refused(api("message.send", text(ann.conv)), 400, "bad_request")
    for wrong in ("agt_0000000000001", "sys", "user:", "nobody", "user:" + "x" * 129):
        refused(api("message.send", text(ann.conv, act_as=wrong)), 400, "bad_request")
    refused(api("message.send", text(ann.conv, act_as="usr_0000000000001")), 404, "not_found")
    refused(api("entries.read", {"conv": ann.conv}), 403, "forbidden")
    refused(api("conversation.list", {}), 403, "forbidden")
    refused(Api(rig, ann.token)("message.send", text(ann.conv, act_as=ann.principal)), 400, "bad_request")
    refused(Api(rig, rig.user_token("bob"))("message.send", text(ann.conv, act_as=ann.principal)), 400, "bad_request")


def an_app_key_stays_in_the_conversations_of_its_app(rig):
    other = json.loads(run_program("deskbell", "app", "add", "--data", rig.server.data, "--name", "Other",
                                   "--json").stdout)["app"]
    ann = rig.customer("ann")
    done = run_program("deskbell", "key", "add", "--data", rig.server.data, "--app", other, "--app-key", "--json")
    api = Api(rig, json.loads(done.stdout)["key"])
    refused(api("message.send", text(ann.conv, act_as="user:ann")), 404, "not_found")
    with Wire(rig.server.port) as wire:
        visitor = wire.open_session(visitor={"app": rig.app})["principal"]
    refused(api("conversation.open", {"act_as": visitor}), 404, "not_found")


def a_bot_writes_in_public_and_never_meets_the_teams_log(rig):
    ann, kim = rig.customer("bot-friend"), rig.agent("Kim")
    made = key_add(rig, "--bot", "Robin")
    api = Api(rig, made["key"])
    with Wire(rig.server.port) as bot, Wire(rig.server.port) as agent:
        expect(bot.open_session(made["key"])["principal"] == made["bot"], "a session as the bot")
        agent.open_session(kim.token)
        bot.call("conversation.watch", {"conv": ann.conv})
        agent.call("message.send", text(ann.conv, "a secret note", log="team"))
        sent = bot.call("message.send", text(ann.conv, "hello, I am Robin"))
        event = bot.wait_event(lambda e: e["method"] == "entry")
        expect(event["params"].get("seq") == sent["seq"], f"the public entry first, got {event}")
        for call in (lambda: bot.call("message.send", text(ann.conv, "n", log="team")),
                     lambda: bot.call("entries.read", {"conv": ann.conv, "log": "team"})):
            try:
                call()
            except WireError as e:
                expect(e.tag == "forbidden", f"forbidden, got {e}")
            else:
                raise Failed("a bot met the team's log")
        expect(not any("note" in json.dumps(e) for e in bot.events), "no note among its events")
    refused(api("entries.read", {"conv": ann.conv, "log": "team"}), 403, "forbidden")
    refused(api("conversation.list", {}), 403, "forbidden")
    expect(api("message.send", text(ann.conv, "over http")).status == 200, "the bot over HTTP")
    app = Api(rig, key_add(rig, "--app-key")["key"])
    expect(app("message.send", text(ann.conv, "by the back end", act_as=made["bot"])).status == 200, "as the bot")
    refused(app("message.send", text(ann.conv, "n", act_as=made["bot"], log="team")), 403, "forbidden")
    authors = [e["author"] for e in Api(rig, ann.token)("entries.read", {"conv": ann.conv}).body["entries"]]
    expect(authors.count(made["bot"]) == 3, f"three messages of the bot, got {authors}")


def a_second_key_for_the_same_bot_is_the_same_bot(rig):
    expect(key_add(rig, "--bot", "Twin")["bot"] == key_add(rig, "--bot", "Twin")["bot"], "one bot, two keys")


def a_key_taken_back_is_refused_at_once_and_its_sockets_close(rig):
    app, bot = key_add(rig, "--app-key"), key_add(rig, "--bot", "Leaver")
    api = Api(rig, app["key"])
    expect(api("conversation.open", {"act_as": "user:ann"}).status == 200, "good before")
    with Wire(rig.server.port) as wire:
        token = wire.open_session(bot["key"])["http_token"]
        for key in (app, bot):
            run_program("deskbell", "key", "remove", "--data", rig.server.data, key["access"])
        refused(api("conversation.open", {"act_as": "user:ann"}), 401, "token_invalid")
        refused(Api(rig, token)("feed.read", {"rev": 0}), 401, "token_invalid")
        try:
            while True:
                wire.read_message(5 * SLOW)
        except WireClosed as e:
            expect(e.code == 4004, f"4004, got {e.code}")
    listed = run_program("deskbell", "key", "list", "--data", rig.server.data, "--app", rig.app).stdout
    expect(app["access"] not in listed and bot["access"] not in listed, "gone from the list")


def a_removed_signing_key_is_refused_at_once(rig):
    made = key_add(rig, "--kid", "brief")
    token = user_token(base64.b64decode(made["signing_key"]), "brief", rig.app, "ann")
    api = Api(rig, token)
    expect(api("feed.read", {"rev": 0}).status == 200, "good before")
    run_program("deskbell", "key", "remove", "--data", rig.server.data, "--app", rig.app, "brief")
    refused(api("feed.read", {"rev": 0}), 401, "token_invalid")


def held_bytes(rig):
    """(name, content) of every file of the rig; the server may take one away meanwhile."""
    for folder, _, names in os.walk(rig.folder):
        for name in names:
            try:
                if os.path.isfile(os.path.join(folder, name)):
                    with open(os.path.join(folder, name), "rb") as f:
                        yield name, f.read()
            except FileNotFoundError:
                pass


def keys_are_nowhere_in_the_data_folder_or_the_log(rig):
    key = key_add(rig, "--app-key")["key"]
    Api(rig, key)("conversation.open", {"act_as": "user:ann"})
    Api(rig, key + "x")("conversation.open", {"act_as": "user:ann"})
    with Wire(rig.server.port) as wire:
        token = wire.open_session(rig.user_token("ann"))["http_token"]
    for name, held in held_bytes(rig):
        expect(key.encode() not in held and token.encode() not in held, f"no secret in {name}")


# ---- Idempotency-Key

def an_idempotency_key_is_the_cmid(rig):
    ann = rig.customer("keyed")
    api, cmid = Api(rig, ann.token), new_cmid()
    dashed = f"{cmid[:8]}-{cmid[8:12]}-{cmid[12:16]}-{cmid[16:20]}-{cmid[20:]}".upper()
    message = {"conv": ann.conv, "kind": "text", "text": "once"}
    first = api("message.send", message, Idempotency_Key=cmid)
    again = api("message.send", message, Idempotency_Key=dashed)
    both = api("message.send", {**message, "cmid": cmid}, Idempotency_Key=cmid)
    expect(first.status == 200 and again.body == both.body == {**first.body, "dup": True}, "one message")
    refused(api("message.send", {**message, "text": "else"}, Idempotency_Key=cmid), 409, "idempotency_conflict")
    refused(api("message.send", {**message, "cmid": new_cmid()}, Idempotency_Key=cmid), 400, "bad_request")
    for bad in ("x", "0" * 32, cmid + "0", cmid[:-1] + "g"):
        refused(api("message.send", message, Idempotency_Key=bad), 400, "bad_request")
    refused(api("message.send", message), 400, "bad_request")
    for broken in ("", "[]", "{", "null", '{"cmid"', '{"\\u0061":1}', '{"a":1,"\\u0061":2}'):
        answer = api.ask("/v1/message.send", raw=broken, Idempotency_Key=cmid)
        expect(answer.status == 400, f"400 for {broken!r}, got {answer.status}")
    expect(len(api("entries.read", {"conv": ann.conv}).body["entries"]) == 1, "one entry in the end")


def many_clients_with_one_key_make_one_message(rig):
    ann = rig.customer("crowd")
    cmid = new_cmid()

    def send(_):
        return Api(rig, ann.token)("message.send", {"conv": ann.conv, "kind": "text", "text": "one"},
                                   Idempotency_Key=cmid)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(64)))
    expect(all(a.status == 200 and a.body["seq"] == 1 for a in answers), "all the same place")
    expect(sum("dup" not in a.body for a in answers) == 1, "one of them the first")


# ---- how it looks

def every_refusal_has_the_one_form(rig):
    ann = rig.customer("ann")
    api = Api(rig, ann.token)
    refused(api("no.such", {}), 404, "unknown_method")
    refused(api("session.open", {}), 404, "unknown_method")
    refused(api("app.add", {"cmid": new_cmid(), "name": "x"}), 404, "unknown_method")
    refused(api.ask("/nothing", {}), 404, "unknown_method")
    for verb in ("GET", "PUT", "DELETE", "PATCH"):
        refused(Api(rig, ann.token).ask("/v1/feed.read", method=verb), 405, "method_not_allowed")
    refused(api("feed.read", {"rev": -1}), 400, "bad_request")
    refused(api("feed.read", {"rev": 0, "more": 1}), 400, "bad_request")
    refused(api.ask("/v1/feed.read", raw="{"), 400, "parse_error")
    refused(Api(rig, ann.token).ask("/v1/message.send", raw=" " * 65537), 413, "too_large")
    refused(api("conversation.list", {}), 403, "forbidden")


def a_body_without_a_length_is_refused(rig):
    link = http.client.HTTPConnection("127.0.0.1", rig.server.port, timeout=20 * SLOW)
    link.putrequest("POST", "/v1/feed.read")
    link.putheader("Authorization", "Bearer " + rig.user_token("ann"))
    link.endheaders()
    refused(Answer(link.getresponse()), 411, "length_required")


def bodies_that_are_nearly_json_never_get_through(rig):
    ann = rig.customer("ann")
    api = Api(rig, ann.token)
    bodies = ['{"rev":0,"rev":0}', '{"rev":0}x', '{"rev":1e3}', '{"rev":NaN}', '{"rev":"0"}', '{"rev":0.0}',
              '{"rev":9007199254740993}', '[' * 17 + ']' * 17, '{"rev":0,"a\u0000":1}', '\ud83d', '{"rev":0,}']
    for body in bodies:
        answer = api.ask("/v1/feed.read", raw=body.encode("utf-8", "surrogatepass"))
        expect(answer.status == 400 and answer.tag in ("bad_request", "parse_error"), f"400 for {body!r}: {answer.raw}")
    expect(api("feed.read", {"rev": 0}).status == 200, "the connection still serves")


def pages_of_the_apps_origins_may_call_and_no_others(rig):
    app = json.loads(run_program("deskbell", "app", "add", "--data", rig.server.data, "--name", "Web", "--origin",
                                 GOOD_ORIGIN, "--json").stdout)["app"]
    done = run_program("deskbell", "key", "add", "--data", rig.server.data, "--app", app, "--json")
    made = json.loads(done.stdout)
    token = user_token(base64.b64decode(made["signing_key"]), made["kid"], app, "ann")
    for origin in (GOOD_ORIGIN, OTHER_ORIGIN, "null", "https://shop.exampl", "http://shop.example"):
        good = origin == GOOD_ORIGIN
        flight = Api(rig).ask("/v1/message.send", method="OPTIONS", Origin=origin,
                              Access_Control_Request_Method="POST")
        expect(flight.status == 204, f"204, got {flight.status}")
        answers = [flight, Api(rig, token)("feed.read", {"rev": 0}, Origin=origin),
                   Api(rig, "x")("feed.read", {"rev": 0}, Origin=origin)]
        for answer in answers:
            allowed = answer.headers["Access-Control-Allow-Origin"]
            expect(allowed == (origin if good else None), f"{origin}: {allowed}")
            expect(answer.headers["Access-Control-Allow-Credentials"] is None, "no credentials")
            expect("Origin" in (answer.headers["Vary"] or ""), "caches know")
        expect((flight.headers["Access-Control-Allow-Headers"] is not None) == good, "the headers it may send")
    foreign = Api(rig, rig.user_token("ann"))("feed.read", {"rev": 0}, Origin=GOOD_ORIGIN)
    expect(foreign.status == 200 and foreign.headers["Access-Control-Allow-Origin"] is None, "another app's page")


def a_cookie_proves_nothing(rig):
    ann = rig.customer("ann")
    refused(Api(rig, Cookie="session=" + ann.token)("feed.read", {"rev": 0}), 401, "auth_required")


def many_requests_on_many_connections_are_all_answered(rig):
    ann = rig.customer("busy")

    def work(n):
        api = Api(rig, ann.token)
        return [api("message.send", text(ann.conv, f"{n}.{i}")).body["seq"] for i in range(20)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seqs = [s for part in pool.map(work, range(8)) for s in part]
    expect(sorted(seqs) == list(range(1, 161)), "160 places, each once")


def clients_that_leave_before_their_answer_disturb_nobody(rig):
    ann = rig.customer("ann")
    for _ in range(50):
        api = Api(rig, ann.token)
        api.link.request("POST", "/v1/conversation.open", "{}", api.headers)
        api.link.close()
    expect(Api(rig, ann.token)("conversation.open", {}).status == 200, "still served")


# ---- limits, on a server that has them

def writes_over_http_have_the_budget_of_a_socket(rig):
    bob, app = Api(rig, rig.user_token("bob")), key_add(rig, "--app-key")["key"]
    answers = [bob("message.send", text(None, str(i))) for i in range(12)]
    limited = [a for a in answers if a.status == 429]
    expect(limited and sum(a.status == 200 for a in answers) >= 5, f"some limited: {[a.status for a in answers]}")
    refused(limited[0], 429, "rate_limited")
    expect(int(limited[0].headers["Retry-After"]) >= 1, "told when")
    expect(Api(rig, rig.user_token("carl"))("message.send", text(None)).status == 200, "others go on")
    for i in range(12):
        answer = Api(rig, app)("message.send", text(None, "x", act_as=f"user:acted-{i}"))
        expect(answer.status == 200, f"a back end has a budget for each user, got {answer.raw}")


def find_tests():
    """Every function of this file that takes the rig alone, in its order."""
    found = [f for f in globals().values() if getattr(f, "__module__", "") == __name__ and hasattr(f, "__code__")]
    return [f for f in found if f.__code__.co_varnames[:f.__code__.co_argcount] == ("rig",) and
            not f.__code__.co_flags & 4]


def run():
    def only(test):
        return len(sys.argv) < 2 or sys.argv[1] in test.__name__
    tests = [f for f in find_tests() if only(f)]
    with Rig("http-api") as rig:
        rig.has_verdict = True  # no history is kept here: nothing for the checker to look at
        rig.start_server()
        for test in tests:
            if test is not writes_over_http_have_the_budget_of_a_socket:
                test(rig)
                print("ok", test.__name__, flush=True)
        expect(rig.server.stop() == 0, "an orderly end")
        rig.check_logs()
    if writes_over_http_have_the_budget_of_a_socket in tests:
        with Rig("http-limits") as rig:
            rig.start_server(env={"DESKBELL_RATE_MESSAGES_PER_S": "1", "DESKBELL_RATE_BURST": "5"})
            writes_over_http_have_the_budget_of_a_socket(rig)
            print("ok writes_over_http_have_the_budget_of_a_socket")
            expect(rig.server.stop() == 0, "an orderly end")


if __name__ == "__main__":
    main(run)
