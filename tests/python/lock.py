#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the three lock files anew (for maintainers; setup.sh only reads them).

    lock.py            needs network, takes a minute

Each file pins versions and carries the hashes of the wheels for every supported Python on Linux
x86_64, as pip itself reports them (pip install --dry-run --report).
"""

import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LMCACHE = "0.5.6"
# valkey:// wants valkey-glide-sync from LMCache 0.4.3 on, and valkey-glide before.
WANTED = [f"lmcache=={LMCACHE}", "cbor2", "valkey-glide-sync", "valkey-glide"]
OLD = ["0.3.1", "0.3.3", "0.3.7", "0.3.12", "0.3.15", "0.4.3", "0.4.7", "0.5.0"]
PYTHONS = ["3.11", "3.12", "3.13"]
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)] + [
    "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
CUDA = re.compile(r"^(nvidia-|cuda-|cupy-|triton$)")


def report(requirements, python, constraints=None, deps=True):
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run",
                   "--ignore-installed", "--only-binary=:all:", "--report", out,
                   "--target", work, "--python-version", python, "--implementation", "cp",
                   "--disable-pip-version-check"]
        for platform in PLATFORMS:
            command += ["--platform", platform]
        if not deps:
            command.append("--no-deps")
        if constraints:
            path = os.path.join(work, "constraints.txt")
            with open(path, "w", encoding="ascii") as f:
                f.write("\n".join(constraints) + "\n")
            command += ["--constraint", path]
        subprocess.run(command + requirements, check=True)
        with open(out, encoding="utf-8") as f:
            found = {}
            for item in json.load(f)["install"]:
                name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
                found[name] = (item["metadata"]["version"],
                               item["download_info"]["archive_info"]["hashes"]["sha256"])
            return found


def write(file, header, pins):
    with open(os.path.join(HERE, file), "w", encoding="ascii") as f:
        for line in header:
            f.write(f"# {line}\n")
        f.write("# Written by lock.py; do not edit.\n")
        for (name, version), hashes in sorted(pins.items()):
            f.write(f"{name}=={version}")
            for value in sorted(hashes):
                f.write(f" \\\n    --hash=sha256:{value}")
            f.write("\n")
    print(f"{file}: {len(pins)} packages")


def main():
    first = report(WANTED, PYTHONS[0])
    constraints = [f"{n}=={v}" for n, (v, _) in first.items()]
    pins = {}
    for python in PYTHONS:
        found = first if python == PYTHONS[0] else report(WANTED, python, constraints)
        for name, (version, value) in found.items():
            pins.setdefault((name, version), set()).add(value)
    write("requirements.txt",
          [f"LMCache {LMCACHE} with torch, without the CUDA libraries (see cuda_stubs.py),",
           "for Python " + ", ".join(PYTHONS) + " on Linux x86_64. Install with --no-deps."],
          {k: v for k, v in pins.items() if not CUDA.match(k[0])})
    write("requirements-cuda.txt",
          ["The CUDA libraries that torch names: only when cuda_stubs.py can't be used,",
           "or on a machine whose GPU should be used."],
          {k: v for k, v in pins.items() if CUDA.match(k[0])})
    old = {}
    for version in OLD:
        for python in PYTHONS:
            try:
                found = report([f"lmcache=={version}"], python, deps=False)
            except subprocess.CalledProcessError:
                print(f"lmcache {version}: no wheel for Python {python}", file=sys.stderr)
                continue
            for name, (v, value) in found.items():
                old.setdefault((name, v), set()).add(value)
    write("requirements-old.txt", ["Older LMCache, downloaded and unpacked only."], old)


if __name__ == "__main__":
    main()
