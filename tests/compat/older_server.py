#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""This library against a server that is older: everything but the first version's core is answered `unknown_method`.
Talking works; what the server does not have fails once and clearly, or waits, and never in a circle."""
import tempfile

from script import AGENT, CONV, Server, Told, client, deskbell, refused, run_tests

from deskbell import ErrorCode, MessageState


class WithFiles(Server):
    """Has the road for files, but not the method."""

    def do_session_open(self, params):
        return {**super().do_session_open(params), "http_token": "http-token-1"}


class ForAgents(Server):
    def do_session_open(self, params):
        return {**super().do_session_open(params), "principal": AGENT}

    def do_conversation_watch(self, _params):
        return {"row": self.row()}


def online(server, told, user):
    user.connect()
    told.wait("it is online", lambda: told.is_online and told.state.caught_up)
    return server


def a_round_trip(server, told, main, text):
    """Sent, stored, given: what was asked before it has its answer."""
    main.send(text)
    told.wait_entry(text)
    told.wait("it is sent", lambda: any(m.text == text and m.state == MessageState.SENT for m in told.messages))


def talking_works():
    server, told = Server(), Told()
    with client(server, told) as user:
        main = user.open_conversation()
        online(server, told, user)
        a_round_trip(server, told, main, "hello")
        server.write(AGENT, kind="text", text="hello, too")
        told.wait_entry("hello, too")
        main.edit(1, 1, "hello!")
        main.erase(1)
        main.typing()
        main.mark_read(2)
        told.wait("both changes are sent", lambda: told.count(MessageState.SENT) == 3)
        assert [e["kind"] for e in server.log] == ["text", "text", "edit", "erase"]
        assert user.status().queued == 0


def a_push_token_is_told_once_and_no_more():
    server, told = Server(), Told()
    with client(server, told) as user:
        main = user.open_conversation()
        user.set_push(deskbell.Push.FCM, "token")
        online(server, told, user)
        for text in ("one", "two"):
            a_round_trip(server, told, main, text)
        assert server.count("device.push") == 1, server.count("device.push")
        server.hang_up(1001)
        told.wait("it is away", lambda: not told.is_online)
        user.network_changed()
        told.wait("it is back", lambda: told.is_online)
        a_round_trip(server, told, main, "three")
        assert server.count("device.push") <= 2, "at most once more in another session"


def a_search_is_refused_once():
    server, told, pages = Server(), Told(), []
    with client(server, told) as user:
        user.open_conversation()
        online(server, told, user)
        user.search("lamp", lambda page: told.note(lambda: pages.append(page)))
        told.wait("the search ends", lambda: pages)
    assert [p.error for p in pages] == [ErrorCode.REFUSED] and server.count("search.entries") == 1


def a_file_fails_and_says_why_and_texts_go_on():
    server, told = WithFiles(), Told()
    with tempfile.TemporaryDirectory(prefix="deskbell-older-") as folder, client(server, told, folder) as user:
        main = user.open_conversation()
        online(server, told, user)
        main.send_file(deskbell.FileSource(bytes=b"bytes", name="a.txt"))
        told.wait("it has failed", lambda: told.count(MessageState.FAILED) == 1)
        assert [m.tag for m in told.messages if m.state == MessageState.FAILED] == ["unknown_method"]
        a_round_trip(server, told, main, "without a file")
        assert server.count("upload.begin") == 1


def a_file_waits_where_there_is_no_road_for_files_and_can_be_given_up():
    server, told = Server(), Told()
    with tempfile.TemporaryDirectory(prefix="deskbell-older-") as folder, client(server, told, folder) as user:
        main = user.open_conversation()
        online(server, told, user)
        cmid = main.send_file(deskbell.FileSource(bytes=b"bytes", name="a.txt"))
        a_round_trip(server, told, main, "before it")
        assert told.count(MessageState.UPLOADING) >= 1 and server.count("upload.begin") == 0
        user.upload_cancel(cmid)
        told.wait("it is given up", lambda: told.count(MessageState.FAILED) == 1)
        refused(ErrorCode.NOT_FOUND, user.upload_cancel, cmid)


def an_agent_without_presence_works():
    server, told = ForAgents(), Told()
    with deskbell.Client(url="ws://127.0.0.1:9", app="app_0000000000009", agent_token="agent", transport=server,
                         **told.listen()) as user:
        server.write("usr_0000000000001", kind="text", text="help")
        main = user.open_conversation_id(CONV)
        user.set_presence(deskbell.Availability.HERE)
        user.connect()
        told.wait_entry("help")
        main.send("coming")
        told.wait("it is sent", lambda: told.count(MessageState.SENT) == 1)
        assert server.count("presence.set") == 1, server.count("presence.set")


TESTS = [talking_works, a_push_token_is_told_once_and_no_more, a_search_is_refused_once,
         a_file_fails_and_says_why_and_texts_go_on, a_file_waits_where_there_is_no_road_for_files_and_can_be_given_up,
         an_agent_without_presence_works]

if __name__ == "__main__":
    raise SystemExit(run_tests(TESTS))
