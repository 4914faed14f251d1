# SPDX-License-Identifier: Apache-2.0
"""`deskbell bot eval` on the bundled samples: figures, predictions line by line, clear errors."""
import json
import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
PROGRAM = pathlib.Path(os.environ["DESKBELL_BUILD"]) / "deskbell"


def run(*args):
    return subprocess.run([str(PROGRAM), "bot", "eval", *map(str, args)], capture_output=True, text=True, check=False)


def the_sample_is_learned(sample, lang):
    path = HERE / sample
    asked = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("test")]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "said.tsv"
        done = run("--train", path, "--test", path, "--lang", lang, "--predictions", out, "--json")
        assert done.returncode == 0, done.stderr
        said = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
    figures = json.loads(done.stdout)
    assert figures["top1"] == 1 and figures["asked"] == sum(label != "-" for _, label, _ in asked), figures
    assert [(line[0], line[-1]) for line in said] == [(label, text) for _, label, text in asked], "order of the lines"
    for wish in (80, 90, 95):
        for member in ("precision", "coverage", "coverage_possible", "off_topic_lone"):
            assert 0 <= figures[f"{member}_wished_{wish}"] <= 1, (wish, member)
        assert figures[f"coverage_possible_wished_{wish}"] == 1, "all are right"
    for line in said:
        assert len(line) == 12 and line[10] in ("answer", "choices", "miss"), line
        assert float(line[3]) >= float(line[6]) >= float(line[9]), "scores fall"
        assert line[0] in (line[1], "-"), line


def a_lower_wish_answers_more_alone():
    sample = HERE / "sample.en.tsv"
    alone = [json.loads(run("--train", sample, "--test", sample, "--lang", "en", "--wish", wish, "--json").stdout)["lone"]
             for wish in (50, 90, 98)]
    assert alone == sorted(alone, reverse=True) and alone[0] > alone[2], alone


def what_is_wrong_is_said():
    sample = HERE / "sample.en.tsv"
    assert run("--train", sample).returncode == 64
    assert run("--train", sample, "--test", sample, "--lang", "en", "--k", "many").returncode == 64
    for wish in ("49", "99", "sure"):
        done = run("--train", sample, "--test", sample, "--lang", "en", "--wish", wish)
        assert done.returncode == 64 and "--wish" in done.stderr, done.stderr
    assert run("--train", "no-such-file", "--test", sample, "--lang", "en").returncode == 66
    with tempfile.TemporaryDirectory() as folder:
        bad = pathlib.Path(folder) / "bad.tsv"
        bad.write_text("train\trefund\tmoney back\nno tabs here\n", encoding="utf-8")
        done = run("--train", bad, "--test", sample, "--lang", "en")
        assert done.returncode == 65 and "bad.tsv:2" in done.stderr, done.stderr


if __name__ == "__main__":
    the_sample_is_learned("sample.en.tsv", "en")
    the_sample_is_learned("sample.ko.tsv", "ko")
    a_lower_wish_answers_more_alone()
    what_is_wrong_is_said()
    print("eval: 4 passed")
