# SPDX-License-Identifier: Apache-2.0
"""A transport of the application's own, as struct deskbell_transport describes it. Its functions are called on threads
of the library and must neither wait nor call into the client."""
import ctypes
from dataclasses import dataclass
from typing import Any, List, Optional

from . import _native
from ._native import lib


@dataclass(frozen=True)
class Link:
    """One connection. Any thread, from Transport.open until closed() or failed() was called."""
    raw: int

    def opened(self) -> None:
        lib.deskbell_link_opened(self.raw)

    def text(self, message: bytes) -> bool:
        """True: stop reading until Transport.resume; this message was taken all the same."""
        return lib.deskbell_link_text(self.raw, message, len(message)) != 0

    def closed(self, code: int) -> None:
        lib.deskbell_link_closed(self.raw, code)

    def failed(self, why: str, detail: str = "", retry_after_ms: int = -1) -> None:
        """Instead of closed: why and detail as deskbell_link_failed takes them; -1 = no time was told."""
        lib.deskbell_link_failed(self.raw, why.encode(), detail.encode(), retry_after_ms)


@dataclass(frozen=True)
class HttpRequest:
    method: str
    url: str
    headers: List[str]
    body: bytes
    max_answer_bytes: int

    @staticmethod
    def read(raw: Any) -> "HttpRequest":
        return HttpRequest(raw.method.decode(), raw.url.decode(),
                           [raw.headers[i].decode("latin-1") for i in range(raw.headers_count)],
                           ctypes.string_at(raw.body, raw.body_len) if raw.body else b"", raw.max_answer_bytes)


@dataclass(frozen=True)
class Exchange:
    """One HTTP request under way; done() once, from any thread."""
    raw: int

    def done(self, status: int, headers: Optional[List[str]] = None, body: bytes = b"") -> None:
        rows = [h.encode("latin-1") for h in headers or []]
        table = (ctypes.c_char_p * max(1, len(rows)))(*rows)
        at = ctypes.cast(ctypes.c_char_p(body), ctypes.c_void_p)
        answer = _native.HttpAnswer(ctypes.sizeof(_native.HttpAnswer), status, table, len(rows), at, len(body))
        lib.deskbell_http_done(self.raw, ctypes.byref(answer))


class Transport:
    """Derive from it. open returns True when a connection is under way: then link.closed (or failed) is owed, once."""

    #: Optional: http(request, exchange) -> True when exchange.done will be called. None: no attachments.
    http: Any = None

    def open(self, url: str, subprotocol: str, max_message_bytes: int, link: Link) -> bool:
        raise NotImplementedError

    def send(self, link: Link, message: bytes) -> None:
        raise NotImplementedError

    def close(self, link: Link, code: int) -> None:
        raise NotImplementedError

    def resume(self, link: Link) -> None:
        """Nothing to do for a transport that never stops reading."""

    def stop(self) -> None:
        """Ends all threads; afterwards no function of a link or exchange is called."""

    def http_cancel(self, exchange: Exchange) -> None:
        """Nobody waits for this answer; done is still owed."""
