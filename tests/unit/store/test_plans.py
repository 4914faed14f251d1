#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No statement walks a whole table, but those that are named here, each for a reason; and the few that SQLite once took
a longer way for go the short one."""
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path[:0] = [os.path.join(ROOT, "tests", "support")]
from plans import Plans  # noqa: E402

MAY_SCAN = {
    "a table of settings, or of agents and bots": """workspace_first apps_all keys_all access_all bots_all bot_clash
        bots_described schedules_all schedule_versions sla_policies_all sla_versions teams_all team_members_all
        role_users agent_profiles_all surveys_all webhooks_all webhook_since webhooks_active bot_by_name
        credential_by_email""",
    "an index that holds no more than what is open, due or queued": """bot_states_due bot_turns_waiting
        bot_versions_needed tickets_open recovery_open_count outbound_replay_all outbound_replay_one outbound_remove
        outbound_count report_episodes_count files_forget""",
    "it is about all of it: a check, numbers of the whole, what is loaded at the start": """check_head check_team_head
        check_density check_team_density check_marks check_entry_orphans check_scope_orphans check_bot_version
        check_bot_state check_bot_question check_time check_tickets check_surveys check_survey_answers check_recovery
        check_recovery_owner check_recovery_log check_ticket_orphans count_customers count_agents count_conversations
        files_bytes routing_given_of_agents report_cells_all report_presence report_traffic_differences
        entries_of_kind""",
    "the words that begin so, each once": "customer_page_word",
}
WAYS = {  # file: statement: the step that must be there
    "files": {"files_let_go_at": "SEARCH file USING INDEX file_place (conv=? AND log=? AND seq=?)"},
    "people": {"scope_left_again": "SEARCH scope USING INDEX scope_left (conv=?)",
               "scope_left_of": "SEARCH scope USING INDEX scope_left (conv=?)"},
    "recovery": {"recovery_trigger_of_offer": "SEARCH recovery_trigger USING INDEX recovery_trigger_offer (offer=?)"},
    "reports": {"report_comments": "SEARCH r USING COVERING INDEX report_offer_at (metric=? AND offered_ms>? AND offered_ms<?)"},
}


def main():
    folder = os.path.join(ROOT, "server/store/sql")
    allowed = {name for names in MAY_SCAN.values() for name in names.split()}
    scanned, wrong = set(), []
    for name in sorted(file[:-4] for file in os.listdir(folder) if file.endswith(".sql")):
        plans = Plans(ROOT, name)
        for statement in plans.statements:
            plan = plans.of(statement)
            if any(step.startswith("SCAN") for step in plan):
                scanned.add(statement)
            wanted = WAYS.get(name, {}).get(statement)
            if wanted and wanted not in plan:
                wrong.append(f"{statement} goes another way: {plan}")
    wrong += [f"{statement} walks a whole table" for statement in sorted(scanned - allowed)]
    wrong += [f"{statement} walks no table any more: take it off the list" for statement in sorted(allowed - scanned)]
    assert not wrong, "\n".join(wrong)


main()
