#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes everything that follows from the schema of the protocol.

    generate.py --schema DIR --out DIR         protocol_generated.h and .c, protocol_client.c, protocol_shapes.h,
                                               protocol.d.ts
    generate.py --schema DIR --docs DIR        protocol.md, openrpc.json, asyncapi.json
    generate.py --schema DIR --fresh DIR       exit 1 when the documents in DIR are not what --docs would write
    generate.py --schema DIR --snapshot FILE   the whole schema in one file, to be kept when a version is released
    generate.py --schema DIR --compatible FILE exit 1 when the schema breaks a promise of that snapshot
"""
import argparse
import json
import sys
from pathlib import Path

import compatible
import emit_c
import emit_docs
import emit_ts
import schema as schemas


def write(path, text):
    """Leaves the file alone when nothing changed, so that nothing is compiled again for it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def code(schema, client):
    return {"protocol_generated.h": emit_c.header(schema), "protocol_generated.c": emit_c.source(schema),
            "protocol_client.c": emit_c.client_source(schema, client),
            "protocol_shapes.h": emit_c.shapes_header(schema), "protocol.d.ts": emit_ts.declarations(schema)}


def stale(schema, folder):
    names = []
    for name, text in emit_docs.documents(schema).items():
        path = Path(folder) / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            names.append(str(path))
    return names


def run(options):
    schema = schemas.load(options.schema)
    if options.out:
        client = json.loads((Path(options.schema) / "client.json").read_text(encoding="utf-8"))
        for name, text in code(schema, client).items():
            write(Path(options.out) / name, text)
    if options.docs:
        for name, text in emit_docs.documents(schema).items():
            write(Path(options.docs) / name, text)
    if options.snapshot:
        write(options.snapshot, compatible.snapshot_text(schema))
    complaints = []
    if options.fresh:
        complaints += [f"{name} is stale: run generate.py --docs" for name in stale(schema, options.fresh)]
    if options.compatible:
        old = json.loads(Path(options.compatible).read_text(encoding="utf-8"))
        complaints += compatible.breaches(old, compatible.snapshot(schema))
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", required=True)
    for name in ("out", "docs", "fresh", "snapshot", "compatible"):
        parser.add_argument(f"--{name}")
    try:
        complaints = run(parser.parse_args())
    except schemas.SchemaError as error:
        complaints = [str(error)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
