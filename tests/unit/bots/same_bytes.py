# SPDX-License-Identifier: Apache-2.0
"""The same examples give the same blob and the same answers, whichever compiler built the ranker and at which level.

    same_bytes.py SOURCE_FOLDER GENERATED_PACKS.c GENERATED_FOLDER
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

RANKER = "blob calibrate feature_set fixed model publish ranker rows svm text train words".split()
PROTOCOL = "writer memory ids".split()
BUILDS = (("gcc", "-O1"), ("gcc", "-O3"), ("clang", "-O2"))
SAMPLES = (("sample.en.tsv", "en"), ("sample.ko.tsv", "ko"))


def build(root, packs, generated, compiler, level, out):
    here = pathlib.Path(__file__).parent
    sources = [root / f"bots/src/{name}.c" for name in RANKER]
    sources += [root / f"protocol/src/{name}.c" for name in PROTOCOL] + [packs, here / "same_bytes.c", here / "sample.c"]
    subprocess.run([compiler, "-std=c11", level, "-ffp-contract=off", "-D_GNU_SOURCE", f"-I{root}/bots/include",
                    f"-I{root}/bots/src", f"-I{root}/tests", f"-I{root}/protocol/include", f"-I{root}/protocol/src", f"-I{generated}",
                    *map(str, sources), "-o", str(out), "-lutf8proc", "-lcrypto", "-lm"], check=True)


def main(root, packs, generated):
    here = pathlib.Path(__file__).parent
    said = {}
    with tempfile.TemporaryDirectory() as folder:
        for compiler, level in BUILDS:
            if not shutil.which(compiler):
                print(f"SKIPPED: {compiler} is not installed")
                continue
            program = pathlib.Path(folder) / f"{compiler}{level}"
            build(root, packs, generated, compiler, level, program)
            for sample, lang in SAMPLES:
                run = subprocess.run([str(program), str(here / sample), lang], capture_output=True, check=True)
                assert len(run.stdout) > 10000, "there is hardly a blob"
                said.setdefault(sample, {})[f"{compiler} {level}"] = run.stdout
    for sample, outputs in said.items():
        assert len(outputs) >= 2, "nothing to compare with"
        first = next(iter(outputs))
        for name, output in outputs.items():
            assert output == outputs[first], f"{sample}: {name} differs from {first}"
        print(f"{sample}: {', '.join(outputs)} agree on {len(outputs[first])} bytes")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:4]))
