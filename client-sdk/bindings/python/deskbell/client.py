# SPDX-License-Identifier: Apache-2.0
"""Client and Conversation: deskbell.h is the manual of what the functions do; here is only what is different.

Errors are exceptions (types.Error). A call after the end raises CANCELLED, a call inside on_log or a function of the
transport or the clock WRONG_THREAD.

Ending. Client.close, the end of a with block, and a client that nobody references any more end it, from any thread, also
inside a callback. When close returns no callback begins any more, and no function that is owed a call (history, search,
file_fetch) is still owed it. Inside a callback the running one is the last, and the file is let go a moment later: when
dispatch returns, or by a short thread. Outcomes that were not told are told at the next opening. What is open when the
interpreter ends is closed then.

A callback that raises. With callbacks_by_dispatch the others that wait run too, then dispatch raises the first
exception. On the client's own thread it goes to on_exception, or a line to on_log names its type. What the callback was
told counts as told.
"""
import ctypes
import weakref
from typing import Any, Callable, Iterable, List, Mapping, Optional, Tuple

from . import _copies, _native, types
from ._core import DISPATCHING, LOCKED, Core, Frame, check, decode, encode, fill_random, forget, is_inside
from ._core import register, transport_of
from ._native import lib


def _owed(core: Core, data: int, make: Callable[[], Any]) -> None:
    answer = core.settle(data)
    if answer:
        core.give(lambda: answer(make()))


