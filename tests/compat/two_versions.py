#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two versions of the library against two of the server: the version before (the revision that PREVIOUS names) is built
from the history of the repository, and each client talks through each server with a device of the other version beside
it. Server and clients are killed; the history is judged as in every rig. At the end the file of an old client is taken
over by the new one.

Skipped (77) where the history is not there, as in a shallow clone.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))
import harness  # noqa: E402
from harness import ROOT, Failed, Rig, SdkHost, Skip, main  # noqa: E402
from wire import Wire, text_hash  # noqa: E402

TEXTS = 20
NEW = harness.BUILD


def previous():
    with open(os.path.join(HERE, "PREVIOUS"), encoding="utf-8") as file:
        return file.read().split()


def run_quietly(*command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[:3])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")


def build(revision, folder):
    """Builds server and client of a revision below `folder`; the build folder."""
    known = subprocess.run(["git", "cat-file", "-e", revision + "^{commit}"], cwd=ROOT, capture_output=True,
                           check=False)
    if known.returncode != 0:
        raise Skip(f"the history does not have {revision[:12]}: a full clone is needed")
    source, out = os.path.join(folder, "source"), os.path.join(folder, "build")
    os.mkdir(source)
    with subprocess.Popen(["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", source], stdin=archive.stdout, check=True)
    run_quietly("cmake", "-S", source, "-B", out, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", folder=folder)
    run_quietly("cmake", "--build", out, "-j", "2", "--target", "deskbell", "sdk_host", folder=folder)
    return out


def host_of(build_folder):
    class Host(SdkHost):
        def program(self):
            return [os.path.join(build_folder, "sdk_host")]
    return Host


def a_text(rig, host, text):
    """Sends and waits for the ack; its number."""
    at = host.mark_position()
    rig.send(host, text)

    def line_of(kind, field, value):
        return host.wait(lambda l: (l["op"], l["kind"], l.get(field)) == ("send", kind, value), 40, at)[1]
    return line_of("ok", "cmid", line_of("invoke", "hash", text_hash(text))["cmid"])["seq"]


def a_file(rig, writer, reader, name):
    """Sent by one version, fetched by the other, the same bytes."""
    path, copy = os.path.join(rig.folder, name), os.path.join(rig.folder, name + ".copy")
    data = os.urandom(400_000)
    with open(path, "wb") as file:
        file.write(data)
    at, began, began_ns = reader.mark_position(), writer.mark_position(), time.monotonic_ns()
    writer.command(f"file {path} a file")
    _, line = reader.wait(lambda l: l["op"] == "deliver" and any(f["name"] == name for f in l.get("files", ())), 60, at)
    _, sent = writer.wait(lambda l: (l["op"], l["kind"]) == ("send", "invoke"), 60, began)
    if "since_ns" not in sent:  # the host of 0.1.0 does not say that it heard of it afterwards
        rig.say(**{**sent, "since_ns": began_ns})
    info = line["files"][0]
    reader.command(f"fetch {info['id']} {info['size']} {info['sha256']} {copy}")
    _, done = reader.wait(lambda l: l["op"] == "fetched", 60, at)
    with open(copy, "rb") as file:
        if done["kind"] != "info" or file.read() != data:
            raise Failed(f"{name} did not come as it was sent: {done}")


def take_over(rig, phone, build_folder):
    """The newer library goes on with the file of the older one."""
    phone.kill()
    phone.program = lambda: [os.path.join(build_folder, "sdk_host")]
    phone.start()
    a_text(rig, phone, "from the next version")


def talk(name, server_build, client_build, other_build):
    harness.BUILD = server_build
    with Rig(name) as rig:
        rig.start_server()
        ann, kim = rig.customer("ann"), rig.agent("Kim")
        phone = rig.host("phone", ann, kind=host_of(client_build))
        tablet = rig.host("tablet", ann, kind=host_of(other_build))
        desk = rig.host("desk", kim, conv=ann.conv, kind=host_of(client_build))
        for host in (phone, tablet, desk):
            host.wait_connected()
        for n in range(TEXTS):
            rig.send(phone, f"question {n}")
            rig.send(desk, f"answer {n}", note=n % 5 == 0)
        number = a_text(rig, phone, "to be changed")
        phone.command(f"edit {number} 1 changed")
        gone = a_text(rig, phone, "to be erased")
        phone.command(f"erase {gone}")
        a_file(rig, phone, tablet, "phone.bin")
        a_file(rig, tablet, phone, "tablet.bin")
        rig.server.kill()
        for n in range(TEXTS):
            rig.send(phone, f"offline {n}")
        phone.kill()
        phone.start()
        rig.server.start()
        desk.command(f"read {gone}")
        rig.settle()
        if other_build == NEW:
            take_over(rig, phone, other_build)
        rig.finish("I1,I2,I3,I4,I5,I6,I7,I8,I9,I12,I21,I23,I25")


def run():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--old", help="a build folder of the version before, instead of building it")
    args = parser.parse_args()
    revision, version = previous()
    with tempfile.TemporaryDirectory(prefix="deskbell-two-versions-") as folder:
        old = args.old or build(revision, folder)
        for server, client, other in ((NEW, old, NEW), (old, NEW, old), (old, old, NEW), (NEW, NEW, old)):
            said = ["new" if b == NEW else version for b in (server, client)]
            talk("two-versions", server, client, other)
            print(f"two-versions: server {said[0]}, client {said[1]}: nothing lost, nothing twice", flush=True)


main(run)
