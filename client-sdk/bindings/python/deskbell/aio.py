# SPDX-License-Identifier: Apache-2.0
"""Deskbell in an asyncio loop: callbacks run in the loop's own thread, and what takes time can be awaited.

    async with AsyncClient(url=..., app=..., token=..., data_dir=..., on_entry=show) as client:
        conversation = client.open_conversation("main")
        client.connect()
        await client.wait_state(lambda state: state.connection == Connection.ONLINE)
        page = await client.history(conversation, limit=20)

Everything of Client is there. Sending waits for this device's disk (fsync), as in Client. What a callback raises goes to
the loop's exception handler.
"""
import asyncio
from typing import Any, Callable, List, Optional, Tuple

from . import types
from .client import Client, Conversation


class AsyncClient(Client):
    """A Client with callbacks_by_dispatch whose descriptor the running loop watches. Make it inside the loop, and use it
    in the loop's thread."""

    def __init__(self, options: Optional[types.Options] = None, **more: Any) -> None:
        given = options if options is not None else types.Options(**more)
        given.callbacks_by_dispatch = True
        self._loop = asyncio.get_running_loop()
        self._state: Optional[types.State] = None
        self._waiting: List[Tuple[Callable[[types.State], bool], "asyncio.Future[types.State]"]] = []
        self._on_state, given.on_state = given.on_state, self._note_state
        super().__init__(given)
        self._watched = self.fileno()
        self._loop.add_reader(self._watched, self._run)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._unwatch()
        super().close()
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(types.Error(types.ErrorCode.CANCELLED))
        self._waiting = []

    def _unwatch(self) -> None:
        if self._watched >= 0:
            self._loop.remove_reader(self._watched)
            self._watched = -1

    def _run(self) -> None:
        try:
            self.dispatch(256)
        except Exception as e:  # pylint: disable=broad-except
            self._loop.call_exception_handler({"message": "deskbell: a callback raised", "exception": e})

    def _note_state(self, state: types.State) -> None:
        self._state = state
        for is_so, future in list(self._waiting):
            if not future.done() and is_so(state):
                future.set_result(state)
        self._waiting = [(w, f) for w, f in self._waiting if not f.done()]
        if self._on_state:
            self._on_state(state)

    async def wait_state(self, is_so: Callable[[types.State], bool]) -> types.State:
        """The first state, now or later, for which is_so(state). Raises CANCELLED when the client is closed."""
        if self._state is not None and is_so(self._state):
            return self._state
        future: "asyncio.Future[types.State]" = self._loop.create_future()
        self._waiting.append((is_so, future))
        return await future

    def _future(self) -> Tuple["asyncio.Future[Any]", Callable[[Any], None]]:
        """One to await, and the function that ends it with a page, or with the page's error."""
        future: "asyncio.Future[Any]" = self._loop.create_future()

        def done(page: Any) -> None:
            if future.done():
                return
            if page.error != types.ErrorCode.OK:
                future.set_exception(types.Error(page.error))
            else:
                future.set_result(page)
        return future, done

    async def history(self, conversation: Conversation, **how: Any) -> types.HistoryPage:
        """A page; raises what went wrong."""
        future, done = self._future()
        conversation.history(done, **how)
        return await future

    async def search_page(self, query: str, **how: Any) -> types.SearchPage:
        future, done = self._future()
        self.search(query, done, **how)
        return await future

    async def fetch(self, file: types.File, path: str,
                    progress: Optional[Callable[[int, int], Any]] = None) -> types.Fetched:
        """Raises what went wrong; cancelling the task ends the fetch."""
        future, done = self._future()
        number = self.file_fetch(file, path, done, progress)
        try:
            return await future
        except asyncio.CancelledError:
            try:
                self.file_fetch_cancel(number)
            except types.Error:
                pass  # it has ended meanwhile
            raise
