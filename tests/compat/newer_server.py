#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""This library against a server that is newer: members nobody knows in everything it says, notifications, kinds, errors
and close codes that came later. What is known works as ever; what is not is passed over, or shown by its fallback."""
from script import AGENT, CONV, Refusal, Server, Told, client, run_tests

from deskbell import Connection, Kind, MessageState

NEW = {"zz_new": {"deep": [1, {"a": None}], "b": "x"}, "aa_new": -1.5e3}


def with_more(value):
    """The same with members that came later, in every object."""
    if isinstance(value, dict):
        return {"aa_new": NEW["aa_new"], **{k: with_more(v) for k, v in value.items()}, "zz_new": NEW["zz_new"]}
    return [with_more(v) for v in value] if isinstance(value, list) else value


class Newer(Server):
    def __init__(self):
        self.refusals = {}  # text -> what is answered, once
        super().__init__()

    def result(self, _method, result):
        return with_more(result)

    def say(self, message):
        if message.get("method") == "entry":
            super().say({"jsonrpc": "2.0", "method": "weather", "params": {"rain": True}})
            super().say({"jsonrpc": "2.0", "method": "entry.reaction", "params": {"conv": CONV, "seq": 1}})
            message = {**message, "params": with_more(message["params"])}
        super().say(message)

    def do_session_open(self, params):
        return {**super().do_session_open(params), "features": ["holograms", "presence2"]}

    def do_message_send(self, params):
        refusal = self.refusals.pop(params.get("text"), None)
        if refusal:
            raise refusal
        return super().do_message_send(params)


def online(told, user):
    main = user.open_conversation()
    user.connect()
    told.wait("it is online", lambda: told.is_online and told.state.caught_up)
    return main


def unknown_members_and_notifications_are_passed_over():
    server, told = Newer(), Told()
    for n in range(3):
        server.write(AGENT, kind="text", text=f"before {n}")
    with client(server, told) as user:
        main = online(told, user)
        main.send("hello")
        told.wait("it is sent", lambda: told.count(MessageState.SENT) == 1)
        server.write(AGENT, kind="text", text="hello, too")
        told.wait_entry("hello, too")
        main.edit(4, 1, "hello!")
        told.wait("the edit is sent", lambda: told.count(MessageState.SENT) == 2)
        told.wait("the log is whole", lambda: [e.number for e in told.entries] == [1, 2, 3, 4, 5, 6])
        assert told.find("hello!").kind == Kind.EDIT
        assert server.count("session.open") == 1, "nothing of it ended the connection"


def an_unknown_kind_is_shown_by_its_fallback():
    server, told = Newer(), Told()
    server.write(AGENT, kind="hologram", pixels=[1, 2], fallback_text="a hologram")
    with client(server, told) as user:
        online(told, user)
        server.write(AGENT, kind="weather", fallback_text="it rains")
        server.write(AGENT, kind="silence")
        server.write(AGENT, kind="text", text="after them")
        told.wait_entry("after them")
        assert [(e.kind, e.text) for e in told.entries] == [
            (Kind.OTHER, "a hologram"), (Kind.OTHER, "it rains"), (Kind.OTHER, ""), (Kind.TEXT, "after them")]


def an_unknown_error_is_acted_on_by_its_class():
    server, told = Newer(), Told()
    server.refusals = {"never": Refusal("full_moon", code=4711),
                       "later": Refusal("new_moon", "retry", retry_after_ms=50, code=4712)}
    with client(server, told) as user:
        main = online(told, user)
        main.send("never")
        main.send("later")
        told.wait("the first has failed", lambda: told.count(MessageState.FAILED) == 1)
        told.wait("the second is sent in the end", lambda: told.count(MessageState.SENT) == 1)
        ends = {m.text: (m.state, m.tag) for m in told.messages if m.state in (MessageState.FAILED, MessageState.SENT)}
        assert ends == {"never": (MessageState.FAILED, "full_moon"), "later": (MessageState.SENT, "")}, ends


def an_unknown_close_code_is_a_lost_connection():
    server, told = Newer(), Told()
    with client(server, told) as user:
        main = online(told, user)
        for code in (4099, 4777, 3999):
            server.tell("session.closing", with_more({"tag": "moved"}))
            server.hang_up(code)
            told.wait("it is away", lambda: not told.is_online)
            assert told.state.connection not in (Connection.STOPPED, Connection.NEEDS_TOKEN), told.state
            user.network_changed()
            told.wait("it comes back", lambda: told.is_online)
        main.send("still here")
        told.wait("it is sent", lambda: told.count(MessageState.SENT) == 1)


def an_unknown_reason_to_come_later_is_kept_to():
    server, told = Newer(), Told()
    with client(server, told) as user:
        online(told, user)
        server.tell("session.closing", with_more({"tag": "eclipse", "retry_after_ms": 60000}))
        server.hang_up(4098)
        told.wait("it waits", lambda: told.state.connection == Connection.DELAYED)
        assert told.state.retry_in_ms > 50000, told.state


TESTS = [unknown_members_and_notifications_are_passed_over, an_unknown_kind_is_shown_by_its_fallback,
         an_unknown_error_is_acted_on_by_its_class, an_unknown_close_code_is_a_lost_connection,
         an_unknown_reason_to_come_later_is_kept_to]

if __name__ == "__main__":
    raise SystemExit(run_tests(TESTS))
