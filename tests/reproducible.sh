#!/bin/sh
# Builds the jars twice, from two copies of this tree in different directories, and compares them byte by byte.
# By hand, or in CI where time allows; needs what ./mvnw needs.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for copy in first and-a-second; do
  mkdir "$work/$copy"
  # The files that git has, as they are in the working tree.
  (cd "$root" && git ls-files -z | xargs -0 tar -cf - 2>/dev/null) | tar -xf - -C "$work/$copy"
  (cd "$work/$copy" && ./mvnw -q "$@" package -DskipTests)
  (cd "$work/$copy" && find . -path '*/target/*.jar' ! -name 'original-*' | sort | xargs sha256sum) > "$work/$copy.sums"
done

if ! diff "$work/first.sums" "$work/and-a-second.sums"; then
  echo "the jars differ" >&2
  exit 1
fi
echo "$(wc -l < "$work/first.sums") jars are the same in both builds:"
cat "$work/first.sums"
