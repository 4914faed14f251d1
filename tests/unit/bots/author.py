#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/bots.md, followed word for word, and what the author's commands say about files that are wrong."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
DESKBELL = pathlib.Path(os.environ["DESKBELL_BUILD"]) / "deskbell"


def bot(*args, text="", code=0):
    ran = subprocess.run([DESKBELL, "bot", *map(str, args)], input=text.encode(), capture_output=True, check=False)
    out, err = ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace")
    assert ran.returncode == code, f"bot {args}: {ran.returncode}\n{out}\n{err}"
    return out, err


def blocks():
    """The code blocks of the page, without the indentation they have there."""
    block = None
    for line in (ROOT / "docs/bots.md").read_text(encoding="utf-8").splitlines():
        if line.strip() == "```":
            if block is not None:
                yield "\n".join(text[len(indent):] for text in block) + "\n"
            indent = line[:len(line) - len(line.lstrip())]
            block = [] if block is None else None
        elif block is not None:
            block.append(line)


def follow_the_page(folder):
    page = list(blocks())
    assert page[0].startswith("bot 1\n") and page[1].startswith("lang ko\n"), "the page begins with a bot and its second language"
    (folder / "shop.bot").write_text(page[0], encoding="utf-8")
    out, err = bot("lint", folder)
    assert "0 errors" in out and "flow return.start" not in err, err
    out, _ = bot("test", folder)
    assert "1 passed, 0 failed" in out, out
    (folder / "shop.ko.bot").write_text(page[1], encoding="utf-8")
    out, err = bot("lint", folder)
    assert "0 errors" in out and "faq refund.policy" in err or "There is no answer in ko" in err, err
    out, _ = bot("sim", folder, text="반품하고 싶어요\nKR-2041987입니다\n")
    assert "주문 번호가 무엇인가요?" in out and "KR-2041987" in out, out
    out, _ = bot("why", "--text", "refund policy", folder)
    assert "pattern" in out and "faq refund.policy" in out, out


def build_twice(folder):
    first, second = folder.parent / "a.botv", folder.parent / "b.botv"
    bot("build", "--out", first, folder)
    bot("build", "--out", second, folder)
    assert first.read_bytes() == second.read_bytes(), "the same files give the same bytes"
    out, _ = bot("test", first)
    assert "1 passed" in out
    bot("diff", first, folder)
    text = (folder / "shop.bot").read_text(encoding="utf-8")
    (folder / "shop.bot").write_text(text.replace("9 to 18", "9 to 17"), encoding="utf-8")
    out, _ = bot("diff", first, folder, code=1)
    assert out == "~ faq opening\n", out
    json_text, _ = bot("export", "--form", "json", folder)
    (folder.parent / "shop.json").write_text(json_text, encoding="utf-8")
    again, _ = bot("export", "--form", "json", folder.parent / "shop.json")
    assert again == json_text
    printed, _ = bot("export", folder)
    (folder.parent / "one.bot").write_text(printed, encoding="utf-8")
    again, _ = bot("export", "--form", "json", folder.parent / "one.bot")
    assert again == json_text, "printed and read again it is the same bot"
    first.write_bytes(first.read_bytes()[:-1])
    _, err = bot("test", first, code=65)
    assert "damaged" in err


