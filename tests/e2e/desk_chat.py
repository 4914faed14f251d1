#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The desk through `deskbell chat`: an agent takes, tags, snoozes and solves a ticket, and the customer confirms it by a
tap; a rule, a view and an SLA policy that were made with the command each change what the agent's live inbox shows.
"""
import json
import re

import rigs
from chat_rig import chat, end_input
from harness import Failed, Rig, main, run_program, wait_until


def follow(process):
    """Waits for lines one after the other: each call looks behind the line before. The match of the pattern."""
    at = 0

    def until(pattern, timeout_s=20):
        nonlocal at
        try:
            found, line = process.wait_line(lambda row: re.search(pattern, row), timeout_s, at)
        except Failed as e:
            with process.turn:
                raise Failed(f"no line like {pattern!r} in: " + " / ".join(process.lines[at:][-12:])) from e
        at = found + 1
        return re.search(pattern, line)
    return until


def command(rig, *args):
    """A subcommand, its answer as JSON."""
    done = run_program("deskbell", *args, "--data", rig.server.data, "--json")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def one_ticket(rig, kim):
    """Taken, tagged, snoozed until the customer writes, solved with his consent."""
    ann = rig.customer("ann")
    customer = chat(rig, "ann", "--token", ann.token, "--key", "main")
    hears = follow(customer)
    customer.write("my lamp is broken")
    hears("me: my lamp is broken")
    agent = chat(rig, "kim", "--agent-token", kim.token, "--conv", ann.conv)
    sees = follow(agent)
    sees("my lamp is broken")
    agent.write("/take")
    sees(r"ticket #\d+ \w+, .*Kim")
    agent.write("/tag refund")
    sees("tags .*refund")
    agent.write("Hello, I am looking.")
    hears("I am looking")
    agent.write("/snooze reply")
    sees(r"ticket #\d+ snoozed")
    customer.write("any news?")
    sees(r"ticket #\d+ open")
    agent.write("/priority high")
    sees(r"ticket #\d+ open, high")
    agent.write("/priority loud")
    sees("not done: .*priority")
    agent.write("It is on its way.")
    agent.write("/solve ask")
    question = hears(r"^#(\d+).*\[1\] (\S.*?) \[2\]")
    customer.write(f"/press {question.group(1)} 1")
    sees(r"ticket #\d+ solved")
    if end_input(customer) != 0 or end_input(agent) != 75:
        raise Failed("the customer's chat failed, or the agent's one did not tell of what was refused")


def live_inbox(rig, kim):
    """What the command sets up shows in the inbox at once, without asking for it again."""
    team = command(rig, "team", "add", "--name", "Returns")["team"]
    if not team.startswith("tea_"):
        raise Failed(f"the team is called {team}")
    command(rig, "view", "add", "--name", "Refunds", "--when", "tag = refund", "--sort", "waiting")
    bob = rig.customer("bob")
    agent = chat(rig, "kim-inbox", "--agent-token", kim.token)
    sees = follow(agent)
    agent.write("/view Refunds")
    before = int(sees(r"view Refunds: (\d+)").group(1))
    command(rig, "rule", "add", "--name", "Refunds go to Returns", "--when", 'message has "refund"', "--team", "Returns",
            "--priority", "high", "--tag", "refund")
    customer = chat(rig, "bob", "--token", bob.token, "--key", "main")
    customer.write("I want a refund")
    follow(customer)("you are next")
    row = sees(r"view \+ +\d+ +#(\d+) \w+, high, Returns, nobody")
    sees(rf"view Refunds: {before + 1}")
    number = row.group(1)
    command(rig, "sla", "add", "--name", "Quick", "--first", "10m", "--also-open")
    sees(rf"view \* .*#{number} .*due in \d+ min")
    command(rig, "ticket", "set", number, "--untag", "refund")
    sees(rf"view - .*#{number}")
    sees(rf"view Refunds: {before}")
    board = command(rig, "report", "live", "--once")
    waiting = {row.get("name"): row["waiting"] for row in board["queues"]}
    if waiting.get("Returns") != 1:
        raise Failed(f"the board says {waiting}")
    if end_input(customer) != 0 or end_input(agent) != 0:
        raise Failed("a chat did not end in order")


def offers(rig):
    """A ticket is offered to one of two, who declines; the other accepts, and sees that somebody else looks, too."""
    command(rig, "team", "add", "--name", "Orders", "--accept", "60")
    command(rig, "rule", "add", "--name", "Orders", "--when", 'message has "order"', "--team", "Orders")
    agents = {}
    for name in ("Lee", "Max"):
        person = rig.agent(name)
        run_program("deskbell", "team", "member", "add", "Orders", person.principal, "--data", rig.server.data)
        agents[name] = (agent := chat(rig, name, "--agent-token", person.token)), follow(agent)
        agent.write("/status online")
        agents[name][1]("you are online")
    cho = rig.customer("cho")
    customer = chat(rig, "cho", "--token", cho.token, "--key", "main")
    customer.write("where is my order?")
    first = wait_until("an offer", lambda: next((name for name in agents if is_offered(agents[name][0])), None))
    other = "Max" if first == "Lee" else "Lee"
    agents[first][0].write("/decline busy")
    agents[first][1]("declined")
    agents[other][1](r"offered: #\d+ normal")
    agents[other][0].write("/accept")
    number = agents[other][1](rf"ticket #(\d+) open, Orders, {other}").group(1)
    agents[first][0].write(f"/open {cho.conv}")
    agents[other][1](f"here too: {first}")
    agents[first][0].write("/priority urgent")
    agents[other][1](rf"ticket #{number} open, urgent")
    agents[first][0].write(f"/assign {first} it was mine before")
    agents[other][1](r"\[note\].*it was mine before")
    agents[other][1](rf"ticket #{number} open, urgent, Orders, {first}")
    agents[first][0].write("/status away lunch")
    agents[first][1](r"you are away \(lunch\)")
    if [end_input(process) for process in (customer, agents["Lee"][0], agents["Max"][0])] != [0, 0, 0]:
        raise Failed("a chat did not end in order")


def is_offered(agent):
    with agent.turn:
        return any("offered: #" in row for row in agent.lines)


def run():
    args = rigs.options(__doc__, 1, 1)
    with Rig("desk-chat", args.seed) as rig:
        rig.start_server()
        kim = rig.agent("Kim")
        one_ticket(rig, kim)
        live_inbox(rig, kim)
        offers(rig)
        if rig.server.stop() != 0:
            raise Failed("the server did not end in order")
        rig.check_logs()
        print("desk-chat: a ticket from first word to consent; rule, view and SLA seen live in the inbox; offers")


if __name__ == "__main__":
    main(run)