class Conversation:
    """A conversation of a client; the same object for the same conversation. Any thread."""

    def __init__(self, core: Core, raw: int) -> None:
        self._core, self._raw = core, ctypes.c_void_p(raw)

    @property
    def id(self) -> str:
        """"cnv_...", or "" while the server has not made it."""
        room = ctypes.create_string_buffer(18)
        with self._core:
            lib.deskbell_conversation_id(self._raw, room)
        return room.value.decode()

    def close(self) -> None:
        """No more entries of it; it may be opened again."""
        with self._core:
            check(lib.deskbell_conversation_close(self._raw))

    def send(self, text: Optional[str], *, log: types.Log = types.Log.PUBLIC, reply_to: int = 0, pressed_seq: int = 0,
             pressed_id: Optional[str] = None, cmid: Optional[str] = None, filled_seq: int = 0,
             filled: Optional[types.Values] = None, wait_for_disk: bool = False) -> str:
        """Hands over a text; its cmid. `filled`: values of the form `filled_seq`, {id: value} or a list of FormValue;
        then `text` may be None, and is made from them. `wait_for_disk`: returns when it is on this device's disk."""
        how = _send_options(log, reply_to, pressed_seq, pressed_id, cmid, wait_for_disk)
        how.filled_seq, how.filled, how.filled_count = filled_seq, *_values(filled)
        raw, room = encode(text, types.ErrorCode.TEXT), ctypes.create_string_buffer(33)
        with self._core:
            check(lib.deskbell_send(self._raw, raw, ctypes.byref(how), room))
        return room.value.decode()

    def edit(self, number: int, version: int, text: str, *, log: types.Log = types.Log.PUBLIC,
             cmid: Optional[str] = None, wait_for_disk: bool = False) -> str:
        how, room = _send_options(log, cmid=cmid, wait_for_disk=wait_for_disk), ctypes.create_string_buffer(33)
        raw = encode(text, types.ErrorCode.TEXT)
        with self._core:
            check(lib.deskbell_edit(self._raw, number, version, raw, ctypes.byref(how), room))
        return room.value.decode()

    def erase(self, number: int, *, log: types.Log = types.Log.PUBLIC, cmid: Optional[str] = None,
              wait_for_disk: bool = False) -> str:
        how, room = _send_options(log, cmid=cmid, wait_for_disk=wait_for_disk), ctypes.create_string_buffer(33)
        with self._core:
            check(lib.deskbell_erase(self._raw, number, ctypes.byref(how), room))
        return room.value.decode()

    def send_file(self, files: types.Sources, *, text: Optional[str] = None, log: types.Log = types.Log.PUBLIC,
                  reply_to: int = 0, cmid: Optional[str] = None, wait_for_disk: bool = False) -> str:
        """Hands over a message with files: a path, a FileSource, or up to ten of them."""
        given = [files] if isinstance(files, (str, types.FileSource)) else list(files)
        sources = [types.FileSource(path=f) if isinstance(f, str) else f for f in given]
        table, kept = (_native.FileSource * max(1, len(sources)))(), []
        for row, source in zip(table, sources):
            row.path, row.name, row.media = encode(source.path), encode(source.name), encode(source.media)
            if source.bytes is not None:
                kept.append(ctypes.create_string_buffer(source.bytes, max(1, len(source.bytes))))
                row.bytes, row.bytes_len = ctypes.cast(kept[-1], ctypes.c_void_p), len(source.bytes)
        how = _native.FileOptions(ctypes.sizeof(_native.FileOptions), table, len(sources),
                                  encode(text, types.ErrorCode.TEXT), log, reply_to, encode(cmid),
                                  wait_for_disk)
        room = ctypes.create_string_buffer(33)
        with self._core:
            check(lib.deskbell_send_file(self._raw, ctypes.byref(how), room))
        return room.value.decode()

    def survey_answer(self, number: int, *, score: Optional[int] = None, said: Optional[str] = None,
                      answers: Iterable[types.SurveySaid] = (), wants_contact: Optional[bool] = None,
                      cmid: Optional[str] = None, wait_for_disk: bool = False) -> str:
        """Answers survey `number`, or adds to its answer; what is None stays as it was. Its cmid."""
        how, room = _rating(score, said, answers, wants_contact, cmid, wait_for_disk), ctypes.create_string_buffer(33)
        with self._core:
            check(lib.deskbell_survey_answer(self._raw, number, ctypes.byref(how), room))
        return room.value.decode()

    def mark_read(self, seq: int) -> None:
        with self._core:
            check(lib.deskbell_mark_read(self._raw, seq))

    def typing(self) -> None:
        with self._core:
            check(lib.deskbell_typing(self._raw))

    def entry_done(self, log: types.Log, number: int) -> None:
        with self._core:
            check(lib.deskbell_entry_done(self._raw, log, number))

    def history(self, done: Callable[[types.HistoryPage], Any], *, log: types.Log = types.Log.PUBLIC, before: int = 0,
                after: int = -1, limit: int = 50, from_server: bool = False) -> None:
        """`done` runs exactly once, where callbacks run; with CANCELLED when the client is closed meanwhile. When this
        raises it never runs."""
        core = self._core
        how = _native.HistoryOptions(ctypes.sizeof(_native.HistoryOptions), log, before, after, limit, from_server)
        with core:
            number = core.owe(done, lambda: done(types.HistoryPage(types.ErrorCode.CANCELLED, [], 0, False)))
            rc = lib.deskbell_history(self._raw, ctypes.byref(how), core.on_history, number)
            if rc < 0:
                core.settle(number)
            check(rc)


def _send_options(log: int, reply_to: int = 0, pressed_seq: int = 0, pressed_id: Optional[str] = None,
                  cmid: Optional[str] = None, wait_for_disk: bool = False) -> Any:
    return _native.SendOptions(ctypes.sizeof(_native.SendOptions), log, reply_to, pressed_seq, encode(pressed_id),
                               encode(cmid), wait_for_disk=wait_for_disk)


def _values(filled: Optional[types.Values]) -> Tuple[Any, int]:
    pairs = list(filled.items()) if isinstance(filled, Mapping) else [(v.id, v.value) for v in filled or ()]
    rows = [_native.FormValue(encode(i), encode(v, types.ErrorCode.TEXT)) for i, v in pairs]
    return (_native.FormValue * len(rows))(*rows) if rows else None, len(rows)


