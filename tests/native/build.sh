#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the fake libamdhip64, as ROCm 5, 6 and 7 name it, and its self test, and runs the test.
#
#   build.sh DIRECTORY [build|test|tsan|asan|valgrind]
#   build.sh DIRECTORY abi HEADERS
#
# "build" builds only; "tsan" and "asan" build into DIRECTORY/tsan and DIRECTORY/asan with that sanitizer; "abi"
# compares the fake's ABI with AMD's header in HEADERS/hip. Without a second argument it builds and tests.
# CC names the compiler, cc otherwise.
set -eu

out=${1:?usage: build.sh DIRECTORY [build|test|tsan|asan|valgrind|abi HEADERS]}
what=${2:-test}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cc=${CC:-cc}

build() {
    mkdir -p "$1"
    common="-std=c11 -O1 -g -pthread -Wall -Wextra -Werror $2"
    for major in 5 6 7; do
        name=libamdhip64.so.$major
        # Written beside and then renamed: whoever has the old one mapped keeps it whole.
        # shellcheck disable=SC2086
        "$cc" $common -fPIC -shared -DFAKEHIP_MAJOR=$major -Wl,-soname,"$name" \
            "$here/fakehip.c" "$here/fakehip_memory.c" "$here/fakehip_stream.c" -o "$1/$name.new"
        mv "$1/$name.new" "$1/$name"
    done
    # shellcheck disable=SC2086
    "$cc" $common "$here/fakehip_test.c" -o "$1/fakehip_test" \
        -L"$1" -l:libamdhip64.so.6 -ldl -lrt "-Wl,-rpath,\$ORIGIN"
}

case $what in
build)
    build "$out" ""
    ;;
test)
    build "$out" ""
    "$out/fakehip_test"
    ;;
tsan)
    build "$out/tsan" -fsanitize=thread
    TSAN_OPTIONS="handle_segv=0 handle_abort=0" "$out/tsan/fakehip_test"
    ;;
asan)
    # What a test leaves behind on purpose is no leak of the fake.
    build "$out/asan" -fsanitize=address,undefined
    ASAN_OPTIONS="handle_segv=0 handle_abort=0 detect_leaks=0 allow_user_segv_handler=1" \
        UBSAN_OPTIONS="halt_on_error=1 handle_segv=0" "$out/asan/fakehip_test"
    ;;
valgrind)
    build "$out" ""
    valgrind --quiet --trace-children=yes --error-exitcode=99 "$out/fakehip_test"
    ;;
abi)
    # 5.2 wants the older name of the platform.
    "$cc" -std=c11 -fsyntax-only -D__HIP_PLATFORM_AMD__ -D__HIP_PLATFORM_HCC__ \
        -I"${3:?the directory above hip/hip_runtime_api.h}" "$here/abi_check.c"
    ;;
*)
    echo "build.sh: unknown: $what" >&2
    exit 2
    ;;
esac
