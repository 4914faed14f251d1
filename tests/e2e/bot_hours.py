#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the bot says of the team's hours, on a turned clock: after hours when people are back, by the schedule of the team
that would get the conversation, in the customer's language; in hours whether somebody is online, and how long it takes.
"""
import datetime
import json
import time
import zoneinfo

import rigs
from bot_rig import BotRig, check
from harness import SLOW, Skip, clock_turns, main, run_program, wait_until
from wire import Wire, new_cmid, user_token

SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")
BOT = """bot 1
lang en

faq back when not open
  ~ back
  = We open $opens.

faq here when open
  ~ back
  = We are here now.

handoff busy
  open
    when online say "Somebody is here."
    else say "Nobody is online."
    when wait say "It takes $wait."
  closed
    say "Later: $opens."
    ticket

faq person
  ~ invoice
  = One moment.
  helped? off
  goto handoff busy
"""
KOREAN = """lang ko
faq back
  ~ 언제 열
  = 다음 상담은 $opens에 시작해요.
"""
AFTER_HOURS = {
    "a person please": "Our team is back on Monday at 09:00. A person will answer you in this chat.",
    "상담원 연결해 주세요": "월요일 09:00부터 상담할 수 있어요. 상담원이 이 대화창에서 답해 드릴게요.",
}


class HoursRig(BotRig):
    shift_ms = 0

    def at(self, weekday, hour, weeks=0):
        """Turns the clock to that hour in Seoul, on the first such day (0: Monday) that lies ahead."""
        now = datetime.datetime.now(SEOUL)
        day = now.date() + datetime.timedelta(days=(weekday - now.weekday()) % 7 or 7, weeks=weeks)
        then = datetime.datetime.combine(day, datetime.time(hour), SEOUL)
        self.shift_ms = int((then.timestamp() - time.time()) * 1000)
        return {"DESKBELL_TEST_CLOCK_MS": str(self.shift_ms)}

    def user_token(self, user, lifetime_s=3600, **more):
        now = int(time.time() + self.shift_ms / 1000)
        return user_token(self.secret, self.made["kid"], self.app, user, iat=now, exp=now + lifetime_s, **more)

    def tool(self, *args):
        return run_program("deskbell", *args, "--data", self.server.data)

    def joins(self, who):
        """That agent is the one of the team who is there, with room for one ticket."""
        self.tool("team", "member", "add", "Support", who.principal)
        self.tool("agent", "set", who.principal, "--capacity", "1", "--wake-cap", "0")
        self.on_duty = who

    def ticket(self, writer):
        return self.team.call("ticket.get", {"conv": writer.conv})["ticket"]

    def is_given(self, writer):
        wait_until("the ticket has an agent", lambda: self.ticket(writer).get("assignee") == self.on_duty.principal, 20 * SLOW)

    def solve(self, ticket):
        self.team.call("ticket.move", {"cmid": new_cmid(), "ticket": ticket["ticket"], "version": ticket["version"],
                                       "to": "solved"})

    def solves_what_is_open(self):
        """Until nobody waits for the one who is on duty."""
        def is_done():
            rows = [r["ticket"] for r in self.team.read_feed() if r.get("ticket", {}).get("status") in ("pending", "open")]
            for ticket in rows:
                if ticket["status"] == "open":
                    self.solve(ticket)
            return not any(t.get("team") == self.support for t in rows)
        wait_until("all of them are solved", is_done, 30 * SLOW)


def make(rig):
    for name, text in (("hours.bot", BOT), ("hours.ko.bot", KOREAN)):
        with open(f"{rig.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    rig.bot("push", "--publish", f"{rig.folder}/hours.bot", f"{rig.folder}/hours.ko.bot")
    made = rig.tool("schedule", "add", "--name", "Seoul", "--zone", "Asia/Seoul", "--hours", "mon-fri 09:00-18:00", "--json")
    schedule = json.loads(made.stdout)["schedule"]
    made = rig.tool("team", "add", "--name", "Support", "--schedule", schedule, "--accept", "0", "--no-requeue", "--json")
    rig.support = json.loads(made.stdout)["team"]
    rig.tool("team", "add", "--name", "Night")
    rig.joins(rig.agent_of)
    rig.tool("routing", "set", "--team", "Support")


def after_hours_it_says_when_people_are_back(rig):
    """Kim is online, which changes nothing: the team has closed."""
    for number, (text, answer) in enumerate(AFTER_HOURS.items()):
        guest = rig.writer(f"evening-{number}")
        guest.write(text)
        guest.hears(answer)
        check("handed over once", len(guest.goes_to_people()) == 1)
    asks = rig.writer("asks")
    asks.write("when are you back?")
    asks.hears("We open on Monday at 09:00.")
    asks.write("언제 열어요?")
    asks.hears("다음 상담은 월요일 09:00에 시작해요.")
    asks.write("about my invoice")
    asks.hears("Later: on Monday at 09:00.")
    check("the team reads that he waits for Monday", asks.goes_to_people()[-1].get("ticket") is True)


def rules_name_the_team_whose_hours_count(rig):
    """Night has no schedule, and nobody in it: it is not open, though an agent of another team is connected."""
    rig.tool("rule", "add", "--name", "Night", "--when", "message has lobby", "--team", "Night")
    guest = rig.writer("lobby")
    guest.write("I am in the lobby, a person please")
    guest.hears("Our team is not here just now. A person will answer you in this chat.")
    check("and it went there", rig.ticket(guest)["team"] != rig.ticket(rig.writer("asks"))["team"])


def in_hours_with_nobody_online_it_says_so(rig):
    """Lee is, but of no team."""
    guest, asks = rig.writer("early"), rig.writer("early-asks")
    asks.write("when are you back?")
    asks.hears("We are here now.")
    asks.write("about my invoice")
    asks.hears("Nobody is online.")
    guest.write("a person please")
    guest.hears("Nobody of our team is online just now, though we are open. A person will answer you in this chat.")
    check("people have it", guest.goes_to_people()[-1]["why"] == "asked")


def in_hours_with_somebody_online_a_person_comes(rig):
    guest = rig.writer("monday")
    guest.write("a person please")
    guest.hears("I am handing you over to a person. They can see what we have said so far.")
    guest.goes_to_people()


def whoever_has_to_wait_is_told_how_long(rig):
    """Mia has one chat at a time: those who had to wait for her make the pace of the team."""
    rig.solves_what_is_open()
    guests = [rig.writer(f"queue-{n}") for n in range(5)]
    for guest in guests:
        guest.write("a person please")
        guest.goes_to_people()
    time.sleep(1.1)  # a wait of less than a second is none
    for guest in guests[:-1]:
        rig.is_given(guest)
        rig.solve(rig.ticket(guest))
    rig.is_given(guests[-1])
    late = rig.writer("late")
    late.write("about my invoice")
    late.hears("It takes about a minute.")
    check("beside that somebody is there", ("bot", "Somebody is here.") in late.texts())


def run():
    args = rigs.options(__doc__, 1, 1)
    if not clock_turns():
        raise Skip("the clock of a release cannot be turned")
    with HoursRig("bot_hours", args.seed) as rig:
        rig.open(rig.at(4, 20))
        make(rig)
        after_hours_it_says_when_people_are_back(rig)
        rules_name_the_team_whose_hours_count(rig)
        print("bot_hours: after hours it is said when people are back")
        rig.team.close()
        rig.server.stop()
        rig.server.env.update(rig.at(0, 10, weeks=1))
        rig.writers = {}
        rig.server.start()
        rig.agent_of = rig.agent("Lee")
        rig.connect_team()
        in_hours_with_nobody_online_it_says_so(rig)
        rig.joins(rig.agent("Mia"))
        with Wire(rig.server.port) as mia:
            mia.open_session(rig.on_duty.token)
            in_hours_with_somebody_online_a_person_comes(rig)
            whoever_has_to_wait_is_told_how_long(rig)
        print("bot_hours: in hours it is said whether somebody is there, and how long it takes")


if __name__ == "__main__":
    main(run)
