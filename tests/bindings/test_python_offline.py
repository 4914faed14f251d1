#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python binding without a server: what is refused, who owns what, and every way to end a client."""
import asyncio
import gc
import os
import select
import subprocess
import sys
import threading
import time

from python_path import HERE, Folder, Told, refused, run_tests

import deskbell
from deskbell import ErrorCode, MessageState


def options(told, folder=None, **more):
    return {"url": "ws://127.0.0.1:9", "app": "app_0000000000009", "token": "token", "data_dir": folder,
            **told.listen(), **more}


def what_the_c_function_refuses_is_raised():
    told = Told()
    refused(ErrorCode.INVALID, deskbell.Client, **options(told, app="nonsense"))
    with deskbell.Client(**options(told)) as client:
        main = client.open_conversation()
        for code, call in [(ErrorCode.TEXT, lambda: main.send("")), (ErrorCode.TEXT, lambda: main.send("a\0b")),
                           (ErrorCode.TEXT, lambda: main.send("\ud800")),
                           (ErrorCode.TOO_LONG, lambda: main.send("a" * 40001)),
                           (ErrorCode.INVALID, lambda: main.edit(0, 1, "x")),
                           (ErrorCode.NOT_FOUND, lambda: main.edit(7, 1, "x")),
                           (ErrorCode.NOT_FOUND, lambda: main.erase(7)),
                           (ErrorCode.NOT_FOUND, lambda: client.retry(client.cmid_new())),
                           (ErrorCode.NOT_FOUND, lambda: client.forget(client.cmid_new())),
                           (ErrorCode.INVALID, lambda: client.open_conversation("a\0b")),
                           (ErrorCode.INVALID, lambda: client.open_conversation_id("cnv_x")),
                           (ErrorCode.STATE, lambda: main.entry_done(deskbell.Log.PUBLIC, 1)),
                           (ErrorCode.STATE, client.dispatch), (ErrorCode.INVALID, lambda: client.set_token("")),
                           (ErrorCode.STATE, lambda: client.set_presence(deskbell.Availability.HERE)),
                           (ErrorCode.OFFLINE, lambda: client.search("lamp", print)),
                           (ErrorCode.INVALID, lambda: main.history(print, limit=0)),
                           (ErrorCode.INVALID, lambda: main.send_file([])),
                           (ErrorCode.NOT_FOUND, lambda: main.send_file("/nowhere/at/all")),
                           (ErrorCode.NOT_FOUND, lambda: client.upload_cancel(client.cmid_new())),
                           (ErrorCode.NOT_FOUND, lambda: client.file_fetch_cancel(77))]:
            refused(code, call)
        assert client.fileno() == -1
        assert str(deskbell.Error(ErrorCode.TEXT)).startswith("the text is empty")
        assert deskbell.Error(-999).code == -999


def a_message_id_is_used_once_and_an_outbox_survives_its_client():
    with Folder() as folder:
        first, second = Told(), Told()
        with deskbell.Client(**options(first, folder)) as client:
            refused(ErrorCode.LOCKED, deskbell.Client, **options(second, folder))
            cmid = client.cmid_new()
            assert client.open_conversation().send("kept", cmid=cmid) == cmid
            refused(ErrorCode.EXISTS, client.open_conversation().send, "kept", cmid=cmid)
            assert client.status().queued == 1
        with deskbell.Client(**options(second, folder)) as client:
            main = client.open_conversation()
            second.wait("told again", lambda: second.messages and second.opened)
            message = second.messages[0]
            assert message.text == "kept" and message.cmid == cmid and message.is_again
            assert message.conversation is main and message.state == MessageState.QUEUED and client.owns(main)


