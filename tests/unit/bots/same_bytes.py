# SPDX-License-Identifier: Apache-2.0
"""The same examples give the same blob and the same answers, whichever compiler built the ranker, at which level and for
which processor.

    same_bytes.py SOURCE_FOLDER GENERATED_PACKS.c GENERATED_FOLDER            gcc and clang of this machine
    same_bytes.py ... --long [--sysroot ARM_LIBRARIES]                        more levels, and 64-bit ARM under qemu

The folder of ARM libraries is what scripts/test-aarch64 unpacks. Exit 77: ARM was asked for and cannot be had.
"""
import argparse
import hashlib
import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
RANKER = "blob calibrate feature_set fixed model publish ranker real rows svm text thresholds train words".split()
PROTOCOL = "writer memory ids".split()
BUILDS = (("gcc", "-O1"), ("gcc", "-O3"), ("clang", "-O2"))
MORE_BUILDS = (("gcc", "-O0"), ("gcc", "-O2"), ("clang", "-O0"), ("clang", "-O3"))
ARM = "aarch64-linux-gnu-gcc"
SAMPLE_LINES = 200  # that same_bytes.c reads at most
SAMPLES = (("sample.en.tsv", "en"), ("sample.ko.tsv", "ko"))


def build(root, packs, generated, compiler, options, out):
    sources = [root / f"bots/src/{name}.c" for name in RANKER]
    sources += [root / f"protocol/src/{name}.c" for name in PROTOCOL] + [packs, HERE / "same_bytes.c", HERE / "sample.c"]
    subprocess.run([compiler, "-std=c11", *options, "-ffp-contract=off", "-D_GNU_SOURCE", f"-I{root}/bots/include",
                    f"-I{root}/bots/src", f"-I{root}/tests", f"-I{root}/protocol/include", f"-I{root}/protocol/src", f"-I{generated}",
                    *map(str, sources), "-o", str(out), "-lutf8proc", "-lcrypto", "-lm"], check=True)


def builds_wanted(want):
    """(name, compiler, options, what runs the program)"""
    for compiler, level in BUILDS + (MORE_BUILDS if want.long else ()):
        if shutil.which(compiler):
            yield f"{compiler} {level}", compiler, [level], []
        else:
            print(f"SKIPPED: {compiler} is not installed")
    if want.sysroot:
        for level in ("-O0", "-O2"):
            yield f"ARM gcc {level}", ARM, [level, f"--sysroot={want.sysroot}"], ["qemu-aarch64", "-L", str(want.sysroot)]


def labelled_sets(want, folder):
    """The samples; with --long also a larger set, made."""
    for sample, lang in SAMPLES:
        yield sample, HERE / sample, lang
    if want.long:
        sys.path.insert(0, str(want.root / "scripts"))
        import korean_faq  # pylint: disable=import-outside-toplevel
        made = folder / "made.tsv"
        rows = itertools.islice(korean_faq.rows(2), SAMPLE_LINES)
        made.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        yield "a made set", made, "ko"


def main():
    parser = argparse.ArgumentParser()
    for name in ("root", "packs", "generated"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--sysroot", type=pathlib.Path)
    want = parser.parse_args()
    if want.sysroot and not ((want.sysroot / "usr/include").is_dir() and shutil.which(ARM) and shutil.which("qemu-aarch64")):
        print(f"SKIPPED: {want.sysroot}, {ARM} and qemu-aarch64 are needed")
        sys.exit(77)
    said = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sets = list(labelled_sets(want, folder))
        for name, compiler, options, runner in builds_wanted(want):
            program = folder / name.replace(" ", "-")
            build(want.root, want.packs, want.generated, compiler, options, program)
            for title, path, lang in sets:
                run = subprocess.run([*runner, str(program), str(path), lang], capture_output=True, check=True)
                assert len(run.stdout) > 10000, "there is hardly a blob"
                said.setdefault(title, {})[name] = run.stdout
    for title, outputs in said.items():
        assert len(outputs) >= 2, "nothing to compare with"
        first = next(iter(outputs))
        for name, output in outputs.items():
            assert output == outputs[first], f"{title}: {name} differs from {first}"
        print(f"{title}: {', '.join(outputs)} agree on {len(outputs[first])} bytes,",
              hashlib.sha256(outputs[first]).hexdigest()[:16])


if __name__ == "__main__":
    main()
