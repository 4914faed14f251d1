#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python binding in a conversation with a real server, both sides in this process. The rig (live.py) starts it:
    live_python.py URL APP TOKEN AGENT_TOKEN CONVERSATION FOLDER
and takes the server away and brings it back when a line on stdout asks for it. In the conversation lie, from 1: a text,
choices, a card, a form and an article of the agent."""
import asyncio
import hashlib
import os
import select
import sqlite3
import sys
import threading

from python_path import Told, refused, run_tests

import deskbell
from deskbell import Connection, ErrorCode, Kind, Log, MessageState

URL, APP, TOKEN, AGENT_TOKEN, CONVERSATION, FOLDER = sys.argv[1:7]
WRITERS, EACH = 4, 250


def ask_rig(what):
    print(f"rig: {what}", flush=True)
    assert sys.stdin.readline() == "done\n"


def customer(told, device="phone", **more):
    return {"url": URL, "app": APP, "token": TOKEN, "data_dir": os.path.join(FOLDER, device), **told.listen(), **more}


def agent(told, **more):
    return {"url": URL, "app": APP, "agent_token": AGENT_TOKEN, "data_dir": os.path.join(FOLDER, "agent"),
            **told.listen(), **more}


def every_kind_is_copied_with_all_its_parts():
    told = Told()
    with deskbell.Client(**customer(told)) as phone:
        phone.open_conversation()
        phone.connect()
        told.wait("five entries", lambda: len(told.entries) >= 5 and told.unread == 5)
        text, choices, card, form, article = told.entries[:5]
        assert (text.kind, text.number, text.text, text.name) == (Kind.TEXT, 1, "welcome", "Kim")
        assert text.author.startswith("agt_") and not text.is_mine and len(text.cmid) == 32 and text.ts_ms > 0
        assert len(text.hash) == 16 and text.epoch == told.state.epoch and text.conversation.id == CONVERSATION
        assert choices.kind == Kind.CHOICES and choices.choices[1] == deskbell.Choice("b", "Blue")
        assert (card.kind, card.title, card.link) == (Kind.CARD, "A card", "https://example.com/c")
        assert form.form == [deskbell.FormField("mail", "Your address", "email", True)]
        assert (article.kind, article.title) == (Kind.ARTICLE, "An article")
        known = phone.conversations()
        assert len(known) == 1 and known[0].key == "main" and known[0].head == 5 and known[0].unread == 5
        assert known[0].id == CONVERSATION and known[0].marks.staff_recv >= 0


def fill_in_the_form(main, form, theirs):
    assert form.kind == Kind.FORM and form.number == 4
    assert deskbell.form_check(form.form, {"mail": "nowhere"}) == "mail"
    assert deskbell.form_check(form.form, [deskbell.FormValue("mail", "ann@example.com")]) is None
    refused(ErrorCode.FORM, lambda: main.send(None, filled_seq=4, filled={"mail": "nowhere"}))
    refused(ErrorCode.INVALID, lambda: main.send(None))
    main.send(None, filled_seq=4, filled={"mail": "ann@example.com"})
    answer = theirs.wait_entry("Your address: ann@example.com")
    assert answer.kind == Kind.TEXT and answer.filled_seq == 4 and answer.pressed_seq == 0
    assert answer.filled == [deskbell.FormValue("mail", "ann@example.com")]


def a_customer_and_an_agent_talk():
    mine, theirs = Told(), Told()
    with deskbell.Client(**customer(mine)) as phone, deskbell.Client(**agent(theirs)) as desk:
        main, side = phone.open_conversation(), desk.open_conversation_id(CONVERSATION)
        phone.connect()
        desk.connect()
        mine.wait("online", lambda: mine.is_online)
        theirs.wait("online", lambda: theirs.is_online)
        cmid = main.send("my lamp is broken")
        question = theirs.wait_entry("my lamp is broken")
        assert question.cmid == cmid and question.conversation is side
        side.mark_read(question.number)
        mine.wait("read", lambda: mine.count(MessageState.READ) == 1)
        side.typing()
        mine.wait("the agent writes", lambda: mine.typings and mine.typings[0].is_typing)
        side.send("which one?", reply_to=question.number)
        reply = mine.wait_entry("which one?")
        assert reply.reply_to == question.number and reply.number == question.number + 1
        side.send("he is a good customer", log=Log.TEAM)
        note = theirs.wait_entry("he is a good customer")
        assert note.log == Log.TEAM and note.at_seq == reply.number
        main.send("Blue", pressed_seq=2, pressed_id="b")
        tapped = theirs.wait_entry("Blue")
        assert (tapped.pressed_seq, tapped.pressed_id) == (2, "b")
        fill_in_the_form(main, mine.wait_entry("A form"), theirs)
        side.edit(reply.number, reply.version, "which lamp?")
        change = mine.wait_entry("which lamp?")
        assert (change.kind, change.of, change.version) == (Kind.EDIT, reply.number, 2)
        main.erase(question.number)
        theirs.wait("the erasure", lambda: any(e.kind == Kind.ERASE and e.of == question.number
                                               for e in theirs.entries))
        main.erase(reply.number)  # not his own
        mine.wait("refused", lambda: mine.count(MessageState.FAILED) == 1)
        failed = mine.messages[-1]
        assert failed.operation == deskbell.Operation.ERASE and failed.tag and phone.status().failed == 1
        phone.forget(failed.cmid)
        assert phone.status().failed == 0 and mine.find("he is a good customer") is None
        refused(ErrorCode.STATE, desk.open_conversation)


def what_is_written_offline_arrives_once_and_in_order():
    told = Told()
    with deskbell.Client(**customer(told)) as phone:
        main = phone.open_conversation()
        phone.connect()
        told.wait("online", lambda: told.is_online)
        ask_rig("kill the server")
        told.wait("the loss is told", lambda: not told.is_online)
        for i in range(20):
            main.send(f"in the tunnel {i}")
        assert phone.status().queued == 20 and not phone.status().is_online
        ask_rig("start the server")
        phone.network_changed()
        told.wait("all are sent", lambda: told.count(MessageState.SENT) == 20 and told.find("in the tunnel 19"))
        rows = [e.text for e in told.entries if e.text.startswith("in the tunnel")]
        assert rows == [f"in the tunnel {i}" for i in range(20)] and phone.status().queued == 0


def page_of(told, conversation, **how):
    pages = []
    conversation.history(lambda page: told.note(lambda: pages.append(page)), **how)
    told.wait("the page", lambda: pages)
    return pages[0]


def history_gives_pages_and_each_question_gets_one_answer():
    told = Told()
    with deskbell.Client(**customer(told)) as phone:
        main = phone.open_conversation()
        phone.connect()
        told.wait("caught up", lambda: told.state and told.state.caught_up)
        first = page_of(told, main, after=0, limit=5)
        assert first.error == ErrorCode.OK and len(first.entries) == 5 and first.more and first.head > 20
        assert first.entries[1].choices[0].label == "Red"
        fresh = page_of(told, main, after=0, limit=5, from_server=True)
        assert [e.cmid for e in fresh.entries] == [e.cmid for e in first.entries]
        refused(ErrorCode.INVALID, main.history, lambda page: sys.exit("never"), limit=0)
        answers = []
        for _ in range(10):
            main.history(answers.append, after=0, limit=5, from_server=True)
        phone.close()
        assert len(answers) == 10 and {a.error for a in answers} <= {ErrorCode.OK, ErrorCode.CANCELLED}
        refused(ErrorCode.CANCELLED, main.history, lambda page: sys.exit("never"))


def questions_are_answered_before_a_client_closed_by_a_callback_is_gone():
    for by_dispatch in (False, True):
        told, answers, ended = Told(), [], []

        def on_state(state):
            if state.caught_up and not ended:
                main = phone.open_conversation()
                for _ in range(5):
                    main.history(answers.append, from_server=True)
                phone.close()
                told.note(lambda: ended.append(len(answers)))
        phone = deskbell.Client(**customer(told, f"watch-{by_dispatch}", callbacks_by_dispatch=by_dispatch,
                                           on_state=on_state))
        phone.open_conversation()
        phone.connect()
        while by_dispatch and not ended:
            select.select([phone], [], [], 60)
            phone.dispatch()
        told.wait("the end", lambda: ended)
        assert ended == [5] and {a.error for a in answers} == {ErrorCode.CANCELLED}


def an_outcome_that_a_closed_client_did_not_tell_is_told_by_the_next():
    sent, told_of, after = [], [], Told()

    def on_message(message):
        if message.state == MessageState.SENT:
            told_of.append(message.cmid)
            phone.close()
    phone = deskbell.Client(**customer(Told(), callbacks_by_dispatch=True, on_message=on_message))
    main = phone.open_conversation()
    phone.connect()
    sent += [main.send(f"told once {i}") for i in range(5)]
    until = threading.Event()
    while phone.status().queued:  # all answered before the first callback runs
        until.wait(0.001)
    while not told_of:
        phone.dispatch()
    assert told_of == sent[:1]
    with deskbell.Client(**customer(after)) as phone_again:
        phone_again.open_conversation()
        after.wait("the others", lambda: after.count(MessageState.SENT) >= 4 and after.opened)
        assert [m.cmid for m in after.messages if m.state == MessageState.SENT] == sent[1:]


def a_client_without_a_token_asks_for_one():
    told, asked = Told(), []
    with deskbell.Client(**customer(told, "tokenless", token=None, user="ann", callbacks_by_dispatch=True,
                                    on_token=lambda: (asked.append(1), phone.set_token(TOKEN)))) as phone:
        phone.connect()
        while not told.is_online:
            assert select.select([phone], [], [], 60)[0]
            phone.dispatch()
        assert asked == [1]


def entries_not_done_are_given_again_to_a_kiosk():
    for first in (1, 3):
        told = Told()
        with deskbell.Client(**customer(told, "kiosk", manual_ack=True, first_page=-1)) as kiosk:
            main = kiosk.open_conversation()
            kiosk.connect()
            told.wait("entries", lambda: len(told.entries) >= 3)
            assert told.entries[0].number == first and told.entries[0].origin == deskbell.Origin.FOLLOWING
            main.entry_done(Log.PUBLIC, 2)


def a_file_goes_up_and_comes_down_whole():
    mine, theirs = Told(), Told()
    content = os.urandom(300_000)
    path, target = os.path.join(FOLDER, "photo.bin"), os.path.join(FOLDER, "fetched.bin")
    with open(path, "wb") as f:
        f.write(content)
    with deskbell.Client(**customer(mine)) as phone, deskbell.Client(**agent(theirs)) as desk:
        main = phone.open_conversation()
        desk.open_conversation_id(CONVERSATION)
        phone.connect()
        desk.connect()
        cmid = main.send_file([path, deskbell.FileSource(bytes=b"small", name="note.txt", media="text/plain")],
                              text="two files")
        mine.wait("sent", lambda: mine.count(MessageState.SENT) == 1)
        assert mine.messages[0].state == MessageState.UPLOADING and mine.messages[0].files[1].name == "note.txt"
        assert {(p.file, p.files, p.cmid) for p in mine.progresses} >= {(0, 2, cmid)}
        entry = theirs.wait_entry("two files")
        assert entry.kind == Kind.ATTACHMENT and [f.name for f in entry.files] == ["photo.bin", "note.txt"]
        assert entry.files[0].size == len(content) and entry.files[0].sha256 == hashlib.sha256(content).digest()
        ends, progress = [], []
        desk.file_fetch(entry.files[0], target, lambda end: theirs.note(lambda: ends.append(end)),
                        lambda received, total: progress.append((received, total)))
        theirs.wait("fetched", lambda: ends)
        assert ends[0].error == ErrorCode.OK and ends[0].path == target and progress[-1][1] == len(content)
        with open(target, "rb") as f:
            assert f.read() == content
        refused(ErrorCode.NOT_FOUND, desk.file_fetch_cancel, ends[0].fetch)


def an_upload_is_paused_and_cancelled():
    told = Told()
    with deskbell.Client(**customer(told)) as phone:
        main = phone.open_conversation()
        cmid = main.send_file(deskbell.FileSource(bytes=b"x" * 1000, name="x.bin"))
        phone.upload_pause(cmid)
        told.wait("paused", lambda: told.messages and told.messages[-1].is_paused)
        phone.upload_resume(cmid)
        told.wait("not paused", lambda: not told.messages[-1].is_paused)
        phone.upload_cancel(cmid)
        told.wait("cancelled", lambda: told.messages[-1].tag == "cancelled")
        refused(ErrorCode.NOT_FOUND, phone.upload_cancel, cmid)


def a_word_is_found():
    told, pages = Told(), []
    with deskbell.Client(**agent(told)) as desk:
        desk.connect()
        told.wait("online", lambda: told.is_online)
        for _ in range(100):  # the index follows about a second later
            pages.clear()
            desk.search("welcome", lambda page: told.note(lambda: pages.append(page)), limit=5)
            told.wait("the page", lambda: pages)
            if pages[0].found:
                break
            threading.Event().wait(0.05)
        hit = pages[0].found[0]
        assert pages[0].error == ErrorCode.OK and hit.conversation == CONVERSATION and hit.number == 1
        assert hit.hit == "welcome" and hit.kind == "text" and hit.author.startswith("agt_") and hit.customer


def who_is_there_is_told_to_both_sides():
    mine, theirs = Told(), Told()
    with deskbell.Client(**customer(mine)) as phone:
        phone.open_conversation()
        phone.connect()
        with deskbell.Client(**agent(theirs)) as desk:
            desk.open_conversation_id(CONVERSATION)
            desk.connect()
            desk.set_presence(deskbell.Availability.HERE)
            mine.wait("the team is there", lambda: mine.presences and mine.presences[-1].is_here)
            assert mine.presences[-1].of == deskbell.PresenceOf.TEAM and mine.presences[-1].conversation is None
            theirs.wait("the customer is there", lambda: theirs.presences and theirs.presences[-1].is_here)
            seen = theirs.presences[-1]
            assert seen.conversation.id == CONVERSATION and seen.customer == mine.state.principal
            refused(ErrorCode.STATE, phone.set_presence, deskbell.Availability.AWAY)


def the_background_pauses_and_a_push_is_news_until_it_is_there():
    told, settled = Told(), []
    with deskbell.Client(**customer(told, on_push_settled=lambda is_caught_up: told.note(
            lambda: settled.append(is_caught_up)))) as phone:
        phone.open_conversation()
        phone.set_push(deskbell.Push.FCM, "a-token-of-the-platform")
        phone.connect()
        told.wait("caught up", lambda: told.state and told.state.caught_up)
        phone.set_background(True)
        told.wait("paused", lambda: told.state and told.state.connection == Connection.PAUSED)
        assert phone.push_received(CONVERSATION, 1) is False
        assert phone.push_received(CONVERSATION, 10_000_000) is True
        told.wait("settled", lambda: settled)
        assert settled == [True]
        phone.set_push(deskbell.Push.FCM, None)


def a_log_out_removes_what_was_here():
    told = Told()
    phone = deskbell.Client(**customer(told, "borrowed"))
    main = phone.open_conversation()
    main.send("never sent")
    phone.set_push(deskbell.Push.FCM, "a-token-of-the-platform")
    refused(ErrorCode.UNSENT, phone.log_out)
    assert phone.status().queued == 1
    assert phone.log_out(discard=True) is False  # offline: the server was not told
    refused(ErrorCode.CANCELLED, phone.status)
    assert not [f for f in os.listdir(os.path.join(FOLDER, "borrowed")) if f.endswith(".deskbell")]


def has_version(folder):
    """The record of what was fetched begins with the version that is whole."""
    name = next(f for f in os.listdir(folder) if f.endswith(".deskbell"))
    db = sqlite3.connect(f"file:{os.path.join(folder, name)}?mode=ro", uri=True, timeout=20)
    try:
        return any(any(row[0][:32]) for row in db.execute("SELECT value FROM meta WHERE name = 'answers'"))
    finally:
        db.close()


def what_the_device_finds_without_a_connection_is_told_and_taken_back():
    path = os.path.join(os.path.dirname(os.environ["DESKBELL_LIBRARY"]), "answers", "libdeskbell-answers.so.0")
    told, found = Told(), []
    ask_rig("publish a bot")
    with deskbell.Client(**customer(told, "answering", answers=path, on_device_answer=lambda answer: told.note(
            lambda: found.append(answer)))) as phone:
        main = phone.open_conversation("questions")
        phone.connect()
        told.wait("caught up", lambda: told.state and told.state.caught_up)
        while not has_version(os.path.join(FOLDER, "answering")):
            threading.Event().wait(0.02)
        ask_rig("kill the server")
        told.wait("the loss", lambda: told.state.connection != Connection.ONLINE)
        cmid = main.send("When are you open?")
        told.wait("an answer", lambda: found)
        answer = found[0]
        assert (answer.conversation, answer.cmid, answer.text) == (main, cmid, "From 9 to 6.")
        assert answer.rule == "faq opening" and len(answer.version) == 64 and answer.ts_ms > 0
        assert not answer.is_again and not answer.is_taken_back
        ask_rig("start the server")
        told.wait("it is taken back", lambda: len(found) == 2)
        assert found[1].cmid == cmid and found[1].is_taken_back
        told.wait("the server's answer", lambda: any(e.text == "From 9 to 6." for e in told.entries))


def an_asyncio_program_awaits_pages_and_states():
    async def run():
        told = Told()
        async with deskbell.AsyncClient(**customer(told)) as phone:
            main = phone.open_conversation()
            phone.connect()
            await asyncio.wait_for(phone.wait_state(lambda s: s.caught_up), 60)
            page = await asyncio.wait_for(phone.history(main, after=0, limit=3, from_server=True), 60)
            assert [e.number for e in page.entries] == [1, 2, 3]
            found = await asyncio.wait_for(phone.search_page("welcome"), 60)
            assert found.found[0].number == 1
            try:
                await phone.fetch(deskbell.File("0" * 32, "x", "image/png", 5, 0, 0, b"\0" * 32),
                                  os.path.join(FOLDER, "nothing"))
            except deskbell.Error as e:
                assert e.code == ErrorCode.NOT_FOUND
            else:
                raise AssertionError("a file that nobody sent")
            task = asyncio.ensure_future(phone.history(main, from_server=True))
            await asyncio.sleep(0)
            phone.close()
            try:
                await task
            except deskbell.Error as e:
                assert e.code == ErrorCode.CANCELLED
    asyncio.run(run())


def a_thousand_messages_of_four_threads_arrive_once_and_in_order():
    mine, theirs = Told(), Told()
    with deskbell.Client(**customer(mine)) as phone, deskbell.Client(**agent(theirs)) as desk:
        main = phone.open_conversation()
        desk.open_conversation_id(CONVERSATION)
        phone.connect()
        desk.connect()
        for side in (mine, theirs):
            side.wait("caught up", lambda side=side: side.state and side.state.caught_up)

        def write(writer):
            number = 0
            while number < EACH:
                try:
                    main.send(f"load {writer} {number}")
                    number += 1
                except deskbell.Error as e:
                    assert e.code == ErrorCode.OUTBOX_FULL
                    threading.Event().wait(0.001)
        writers = [threading.Thread(target=write, args=(w,)) for w in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        def load(told):
            return [e for e in told.entries if e.text.startswith("load ")]
        mine.wait("all are sent", lambda: mine.count(MessageState.SENT) == WRITERS * EACH)
        for side in (mine, theirs):
            side.wait("all are given", lambda side=side: len(side.entries) >= WRITERS * EACH
                      and len(load(side)) == WRITERS * EACH)
            rows = load(side)
            numbers = [e.number for e in side.entries if e.log == Log.PUBLIC]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            for w in range(WRITERS):
                assert [int(e.text.split()[2]) for e in rows if e.text.startswith(f"load {w} ")] == list(range(EACH))


sys.exit(run_tests([
    every_kind_is_copied_with_all_its_parts,
    a_customer_and_an_agent_talk,
    what_is_written_offline_arrives_once_and_in_order,
    history_gives_pages_and_each_question_gets_one_answer,
    questions_are_answered_before_a_client_closed_by_a_callback_is_gone,
    an_outcome_that_a_closed_client_did_not_tell_is_told_by_the_next,
    a_client_without_a_token_asks_for_one,
    entries_not_done_are_given_again_to_a_kiosk,
    a_file_goes_up_and_comes_down_whole,
    an_upload_is_paused_and_cancelled,
    a_word_is_found,
    who_is_there_is_told_to_both_sides,
    the_background_pauses_and_a_push_is_news_until_it_is_there,
    a_log_out_removes_what_was_here,
    what_the_device_finds_without_a_connection_is_told_and_taken_back,
    an_asyncio_program_awaits_pages_and_states,
    a_thousand_messages_of_four_threads_arrive_once_and_in_order,
], *sys.argv[7:8]))
