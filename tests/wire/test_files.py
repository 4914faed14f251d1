#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attachments over the wire: uploads with their offsets, messages that carry them, downloads with ranges, links, and who
may do what. Against the running server (security: cases 20, 36, 37, 43, 56 to 61)."""
import http.client
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from filing import Answer, Filer, expect, png, refused, sha256  # noqa: E402
from harness import SLOW, Failed, Rig, clock_turns, main, run_program, wait_until  # noqa: E402
from wire import WireError, new_cmid  # noqa: E402

NOBODYS = "0" * 31 + "1"


def fails(tag, call, field=None):
    try:
        call()
    except WireError as e:
        expect(e.tag == tag, f"{tag}, got {e}")
        return e
    raise Failed(f"expected {tag}, but it went through")


def on_disk(rig, file):
    return [p for p in (os.path.join(rig.server.data, "files", file[:2], file),
                        os.path.join(rig.server.data, "files", "part", file)) if os.path.exists(p)]


def whole_path(rig, file):
    return os.path.join(rig.server.data, "files", file[:2], file)


# ---- uploads

def what_is_uploaded_in_a_message_is_read_by_the_other_side_byte_by_byte(rig):
    ann, kim = rig.customer("ann"), rig.agent("Kim")
    data = png(640, 480, os.urandom(300000))
    with Filer(rig, ann.token) as a, Filer(rig, kim.token) as k:
        info = a.upload(data, "photo.png", "image/png")
        expect((info["media"], info.get("width"), info.get("height")) == ("image/png", 640, 480), f"a picture: {info}")
        sent = a.send(ann.conv, [info], "look")
        entry = k.call("entries.read", {"conv": ann.conv})["entries"][-1]
        expect((entry["kind"], entry["files"], entry["text"]) == ("attachment", [info], "look"), f"the entry: {entry}")
        got = k.get(info["file"])
        expect(got.status == 200 and got.raw == data, f"the bytes, got {got.status} and {len(got.raw)}")
        expect(got.headers["Content-Type"] == "image/png", "its type")
        expect(sent["seq"] == entry["seq"], "its place")
        with open(whole_path(rig, info["file"]), "rb") as f:
            expect(f.read() == data, "the file on the disk")
        expect(a.call("feed.read", {"rev": 0})["rows"][0]["last"]["preview"] == "look", "the caption as preview")


def an_upload_goes_on_where_it_was_cut_at_any_byte(rig):
    ann = rig.customer("cutter")
    data = os.urandom(600001)
    with Filer(rig, ann.token) as a:
        for cut in (0, 1, 65535, 262143, 262144, 262145, 524288, 600000):
            cmid = new_cmid()
            begun = a.begin(len(data), cmid=cmid)
            link = socket.create_connection(("127.0.0.1", rig.server.port), 20 * SLOW)
            link.sendall(f"PUT /v1/files/{begun['file']} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {a.token}\r\n"
                         f"Upload-Offset: 0\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:cut])
            part = os.path.join(rig.server.data, "files", "part", begun["file"])
            wait_until("the bytes are there", lambda p=part, c=cut: c == 0 or
                       (os.path.exists(p) and os.path.getsize(p) == c))
            link.close()
            again = a.begin(len(data), cmid=cmid)
            expect(again["file"] == begun["file"] and again["offset"] == cut, f"offset {cut}, got {again}")
            put = a.put(begun["file"], cut, data[cut:])
            expect((put.status, put.offset) == (204, len(data)), f"the rest, got {put.status} {put.raw}")
            expect(a.end(begun["file"], data)["size"] == len(data), "whole")
            expect(a.get(begun["file"]).raw == data, "the same bytes")


def the_wrong_offset_is_told_the_right_one(rig):
    with Filer(rig, rig.customer("off").token) as a:
        data = os.urandom(5000)
        file = a.begin(len(data))["file"]
        expect(a.put(file, 0, data[:1000]).offset == 1000, "a thousand")
        for wrong in (0, 999, 1001, 4999, 5000):
            answer = a.put(file, wrong, b"")
            refused(answer, 412, "wrong_offset")
            expect(answer.offset == 1000, f"1000, got {answer.offset}")
        refused(a.put(file, 5001, b""), 413, "too_large")
        refused(a.put(file, 1000, data[1000:] + b"x"), 413, "too_large")
        for bad in ("-1", "x", "", "1e3", "9" * 16, "1 "):
            answer = a.ask("PUT", f"/v1/files/{file}", b"", Upload_Offset=bad)
            expect(answer.status == 400 if bad != "1 " else answer.status == 412, f"400 for {bad!r}: {answer.status}")
        refused(a.ask("PUT", f"/v1/files/{file}", b""), 400, "bad_request")
        expect(a.put(file, 1000, data[1000:]).status == 204 and a.end(file, data)["file"] == file, "intact after all that")


def a_second_put_takes_the_upload_over(rig):
    with Filer(rig, rig.customer("twice").token) as a:
        data = os.urandom(400000)
        file = a.begin(len(data))["file"]
        link = socket.create_connection(("127.0.0.1", rig.server.port), 20 * SLOW)
        link.sendall(f"PUT /v1/files/{file} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {a.token}\r\n"
                     f"Upload-Offset: 0\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:1000])
        part = os.path.join(rig.server.data, "files", "part", file)
        wait_until("the first bytes", lambda: os.path.exists(part) and os.path.getsize(part) == 1000)
        expect(a.put(file, 1000, data[1000:2000]).offset == 2000, "the newer one goes on")
        link.sendall(data[1000:3000])
        head = link.recv(4096)
        expect(head.startswith(b"HTTP/1.1 409") and b'"conflict"' in head, f"409 for the older, got {head[:60]}")
        link.close()
        expect(a.put(file, 2000, data[2000:]).status == 204 and a.end(file, data), "nothing of the older got in")


def the_end_is_refused_until_all_bytes_are_there_and_right(rig):
    with Filer(rig, rig.customer("ender").token) as a:
        data = os.urandom(2000)
        file = a.begin(len(data))["file"]
        fails("incomplete", lambda: a.end(file, data))
        a.put(file, 0, data[:1500])
        fails("incomplete", lambda: a.end(file, data))
        a.put(file, 1500, data[1500:])
        first, again = a.end(file, data), a.end(file, data)
        expect(first == again, f"the same answer: {first} {again}")
        fails("bad_request", lambda: a.end(file, data + b"x"))
        expect(a.get(file).raw == data, "intact")
        spoiled = a.begin(len(data))["file"]
        a.put(spoiled, 0, data)
        fails("wrong_hash", lambda: a.end(spoiled, b"x"))
        fails("not_found", lambda: a.end(spoiled, data))
        refused(a.put(spoiled, 0, data), 404, "not_found")
        wait_until("its bytes are gone", lambda: not on_disk(rig, spoiled))


def a_repeat_of_begin_is_the_same_upload_and_another_file_a_conflict(rig):
    with Filer(rig, rig.customer("again").token) as a:
        cmid = new_cmid()
        first = a.begin(10, "a.txt", "text/plain", cmid)
        expect(a.begin(10, "a.txt", "text/plain", cmid)["file"] == first["file"], "the same")
        for more in ((11, "a.txt", "text/plain"), (10, "b.txt", "text/plain"), (10, "a.txt", "text/csv")):
            fails("idempotency_conflict", lambda m=more: a.begin(*m, cmid))
        expect(len(re.fullmatch("[0-9a-f]{32}", first["file"]).group()) == 32 and first["piece_bytes"] == 262144, "a name")
        expect(86000000 < first["expires"] - time.time() * 1000 <= 86401000, f"a day: {first}")


def a_cancelled_upload_is_gone_from_the_disk_and_a_sent_one_stays(rig):
    ann, bob = rig.customer("canc"), rig.customer("other")
    with Filer(rig, ann.token) as a, Filer(rig, bob.token) as b:
        part = a.begin(100)["file"]
        a.put(part, 0, b"x" * 50)
        info = a.upload(b"whole")
        fails("not_found", lambda: b.call("upload.cancel", {"file": part}))
        for file in (part, info["file"]):
            a.call("upload.cancel", {"file": file})
            fails("not_found", lambda f=file: a.call("upload.cancel", {"file": f}))
            wait_until("gone", lambda f=file: not on_disk(rig, f))
            refused(a.get(file), 404, "not_found")
        sent = a.upload(b"kept")
        a.send(ann.conv, [sent])
        fails("locked", lambda: a.call("upload.cancel", {"file": sent["file"]}))
        expect(a.get(sent["file"]).raw == b"kept", "kept")


def limits_are_told_as_what_they_are(rig):
    with Filer(rig, rig.customer("big").token) as a:
        fails("attachment_too_large", lambda: a.begin(26214401))
        fails("attachment_too_large", lambda: a.begin(2**53 - 1))
        fails("bad_request", lambda: a.begin(0))
        fails("bad_request", lambda: a.begin(5, name=""))
        fails("bad_request", lambda: a.begin(5, name="a\nb"))
        fails("bad_request", lambda: a.begin(5, name="x" * 256))
        fails("bad_request", lambda: a.begin(5, media="m" * 128))
        fails("not_found", lambda: a.begin(5, conv="cnv_0000000000001"))
        expect(a.begin(26214400)["offset"] == 0, "the limit itself is fine")
        for _ in range(99):
            a.begin(5)
        refusal = fails("rate_limited", lambda: a.begin(5))
        expect(refusal.error_class == "retry" and refusal.retry_after_ms > 80000000, f"tomorrow: {refusal.retry_after_ms}")
    with Filer(rig, rig.agent("Busy").token) as k:
        for _ in range(101):
            k.begin(5)


# ---- messages

def a_message_is_accepted_only_with_files_as_they_are(rig):
    ann, bob = rig.customer("ann2"), rig.customer("bob2")
    with Filer(rig, ann.token) as a, Filer(rig, bob.token) as b:
        info, foreign = a.upload(png(), "p.png"), b.upload(b"bobs")
        part = a.begin(9)["file"]
        bad = [{**info, "name": "q.png"}, {**info, "media": "image/gif"}, {**info, "size": info["size"] + 1},
               {**info, "sha256": "0" * 64}, {**info, "width": 4}, {**info, "file": NOBODYS}, foreign,
               {**info, "file": part}]
        for files in [[one] for one in bad] + [[info, info], [info, foreign]]:
            fails("file_unknown", lambda f=files: a.send(ann.conv, f))
        for files in ([], [info] * 11, [{k: v for k, v in info.items() if k != "sha256"}], [{**info, "path": "/x"}]):
            fails("bad_request", lambda f=files: a.send(ann.conv, f))
        fails("bad_request", lambda: a.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text",
                                                             "text": "x", "files": [info]}))
        bare = {k: v for k, v in info.items() if k not in ("width", "height")}
        message = a.message(ann.conv, [bare])
        first, again = a.call("message.send", message), a.call("message.send", message)
        expect(again == {**first, "dup": True}, f"a repeat gets the answer of the first: {again}")
        fails("idempotency_conflict", lambda: a.call("message.send", {**message, "fallback_text": "else"}))
        fails("file_unknown", lambda: a.send(ann.conv, [info]))
        entries, _ = a.wire.read_log(ann.conv)
        expect([e["files"] for e in entries] == [[bare]], "one message, as it was sent")


def ten_files_travel_in_one_message(rig):
    ann = rig.customer("ten")
    with Filer(rig, ann.token) as a:
        infos = [a.upload(bytes([i]) * (i + 1), f"{i}.txt", "text/plain") for i in range(10)]
        a.send(ann.conv, infos)
        expect(a.wire.read_log(ann.conv)[0][-1]["files"] == infos, "in their order")


def an_erased_message_takes_its_files_off_the_disk(rig):
    ann, kim = rig.customer("eraser"), rig.agent("Eva")
    with Filer(rig, ann.token) as a, Filer(rig, kim.token) as k:
        info, other = a.upload(b"secret" * 1000, "s.txt", "text/plain"), a.upload(b"stays")
        seq = a.send(ann.conv, [info], "the secret")["seq"]
        a.send(ann.conv, [other])
        link = k.call("file.link", {"file": info["file"]})["url"]
        expect(k.ask("GET", link, Authorization=None).raw == b"secret" * 1000, "readable before")
        a.call("message.erase", {"cmid": new_cmid(), "conv": ann.conv, "of": seq})
        for answer in (a.get(info["file"]), k.get(info["file"]), k.ask("GET", link, Authorization=None)):
            refused(answer, 404, "not_found")
        wait_until("its bytes are gone", lambda: not on_disk(rig, info["file"]))
        entry = a.wire.read_log(ann.conv)[0][seq - 1]
        expect(entry["kind"] == "erased" and "files" not in entry, f"nothing is left of it: {entry}")
        expect(k.get(other["file"]).raw == b"stays", "the other one is untouched")


def a_caption_can_be_edited_and_the_files_stay(rig):
    ann = rig.customer("editor")
    with Filer(rig, ann.token) as a:
        info = a.upload(b"x")
        seq = a.send(ann.conv, [info], "old")["seq"]
        bare = a.send(ann.conv, [a.upload(b"y")])["seq"]
        edit = {"conv": ann.conv, "version": 1, "text": "new"}
        a.call("message.edit", {**edit, "cmid": new_cmid(), "of": seq})
        entry = a.wire.read_log(ann.conv)[0][seq - 1]
        expect((entry["text"], entry["files"], entry["edited"]) == ("new", [info], 2), f"the caption alone: {entry}")
        fails("bad_request", lambda: a.call("message.edit", {**edit, "cmid": new_cmid(), "of": bare}))


# ---- who may

def nobody_else_reads_or_writes_it_and_cannot_tell_that_it_is_there(rig):
    ann, bob, kim = rig.customer("ann3"), rig.customer("bob3"), rig.agent("Kim3")
    with Filer(rig, ann.token) as a, Filer(rig, bob.token) as b, Filer(rig, kim.token) as k, \
            Filer(rig, visitor={"app": rig.app}) as v:
        loose, sent = a.upload(b"loose"), a.upload(b"sent")
        part = a.begin(100)["file"]
        a.send(ann.conv, [sent])
        note = k.upload(b"note")
        k.send(ann.conv, [note], log="team")
        nowhere = b.get(NOBODYS)
        refused(nowhere, 404, "not_found")
        secrets = [(b, (loose, sent, note)), (v, (loose, sent, note)), (a, (note,)), (k, (loose,))]
        for who, infos in secrets:
            for info in infos:
                answer = who.get(info["file"])
                expect((answer.status, answer.raw) == (404, nowhere.raw), f"equal bytes, got {answer.status} {answer.raw}")
                fails("not_found", lambda w=who, i=info: w.call("file.link", {"file": i["file"]}))
        for who in (b, v, k):
            refused(who.put(part, 0, b"x" * 10), 404, "not_found")
            fails("not_found", lambda w=who: w.end(part, b"x"))
            fails("file_unknown", lambda w=who: w.send(ann.conv, [loose]) if w is k else
                  w.call("message.send", {**w.message(ann.conv, [loose]), "key": "main", "conv": None} if False else
                         {k2: v2 for k2, v2 in {**w.message(ann.conv, [loose]), "key": "main"}.items() if k2 != "conv"}))
        expect([who.get(info["file"]).raw for who, info in ((a, loose), (a, sent), (k, sent), (k, note))] ==
               [b"loose", b"sent", b"sent", b"note"], "those who may")
        bare = a.ask("GET", f"/v1/files/{sent['file']}", Authorization=None)
        refused(bare, 401, "auth_required")
        refused(a.ask("GET", f"/v1/files/{sent['file']}", Authorization="Bearer dbh_nobody"), 401, "token_invalid")
        refused(a.ask("GET", f"/v1/files/{sent['file']}?token={a.token}"), 401, "auth_required")
        expect(a.ask("GET", f"/v1/files/{sent['file']}", Authorization="Bearer " + ann.token).raw == b"sent",
               "a user token proves the same person")


def a_revoked_agent_reads_nothing_any_more(rig):
    ann, kim, eva = rig.customer("ann4"), rig.agent("Leaver"), rig.agent("Stays")
    with Filer(rig, ann.token) as a, Filer(rig, kim.token) as k, Filer(rig, eva.token) as e:
        info = a.upload(b"for the team")
        a.send(ann.conv, [info])
        link = k.call("file.link", {"file": info["file"]})["url"]
        expect(k.get(info["file"]).status == k.ask("GET", link, Authorization=None).status == 200, "before")
        run_program("deskbell", "agent", "revoke", "--data", rig.server.data, kim.principal)
        refused(k.get(info["file"]), 401, "token_invalid")
        refused(k.ask("GET", link, Authorization=None), 404, "not_found")
        expect(e.get(info["file"]).status == 200, "the others still do")


def a_link_is_good_for_one_person_for_five_minutes_and_not_when_edited(rig):
    ann, bob = rig.customer("ann5"), rig.customer("bob5")
    with Filer(rig, ann.token) as a, Filer(rig, bob.token) as b:
        info, other = a.upload(png(), "p.png", "image/png"), a.upload(b"other")
        a.send(ann.conv, [info, other])
        made = a.call("file.link", {"file": info["file"]})
        url = made["url"]
        expect(re.fullmatch(r"/f/[0-9a-f]{32}/[0-9]+-usr_[0-9a-z]{13}/[0-9a-f]{64}", url), f"its form: {url}")
        expect(290000 < made["expires"] - time.time() * 1000 <= 301000, "five minutes")
        good = a.ask("GET", url, Authorization=None)
        expect(good.status == 200 and good.headers["Content-Disposition"].startswith("inline"), "good")
        head, middle, mac = url.split("/")[2:]
        expiry, who = middle.split("-")
        for bad in (f"/f/{other['file']}/{middle}/{mac}", f"/f/{head}/{int(expiry) + 1}-{who}/{mac}",
                    f"/f/{head}/{expiry}-{b.principal}/{mac}", f"/f/{head}/{middle}/{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
                    f"/f/{head}/{middle}/{mac[:-1]}", f"/f/{head}/{middle}", f"/f/{head}", "/f/", f"/f/{head}/0-x/{mac}"):
            refused(a.ask("GET", bad, Authorization=None), 404, "not_found")
        refused(a.ask("PUT", url, b"", Upload_Offset="0", Authorization=None), 405, "method_not_allowed")


def an_expired_link_is_refused(rig):
    with Filer(rig, rig.customer("ann6").token) as a:
        info = a.upload(b"x")
        url = a.call("file.link", {"file": info["file"]})["url"]
        expect(a.ask("GET", url, Authorization=None).status == 200, "good now")
    rig.server.stop()
    rig.server.env["DESKBELL_TEST_CLOCK_MS"] = str(6 * 60 * 1000)
    rig.server.start()
    try:
        refused(Filer(rig, rig.user_token("ann6")).ask("GET", url, Authorization=None), 404, "not_found")
    finally:
        rig.server.stop()
        del rig.server.env["DESKBELL_TEST_CLOCK_MS"]
        rig.server.start()


# ---- downloads

def ranges_are_answered_by_the_rules(rig):
    with Filer(rig, rig.customer("ranger").token) as a:
        data = os.urandom(100000)
        file = a.upload(data)["file"]
        tag = '"' + sha256(data) + '"'
        for said, first, last in (("bytes=0-0", 0, 0), ("bytes=5-9", 5, 9), ("bytes=99999-", 99999, 99999),
                                  ("bytes=-1", 99999, 99999), ("bytes=-200000", 0, 99999), ("bytes=0-999999", 0, 99999),
                                  ("bytes=30000-", 30000, 99999), ("BYTES=1-2", 1, 2)):
            got = a.get(file, Range=said)
            expect(got.status == 206 and got.raw == data[first:last + 1], f"{said}: {got.status}, {len(got.raw)} bytes")
            expect(got.headers["Content-Range"] == f"bytes {first}-{last}/100000", f"{said}: where it is")
        for said in ("bytes=100000-", "bytes=-0", "bytes=0-1,5-9", "bytes=" + ",".join(f"{i}-{i}" for i in range(1000)),
                     "bytes=" + ",".join("0-" for _ in range(20))):
            got = a.get(file, Range=said)
            refused(got, 416, "bad_range")
            expect(got.headers["Content-Range"] == "bytes */100000", "how long it is")
        for said in ("bytes=5-2", "lines=1-2", "bytes", "bytes=x-", "bytes= 1-2", "bytes=--1"):
            got = a.get(file, Range=said)
            expect(got.status == 200 and got.raw == data, f"{said} is no range: the whole, got {got.status}")
        expect(a.get(file, Range="bytes=1-2", If_Range=tag).status == 206, "still the same file")
        expect(a.get(file, Range="bytes=1-2", If_Range='"other"').status == 200, "another file: the whole")
        expect(a.get(file, If_None_Match=tag).status == 304, "known already")
        head = a.ask("HEAD", f"/v1/files/{file}")
        expect((head.status, head.raw, head.headers["Content-Length"], head.headers["ETag"]) ==
               (200, b"", "100000", tag), "the head alone")
        part = a.ask("HEAD", f"/v1/files/{file}", Range="bytes=0-9")
        expect((part.status, part.headers["Content-Length"]) == (206, "10"), "of a range too")


def nothing_that_was_sent_is_run_by_a_browser(rig):
    script = b"<script>alert(1)</script>"
    cases = [(script, "x.html", "text/html", "application/octet-stream", False),
             (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.svg", "image/svg+xml",
              "application/octet-stream", False),
             (script, "x.png", "image/png", "application/octet-stream", False),
             (b"GIF89a" + b"\1\0\1\0\0\0\0" + script, "x.js", "text/javascript", "image/gif", True),
             (b"GIF89a" + b"\0\0\0\0\0\0\0" + script, "x.gif", "image/gif", "application/octet-stream", False),
             (png(), "x.pdf", "application/pdf", "image/png", True),
             (b"%PDF-1.7", "x.pdf", "application/pdf", "application/pdf", False),
             (b"hi", "x.txt", "Text/Plain; charset=utf-8", "text/plain", False),
             (b"<?xml?>", "x.xml", "application/xml", "application/octet-stream", False)]
    with Filer(rig, rig.customer("xss").token) as a:
        for data, name, said, stored, is_inline in cases:
            info = a.upload(data, name, said)
            got = a.get(info["file"])
            place = got.headers["Content-Disposition"].split(";")[0]
            expect((info["media"], got.headers["Content-Type"]) == (stored, stored), f"{name} as {said}: {info}")
            expect(place == ("inline" if is_inline else "attachment"), f"{name}: {place}")
            expect(got.headers["X-Content-Type-Options"] == "nosniff", "no sniffing")
            expect(got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'", "a sandbox")
            expect(got.headers["Cross-Origin-Resource-Policy"] == "same-origin", "for its own origin")
            expect("private" in got.headers["Cache-Control"], "no shared cache keeps it")


def hostile_names_are_data_and_end_no_header(rig):
    names = ["../../etc/passwd", "C:\\windows\\a.txt", 'a"b;c=d.txt', "nul", "x" * 255, "\u202ecod.exe", ".htaccess",
             "\u65e5\u672c\u8a9e.png", "a%0d%0aSet-Cookie: x=1", "\U0001f600" * 255, " ", "a\u2066b"]
    with Filer(rig, rig.customer("namer").token) as a:
        for name in names:
            data = name.encode()
            info = a.upload(data, name)
            expect(info["name"] == name, "the name as it was given")
            got = a.get(info["file"])
            line = got.headers["Content-Disposition"]
            expect(got.raw == data and got.headers["Set-Cookie"] is None, "the bytes and no header of his")
            expect(re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9._%-]+", line), f"only safe bytes: {line[:80]}")
            expect(not re.search("%2F|%5C|%E2%80%AE|%E2%81%A6|%0[AD]", line) and "''." not in line, f"no path: {line[:80]}")


def tricks_with_paths_are_not_found(rig):
    with Filer(rig, rig.customer("tricky").token) as a:
        file = a.upload(b"x")["file"]
        for path in ("/v1/files/../files/" + file, "/v1/files/%2e%2e/" + file, "/v1/files//" + file, "/v1/files/",
                     "/v1/files/" + file.upper(), "/v1/files/" + file + "/", "/v1/files/" + file + "0", "/v1/files/part",
                     "/v1/files/" + file[:-1], "/v1/files/..%2f..%2fdeskbell.db", "/v1/files/\\" + file):
            if path == "/v1/files/" + file.upper() and file.upper() == file:
                continue
            expect(a.ask("GET", path).status == 404, f"404 for {path}")
        for verb in ("POST", "DELETE", "PATCH"):
            refused(a.ask(verb, f"/v1/files/{file}", b"" if verb != "DELETE" else None), 405, "method_not_allowed")


def a_link_in_the_folder_is_not_followed(rig):
    with Filer(rig, rig.customer("symlink").token) as a:
        info = a.upload(b"real bytes")
        path = whole_path(rig, info["file"])
        secret = os.path.join(rig.server.data, "deskbell.db")
        os.rename(path, path + ".away")
        os.symlink(secret, path)
        rig.expected.append("a file could not be used")
        answer = a.get(info["file"])
        expect(answer.status == 500 and b"SQLite" not in answer.raw, f"no bytes, got {answer.status}")
        os.unlink(path)
        os.rename(path + ".away", path)
        expect(a.get(info["file"]).raw == b"real bytes", "and back")


def a_slow_reader_costs_little_and_gets_all_of_it(rig):
    data = os.urandom(8 * 1024 * 1024)
    with Filer(rig, rig.customer("slow").token) as a:
        file = a.upload(data)["file"]
        links = []
        before = rss(rig)
        for _ in range(8):
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect(("127.0.0.1", rig.server.port))
            link.settimeout(20 * SLOW)
            link.sendall(f"GET /v1/files/{file} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {a.token}\r\n"
                         "Connection: close\r\n\r\n".encode())
            links.append((link, bytearray(link.recv(4096))))
        wait_until("all have begun", lambda: all(len(got) > 0 for _, got in links))
        if SLOW == 1:
            expect(rss(rig) - before < 8 * 1024 * 1024, f"not one of the files in memory: {rss(rig) - before} bytes more")
        for link, got in links:
            while True:
                piece = link.recv(65536)
                if not piece:
                    break
                got += piece
            link.close()
            expect(bytes(got).split(b"\r\n\r\n", 1)[1] == data, "every byte")


def rss(rig):
    with open(f"/proc/{rig.server.process.child.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024


def messages_flow_while_much_is_uploaded(rig):
    ann = rig.customer("flow")
    data = os.urandom(4 * 1024 * 1024)
    with Filer(rig, ann.token) as a:
        file = a.begin(len(data))["file"]
        link = http.client.HTTPConnection("127.0.0.1", rig.server.port, timeout=30 * SLOW)
        link.putrequest("PUT", f"/v1/files/{file}")
        for name, value in (("Authorization", "Bearer " + a.token), ("Upload-Offset", "0"), ("Content-Length", str(len(data)))):
            link.putheader(name, value)
        link.endheaders()
        for at in range(0, len(data), 65536):
            link.send(data[at:at + 65536])
            if at % 524288 == 0:
                a.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text", "text": str(at)})
        answer = Answer(link.getresponse())
        expect((answer.status, answer.offset) == (204, len(data)), f"all of it: {answer.status}")
        expect(a.end(file, data)["size"] == len(data) and len(a.wire.read_log(ann.conv)[0]) == 8, "both went through")


def too_many_transfers_of_one_person_are_refused(rig):
    with Filer(rig, rig.customer("greedy").token) as a:
        file = a.begin(1000000)["file"]
        links = []
        for _ in range(8):
            link = socket.create_connection(("127.0.0.1", rig.server.port), 20 * SLOW)
            link.sendall(f"PUT /v1/files/{a.begin(1000000)['file']} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
                         f"{a.token}\r\nUpload-Offset: 0\r\nContent-Length: 1000000\r\n\r\nx".encode())
            links.append(link)

        def is_full():
            answer = a.put(file, 0, b"")
            return answer.status == 429 and answer.tag == "rate_limited"
        wait_until("a ninth is refused", is_full)
        for link in links:
            link.close()
        wait_until("there is room again", lambda: a.put(file, 0, b"").status == 204)


def pages_of_the_apps_origins_may_read_and_write(rig):
    with Filer(rig, rig.customer("web").token) as a:
        file = a.upload(b"x")["file"]
        flight = a.ask("OPTIONS", f"/v1/files/{file}", Origin="https://nobody.example", Access_Control_Request_Method="PUT",
                       Authorization=None)
        expect(flight.status == 204 and flight.headers["Access-Control-Allow-Origin"] is None, "nothing for strangers")
        expect(a.get(file, Origin="https://nobody.example").headers["Access-Control-Allow-Origin"] is None, "no reading")


def secrets_of_files_are_in_no_log(rig):
    with Filer(rig, rig.customer("quiet").token) as a:
        info = a.upload(b"x", "a-name-nobody-should-log.txt")
        url = a.call("file.link", {"file": info["file"]})["url"]
        a.ask("GET", url, Authorization=None)
        a.ask("GET", url[:-1], Authorization=None)
        for log in rig.server.logs:
            with open(log, encoding="utf-8", errors="replace") as f:
                held = f.read()
            expect(url[-64:-1] not in held and a.token not in held and "a-name-nobody" not in held, "no secret in the log")


def run():
    tests = [f for f in globals().values() if getattr(f, "__module__", "") == __name__ and hasattr(f, "__code__") and
             f.__code__.co_varnames[:f.__code__.co_argcount] == ("rig",) and f.__name__ not in ("rss",) and (clock_turns() or f is not an_expired_link_is_refused)]
    with Rig("files") as rig:
        rig.has_verdict = True  # no history is kept here: nothing for the checker to look at
        rig.start_server()
        for test in tests:
            if len(sys.argv) < 2 or sys.argv[1] in test.__name__:
                test(rig)
                print("ok", test.__name__, flush=True)
        expect(rig.server.stop() == 0, "an orderly end")
        done = run_program("deskbell", "check", "--deep", "--data", rig.server.data, check=False)
        expect(done.returncode == 0, f"a store that fits together: {done.stdout}")
        rig.check_logs()


if __name__ == "__main__":
    main(run)
