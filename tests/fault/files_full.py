#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F7: the disk is nearly full: uploads are refused with storage_full and 507, messages go on; with room again the same
upload goes on where it was."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from filing import Filer, expect, refused  # noqa: E402
from harness import Failed, Rig, main  # noqa: E402
from volume import Volume  # noqa: E402
from wire import WireError, new_cmid  # noqa: E402

MIB = 1024 * 1024


def say(filer, conv, text):
    return filer.call("message.send", {"cmid": new_cmid(), "conv": conv, "kind": "text", "text": text})


def run():
    with Rig("files-full") as rig:
        rig.has_verdict = True
        volume = Volume(rig.folder, "disk", 160)
        rig.on_exit.append(volume.unmount)
        volume.mount()
        data_dir = os.path.join(volume.path, "data")
        os.chmod(volume.path, 0o777)
        rig.start_server(data=data_dir)
        ann = rig.customer("ann")
        data = os.urandom(4 * MIB)
        with Filer(rig, ann.token) as a:
            file = a.begin(len(data))["file"]
            expect(a.put(file, 0, data[:MIB]).offset == MIB, "the first part while there is room")
            ballast = os.path.join(volume.path, "ballast")
            facts = os.statvfs(volume.path)
            with open(ballast, "wb") as f:
                os.posix_fallocate(f.fileno(), 0, facts.f_bavail * facts.f_frsize - 50 * MIB)
            try:
                a.begin(MIB)
            except WireError as e:
                expect((e.tag, e.error_class) == ("storage_full", "retry"), f"storage_full, got {e}")
            else:
                raise Failed("an upload was begun on a full disk")
            refused(a.put(file, MIB, data[MIB:]), 507, "storage_full")
            for n in range(50):
                say(a, ann.conv, f"messages go on {n}")
            expect(os.path.getsize(os.path.join(data_dir, "files", "part", file)) == MIB, "nothing was written")
            os.unlink(ballast)
            expect(a.put(file, MIB, data[MIB:]).offset == len(data), "with room again it goes on where it was")
            a.send(ann.conv, [a.described(a.end(file, data), "file.bin", data)])
            expect(a.get(file).raw == data and len(a.wire.read_log(ann.conv)[0]) == 51, "all of it")
        expect(rig.server.stop() == 0, "an orderly end")
        rig.check_logs()
        print("files-full: uploads refused, 50 messages accepted, the upload went on")


main(run)
