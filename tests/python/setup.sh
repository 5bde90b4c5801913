#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Python environment that the interop tests drive: real LMCache with torch on the CPU,
# and older LMCache releases unpacked beside it. Outside the repository, pinned by hash, made once.
#
#   tests/python/setup.sh            prints the path of the environment's python as its last line
#
# Everything else that is said goes to standard error. Variables:
#   LMCACHE4J_PYTHON_CACHE   where environments are kept (default ~/.cache/lmcache4j)
#   LMCACHE4J_PYTHON         the Python to use (default: the first of 3.11, 3.12, 3.13 found)
#   LMCACHE4J_PYTHON_CUDA=1  install the real CUDA libraries (4 GB more) instead of stand-ins
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${LMCACHE4J_PYTHON_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lmcache4j}"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# ---- a Python that LMCache's wheels are made for ---------------------------------------------
probe='
import platform, struct, sys
if platform.python_implementation() != "CPython": sys.exit("it is not CPython")
if not (3, 11) <= sys.version_info[:2] <= (3, 13): sys.exit("it is Python %d.%d" % sys.version_info[:2])
if sys.platform != "linux" or platform.machine() != "x86_64": sys.exit("it runs on " + platform.platform())
import ensurepip, venv
print("%d.%d" % sys.version_info[:2])
'
python=
version=
reasons=
if [[ -n "${LMCACHE4J_PYTHON:-}" ]]; then
  candidates=("$LMCACHE4J_PYTHON")
else
  candidates=(python3.11 python3.12 python3.13 python3 python)
fi
for candidate in "${candidates[@]}"; do
  if ! command -v "$candidate" >/dev/null 2>&1; then
    reasons+="  $candidate: not found"$'\n'
  elif answer="$("$candidate" -c "$probe" 2>&1)"; then
    python="$(command -v "$candidate")"
    version="$answer"
    break
  else
    reasons+="  $candidate: ${answer##*$'\n'}"$'\n'
  fi
done
if [[ -z "$python" ]]; then
  say "no suitable Python. Needed: CPython 3.11, 3.12 or 3.13 on Linux x86_64 with the venv module"
  say "(Debian and Ubuntu: apt-get install python3 python3-venv), or set LMCACHE4J_PYTHON. Looked at:"
  printf '%s' "$reasons" >&2
  exit 1
fi
for tool in flock sha256sum; do
  command -v "$tool" >/dev/null 2>&1 || die "$tool is missing (Debian and Ubuntu: util-linux, coreutils)"
done

# ---- one directory per set of pins -----------------------------------------------------------
cuda="${LMCACHE4J_PYTHON_CUDA:-0}"
if [[ "$cuda" != 1 ]] && ! { command -v cc && command -v readelf; } >/dev/null 2>&1; then
  say "no C compiler (cc) or no readelf: installing the real CUDA libraries, 4 GB more"
  cuda=1
fi
id="$({ cat "$here/requirements.txt" "$here/requirements-old.txt" "$here/requirements-cuda.txt" \
        "$here/cuda_stubs.py"; printf '%s %s\n' "$version" "$cuda"; } | sha256sum | cut -c1-16)"
env="$cache/py-$id"
mkdir -p "$cache"
exec 9>"$cache/py-$id.lock"
if ! flock -n 9; then
  say "another setup of $env is running; waiting for it"
  flock 9
fi

# The marker is written last: without it the directory is a leftover of a setup that was cut off.
if [[ ! -f "$env/complete" ]]; then
  started=$SECONDS
  say "making $env with $python ($version)"
  rm -rf "$env"
  mkdir -p "$env/old"
  "$python" -m venv "$env/venv" >&2
  py="$env/venv/bin/python"
  pip=("$py" -m pip --disable-pip-version-check --no-input)
  install=(install --quiet --no-deps --no-compile --only-binary=:all: --require-hashes)
  "${pip[@]}" "${install[@]}" -r "$here/requirements.txt" >&2
  if [[ "$cuda" == 1 ]]; then
    "${pip[@]}" "${install[@]}" -r "$here/requirements-cuda.txt" >&2
  else
    site="$("$py" -c 'import sysconfig; print(sysconfig.get_paths()["platlib"])')"
    "$py" "$here/cuda_stubs.py" "$site" >&2
  fi

  # Older releases: one lock file, one version at a time (pip takes a package only once a run).
  while read -r pin; do
    old="${pin#lmcache==}"
    awk -v pin="$pin" '$1 == pin {on = 1; print; next} /^[^ #]/ {on = 0} on' \
      "$here/requirements-old.txt" >"$env/old/pin.txt"
    if "${pip[@]}" download --quiet --no-deps --only-binary=:all: --require-hashes \
        -d "$env/old/wheel" -r "$env/old/pin.txt" >&2; then
      "$py" -m zipfile -e "$env/old/wheel/"*.whl "$env/old/$old" >&2
    else
      say "LMCache $old: no wheel for Python $version; what needs it will say so"
      printf 'no wheel for Python %s\n' "$version" >"$env/old/$old.missing"
    fi
    rm -rf "$env/old/wheel"
  done < <(awk '/^lmcache==/ {print $1}' "$here/requirements-old.txt")
  rm -f "$env/old/pin.txt"

  "$py" -c 'import torch, lmcache.v1.protocol, lmcache.v1.storage_backend.remote_backend' \
    >/dev/null 2>"$env/import.log" || { cat "$env/import.log" >&2; die "LMCache can't be imported"; }
  date -u +%Y-%m-%dT%H:%M:%SZ >"$env/complete"
  say "ready in $((SECONDS - started)) s, $(du -sh "$env" | cut -f1)"
fi
printf '%s\n' "$env/venv/bin/python"