def bring_in(folder):
    """Questions and answers of three other programs."""
    (folder / "faq.csv").write_text('question,answer,lang,id\n"How, ""please""?","Like, so.\nAnd so.",en,how\n'
                                    '어떻게요,이렇게요.,ko,how\nwhere,Here.,,\nwhereabouts,Here.,,\n', encoding="utf-8")
    out, err = bot("import", folder / "faq.csv")
    assert '? How, "please"?' in out and "= Like, so.\n  | And so." in out and "faq where\n  ? where\n  ? whereabouts\n" in out, out
    assert "lang ko\n\nfaq how\n  ? 어떻게요\n  = 이렇게요.\n" in out, out
    assert err.startswith("2 answers, 4 examples"), err
    (folder / "faq.bot").write_text(out, encoding="utf-8")
    bot("lint", folder / "faq.bot")
    (folder / "a.qna").write_text("> # pairs\n# ? How?\n- in which way\n\n```markdown\nSo.\n\nAnd so.\n```\n", encoding="utf-8")
    out, _ = bot("import", folder / "a.qna")
    assert "faq how\n  ? How?\n  ? in which way\n  = So.\n  |\n  | And so.\n" in out, out
    (folder / "nlu.yml").write_text('version: "3.1"\nnlu:\n- intent: ask_city\n  examples: |\n    - weather in [Berlin](city)\n'
                                    '    - and [NY]{"entity": "city"} today\nresponses:\n  utter_ask_city:\n  - text: "Sunny."\n',
                                    encoding="utf-8")
    out, _ = bot("import", folder / "nlu.yml")
    assert "faq ask-city\n  ? weather in Berlin\n  ? and NY today\n  = Sunny.\n" in out, out
    (folder / "bad.yml").write_text("nlu: [\n", encoding="utf-8")
    _, err = bot("import", folder / "bad.yml", code=65)
    assert "bad.yml:" in err, err
    (folder / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    _, err = bot("import", folder / "bad.csv", code=65)
    assert "question and answer" in err, err
    bot("import", folder / "a.txt", code=64)


def say_what_is_wrong(folder):
    (folder / "bad.bot").write_text("lang en\nfaq a\n  ? x\n  nonsense\nflow f\n  goto flow g\n", encoding="utf-8")
    _, err = bot("lint", folder / "bad.bot", code=65)
    assert "bad.bot:4:3: error:" in err, err
    (folder / "bad.bot").write_text("lang en\nflow f\n  goto flow g\ntest \"t\"\n  user \"x\" expect handoff default\n", encoding="utf-8")
    _, err = bot("lint", folder / "bad.bot", code=65)
    assert "bad.bot:2: error: There is no flow g." in err, err
    (folder / "bad.bot").write_text("lang en\nfaq a\n  ? when\n  = now\ntest \"t\"\n  user \"when\" expect faq b\n", encoding="utf-8")
    out, err = bot("test", folder / "bad.bot", code=1)
    assert "0 passed, 1 failed" in out and 'expected faq b; the bot did: ' in err, err
    bot("lint", folder / "none.bot", code=66)
    bot("lint", code=64)
    (folder / "bad.bot").write_text("bot 1\n\n\nlang en\nfaq a\n     ?when\n  # why\n  = now\n", encoding="utf-8")
    out, _ = bot("fmt", "--check", folder / "bad.bot", code=1)
    bot("fmt", folder / "bad.bot")
    bot("fmt", "--check", folder / "bad.bot")
    (folder / "also.bot").write_text("bot 1\n\n\nlang en\n", encoding="utf-8")
    out, _ = bot("fmt", "--check", folder, code=1)
    assert out == f"{folder}/also.bot\n", "of a folder, those that would change"
    bot("fmt", folder)
    bot("fmt", "--check", folder)
    (folder / "also.bot").unlink()
    assert (folder / "bad.bot").read_text(encoding="utf-8") == "bot 1\n\nlang en\n\nfaq a\n  ? when\n  # why\n  = now\n", \
        (folder / "bad.bot").read_text(encoding="utf-8")


THIN = """bot 1
lang en

faq opening
  ? When are you open?
  ? When do you open?
  ? When are you open on Sundays?
  ? When do you open on Mondays?
  ? When are you open today?
  = At nine.

faq lost
  ? When can jackets be fetched
  ? I forgot my umbrella
  ? Are you keeping what people leave?
  ? Keys gone
  ? Do you open the lockers?
  = At the desk.

test "lost"
  user "did anyone see a red scarf" expect faq lost
"""


def say_what_would_help(folder):
    """Examples that do not find each other, and an answer that was not sure enough."""
    (folder / "thin.bot").write_text(THIN, encoding="utf-8")
    out, err = bot("lint", "--strict", folder / "thin.bot")
    notes = [line for line in err.splitlines() if ": note: " in line]
    assert "0 errors, 0 warnings" in out and len(notes) == 1, err
    assert "thin.bot:12: note: Of the 5 examples of faq lost in en the others find only " in notes[0], err
    assert "(taken for faq opening)" in notes[0] and "nearly the same words" in notes[0], err
    out, err = bot("test", folder / "thin.bot", code=1)
    assert "expected faq lost; the bot did: " in err and "; likely faq " in err and "more examples of it" in err, err
    text = THIN
    for line, beside in (("When can jackets be fetched", "When can my jacket be fetched?"), ("I forgot my umbrella", "I forgot a red umbrella"),
                         ("Are you keeping what people leave?", "Are you keeping what I leave?"), ("Keys gone", "My keys are gone"),
                         ("Do you open the lockers?", "Could you open the lockers for me?")):
        text = text.replace(f"  ? {line}\n", f"  ? {line}\n  ? {beside}\n")
    (folder / "thin.bot").write_text(text, encoding="utf-8")
    _, err = bot("lint", folder / "thin.bot")
    assert "note" not in err, err


def main():
    with tempfile.TemporaryDirectory() as base:
        base = pathlib.Path(base)
        (base / "shop").mkdir()
        (base / "more").mkdir()
        follow_the_page(base / "shop")
        build_twice(base / "shop")
        say_what_is_wrong(base / "more")
        say_what_would_help(base / "more")
        bring_in(base / "more")
    print("the page works as written, and mistakes are named where they are")


if __name__ == "__main__":
    sys.exit(main())
