# SPDX-License-Identifier: Apache-2.0
"""The SDK as it is installed: `package.py install|size|alone|answers`.

install   `cmake --install --component sdk` into a prefix of its own, which is then moved: what is there, what it shows,
          and that nothing of it knows where it was built. The other tests of this folder use that prefix.
size      the stripped shared library, against its bar.
alone     `cmake -S client-sdk`: builds and installs without anything the server needs.
answers   `cmake --install --component answers` beside it: libdeskbell-answers as others get it, found by pkg-config and by
          CMake, plugged into a client; libdeskbell itself knows nothing of it.

Environment: DESKBELL_BUILD (the build folder), DESKBELL_SANITIZE.
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["DESKBELL_BUILD"]
SANITIZE = os.environ.get("DESKBELL_SANITIZE", "")
FOLDER = os.path.join(BUILD, "sdk_package")
PREFIX = os.path.join(FOLDER, "prefix")
HEADER = os.path.join(ROOT, "client-sdk", "include", "deskbell", "deskbell.h")
MAX_BYTES = 300_000
SKIPPED = 77


class Failed(Exception):
    """Something about the package is not as promised."""


def run(*args, env=None, cwd=None):
    done = subprocess.run(args, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}, cwd=cwd,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(f"{' '.join(args)} ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def cached(name, build=BUILD):
    """A value of the build's CMakeCache.txt, "" when it is not there."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as f:
        found = re.search(rf"^{name}:\w+=(.*)$", f.read(), re.M)
    return found.group(1) if found else ""


def need(condition, text):
    if not condition:
        raise Failed(text)


def header_functions():
    text = ""
    for path in (HEADER, *(os.path.join(os.path.dirname(HEADER), name) for name in ("bot.h", "desk.h"))):
        with open(path, encoding="utf-8") as f:
            text += f.read()
    return set(re.findall(r"^DESKBELL_API [^;(]*?\b(deskbell_\w+)\(", text, re.M))


def header_version():
    with open(HEADER, encoding="utf-8") as f:
        return ".".join(re.findall(r"^#define DESKBELL_VERSION_\w+ (\d+)", f.read(), re.M))


def lib_folder(prefix=PREFIX):
    for folder, _, files in os.walk(prefix):
        if "libdeskbell.a" in files:
            return folder
    raise Failed(f"no libdeskbell.a below {prefix}")


def install(build, prefix):
    """Installs the component and moves it, so that a path kept anywhere would be wrong."""
    moved_from = prefix + ".first"
    for folder in (prefix, moved_from):
        shutil.rmtree(folder, ignore_errors=True)
    run("cmake", "--install", build, "--component", "sdk", "--prefix", moved_from)
    os.rename(moved_from, prefix)
    return moved_from


def installed_files(prefix):
    found = set()
    lib = os.path.relpath(lib_folder(prefix), prefix)
    for folder, _, files in os.walk(prefix):
        found |= {os.path.relpath(os.path.join(folder, name), prefix).replace(lib + os.sep, "LIB/") for name in files}
    return found


def check_files(prefix):
    version = header_version()
    expected = {"include/deskbell/deskbell.h", "include/deskbell/bot.h", "include/deskbell/desk.h", "LIB/libdeskbell.a", "LIB/libdeskbell.so",
                f"LIB/libdeskbell.so.{version.split('.', maxsplit=1)[0]}", f"LIB/libdeskbell.so.{version}",
                "LIB/pkgconfig/deskbell.pc", "LIB/cmake/deskbell/deskbell-config.cmake",
                "LIB/cmake/deskbell/deskbell-config-version.cmake", "LIB/cmake/deskbell/deskbell-targets.cmake"}
    files = installed_files(prefix)
    need(expected <= files, f"not installed: {sorted(expected - files)}")
    others = {f for f in files - expected if not re.match(r"LIB/cmake/deskbell/deskbell-targets-\w+\.cmake$", f)}
    bindings = re.compile(r"include/deskbell/\w+\.hpp$|share/deskbell/")
    need(all(bindings.match(f) for f in others), f"nobody expects {sorted(others)}")


def check_no_paths(prefix, *paths):
    """Text files name none of these folders, and the libraries no folder to look for others in."""
    for folder, _, files in os.walk(prefix):
        for name in (n for n in files if n.endswith((".cmake", ".pc", ".h"))):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text = f.read()
            for path in paths:
                need(path not in text, f"{name} names {path}")
    dynamic = run("readelf", "-d", os.path.join(lib_folder(prefix), "libdeskbell.so"))
    need("RUNPATH" not in dynamic and "RPATH" not in dynamic, "the shared library has a search path")
    soname = f"libdeskbell.so.{header_version().split('.', maxsplit=1)[0]}"
    need(f"[{soname}]" in dynamic, f"its name is not {soname}")


