# SPDX-License-Identifier: Apache-2.0
"""What stands between the Python objects and the C client.

Always true: the C client is closed only when no call of ours is inside it; no callback of the application begins after
close returned; no exception crosses the C library; what C may call stays referenced (in `_open`) until C is done.
"""
import atexit
import ctypes
import threading
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from . import _native, types
from ._native import lib

_open: Set["Core"] = set()
_inside = threading.local()  # .frames: what this thread is inside of, as (core, why)

CALLBACK, LOCKED, DISPATCHING = "callback", "locked", "dispatching"


def check(rc: int) -> int:
    if rc < 0:
        raise types.Error(rc)
    return rc


def encode(text: Optional[str], refusal: int = types.ErrorCode.INVALID) -> Optional[bytes]:
    """UTF-8 for C; a zero inside would hide the rest."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"a str is needed, not {type(text).__name__}")
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        raise types.Error(refusal) from None
    if b"\0" in raw:
        raise types.Error(refusal)
    return raw


def decode(text: Optional[bytes]) -> str:
    return text.decode("utf-8", "replace") if text else ""


def is_inside(core: "Core", *why: str) -> bool:
    return any(c is core and w in why for c, w in getattr(_inside, "frames", ()))


class Frame:
    def __init__(self, core: "Core", why: str) -> None:
        self.what = (core, why)

    def __enter__(self) -> None:
        if not hasattr(_inside, "frames"):
            _inside.frames = []
        _inside.frames.append(self.what)

    def __exit__(self, *_: Any) -> None:
        _inside.frames.pop()


class Core:
    """One C client, from its opening to its end."""

    def __init__(self, options: types.Options) -> None:
        self.options, self.raw = options, ctypes.c_void_p()
        self.by_dispatch = bool(options.callbacks_by_dispatch)
        self.turn = threading.Condition()
        self.calls, self.is_closing, self.is_closed, self.is_silent = 0, False, False, False
        self.closes_after_dispatch = False
        self.owed: Dict[int, Tuple[Callable[..., Any], Callable[[], Any]]] = {}  # see owe()
        self.next_owed = 1
        self.conversations: Dict[int, Any] = {}
        self.thrown: Optional[BaseException] = None
        self.kept: List[Any] = []  # what C points to
        self.fetching: Dict[int, Optional[Callable[[int, int], Any]]] = {}
        self.on_history: Any = None  # functions for C that find by `data` what is owed
        self.on_search: Any = None
        self.on_fetch_progress: Any = None
        self.on_fetched: Any = None

    # ---- calls

    def __enter__(self) -> ctypes.c_void_p:
        if is_inside(self, LOCKED):
            raise types.Error(types.ErrorCode.WRONG_THREAD)
        with self.turn:
            if self.is_closing:
                raise types.Error(types.ErrorCode.CANCELLED)
            self.calls += 1
        return self.raw

    def __exit__(self, *_: Any) -> None:
        with self.turn:
            self.calls -= 1
            self.turn.notify_all()

    # ---- callbacks

    def give(self, run: Callable[[], Any]) -> None:
        """Runs what the application gave; nothing that it raises goes into C."""
        if self.is_silent:
            return
        try:
            with Frame(self, CALLBACK):
                run()
        except BaseException as e:  # pylint: disable=broad-except
            self.note_thrown(e)

    def note_thrown(self, what: BaseException) -> None:
        if is_inside(self, DISPATCHING):
            if self.thrown is None:
                self.thrown = what
                return
        elif self.options.on_exception and not self.is_silent:
            try:
                with Frame(self, CALLBACK):
                    self.options.on_exception(what)
                return
            except BaseException as e:  # pylint: disable=broad-except
                what = e
        self.say(types.Level.ERROR, f"a callback of the application raised {type(what).__name__}")

    def say(self, level: int, line: str) -> None:
        try:
            with Frame(self, LOCKED):
                if self.options.on_log and not self.is_silent:
                    self.options.on_log(types.known(types.Level, level), line)
        except BaseException:  # pylint: disable=broad-except
            pass  # nobody is left to be told

    def owe(self, answer: Callable[..., Any], cancel: Callable[[], Any]) -> int:
        """Notes a function that is owed exactly one call: answer(...) from C, or cancel(). The number is C's `data`."""
        with self.turn:
            number, self.next_owed = self.next_owed, self.next_owed + 1
            self.owed[number] = (answer, cancel)
            return number

    def settle(self, number: int) -> Optional[Callable[..., Any]]:
        with self.turn:
            found = self.owed.pop(number, None)
        return found[0] if found else None

    # ---- the end

    def close(self) -> None:
        """Does not wait inside a callback; else returns when it is over."""
        is_here = is_inside(self, CALLBACK, LOCKED)
        with self.turn:
            if not is_here:
                self.turn.wait_for(lambda: self.is_closed or not self.is_closing)
            if self.is_closing:
                return
            self.is_closing = True
            self.is_silent = is_here
            self.closes_after_dispatch = is_here and is_inside(self, DISPATCHING)
        if not is_here:
            self.close_now()
            return
        lib.deskbell_mute(self.raw)
        self.cancel_owed()
        if not self.closes_after_dispatch:
            threading.Thread(target=self.close_now, name="deskbell-close").start()

    def cancel_owed(self) -> None:
        """Inside a callback, so none other runs: each gets its one call before close returns."""
        while True:
            with self.turn:
                if not self.owed:
                    return
                _, (_, cancel) = self.owed.popitem()
            try:
                cancel()
            except BaseException as e:  # pylint: disable=broad-except
                self.note_thrown(e)

    def close_now(self) -> None:
        with self.turn:
            self.turn.wait_for(lambda: self.calls == 0)
        lib.deskbell_close(self.raw)
        self.let_go()

    def let_go(self) -> None:
        with self.turn:
            self.is_closed = True
            self.turn.notify_all()
        _open.discard(self)
        self.options, self.kept, self.conversations = types.Options(), [], {}

    def log_out(self, discard: bool) -> bool:
        if is_inside(self, CALLBACK, LOCKED):
            raise types.Error(types.ErrorCode.WRONG_THREAD)
        was_told = ctypes.c_int()
        with self.turn:
            if self.is_closing:
                raise types.Error(types.ErrorCode.CANCELLED)
            self.is_closing = True
            self.turn.wait_for(lambda: self.calls == 0)
        rc = lib.deskbell_log_out(self.raw, int(discard), ctypes.byref(was_told))
        if rc in (0, types.ErrorCode.STORE):
            self.let_go()
        else:
            with self.turn:
                self.is_closing = False
                self.turn.notify_all()
        check(rc)
        return bool(was_told.value)