def an_answer_to_a_survey_is_checked_and_waits_in_the_outbox():
    choices = [deskbell.Choice("slow", "Too slow"), deskbell.Choice("rude", "Unkind")]
    question = deskbell.SurveyQuestion("why", "choices", "What was it?", choices, 0, 0, "", "", False, 0, 3)
    survey = deskbell.Survey("off_0000000000001", "sur_0000000000001", 1, "csat", "stars", 1, 5, "", "", [question], "More?", "",
                             "", "", "", deskbell.SurveyState.WAITING, 2 ** 50, None, "", [], None, False)
    said = deskbell.SurveySaid("why", chosen=["rude", "slow"])
    assert deskbell.survey_check(survey, score=2, said="no", answers=[said]) is None
    assert deskbell.survey_check(survey) == ""
    assert deskbell.survey_check(survey, score=6) == "score"
    assert deskbell.survey_check(survey, wants_contact=True) == "contact"
    assert deskbell.survey_check(survey, answers=[deskbell.SurveySaid("why", number=3)]) == "why"
    refused(ErrorCode.TEXT, deskbell.survey_check, survey, said="a\0b")
    told = Told()
    with deskbell.Client(**options(told)) as client:
        main = client.open_conversation()
        cmid = main.survey_answer(7, score=2, answers=[said, deskbell.SurveySaid("easy", number=4)], wants_contact=True)
        told.wait("it waits", lambda: told.messages)
        assert told.messages[0].cmid == cmid and told.messages[0].rated_seq == 7
        assert told.messages[0].text == "2\nrude, slow\n4\n☑ ☎"
        refused(ErrorCode.INVALID, main.survey_answer, 0, score=2)


def a_file_under_a_key_opens_under_that_key_only():
    with Folder() as folder:
        key, other = bytes(range(32)), bytes(range(100, 132))
        with deskbell.Client(**options(Told(), folder, store_key=key)) as client:
            client.open_conversation().send("between us")
        refused(ErrorCode.KEY, deskbell.Client, **options(Told(), folder))
        refused(ErrorCode.KEY, deskbell.Client, **options(Told(), folder, store_key=other))
        refused(ErrorCode.INVALID, deskbell.Client, **options(Told(), folder, store_key=key[:31]))
        with deskbell.Client(**options(Told(), folder, store_key=key)) as client:
            refused(ErrorCode.INVALID, client.change_store_key, b"short")
            client.change_store_key(other)
        refused(ErrorCode.KEY, deskbell.Client, **options(Told(), folder, store_key=key))
        with deskbell.Client(**options(Told(), folder, store_key=other)) as client:
            assert client.status().queued == 1
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                assert b"between us" not in file.read()


def answers_are_plugged_in_by_the_name_of_their_library():
    path = os.path.join(os.path.dirname(os.environ["DESKBELL_LIBRARY"]), "answers", "libdeskbell-answers.so.0")
    told = Told()
    refused(ErrorCode.INVALID, deskbell.Client, **options(told, answers="/nowhere/at/all.so", on_device_answer=print))
    refused(ErrorCode.INVALID, deskbell.Client, **options(told, answers=os.environ["DESKBELL_LIBRARY"],
                                                          on_device_answer=print))  # it has no such table
    if not os.path.exists(path):
        print("libdeskbell-answers is not built here")
        return
    with deskbell.Client(**options(told, answers=path, on_device_answer=print)) as client:
        client.open_conversation().send("nothing was fetched: nothing is answered")


def who_waits_for_the_disk_finds_the_message_queued_when_the_call_returns():
    told = Told()
    with Folder() as folder, deskbell.Client(**options(told, folder, callbacks_by_dispatch=True)) as client:
        main = client.open_conversation()
        first = main.send("on disk", wait_for_disk=True)
        client.dispatch()
        assert [(m.cmid, m.state) for m in told.messages] == [(first, MessageState.QUEUED)]
        second = main.send_file(deskbell.FileSource(bytes=b"abc"), wait_for_disk=True)
        client.dispatch()
        assert [(m.cmid, m.state) for m in told.messages[1:]] == [(second, MessageState.UPLOADING)]


def a_call_after_the_end_raises_cancelled():
    client = deskbell.Client(**options(Told()))
    main = client.open_conversation()
    client.close()
    client.close()
    for call in (client.connect, client.status, client.fileno, lambda: main.send("late"), lambda: main.id,
                 lambda: main.history(print), lambda: client.search("x", print)):
        refused(ErrorCode.CANCELLED, call)


