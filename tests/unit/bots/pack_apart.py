#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shop pack is whole, and its tests ask what its examples do not: in every language at least 30 answers with ten
examples each, four flows, hand-offs for open and closed hours, and two test phrases an answer that share at most three
of four words (Chinese, Japanese: pairs of characters) with any example of that answer; at most one phrase in ten is
content with choices. Prints the counts by language.

    pack_apart.py [FOLDER]          the pack; default: bots/packs/shop
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[3]
DESKBELL = pathlib.Path(os.environ.get("DESKBELL_BUILD", ROOT / "build")) / "deskbell"
LANGUAGES = ("en", "ko", "zh", "ja")
BY_CHARACTER = ("zh", "ja")
ANSWERS, EXAMPLES, FLOWS, PHRASES = 30, 10, 4, 2
SHARED_MOST, CHOICES_MOST = 3 / 4, 1 / 10


def parts(text, lang):
    """What two texts may share: the words, or in Chinese and Japanese the pairs of neighbouring characters."""
    words = re.findall(r"[\w']+", unicodedata.normalize("NFKC", text).casefold())
    if lang not in BY_CHARACTER:
        return set(words)
    letters = "".join(words)
    return {letters[i:i + 2] for i in range(max(1, len(letters) - 1))}


def shared(phrase, example, lang):
    asked = parts(phrase, lang)
    return len(asked & parts(example, lang)) / len(asked)


def answers_of(bot):
    """{(name, language): examples} of every faq and flow."""
    found = {}
    for group, member in (("faqs", "texts"), ("flows", "triggers")):
        for name, one in bot[group].items():
            for lang in LANGUAGES:
                found[name, lang] = one.get(member, {}).get(lang, {}).get("examples", [])
    return found


def phrases_of(bot):
    """(language, phrase, the answer that is right for it, whether choices are enough) of every question in a test."""
    for test in bot["tests"]:
        for turn in test["turns"]:
            for expected in turn.get("expect", []):
                if "user" in turn and expected[0] in ("faq", "flow"):
                    yield test["lang"], turn["user"], expected[1], False
                elif "user" in turn and expected[0] == "choices" and len(expected) == 2:
                    yield test["lang"], turn["user"], expected[1], True


def complaints_about_size(bot):
    answers = answers_of(bot)
    if len(bot["faqs"]) < ANSWERS:
        yield f"{len(bot['faqs'])} answers, {ANSWERS} are wanted"
    if len(bot["flows"]) < FLOWS:
        yield f"{len(bot['flows'])} flows, {FLOWS} are wanted"
    for (name, lang), examples in answers.items():
        if len(set(examples)) < EXAMPLES:
            yield f"{lang} {name}: {len(set(examples))} examples, {EXAMPLES} are wanted"
    for name, handoff in bot["handoffs"].items():
        if not handoff.get("open") or not handoff.get("closed"):
            yield f"handoff {name} lacks what happens when open, or when closed"


def complaints_about_phrases(bot):
    answers = answers_of(bot)
    asked = {key: set() for key in answers}
    with_choices = dict.fromkeys(LANGUAGES, 0)
    for lang, phrase, name, has_choices in phrases_of(bot):
        if (name, lang) not in answers:
            yield f"{lang} \"{phrase}\": there is no answer {name}"
            continue
        with_choices[lang] += has_choices and phrase not in asked[name, lang]
        asked[name, lang].add(phrase)
        for example in answers[name, lang]:
            if shared(phrase, example, lang) > SHARED_MOST:
                yield f"{lang} {name}: \"{phrase}\" is too near to \"{example}\" ({shared(phrase, example, lang):.0%})"
    for (name, lang), phrases in asked.items():
        if len(phrases) < PHRASES:
            yield f"{lang} {name}: {len(phrases)} test phrases, {PHRASES} are wanted"
    for lang in LANGUAGES:
        count = sum(len(phrases) for (_, of), phrases in asked.items() if of == lang)
        if with_choices[lang] > CHOICES_MOST * count:
            yield f"{lang}: {with_choices[lang]} of {count} test phrases are content with choices"


def complaints(bot):
    return [*complaints_about_size(bot), *complaints_about_phrases(bot)]


def must_be_noticed(bot, what, change):
    """A pack that was spoiled in one way is complained about."""
    spoiled = copy.deepcopy(bot)
    change(spoiled)
    assert complaints(spoiled), f"not noticed: {what}"


def check_the_check(bot):
    lang, phrase, name, _ = next(row for row in phrases_of(bot) if row[2] in bot["faqs"])
    texts = bot["faqs"][name]["texts"][lang]

    def without(group, left):
        return lambda spoiled: spoiled.update({group: dict(list(spoiled[group].items())[:left])})

    def copied(spoiled):
        spoiled["faqs"][name]["texts"][lang]["examples"].append(phrase.upper() + "!")

    def repeated(spoiled):
        spoiled["faqs"][name]["texts"][lang]["examples"] = texts["examples"][:1] * EXAMPLES

    must_be_noticed(bot, "a test phrase among the examples", copied)
    must_be_noticed(bot, "one example ten times", repeated)
    must_be_noticed(bot, "too few flows", without("flows", FLOWS - 1))
    must_be_noticed(bot, "a hand-off without hours", lambda spoiled: spoiled["handoffs"]["default"].pop("closed"))
    must_be_noticed(bot, "no tests of one language", lambda spoiled: spoiled.update(
        tests=[test for test in spoiled["tests"] if test["lang"] != "ja"]))


def main(folder):
    ran = subprocess.run([DESKBELL, "bot", "export", "--form", "json", folder], capture_output=True, check=True)
    bot = json.loads(ran.stdout)
    found = complaints(bot)
    for complaint in found:
        print(complaint)
    if not found:
        check_the_check(bot)
    answers = answers_of(bot)
    for lang in LANGUAGES:
        rows = {row[1:] for row in phrases_of(bot) if row[0] == lang}
        print(f"{lang}  {len(bot['faqs'])} answers, {len(bot['flows'])} flows, "
              f"{sum(len(e) for (_, of), e in answers.items() if of == lang)} examples, {len(rows)} test phrases, "
              f"{sum(row[2] for row in rows)} of them with choices")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "bots/packs/shop"))
