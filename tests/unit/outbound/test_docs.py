#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The verifiers that docs/webhooks.md offers give the right answer to every vector."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
VECTORS = os.path.join(ROOT, "tests", "unit", "protocol", "webhook_vectors.json")


def code(language):
    with open(os.path.join(ROOT, "docs", "webhooks.md"), encoding="utf-8") as f:
        return re.search(rf"```{language}\n(.*?)```", f.read(), re.S).group(1)


def vectors():
    """Those with all headers as they should be: what the short examples do not check is the caller's framework's."""
    with open(VECTORS, encoding="utf-8") as f:
        return [v for v in json.load(f)["vectors"] if v["verdict"] != "malformed"]


class Docs(unittest.TestCase):
    def test_the_python_example_agrees(self):
        space = {}
        exec(code("python"), space)  # pylint: disable=exec-used
        seen = set()
        for v in vectors():
            space["time"] = type("Clock", (), {"time": staticmethod(lambda now=v["now"]: now)})
            headers = {f"webhook-{k}": v[k] for k in ("id", "timestamp", "signature")}
            good = space["verify"](v["secret"], headers, v["body"].encode())
            self.assertEqual(v["verdict"] == "good", good, v["name"])
            seen.add(good)
        self.assertEqual({True, False}, seen)

    @unittest.skipUnless(shutil.which("node"), "no node here")
    def test_the_javascript_example_agrees(self):
        runner = """
import { readFileSync } from "node:fs";
for (const v of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  Date.now = () => v.now * 1000;
  const headers = {"webhook-id": v.id, "webhook-timestamp": v.timestamp, "webhook-signature": v.signature};
  if (verify(v.secret, headers, Buffer.from(v.body)) !== (v.verdict === "good")) {
    console.error(v.name);
    process.exitCode = 1;
  }
}
"""
        with tempfile.TemporaryDirectory() as folder:
            script, data = os.path.join(folder, "verify.mjs"), os.path.join(folder, "vectors.json")
            with open(script, "w", encoding="utf-8") as f:
                f.write(code("js") + runner)
            with open(data, "w", encoding="utf-8") as f:
                json.dump(vectors(), f)
            done = subprocess.run(["node", script, data], capture_output=True, text=True, check=False)
            self.assertEqual(0, done.returncode, done.stderr)


if __name__ == "__main__":
    unittest.main()
