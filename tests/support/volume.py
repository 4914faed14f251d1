# SPDX-License-Identifier: Apache-2.0
"""A small ext4 of its own in an image file, mounted over a loop device: it can be filled, and its power can be cut.

A power cut is the forced-shutdown ioctl without flushing the journal: whatever was not synced is gone, as after pulling
the plug. Needs root and loop devices; Skip says what is missing.
"""
import fcntl
import os
import struct
import subprocess
import time

from harness import Skip

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


class Volume:
    def __init__(self, folder, name, size_mib, options=""):
        self.image, self.path = os.path.join(folder, f"{name}.img"), os.path.join(folder, name)
        self.options, self.is_mounted = ",".join(o for o in ("loop", options) if o), False
        if os.geteuid() != 0:
            raise Skip("mounting an image needs root")
        os.makedirs(self.path)
        with open(self.image, "wb") as f:
            f.truncate(size_mib << 20)
        self._command("mkfs.ext4", "-q", "-F", "-m", "0", self.image)

    def _command(self, *args):
        try:
            done = subprocess.run(args, capture_output=True, text=True, check=False, timeout=60)
        except FileNotFoundError as e:
            raise Skip(f"{args[0]} is not installed") from e
        if done.returncode != 0:
            raise Skip(f"{args[0]} does not work here: {done.stderr.strip()[:200]}")

    def mount(self, options=""):
        """Waits for the loop device of before: while it is attached (programs with a mount namespace of their own took
        all mounts with them) one would get the same file system again, dead as it may be."""
        if not self._tried(90, ["losetup", "-j", self.image], lambda done: not done.stdout):
            raise Skip("another program keeps what is mounted in a namespace of its own")
        self._command("mount", "-t", "ext4", "-o", ",".join(o for o in (self.options, options) if o), self.image,
                      self.path)
        self.is_mounted = True
        return self

    def unmount(self):
        """Waits for those that were killed to let go of it."""
        if not self.is_mounted:
            return
        self.is_mounted = False
        if not self._tried(5, ["umount", self.path], lambda done: done.returncode == 0):
            subprocess.run(["umount", "-l", self.path], capture_output=True, check=False)

    @staticmethod
    def _tried(limit_s, args, is_done):
        """The same again until that is so. There is no event for it."""
        end = time.monotonic() + limit_s
        while not is_done(subprocess.run(args, capture_output=True, check=False)):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def cut_power(self):
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, FS_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as e:
            raise Skip(f"this kernel does not cut the power of ext4: {e}") from e
        finally:
            os.close(handle)

    def fill(self, leave_bytes=0):
        """Writes a file until nothing is left (but leave_bytes); its path."""
        path = os.path.join(self.path, "filler")
        with open(path, "ab", buffering=0) as f:
            stat = os.statvfs(self.path)
            size = max(0, stat.f_bavail * stat.f_frsize - leave_bytes)
            block = b"\0" * 65536
            try:
                while size > 0:
                    size -= f.write(block[:min(size, len(block))])
                while not leave_bytes:
                    f.write(block[:4096])
            except OSError:
                pass
        return path
