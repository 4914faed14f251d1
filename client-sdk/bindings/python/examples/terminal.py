#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A customer in a terminal, in an asyncio loop: what is typed is sent, what is said is shown. Works offline too.

usage: terminal.py URL APP TOKEN FOLDER
"""
import asyncio
import sys

import deskbell


def show_entry(entry: deskbell.Entry) -> None:
    print(f"{'me' if entry.is_mine else entry.name or entry.author}: {entry.text}", flush=True)
    if not entry.is_mine:
        entry.conversation.mark_read(entry.number)


def show_message(message: deskbell.Message) -> None:
    if message.state == deskbell.MessageState.READ:
        print(f"[read] {message.text}", flush=True)
    if message.state == deskbell.MessageState.FAILED:
        print(f"[failed: {message.tag}] {message.text}", flush=True)


async def talk(url: str, app: str, token: str, folder: str) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with deskbell.AsyncClient(url=url, app=app, token=token, data_dir=folder, on_entry=show_entry,
                                    on_message=show_message) as client:
        conversation = client.open_conversation("main")
        client.connect()
        while line := await lines.readline():
            if line.strip():
                conversation.send(line.decode().rstrip("\n"))


if len(sys.argv) != 5:
    sys.exit(__doc__)
try:
    asyncio.run(talk(*sys.argv[1:]))
except deskbell.Error as error:
    sys.exit(f"terminal: {error}")
