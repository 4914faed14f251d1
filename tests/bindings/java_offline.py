#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the Java tests that need no server, and looks that the machine had nothing to say about the use of JNI.

usage: java_offline.py JAVA-COMMAND...
"""
import re
import subprocess
import sys

# libwebsockets ignores SIGPIPE for the blink in which a context is made (docs/sdk.md, "A good guest"); no other signal.
COMPLAINT = re.compile(r"in native method|WARNING: JNI|AddressSanitizer|runtime error:|SIGSEGV \(0x|"
                       r"Warning: SIG(?!PIPE )\w+ handler modified")

done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                      timeout=170, check=False)
print(done.stdout, end="")
complaints = [line for line in done.stdout.splitlines() if COMPLAINT.search(line)]
if complaints:
    sys.exit(f"the machine complains: {complaints[:5]}")
if done.returncode != 0 or done.stdout.count("\nok ") < 15:
    sys.exit(f"the tests ended with {done.returncode}")
