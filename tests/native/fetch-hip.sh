#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks AMD's own HIP runtime 5.2.3 and its headers, as Debian bookworm packages them, into a cache
# directory, without installing anything. Prints that directory. Needs Debian's apt and the network.
#
# Exit codes: 0 it is there; 3 a tool is missing or a package cannot be had (said on standard error).
set -euo pipefail

version=5.2.3
dir="${LMCACHE4J_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lmcache4j}/hip-$version"
# The runtime without what it loads only for a GPU: 5.6 MB. Then the headers: 0.3 MB.
packages=(libamdhip64-5 libhsa-runtime64-1 libhsakmt1 libnuma1 libelf1 libamdhip64-dev)

if [[ ! -e "$dir/complete" ]]; then
  for tool in apt-get dpkg-deb; do
    command -v "$tool" > /dev/null || { echo "fetch-hip: $tool is missing" >&2; exit 3; }
  done
  mkdir -p "$(dirname "$dir")"
  work="$(mktemp -d "$dir.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && apt-get -qq download "${packages[@]}" > log 2>&1) || {
    echo "fetch-hip: the packages cannot be downloaded: $(tail -n 1 "$work/log")" >&2
    exit 3
  }
  for package in "$work"/libamdhip64-5_*.deb; do
    case "$package" in
      *_"$version"-*) ;;
      *) echo "fetch-hip: $(basename "$package") is not version $version" >&2; exit 3 ;;
    esac
  done
  mkdir "$work/root"
  for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/root"
  done
  touch "$work/root/complete"
  # Whoever comes first has it; a second one's copy is thrown away.
  mv -T "$work/root" "$dir" 2> /dev/null || [[ -e "$dir/complete" ]]
fi
echo "$dir"