def form_check(form: Iterable[types.FormField], filled: types.Values) -> Optional[str]:
    """The id of the first that does not fit, None when `filled` answers the form."""
    fields = [_native.FormField(encode(f.id), encode(f.label), encode(f.input), f.required) for f in form]
    values, count = _values(filled)
    wrong = ctypes.c_char_p()
    rc = lib.deskbell_form_check((_native.FormField * len(fields))(*fields) if fields else None, len(fields), values,
                                 count, ctypes.byref(wrong))
    if rc != types.ErrorCode.FORM:
        check(rc)
        return None
    return decode(wrong.value)


def _rating(score: Optional[int], said: Optional[str], answers: Iterable[types.SurveySaid],
            wants_contact: Optional[bool], cmid: Optional[str] = None, wait_for_disk: bool = False) -> Any:
    rows = []
    for a in answers:
        chosen = [encode(c) for c in a.chosen]
        rows.append(_native.SurveySaid(encode(a.question), (ctypes.c_char_p * len(chosen))(*chosen) if chosen else None,
                                       len(chosen), -1 if a.number is None else a.number,
                                       encode(a.words, types.ErrorCode.TEXT)))
    table = (_native.SurveySaid * len(rows))(*rows) if rows else None
    return _native.Rating(ctypes.sizeof(_native.Rating), -1 if score is None else score,
                          encode(said, types.ErrorCode.TEXT), table, len(rows),
                          -1 if wants_contact is None else wants_contact, encode(cmid), wait_for_disk)


def _survey(survey: types.Survey) -> Any:
    """What an answer is checked against."""
    rows = []
    for q in survey.questions:
        choices = [_native.Choice(encode(c.id), encode(c.label)) for c in q.choices]
        rows.append(_native.SurveyQuestion(encode(q.id), encode(q.kind), encode(q.text),
                                           (_native.Choice * len(choices))(*choices) if choices else None, len(choices),
                                           q.min, q.max, encode(q.low), encode(q.high), q.required, q.from_score,
                                           q.to_score))
    return _native.Survey(min=survey.min, max=survey.max, style=encode(survey.style),
                          questions=(_native.SurveyQuestion * len(rows))(*rows) if rows else None,
                          questions_count=len(rows), comment=encode(survey.comment), contact=encode(survey.contact))


def survey_check(survey: types.Survey, *, score: Optional[int] = None, said: Optional[str] = None,
                 answers: Iterable[types.SurveySaid] = (), wants_contact: Optional[bool] = None) -> Optional[str]:
    """What does not fit first ("score", "said", "contact", the id of a question, "" when nothing is said); None when it
    answers the survey."""
    wrong = ctypes.c_char_p()
    asked, rating = _survey(survey), _rating(score, said, answers, wants_contact)  # `wrong` may point into them
    rc = lib.deskbell_survey_check(ctypes.byref(asked), ctypes.byref(rating), ctypes.byref(wrong))
    if rc != types.ErrorCode.FORM:
        check(rc)
        return None
    return decode(wrong.value)


