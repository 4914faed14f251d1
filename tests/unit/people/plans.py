#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is done at each change of hands looks at the one conversation, not at all that a team ever had."""
import os
import sys

sys.path[:0] = [os.path.join(sys.argv[1], "tests", "support")]
from plans import Plans  # noqa: E402


def main():
    plans = Plans(sys.argv[1], "people")
    for name in ("scope_left_again", "scope_left_of"):
        _, own = plans.walk_of(name, "scope")
        assert own == "SEARCH scope USING INDEX scope_left (conv=?)", own


main()
