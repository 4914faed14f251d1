# SPDX-License-Identifier: Apache-2.0
"""The library for systems that are not Linux: `portable.py words|posix|musl|apple|ios`.

words   no file that goes into the library names a call that only Linux or GNU has, or that Apple's systems lack; only
        the platform's own files may.
posix   every file of it compiles with nothing declared but POSIX.1-2008 and X/Open 7.
musl    the same with the headers of another C library.
apple   the same by a compiler that makes objects for macOS, with another C library's headers and the names of Apple's
        that tests/sdk_package/apple_names.h adds.
ios     the tool-chain file: a build for iOS can be configured, on what it insists, that it takes the portable form, and
        how it would link. The SDK and the libraries are empty folders and files: nothing is compiled.

Environment: DESKBELL_BUILD, DESKBELL_SANITIZE. What is not installed is skipped (77).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
SDK = ROOT / "client-sdk"
BUILD = pathlib.Path(os.environ["DESKBELL_BUILD"])
NAMES = ROOT / "tests" / "sdk_package" / "apple_names.h"
MUSL = pathlib.Path("/usr/include/x86_64-linux-musl")
SKIPPED = 77
STRICT = ["-U_GNU_SOURCE", "-D_XOPEN_SOURCE=700"]
WITH_PAGES = ("platform.c",)  # may use pages without a file, which POSIX does not have: -D_DEFAULT_SOURCE
LINUX_FORM = "platform_linux.c"

# Linux, GNU; then what POSIX has and Apple's systems have not.
WORDS = """
eventfd epoll_\\w+ inotify_\\w+ signalfd timerfd_\\w+ memfd_create pidfd_\\w+ getrandom prctl gettid unshare
pipe2 dup3 accept4 preadv2? pwritev2? renameat2 statx copy_file_range sendfile splice sync_file_range syncfs fallocate
mremap ppoll sched_\\w+ syscall recvmmsg sendmmsg explicit_bzero bzero memrchr memmem mempcpy rawmemchr strchrnul
strverscmp strcasestr reallocarray secure_getenv canonicalize_file_name program_invocation_\\w+ qsort_r strerror_r
pthread_setname_np pthread_getname_np pthread_tryjoin_np pthread_timedjoin_np pthread_cond_clockwait sigabbrev_np
fgetxattr fsetxattr get_nprocs getauxval dl_iterate_phdr O_TMPFILE O_PATH O_DIRECT O_NOATIME CLOCK_BOOTTIME
CLOCK_MONOTONIC_COARSE CLOCK_REALTIME_COARSE MAP_POPULATE MAP_ANONYMOUS MADV_\\w+ MSG_CMSG_CLOEXEC TCP_USER_TIMEOUT
TCP_KEEPIDLE SO_DOMAIN SO_PEERCRED SO_BINDTODEVICE _GNU_SOURCE _DEFAULT_SOURCE __linux__ __GLIBC__ /proc
SOCK_CLOEXEC SOCK_NONBLOCK MSG_NOSIGNAL st_[amc]tim st_[amc]timespec fdatasync pthread_condattr_setclock
pthread_cond_timedwait pthread_mutex_timedlock pthread_rwlock_timed\\w+ pthread_barrier_\\w+ pthread_spin_\\w+ sem_init
sem_timedwait timer_create timer_settime clock_nanosleep posix_fallocate posix_fadvise sigtimedwait sigwaitinfo mq_\\w+
getentropy fsync
""".split()
HEADERS = """
sys/eventfd.h sys/epoll.h sys/inotify.h sys/signalfd.h sys/timerfd.h sys/random.h sys/prctl.h sys/sendfile.h
sys/syscall.h sys/auxv.h sys/sysinfo.h sys/xattr.h endian.h byteswap.h error.h malloc.h linux/\\w+.h semaphore.h mqueue.h
""".split()


class Failed(Exception):
    """Something would not build elsewhere."""


def need(condition, text):
    if not condition:
        raise Failed(text)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def library_files(*suffixes):
    """What goes into the library, of this tree: the SDK and the protocol in it."""
    folders = (SDK / "src", SDK / "include" / "deskbell", ROOT / "protocol" / "src", ROOT / "protocol" / "include" / "protocol")
    files = [f for folder in folders for f in sorted(folder.iterdir()) if f.suffix in suffixes]
    need(len(files) > 60, f"only {len(files)} files were found")
    return files


def without_comments(text):
    def blank(found):
        return found.group(0) if found.group(0)[0] in "\"'" else re.sub(r"[^\n]", " ", found.group(0))
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', blank, text, flags=re.S)


def named(path):
    """(line, name) of what the file should not name."""
    calls = re.compile(r"(?<![\w/])(?:" + "|".join(WORDS) + r")(?![\w])")
    headers = re.compile(r'#\s*include\s*[<"](' + "|".join(HEADERS) + r')[>"]')
    for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
        # The line is code; of strings only what names a folder of the system counts.
        code = re.sub(r'"(?:\\.|[^"\\])*"', lambda s: s.group(0) if s.group(0).startswith('"/') or "include" in line else '""', line)
        for found in headers.findall(code):
            yield number, found
        if not re.match(r"\s*#\s*include", code):
            for found in calls.findall(code):
                yield number, found


def test_words():
    seen = {name for _, name in named(SDK / "src" / LINUX_FORM)}
    for name in ("eventfd", "sys/eventfd.h", "getrandom", "dup3", "SOCK_CLOEXEC", "strerror_r"):
        need(name in seen, f"{name} was not seen where it is: the check is blind")
    files = [f for f in library_files(".c", ".h") if not f.name.startswith("platform")]
    faults = [f"{f.relative_to(ROOT)}:{number}: {name}" for f in files for number, name in named(f)]
    need(not faults, "calls that the platform (client-sdk/src/platform.h) has to make:\n" + "\n".join(faults))
    print(f"{len(files)} files name nothing of Linux's own")


def compile_all(compiler, flags, leave_out=(LINUX_FORM,)):
    """-fsyntax-only, two at a time; all warnings are errors, as in the build."""
    base = [*compiler, "-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Werror", '-DDESKBELL_VERSION="0"',
            f"-I{SDK / 'include'}", f"-I{ROOT / 'protocol' / 'include'}", f"-I{ROOT / 'protocol' / 'src'}", f"-I{BUILD / 'generated'}"]
    files = [f for f in library_files(".c") if f.name not in leave_out] + [BUILD / "generated" / "protocol_client.c"]

    def one(path):
        own = ["-include", str(SDK / "src" / "memory.h")] if path.parent == SDK / "src" else []
        more = ["-D_DEFAULT_SOURCE"] if path.name in WITH_PAGES else []
        done = subprocess.run([*base, *flags, *own, *more, str(path)], capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr[-1500:]

    with ThreadPoolExecutor(2) as pool:
        faults = [f for f in pool.map(one, files) if f]
    need(not faults, f"{len(faults)} files do not compile\n" + "\n".join(faults[:5]))
    print(f"{len(files)} files compile")


def build_compiler():
    with open(BUILD / "compile_commands.json", encoding="utf-8") as f:
        words = json.load(f)[0]["command"].split()
    return [words[1] if words[0].endswith("ccache") else words[0]]


def need_own_arch():
    if os.environ.get("DESKBELL_SANITIZE"):
        skip("the same sources as in the builds without sanitizers")


def test_posix():
    need_own_arch()
    compile_all(build_compiler(), STRICT)


def test_musl():
    need_own_arch()
    if not shutil.which("musl-gcc") or not MUSL.is_dir():
        skip("no musl-gcc")
    # Headers of the other libraries come last, so that none of the C library's is found among them.
    compile_all(["musl-gcc"], [*STRICT, "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"])


def test_apple():
    need_own_arch()
    if not shutil.which("clang") or not MUSL.is_dir():
        skip("no clang, or no musl")
    compile_all(["clang", "--target=x86_64-apple-macos11", "-nostdlibinc"],
                ["-D_GNU_SOURCE", "-D_DARWIN_C_SOURCE", "-include", str(NAMES), "-isystem", str(MUSL), "-idirafter",
                 "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"])


# ---- iOS -------------------------------------------------------------------------------------------------------------

def fake_prefix(folder):
    """Libraries that pkg-config finds, and nothing in them."""
    configs = folder / "prefix" / "lib" / "pkgconfig"
    configs.mkdir(parents=True)
    (folder / "prefix" / "include").mkdir()
    for name in ("libwebsockets", "sqlite3", "libssl", "libcrypto", "jansson", "libcurl"):
        (configs / f"{name}.pc").write_text(f"prefix={folder / 'prefix'}\nName: {name}\nDescription: none\nVersion: 1\n"
                                            f"Libs: -L${{prefix}}/lib -l{name.removeprefix('lib')}\n"
                                            "Cflags: -I${prefix}/include\n")
        (configs.parent / f"lib{name.removeprefix('lib')}.a").write_bytes(b"!<arch>\n")
    return folder / "prefix"


def configure(folder, *options):
    shutil.rmtree(folder / "build", ignore_errors=True)
    return subprocess.run(["cmake", "-S", str(SDK), "-B", str(folder / "build"), "-G", "Ninja",
                           "-DCMAKE_TOOLCHAIN_FILE=cmake/ios.cmake", "-DCMAKE_C_COMPILER=clang",
                           "-DCMAKE_INSTALL_NAME_TOOL=/bin/true", *options],
                          capture_output=True, text=True, check=False, env={**os.environ, "DESKBELL_PREFIX": ""})


def check_ios(folder, prefix, kind, sdk, processor):
    (folder / f"{sdk}.sdk" / "usr" / "include").mkdir(parents=True)
    target = f"{processor}-apple-ios13" + ("-simulator" if kind == "simulator" else "")
    done = configure(folder, f"-DDESKBELL_PREFIX={prefix}", f"-DDESKBELL_IOS={kind}", f"-DCMAKE_C_COMPILER_TARGET={target}",
                     f"-DCMAKE_OSX_SYSROOT={folder / f'{sdk}.sdk'}", f"-DCMAKE_OSX_ARCHITECTURES={processor}")
    need(done.returncode == 0, f"{kind}: {done.stdout[-800:]}{done.stderr[-2000:]}")
    rules = (folder / "build" / "build.ninja").read_text()
    need("platform_portable.c" in rules and LINUX_FORM not in rules, f"{kind}: it does not take the portable form")
    need("-D_DARWIN_C_SOURCE" in rules, f"{kind}: Apple's own names are not declared")
    need(f"-arch {processor}" in rules, f"{kind}: not for {processor}")
    need(re.search(r"-m(ios|iphoneos)[\w-]*version-min=13\.0", rules), f"{kind}: the oldest iOS is not 13.0")
    need("-exported_symbols_list" in rules and "-dead_strip" in rules, f"{kind}: the shared library shows everything")
    need("-nostdlib -Wl,-r -o" in rules, f"{kind}: the objects are not made one")
    for word in ("--version-script", "--gc-sections", "objcopy", "--as-needed", "pack-relative-relocs"):
        need(word not in rules, f"{kind}: {word} is for another linker")
    names = (folder / "build" / "deskbell.exported").read_text().split()
    need(names == ["_deskbell_*"], f"{kind}: shown are {names}")


def test_ios():
    if not shutil.which("clang"):
        skip("no clang")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = fake_prefix(folder)
        for options, says in (((), "DESKBELL_PREFIX has to name"), ((f"-DDESKBELL_PREFIX={folder}",), "DESKBELL_PREFIX has to name"),
                              ((f"-DDESKBELL_PREFIX={prefix}", "-DDESKBELL_IOS=watch"), "device or simulator, not watch")):
            done = configure(folder, *options)
            need(done.returncode != 0 and says in done.stderr.replace("\n", " "), f"{options}: {done.stderr[-800:]}")
        check_ios(folder, prefix, "device", "iPhoneOS", "arm64")
        check_ios(folder, prefix, "simulator", "iPhoneSimulator", "x86_64")
    manual = (ROOT / "docs" / "sdk.md").read_text()
    given = set(re.findall(r"-D(DESKBELL_\w+|CMAKE_OSX_\w+)", manual))
    known = (SDK / "cmake" / "ios.cmake").read_text() + (SDK / "cmake" / "android.cmake").read_text() \
        + (SDK / "cmake" / "aarch64-linux-gnu.cmake").read_text() + (ROOT / "cmake" / "flags.cmake").read_text() \
        + (SDK / "CMakeLists.txt").read_text()
    need("DESKBELL_IOS" in given and all(word in known for word in given), f"docs/sdk.md gives options nobody knows: {given}")
    print("iOS: device and simulator can be configured")


if __name__ == "__main__":
    try:
        {"words": test_words, "posix": test_posix, "musl": test_musl, "apple": test_apple, "ios": test_ios}[sys.argv[1]]()
    except Failed as e:
        print(f"FAILED: {e}")
        sys.exit(1)
