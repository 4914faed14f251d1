# SPDX-License-Identifier: Apache-2.0
"""Attachments as a client of the tests' own sees them: upload.begin, PUT, upload.end, the message, GET."""
import hashlib
import http.client
import json
import struct
import zlib

from harness import SLOW, Failed
from wire import Wire, new_cmid


class Answer:
    def __init__(self, reply, is_json=False):
        self.status, self.headers, self.raw = reply.status, reply.headers, reply.read()
        self.body = json.loads(self.raw) if self.raw and (is_json or reply.status >= 400) else None

    @property
    def tag(self):
        return (self.body or {}).get("error", {}).get("data", {}).get("tag")

    @property
    def offset(self):
        return int(self.headers["Upload-Offset"])


def expect(condition, what):
    if not condition:
        raise Failed(f"expected {what}")


def refused(answer, status, tag):
    expect((answer.status, answer.tag) == (status, tag), f"{status} {tag}, got {answer.status} {answer.raw[:200]}")


def png(width=3, height=2, extra=b""):
    """A small picture; `extra` makes it another one."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"tEXt", b"c\0" + extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Filer:
    """Somebody with an open session; his http_token is good while it is open."""

    def __init__(self, rig, token=None, visitor=None, port=None):
        self.port = port or rig.server.port
        self.wire = Wire(self.port)
        self.opened = self.wire.open_session(token, visitor)
        self.token, self.principal = self.opened["http_token"], self.opened["principal"]
        self.call = self.wire.call

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def ask(self, method, path, body=None, **headers):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30 * SLOW)
        sent = {"Authorization": "Bearer " + self.token, **{k.replace("_", "-"): v for k, v in headers.items()}}
        link.request(method, path, body, {k: v for k, v in sent.items() if v is not None})
        answer = Answer(link.getresponse())
        link.close()
        return answer

    def begin(self, size, name="file.bin", media="application/zip", cmid=None, **more):
        return self.call("upload.begin", {"cmid": cmid or new_cmid(), "name": name, "size": size, "media": media, **more})

    def put(self, file, offset, data, **headers):
        return self.ask("PUT", f"/v1/files/{file}", data, Upload_Offset=str(offset), **headers)

    def end(self, file, data):
        return self.call("upload.end", {"file": file, "sha256": sha256(data)})

    def upload(self, data, name="file.bin", media="application/zip"):
        """The file as a message has to describe it."""
        file = self.begin(len(data), name, media)["file"]
        put = self.put(file, 0, data)
        expect((put.status, put.status == 204 and put.offset) == (204, len(data)), f"204, got {put.status} {put.raw}")
        return self.described(self.end(file, data), name, data)

    @staticmethod
    def described(ended, name, data):
        info = {"file": ended["file"], "name": name, "media": ended["media"], "size": ended["size"],
                "sha256": sha256(data)}
        return {**info, **{k: ended[k] for k in ("width", "height") if k in ended}}

    def message(self, conv, files, caption=None, cmid=None, **more):
        out = {"cmid": cmid or new_cmid(), "conv": conv, "kind": "attachment", "files": files,
               "fallback_text": "a file", **more}
        return {**out, "text": caption} if caption else out

    def send(self, conv, files, caption=None, **more):
        return self.call("message.send", self.message(conv, files, caption, **more))

    def get(self, file, **headers):
        return self.ask("GET", f"/v1/files/{file}", **headers)
