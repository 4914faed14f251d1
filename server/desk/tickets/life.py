#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what follows from life.json, the life of a ticket: the table in C, and the one in docs/desk.md.

    life.py --out DIR       ticket_life.h and ticket_life.c
    life.py --docs FILE     writes the table between the marks of that file
    life.py --fresh FILE    exit 1 when the table in that file is not what --docs would write
"""
import argparse
import json
import sys
from pathlib import Path

BEGIN, END = "<!-- life of a ticket: made from server/desk/tickets/life.json -->", "<!-- end of the life of a ticket -->"
LANGUAGES = ["en", "ko", "zh", "ja"]


class Refused(Exception):
    pass


def load(path):
    life = json.loads(Path(path).read_text(encoding="utf-8"))
    statuses, events = life["statuses"], life["events"]
    numbers = [status["number"] for status in statuses.values()]
    if numbers != list(range(1, len(numbers) + 1)):
        raise Refused("statuses are numbered from 1 in their order")
    for name, status in statuses.items():
        if status["customer"] not in life["customer_labels"]:
            raise Refused(f"{name}: no label '{status['customer']}' for customers")
        if list(status["label"]) != LANGUAGES:
            raise Refused(f"{name}: a label for each of {LANGUAGES}")
    seen = set()
    for row in life["rows"]:
        for status in row["from"] + [row["to"]] + ([row["or"]] if "or" in row else []):
            if status not in statuses:
                raise Refused(f"no status '{status}'")
        if row["event"] not in events or ("or" in row) != ("when" in row):
            raise Refused(f"{row['event']}: unknown, or `or` without `when`")
        for status in row["from"]:
            if (status, row["event"]) in seen:
                raise Refused(f"{status}, {row['event']}: stands twice")
            seen.add((status, row["event"]))
    for event in events:
        if not any(row["event"] == event for row in life["rows"]):
            raise Refused(f"{event}: stands in no row")
    return life


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(life):
    lines = ["/* Made from server/desk/tickets/life.json. */", "#pragma once", "", "#include <stdbool.h>", "",
             "enum ticket_status {"]
    lines += [f"        TICKET_{name.upper()} = {status['number']}," for name, status in life["statuses"].items()]
    lines += ["        TICKET_STATUSES", "};", "", "enum ticket_event {"]
    lines += [f"        TICKET_EVENT_{name.upper()}," for name in life["events"]]
    lines += ["        TICKET_EVENTS", "};", "",
              "struct ticket_row {", "        enum ticket_status to, or_to; /* 0 = no such row; no other way */",
              "        bool counts_reopen;", "};", "",
              "extern const struct ticket_row ticket_life[TICKET_STATUSES][TICKET_EVENTS];",
              "extern const char *const ticket_status_names[TICKET_STATUSES]; /* of the protocol; [0] is \"\" */",
              "extern const char *const ticket_event_names[TICKET_EVENTS];",
              "extern const int ticket_customer_labels[TICKET_STATUSES]; /* which of the labels for customers */", "",
              f"enum {{ TICKET_LANGUAGES = {len(LANGUAGES)}, TICKET_CUSTOMER_LABELS = {len(life['customer_labels'])} }};",
              "extern const char *const ticket_languages[TICKET_LANGUAGES];",
              "extern const char *const ticket_labels[TICKET_STATUSES][TICKET_LANGUAGES]; /* for agents */",
              "extern const char *const ticket_customer_texts[TICKET_CUSTOMER_LABELS][TICKET_LANGUAGES];",
              "extern const char *const ticket_customer_label_names[TICKET_CUSTOMER_LABELS];", ""]
    return "\n".join(lines)


def source(life):
    statuses, labels = life["statuses"], life["customer_labels"]
    lines = ["/* Made from server/desk/tickets/life.json. */", '#include "ticket_life.h"', "",
             "const struct ticket_row ticket_life[TICKET_STATUSES][TICKET_EVENTS] = {"]
    for row in life["rows"]:
        for status in row["from"]:
            other = f"TICKET_{row['or'].upper()}" if "or" in row else "0"
            lines.append(f"        [TICKET_{status.upper()}][TICKET_EVENT_{row['event'].upper()}] = "
                         f"{{TICKET_{row['to'].upper()}, {other}, {str('counts' in row).lower()}}},")
    lines += ["};", "", "const char *const ticket_status_names[TICKET_STATUSES] = {", '        "",']
    lines += [f"        {quote(name)}," for name in statuses]
    lines += ["};", "", "const char *const ticket_event_names[TICKET_EVENTS] = {"]
    lines += [f"        {quote(name)}," for name in life["events"]]
    lines += ["};", "", "const int ticket_customer_labels[TICKET_STATUSES] = {", "        0,"]
    lines += [f"        {list(labels).index(status['customer'])}," for status in statuses.values()]
    lines += ["};", "", "const char *const ticket_languages[TICKET_LANGUAGES] = {"]
    lines += ["        " + ", ".join(map(quote, LANGUAGES)), "};", "",
              "const char *const ticket_labels[TICKET_STATUSES][TICKET_LANGUAGES] = {"]
    for name, status in statuses.items():
        lines.append(f"        [TICKET_{name.upper()}] = {{" + ", ".join(quote(status["label"][x]) for x in LANGUAGES) + "},")
    lines += ["};", "", "const char *const ticket_customer_texts[TICKET_CUSTOMER_LABELS][TICKET_LANGUAGES] = {"]
    lines += ["        {" + ", ".join(quote(texts[x]) for x in LANGUAGES) + "}," for texts in labels.values()]
    lines += ["};", "", "const char *const ticket_customer_label_names[TICKET_CUSTOMER_LABELS] = {"]
    lines += ["        " + ", ".join(quote(name) for name in labels), "};", ""]
    return "\n".join(lines)


def table(life):
    lines = [BEGIN, "", "| status | for agents | for the customer | |", "|---|---|---|---|"]
    for name, status in life["statuses"].items():
        customer = life["customer_labels"][status["customer"]]["en"]
        lines.append(f"| `{name}` | {status['label']['en']} | {customer} | {status['doc']} |")
    lines += ["", "| from | when | to |", "|---|---|---|"]
    for row in life["rows"]:
        other = f"; `{row['or']}` when {row['when']}" if "or" in row else ""
        count = "; counts as reopened" if "counts" in row else ""
        lines.append(f"| {', '.join(f'`{s}`' for s in row['from'])} | {life['events'][row['event']]} (`{row['event']}`) "
                     f"| `{row['to']}`{other}{count} |")
    return "\n".join(lines + ["", END])


def with_table(life, text):
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise Refused("the document has no place for the table")
    return text[:text.index(BEGIN)] + table(life) + text[text.index(END) + len(END):]


def write(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("out", "docs", "fresh"):
        parser.add_argument(f"--{name}", type=Path)
    options = parser.parse_args()
    try:
        life = load(Path(__file__).with_name("life.json"))
        if options.out:
            write(options.out / "ticket_life.h", header(life))
            write(options.out / "ticket_life.c", source(life))
        for path in filter(None, (options.docs, options.fresh)):
            old = path.read_text(encoding="utf-8")
            new = with_table(life, old)
            if options.docs:
                write(path, new)
            elif new != old:
                raise Refused(f"{path} is stale: run life.py --docs {path}")
    except Refused as error:
        print(f"life.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