def register(core: Core) -> None:
    _open.add(core)


def forget(core: Core) -> None:
    _open.discard(core)


@atexit.register
def _close_all() -> None:
    """No callback may come into an interpreter that is going away."""
    for core in list(_open):
        core.close()


def fill_random(core: Core, at: int, size: int) -> None:
    random = core.options.random
    assert random is not None
    ctypes.memmove(at, random(size), size)


def transport_of(core: Core) -> _native.Transport:
    """The table of functions that C calls; what they raise is a connection that failed, or is logged and dropped."""
    plug = core.options.transport
    assert plug is not None
    from .transport import Exchange, HttpRequest, Link  # pylint: disable=import-outside-toplevel

    def guarded(act: Callable[[], Any], failed: Any = None) -> Any:
        try:
            with Frame(core, LOCKED):
                return act()
        except BaseException as e:  # pylint: disable=broad-except
            core.say(types.Level.ERROR, f"a function of the transport raised {type(e).__name__}")
            return failed

    def http(_: Any, request: Any, exchange: int) -> int:
        return 0 if guarded(lambda: plug.http(HttpRequest.read(request.contents), Exchange(exchange)), False) else -1

    table = _native.Transport(
        size=ctypes.sizeof(_native.Transport),
        open=_native.TransportOpen(lambda _, url, sub, most, link: 0 if guarded(
            lambda: plug.open(decode(url), decode(sub), most, Link(link)), False) else -1),
        send=_native.TransportSend(lambda _, link, at, size: guarded(
            lambda: plug.send(Link(link), ctypes.string_at(at, size)))),
        close=_native.TransportClose(lambda _, link, code: guarded(lambda: plug.close(Link(link), code))),
        resume=_native.TransportResume(lambda _, link: guarded(lambda: plug.resume(Link(link)))),
        stop=_native.TransportStop(lambda _: guarded(plug.stop)))
    if plug.http is not None:
        table.http = _native.TransportHttp(http)
        table.http_cancel = _native.TransportHttpCancel(
            lambda _, exchange: guarded(lambda: plug.http_cancel(Exchange(exchange))))
    return table