def opened_when_free(told, folder):
    """A client of the file, which is let go a moment after its client was ended in a callback."""
    until = time.monotonic() + 60
    while True:
        try:
            return deskbell.Client(**options(told, folder))
        except deskbell.Error as e:
            assert e.code == ErrorCode.LOCKED and time.monotonic() < until
            time.sleep(0.001)


def a_client_that_nobody_names_any_more_is_closed():
    with Folder() as folder:
        client = deskbell.Client(**options(Told(), folder))
        client.open_conversation().send("x")
        del client
        gc.collect()
        deskbell.Client(**options(Told(), folder)).close()


def a_client_may_be_closed_on_its_own_thread():
    with Folder() as folder:
        told, calls = Told(), []

        def end(message):
            client.close()
            refused(ErrorCode.CANCELLED, message.conversation.send, "too late")
            told.note(lambda: calls.append(threading.current_thread()))
        client = deskbell.Client(**options(told, folder, on_message=end))
        main = client.open_conversation()
        told.wait("opened", lambda: told.opened)
        main.send("first")
        told.wait("the callback ran", lambda: calls)
        assert calls[0] is not threading.main_thread()
        with opened_when_free(Told(), folder) as again:
            assert again.status().queued == 1
        assert len(calls) == 1


def a_client_may_be_closed_inside_dispatch_and_is_gone_when_it_returns():
    with Folder() as folder:
        calls = []

        def end(message):
            calls.append(message.text)
            client.close()
        client = deskbell.Client(**options(Told(), folder, callbacks_by_dispatch=True, on_message=end))
        main = client.open_conversation()
        main.send("first", wait_for_disk=True)
        main.send("second", wait_for_disk=True)
        for _ in range(100):
            if calls:
                break
            client.dispatch(1)
        assert calls == ["first"]
        with deskbell.Client(**options(Told(), folder)) as again:  # would raise LOCKED
            assert again.status().queued == 2


def a_callback_that_raises_is_told_by_dispatch_and_the_others_run():
    calls = []

    def wrong(message):
        calls.append(message.text)
        raise KeyError(message.text)
    with deskbell.Client(**options(Told(), callbacks_by_dispatch=True, on_message=wrong)) as client:
        main = client.open_conversation()
        main.send("first")
        main.send("second")
        raised = []
        while len(calls) < 2:
            try:
                select.select([client], [], [], 60)
                client.dispatch()
            except KeyError as e:
                raised.append(e.args[0])
        assert calls == ["first", "second"] and raised[0] == "first"
        main.send("third")
        assert client.status().queued == 3


def a_callback_that_raises_on_the_clients_thread_is_told_without_its_text():
    def wrong(_):
        raise ValueError("secret")
    told = Told()
    with deskbell.Client(**options(told, on_message=wrong)) as client:
        client.open_conversation().send("secret")
        told.wait("the line", lambda: any("ValueError" in line for line in told.lines))
        assert not any("secret" in line for line in told.lines)
    told, seen = Told(), []
    with deskbell.Client(**options(told, on_message=wrong,
                                   on_exception=lambda e: told.note(lambda: seen.append(e)))) as client:
        client.open_conversation().send("x")
        told.wait("the exception", lambda: seen)
        assert seen[0].args == ("secret",)


def dispatch_inside_a_callback_and_calls_inside_on_log_are_refused():
    told, seen = Told(), []

    def inside(_):
        refused(ErrorCode.WRONG_THREAD, client.dispatch)
        seen.append("callback")

    def in_log(_, __):
        refused(ErrorCode.WRONG_THREAD, client.status)
        told.note(lambda: seen.append("log"))
    with deskbell.Client(**options(told, callbacks_by_dispatch=True, on_message=inside, on_log=in_log)) as client:
        client.open_conversation().send("x")
        while "callback" not in seen:
            select.select([client], [], [], 60)
            client.dispatch()
        client.connect()
        told.wait("a line was logged", lambda: "log" in seen)


class Refusing(deskbell.Transport):
    def __init__(self, told, raises):
        self.told, self.raises, self.urls, self.is_stopped = told, raises, [], False

    def open(self, url, subprotocol, max_message_bytes, link):
        self.told.note(lambda: self.urls.append(url))
        if self.raises:
            raise OSError("no")
        return False

    def stop(self):
        self.is_stopped = True


