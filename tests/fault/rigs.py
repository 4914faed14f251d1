# SPDX-License-Identifier: Apache-2.0
"""Where every rig of this folder starts: finds tests/support and reads the options they share."""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))


def options(doc, count, long_count, **more):
    """--count N (default `count`), --long (the long count), --seed; `more`: name=(type, default, help)."""
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--count", type=int, help=f"default {count}")
    parser.add_argument("--long", action="store_true", help=f"count {long_count}")
    parser.add_argument("--seed", type=int)
    for name, (kind, default, text) in more.items():
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default, help=text)
    args = parser.parse_args()
    args.count = args.count if args.count is not None else long_count if args.long else count
    return args
