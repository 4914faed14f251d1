#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`deskbell report` on a desk with a past: each number opens to as many things as it says, tables, CSV, JSON and charts
say the same, the page needs nothing from elsewhere, and what was counted as it happened is what counting again gives.
"""
import csv
import io
import json
import os
import re
import tempfile
import xml.etree.ElementTree as xml

import rigs
from harness import Failed, main, run_program


class Desk:
    def __init__(self, base, tickets):
        self.data = os.path.join(base, "d")
        run_program("deskbell", "init", "--data", self.data)
        run_program("deskbell", "seed", "--data", self.data, "--tickets", str(tickets), "--number", "3")

    def report(self, *words, check=True):
        return run_program("deskbell", "report", *words, "--data", self.data, check=check)

    def json(self, *words):
        return json.loads(self.report(*words, "--json").stdout)


def expect(is_so, what):
    if not is_so:
        raise Failed(what)


def a_number_opens_to_what_it_counts(desk):
    for metric in ("tickets", "solved", "reopened", "first_response", "csat", "customer_messages", "staff_messages"):
        total = desk.json("show", metric, "--last", "70d")["totals"][0]
        items = desk.json("list", metric, "--last", "70d")["items"]
        counted = [item for item in items if "value" in item] if metric == "csat" else items
        expect(len(counted) == total["n"], f"{metric} stands on {total['n']}, its list has {len(counted)}")
        if metric == "first_response":
            mean = sum(item["value"] for item in items) / len(items)
            expect(abs(mean - total["value"]) <= 1, f"the list's mean is {mean}, the number {total['value']}")
        if metric == "csat":
            good = sum(item["value"] >= 4 for item in counted) / len(counted)
            expect(abs(good * 10000 - total["value"]) <= 1, f"{good} of the list are good, the number is {total['value']}")


def parts_are_the_whole(desk):
    for by in ("day", "week", "month", "team", "agent", "language", "priority", "hour_of_week"):
        answer = desk.json("show", "tickets", "--last", "70d", "--by", by)
        parts = sum(row["values"][0]["n"] for row in answer["rows"])
        expect(parts == answer["totals"][0]["n"], f"by {by} there are {parts}, in all {answer['totals'][0]['n']}")
    team = next(row for row in desk.json("show", "csat", "--last", "70d", "--by", "team")["rows"] if row["values"][0]["n"])
    only = desk.json("show", "csat", "--last", "70d", "--filter", "team=" + team["name"])
    expect(only["totals"][0] == team["values"][0], "a team's row and its filter differ")


def other_forms_say_the_same(desk, base):
    answer = desk.json("show", "csat,first_response", "--last", "70d", "--by", "agent")
    rows = list(csv.DictReader(io.StringIO(desk.report("show", "csat,first_response", "--last", "70d", "--by", "agent",
                                                       "--csv").stdout)))
    cells = {(row["key"], column["metric"]): cell
             for row in answer["rows"] for column, cell in zip(answer["columns"], row["values"])}
    expect(len(rows) == len(cells), f"{len(rows)} lines of CSV, {len(cells)} cells")
    for row in rows:
        cell = cells[row["key"], row["metric"]]
        unit = 100 if row["unit"] == "percent" else 1
        expect(row["n"] == str(cell["n"]) and (row["value"] == "") == ("value" not in cell), f"CSV has {row}, JSON {cell}")
        expect("value" not in cell or abs(float(row["value"]) * unit - cell["value"]) < 1, f"CSV has {row}, JSON {cell}")
    shown = desk.report("show", "csat", "--last", "70d", "--by", "agent").stdout
    names = [row["name"] for row in answer["rows"] if row["values"][0].get("value") is not None]
    expect(all(name in shown for name in names) and "95 %:" in shown, f"the plot lacks somebody:\n{shown}")
    picture = os.path.join(base, "csat.svg")
    desk.report("show", "csat", "--last", "70d", "--by", "week", "--compare", "--svg", picture)
    drawn = xml.parse(picture).getroot()
    points = [at for at in drawn.iter() if at.get("class") == "p0"]
    weeks = desk.json("show", "csat", "--last", "70d", "--by", "week")["rows"]
    expect(len(points) == sum("value" in row["values"][0] for row in weeks), f"{len(points)} points for {len(weeks)} weeks")


def the_page_is_whole_and_alone(desk, base):
    name = os.path.join(base, "page.html")
    desk.report("target", "csat", "99")
    desk.report("html", name, "--last", "70d")
    with open(name, encoding="utf-8") as file:
        page = file.read()
    expect("<script" not in page and not re.search(r'(src|href)=|url\(|@import', page), "it asks for something else")
    expect("not reached" in page, "the target is not in it")
    for drawing in re.findall(r"<svg.*?</svg>", page, re.S):
        xml.fromstring(drawing)
    overview = desk.json("overview", "--last", "70d")
    at = [column["metric"] for column in overview["columns"]].index("csat")
    value = f"{overview['totals'][at]['value'] / 100:.1f}".removesuffix(".0")
    expect(f"CSAT<b>{value} %</b>" in page, f"the page does not say {value} %")
    listed = [line.split() for line in desk.report("target").stdout.splitlines()]
    expect(listed == [["csat", "99", "%"]], f"targets are {listed}")


def counting_again_gives_the_same(desk):
    before = desk.json("overview", "--last", "70d")
    expect("differ" in desk.report("check").stdout, "check said nothing")
    desk.report("rebuild")
    again = desk.json("overview", "--last", "70d")
    expect(before["totals"] == again["totals"], "made again, the numbers are others")
    desk.report("rebuild", "--zone", "Asia/Seoul")
    seoul = desk.json("overview", "--last", "70d")
    expect(seoul["zone"] == "Asia/Seoul" and seoul["totals"][0]["n"] == before["totals"][0]["n"], "another zone lost tickets")
    desk.report("check")


def what_cannot_be_is_refused(desk):
    for words, code in ((("show", "nonsense"), 65), (("show",), 64), (("show", "csat", "--last", "x"), 64),
                        (("show", "csat", "--filter", "team=Nobody"), 64), (("target", "csat", "much"), 64),
                        (("rebuild", "--zone", "Mars/Base"), 65)):
        done = desk.report(*words, check=False)
        expect(done.returncode == code and done.stderr, f"{words} ended with {done.returncode}: {done.stderr}")


def run():
    args = rigs.options(__doc__, 300, 2000)
    with tempfile.TemporaryDirectory(prefix="deskbell-report-") as base:
        desk = Desk(base, args.count)
        a_number_opens_to_what_it_counts(desk)
        parts_are_the_whole(desk)
        other_forms_say_the_same(desk, base)
        the_page_is_whole_and_alone(desk, base)
        counting_again_gives_the_same(desk)
        what_cannot_be_is_refused(desk)
    print(f"report_cli: {args.count} tickets, each number opened, drawn and counted again")


if __name__ == "__main__":
    main(run)
