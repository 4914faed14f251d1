# SPDX-License-Identifier: Apache-2.0
"""A client's life with traffic changes nothing in its process and prints nothing: runs sdk_quiet against a server."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import SLOW, Failed, Rig, main, program  # noqa: E402


def run():
    with Rig("sdk-quiet") as rig:
        rig.start_server()
        ann = rig.customer("ann")
        report = os.path.join(rig.folder, "report")
        done = subprocess.run([program("sdk_quiet"), rig.server.url, rig.app, ann.token,
                               os.path.join(rig.folder, "client"), report], capture_output=True, text=True,
                              timeout=60 * SLOW, check=False)
        with open(report, encoding="utf-8") as f:
            found = f.read().split("\n")[:-1]
        if done.stdout or done.stderr:
            found.append(f"it printed: {(done.stdout + done.stderr)[:2000]}")
        if found or done.returncode != 0:
            raise Failed(f"exit code {done.returncode}; changed: {'; '.join(found)}")


if __name__ == "__main__":
    main(run)
