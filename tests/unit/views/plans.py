#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of closed tickets costs one walk along an index: no table is scanned for it and nothing is sorted."""
import os
import re
import sys

sys.path[:0] = [os.path.join(sys.argv[1], "tests", "support")]
from plans import Plans  # noqa: E402

INDEXES = {"closed_all": "ticket_closed", "closed_of_team": "ticket_closed_team",
           "closed_of_assignee": "ticket_closed_assignee", "closed_of_customer": "ticket_closed_customer"}


def main():
    plans = Plans(sys.argv[1], "views")
    for name, index in INDEXES.items():
        plan, own = plans.walk_of(name, "t")
        assert re.search(rf"INDEX {index} \(", own), own
        assert "closed_ms<" in own, own  # the page begins in the index, not behind a walk
        for step in plan:
            assert step == own or "USING INTEGER PRIMARY KEY" in step, step


main()