class Client:
    """One user of one app on this device: Client(Options(...)), or Client(url=..., app=..., token=...)."""

    def __init__(self, options: Optional[types.Options] = None, **more: Any) -> None:
        if options is not None and more:
            raise TypeError("give Options, or the options by name, not both")
        self._core = _open_core(options if options is not None else types.Options(**more))
        weakref.finalize(self, self._core.close)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """See "Ending" above. Twice is once."""
        self._core.close()

    def connect(self) -> None:
        with self._core as raw:
            check(lib.deskbell_connect(raw))

    def disconnect(self) -> None:
        with self._core as raw:
            check(lib.deskbell_disconnect(raw))

    def network_changed(self) -> None:
        with self._core as raw:
            check(lib.deskbell_network_changed(raw))

    def tick(self) -> None:
        with self._core as raw:
            lib.deskbell_tick(raw)

    def set_token(self, token: str) -> None:
        with self._core as raw:
            check(lib.deskbell_set_token(raw, encode(token)))

    def set_background(self, is_background: bool) -> None:
        with self._core as raw:
            check(lib.deskbell_set_background(raw, is_background))

    def change_store_key(self, new_key: bytes) -> None:
        """The user's file opens with this key from now on: 32 bytes."""
        with self._core as raw:
            check(lib.deskbell_change_store_key(raw, new_key, len(new_key)))

    def log_out(self, discard: bool = False) -> bool:
        """Ends the client and removes all of its user from this device; whether the server knows. Raises UNSENT when
        messages wait and discard is False, WRONG_THREAD inside a callback: then the client lives on. STORE: it is
        closed, but something could not be removed."""
        return self._core.log_out(discard)

    def set_push(self, service: types.Push, token: Optional[str]) -> None:
        with self._core as raw:
            check(lib.deskbell_set_push(raw, service, encode(token)))

    def push_received(self, conversation_id: Optional[str] = None, seq: int = 0) -> bool:
        """Whether it is news: then on_push_settled is told once."""
        is_news = ctypes.c_int()
        with self._core as raw:
            check(lib.deskbell_push_received(raw, encode(conversation_id), seq, ctypes.byref(is_news)))
        return bool(is_news.value)

    def set_presence(self, availability: types.Availability) -> None:
        with self._core as raw:
            check(lib.deskbell_set_presence(raw, availability))

    def fileno(self) -> int:
        """With callbacks_by_dispatch: readable while callbacks wait; for select and add_reader. -1: not in this mode."""
        with self._core as raw:
            return lib.deskbell_fd(raw)

    def dispatch(self, most: int = 0) -> int:
        """Runs waiting callbacks on this thread, at most `most` (0 = all that wait now); how many ran. Raises STATE
        without callbacks_by_dispatch, WRONG_THREAD inside a callback, and what a callback raised."""
        core = self._core
        is_outermost = not is_inside(core, DISPATCHING)
        with core as raw:
            with Frame(core, DISPATCHING):
                ran = lib.deskbell_dispatch(raw, most)
        if is_outermost:
            thrown, core.thrown = core.thrown, None
            if core.closes_after_dispatch and not core.is_closed:
                core.close_now()
            if thrown is not None:
                raise thrown
        return check(ran)

    def open_conversation(self, key: str = "main") -> Conversation:
        made, raw_key = ctypes.c_void_p(), encode(key)
        with self._core as raw:
            check(lib.deskbell_conversation_open(raw, raw_key, ctypes.byref(made)))
            return _copies.conversation(self._core, made.value)

    def open_conversation_id(self, conversation_id: str) -> Conversation:
        made, raw_id = ctypes.c_void_p(), encode(conversation_id)
        with self._core as raw:
            check(lib.deskbell_conversation_open_id(raw, raw_id, ctypes.byref(made)))
            return _copies.conversation(self._core, made.value)

    def conversations(self) -> List[types.ConversationInfo]:
        """All conversations known, newest message first."""
        core, rows, wrong = self._core, [], []

        def each(info: Any, _: Any) -> int:
            try:
                rows.append(_copies.info(core, info.contents))
                return 0
            except BaseException as e:  # pylint: disable=broad-except
                wrong.append(e)
                return 1
        with core as raw:
            rc = lib.deskbell_conversations(raw, _native.EachFn(each), None)
        if wrong:
            raise wrong[0]
        check(rc)
        return rows

    def owns(self, conversation: Conversation) -> bool:
        with self._core as raw:
            return lib.deskbell_conversation_client(conversation._raw) == raw.value

    def cmid_new(self) -> str:
        room = ctypes.create_string_buffer(33)
        with self._core as raw:
            lib.deskbell_cmid_new(raw, room)
        return room.value.decode()

    def retry(self, cmid: str) -> str:
        room = ctypes.create_string_buffer(33)
        with self._core as raw:
            check(lib.deskbell_retry(raw, encode(cmid), room))
        return room.value.decode()

    def forget(self, cmid: str) -> None:
        with self._core as raw:
            check(lib.deskbell_forget(raw, encode(cmid)))

    def upload_pause(self, cmid: str) -> None:
        with self._core as raw:
            check(lib.deskbell_upload_pause(raw, encode(cmid)))

    def upload_resume(self, cmid: str) -> None:
        with self._core as raw:
            check(lib.deskbell_upload_resume(raw, encode(cmid)))

    def upload_cancel(self, cmid: str) -> None:
        with self._core as raw:
            check(lib.deskbell_upload_cancel(raw, encode(cmid)))

    def file_fetch(self, file: types.File, path: str, done: Callable[[types.Fetched], Any],
                   progress: Optional[Callable[[int, int], Any]] = None) -> int:
        """Fetches a file of an entry to `path`; a number for file_fetch_cancel. `done` as in history; `progress` is told
        the bytes received and the total, before it."""
        core, name, raw_path = self._core, ctypes.c_int64(), encode(path)
        what = _native.File(encode(file.id), encode(file.name), encode(file.media), file.size, file.width, file.height,
                            (ctypes.c_uint8 * 32)(*file.sha256))
        with core as raw:
            number = core.owe(done, lambda: done(types.Fetched(name.value, types.ErrorCode.CANCELLED, path)))
            core.fetching[number] = progress
            rc = lib.deskbell_file_fetch(raw, ctypes.byref(what), raw_path, core.on_fetch_progress, core.on_fetched,
                                         number, ctypes.byref(name))
            if rc < 0:
                core.settle(number)
                core.fetching.pop(number, None)
            check(rc)
            return name.value

    def file_fetch_cancel(self, fetch: int) -> None:
        with self._core as raw:
            check(lib.deskbell_file_fetch_cancel(raw, fetch))

    def search(self, query: str, done: Callable[[types.SearchPage], Any], *, limit: int = 20,
               before: Optional[str] = None) -> None:
        """`done` as in history; `before` is `next` of the page before."""
        core, raw_query = self._core, encode(query, types.ErrorCode.TEXT)
        how = _native.SearchOptions(ctypes.sizeof(_native.SearchOptions), limit, encode(before))
        with core as raw:
            number = core.owe(done, lambda: done(types.SearchPage(types.ErrorCode.CANCELLED, [], "", False)))
            rc = lib.deskbell_search(raw, raw_query, ctypes.byref(how), core.on_search, number)
            if rc < 0:
                core.settle(number)
            check(rc)

    def status(self) -> types.Status:
        c = _native.Status(ctypes.sizeof(_native.Status))
        with self._core as raw:
            check(lib.deskbell_status(raw, ctypes.byref(c)))
        return types.Status(c.queued, c.queued_bytes, c.failed, c.unread, bool(c.is_online), bool(c.is_caught_up),
                            c.callbacks_waiting)


