#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of report.list costs one walk along an index from where the page before ended: no table is scanned for it and nothing is
sorted."""
import os
import re
import sys

sys.path[:0] = [os.path.join(sys.argv[1], "tests", "support")]
from plans import Plans  # noqa: E402

WALKS = {  # statement: its walk, and what must be in the constraint of the index
    "report_list_issued": ("r", "report_ticket_issued", "issued_ms"), "report_list_solved": ("r", "report_ticket_solved", "solved_ms"),
    "report_list_again": ("r", "report_ticket_again", "ended_ms"), "report_list_ended": ("r", "report_ticket_ended", "ended_ms"),
    "report_list_agent": ("r", "report_ticket_agent", "agent=? AND issued_ms>"),
    "report_list_offers": ("r", "report_offer_at", "metric=? AND offered_ms>"),
    "report_list_said": ("e", "entry_said", "(ts,conv,seq)>"), "report_list_status": ("agent_status_log", "agent_status_log_at", "at_ms>"),
    "report_list_status_of": ("agent_status_log", "agent_status_log_when", "agent=? AND at_ms>"),
    "report_list_episodes": ("r", "report_episode_at", "began_ms>"),
    "report_list_episodes_of": ("r", "report_episode_bot", "bot=? AND began_ms>"),
    "report_episodes_open": ("report_episode", "report_episode_open", "open_ms>"),
    "report_episodes_of": ("report_episode", "report_episode_conv", "conv=? AND bot=? AND episode>"),
    "report_status_next": ("agent_status_log", "agent_status_log_agent", "agent=? AND id>"),
    "report_status_back": ("agent_status_log", "agent_status_log_agent", "agent=? AND id<"),
    "report_bot_rows": ("e", "bot_event_conv", "conv=? AND id>"),
}


def main():
    plans = Plans(sys.argv[1], "reports")
    for name, (table, index, bound) in WALKS.items():
        _, own = plans.walk_of(name, table)
        assert re.search(rf"INDEX {index} \(", own), own
        assert bound in own, own  # the page begins in the index, not behind a walk


main()
