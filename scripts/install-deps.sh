#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building, testing or the long tests need and is not there yet. Debian 12 and 13, Ubuntu 24.04: by
# apt-get, as root or with sudo. Elsewhere it names what is missing and stops.
#
#   scripts/install-deps.sh [build|test|long|aarch64]     default test
#
# Exit 0: everything is there. 69: something is missing and could not be installed.
set -euo pipefail

build=(cmake ninja-build gcc libc6-dev pkg-config python3 libwebsockets-dev libwebsockets-evlib-uv libuv1-dev
        libsqlite3-dev libjansson-dev libssl-dev libcurl4-openssl-dev libargon2-dev libutf8proc-dev libinih-dev
        libseccomp-dev libyaml-dev libcmocka-dev tzdata)
test=(eatmydata e2fsprogs util-linux postgresql ccache g++)
long=(clang clang-tidy clang-format doxygen abigail-tools libglib2.0-dev libsdl2-dev libgtk-4-dev libglib2.0-bin xvfb
        xdotool dbus-x11 fonts-noto-cjk default-jdk-headless kotlin musl-tools)
aarch64=(gcc-aarch64-linux-gnu qemu-user)

case "${1:-test}" in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
long) wanted=("${build[@]}" "${test[@]}" "${long[@]}") ;;
aarch64) wanted=("${build[@]}" "${aarch64[@]}") ;;
*)
        echo "usage: scripts/install-deps.sh [build|test|long|aarch64]" >&2
        exit 64
        ;;
esac

is_installed() {
        local status
        status=$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) || return 1
        [[ $status == "install ok installed" ]]
}

# On systems without dpkg: what can be asked without a package manager.
missing_elsewhere() {
        local name
        for name in cmake ninja cc pkg-config python3; do
                command -v "$name" >/dev/null || echo "$name"
        done
        command -v pkg-config >/dev/null || return 0
        for name in libwebsockets libuv sqlite3 jansson openssl libcurl libargon2 libutf8proc inih libseccomp yaml-0.1 cmocka; do
                pkg-config --exists "$name" || echo "$name (development files)"
        done
}

supported=no
if [[ -r /etc/os-release ]]; then
        # shellcheck disable=SC1091
        . /etc/os-release
        case "${ID:-}:${VERSION_ID:-}" in
        debian:12 | debian:13 | ubuntu:24.04) supported=yes ;;
        esac
fi

if [[ $supported == no ]]; then
        missing=$(missing_elsewhere)
        [[ -z $missing ]] && exit 0
        echo "install-deps: ${PRETTY_NAME:-this system} is not one this script installs on. Missing:" >&2
        echo "$missing" >&2
        exit 69
fi

missing=()
for package in "${wanted[@]}"; do
        is_installed "$package" || missing+=("$package")
done
((${#missing[@]} == 0)) && exit 0

as_root=()
if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
                echo "install-deps: neither root nor sudo; install: ${missing[*]}" >&2
                exit 69
        fi
        as_root=(sudo)
fi
echo "install-deps: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
if ! { "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; }; }; then
        echo "install-deps: apt-get could not install: ${missing[*]}" >&2
        exit 69
fi