# ---- opening ---------------------------------------------------------------------------------------------------------

def _callbacks(core: Core, given: types.Options) -> dict:
    """The callbacks that are set, as C calls them; the others stay NULL."""
    n, name = _native, _copies.conversation

    def one(make: Any) -> Any:
        """For a callback that is told one struct."""
        return lambda on: lambda _, c, __: core.give(lambda: on(make(core, c.contents)))
    table = {
        "on_state": (n.OnState, one(lambda _, c: _copies.state(c))),
        "on_entry": (n.OnEntry, one(_copies.entry)),
        "on_message": (n.OnMessage, one(_copies.message)),
        "on_conversation": (n.OnConversation, one(_copies.info)),
        "on_progress": (n.OnProgress, one(_copies.progress)),
        "on_presence": (n.OnPresence, one(_copies.presence)),
        "on_device_answer": (n.OnDeviceAnswer, one(_copies.device_answer)),
        "on_opened": (n.OnOpened, lambda on: lambda _, conv, seq, iseq, __: core.give(
            lambda: on(types.Opened(name(core, conv), seq, iseq)))),
        "on_typing": (n.OnTyping, lambda on: lambda _, conv, author, is_typing, __: core.give(
            lambda: on(types.Typing(name(core, conv), decode(author), bool(is_typing))))),
        "on_unread": (n.OnUnread, lambda on: lambda _, total, __: core.give(lambda: on(total))),
        "on_token": (n.OnToken, lambda on: lambda _, __: core.give(on)),
        "on_push_settled": (n.OnPushSettled, lambda on: lambda _, is_caught_up, __: core.give(
            lambda: on(bool(is_caught_up)))),
        "on_notice": (n.OnNotice, lambda on: lambda _, kind, conv, detail, __: core.give(
            lambda: on(types.Notice(types.known(types.NoticeKind, kind), name(core, conv) if conv else None,
                                    decode(detail))))),
        "on_log": (n.OnLog, lambda on: lambda level, line, _: core.say(level, decode(line))),
    }
    return {key: kind(make(getattr(given, key))) for key, (kind, make) in table.items() if getattr(given, key)}