def check_symbols(prefix):
    """Both libraries show the functions of the header and nothing else; those of the shared one have a version."""
    expected, lib = header_functions(), lib_folder(prefix)
    need(len(expected) > 30, "the header was not understood")
    shown = set()
    for row in run("nm", "-D", "--defined-only", "--with-symbol-versions", f"{lib}/libdeskbell.so").splitlines():
        name = row.split()[-1]
        if " A " in row or re.match(r"_(_|init$|fini$)", name):
            continue
        need(re.fullmatch(r"deskbell_\w+@@DESKBELL_\d+", name), f"the shared library shows {name}")
        shown.add(name.split("@", maxsplit=1)[0])
    need(shown == expected, f"shared library and header differ: {sorted(shown ^ expected)}")
    rows = run("nm", "-g", "--defined-only", f"{lib}/libdeskbell.a").splitlines()
    archive = {r.split()[-1] for r in rows if re.search(r" [A-Z] ", r)}
    archive = {n for n in archive if not re.match(r"__?(asan|odr_asan|tsan|ubsan)|DW\.ref", n)}
    need(archive == expected, f"static library and header differ: {sorted(archive ^ expected)[:10]}")


def check_pkg_config(prefix):
    env = {"PKG_CONFIG_PATH": os.path.join(lib_folder(prefix), "pkgconfig")}
    need(run("pkg-config", "--modversion", "deskbell", env=env).strip() == header_version(), "the .pc file's version")
    shared = run("pkg-config", "--libs", "deskbell", env=env).split()
    need([w for w in shared if w.startswith("-l")] == ["-ldeskbell"], f"linking the shared library asks for {shared}")
    static = run("pkg-config", "--libs", "--static", "deskbell", env=env)
    for library in ("-lwebsockets", "-lsqlite3", "-lcrypto", "-ljansson", "-lcurl", "-pthread"):
        need(library in static, f"static linking lacks {library}")
    first = run("pkg-config", "--cflags-only-I", "deskbell", env=env).split()[0]
    need(os.path.exists(os.path.join(first[2:], "deskbell", "deskbell.h")), f"{first} does not lead to the header")


def test_install():
    os.makedirs(FOLDER, exist_ok=True)
    moved_from = install(BUILD, PREFIX)
    check_files(PREFIX)
    check_no_paths(PREFIX, BUILD, ROOT, moved_from)
    check_symbols(PREFIX)
    check_pkg_config(PREFIX)
    print(f"installed {len(installed_files(PREFIX))} files, {len(header_functions())} functions")


def test_size():
    flags = cached("CMAKE_C_FLAGS_" + cached("CMAKE_BUILD_TYPE").upper())
    if SANITIZE or not re.search(r"-O[23s]", flags):
        print(f"skipped: the bar is for optimised builds, this one has {flags or 'no flags'} {SANITIZE}")
        sys.exit(SKIPPED)
    stripped = os.path.join(FOLDER, "stripped.so")
    run("strip", "-o", stripped, os.path.join(lib_folder(), "libdeskbell.so"))
    size = os.path.getsize(stripped)
    print(f"stripped shared library: {size} bytes, bar {MAX_BYTES}")
    need(size <= MAX_BYTES, "it is too big")


def test_alone():
    """Into a fresh folder, with the compiler of this build."""
    if SANITIZE:
        print("skipped: the same sources are in the whole build")
        sys.exit(SKIPPED)
    folder, prefix = os.path.join(FOLDER, "alone"), os.path.join(FOLDER, "alone-prefix")
    shutil.rmtree(folder, ignore_errors=True)
    launcher = cached("CMAKE_C_COMPILER_LAUNCHER") or ("ccache" if shutil.which("ccache") else "")
    run("cmake", "-S", os.path.join(ROOT, "client-sdk"), "-B", folder, "-G", "Ninja",
        "-DCMAKE_C_COMPILER=" + cached("CMAKE_C_COMPILER"), "-DCMAKE_C_COMPILER_LAUNCHER=" + launcher)
    run("cmake", "--build", folder, "-j", "2")
    moved_from = install(folder, prefix)
    check_files(prefix)
    check_no_paths(prefix, folder, ROOT, moved_from)
    check_symbols(prefix)
    with open(os.path.join(folder, "CMakeCache.txt"), encoding="utf-8") as f:
        cache = f.read()
    for library in ("ARGON2", "INIH", "UTF8PROC", "UV_"):
        need(library not in cache, f"the SDK alone looked for {library}")


