#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shop pack as its customers meet it: nothing to complain about for lint, every test passes in every language, the
files are in the usual form; what is none of a shop's business is never answered, and Korean is understood with its
spaces left out."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACK = ROOT / "bots/packs/shop"
DESKBELL = pathlib.Path(os.environ["DESKBELL_BUILD"]) / "deskbell"
WITHOUT_SPACES_LEAST = 0.85

# Questions that no shop answers. Choices are allowed: they have a way out; an answer is not.
OFF_TOPIC = {
    "en": ("what is the capital of Mongolia", "can you recommend a good novel", "will it rain in London tomorrow",
           "how tall is the eiffel tower", "my cat is called Whiskers", "what is the square root of 81",
           "how do I learn the piano", "who wrote Don Quixote", "translate good night into Italian", "tell me a joke"),
    "ko": ("몽골의 수도가 어디예요", "재미있는 소설 추천해 줘", "내일 서울에 비 올까", "에펠탑 높이 알아?", "우리 고양이 이름은 나비예요",
           "81의 제곱근은", "피아노는 어떻게 배워", "돈키호테 누가 썼어", "이탈리아어로 잘 자가 뭐야", "농담 하나 해 봐"),
    "zh": ("蒙古的首都是哪里", "推荐一本好看的小说", "明天北京下雨不", "埃菲尔铁塔有多高", "我家猫咪叫小花", "八十一的平方根是几",
           "钢琴怎么学", "唐吉诃德谁写的", "晚安用意大利语怎么说", "讲个笑话"),
    "ja": ("モンゴルの首都はどこ", "面白い小説を教えて", "明日の東京は雨かな", "エッフェル塔の高さは", "うちの猫の名前はタマです",
           "81の平方根は", "ピアノはどうやって習う", "ドンキホーテを書いたのは誰", "イタリア語でおやすみは何", "冗談を言って"),
}


def bot(*args, code=0):
    ran = subprocess.run([DESKBELL, "bot", *map(str, args)], capture_output=True, check=False)
    out, err = ran.stdout.decode(), ran.stderr.decode()
    assert code is None or ran.returncode == code, f"bot {args}: {ran.returncode}\n{out}\n{err}"
    return out, err


def off_topic_tests():
    """A test for each question, in its language; a miss is expected, and choices are forgiven when it is judged."""
    for lang, questions in OFF_TOPIC.items():
        yield f"lang {lang}"
        for question in questions:
            yield f'test "off topic: {question}"\n  user "{question}" expect miss'


def squeezed_tests():
    """The Korean questions of the pack's tests with their spaces left out."""
    tests = (PACK / "tests.ko.bot").read_text(encoding="utf-8")
    phrases = re.findall(r'^test "[^"]+, in other words \(\d\)"\n  user "([^"]+)" expect (faq|flow) (\S+)$', tests, re.M)
    yield "lang ko"
    for phrase, kind, name in phrases:
        yield f'test "squeezed: {phrase}"\n  user "{phrase.replace(" ", "")}" expect {kind} {name}'


def new_writes_the_pack(folder):
    """`bot new` gives the files as they stand here, and leaves alone what is there."""
    mine = folder / "mine"
    bot("new", mine)
    for file in PACK.glob("*.bot"):
        assert (mine / file.name).read_bytes() == file.read_bytes(), file.name
    assert len(list(mine.iterdir())) == len(list(PACK.glob("*.bot")))
    (mine / "shop.bot").write_text("mine", encoding="utf-8")
    _, err = bot("new", mine, code=73)
    assert "File exists" in err and (mine / "shop.bot").read_text(encoding="utf-8") == "mine"
    _, err = bot("new", "--pack", "bakery", folder / "other", code=64)
    assert "there is: shop" in err and not (folder / "other").exists()


def judge(out, err):
    """What `bot test` said about the pack's own tests, the questions off topic, and Korean without spaces."""
    results = re.findall(r"^(ok|not ok) \d+ - (.*)$", out, re.M)
    own = [(result, name) for result, name in results if not name.startswith(("off topic: ", "squeezed: "))]
    assert len(own) > 500 and all(result == "ok" for result, _ in own), err
    off_topic = [name for _, name in results if name.startswith("off topic: ")]
    answered = [line for line in err.splitlines() if re.search(r"\"off topic: .*; the bot did: .* of (faq|flow) ", line)]
    assert len(off_topic) == sum(map(len, OFF_TOPIC.values())) and not answered, answered
    squeezed = [result for result, name in results if name.startswith("squeezed: ")]
    passed = squeezed.count("ok")
    print(f"Korean without spaces: {passed} of {len(squeezed)} answered as with them")
    assert len(squeezed) > 70 and passed >= WITHOUT_SPACES_LEAST * len(squeezed), err


def main():
    with tempfile.TemporaryDirectory() as base:
        base = pathlib.Path(base)
        out, err = bot("lint", "--strict", PACK)
        assert "0 errors, 0 warnings" in out + err, out + err
        new_writes_the_pack(base)
        bot("fmt", "--check", *sorted(PACK.glob("*.bot")))
        (base / "off.bot").write_text("\n".join(off_topic_tests()) + "\n", encoding="utf-8")
        (base / "squeezed.bot").write_text("\n".join(squeezed_tests()) + "\n", encoding="utf-8")
        judge(*bot("test", PACK, base / "off.bot", base / "squeezed.bot", code=None))
    print("the shop pack answers in four languages")


if __name__ == "__main__":
    sys.exit(main())