def a_transport_and_a_clock_of_the_applications_own_are_used():
    for raises in (False, True):
        told, now = Told(), [1000]
        plug = Refusing(told, raises)
        with deskbell.Client(**options(told, url="ws://example.invalid:1", transport=plug, mono_ms=lambda: now[0],
                                       wall_ms=lambda: 1700000000000 + now[0],
                                       random=lambda size: b"\x5a" * size)) as client:
            assert client.cmid_new().endswith("5a5a5a5a5a5a")
            client.connect()
            told.wait("waiting", lambda: told.state and told.state.connection == deskbell.Connection.WAITING)
            assert told.state.retry_in_ms > 0 and told.state.why == "network"
            now[0] += told.state.retry_in_ms + 1
            client.tick()
            told.wait("tried again", lambda: len(plug.urls) == 2)
            assert not plug.is_stopped
        assert plug.is_stopped and plug.urls[0] == "ws://example.invalid:1/v1/ws"


def an_asyncio_loop_runs_the_callbacks_in_its_own_thread():
    told, threads, wrong = Told(), set(), []

    def note(message):
        threads.add(threading.current_thread())
        told.messages.append(message)
        if message.text == "wrong":
            raise KeyError("wrong")

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context["exception"]))
        async with deskbell.AsyncClient(**options(told, on_message=note)) as client:
            client.open_conversation().send("wrong")
            client.open_conversation().send("right")
            client.connect()
            state = await asyncio.wait_for(client.wait_state(lambda s: s.why == "network"), 60)
            assert state.connection == deskbell.Connection.WAITING
            waiting = asyncio.ensure_future(client.wait_state(lambda s: False))
            await asyncio.sleep(0)
            client.close()
            try:
                await waiting
            except deskbell.Error as e:
                assert e.code == ErrorCode.CANCELLED
                return
            raise AssertionError("a state that never came")
    asyncio.run(run())
    assert threads == {threading.main_thread()}
    assert [m.text for m in told.messages] == ["wrong", "right"] and isinstance(wrong[0], KeyError)


def an_interpreter_that_ends_with_a_client_open_ends_well():
    text = ("import sys; sys.path.insert(0, sys.argv[1]); import python_path, deskbell\n"
            "kept = deskbell.Client(url='ws://127.0.0.1:9', app='app_0000000000009', token='t', "
            "on_state=lambda s: kept, on_message=lambda m: kept)\n"
            "kept.open_conversation().send('x'); kept.connect(); print('end')")
    done = subprocess.run([sys.executable, "-c", text, HERE], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout == "end\n" and done.stderr == "", done


def a_library_that_is_not_there_is_an_import_error_that_names_the_variable():
    done = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import python_path", HERE],
                          capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "DESKBELL_LIBRARY": "/nowhere/libdeskbell.so"})
    assert done.returncode == 1 and "ImportError" in done.stderr and "DESKBELL_LIBRARY" in done.stderr


sys.exit(run_tests([
    what_the_c_function_refuses_is_raised,
    a_message_id_is_used_once_and_an_outbox_survives_its_client,
    an_answer_to_a_survey_is_checked_and_waits_in_the_outbox,
    a_file_under_a_key_opens_under_that_key_only,
    answers_are_plugged_in_by_the_name_of_their_library,
    who_waits_for_the_disk_finds_the_message_queued_when_the_call_returns,
    a_call_after_the_end_raises_cancelled,
    a_client_that_nobody_names_any_more_is_closed,
    a_client_may_be_closed_on_its_own_thread,
    a_client_may_be_closed_inside_dispatch_and_is_gone_when_it_returns,
    a_callback_that_raises_is_told_by_dispatch_and_the_others_run,
    a_callback_that_raises_on_the_clients_thread_is_told_without_its_text,
    dispatch_inside_a_callback_and_calls_inside_on_log_are_refused,
    a_transport_and_a_clock_of_the_applications_own_are_used,
    an_asyncio_loop_runs_the_callbacks_in_its_own_thread,
    an_interpreter_that_ends_with_a_client_open_ends_well,
    a_library_that_is_not_there_is_an_import_error_that_names_the_variable,
], *sys.argv[1:2]))
