#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what follows from metrics.json, the catalogue of reports: the table in C, and the one in docs/reports.md.

    metrics.py --out DIR       report_metrics.h and report_metrics.c
    metrics.py --docs FILE     writes the table between the marks of that file
    metrics.py --fresh FILE    exit 1 when the table in that file is not what --docs would write
"""
import argparse
import json
import sys
from pathlib import Path

BEGIN, END = "<!-- metrics: made from server/desk/reports/metrics.json -->", "<!-- end of the metrics -->"
UNITS = ["count", "ms", "percent", "points", "mean"]
KINDS = ["count", "state", "time", "share", "mean", "score", "span"]
DAYS = ["issued", "solved", "happened", "offered", "opened", "began"]
BY = ["day", "week", "month", "hour_of_week", "team", "agent", "app", "language", "topic", "tier", "priority", "handled_by",
      "survey", "reason", "bot"]
SOURCES = ["issued", "flow", "figure", "backlog", "offer", "traffic", "case", "presence", "episode"]
MEANS = {"count": "a number", "ms": "milliseconds", "percent": "percent", "points": "points", "mean": "a mean"}
ON = {"issued": "the day the ticket was issued", "solved": "the day the ticket was first solved",
      "happened": "the day it happened", "offered": "the day of the asking", "opened": "the day the case was opened",
      "began": "the day the episode began"}


class Refused(Exception):
    pass


def load():
    metrics = json.loads((Path(__file__).parent / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    if [row["number"] for row in metrics] != list(range(1, len(metrics) + 1)):
        raise Refused("metrics are numbered from 1 in their order")
    for row in metrics:
        for key, known in (("unit", UNITS), ("kind", KINDS), ("day", DAYS), ("source", SOURCES)):
            if row[key] not in known:
                raise Refused(f"{row['metric']}: {key} is one of {known}")
        if set(row["by"]) - set(BY) or (row["source"] == "figure") != ("figure" in row):
            raise Refused(f"{row['metric']}: `by` or `figure`")
    return metrics


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(metrics):
    lines = ["/* Made from server/desk/reports/metrics.json. */", "#pragma once", "", "#include <stdint.h>", ""]
    for name, words in (("unit", UNITS), ("kind", KINDS), ("day", DAYS), ("by", BY), ("source", SOURCES)):
        lines += [f"enum metric_{name} {{"] + [f"        METRIC_{name.upper()}_{word.upper()}," for word in words] + ["};", ""]
    lines += ["enum metric_id {"] + [f"        METRIC_{row['metric'].upper()} = {row['number']}," for row in metrics]
    lines += ["        METRICS", "};", "", "struct metric {", "        const char *name, *formula, *text;",
              "        enum metric_unit unit;", "        enum metric_kind kind;", "        enum metric_day day;",
              "        enum metric_source source;", "        uint32_t by;            /* 1u << enum metric_by */",
              "        int figure, weight;     /* enum figure; weight -1 = each is one */",
              "        int64_t band_low, band_high; /* 0, 0 = none */", "};", "",
              "extern const struct metric metrics[METRICS]; /* [0] is none */", ""]
    return "\n".join(lines)


def source(metrics):
    lines = ["/* Made from server/desk/reports/metrics.json. */", '#include "report_metrics.h"', "",
             '#include "desk/reports/fact.h"', "", "const struct metric metrics[METRICS] = {"]
    for row in metrics:
        by = " | ".join(f"1u << METRIC_BY_{word.upper()}" for word in row["by"])
        band = row.get("band", [0, 0])
        lines += [f"        [METRIC_{row['metric'].upper()}] = {{{quote(row['metric'])}, {quote(row['formula'])},",
                  f"                {quote(row['text'])},",
                  f"                METRIC_UNIT_{row['unit'].upper()}, METRIC_KIND_{row['kind'].upper()},",
                  f"                METRIC_DAY_{row['day'].upper()}, METRIC_SOURCE_{row['source'].upper()},",
                  f"                {by},",
                  f"                {'FIGURE_' + row['figure'].upper() if 'figure' in row else '-1'}, "
                  f"{'FIGURE_' + row['weight'].upper() if 'weight' in row else '-1'}, {band[0]}, {band[1]}}},"]
    return "\n".join(lines + ["};", ""])


def table(metrics):
    lines = ["| metric | what it is | unit | counted on | can be parted by |", "|---|---|---|---|---|"]
    for row in metrics:
        by = ", ".join(word for word in row["by"] if word not in ("day", "week", "month"))
        band = f" Others reach {row['band'][0] // 100} to {row['band'][1] // 100}." if "band" in row else ""
        lines.append(f"| `{row['metric']}` | **{row['formula']}.** {row['text']}{band} | {MEANS[row['unit']]} | "
                     f"{ON[row['day']]} | {by} |")
    return "\n".join(lines)


def with_table(text, metrics):
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise Refused("the marks of the table are not there once each")
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + table(metrics) + "\n" + END + rest.split(END)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out")
    parser.add_argument("--docs")
    parser.add_argument("--fresh")
    args = parser.parse_args()
    metrics = load()
    if args.out:
        for name, text in (("report_metrics.h", header(metrics)), ("report_metrics.c", source(metrics))):
            (Path(args.out) / name).write_text(text, encoding="utf-8")
    for path in filter(None, (args.docs, args.fresh)):
        text = Path(path).read_text(encoding="utf-8")
        fresh = with_table(text, metrics)
        if args.docs:
            Path(path).write_text(fresh, encoding="utf-8")
        elif fresh != text:
            raise Refused(f"{path} is stale: server/desk/reports/metrics.py --docs {path}")


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        sys.exit(f"metrics.py: {refusal}")