def _owed_functions(core: Core) -> None:
    """Functions for C that find by `data` what is owed a call."""
    def on_fetch_progress(_: Any, __: Any, received: int, total: int, data: int) -> None:
        progress = core.fetching.get(data)
        if progress:
            core.give(lambda: progress(received, total))

    def on_fetched(_: Any, fetch: int, error: int, path: Optional[bytes], data: int) -> None:
        core.fetching.pop(data, None)
        _owed(core, data, lambda: types.Fetched(fetch, types.known(types.ErrorCode, error), decode(path)))
    core.on_history = _native.HistoryFn(lambda _, error, rows, count, head, more, data: _owed(
        core, data, lambda: types.HistoryPage(types.known(types.ErrorCode, error),
                                              [_copies.entry(core, rows[i]) for i in range(count)], head, bool(more))))
    core.on_search = _native.SearchFn(lambda _, error, rows, count, after, is_cut, data: _owed(
        core, data, lambda: types.SearchPage(types.known(types.ErrorCode, error),
                                             [_copies.found(rows[i]) for i in range(count)], decode(after),
                                             bool(is_cut))))
    core.on_fetch_progress = _native.FetchProgressFn(on_fetch_progress)
    core.on_fetched = _native.FetchDoneFn(on_fetched)


def _clock(core: Core, given: types.Options) -> dict:
    def locked(act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            with Frame(core, LOCKED):
                return act(*arguments)
        return run
    functions = {}
    for name in ("mono_ms", "wall_ms"):
        act = getattr(given, name)
        if act:
            functions[name] = _native.ClockFn(locked(lambda _, act=act: act()))
    if given.random:
        functions["random"] = _native.RandomFn(locked(lambda _, at, size: fill_random(core, at, size)))
    return functions


def _answers(core: Core, path: str) -> int:
    """The table of libdeskbell-answers, which stays loaded."""
    try:
        found = ctypes.CDLL(path)
        table = found.deskbell_answers
    except (OSError, AttributeError) as e:
        raise types.Error(types.ErrorCode.INVALID) from e
    table.restype = ctypes.c_void_p
    core.kept.append(found)
    return table()


def _open_core(given: types.Options) -> Core:
    core = Core(given)
    texts = {name: encode(getattr(given, name))
             for name in ("url", "app", "data_dir", "token", "agent_token", "user", "locale", "client_name",
                          "client_version", "ca_file", "proxy")}
    numbers = {name: int(getattr(given, name))
               for name in ("is_visitor", "callbacks_by_dispatch", "manual_ack", "first_page", "snapshot",
                            "with_team_log", "claims_visitor", "cache_max_bytes",
                            "cache_max_entries_per_conversation")}
    functions = {**_callbacks(core, given), **_clock(core, given)}
    c = _native.Options(size=ctypes.sizeof(_native.Options), **texts, **numbers, **functions)
    pins = (ctypes.c_char_p * max(1, len(given.tls_pins)))(*[encode(pin) for pin in given.tls_pins])
    c.tls_pins, c.tls_pins_count = pins, len(given.tls_pins)
    if given.store_key is not None:
        c.store_key, c.store_key_len = given.store_key, len(given.store_key)
    if given.answers is not None:
        c.answers = _answers(core, given.answers)
    if given.transport is not None:
        plug = transport_of(core)
        core.kept.append(plug)
        c.transport = ctypes.pointer(plug)
    core.kept += [functions, c]
    _owed_functions(core)
    register(core)
    rc = lib.deskbell_open(ctypes.byref(c), ctypes.byref(core.raw))
    c.store_key = None
    if rc < 0:
        forget(core)
        check(rc)
    return core