ANSWERS_PROGRAM = """
#include <deskbell/answers.h>
#include <stdio.h>

static void on_device_answer(deskbell_client *client, const struct deskbell_device_answer *answer, void *data)
{
        (void)client;
        (void)data;
        puts(answer->text);
}

int main(void)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_client *client = NULL;

        options.url = "ws://127.0.0.1:9";
        options.app = "app_0000000000009";
        options.token = "token";
        options.answers = deskbell_answers();
        options.on_device_answer = on_device_answer;
        if (options.answers->load(options.answers->data, "x", 1, "y") || deskbell_open(&options, &client) != DESKBELL_OK)
                return 1;
        return deskbell_close(client);
}
"""
ANSWERS_CMAKE = """cmake_minimum_required(VERSION 3.16)
project(try LANGUAGES C)
find_package(deskbell 0.1 CONFIG REQUIRED COMPONENTS shared answers)
add_executable(try try.c)
target_link_libraries(try deskbell::deskbell deskbell::answers)
"""


def needed_by(library):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", library))


def test_answers():
    if SANITIZE:
        print("skipped: the symbols of a sanitizer are not the library's")
        sys.exit(SKIPPED)
    prefix, folder = os.path.join(FOLDER, "answers-prefix"), os.path.join(FOLDER, "answers")
    moved_from = install(BUILD, prefix)
    before = installed_files(prefix)
    run("cmake", "--install", BUILD, "--component", "answers", "--prefix", prefix)
    major = header_version().split(".", maxsplit=1)[0]
    came = {f for f in installed_files(prefix) - before if "deskbell-answers-targets-" not in f}
    need(came == {"include/deskbell/answers.h", "LIB/libdeskbell-answers.so", f"LIB/libdeskbell-answers.so.{major}",
                  f"LIB/libdeskbell-answers.so.{header_version()}", "LIB/pkgconfig/deskbell-answers.pc",
                  "LIB/cmake/deskbell/deskbell-answers-targets.cmake"}, f"installed: {sorted(came)}")
    check_no_paths(prefix, BUILD, ROOT, moved_from)
    lib = lib_folder(prefix)
    names = {row.split()[-1] for row in run("nm", "-D", "--defined-only", "--with-symbol-versions",
                                            f"{lib}/libdeskbell-answers.so").splitlines() if " T " in row}
    need(names == {f"deskbell_answers@@DESKBELL_ANSWERS_{major}"}, f"it shows {sorted(names)}")
    need(not any("deskbell" in n for n in needed_by(f"{lib}/libdeskbell-answers.so")), "it needs libdeskbell")
    need(not any("utf8proc" in n or "answers" in n for n in needed_by(f"{lib}/libdeskbell.so")),
         "libdeskbell needs what only the answers do")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name, text in (("try.c", ANSWERS_PROGRAM), ("CMakeLists.txt", ANSWERS_CMAKE)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    env = {"PKG_CONFIG_PATH": os.path.join(lib, "pkgconfig"), "LD_LIBRARY_PATH": lib}
    flags = run("pkg-config", "--cflags", "--libs", "deskbell-answers", env=env).split()
    for compiler, language in (("cc", "c"), ("c++", "c++")):
        run(compiler, "-Wall", "-Wextra", "-Werror", "-x", language, os.path.join(folder, "try.c"), "-x", "none", *flags,
            "-o", os.path.join(folder, "try"))
        run(os.path.join(folder, "try"), env=env)
    run("cmake", "-S", folder, "-B", os.path.join(folder, "build"), f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", os.path.join(folder, "build"))
    run(os.path.join(folder, "build", "try"), env=env)
    os.remove(os.path.join(lib, "cmake", "deskbell", "deskbell-answers-targets.cmake"))
    shutil.rmtree(os.path.join(folder, "build"))
    try:
        run("cmake", "-S", folder, "-B", os.path.join(folder, "build"), f"-DCMAKE_PREFIX_PATH={prefix}")
    except Failed as e:
        need("libdeskbell-answers was not installed" in str(e), f"CMake says why: {e}")
        return
    raise Failed("CMake found what is not there")


if __name__ == "__main__":
    try:
        {"install": test_install, "size": test_size, "alone": test_alone, "answers": test_answers}[sys.argv[1]]()
    except Failed as e:
        print(f"FAILED: {e}")
        sys.exit(1)
