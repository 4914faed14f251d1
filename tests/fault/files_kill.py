#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server is killed with SIGKILL in the middle of uploads, again and again: what was told to be there is there, every
upload goes on from the offset that the server tells, and in the end both sides agree by SHA-256 (delivery, Attachments)."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import rigs  # noqa: E402
from filing import Filer, expect, sha256  # noqa: E402
from harness import SLOW, Rig, main, run_program, wait_until  # noqa: E402
from wire import WireClosed, WireError, new_cmid  # noqa: E402

BYTES = 3 * 1024 * 1024


def pump(port, token, file, offset, data):
    """Sends as much as the server takes until it dies or is done."""
    try:
        link = socket.create_connection(("127.0.0.1", port), 20 * SLOW)
        link.sendall(f"PUT /v1/files/{file} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                     f"Upload-Offset: {offset}\r\nContent-Length: {len(data) - offset}\r\n\r\n".encode())
        for at in range(offset, len(data), 16384):
            link.sendall(data[at:at + 16384])
        link.recv(4096)
        link.close()
    except OSError:
        pass


def one_cycle(rig, ann, data):
    cmid = new_cmid()
    part, told = None, 0
    for kill in range(3):
        with Filer(rig, ann.token) as a:
            begun = a.begin(len(data), cmid=cmid)
            expect(begun["offset"] >= told, f"what was told to be there is there: {begun['offset']} < {told}")
            told = begun["offset"]
            part = os.path.join(rig.server.data, "files", "part", begun["file"])
            piece = a.put(begun["file"], told, data[told:told + 1000])
            told = piece.offset
            thread = threading.Thread(target=pump, args=(a.port, a.token, begun["file"], told, data))
            thread.start()
            goal = min(told + rig.random.randrange(1, BYTES // 5), len(data))
            wait_until("some bytes are there", lambda: os.path.getsize(part) >= goal)
            rig.server.kill()
            thread.join()
        rig.server.start()
    with Filer(rig, ann.token) as a:
        begun = a.begin(len(data), cmid=cmid)
        expect(begun["offset"] >= told, "and after the last kill too")
        rest = a.put(begun["file"], begun["offset"], data[begun["offset"]:])
        expect((rest.status, rest.offset) == (204, len(data)), f"the rest, got {rest.status}")
        killer = threading.Thread(target=rig.server.kill)
        killer.start()
        try:
            info = a.described(a.end(begun["file"], data), "file.bin", data)
        except (WireClosed, WireError, OSError, TimeoutError):
            info = None
        killer.join()
    rig.server.start()
    with Filer(rig, ann.token) as a:
        again = a.described(a.end(begun["file"], data), "file.bin", data)
        expect(info in (None, again), "the same answer before and after")
        a.send(ann.conv, [again])
        got = a.get(begun["file"])
        expect(got.status == 200 and sha256(got.raw) == sha256(data), "both sides agree")


def run():
    args = rigs.options(__doc__, 2, 40)
    with Rig("files-kill", args.seed) as rig:
        rig.has_verdict = True
        rig.start_server()
        ann = rig.customer("ann")
        for cycle in range(args.count):
            one_cycle(rig, ann, rig.random.randbytes(BYTES + cycle))
        rig.server.stop()
        done = run_program("deskbell", "check", "--deep", "--data", rig.server.data, check=False)
        expect(done.returncode == 0, f"a store that fits together: {done.stdout}")
        rig.check_logs()
        print(f"files-kill: {args.count} uploads of {BYTES} bytes, {4 * args.count} kills, all whole")


main(run)
