#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attachments and the operator's commands: backup and restore bring every byte back, export hands them out, erase takes
them off the disk, check finds what does not fit, and a day later what no message carries is gone (delivery
"Attachments", I18, I25)."""
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from filing import Filer, expect, png, refused, sha256  # noqa: E402
from harness import Failed, Rig, clock_turns, main, run_program, wait_until  # noqa: E402
from wire import WireError, new_cmid  # noqa: E402


def files_of(data):
    """name -> bytes of every whole attachment in a folder."""
    found = {}
    for folder, _, names in os.walk(os.path.join(data, "files")):
        for name in names:
            if os.path.basename(folder) != "part":
                with open(os.path.join(folder, name), "rb") as f:
                    found[name] = f.read()
    return found


def command(rig, *args, data=None, check=True):
    return run_program("deskbell", args[0], "--data", data or rig.server.data, *args[1:], check=check)


def check_finds(rig, words, *more):
    done = command(rig, "check", *more, check=False)
    if words is None:
        expect(done.returncode == 0 and done.stdout == "ok\n", f"ok, got {done.stdout}{done.stderr}")
    else:
        expect(done.returncode == 65 and words in done.stdout, f"{words}, got {done.returncode} {done.stdout}")


def a_backup_brings_back_every_byte(rig):
    ann, kim = rig.customer("ann"), rig.agent("Kim")
    first, second = png(20, 10, os.urandom(70000)), os.urandom(300000)
    with Filer(rig, ann.token) as a, Filer(rig, kim.token) as k:
        one, two = a.upload(first, "1.png", "image/png"), k.upload(second, "2.zip")
        a.send(ann.conv, [one], "mine")
        k.send(ann.conv, [two])
        loose = a.upload(b"in no message")
        part = a.begin(100)
        a.put(part["file"], 0, b"p" * 40)
    folder = os.path.join(rig.folder, "backup")
    made = json.loads(command(rig, "backup", "--to", folder, "--json").stdout)
    expect((made["files"], made["file_bytes"]) == (3, len(first) + len(second) + 13), f"three files, got {made}")
    expect(files_of(folder) == {one["file"]: first, two["file"]: second, loose["file"]: b"in no message"}, "their bytes")
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
        listed = json.load(f)["files"]
    expect(listed[f"files/{one['file'][:2]}/{one['file']}"] == {"bytes": len(first), "sha256": sha256(first)}, "in the manifest")
    with Filer(rig, ann.token) as a:
        late = a.upload(b"after the backup")
        a.send(ann.conv, [late])
        seq = next(e["seq"] for e in a.wire.read_log(ann.conv)[0] if e.get("files") == [one])
        a.call("message.erase", {"cmid": new_cmid(), "conv": ann.conv, "of": seq})
        wait_until("gone from the disk", lambda: one["file"] not in files_of(rig.server.data))
    expect(files_of(folder)[one["file"]] == first, "the backup keeps its own name of the bytes")
    rig.server.stop()
    command(rig, "restore", "--from", folder, "--no-ledger")
    check_finds(rig, None, "--deep")
    kept = os.path.join(rig.server.data, "files.before-restore", late["file"])
    expect(os.path.exists(kept) and late["file"] not in files_of(rig.server.data), "what the backup does not know lies beside")
    rig.server.start()
    with Filer(rig, ann.token) as a:
        expect(a.get(one["file"]).raw == first and a.get(two["file"]).raw == second, "every byte, for who may read it")
        refused(a.get(late["file"]), 404, "not_found")
        again = a.put(part["file"], 0, b"p" * 100)
        expect(again.status == 204 or again.offset == 40, f"an upload under way begins or goes on: {again.status}")


def a_spoiled_backup_is_refused(rig):
    ann = rig.customer("spoil")
    with Filer(rig, ann.token) as a:
        file = a.upload(b"abc" * 1000)["file"]
    folder = os.path.join(rig.folder, "spoiled")
    command(rig, "backup", "--to", folder)
    path = os.path.join(folder, "files", file[:2], file)
    os.unlink(path)
    with open(path, "wb") as f:
        f.write(b"abd" * 1000)
    rig.server.stop()
    done = command(rig, "restore", "--from", folder, "--no-ledger", check=False)
    expect(done.returncode == 65 and "SHA-256" in done.stderr, f"refused, got {done.returncode} {done.stderr}")
    rig.server.start()
    with Filer(rig, ann.token) as a:
        expect(a.get(file).raw == b"abc" * 1000, "the old one is untouched")


def check_finds_what_is_missing_or_changed_or_belongs_to_nothing(rig):
    with Filer(rig, rig.customer("checked").token) as a:
        file = a.upload(b"0123456789")["file"]
    path = os.path.join(rig.server.data, "files", file[:2], file)
    check_finds(rig, None)
    rig.server.stop()
    shutil.move(path, path + ".away")
    check_finds(rig, f"attachment {file} is missing")
    with open(path, "wb") as f:
        f.write(b"01234567")
    check_finds(rig, f"attachment {file} has another size")
    with open(path, "wb") as f:
        f.write(b"9876543210")
    check_finds(rig, None)
    check_finds(rig, f"attachment {file} has another SHA-256", "--deep")
    os.unlink(path)
    shutil.move(path + ".away", path)
    stray = "ab" * 16
    folder = os.path.join(rig.server.data, "files", "ab")
    made = not os.path.exists(folder)
    os.makedirs(folder, exist_ok=True)
    lost = os.path.join(folder, stray)
    with open(lost, "wb") as f:
        f.write(b"x")
    check_finds(rig, None)
    old = time.time() - 25 * 3600
    os.utime(lost, (old, old))
    check_finds(rig, f"attachment {stray} belongs to nothing")
    os.unlink(lost)
    if made:
        os.rmdir(folder)  # it is not the server's, whose user is another
    check_finds(rig, None, "--deep")
    rig.server.start()


def export_hands_out_a_persons_files_and_erase_takes_them(rig):
    ann, bob, kim = rig.customer("data-subject"), rig.customer("bystander"), rig.agent("Keeper")
    with Filer(rig, ann.token) as a, Filer(rig, kim.token) as k, Filer(rig, bob.token) as b:
        mine, answer, note = a.upload(b"mine", "me.txt", "text/plain"), k.upload(b"answer"), k.upload(b"note")
        a.send(ann.conv, [mine])
        k.send(ann.conv, [answer])
        k.send(ann.conv, [note], log="team")
        loose, others = a.upload(b"loose"), b.upload(b"others")
        b.send(bob.conv, [others])
        folder = os.path.join(rig.folder, "person")
        out = os.path.join(rig.folder, "person.ndjson")
        command(rig, "export", "--user", "data-subject", "--to", out, "--files-to", folder)
        with open(out, encoding="utf-8") as f:
            rows = [r for r in map(json.loads, f) if r["type"] == "file"]
        expect({(r["file"], r["sha256"]) for r in rows} == {(i["file"], i["sha256"]) for i in (mine, answer, loose)},
               f"his, what he was answered, no notes: {rows}")
        for info, data in ((mine, b"mine"), (answer, b"answer"), (loose, b"loose")):
            with open(os.path.join(folder, info["file"]), "rb") as f:
                expect(f.read() == data, "the bytes")
        part = a.begin(100)["file"]
        a.put(part, 0, b"part")
        command(rig, "erase", "--customer", ann.principal, "--yes")
        left = files_of(rig.server.data)
        expect(not {i["file"] for i in (mine, answer, note, loose)} & set(left), "gone when the command has ended")
        expect(not os.path.exists(os.path.join(rig.server.data, "files", "part", part)), "what was arriving too")
        expect(left[others["file"]] == b"others" and b.get(others["file"]).raw == b"others", "nobody else's")
        refused(k.get(answer["file"]), 404, "not_found")


def an_erasure_without_a_server_takes_the_files_too(rig):
    ann = rig.customer("offline-erased")
    with Filer(rig, ann.token) as a:
        info = a.upload(b"bytes")
        a.send(ann.conv, [info])
    rig.server.stop()
    command(rig, "erase", "--customer", ann.principal, "--yes")
    expect(info["file"] not in files_of(rig.server.data), "gone")
    check_finds(rig, None, "--deep")
    rig.server.start()


def a_restore_erases_again_and_takes_the_files(rig):
    ann = rig.customer("erased-twice")
    with Filer(rig, ann.token) as a:
        info = a.upload(b"to be forgotten")
        a.send(ann.conv, [info])
    folder = os.path.join(rig.folder, "before-erasure")
    command(rig, "backup", "--to", folder)
    command(rig, "erase", "--customer", ann.principal, "--yes")
    rig.server.stop()
    command(rig, "restore", "--from", folder)
    expect(info["file"] in files_of(folder) and info["file"] not in files_of(rig.server.data), "the ledger was replayed")
    rig.server.start()


def what_no_message_carries_is_gone_after_a_day_but_not_while_the_clock_is_suspect(rig):
    ann = rig.customer("idle")
    with Filer(rig, ann.token) as a:
        loose, sent, part = a.upload(b"loose"), a.upload(b"sent"), a.begin(100)["file"]
        a.put(part, 0, b"p")
        a.send(ann.conv, [sent])
    rig.server.stop()
    rig.server.env["DESKBELL_TEST_CLOCK_MS"] = str(23 * 3600 * 1000)
    rig.server.start()
    with Filer(rig, user_token_later(rig, "idle", 23)) as a:  # a commit of that hour: the next day is no jump any more
        expect(a.get(loose["file"]).raw == b"loose", "after 23 h it is still there")
        a.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text", "text": "later"})
    rig.server.stop()
    rig.server.env["DESKBELL_TEST_CLOCK_MS"] = str((24 * 60 + 10) * 60 * 1000)
    rig.server.start()
    wait_until("both are gone", lambda: loose["file"] not in files_of(rig.server.data) and
               not os.path.exists(os.path.join(rig.server.data, "files", "part", part)))
    expect(files_of(rig.server.data)[sent["file"]] == b"sent", "what a message carries stays")
    with Filer(rig, user_token_later(rig, "idle", 24)) as a:
        kept = a.upload(b"kept while nobody knows the time")
    rig.server.stop()
    rig.server.env["DESKBELL_TEST_CLOCK_MS"] = str(49 * 3600 * 1000)
    rig.server.start()
    with Filer(rig, user_token_later(rig, "idle", 49)) as a:
        for n in range(5):  # each a batch, in which a job that is due would run
            a.call("message.send", {"cmid": new_cmid(), "conv": ann.conv, "kind": "text", "text": str(n)})
        expect(a.get(kept["file"]).raw.startswith(b"kept"), "a clock that jumped a day destroys nothing")
        try:
            a.call("upload.cancel", {"file": loose["file"]})
        except WireError as e:
            expect(e.tag == "not_found", f"gone for its owner too: {e}")
        else:
            raise Failed("a swept upload was still there")
    rig.server.stop()
    del rig.server.env["DESKBELL_TEST_CLOCK_MS"]
    rig.server.start()


def user_token_later(rig, user, hours):
    now = int(time.time()) + hours * 3600
    return rig.user_token(user, iat=now, exp=now + 3600)


def a_part_that_nobody_knows_is_removed_at_the_start(rig):
    rig.server.stop()
    folder = os.path.join(rig.server.data, "files", "part")
    for name in ("cd" * 16, "junk"):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(b"x")
    rig.server.start()
    expect(os.listdir(folder) == [] or not {"cd" * 16, "junk"} & set(os.listdir(folder)), f"gone: {os.listdir(folder)}")


def run():
    tests = [a_backup_brings_back_every_byte, a_spoiled_backup_is_refused,
             check_finds_what_is_missing_or_changed_or_belongs_to_nothing,
             export_hands_out_a_persons_files_and_erase_takes_them, an_erasure_without_a_server_takes_the_files_too,
             a_restore_erases_again_and_takes_the_files, a_part_that_nobody_knows_is_removed_at_the_start]
    if clock_turns():
        tests.append(what_no_message_carries_is_gone_after_a_day_but_not_while_the_clock_is_suspect)
    with Rig("files-care") as rig:
        rig.has_verdict = True  # no history is kept here
        rig.start_server()
        for test in tests:
            test(rig)
            print("ok", test.__name__, flush=True)
        expect(rig.server.stop() == 0, "an orderly end")
        rig.check_logs()


if __name__ == "__main__":
    main(run)
